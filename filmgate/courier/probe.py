"""Measures files that nobody trusts, by having a locked-down child process decode them.

Decoders are where hostile files do their harm, so none is loaded here: a child gets an order and two open files (one
to read, one to write) over its channel and answers with facts. It serves one file at a time and is kept for the next;
a child that crashed, was killed, ran out of memory or took too long is replaced, and the file is to blame. It is also
replaced after a number of files, so that what a file may have done to it does not last.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self, TypeVar

import msgspec

import filmgate
from filmgate.courier.probe_wire import MAX_LINE_BYTES, Answer, Hello, Order
from filmgate.domain.errors import MediaUnreadable, StartupError
from filmgate.domain.media import MediaFacts, MediaKind

__all__ = ["Probe", "lockdown_level"]

CHILD = (sys.executable, "-P", "-m", "filmgate.courier.probe_child")
START_TIMEOUT_S = 60
LEVEL_TIMEOUT_S = 60

Message = TypeVar("Message", Hello, Answer)


class Probe:
    """Measures files in `children` processes at most, each started when it is first needed.

    `timeout_s` is how long one file may take, of the clock as well as of the processor.
    """

    def __init__(
        self, max_pixels: int = 64_000_000, timeout_s: float = 20, recycle_after: int = 50, *, children: int = 2
    ) -> None:
        self._orders: dict[MediaKind, Order] = {
            "image": Order("image", max_pixels, timeout_s),
            "audio": Order("audio", max_pixels, timeout_s),
        }
        self._timeout_s = timeout_s
        self._recycle_after = recycle_after
        self._places = asyncio.Semaphore(children)
        self._idle: list[_Child] = []

    async def measure(self, source: Path, kind: MediaKind, clean: Path) -> MediaFacts:
        """See `domain.ports.Probe`."""
        part = clean.with_name(f"{clean.name}.part")
        with _opened(source, part) as files:
            async with self._places:
                answer = await self._ask(self._orders[kind], files)
            facts = answer.image if kind == "image" else answer.audio
            if facts is None:
                raise MediaUnreadable(answer.problem or "The file made its decoder fail.")
            if getattr(facts, "decoded", True):
                _put_in_place(part, clean)
        return facts

    async def close(self) -> None:
        """Ends the children that wait for work."""
        while self._idle:
            await self._idle.pop().stop()

    async def _ask(self, order: Order, files: tuple[int, int], *, again: bool = True) -> Answer:
        child = await self._next_child()
        usable = False
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await child.ask(order, files)
        except TimeoutError as error:
            raise MediaUnreadable(f"The file takes longer than {self._timeout_s:g} s to decode.") from error
        except ConnectionError as error:
            # It died with the order unread: no fault of the file, unless this happens twice.
            if not again:
                raise MediaUnreadable("The file made its decoder fail.") from error
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            raise MediaUnreadable("The file made its decoder fail.") from error
        else:
            usable = not answer.spent and child.served < self._recycle_after
            return answer
        finally:
            if usable:
                self._idle.append(child)
            else:
                await child.stop()
        return await self._ask(order, files, again=False)

    async def _next_child(self) -> "_Child":
        while self._idle:
            child = self._idle.pop()
            if child.is_waiting():
                return child
            await child.stop()
        return await _Child.start()


def lockdown_level() -> str:
    """How far this system lets the probe's child be locked down, in words: found out by doing it in a process."""
    try:
        level = subprocess.run(  # noqa: S603 our own interpreter and module, no input of anybody
            (*CHILD, "--level"), env=_environment(), capture_output=True, check=True, timeout=LEVEL_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError):
        return "the probe does not start"
    return level.stdout.decode()


class _Child:
    """One process, and our end of its channel."""

    def __init__(self, process: asyncio.subprocess.Process, channel: socket.socket) -> None:
        self.process = process
        self.served = 0
        self._channel = channel

    @classmethod
    async def start(cls) -> Self:
        """A child that is ready. Raises StartupError: when none can be had, no file is to blame."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                *CHILD,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        except BaseException as error:
            ours.close()
            if isinstance(error, OSError):
                raise StartupError("The process that decodes files cannot be started.") from error
            raise
        finally:
            theirs.close()
        child = cls(process, ours)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await child._read(Hello)
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            await child.stop()
            raise StartupError("The process that decodes files does not start: see `filmgate doctor`.") from error
        except asyncio.CancelledError:
            await child.stop()
            raise
        return child

    async def ask(self, order: Order, files: tuple[int, int]) -> Answer:
        """Raises EOFError when the child dies over it, ConnectionError when it died before it read the order."""
        self.served += 1
        socket.send_fds(self._channel, [msgspec.json.encode(order)], files)
        return await self._read(Answer)

    def is_waiting(self) -> bool:
        """Whether it lives and has nothing to say: a child that died idle must not be charged to the next file."""
        try:
            self._channel.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return self.process.returncode is None
        except OSError:
            return False
        return False

    async def stop(self) -> None:
        self._channel.close()
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    async def _read(self, kind: type[Message]) -> Message:
        line = b""
        while not line.endswith(b"\n"):
            if len(line) > MAX_LINE_BYTES:
                raise EOFError("a line without an end")
            received = await asyncio.get_running_loop().sock_recv(self._channel, MAX_LINE_BYTES)
            if not received:
                raise EOFError("the child is gone")
            line += received
        return msgspec.json.decode(line, type=kind)


@contextmanager
def _opened(source: Path, part: Path) -> Iterator[tuple[int, int]]:
    """The file to read and the file to write, which is gone afterwards unless it was put in place."""
    try:
        with source.open("rb") as reading, part.open("wb") as writing:
            yield reading.fileno(), writing.fileno()
    finally:
        part.unlink(missing_ok=True)


def _put_in_place(part: Path, clean: Path) -> None:
    part.replace(clean)


def _environment() -> dict[str, str]:
    """Nothing of our own environment, which holds secrets: only where Python finds its modules."""
    package_folder = str(Path(filmgate.__file__).parents[1])
    return {"PYTHONPATH": os.pathsep.join([package_folder, *filter(None, sys.path)]), "LC_ALL": "C.UTF-8"}
