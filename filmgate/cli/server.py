"""Which server a client command calls: the flags `--url` and `--key`."""

from typing import TYPE_CHECKING, Annotated

import typer

from filmgate.cli.usage import UsageInvalid

if TYPE_CHECKING:
    from filmgate.client import Client

__all__ = ["KeyFlag", "UrlFlag", "connect"]

UrlFlag = Annotated[
    str | None, typer.Option("--url", envvar="FILMGATE_URL", metavar="URL", help="Server, with or without /v1.")
]
KeyFlag = Annotated[str | None, typer.Option("--key", envvar="FILMGATE_KEY", metavar="KEY", help="Key of the server.")]


def connect(url: str | None, key: str | None) -> "Client":
    """The client for the server that was named."""
    if not url:
        raise UsageInvalid("Name the server with --url URL, or set FILMGATE_URL.")
    if not key:
        raise UsageInvalid(f"Name your key of {url} with --key KEY, or set FILMGATE_KEY.")
    from filmgate.client import Client

    return Client(url, key)
