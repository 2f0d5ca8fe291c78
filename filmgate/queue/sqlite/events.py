"""What happened to requests, on SQLite: written in the transactions that change their states, read in that order."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Mapping, Sequence

from filmgate.domain.records import Progress, RequestStatus
from filmgate.domain.request import WAITING, AccountId, RequestId, State
from filmgate.domain.webhook import RequestEvent, event_id
from filmgate.queue.rows import MICROSECONDS, json_text, lines_from_json, seconds
from filmgate.queue.sqlite.database import Database
from filmgate.queue.sqlite.positions import Positions
from filmgate.queue.statements import FOLDER, named_statements

__all__ = ["EventWriter", "SqliteEvents", "event_of"]

IDLE_S = 1.0


class EventWriter:
    """Writes events, and their deliveries with them. Each call runs in the transaction that changed the state."""

    def __init__(self) -> None:
        self._sql = named_statements(FOLDER / "sqlite" / "events.sql")

    def write(self, tx: sqlite3.Connection, request_id: RequestId, attempt: int, state: State, now: int) -> None:
        request = {"id": request_id, "now": now}
        event = tx.execute(self._sql["add_event"], request | {"attempt": attempt, "state": state}).fetchone()
        of_event = request | {"seq": event["seq"]}
        if state in WAITING:
            tx.execute(self._sql["note_position"], of_event)
        if event["has_webhook"]:
            named = {"event_id": event_id(request_id, attempt, state)}
            tx.execute(self._sql["add_delivery"], of_event | named)
            tx.execute(self._sql["hurry"], of_event)

    def forget(self, tx: sqlite3.Connection, request_ids: Sequence[RequestId]) -> None:
        forgotten = {"ids": json_text(list(request_ids))}
        tx.execute(self._sql["forget_events"], forgotten)
        tx.execute(self._sql["forget_deliveries"], forgotten)


class SqliteEvents:
    """The port `Events`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = named_statements(FOLDER / "sqlite" / "events.sql")
        self._positions = Positions(database, named_statements(FOLDER / "sqlite" / "requests.sql"))

    async def of_account(self, account_id: AccountId, after: int, limit: int) -> Sequence[RequestEvent]:
        parameters = {"account": account_id, "after": after, "limit": limit}
        return [event_of(row) for row in self._database.read(self._sql["of_account"], parameters)]

    async def statuses(self, request_ids: Sequence[RequestId]) -> Mapping[RequestId, RequestStatus]:
        rows = self._database.read(self._sql["statuses"], {"ids": json_text(list(request_ids))})
        return {row["id"]: self._status(row) for row in rows}

    def _status(self, row: sqlite3.Row) -> RequestStatus:
        state = State(row["state"])
        return RequestStatus(
            id=row["id"],
            state=state,
            started_at=seconds(row["started_at"]),
            queue_position=self._positions.before((row["order_key"], row["seq"])) if state in WAITING else None,
            progress=Progress(row["progress"], row["stage"], lines_from_json(row["logs"]), row["preview"]),
        )

    async def changes(self, pause_s: float) -> AsyncGenerator[None]:
        with self._database.watch() as watch:
            while True:
                await watch.change(IDLE_S)
                yield
                await asyncio.sleep(pause_s)


def event_of(row: sqlite3.Row) -> RequestEvent:
    return RequestEvent(
        seq=row["seq"],
        request_id=row["request_id"],
        account_id=row["account"],
        attempt=row["attempt"],
        state=State(row["state"]),
        happened_at=row["happened_at"] / MICROSECONDS,
        queue_position=row["queue_position"],
    )
