"""A hostile server on loopback, and how the tests of the guarded GET fetch from it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from filmgate.courier.fetch import FetchedFile, Fetcher
from filmgate.domain.errors import InputUnreachable

BODY = bytes(range(256)) * 40
TRUST = ssl.create_default_context()
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers every request with the same bytes, or as `answer` likes; remembers what it was asked."""

    def __init__(self, answer: bytes | Answer) -> None:
        self._answer = answer
        self.asked: list[bytes] = []
        self.was_asked = asyncio.Event()
        self.connections = 0

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            self.was_asked.set()
            if callable(self._answer):
                await self._answer(reader, writer)
            else:
                writer.write(self._answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(
    answer: bytes | Answer, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[Server, int]]:
    server = Server(answer)
    listener = await asyncio.start_server(server.meet, host, 0, ssl=tls)
    async with listener:
        yield server, listener.sockets[0].getsockname()[1]


def http(body: bytes = BODY, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302) -> bytes:
    return http(b"", f"{status} Found", f"Location: {location}")


async def fetch(url: str, folder: Path, *, max_bytes: int = 1_000_000, **options: Any) -> FetchedFile:
    async with Fetcher(**{"ssl_context": TRUST, **options}) as fetcher:
        return await fetcher.fetch(url, folder / "file", max_bytes)


async def refusal(url: str, folder: Path, **options: Any) -> InputUnreachable:
    """How the fetch is refused, leaving nothing behind."""
    with pytest.raises(InputUnreachable) as refused:
        await fetch(url, folder, **options)
    assert names(folder) == []
    return refused.value


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def refusal_of(answer: bytes | Answer, folder: Path, **options: Any) -> InputUnreachable:
    async with listening(answer) as (_, port):
        return await refusal(f"http://127.0.0.1:{port}/a", folder, allow=[f"127.0.0.1:{port}"], **options)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
