"""One SQLite file: opened, brought up to date, read inline and written by the process's writer."""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from filmgate.domain.errors import StartupError
from filmgate.queue.sqlite.bells import Bell, ring
from filmgate.queue.sqlite.migrations import migrate
from filmgate.queue.sqlite.writer import BUSY_PATIENCE_S, Writer, patiently, unavailable

__all__ = ["Database", "Watch"]

LOOK_S = 0.05
"""How often a watcher looks for commits that rang no bell."""

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
        self._bells = path.with_name(f"{path.name}-bells")
        try:
            self._bells.mkdir(parents=True, exist_ok=True)
            with ExitStack() as undo:
                self._writing = undo.enter_context(closing(_connect(path)))
                migrate(self._writing, path)
                self._reading = undo.enter_context(closing(_connect(path)))
                undo.pop_all()
        except (sqlite3.Error, OSError) as error:
            raise StartupError(f"The database {path} cannot be opened: {error}.") from error
        self._reading_lock = threading.Lock()
        self._writer = Writer(self._writing, busy_patience_s, lambda: ring(self._bells))

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
        return Watch(self, Bell(self._bells))

    def close(self) -> None:
        """Performs the writes that wait, then closes; later ones are refused."""
        self._writer.close()
        with self._reading_lock:
            self._reading.close()
        self._writing.close()


class Watch:
    """Waits for commits: the bell wakes it, and it looks by itself now and then. A context manager."""

    def __init__(self, database: Database, bell: Bell) -> None:
        self._database = database
        self._bell = bell

    def __enter__(self) -> Self:
        self._bell.__enter__()
        self._seen = self._database.data_version()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._bell.__exit__(kind, error, trace)

    async def change(self, timeout_s: float) -> bool:
        """Returns at the first commit since the last call, or after `timeout_s` with False."""
        deadline = time.monotonic() + timeout_s
        while (version := self._database.data_version()) == self._seen:
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return False
            await self._bell.wait(min(LOOK_S, remaining_s))
        self._seen = version
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
