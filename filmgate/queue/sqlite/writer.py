"""Group commit: the one thread of a process that writes, many callers' writes to a commit.

A commit costs a write through to the disk, 0.1 to 5 ms, whether it carries one row or hundreds. So the writer takes
all writes that wait, up to 256, puts them into one transaction, each behind a savepoint of its own, and only after the
commit tells their callers, in one call per event loop. While it waits for the disk the next group gathers. Between
processes SQLite lets one write at a time; its own way of waiting sleeps up to 0.1 s and starves whoever sleeps, so we
look again every 0.3 ms ourselves.
"""

import asyncio
import itertools
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

from filmgate.domain.errors import Unavailable

__all__ = ["BUSY_PATIENCE_S", "Writer", "patiently", "unavailable"]

GROUP_LIMIT = 256
BUSY_RETRY_S = 0.0003
BUSY_PATIENCE_S = 5.0

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Write:
    """One caller's write: either `work`, or a `row` for `statement`, which share one call when they are neighbours."""

    future: asyncio.Future[Any]
    work: Callable[[sqlite3.Connection], Any] | None = None
    statement: str | None = None
    row: Sequence[Any] = ()
    result: Any = None
    error: Exception | None = field(default=None)
    durable: bool = True

    def perform(self, connection: sqlite3.Connection) -> None:
        if self.work is not None:
            self.result = self.work(connection)
        elif self.statement is not None:
            connection.execute(self.statement, self.row)

    def answer(self) -> None:
        """Runs in the caller's loop. A caller that went away meanwhile is told nothing."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Owns the writing connection. `close()` performs what waits, then ends the thread.

    `committed` is called after every commit, before its callers are told.
    """

    def __init__(self, connection: sqlite3.Connection, patience_s: float, committed: Callable[[], None]) -> None:
        self._connection = connection
        self._patience_s = patience_s
        self._committed = committed
        self._waiting: SimpleQueue[_Write | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="filmgate-database-writer", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> "asyncio.Future[T]":
        """`work` runs in the writer's thread inside a transaction; what it raises undoes what it wrote."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        return self._enqueue(_Write(future, work=work, durable=durable))

    def append(self, statement: str, row: Sequence[Any]) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        return self._enqueue(_Write(future, statement=statement, row=row))

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _enqueue(self, write: _Write) -> asyncio.Future[Any]:
        with self._lock:
            if self._closed:
                raise Unavailable("The database is being closed; try again in a moment.")
            self._waiting.put(write)
        return write.future

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            last = False
            while len(group) < GROUP_LIMIT and not last and not self._waiting.empty():
                write = self._waiting.get()
                if write is None:
                    last = True
                else:
                    group.append(write)
            self._commit(group)
            with suppress(OSError):  # a watcher that is not woken looks by itself
                self._committed()
            _answer(group)
            if last:
                return

    def _commit(self, group: Sequence[_Write]) -> None:
        level = "FULL" if any(write.durable for write in group) else "NORMAL"
        try:
            self._connection.execute(f"PRAGMA synchronous = {level}")
            patiently(lambda: self._connection.execute("BEGIN IMMEDIATE"), self._patience_s)
            for statement, run in itertools.groupby(group, key=lambda write: write.statement):
                self._perform(statement, list(run))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            for write in group:
                write.error = write.error or unavailable(error)
            # Were even this to fail, the next BEGIN would find a transaction open and tell its callers.
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _perform(self, statement: str | None, writes: Sequence[_Write]) -> None:
        if statement is not None and len(writes) > 1 and self._append_all(statement, writes):
            return
        for write in writes:
            self._perform_alone(write)

    def _append_all(self, statement: str, writes: Sequence[_Write]) -> bool:
        """One call for all rows: between calls the thread hands over the interpreter, which costs more than a row."""
        self._connection.execute("SAVEPOINT rows")
        try:
            self._connection.executemany(statement, [write.row for write in writes])
        except (sqlite3.Error, OverflowError, TypeError, ValueError) as error:
            self._undo("rows", error)
            return False  # the row at fault is found one by one
        self._connection.execute("RELEASE rows")
        return True

    def _perform_alone(self, write: _Write) -> None:
        self._connection.execute("SAVEPOINT write")
        try:
            write.perform(self._connection)
        except Exception as error:  # noqa: BLE001  not swallowed: it is raised again where the write was asked for
            write.error = unavailable(error) if isinstance(error, sqlite3.OperationalError) else error
            self._undo("write", error)
            return
        self._connection.execute("RELEASE write")

    def _undo(self, savepoint: str, error: Exception) -> None:
        if self._connection.in_transaction:
            self._connection.execute(f"ROLLBACK TO {savepoint}")
            self._connection.execute(f"RELEASE {savepoint}")
        elif isinstance(error, sqlite3.Error):
            # SQLite gave the whole transaction up, as it may on a full disk: nothing is left of anybody's write.
            raise error
        else:
            raise sqlite3.OperationalError("the transaction was given up") from error


def _answer(group: Sequence[_Write]) -> None:
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Write]] = defaultdict(list)
    for write in group:
        by_loop[write.future.get_loop()].append(write)
    for loop, writes in by_loop.items():
        with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
            loop.call_soon_threadsafe(_answer_all, writes)


def _answer_all(writes: Sequence[_Write]) -> None:
    for write in writes:
        write.answer()


def patiently(attempt: Callable[[], T], patience_s: float = BUSY_PATIENCE_S) -> T:
    """Repeats `attempt` while another process has the database, at most `patience_s` long."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(BUSY_RETRY_S)


def _is_busy(error: sqlite3.Error) -> bool:
    # The low byte is the kind of error, the rest says more about it.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


_SENTENCES = {
    sqlite3.SQLITE_BUSY: "The database is busy with other writes; try again in a moment.",
    sqlite3.SQLITE_LOCKED: "The database is busy with other writes; try again in a moment.",
    sqlite3.SQLITE_FULL: "The database's disk is full; try again once the operator has made room.",
    sqlite3.SQLITE_IOERR: "The database's disk failed to write; try again once the operator has looked at it.",
    sqlite3.SQLITE_READONLY: "The database cannot be written; try again once the operator has looked at it.",
}


def unavailable(error: sqlite3.Error) -> Unavailable:
    """What a caller is told when the database, and not the write, is at fault."""
    kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
    refusal = Unavailable(_SENTENCES.get(kind, f"The database could not take the write ({error}); try again later."))
    refusal.__cause__ = error
    return refusal
