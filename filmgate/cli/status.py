"""`filmgate status`: where a request is."""

from typing import Annotated

import typer

from filmgate.cli.progress import stage_of
from filmgate.cli.server import KeyFlag, UrlFlag, connect
from filmgate.cli.terminal import show, show_json

__all__ = ["status"]


def status(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id.")],
    url: UrlFlag = None,
    key: KeyFlag = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where a request is."""
    with connect(url, key) as client:
        found = client.status(request_id)
    if as_json:
        show_json(found.raw)
        return
    running = found.word == "in_progress" and found.progress is not None
    show(f"{stage_of(found)}{f', {found.progress:.0%}' if running else ''}")
