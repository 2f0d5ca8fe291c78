"""The one place that opens a user's URL, and the rules under which it does.

Each hop (the URL, then each redirect) is judged anew: the text by `urls`, then its name is looked up once and *every*
answer must be public, then a connection is made to those answers and nothing else. The socket factory sees the final
address of every connection, so nothing between the check and the connect can change it; before the request is sent
the peer is compared once more. A hop has a session of its own: no cookie, connection or look-up outlives it. Bytes
are taken raw, never decompressed, counted as they arrive, and stand at the target whole or not at all.
"""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import BinaryIO, Self
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from filmgate.courier.addresses import IPAddress, is_public, parse_address
from filmgate.courier.urls import Destination, UrlPolicy
from filmgate.domain.errors import InputUnreachable

__all__ = ["FetchedFile", "Fetcher", "Resolve"]

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Looks a host name up: all its addresses as text. Raises OSError when it has none."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING_STATUSES = frozenset({408, 425, 429})
MAX_TRIED_ADDRESSES = 4
LOOKUP_THREADS = 16
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
        self._connect_timeout_s = connect_timeout_s
        self._max_redirects = max_redirects
        self._stall_timeout_s = stall_timeout_s
        self._min_bytes_per_s = min_bytes_per_s
        # Threads of our own: a slow name server must not hold up what else runs in the loop's default ones.
        self._lookups = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")
        self._resolve = resolve or self._ask_system
        self._ssl_context = ssl_context or ssl.create_default_context()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._lookups.shutdown(wait=False, cancel_futures=True)

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
        addresses = await self._checked_addresses(destination)
        url = URL(destination.url, encoded=True)
        if (url.raw_host, url.port) != (destination.host, destination.port):
            raise destination.refusal("url_invalid", "has a host that can be read in two ways")
        try:
            async with (
                self._session(destination, addresses) as session,
                session.get(url, headers=HEADERS, allow_redirects=False) as response,
            ):
                if response.status in REDIRECTS:
                    return response.headers.get("Location", "")
                _check_head(destination, response)
                await self._save(destination, response, download)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _translate(error, destination) from error
        return None

    async def _checked_addresses(self, destination: Destination) -> list[IPAddress]:
        """Where the host leads, looked up once. All answers are public, or the host is listed by the operator."""
        if destination.literal is not None:
            return [destination.literal]
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                answers = await self._resolve(destination.host)
        except TimeoutError as error:
            raise destination.refusal(
                "url_unresolved", "has a host whose look-up takes too long", retryable=True
            ) from error
        except OSError as error:
            passing = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
            raise destination.refusal("url_unresolved", "has a host that is not known", retryable=passing) from error
        addresses = [parse_address(answer) for answer in dict.fromkeys(answers)]
        if not addresses:
            raise destination.refusal("url_unresolved", "has a host that is not known")
        checked = [address for address in addresses if address and (destination.listed or is_public(address))]
        if len(checked) != len(addresses):
            raise destination.refusal("url_not_public", "is not at a public address")
        return checked[:MAX_TRIED_ADDRESSES]

    async def _ask_system(self, host: str) -> Sequence[str]:
        look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        answers = await asyncio.get_running_loop().run_in_executor(self._lookups, look_up)
        return [str(answer[4][0]) for answer in answers]

    def _session(self, destination: Destination, addresses: Sequence[IPAddress]) -> aiohttp.ClientSession:
        """A session that can reach `addresses` and nothing else."""
        guard = _Guard(frozenset(addresses))
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(addresses),
            socket_factory=guard.open_socket,
            use_dns_cache=False,
            force_close=True,
            ssl=self._ssl_context,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            trace_configs=[guard.trace(destination)],
        )

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


class _Pinned(AbstractResolver):
    """Answers every look-up with the addresses that were checked."""

    def __init__(self, addresses: Sequence[IPAddress]) -> None:
        self._addresses = [
            (str(address), socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6)
            for address in addresses
        ]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for address, kind in self._addresses
            if family in (socket.AF_UNSPEC, kind)
        ]

    async def close(self) -> None:
        pass


class _Guard:
    """Stands at the socket: opens none to an address that was not checked, and looks whom each is connected to."""

    def __init__(self, checked: frozenset[IPAddress]) -> None:
        self._checked = checked
        self._opened: list[socket.socket] = []

    def open_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if parse_address(str(address[0])) not in self._checked:
            raise PermissionError("connection to an address that was not checked")
        opened = socket.socket(family, kind, protocol)
        self._opened.append(opened)
        return opened

    def peers_are_checked(self) -> bool:
        connected = (opened for opened in self._opened if opened.fileno() != -1)
        return all(parse_address(str(opened.getpeername()[0])) in self._checked for opened in connected)

    def trace(self, destination: Destination) -> aiohttp.TraceConfig:
        """Has the peers checked after connecting and before anything is sent."""

        async def check(
            _session: aiohttp.ClientSession, _context: SimpleNamespace, _done: aiohttp.TraceConnectionCreateEndParams
        ) -> None:
            if not self.peers_are_checked():
                raise destination.refusal("url_not_public", "is not at a public address")

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(check)
        return trace


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


FAULTS: tuple[tuple[type[BaseException], str, str, bool], ...] = (
    (TimeoutError, "url_timeout", "did not accept a connection in time", True),
    (aiohttp.ClientConnectorCertificateError, "url_unreachable", "has no valid certificate", False),
    (aiohttp.ClientSSLError, "url_unreachable", "does not speak TLS as it should", True),
    (aiohttp.ClientConnectorError, "url_unreachable", "accepts no connection", True),
    (aiohttp.ClientResponseError, "url_unreachable", "did not answer in valid HTTP", False),
    (aiohttp.ClientPayloadError, "url_unreachable", "broke off before the end of the file", True),
    (aiohttp.InvalidURL, "url_invalid", "is not valid", False),
    (aiohttp.ClientError, "url_unreachable", "closed the connection before it answered", True),
)
"""What went wrong below us, first match: our words, never theirs."""


def _translate(error: BaseException, destination: Destination) -> InputUnreachable:
    for kind, code, predicate, retryable in FAULTS:
        if isinstance(error, kind):
            return destination.refusal(code, predicate, retryable=retryable)
    raise error
