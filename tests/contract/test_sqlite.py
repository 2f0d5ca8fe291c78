"""What only the SQLite database promises: migrations, plans that stay fast, quiet beats, wake-ups, patience."""

import asyncio
import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from filmgate.domain.errors import StartupError, Unavailable
from filmgate.domain.records import Progress, Step
from filmgate.domain.request import State
from filmgate.queue.sqlite import Database, SqliteQueue
from filmgate.queue.sqlite.bells import Bell, ring
from filmgate.queue.statements import FOLDER, migration_scripts, named_statements
from tests.contract.conftest import Run
from tests.contract.stores import MODEL, MODELS, OWNER, Clock, new_request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "filmgate.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path, Clock())
    yield database
    database.close()


def on_disk(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


# ---------------------------------------------------------------------------------------------------- opening


def test_a_new_database_has_the_latest_version(path: Path, database: Database) -> None:
    assert on_disk(path, "PRAGMA user_version") == [(len(migration_scripts(FOLDER / "sqlite")),)]
    assert on_disk(path, "PRAGMA journal_mode") == [("wal",)]


@pytest.mark.parametrize("version", range(1, len(migration_scripts(FOLDER / "sqlite"))))
def test_a_database_of_an_earlier_version_keeps_its_requests(path: Path, run: Run, version: int) -> None:
    request = new_request()
    with closing(sqlite3.connect(path)) as connection:
        for script in migration_scripts(FOLDER / "sqlite")[:version]:
            connection.executescript(script)
        connection.execute(
            "INSERT INTO requests"
            " (id, account, model, state, order_key, input_values, media, warnings, seed, created_at)"
            " VALUES (?, ?, ?, 'ready', 0, '{}', '[]', '[]', 7, 0)",
            (request.id, OWNER, MODEL),
        )
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()

    database = Database(path)
    record = run(SqliteQueue(database).find(request.id, OWNER))
    database.close()

    assert record is not None
    assert (record.state, record.seed, record.progress) == (State.READY, 7, Progress())
    assert on_disk(path, "PRAGMA user_version") == [(len(migration_scripts(FOLDER / "sqlite")),)]


def test_a_database_of_a_newer_program_is_refused_and_untouched(path: Path) -> None:
    Database(path).close()
    on_disk(path, "PRAGMA user_version = 999")

    with pytest.raises(StartupError, match="version 999"):
        Database(path)

    assert on_disk(path, "PRAGMA user_version") == [(999,)]


def test_a_file_that_is_no_database_is_refused_by_name(path: Path) -> None:
    path.write_bytes(b"a letter, not a database. " * 100)

    with pytest.raises(StartupError, match=r"filmgate\.db cannot be opened"):
        Database(path)


def test_processes_that_start_together_migrate_once(path: Path) -> None:
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(Database(path))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in opened:
        database.close()

    assert len(opened) == 8
    assert on_disk(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_closed_database_refuses_writes(path: Path, run: Run) -> None:
    database = Database(path)
    queue = SqliteQueue(database)
    database.close()

    with pytest.raises(Unavailable, match="being closed"):
        run(queue.put(new_request()))


def test_closing_performs_the_writes_that_wait(path: Path, run: Run) -> None:
    database = Database(path)
    queue = SqliteQueue(database)
    requests = [new_request() for _ in range(300)]

    async def put_and_close() -> None:
        puts = [asyncio.ensure_future(queue.put(request)) for request in requests]
        await asyncio.sleep(0)
        database.close()
        await asyncio.gather(*puts)

    run(put_and_close())

    assert on_disk(path, "SELECT count(*) FROM requests") == [(300,)]


# ------------------------------------------------------------------------------------------------------ speed

PLANS: Mapping[str, str] = {
    "any_to_fetch": "requests_to_fetch",
    "any_to_run": "requests_to_run",
    "claim_fetch": "requests_to_fetch",
    "claim_run": "requests_to_run",
    "expired": "requests_held",
    "of_holder": "requests_held",
    "waiting_first": "requests_waiting",
    "waiting_head": "requests_waiting",
    "waiting_between": "requests_waiting",
    "find": "files_of_request",
    "outdated": "requests_finished",
}


@pytest.mark.parametrize(("name", "index"), PLANS.items())
def test_what_is_asked_often_is_answered_from_an_index(path: Path, database: Database, name: str, index: str) -> None:
    sql = named_statements(FOLDER / "sqlite" / "requests.sql")[name]
    parameters = dict.fromkeys(re.findall(r":(\w+)", sql), "1")

    with closing(sqlite3.connect(path)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]

    assert any(index in step for step in plan), plan
    assert not [step for step in plan if step in ("SCAN requests", "SCAN files")], plan


def test_a_beat_that_shows_nothing_new_writes_nothing(database: Database, run: Run) -> None:
    queue = SqliteQueue(database)

    async def beat_twice() -> tuple[int, int]:
        await queue.put(new_request())
        lease = await anext(queue.leases(Step.RUN, MODELS, "a"))
        await queue.beat(lease, Progress(0.5, "rendering"))
        before = database.data_version()
        await queue.beat(lease, Progress(0.5, "rendering"))
        return before, database.data_version()

    before, after = run(beat_twice())

    assert before == after


def test_a_look_at_an_empty_queue_writes_nothing(database: Database, run: Run) -> None:
    queue = SqliteQueue(database, recover_every_s=0.0)

    async def look() -> tuple[int, int]:
        before = database.data_version()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(queue.leases(Step.RUN, MODELS, "a"))
        return before, database.data_version()

    before, after = run(look())

    assert before == after


# --------------------------------------------------------------------------------------------------- wake-ups


def bells_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-bells")


def test_a_watch_sees_what_another_connection_commits(path: Path, database: Database, run: Run) -> None:
    async def commit_while_watching() -> None:
        with database.watch() as watch:
            watching = asyncio.create_task(watch.change(20))
            await asyncio.sleep(0)
            other = Database(path)
            await SqliteQueue(other).put(new_request())
            other.close()
            assert await watching
            assert not await watch.change(0)

    run(commit_while_watching())


def test_a_commit_rings_the_bells_of_other_processes(path: Path, database: Database, run: Run) -> None:
    async def hear_a_commit() -> bool:
        with Bell(bells_of(path)) as bell:
            await SqliteQueue(database).put(new_request())
            return await bell.wait(20)

    assert run(hear_a_commit())


def test_a_bell_that_nobody_rings_is_not_heard(path: Path, database: Database, run: Run) -> None:
    async def hear_nothing() -> bool:
        with Bell(bells_of(path)) as bell:
            return await bell.wait(0.01)

    assert not run(hear_nothing())
    assert not list(bells_of(path).iterdir())


def test_the_bell_of_a_dead_watcher_is_taken_down(path: Path, database: Database, run: Run) -> None:
    os.mkfifo(bells_of(path) / "dead")

    run(SqliteQueue(database).put(new_request()))

    assert not list(bells_of(path).iterdir())


def test_a_bell_that_is_full_holds_nobody_up(path: Path, database: Database, run: Run) -> None:
    async def ring_too_often() -> bool:
        with Bell(bells_of(path)) as bell:
            for _ in range(70_000):
                ring(bells_of(path))
            return await bell.wait(20)

    assert run(ring_too_often())


def test_two_event_loops_use_one_database(database: Database) -> None:
    queue = SqliteQueue(database)
    requests = [new_request() for _ in range(200)]

    def put(mine: list[int]) -> None:
        async def put_mine() -> None:
            await asyncio.gather(*[queue.put(requests[index]) for index in mine])
            for index in mine:
                assert await queue.find(requests[index].id, OWNER) is not None

        asyncio.run(put_mine())

    threads = [threading.Thread(target=put, args=([*range(start, 200, 2)],)) for start in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(database.read("SELECT id FROM requests WHERE model = :model", {"model": MODEL})) == 200
