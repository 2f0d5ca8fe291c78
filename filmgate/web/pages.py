"""Which page or part of a page answers which path."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

__all__ = ["pages"]

_STATIC = Path(__file__).parent / "static"

_TYPES: Mapping[str, str] = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def pages() -> Sequence[BaseRoute]:
    """The start page, the page that confirms a device login, and their parts."""
    parts = {f"/static/{path.name}": path for path in _STATIC.iterdir() if path.suffix != ".html"}
    paths = {"/": _STATIC / "index.html", "/device": _STATIC / "device.html", **parts}
    return [_page(url, path) for url, path in paths.items()]


def _page(url: str, path: Path) -> Route:
    body = path.read_bytes()

    async def answer(_: Request) -> Response:
        return Response(body, headers=_HEADERS, media_type=_TYPES[path.suffix])

    return Route(url, answer)
