"""Many writers share a commit: none is hurt by another, and nobody hears "stored" before it is on disk."""

import asyncio
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from filmgate.domain.errors import Unavailable
from filmgate.domain.records import Step
from filmgate.queue.sqlite import Database, SqliteQueue
from tests.contract.conftest import Run
from tests.contract.stores import MODELS, new_request, success

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60

ADD = "INSERT INTO accounts (id, email, display_name, username, balance_microdollars) VALUES (?, '', '', '', ?)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "filmgate.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


def putter(path: Path, count: int, at_once: int, *before: str) -> "subprocess.Popen[str]":
    command = [*before, sys.executable, "-m", "tests.contract.putter", str(path), str(count), str(at_once)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)


def stored(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in connection.execute("SELECT id FROM requests")}


def accounts(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM accounts ORDER BY rowid")]


# -------------------------------------------------------------------------------------------------- one process


def test_a_row_that_is_refused_hurts_no_other(path: Path, database: Database, run: Run) -> None:
    async def append_all() -> list[BaseException | None]:
        rows = [("a", 1), ("b", "no number"), ("c", 3), ("a", 4), ("d", 2**70), ("\ud800", 5), ("e", 6)]
        return await asyncio.gather(*[database.append(ADD, row) for row in rows], return_exceptions=True)

    told = run(append_all())

    assert accounts(path) == ["a", "c", "e"]
    assert [type(one) for one in told] == [
        type(None),
        sqlite3.IntegrityError,
        type(None),
        sqlite3.IntegrityError,
        OverflowError,
        UnicodeEncodeError,
        type(None),
    ]


def test_work_that_fails_is_undone_and_hurts_no_other(path: Path, database: Database, run: Run) -> None:
    def half_done(tx: sqlite3.Connection) -> None:
        tx.execute(ADD, ("half", 1))
        raise LookupError("the other half")

    async def write_all() -> Sequence[object]:
        return await asyncio.gather(
            database.append(ADD, ("a", 1)),
            database.write(half_done),
            database.write(lambda tx: tx.execute(ADD, ("b", 1)).rowcount),
            database.append(ADD, ("c", 1)),
            return_exceptions=True,
        )

    told = run(write_all())

    assert accounts(path) == ["a", "b", "c"]
    assert isinstance(told[1], LookupError)
    assert told[2] == 1


def test_a_caller_that_goes_away_hurts_no_other(path: Path, database: Database, run: Run) -> None:
    async def write_and_leave() -> None:
        leaving = [asyncio.ensure_future(database.append(ADD, (f"leaving {number}", 1))) for number in range(20)]
        await asyncio.sleep(0)
        for one in leaving[::2]:
            one.cancel()
        await database.append(ADD, ("staying", 1))
        await asyncio.wait(leaving)

    run(write_and_leave())

    assert set(accounts(path)) >= {"staying", *(f"leaving {number}" for number in range(1, 20, 2))}


def test_what_is_acknowledged_can_be_read_by_others(path: Path, database: Database, run: Run) -> None:
    async def put_and_look() -> None:
        queue = SqliteQueue(database)
        with closing(sqlite3.connect(path)) as other:
            for _ in range(20):
                request = new_request()
                await queue.put(request)
                assert other.execute("SELECT 1 FROM requests WHERE id = ?", (request.id,)).fetchall()

    run(put_and_look())


def test_a_database_that_stays_busy_refuses_for_now(path: Path, run: Run) -> None:
    database = Database(path, busy_patience_s=0.05)
    queue = SqliteQueue(database)
    refused, taken = new_request(), new_request()

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="busy"):
            run(queue.put(refused))
        other.execute("COMMIT")
        run(queue.put(taken))
    database.close()

    assert stored(path) == {taken.id}


# ------------------------------------------------------------------------------------------------ two processes


def test_two_processes_write_at_once(path: Path, database: Database, run: Run) -> None:
    queue = SqliteQueue(database)
    closed = 400

    async def close_some() -> set[str]:
        ended: set[str] = set()
        async with asyncio.timeout(PATIENCE_S):
            async for lease in queue.leases(Step.RUN, MODELS, "a"):
                assert await queue.settle(lease, success())
                ended.add(lease.request_id)
                if len(ended) == closed:
                    break
        return ended

    with putter(path, 2000, 32) as process:
        ended = run(close_some())
        acknowledged = set(process.communicate(timeout=PATIENCE_S)[0].split())

    assert process.returncode == 0
    assert len(acknowledged) == len(range(2000 // 32)) * 32
    assert stored(path) == acknowledged
    assert len(ended) == closed


@pytest.mark.parametrize("acknowledged_before", [1, 300, 2000])
def test_a_killed_process_loses_nothing_that_it_acknowledged(path: Path, acknowledged_before: int) -> None:
    with putter(path, 1_000_000, 64) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(acknowledged_before)]
        process.kill()
        acknowledged += process.stdout.readlines()

    # The last line may have been cut off as it was written.
    complete = {line.strip() for line in acknowledged if line.endswith("\n")}
    assert len(complete) >= acknowledged_before
    assert stored(path) >= complete


def test_nothing_is_acknowledged_before_it_is_through_to_the_disk(path: Path, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    Database(path).close()
    trace = tmp_path / "trace"
    calls = "trace=fdatasync,fsync,write,pwrite64"

    with putter(path, 50, 1, strace, "-f", "-y", "-e", calls, "-o", str(trace)) as process:
        acknowledged = process.communicate(timeout=PATIENCE_S)[0].split()
    if process.returncode != 0 and not acknowledged:
        pytest.skip("strace may not trace here")

    through, told = r"(fdatasync|fsync)(?:\(\d+<[^>]*-wal>| resumed>)\)\s+= 0", r'write\(1<[^>]*>, "([0-9a-f]{32})'
    events = re.findall(f"{through}|{told}", trace.read_text())
    assert [told for _, told in events if told] == acknowledged
    for (_, before), (_, told) in zip([("", "start"), *events], events, strict=False):
        assert not (before and told), f"{told} was acknowledged without a write through to the disk"


# ------------------------------------------------------------------------------------------------- a full disk


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 2 MiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_refuses_all_that_wait_and_takes_writes_again_later(tiny_disk: Path, run: Run) -> None:
    path = tiny_disk / "filmgate.db"
    database = Database(path)
    queue = SqliteQueue(database)

    async def put_until_refused() -> tuple[set[str], list[BaseException]]:
        acknowledged: set[str] = set()
        while True:
            requests = [new_request() for _ in range(100)]
            told = await asyncio.gather(*[queue.put(request) for request in requests], return_exceptions=True)
            acknowledged |= {request.id for request, error in zip(requests, told, strict=True) if error is None}
            if refusals := [error for error in told if error is not None]:
                return acknowledged, refusals

    filler = tiny_disk / "filler"
    filler.write_bytes(bytes(1_000_000))
    acknowledged, refusals = run(put_until_refused())

    assert all(isinstance(refusal, Unavailable) and "disk is full" in refusal.sentence for refusal in refusals)
    filler.unlink()
    later = new_request()
    run(queue.put(later))
    assert stored(path) == acknowledged | {later.id}
    database.close()


def test_a_write_too_large_for_the_disk_hurts_others_at_most_for_now(tiny_disk: Path, run: Run) -> None:
    path = tiny_disk / "filmgate.db"
    database = Database(path)
    queue = SqliteQueue(database)
    requests = [new_request() for _ in range(20)]
    requests[10] = new_request(prompt="a" * 8_000_000)

    async def put_all() -> Sequence[BaseException | None]:
        return await asyncio.gather(*[queue.put(request) for request in requests], return_exceptions=True)

    told = run(put_all())

    refusals = [error for error in told if error is not None]
    assert told[10] in refusals
    assert all(isinstance(refusal, Unavailable) and "disk is full" in refusal.sentence for refusal in refusals)
    later = new_request()
    run(queue.put(later))
    acknowledged = {request.id for request, error in zip(requests, told, strict=True) if error is None}
    assert stored(path) == acknowledged | {later.id}
    database.close()
