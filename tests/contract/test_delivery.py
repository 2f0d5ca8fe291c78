"""A courier's work on webhooks: real database, real receiver on loopback, verified by the reference library."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import msgspec
import pytest
from standardwebhooks import Webhook as Verifier

from filmgate.courier.delivery import Deliverer
from filmgate.courier.post import Poster
from filmgate.domain.records import Step
from filmgate.domain.webhook import Delivery, DeliveryState, Webhook
from filmgate.service.replies import event_status, result_reply, status_reply
from filmgate.service.signing import Signing
from tests.contract.conftest import Run
from tests.contract.fetching import TRUST, http, redirect
from tests.contract.receiving import OK, Receiver, receiving, until
from tests.contract.stores import MODELS, OWNER, Place, new_account, new_request, success

BASE = "https://film.example"
GONE, BUSY = http(b"", "410 Gone"), http(b"", "500 Oh")
ASKED_TO_WAIT = http(b"", "503 Busy", "Retry-After: 3600")


@pytest.fixture
def signing(place: Place) -> Signing:
    place.clock.now = time.time()  # the reference library looks at the real clock
    return Signing(b"a master secret for tests", place.stores.secrets, place.clock)


@asynccontextmanager
async def courier(place: Place, signing: Signing) -> AsyncIterator[asyncio.Task[None]]:
    async with Poster(["127.0.0.1"], timeout_s=1, ssl_context=TRUST, clock=place.clock) as poster:
        stores = place.stores
        work = Deliverer(stores.outbox, stores.queue, poster, signing, "courier", clock=place.clock, chance=lambda: 0.5)
        task = asyncio.create_task(work.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])


async def finish(place: Place, receiver: Receiver, *, intermediate: bool = False, path: str = "") -> str:
    await place.stores.accounts.add_account(new_account())
    request = new_request(webhook=Webhook(receiver.url + path, intermediate, BASE))
    await place.stores.queue.put(request)
    async with aclosing(place.stores.queue.leases(Step.RUN, MODELS, "worker")) as leases:
        lease = await anext(leases)
    assert await place.stores.queue.settle(lease, success())
    return request.id


async def log(place: Place) -> Sequence[Delivery]:
    return await place.stores.outbox.deliveries(OWNER)


async def settled(place: Place, tries: int = 1) -> Delivery:
    """The latest delivery, once it was tried this often."""
    async with asyncio.timeout(10):
        while True:
            found = await log(place)
            if found and len(found[0].tries) >= tries:
                return found[0]
            await asyncio.sleep(0.005)


def test_start_and_end_arrive_in_order_signed_and_with_the_bodies_of_the_polls(
    place: Place, run: Run, signing: Signing
) -> None:
    async def scenario() -> tuple[Receiver, str | None]:
        secret = (await signing.replace_secret(OWNER)).text
        async with receiving(OK) as receiver:
            await finish(place, receiver, intermediate=True)
            async with courier(place, signing):
                await until(lambda: len(receiver.received) == 2)
        return receiver, secret

    receiver, secret = run(scenario())

    begun, ended = run(place.stores.events.of_account(OWNER, 0, 10))
    record = run(place.stores.queue.find(ended.request_id, OWNER))
    bodies = [
        msgspec.json.encode(status_reply(event_status(begun), BASE, begun.happened_at)),
        msgspec.json.encode(result_reply(record, BASE, include_cost=False)),
    ]
    assert [one.body for one in receiver.received] == bodies
    assert [json.loads(body)["status"] for body in bodies] == ["in_progress", "succeeded"]
    assert [one.headers["webhook-id"] for one in receiver.received] == [begun.id, ended.id]
    for one in receiver.received:
        Verifier(secret or "").verify(one.body, one.headers)


@pytest.mark.parametrize(
    ("answer", "delay_s"), [(BUSY, 5), (ASKED_TO_WAIT, 3600), (redirect("/elsewhere"), 5), (None, 5)]
)
def test_what_is_not_2xx_is_tried_again_later_under_the_same_id(
    place: Place, run: Run, signing: Signing, answer: bytes | None, delay_s: float
) -> None:
    async def scenario() -> tuple[Receiver, Delivery, Delivery]:
        async with receiving(answer, OK) as receiver, courier(place, signing):
            await finish(place, receiver)
            failed = await settled(place)
            place.clock.advance(delay_s + 1)
            return receiver, failed, await settled(place, tries=2)

    receiver, failed, delivered = run(scenario())

    assert failed.state is DeliveryState.PENDING
    assert failed.due_at is not None
    assert failed.due_at + 1 == pytest.approx(place.clock.now, abs=0.5)
    assert delivered.state is DeliveryState.DELIVERED
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_410_ends_deliveries_to_the_url(place: Place, run: Run, signing: Signing) -> None:
    async def scenario() -> tuple[Receiver, Sequence[Delivery]]:
        async with receiving(GONE) as receiver, courier(place, signing):
            await finish(place, receiver)
            await settled(place)
            await finish(place, receiver)
            await finish(place, receiver, path="/other")
            await until(lambda: len(receiver.received) == 2)
            return receiver, await log(place)

    receiver, found = run(scenario())

    assert [one.path for one in receiver.received] == ["/hook", "/hook/other"]
    assert [one.state for one in found[1:]] == [DeliveryState.DISABLED] * 2


def test_a_slow_receiver_holds_up_nobody_else(place: Place, run: Run, signing: Signing) -> None:
    async def scenario() -> None:
        async with receiving(None) as slow, receiving(OK) as quick:
            for _ in range(20):
                await finish(place, slow)
            await finish(place, quick)
            async with courier(place, signing):
                await until(lambda: quick.received)
                assert len(slow.received) <= 8

    run(scenario())


def test_a_courier_that_is_told_to_stop_hands_back_what_it_has_under_way(
    place: Place, run: Run, signing: Signing
) -> None:
    async def scenario() -> Receiver:
        async with receiving(None, OK) as receiver:
            await finish(place, receiver)
            async with courier(place, signing) as work:
                await until(lambda: len(receiver.received) == 1)
                work.cancel()
                await asyncio.wait([work])
            async with aclosing(place.stores.outbox.due("another", list)) as due:
                assert (await asyncio.wait_for(anext(due), 5)).tried == 0
        return receiver

    assert len(run(scenario()).received) == 1


def test_a_request_that_is_forgotten_is_told_no_more(place: Place, run: Run, signing: Signing) -> None:
    async def scenario() -> Receiver:
        async with receiving(BUSY) as receiver, courier(place, signing):
            request_id = await finish(place, receiver)
            await settled(place)
            await place.stores.queue.forget([request_id])
            place.clock.advance(60)
            other = await finish(place, receiver)
            await until(lambda: len(receiver.received) == 2)
            assert other in receiver.received[-1].body.decode()
        return receiver

    run(scenario())
    assert len(run(log(place))) == 1
