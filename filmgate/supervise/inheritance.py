"""What a supervisor shares with its roles by inheritance, so that no process's death, at any moment, needs a clean-up.

The *listening socket* is bound by the supervisor: while a dead gateway is started anew its callers wait in the
socket's backlog and are not refused, and port 0 stays the same port. The *folder lock* is held by the supervisor and
every role: it is free again exactly when the last of them is gone. The *lifeline* is a pipe that nobody writes to: when
the supervisor dies, even by kill -9, the roles read its end and take themselves down.
"""

import errno
import fcntl
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filmgate.domain.errors import StartupError

__all__ = [
    "LIFELINE_VARIABLE",
    "LISTEN_VARIABLE",
    "bind_socket",
    "claim_folder",
    "folder_is_free",
    "hold_folder",
    "http_url",
    "inherited_socket",
    "reachable_address",
    "watch_lifeline",
]

LIFELINE_VARIABLE = "FILMGATE_LIFELINE_FD"
LISTEN_VARIABLE = "FILMGATE_LISTEN_FD"

BACKLOG = 2048
LOCK_NAME = "serve.lock"
CLAIM_NAME = "claim.lock"
LOCK_WAIT_S = 3.0
"""The roles of a supervisor that was killed need a moment to be gone."""
LOCK_LOOK_S = 0.02


def watch_lifeline() -> None:
    """Ends this process and its process group when the process that started it is gone. To be called by every role."""
    descriptor = os.environ.pop(LIFELINE_VARIABLE, "")
    if not descriptor:
        return
    lifeline = int(descriptor)
    os.set_inheritable(lifeline, False)

    def watch() -> None:
        os.read(lifeline, 1)
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def inherited_socket() -> socket.socket | None:
    """The listening socket that the process which started this one has bound for it, if it has."""
    descriptor = os.environ.pop(LISTEN_VARIABLE, "")
    if not descriptor:
        return None
    os.set_inheritable(int(descriptor), False)
    return socket.socket(fileno=int(descriptor))


def bind_socket(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port`. Raises StartupError saying what to do."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise StartupError(f"The host {host!r} is not known here ({error.strerror}); use another --host.") from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            sentence = f"Port {port} of {host} is in use by another program; choose another with --port."
        elif error.errno == errno.EACCES:
            sentence = f"Port {port} may not be opened by this user; choose one above 1023 with --port."
        else:
            sentence = f"Port {port} of {host} cannot be opened ({error.strerror}); use another --host or --port."
        raise StartupError(sentence) from error
    return listener


def http_url(listener: socket.socket) -> str:
    """A URL by which programs on this machine reach the socket."""
    host, port = reachable_address(listener)[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def hold_folder(data: Path) -> Iterator[int]:
    """Holds the data folder; the descriptor of the lock, for the roles to hold it too.

    Raises StartupError when another supervisor, or a role that it left, has it.
    """
    path = data / LOCK_NAME
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        reason = error.strerror or error
        raise StartupError(f"The data folder {data} cannot be written ({reason}); name another with --data.") from error
    try:
        if not _lock(descriptor, LOCK_WAIT_S):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise StartupError(
                f"The data folder {data} is in use by another `filmgate serve` (process {holder}); "
                "stop that one, or name another folder with --data."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def claim_folder(data: Path) -> Iterator[bool]:
    """Whether this process is now the only one that means to start a supervisor over the folder.

    Between `folder_is_free` and the start of a supervisor another process may see the same folder free; a claim, held
    until the supervisor has ended, closes that gap.
    """
    data.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data / CLAIM_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _lock(descriptor, 0)
    finally:
        os.close(descriptor)


def folder_is_free(data: Path) -> bool:
    """Whether no supervisor holds the data folder now."""
    try:
        descriptor = os.open(data / LOCK_NAME, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        return _lock(descriptor, 0)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(LOCK_LOOK_S)
        else:
            return True


def reachable_address(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104  # compared, not bound
