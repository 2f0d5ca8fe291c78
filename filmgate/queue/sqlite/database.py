"""One SQLite file: opened, brought up to date, read inline and written by the process's writer."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, TypeVar

from filmgate.domain.errors import StartupError
from filmgate.queue.sqlite.migrations import migrate
from filmgate.queue.sqlite.writer import BUSY_PATIENCE_S, Writer, patiently, unavailable

__all__ = ["Database", "Watch"]

LOOK_S = 0.001
QUIET_LOOK_S = 0.005
QUIET_AFTER_S = 60.0

READ_PATIENCE_S = 1.0

WAL_LIMIT = f"journal_size_limit = {64 * 2**20}"
"""What the log of a busy hour shrinks to."""

OLDEST_SQLITE = (3, 37, 0)  # STRICT tables and RETURNING

T = TypeVar("T")
Parameters = Mapping[str, Any]


class Database:
    """The database of one process, for any number of its event loops and threads.

    Writes return when they are on disk and raise Unavailable when they cannot be stored now. Reads run at once in the
    calling thread: each is a few microseconds of index look-ups, less than handing it to another thread would take.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, busy_patience_s: float = BUSY_PATIENCE_S
    ) -> None:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise StartupError(
                f"SQLite {sqlite3.sqlite_version} is too old; a Python with SQLite 3.37 or later is needed."
            )
        self._clock = clock
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as undo:
                self._writing = undo.enter_context(closing(_connect(path)))
                migrate(self._writing, path)
                self._reading = undo.enter_context(closing(_connect(path)))
                undo.pop_all()
        except (sqlite3.Error, OSError) as error:
            raise StartupError(f"The database {path} cannot be opened: {error}.") from error
        self._reading_lock = threading.Lock()
        self._writer = Writer(self._writing, busy_patience_s)

    def now(self) -> int:
        """Microseconds since the epoch, by the clock that ends leases."""
        return round(self._clock() * 1_000_000)

    def read(self, statement: str, parameters: Parameters) -> Sequence[sqlite3.Row]:
        return self._read(lambda: self._reading.execute(statement, parameters).fetchall())

    def data_version(self) -> int:
        """A number that changes with every commit, of this process or another."""
        return int(self._read(lambda: self._reading.execute("PRAGMA data_version").fetchone()[0]))

    def _read(self, look: Callable[[], T]) -> T:
        with self._reading_lock:
            try:
                # Readers and a writer do not meet; only moments such as another process closing the file make us wait.
                return patiently(look, READ_PATIENCE_S)
            except sqlite3.OperationalError as error:
                raise unavailable(error) from error

    async def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """Runs `work` in the writer's thread, in a transaction with others' writes, all of it or nothing.

        What is not durable survives a kill but not a power cut, and need not wait for the disk.
        """
        return await self._writer.write(work, durable=durable)

    async def append(self, statement: str, row: Sequence[Any]) -> None:
        """Adds a row. Much cheaper than `write` when many callers append by the same statement."""
        await self._writer.append(statement, row)

    async def execute(self, statement: str, parameters: Parameters) -> int:
        """Runs one writing statement; how many rows it changed."""
        return await self._writer.write(lambda connection: connection.execute(statement, parameters).rowcount)

    def watch(self) -> "Watch":
        return Watch(self)

    def close(self) -> None:
        """Performs the writes that wait, then closes; later ones are refused."""
        self._writer.close()
        with self._reading_lock:
            self._reading.close()
        self._writing.close()


class Watch:
    """Waits for commits. Looking costs 3 µs, so it looks often, and less often in a quiet hour."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen = database.data_version()
        self._changed_at = time.monotonic()

    async def change(self, timeout_s: float) -> bool:
        """Returns at the first commit since the last call, or after `timeout_s` with False."""
        deadline = time.monotonic() + timeout_s
        while (version := self._database.data_version()) == self._seen:
            now = time.monotonic()
            if now >= deadline:
                return False
            await asyncio.sleep(LOOK_S if now - self._changed_at < QUIET_AFTER_S else QUIET_LOOK_S)
        self._seen, self._changed_at = version, time.monotonic()
        return True


def _connect(path: Path) -> sqlite3.Connection:
    # Several threads use a connection, one at a time; transactions are begun and ended by name.
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for setting in ("journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY", WAL_LIMIT):
        _set(connection, setting)
    return connection


def _set(connection: sqlite3.Connection, setting: str) -> None:
    # The first use of a connection reads the file, and may meet another process that is just making it.
    patiently(lambda: connection.execute(f"PRAGMA {setting}"))
