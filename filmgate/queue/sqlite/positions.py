"""How many requests come before a waiting one, cheaply however many wait.

Counting is 0.07 µs for each that comes before: nothing near the head, 7 ms behind 100,000, and every waiting caller
asks every few seconds. So the head of the queue is counted afresh each time; behind it a count goes on from the nearest
one made in the last second, and is that much old.
"""

import time
from bisect import bisect_left
from collections.abc import Mapping

from filmgate.queue.sqlite.database import Database
from filmgate.queue.statements import Statement

__all__ = ["Positions"]

ALWAYS_EXACT = 256
KEPT_S = 1.0

Order = tuple[int, int]


class Positions:
    """Counts the waiting requests before an order, which is (order_key, seq)."""

    def __init__(self, database: Database, statements: Mapping[str, Statement]) -> None:
        self._database = database
        self._sql = statements
        self._counted: list[tuple[Order, int]] = []
        self._counted_since = 0.0

    def before(self, order: Order) -> int:
        near = self._near(order)
        return near if near < ALWAYS_EXACT else self._far(order)

    def _far(self, order: Order) -> int:
        now = time.monotonic()
        if now - self._counted_since >= KEPT_S:
            self._counted = [(self._head() or order, 0)]
            self._counted_since = now
        place = bisect_left(self._counted, order, key=lambda counted: counted[0])
        neighbours = self._counted[max(0, place - 1) : place + 1]
        # Keys grow with the time of submit, so the nearest key has the fewest requests between.
        nearest, count = min(neighbours, key=lambda counted: abs(counted[0][0] - order[0]))
        if nearest < order:
            count += self._between(nearest, order)
        elif nearest > order:
            count -= self._between(order, nearest)
        if nearest != order:
            self._counted.insert(place, (order, count))
        return count

    def _near(self, order: Order) -> int:
        parameters = {"order_key": order[0], "seq": order[1], "limit": ALWAYS_EXACT}
        return int(self._database.read(self._sql["waiting_first"], parameters)[0][0])

    def _head(self) -> Order | None:
        rows = self._database.read(self._sql["waiting_head"], {})
        return (rows[0]["order_key"], rows[0]["seq"]) if rows else None

    def _between(self, start: Order, end: Order) -> int:
        parameters = {"from_order_key": start[0], "from_seq": start[1], "order_key": end[0], "seq": end[1]}
        return int(self._database.read(self._sql["waiting_between"], parameters)[0][0])
