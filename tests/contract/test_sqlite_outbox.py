"""What only SQLite promises of events and deliveries: one transaction, and plans that stay fast."""

import asyncio
import re
import sqlite3
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from filmgate.domain.records import Lease, Step
from filmgate.domain.request import State
from filmgate.domain.webhook import Webhook
from filmgate.queue.sqlite import Database, SqliteEvents, SqliteQueue
from filmgate.queue.statements import FOLDER, named_statements
from tests.contract.conftest import Run
from tests.contract.stores import MODELS, OWNER, Clock, new_request, success

HOOK = Webhook("https://receiver.example/", intermediate=False, base_url="https://film.example")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "filmgate.db"


async def run_one(queue: SqliteQueue) -> Lease:
    await queue.put(new_request(webhook=HOOK))
    async with aclosing(queue.leases(Step.RUN, MODELS, "worker")) as leases:
        return await asyncio.wait_for(anext(leases), 5)


@pytest.mark.parametrize("table", ["events", "deliveries"])
def test_a_closing_whose_telling_cannot_be_written_is_undone_whole(path: Path, run: Run, table: str) -> None:
    database = Database(path, Clock())
    queue = SqliteQueue(database)
    lease = run(run_one(queue))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no room'); END")

    with pytest.raises(sqlite3.IntegrityError, match="no room"):
        run(queue.settle(lease, success()))

    record = run(queue.find(lease.request_id, OWNER))
    assert record is not None
    assert record.state is State.RUNNING
    assert run(SqliteEvents(database).of_account(OWNER, 0, 10)) == []
    database.close()


@pytest.mark.parametrize(
    ("file", "name", "index"),
    [
        ("outbox", "any_due", "deliveries_due"),
        ("outbox", "claim", "deliveries_due"),
        ("outbox", "log", "deliveries_of_account"),
        ("events", "of_account", "events_of_account"),
        ("events", "hurry", "deliveries_of_request"),
        ("events", "forget_events", "events_of_request"),
        ("events", "forget_deliveries", "deliveries_of_request"),
    ],
)
def test_what_is_asked_often_is_found_by_an_index(path: Path, file: str, name: str, index: str) -> None:
    Database(path).close()
    statement = named_statements(FOLDER / "sqlite" / f"{file}.sql")[name]
    with closing(sqlite3.connect(path)) as connection:
        blanks = dict.fromkeys(re.findall(r":(\w+)", statement), "[]")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", blanks)]

    assert any(index in line for line in plan), plan
    assert not any(re.match(r"SCAN (?!served|json_each)\w+(?! USING)$", line) for line in plan), plan
