"""Learns the moment at which a gateway answers, without asking again and again."""

import socket
import time

__all__ = ["HealthCall"]

HEALTH_CALL = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HEALTH_RETRY_S = 0.1


class HealthCall:
    """One call to a gateway, made before it is there: the listening socket keeps it until it is answered.

    `connection` is readable when there is something to read, `retry_at` is when the next call is due.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.connection: socket.socket | None = None
        self.retry_at: float | None = None
        self.answered = False

    def __enter__(self) -> "HealthCall":
        self._call()
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def read(self) -> bool:
        """True once, when the gateway has said that it is well; otherwise the call is made again."""
        if self.connection is None:
            if self.retry_at is not None and self.retry_at <= time.monotonic():
                self._call()
            return False
        try:
            answer = self.connection.recv(64)
        except BlockingIOError:
            return False
        except OSError:
            answer = b""
        self._hang_up()
        self.answered = answer.split(b" ", 2)[1:2] == [b"200"]
        self.retry_at = None if self.answered else time.monotonic() + HEALTH_RETRY_S
        return self.answered

    def _call(self) -> None:
        try:
            connection = socket.create_connection(self._address, timeout=1)
            connection.sendall(HEALTH_CALL)
        except OSError:  # the backlog is full
            self.retry_at = time.monotonic() + HEALTH_RETRY_S
            return
        connection.setblocking(False)
        self.connection, self.retry_at = connection, None

    def _hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
