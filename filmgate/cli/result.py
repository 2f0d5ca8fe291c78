"""`filmgate result`: what a request has made."""

from pathlib import Path
from typing import Annotated

import typer

from filmgate.cli.outputs import download_outputs, say_maker
from filmgate.cli.server import KeyFlag, UrlFlag, connect
from filmgate.cli.terminal import FAILED, say_error, say_warning, show, show_json

__all__ = ["result"]


def result(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Also write the result to this file.")
    ] = None,
    url: UrlFlag = None,
    key: KeyFlag = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a request has made, or fetch it.

    Exit code 1 unless it succeeded.
    """
    with connect(url, key) as client:
        found = client.result(request_id, cost=True)
        paths = download_outputs(client, found, output) if output is not None and found.outputs else ()
    if as_json:
        show_json({**found.raw, "files": [str(path) for path in paths]})
    else:
        for warning in found.warnings:
            say_warning(warning)
        for line in paths or found.outputs or (found.word,):
            show(str(line))
        say_maker(found)
        if found.error is not None:
            say_error(found.error)
    if found.word != "succeeded":
        raise typer.Exit(FAILED)
