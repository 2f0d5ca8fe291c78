"""The one way out: connections to addresses that nobody trusts, for fetching inputs and for delivering webhooks.

The text of a URL is judged by `urls`; here its name is looked up once and *every* answer must be public, then a
connection is made to those answers and nothing else. The socket factory sees the final address of every connection, so
nothing between the check and the connect can change it; before the request is sent the peer is compared once more. A
session is for one request: no cookie, connection or look-up outlives it, no redirect is followed, no proxy used.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import IPv4Address
from types import SimpleNamespace

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from filmgate.courier.addresses import IPAddress, is_public, parse_address
from filmgate.courier.urls import Destination
from filmgate.domain.errors import InputUnreachable

__all__ = ["Outbound", "Resolve"]

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""Looks a host name up: all its addresses as text. Raises OSError when it has none."""

MAX_TRIED_ADDRESSES = 4
LOOKUP_THREADS = 16


class Outbound:
    """Opens sessions to destinations that were judged by their text. `close()` ends the look-ups under way."""

    def __init__(
        self,
        connect_timeout_s: float = 10,
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        # Threads of our own: a slow name server must not hold up what else runs in the loop's default ones.
        self._lookups = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")
        self._resolve = resolve or self._ask_system
        self._ssl_context = ssl_context or ssl.create_default_context()

    def close(self) -> None:
        self._lookups.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def session(self, destination: Destination) -> AsyncIterator[tuple[aiohttp.ClientSession, URL]]:
        """A session that reaches the destination's checked addresses and nothing else, and the URL to ask it for.

        What goes wrong inside is raised as InputUnreachable, in our words.
        """
        addresses = await self._checked_addresses(destination)
        url = URL(destination.url, encoded=True)
        if (url.raw_host, url.port) != (destination.host, destination.port):
            raise destination.refusal("url_invalid", "has a host that can be read in two ways")
        try:
            async with self._session(destination, addresses) as session:
                yield session, url
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _translate(error, destination) from error

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
