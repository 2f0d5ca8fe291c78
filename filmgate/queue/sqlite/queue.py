"""The queue on SQLite: the table of requests itself, claimed in order, held by leases, woken by commits.

A lease ends 30 s after its last beat by the clock of the database's machine. A request whose lease ended goes back to
the state before for another attempt, and fails after its third loss in the same step. Holders are never asked whether
they live: one that comes late finds that its attempt is no longer the request's.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress

from filmgate.domain.errors import Unavailable
from filmgate.domain.records import (
    Beat,
    Cancelled,
    Failed,
    HandedBack,
    Lease,
    NewRequest,
    Outcome,
    Progress,
    RequestRecord,
    RequestStatus,
    Step,
    Succeeded,
)
from filmgate.domain.request import TERMINAL, WAITING, AccountId, Event, RequestId, State, next_state
from filmgate.queue.rows import (
    MICROSECONDS,
    json_text,
    lines_from_json,
    media_from_json,
    media_to_json,
    outputs_from_json,
    seconds,
    values_from_json,
    webhook_from_json,
    webhook_to_json,
)
from filmgate.queue.sqlite.closing import Closing
from filmgate.queue.sqlite.database import LOOK_S, Database
from filmgate.queue.sqlite.events import EventWriter
from filmgate.queue.sqlite.positions import Positions
from filmgate.queue.statements import FOLDER, named_statements

__all__ = ["SqliteQueue"]

LEASE_S = 30
RECOVER_EVERY_S = 2.0
LOG_LINES = 100

_HELD = {Step.FETCH: State.FETCHING, Step.RUN: State.RUNNING}

_EXPIRED = HandedBack("it was not heard of for too long", counted=True)
_REPLACED = HandedBack("it ended and was started anew", counted=True)
_NOBODY_TOOK_IT = HandedBack("it stopped before it began", counted=False)

logger = logging.getLogger(__name__)


class SqliteQueue:
    """The port `Queue`. `lease_s` is how long a silent holder keeps its request."""

    def __init__(self, database: Database, lease_s: float = LEASE_S, recover_every_s: float = RECOVER_EVERY_S) -> None:
        self._database = database
        self._lease = round(lease_s * MICROSECONDS)
        self._recover_every_s = recover_every_s
        self._sql = named_statements(FOLDER / "sqlite" / "requests.sql")
        self._events = EventWriter()
        self._closing = Closing(self._sql, self._events)
        self._positions = Positions(database, self._sql)

    async def put(self, request: NewRequest) -> None:
        """Stores the request; the same id a second time changes nothing."""
        to_fetch = any(one.url is not None for one in request.media)
        now = self._database.now()
        row = (
            request.id,
            request.account_id,
            request.model_id,
            State.ACCEPTED if to_fetch else State.READY,
            now,
            json_text(request.values),
            media_to_json(request.media),
            json_text(request.warnings),
            request.seed,
            now,
            None if to_fetch else now,
            webhook_to_json(request.webhook),
        )
        await self._database.append(self._sql["put"], row)

    # ------------------------------------------------------------------------------------------------- claiming

    async def leases(self, step: Step, models: Sequence[str], holder: str) -> AsyncGenerator[Lease]:
        """See the port. While the database cannot be written it waits; recovers expired leases as it goes."""
        served = json_text(list(models))
        released = False
        recover_at = 0.0
        with self._database.watch() as watch:
            while True:
                lease = None
                try:
                    if not released:
                        await self._release(step, holder)
                        released = True
                    if time.monotonic() >= recover_at:
                        await self.recover()
                        recover_at = time.monotonic() + self._recover_every_s
                    lease = await self._claim(step, served, holder)
                except Unavailable as error:
                    logger.warning("%s cannot claim: %s", holder, error.sentence)
                    await asyncio.sleep(error.retry_after_s)
                    continue
                if lease is not None:
                    yield lease
                else:
                    await watch.change(max(LOOK_S, recover_at - time.monotonic()))

    async def _claim(self, step: Step, served: str, holder: str) -> Lease | None:
        # A look costs microseconds and no lock, so only a request that waits makes a claimer write.
        if not self._database.read(self._sql[f"any_to_{step}"], {"models": served}):
            return None
        # Not durable: what loses a claim, a power cut, takes its holder too, and then the request waits again.
        claim = asyncio.ensure_future(
            self._database.write(lambda tx: self._claim_in(tx, step, served, holder), durable=False)
        )
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            # The claim is under way and nobody will hold what it brings: give it back rather than let it expire.
            with suppress(Unavailable):
                if (lease := await claim) is not None:
                    await self.settle(lease, _NOBODY_TOOK_IT)
            raise

    def _claim_in(self, tx: sqlite3.Connection, step: Step, served: str, holder: str) -> Lease | None:
        now = self._database.now()
        parameters = {"models": served, "holder": holder, "now": now, "lease_ends_at": now + self._lease}
        row = tx.execute(self._sql[f"claim_{step}"], parameters).fetchone()
        if row is None:
            return None
        if (webhook := webhook_from_json(row["webhook"])) is not None and webhook.intermediate:
            self._events.write(tx, row["id"], row["attempt"], State(row["state"]), now)
        return _lease(row)

    async def _release(self, step: Step, holder: str) -> None:
        parameters = {"state": _HELD[step], "holder": holder}
        if self._database.read(self._sql["of_holder"], parameters):
            await self._database.write(lambda tx: self._lose_all(tx, "of_holder", parameters, _REPLACED))

    async def recover(self) -> int:
        parameters = {"now": self._database.now()}
        if not self._database.read(self._sql["expired"], parameters):
            return 0
        return await self._database.write(lambda tx: self._lose_all(tx, "expired", parameters, _EXPIRED))

    async def outdated(self, before: float, limit: int) -> Sequence[RequestId]:
        parameters = {"before": round(before * MICROSECONDS), "limit": limit}
        return [row["id"] for row in self._database.read(self._sql["outdated"], parameters)]

    async def forget(self, request_ids: Sequence[RequestId]) -> None:
        await self._database.write(lambda tx: self._forget_in(tx, request_ids))

    def _forget_in(self, tx: sqlite3.Connection, request_ids: Sequence[RequestId]) -> None:
        tx.execute(self._sql["forget"], {"ids": json_text(list(request_ids))})
        self._events.forget(tx, request_ids)

    def _lose_all(
        self, tx: sqlite3.Connection, which: str, parameters: Mapping[str, str | int], loss: HandedBack
    ) -> int:
        now = self._database.now()
        return sum(
            self._closing.lose(tx, row, loss, now) for row in tx.execute(self._sql[which], parameters).fetchall()
        )

    # -------------------------------------------------------------------------------------------------- holding

    async def beat(self, lease: Lease, progress: Progress) -> Beat:
        held = {"id": lease.request_id, "attempt": lease.attempt, "state": lease.state}
        rows = self._database.read(self._sql["held"], held)
        if not rows:
            return Beat.LOST
        row = rows[0]
        logs = json_text(progress.logs[-LOG_LINES:])
        told = (progress.fraction, progress.stage, logs, progress.preview)
        shown = (row["progress"], row["stage"], row["logs"], row["preview"]) == told
        now = self._database.now()
        if shown and row["lease_ends_at"] - now > self._lease * 2 // 3:
            return Beat.STOP if row["stop_requested"] else Beat.GO_ON
        beat = {
            "lease_ends_at": now + self._lease,
            "progress": progress.fraction,
            "stage": progress.stage,
            "logs": logs,
            "preview": progress.preview,
        }
        written = await self._database.write(lambda tx: tx.execute(self._sql["beat"], held | beat).fetchone())
        if written is None:
            return Beat.LOST
        return Beat.STOP if written["stop_requested"] else Beat.GO_ON

    async def settle(self, lease: Lease, outcome: Outcome) -> bool:
        """Raises ValueError for an outcome that the lease's state cannot have: a program's mistake, not a lost race."""
        return await self._database.write(lambda tx: self._closing.settle(tx, lease, outcome, self._database.now()))

    # --------------------------------------------------------------------------------------------------- callers

    async def cancel(self, request_id: RequestId, account_id: AccountId, *, force: bool) -> Cancelled | None:
        named = {"id": request_id, "account": account_id}
        rows = self._database.read(self._sql["of_account"], named)
        if not rows:
            return None
        state = State(rows[0]["state"])
        if state in TERMINAL:
            return Cancelled("not_cancellable", state)
        return await self._database.write(lambda tx: self._cancel_in(tx, named, force=force))

    def _cancel_in(self, tx: sqlite3.Connection, named: dict[str, str], *, force: bool) -> Cancelled | None:
        row = tx.execute(self._sql["of_account"], named).fetchone()
        if row is None:
            return None
        if (cancelled := self._closing.cancel(tx, row, self._database.now())) is not None:
            return Cancelled("cancelled", cancelled)
        state = State(row["state"])
        if not force or next_state(state, Event.STOPPED) is None:
            return Cancelled("not_cancellable", state)
        tx.execute(self._sql["request_stop"], {"id": row["id"], "attempt": row["attempt"], "state": state})
        return Cancelled("stopping", state)

    async def status(self, request_id: RequestId, account_id: AccountId) -> RequestStatus | None:
        rows = self._database.read(self._sql["status"], {"id": request_id, "account": account_id})
        if not rows:
            return None
        row = rows[0]
        return RequestStatus(
            id=row["id"],
            state=State(row["state"]),
            started_at=seconds(row["started_at"]),
            queue_position=self._position(row),
            progress=_progress(row),
        )

    async def find(self, request_id: RequestId, account_id: AccountId) -> RequestRecord | None:
        rows = self._database.read(self._sql["find"], {"id": request_id, "account": account_id})
        if not rows:
            return None
        return _record(rows[0], self._position(rows[0]))

    def _position(self, row: sqlite3.Row) -> int | None:
        return self._positions.before((row["order_key"], row["seq"])) if row["state"] in WAITING else None


def _lease(row: sqlite3.Row) -> Lease:
    return Lease(
        request_id=row["id"],
        attempt=row["attempt"],
        state=State(row["state"]),
        account_id=row["account"],
        model_id=row["model"],
        values=values_from_json(row["input_values"]),
        media=media_from_json(row["media"]),
        seed=row["seed"],
    )


def _record(row: sqlite3.Row, position: int | None) -> RequestRecord:
    return RequestRecord(
        id=row["id"],
        account_id=row["account"],
        model_id=row["model"],
        state=State(row["state"]),
        attempt=row["attempt"],
        created_at=row["created_at"] / MICROSECONDS,
        ready_at=seconds(row["ready_at"]),
        started_at=seconds(row["started_at"]),
        finished_at=seconds(row["finished_at"]),
        queue_position=position,
        progress=_progress(row),
        warnings=lines_from_json(row["warnings"]),
        seed=row["seed"],
        failure=_failure(row),
        success=_success(row),
    )


def _progress(row: sqlite3.Row) -> Progress:
    return Progress(row["progress"], row["stage"], lines_from_json(row["logs"]), row["preview"])


def _failure(row: sqlite3.Row) -> Failed | None:
    if row["failure_code"] is None:
        return None
    return Failed(row["failure_code"], row["failure_sentence"], bool(row["failure_retryable"]))


def _success(row: sqlite3.Row) -> Succeeded | None:
    if row["engine"] is None:
        return None
    return Succeeded(
        outputs=outputs_from_json(row["outputs"]),
        engine=row["engine"],
        engine_version=row["engine_version"],
        seed=row["seed_used"],
        actual_prompt=row["actual_prompt"],
        running_s=row["running_s"],
        storing_s=row["storing_s"],
        cost_microdollars=row["cost_microdollars"],
        served_by=row["served_by"],
        warnings=lines_from_json(row["engine_warnings"]),
        details=values_from_json(row["details"]),
    )
