"""The guarded POST of webhooks: one try to deliver, and what came of it."""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import aiohttp

from filmgate.courier.outbound import Outbound, Resolve
from filmgate.courier.urls import UrlPolicy
from filmgate.domain.errors import InputUnreachable
from filmgate.domain.webhook import Try

__all__ = ["DEADLINE_S", "Poster"]

DEADLINE_S = 15.0
"""For a try, from the look-up of the name to the head of the answer."""

ANSWER_BYTES = 64 * 1024
ANSWER_S = 2.0
"""What is read of an answer after its head, and how long; nothing of it is kept."""

HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "filmgate"}


class Poster:
    """Posts to URLs that nobody trusts, under the rules of the guarded fetch. An async context manager.

    `allow` names hosts (`host` or `host:port`) that may be private and speak http.
    """

    def __init__(
        self,
        allow: Sequence[str] = (),
        allow_http: bool = False,
        timeout_s: float = DEADLINE_S,
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._policy = UrlPolicy.of(allow, allow_http=allow_http)
        self._timeout_s = timeout_s
        self._clock = clock
        self._outbound = Outbound(resolve=resolve, ssl_context=ssl_context)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._outbound.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Try:
        """Sends `body` once. A redirect is an answer like others: it is not followed."""
        at, started = self._clock(), time.monotonic()
        status = retry_after_s = error = None
        try:
            async with asyncio.timeout(self._timeout_s):
                status, retry_after_s = await self._send(url, body, {**HEADERS, **headers})
        except InputUnreachable as refused:
            error = refused.sentence
        except TimeoutError:
            error = f"The receiver took longer than {self._timeout_s:g} s."
        return Try(at, round(time.monotonic() - started, 3), status, error, retry_after_s)

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        async with (
            self._outbound.session(self._policy.check(url)) as (session, address),
            session.post(address, data=body, headers=headers, allow_redirects=False) as response,
        ):
            await _read_politely(response)
            return response.status, _retry_after(response.headers.get("Retry-After", ""), self._clock())


async def _read_politely(response: aiohttp.ClientResponse) -> None:
    """Lets the receiver finish a short answer; it has decided by its status, so how the rest ends does not matter."""
    size = 0
    with suppress(aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            while size < ANSWER_BYTES and (chunk := await response.content.readany()):
                size += len(chunk)


def _retry_after(text: str, now: float) -> float | None:
    """Seconds to wait, from either form of the header; None where it is neither."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
