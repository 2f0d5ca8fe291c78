"""Events and deliveries: written with the state they tell of, claimed by one, in order, forgotten with the request."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

import pytest

from filmgate.domain.records import Failed, Frozen, HandedBack, Lease, NewRequest, Outcome, Step, Stopped
from filmgate.domain.request import RequestId, State
from filmgate.domain.webhook import Delivery, DeliveryState, DueDelivery, RequestEvent, Try, Verdict, Webhook
from tests.contract.conftest import Run
from tests.contract.stores import FROZEN, MODELS, OWNER, STRANGER, TO_FETCH, Place, new_account, new_request, success

HOOK = Webhook("https://receiver.example/hook?a=b", intermediate=True, base_url="https://film.example")
ENDS_ONLY = replace(HOOK, intermediate=False)
LEASE_S = 30
OK = Try(at=1.0, duration_s=0.1, status=200)
BUSY = Try(at=1.0, duration_s=0.1, status=503, retry_after_s=7.0)
DELIVERED, LATER = Verdict(DeliveryState.DELIVERED), Verdict(DeliveryState.PENDING, delay_s=60)


async def put(place: Place, request: NewRequest) -> RequestId:
    await place.stores.accounts.add_account(new_account())
    await place.stores.queue.put(request)
    return request.id


async def lease(place: Place, step: Step = Step.RUN) -> Lease:
    async with aclosing(place.stores.queue.leases(step, MODELS, f"the {step}er")) as leases:
        return await anext(leases)


async def run_to(place: Place, outcome: Outcome, webhook: Webhook | None = HOOK) -> RequestId:
    request_id = await put(place, new_request(webhook=webhook))
    assert await place.stores.queue.settle(await lease(place), outcome)
    return request_id


async def claim(place: Place, holder: str = "courier", full: Sequence[str] = ()) -> DueDelivery:
    async with aclosing(place.stores.outbox.due(holder, lambda: full)) as due:
        return await asyncio.wait_for(anext(due), 5)


async def nothing_due(place: Place, full: Sequence[str] = ()) -> bool:
    async with aclosing(place.stores.outbox.due("somebody else", lambda: full)) as due:
        try:
            await asyncio.wait_for(anext(due), 0.05)
        except TimeoutError:
            return True
    return False


def events(run: Run, place: Place, after: int = 0) -> Sequence[RequestEvent]:
    return run(place.stores.events.of_account(OWNER, after, 100))


def log(run: Run, place: Place) -> Sequence[Delivery]:
    return run(place.stores.outbox.deliveries(OWNER))


# ------------------------------------------------------------------------------------------------------------ events


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (success(), State.SUCCEEDED),
        (Failed("engine_failed", "No."), State.FAILED),
        (Stopped(), State.CANCELLED),
    ],
)
def test_every_end_is_an_event_and_a_due_delivery(place: Place, run: Run, outcome: Outcome, state: State) -> None:
    request_id = run(run_to(place, outcome, ENDS_ONLY))

    (event,) = events(run, place)
    (delivery,) = log(run, place)
    assert (event.request_id, event.state, event.kind) == (request_id, state, "result")
    assert (delivery.event, delivery.state, delivery.url) == (event, DeliveryState.PENDING, HOOK.url)


def test_a_request_that_is_cancelled_while_it_waits_is_told_too(place: Place, run: Run) -> None:
    request_id = run(put(place, new_request(webhook=ENDS_ONLY)))

    run(place.stores.queue.cancel(request_id, OWNER, force=False))

    assert [event.state for event in events(run, place)] == [State.CANCELLED]
    assert len(log(run, place)) == 1


def test_a_request_that_loses_its_last_worker_is_told_too(place: Place, run: Run) -> None:
    run(put(place, new_request(webhook=ENDS_ONLY)))

    for _ in range(3):
        run(place.stores.queue.settle(run(lease(place)), HandedBack("it broke", counted=True)))

    assert [event.state for event in events(run, place)] == [State.FAILED]


def test_starts_of_work_are_told_to_who_asked_for_them(place: Place, run: Run) -> None:
    run(put(place, new_request()))
    run(put(place, new_request(TO_FETCH, webhook=HOOK)))

    fetching = run(lease(place, Step.FETCH))
    run(place.stores.queue.settle(fetching, Frozen(FROZEN)))
    run(place.stores.queue.settle(run(lease(place)), success()))
    run(place.stores.queue.settle(run(lease(place)), success()))

    assert [
        (event.state, event.queue_position) for event in events(run, place) if event.request_id == fetching.request_id
    ] == [
        (State.FETCHING, 1),
        (State.RUNNING, None),
        (State.SUCCEEDED, None),
    ]
    assert len(events(run, place)) == 4
    assert len(log(run, place)) == 3


def test_without_a_webhook_ends_are_events_and_nothing_is_delivered(place: Place, run: Run) -> None:
    run(run_to(place, success(), webhook=None))

    assert [event.state for event in events(run, place)] == [State.SUCCEEDED]
    assert log(run, place) == []


def test_a_late_closing_writes_no_event(place: Place, run: Run) -> None:
    run(put(place, new_request(webhook=HOOK)))
    lost = run(lease(place))
    place.clock.advance(LEASE_S + 1)
    run(place.stores.queue.recover())

    assert not run(place.stores.queue.settle(lost, success()))
    assert [event.state for event in events(run, place)] == [State.RUNNING]


def test_events_are_read_in_order_from_any_place_and_only_by_their_account(place: Place, run: Run) -> None:
    ids = [run(run_to(place, success(), webhook=None)) for _ in range(3)]

    first, second, third = events(run, place)

    assert [first.request_id, second.request_id, third.request_id] == ids
    assert events(run, place, after=first.seq) == [second, third]
    assert events(run, place, after=third.seq) == []
    assert run(place.stores.events.of_account(STRANGER, 0, 100)) == []


# ------------------------------------------------------------------------------------------------------------ claims


def test_a_delivery_is_claimed_by_one_until_its_lease_ends(place: Place, run: Run) -> None:
    run(run_to(place, success(), ENDS_ONLY))

    first = run(claim(place))

    assert run(nothing_due(place))
    place.clock.advance(LEASE_S + 1)
    second = run(claim(place, "another courier"))
    assert second.event == first.event
    assert not run(place.stores.outbox.settle(first, OK, DELIVERED))
    assert run(place.stores.outbox.settle(second, OK, DELIVERED))
    assert [one.state for one in log(run, place)] == [DeliveryState.DELIVERED]


def test_of_many_couriers_each_delivery_has_one(place: Place, run: Run) -> None:
    for _ in range(20):
        run(run_to(place, success(), ENDS_ONLY))

    async def all_at_once() -> list[DueDelivery]:
        return await asyncio.gather(*(claim(place, f"courier-{number}") for number in range(20)))

    assert len({due.event.id for due in run(all_at_once())}) == 20
    assert run(nothing_due(place))


def test_a_courier_that_was_killed_finds_what_it_held_due_again(place: Place, run: Run) -> None:
    run(run_to(place, success(), ENDS_ONLY))
    before = run(claim(place, "courier"))

    place.restart()

    again = run(claim(place, "courier"))
    assert again.event.id == before.event.id
    assert again.claim == before.claim + 1


def test_a_released_delivery_is_due_at_once_and_counts_no_try(place: Place, run: Run) -> None:
    run(run_to(place, success(), ENDS_ONLY))

    run(place.stores.outbox.release(run(claim(place))))

    assert run(claim(place, "another courier")).tried == 0


def test_a_failed_try_is_due_again_after_its_delay_and_stays_in_the_log(place: Place, run: Run) -> None:
    run(run_to(place, success(), ENDS_ONLY))

    assert run(place.stores.outbox.settle(run(claim(place)), BUSY, LATER))

    assert run(nothing_due(place))
    place.clock.advance(61)
    again = run(claim(place))
    assert again.tried == 1
    run(place.stores.outbox.settle(again, OK, DELIVERED))
    assert [one.tries for one in log(run, place)] == [(BUSY, OK)]


def test_hosts_that_are_full_get_no_more_for_now(place: Place, run: Run) -> None:
    run(run_to(place, success(), ENDS_ONLY))
    run(run_to(place, success(), replace(ENDS_ONLY, url="https://other.example/")))

    assert run(claim(place, full=["receiver.example"])).host == "other.example"
    assert run(nothing_due(place, full=["receiver.example"]))
    assert run(claim(place, "another courier")).host == "receiver.example"


# ------------------------------------------------------------------------------------------------------------- order


def test_an_end_waits_for_the_start_before_it(place: Place, run: Run) -> None:
    run(run_to(place, success()))

    start = run(claim(place))

    assert start.event.kind == "status"
    assert run(nothing_due(place))
    run(place.stores.outbox.settle(start, OK, DELIVERED))
    assert run(claim(place)).event.kind == "result"


def test_a_start_that_failed_is_tried_once_more_at_the_end_and_then_overtaken(place: Place, run: Run) -> None:
    run(put(place, new_request(webhook=HOOK)))
    held = run(lease(place))
    run(place.stores.outbox.settle(run(claim(place)), BUSY, LATER))
    assert run(nothing_due(place))

    run(place.stores.queue.settle(held, success()))

    start = run(claim(place))
    assert start.event.kind == "status"
    run(place.stores.outbox.settle(start, BUSY, LATER))
    assert run(claim(place)).event.kind == "result"
    assert [one.state for one in log(run, place)] == [DeliveryState.PENDING, DeliveryState.OVERTAKEN]


# ------------------------------------------------------------------------------------------------- log, 410, resend


def test_410_takes_the_url_out_of_use_for_the_account_until_one_is_sent_again(place: Place, run: Run) -> None:
    for _ in range(2):
        run(run_to(place, success(), ENDS_ONLY))
    gone = Try(at=1.0, duration_s=0.1, status=410)

    run(place.stores.outbox.settle(run(claim(place)), gone, Verdict(DeliveryState.DISABLED)))
    later = run(run_to(place, success(), ENDS_ONLY))
    run(run_to(place, success(), replace(ENDS_ONLY, url="https://receiver.example/other")))

    states = [one.state for one in log(run, place)]
    assert states == [DeliveryState.PENDING, *[DeliveryState.DISABLED] * 3]
    assert run(place.stores.outbox.switched_off(OWNER, HOOK.url)) is not None
    assert run(place.stores.outbox.switched_off(STRANGER, HOOK.url)) is None
    resent = run(place.stores.outbox.resend(OWNER, f"evt_{later}_1_result"))
    assert resent is not None
    assert resent.state is DeliveryState.PENDING
    assert run(place.stores.outbox.switched_off(OWNER, HOOK.url)) is None


def test_a_delivery_that_is_sent_again_has_the_same_id_and_all_its_tries(place: Place, run: Run) -> None:
    run(run_to(place, success(), ENDS_ONLY))
    first = run(claim(place))
    run(place.stores.outbox.settle(first, BUSY, Verdict(DeliveryState.FAILED)))
    assert run(nothing_due(place))

    run(place.stores.outbox.resend(OWNER, first.event.id))

    again = run(claim(place))
    assert (again.event.id, again.tried) == (first.event.id, 0)
    assert [one.tries for one in log(run, place)] == [(BUSY,)]


def test_another_accounts_delivery_cannot_be_sent_again(place: Place, run: Run) -> None:
    run(run_to(place, success(), ENDS_ONLY))
    run(place.stores.outbox.settle(run(claim(place)), OK, DELIVERED))

    assert run(place.stores.outbox.resend(STRANGER, events(run, place)[0].id)) is None
    assert run(nothing_due(place))


def test_the_log_is_filtered_and_paged_latest_first(place: Place, run: Run) -> None:
    ids = [run(run_to(place, success(), ENDS_ONLY)) for _ in range(3)]
    run(place.stores.outbox.settle(run(claim(place)), OK, DELIVERED))
    outbox = place.stores.outbox

    newest = run(outbox.deliveries(OWNER, limit=1))
    older = run(outbox.deliveries(OWNER, before=newest[-1].event.seq))

    assert [one.event.request_id for one in [*newest, *older]] == ids[::-1]
    assert [one.event.request_id for one in run(outbox.deliveries(OWNER, request_id=ids[1]))] == [ids[1]]
    delivered = run(outbox.deliveries(OWNER, state=DeliveryState.DELIVERED))
    assert [one.event.request_id for one in delivered] == [ids[0]]
    assert run(outbox.deliveries(STRANGER)) == []


def test_events_and_deliveries_go_with_their_request_and_numbers_are_not_given_twice(place: Place, run: Run) -> None:
    request_id = run(run_to(place, success()))
    last = events(run, place)[-1].seq

    run(place.stores.queue.forget([request_id]))

    assert (events(run, place), log(run, place)) == ([], [])
    run(run_to(place, success()))
    assert events(run, place)[0].seq > last


# -------------------------------------------------------------------------------------------------------------- live


def test_statuses_of_many_requests_are_read_in_one_look(place: Place, run: Run) -> None:
    running, waiting = (run(put(place, new_request())) for _ in range(2))
    run(lease(place))

    statuses = run(place.stores.events.statuses([running, waiting, RequestId("gone")]))

    assert statuses == {
        request_id: run(place.stores.queue.status(request_id, OWNER)) for request_id in (running, waiting)
    }


def test_a_commit_is_noticed(place: Place, run: Run) -> None:
    async def scenario() -> None:
        async with aclosing(place.stores.events.changes(0.0)) as changes:
            noticed = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            await put(place, new_request())
            await asyncio.wait_for(noticed, 5)

    run(scenario())
