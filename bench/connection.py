"""One kept-alive HTTP/1.1 connection on a bare socket, so that a latency is the server's and not a client library's."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

__all__ = ["Connection", "Reply", "request_bytes", "whole_reply"]

_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any


class Connection:
    """Raises OSError when the server is not there, or closes on us."""

    def __init__(self, port: int, timeout_s: float = 30.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def call(self, request: bytes) -> Reply:
        """Sends the bytes of a request; the body of the reply is parsed."""
        self._socket.sendall(request)
        received = b""
        while (size := whole_reply(received)) is None:
            chunk = self._socket.recv(65536)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            received += chunk
        head, _, body = received[:size].partition(_END)
        return Reply(int(head[9:12]), json.loads(body or b"null"))


def request_bytes(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + _END + body


def whole_reply(received: bytes) -> int | None:
    """How many bytes the first reply has, or None while it is not all there."""
    end = received.find(_END)
    if end < 0:
        return None
    for line in received[:end].lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            size = end + len(_END) + int(value)
            return size if len(received) >= size else None
    raise ValueError("a reply without Content-Length: this client reads no other")
