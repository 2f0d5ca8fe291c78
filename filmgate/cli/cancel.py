"""`filmgate cancel`: a request that is not wanted any more."""

from typing import Annotated

import typer

from filmgate.cli.server import KeyFlag, UrlFlag, connect
from filmgate.cli.terminal import FAILED, say, show, show_json

__all__ = ["cancel"]


def cancel(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id.")],
    force: Annotated[bool, typer.Option("--force", help="Also stop it if it is running.")] = False,
    url: UrlFlag = None,
    key: KeyFlag = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Cancel a request. Exit code 1 when it runs on, or had ended before."""
    with connect(url, key) as client:
        cancelled = client.cancel(request_id, force=force)
    if as_json:
        show_json({"request_id": cancelled.request_id, "status": cancelled.word, "outcome": cancelled.outcome})
    else:
        show(cancelled.outcome)
    if cancelled.outcome == "not_cancellable":
        if cancelled.word == "in_progress" and not as_json:
            say("It is running; --force stops it.")
        raise typer.Exit(FAILED)
