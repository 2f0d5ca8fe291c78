"""Bells: how a commit in one process wakes the watchers in all others, at once and without their looking for it.

Each watcher hangs up a bell, a FIFO in the folder beside the database, and whoever has committed writes a byte into
every bell there. A bell only says that there is something to see: a watcher then looks at the database, and it also
looks by itself now and then, so a bell that was missed costs moments. One whose watcher died is taken down by whoever
rings it next.
"""

import asyncio
import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filmgate.domain.errors import StartupError

__all__ = ["Bell", "ring"]

_UNFINISHED = "."
"""What the name of a bell begins with until somebody listens to it."""


class Bell:
    """A watcher's own bell, for as long as the context lasts. Belongs to one event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rung = asyncio.Event()

    def __enter__(self) -> Self:
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        unfinished, self._path = self._folder / f"{_UNFINISHED}{name}", self._folder / name
        try:
            os.mkfifo(unfinished, 0o600)
            # For writing too: a FIFO without any writer would be readable, as ended, all the time.
            self._descriptor = os.open(unfinished, os.O_RDWR | os.O_NONBLOCK)
            unfinished.rename(self._path)
        except OSError as error:
            sentence = f"The folder {self._folder} cannot hold FIFOs ({error.strerror}); keep the data on a local disk."
            raise StartupError(sentence) from error
        asyncio.get_running_loop().add_reader(self._descriptor, self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._path.unlink(missing_ok=True)

    async def wait(self, timeout_s: float) -> bool:
        """Whether the bell was rung since the last call; False after `timeout_s`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._descriptor, 65536)
        self._rung.set()


def ring(folder: Path) -> None:
    """Rings every bell of the folder. Never waits: a bell that is full has rung often enough."""
    for bell in folder.iterdir():
        if bell.name.startswith(_UNFINISHED):
            continue
        try:
            descriptor = os.open(bell, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nobody listens any more
                bell.unlink(missing_ok=True)
            continue
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(descriptor, b"\0")
        os.close(descriptor)
