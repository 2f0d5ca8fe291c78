"""Delivery: tells webhooks what happened to requests, until they answer that they know.

The bodies are those of the two polls: an end is told as `/result` tells it, a start of work as `/status` did then. A
courier that is killed between the POST and writing down how it went leaves a claim that lapses, and the delivery is
made again under the same id: at least once, never "perhaps".
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing

import msgspec

from filmgate.courier.post import Poster
from filmgate.domain.errors import Unavailable
from filmgate.domain.ports import Outbox, Queue
from filmgate.domain.webhook import DeliveryState, DueDelivery, Verdict, verdict_of
from filmgate.service.replies import event_status, result_reply, status_reply
from filmgate.service.signing import Signing

__all__ = ["Deliverer"]

AT_ONCE = 64
"""Deliveries under way at the same time, and how many of them to one host: a slow receiver holds up only its own."""
AT_ONCE_PER_HOST = 8

logger = logging.getLogger(__name__)


class Deliverer:
    """One courier's work on webhooks."""

    def __init__(
        self,
        outbox: Outbox,
        queue: Queue,
        poster: Poster,
        signing: Signing,
        holder: str,
        *,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._queue = queue
        self._poster = poster
        self._signing = signing
        self._holder = holder
        self._clock = clock
        self._chance = chance
        self._places = asyncio.Semaphore(AT_ONCE)
        self._under_way: Counter[str] = Counter()

    async def run(self) -> None:
        """Works until it is cancelled; what it holds then is handed back at once."""
        due = self._outbox.due(self._holder, self._full)
        async with asyncio.TaskGroup() as tasks, aclosing(due):
            await self._places.acquire()
            async for delivery in due:
                self._under_way[delivery.host] += 1
                tasks.create_task(self._hold(delivery))
                await self._places.acquire()

    def _full(self) -> list[str]:
        return [host for host, count in self._under_way.items() if count >= AT_ONCE_PER_HOST]

    async def _hold(self, due: DueDelivery) -> None:
        try:
            await self.deliver(due)
        except asyncio.CancelledError:
            await self._outbox.release(due)
            raise
        except Unavailable as error:
            logger.warning("how event %s was delivered cannot be kept now: %s", due.event.id, error.sentence)
        except Exception as error:  # the outermost handler of a delivery: the courier goes on, the claim lapses
            logger.error("event %s could not be delivered", due.event.id, exc_info=error)
        finally:
            self._under_way[due.host] -= 1
            self._under_way += Counter()  # drops hosts with none
            self._places.release()

    async def deliver(self, due: DueDelivery) -> None:
        """One try."""
        body = await self._body(due)
        if body is None:
            return
        timestamp = int(self._clock())
        headers = {
            "webhook-id": due.event.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": await self._signing.signatures(due.event.account_id, due.event.id, timestamp, body),
        }
        tried = await self._poster.post(due.url, body, headers)
        verdict = verdict_of(due.tried, tried, self._chance())
        written = await self._outbox.settle(due, tried, verdict)
        _log(due, verdict, written=written)

    async def _body(self, due: DueDelivery) -> bytes | None:
        """None when the request was forgotten meanwhile, and its deliveries with it."""
        event = due.event
        if event.kind == "status":
            return msgspec.json.encode(status_reply(event_status(event), due.base_url, event.happened_at))
        record = await self._queue.find(event.request_id, event.account_id)
        if record is None:
            return None
        return msgspec.json.encode(result_reply(record, due.base_url, include_cost=False))


def _log(due: DueDelivery, verdict: Verdict, *, written: bool) -> None:
    if not written:
        logger.warning("event %s was delivered too late to count; another courier has it", due.event.id)
    elif verdict.state in (DeliveryState.FAILED, DeliveryState.DISABLED):
        logger.warning("event %s of account %s is %s", due.event.id, due.event.account_id, verdict.state)
