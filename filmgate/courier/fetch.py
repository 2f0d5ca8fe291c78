"""The guarded GET of inputs, and the rules under which it takes a file from a URL that nobody trusts.

Each hop (the URL, then each redirect) is judged anew: the text by `urls`, where it leads by `outbound`, in a session of
its own. Bytes are taken raw, never decompressed, counted as they arrive, and stand at the target whole or not at all.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import urljoin

import aiohttp

from filmgate.courier.outbound import Outbound, Resolve
from filmgate.courier.urls import Destination, UrlPolicy
from filmgate.domain.errors import InputUnreachable

__all__ = ["FetchedFile", "Fetcher"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING_STATUSES = frozenset({408, 425, 429})
HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "filmgate"}


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """What was stored: the bytes as they were sent, and their sha256 in hexadecimal."""

    size_bytes: int
    sha256: str


class Fetcher:
    """Gets files from URLs that nobody trusts. An async context manager; any number of fetches at a time.

    `allow` names hosts (`host` or `host:port`) that may be private and speak http. `min_bytes_per_s` is required on
    average once a body has taken `stall_timeout_s`, which is also the longest silence within a body.
    """

    def __init__(
        self,
        allow: Sequence[str] = (),
        allow_http: bool = False,
        timeout_s: float = 30,
        connect_timeout_s: float = 10,
        max_redirects: int = 3,
        *,
        stall_timeout_s: float = 10,
        min_bytes_per_s: int = 1024,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = UrlPolicy.of(allow, allow_http=allow_http)
        self._timeout_s = timeout_s
        self._max_redirects = max_redirects
        self._stall_timeout_s = stall_timeout_s
        self._min_bytes_per_s = min_bytes_per_s
        self._outbound = Outbound(connect_timeout_s, resolve=resolve, ssl_context=ssl_context)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._outbound.close()

    async def fetch(self, url: str, target: Path, max_bytes: int) -> FetchedFile:
        """Store what `url` answers at `target`. Raises InputUnreachable; then nothing is left at `target`."""
        first = self.policy.check(url)
        with _Download(target, max_bytes) as download:
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._follow(first, download)
            except TimeoutError as error:
                raise first.refusal("url_timeout", f"took longer than {self._timeout_s:g} s", retryable=True) from error
        return download.fetched()

    async def _follow(self, first: Destination, download: "_Download") -> None:
        destination = first
        for _ in range(self._max_redirects + 1):
            location = await self._hop(destination, download)
            if location is None:
                return
            destination = self._onward(first, destination, location)
        raise first.refusal("url_redirects", f"redirects more than {self._max_redirects} times")

    async def _hop(self, destination: Destination, download: "_Download") -> str | None:
        """One request. Returns the Location that it redirects to, or None once the file is stored."""
        async with (
            self._outbound.session(destination) as (session, url),
            session.get(url, headers=HEADERS, allow_redirects=False) as response,
        ):
            if response.status in REDIRECTS:
                return response.headers.get("Location", "")
            _check_head(destination, response)
            await self._save(destination, response, download)
        return None

    def _onward(self, first: Destination, current: Destination, location: str) -> Destination:
        """The next hop, judged like the first; sentences still name the host that the user wrote."""
        try:
            joined = urljoin(current.url, location)
        except ValueError as error:
            raise first.refusal("url_redirects", "redirects to what is no URL") from error
        onward = self.policy.check(joined, f"{first.subject} redirects to one that")
        if (current.scheme, onward.scheme) == ("https", "http"):
            raise onward.refusal("url_not_https", "is not https")
        return onward

    async def _save(self, destination: Destination, response: aiohttp.ClientResponse, download: "_Download") -> None:
        if (response.content_length or 0) > download.max_bytes:
            raise _too_large(destination, download)
        clock = asyncio.get_running_loop().time
        started = clock()
        while True:
            try:
                async with asyncio.timeout(self._stall_timeout_s):
                    chunk = await response.content.readany()
            except TimeoutError as error:
                raise _too_slow(destination) from error
            if not chunk:
                return
            if not download.write(chunk):
                raise _too_large(destination, download)
            elapsed_s = clock() - started
            if elapsed_s > self._stall_timeout_s and download.size_bytes < elapsed_s * self._min_bytes_per_s:
                raise _too_slow(destination)


class _Download:
    """A file in the making: counted and hashed as it is written, put in place whole when no error leaves the block."""

    def __init__(self, target: Path, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size_bytes = 0
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        self._file: BinaryIO = self._part.open("wb")
        return self

    def write(self, chunk: bytes) -> bool:
        """False when `chunk` would make the file too large."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self.max_bytes:
            return False
        self._hash.update(chunk)
        self._file.write(chunk)
        return True

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            self._part.replace(self._target)
        else:
            self._part.unlink()

    def fetched(self) -> FetchedFile:
        return FetchedFile(self.size_bytes, self._hash.hexdigest())


def _check_head(destination: Destination, response: aiohttp.ClientResponse) -> None:
    """Refuse all but a plain 200: a body that needs decompressing may be a bomb, whatever its size on the wire."""
    if response.status != 200:
        passing = response.status in PASSING_STATUSES or response.status >= 500
        raise destination.refusal("url_status", f"answered {response.status}", retryable=passing)
    for header, plain in (("Content-Encoding", "identity"), ("Transfer-Encoding", "chunked")):
        if any(value.strip().lower() not in ("", plain) for value in response.headers.getall(header, ())):
            raise destination.refusal("url_encoded", "answered with a compressed body, which is not read here")


def _too_large(destination: Destination, download: _Download) -> InputUnreachable:
    megabytes = download.max_bytes / 1_000_000
    return destination.refusal("url_too_large", f"is larger than {megabytes:.4g} MB")


def _too_slow(destination: Destination) -> InputUnreachable:
    return destination.refusal("url_timeout", "sends its bytes too slowly", retryable=True)
