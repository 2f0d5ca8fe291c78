"""Deliveries to webhooks on SQLite: claimed when they are due, held by a lease, logged with every try."""

import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import msgspec

from filmgate.domain.errors import Unavailable
from filmgate.domain.request import AccountId, RequestId
from filmgate.domain.webhook import Delivery, DeliveryState, DueDelivery, Try, Verdict
from filmgate.queue.rows import MICROSECONDS, json_text, seconds
from filmgate.queue.sqlite.database import Database
from filmgate.queue.sqlite.events import event_of
from filmgate.queue.statements import FOLDER, named_statements

__all__ = ["SqliteOutbox"]

LEASE_S = 30.0
"""Twice what a try may take."""

IDLE_S = 1.0
KEPT_TRIES = 20
NO_LIMIT = 2**63 - 1

_TRIES = msgspec.json.Decoder(tuple[Try, ...])

logger = logging.getLogger(__name__)


class SqliteOutbox:
    """The port `Outbox`."""

    def __init__(self, database: Database, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._lease = round(lease_s * MICROSECONDS)
        self._sql = named_statements(FOLDER / "sqlite" / "outbox.sql")

    async def due(self, holder: str, full: Callable[[], Sequence[str]]) -> AsyncGenerator[DueDelivery]:
        """See the port. While the database cannot be written it waits."""
        released = False
        with self._database.watch() as watch:
            while True:
                claimed = None
                try:
                    if not released:
                        parameters = {"holder": holder, "now": self._database.now()}
                        await self._database.execute(self._sql["release_all"], parameters)
                        released = True
                    claimed = await self._claim(holder, json_text(list(full())))
                except Unavailable as error:
                    logger.warning("%s cannot claim deliveries: %s", holder, error.sentence)
                if claimed is not None:
                    yield claimed
                else:
                    await watch.change(IDLE_S)

    async def _claim(self, holder: str, full: str) -> DueDelivery | None:
        # A look costs microseconds and no lock, so only a delivery that is due makes a claimer write.
        if not self._database.read(self._sql["any_due"], {"now": self._database.now(), "full": full}):
            return None
        # Not durable: what loses a claim, a power cut, takes its holder too, and then the delivery is due again.
        return await self._database.write(lambda tx: self._claim_in(tx, holder, full), durable=False)

    def _claim_in(self, tx: sqlite3.Connection, holder: str, full: str) -> DueDelivery | None:
        now = self._database.now()
        parameters = {"holder": holder, "now": now, "full": full, "lease_ends_at": now + self._lease}
        claimed = tx.execute(self._sql["claim"], parameters).fetchone()
        if claimed is None:
            return None
        row = tx.execute(self._sql["by_seq"], {"seq": claimed["seq"]}).fetchone()
        return DueDelivery(event_of(row), row["url"], row["host"], row["base_url"], row["claim"], row["tried"])

    async def settle(self, due: DueDelivery, tried: Try, verdict: Verdict) -> bool:
        return await self._database.write(lambda tx: self._settle_in(tx, due, tried, verdict))

    def _settle_in(self, tx: sqlite3.Connection, due: DueDelivery, tried: Try, verdict: Verdict) -> bool:
        now = self._database.now()
        row = tx.execute(self._sql["by_seq"], {"seq": due.event.seq}).fetchone()
        if row is None:
            return False
        settled = {
            "seq": due.event.seq,
            "claim": due.claim,
            "state": verdict.state,
            "due_at": now + round(verdict.delay_s * MICROSECONDS),
            "tries": json_text([*_TRIES.decode(row["tries"]), tried][-KEPT_TRIES:]),
        }
        if tx.execute(self._sql["settle"], settled).rowcount != 1:
            return False
        if verdict.state is DeliveryState.DISABLED:
            endpoint = {"account": due.event.account_id, "url": due.url}
            tx.execute(self._sql["switch_off"], endpoint | {"now": now})
            tx.execute(self._sql["disable"], endpoint)
        return True

    async def release(self, due: DueDelivery) -> None:
        parameters = {"seq": due.event.seq, "claim": due.claim, "now": self._database.now()}
        await self._database.execute(self._sql["release"], parameters)

    async def deliveries(
        self,
        account_id: AccountId,
        *,
        request_id: RequestId | None = None,
        state: DeliveryState | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        parameters = {
            "account": account_id,
            "request_id": request_id,
            "state": state,
            "before": NO_LIMIT if before is None else before,
            "limit": limit,
        }
        return [_delivery(row) for row in self._database.read(self._sql["log"], parameters)]

    async def resend(self, account_id: AccountId, event_id: str) -> Delivery | None:
        named = {"account": account_id, "event_id": event_id}
        return await self._database.write(lambda tx: self._resend_in(tx, named))

    def _resend_in(self, tx: sqlite3.Connection, named: dict[str, Any]) -> Delivery | None:
        row = tx.execute(self._sql["by_event_id"], named).fetchone()
        if row is None:
            return None
        tx.execute(self._sql["switch_on"], {"account": row["account"], "url": row["url"]})
        tx.execute(self._sql["resend"], named | {"now": self._database.now()})
        return _delivery(tx.execute(self._sql["by_event_id"], named).fetchone())

    async def switched_off(self, account_id: AccountId, url: str) -> float | None:
        rows = self._database.read(self._sql["switched_off"], {"account": account_id, "url": url})
        return seconds(rows[0]["since"]) if rows else None


def _delivery(row: sqlite3.Row) -> Delivery:
    state = DeliveryState(row["delivery_state"])
    return Delivery(
        event=event_of(row),
        url=row["url"],
        state=state,
        due_at=seconds(row["due_at"]) if state is DeliveryState.PENDING else None,
        tries=_TRIES.decode(row["tries"]),
    )
