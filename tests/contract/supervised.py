"""Tiny roles for the supervisor's tests, and a supervisor process to end in every way.

`python -m tests.contract.supervised FOLDER ROLE…` supervises the named roles. Every start of a role adds a line with
its process id to `FOLDER/<role>.starts`, every orderly end one to `FOLDER/ends`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from filmgate.cli.terminal import say_error
from filmgate.domain.errors import StartupError
from filmgate.supervise.inheritance import bind_socket, hold_folder, http_url, inherited_socket, watch_lifeline
from filmgate.supervise.supervisor import CANNOT_START, Role, Supervisor

DRAIN_S = 1.0
FOREVER_S = 600.0


def main(folder: Path, names: list[str]) -> int:
    command = (sys.executable, "-m", "tests.contract.supervised", str(folder), "--role")
    try:
        with hold_folder(folder) as lock:
            listener = bind_socket("127.0.0.1", 0)
            url = http_url(listener)
            supervisor = Supervisor(
                [Role(name, (*command, name), front=name.startswith("front")) for name in names],
                environment=os.environ,
                listener=listener,
                lock=lock,
                drain_s=DRAIN_S,
                margin_s=0.0,
                ready=lambda: note(folder / "ready", url),
                retry_delays_s=(0.0, 0.05),
            )
            return 0 if supervisor.run() else 1
    except StartupError as error:
        say_error(error.sentence)
        return CANNOT_START


def play(folder: Path, name: str) -> int:
    note(folder / f"{name}.starts", str(os.getpid()))
    watch_lifeline()

    def end(_: int, __: FrameType | None) -> None:
        note(folder / "ends", name)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    return PARTS.get(name, lives)(folder)


def lives(_: Path) -> int:
    time.sleep(FOREVER_S)
    return 0


def front(_: Path) -> int:
    """Answers every call with its process id; `/die` ends it at once."""
    listener = inherited_socket()
    if listener is None:
        return CANNOT_START
    while True:
        connection, _address = listener.accept()
        with connection:
            call = connection.recv(1000)
            if call.startswith(b"GET /die"):
                os.kill(os.getpid(), signal.SIGKILL)
            body = str(os.getpid()).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def front_slow(folder: Path) -> int:
    """As `front`, once `FOLDER/open` is there."""
    while not (folder / "open").exists():
        time.sleep(0.01)
    return front(folder)


def refuses(_: Path) -> int:
    say_error("The cupboard is bare; fill it.")
    return CANNOT_START


def refuses_later(folder: Path) -> int:
    """Lives once, then cannot start twice, then lives."""
    starts = len((folder / "refuses_later.starts").read_text().splitlines())
    if starts == 1:
        while not (folder / "now").exists():
            time.sleep(0.01)
        return 1
    return CANNOT_START if starts < 4 else lives(folder)


def stubborn(_: Path) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return lives(_)


def parent(folder: Path) -> int:
    """Has a child of its own, which knows nothing of lifelines."""
    child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({FOREVER_S})"])
    note(folder / "grandchild", str(child.pid))
    return lives(folder)


PARTS: Mapping[str, Callable[[Path], int]] = {
    "front": front,
    "front_slow": front_slow,
    "refuses": refuses,
    "refuses_later": refuses_later,
    "stubborn": stubborn,
    "parent": parent,
}


def note(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    given, rest = Path(sys.argv[1]), sys.argv[2:]
    sys.exit(play(given, rest[1]) if rest[0] == "--role" else main(given, rest))
