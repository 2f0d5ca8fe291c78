"""What every queue does with requests, claims, leases, outcomes and cancels."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from filmgate.domain.ports import Queue
from filmgate.domain.records import (
    Beat,
    Cancelled,
    Failed,
    Frozen,
    HandedBack,
    Input,
    Lease,
    NewRequest,
    Outcome,
    Progress,
    RequestRecord,
    Step,
    Stopped,
    Succeeded,
)
from filmgate.domain.request import MAX_LOSSES, RequestId, State
from tests.contract.conftest import Run
from tests.contract.stores import (
    FROZEN,
    LEASE_S,
    MODEL,
    MODELS,
    OTHER_MODEL,
    OWNER,
    STRANGER,
    TO_FETCH,
    Clock,
    Place,
    Stores,
    new_account,
    new_output,
    new_request,
    success,
)

PATIENCE_S = 20

REFUSED = Failed("input_rejected", "The picture is too small; send one of 360 px or more.", retryable=True)
CRASHED = HandedBack("the engine was killed", counted=True)
TOLD_TO_END = HandedBack("the worker was told to end", counted=False)


async def claim(queue: Queue, step: Step = Step.RUN, models: Iterable[str] = MODELS, holder: str = "a") -> Lease:
    async with asyncio.timeout(PATIENCE_S), aclosing(queue.leases(step, tuple(models), holder)) as leases:
        return await anext(leases)


@pytest.fixture
def queue(stores: Stores) -> Queue:
    return stores.queue


@pytest.fixture
def put(queue: Queue, run: Run) -> Callable[..., NewRequest]:
    def put_new(*args: Any, **kwargs: Any) -> NewRequest:
        request = new_request(*args, **kwargs)
        run(queue.put(request))
        return request

    return put_new


@pytest.fixture
def held(queue: Queue, run: Run, put: Callable[..., NewRequest]) -> Callable[[State], Lease]:
    """A new request that is held in this state, alone in the queue."""

    def hold(state: State) -> Lease:
        put(TO_FETCH if state is State.FETCHING else FROZEN)
        return run(claim(queue, Step.FETCH if state is State.FETCHING else Step.RUN))

    return hold


@pytest.fixture
def record(queue: Queue, run: Run) -> Callable[[RequestId], RequestRecord]:
    def look(request_id: RequestId) -> RequestRecord:
        found = run(queue.find(request_id, OWNER))
        assert found is not None
        return found

    return look


Put = Callable[..., NewRequest]
Held = Callable[[State], Lease]
Look = Callable[[RequestId], RequestRecord]

# ------------------------------------------------------------------------------------------------- put and find


def test_a_stored_request_is_told_as_it_was_put(put: Put, record: Look, clock: Clock) -> None:
    request = put()

    assert record(request.id) == RequestRecord(
        id=request.id,
        account_id=OWNER,
        model_id=MODEL,
        state=State.READY,
        attempt=0,
        created_at=clock.now,
        ready_at=clock.now,
        started_at=None,
        finished_at=None,
        queue_position=0,
        progress=Progress(),
        warnings=request.warnings,
        seed=request.seed,
        failure=None,
        success=None,
    )


def test_a_request_with_something_to_fetch_is_accepted_and_not_yet_ready(put: Put, record: Look) -> None:
    request = put(TO_FETCH)

    told = record(request.id)
    assert (told.state, told.ready_at) == (State.ACCEPTED, None)


def test_a_request_is_unknown_to_other_accounts(queue: Queue, run: Run, put: Put) -> None:
    request = put()

    assert run(queue.find(request.id, STRANGER)) is None
    assert run(queue.find(RequestId("0" * 32), OWNER)) is None


def test_a_request_put_twice_is_one_request(queue: Queue, run: Run, put: Put, record: Look) -> None:
    request = put()
    run(queue.settle(run(claim(queue)), success()))

    run(queue.put(request))

    assert record(request.id).state is State.SUCCEEDED


def test_a_stored_request_survives_a_restart(place: Place, run: Run, put: Put) -> None:
    request = put(TO_FETCH)

    found = run(place.restart().queue.find(request.id, OWNER))

    assert found is not None
    assert found.state is State.ACCEPTED


def test_position_counts_the_waiting_requests_before(queue: Queue, run: Run, put: Put, record: Look) -> None:
    first, second, third, fourth = put(), put(TO_FETCH, account=STRANGER), put(model=OTHER_MODEL), put()
    assert [record(one.id).queue_position for one in (first, third, fourth)] == [0, 2, 3]

    run(claim(queue))
    run(queue.cancel(third.id, OWNER, force=False))

    assert [record(one.id).queue_position for one in (first, third, fourth)] == [None, None, 1]
    assert second.account_id == STRANGER


def test_position_is_right_far_behind_too(queue: Queue, run: Run, clock: Clock, record: Look) -> None:
    requests = [new_request() for _ in range(1000)]

    async def put_all() -> None:
        for request in requests:
            clock.advance(0.001)
            await queue.put(request)

    run(put_all())

    for index in (999, 300, 700, 255, 256, 257, 301, 0, 998, 700, 699, 701):
        assert record(requests[index].id).queue_position == index


# ------------------------------------------------------------------------------------------------------ claiming


def test_a_lease_carries_all_that_its_holder_needs(queue: Queue, run: Run, put: Put) -> None:
    request = put(TO_FETCH)

    lease = run(claim(queue, Step.FETCH))

    assert lease == Lease(request.id, 1, State.FETCHING, OWNER, MODEL, request.values, TO_FETCH, request.seed)


def test_a_claimed_request_is_told_as_running(queue: Queue, run: Run, put: Put, record: Look, clock: Clock) -> None:
    request = put()
    clock.advance(5)

    lease = run(claim(queue))

    told = record(request.id)
    assert (lease.state, told.state, told.attempt) == (State.RUNNING, State.RUNNING, 1)
    assert (told.started_at, told.queue_position) == (clock.now, None)


def test_requests_are_claimed_in_the_order_of_submit(queue: Queue, run: Run, put: Put, clock: Clock) -> None:
    requests = [put(model=MODEL), put(model=OTHER_MODEL), put(model=MODEL)]
    clock.advance(1)
    requests.append(put(model=OTHER_MODEL))

    claimed = [run(claim(queue, holder=str(number))).request_id for number in range(4)]

    assert claimed == [request.id for request in requests]


def test_only_requests_of_the_step_and_the_models_are_claimed(queue: Queue, run: Run, put: Put) -> None:
    put(TO_FETCH)
    put(TO_FETCH, model=OTHER_MODEL)
    put()
    wanted = put(model=OTHER_MODEL)

    assert run(claim(queue, Step.RUN, [OTHER_MODEL, "acme/unheard/of"])).request_id == wanted.id


def test_no_request_is_claimed_twice(queue: Queue, run: Run, put: Put) -> None:
    requests = [put() for _ in range(40)]

    async def claim_all() -> list[RequestId]:
        async def claim_some(holder: str) -> list[RequestId]:
            async with aclosing(queue.leases(Step.RUN, MODELS, holder)) as leases:
                return [(await anext(leases)).request_id for _ in range(5)]

        async with asyncio.timeout(PATIENCE_S):
            lots = await asyncio.gather(*[claim_some(str(number)) for number in range(8)])
        return [request_id for lot in lots for request_id in lot]

    assert sorted(run(claim_all())) == sorted(request.id for request in requests)


def test_a_waiting_claimer_wakes_when_a_request_comes(queue: Queue, run: Run) -> None:
    request = new_request()

    async def put_while_waiting() -> Lease:
        waiting = asyncio.create_task(claim(queue))
        await asyncio.sleep(0)
        await queue.put(request)
        return await waiting

    assert run(put_while_waiting()).request_id == request.id


def test_a_claimer_that_is_cancelled_holds_nothing_afterwards(queue: Queue, run: Run, record: Look) -> None:
    async def claim_and_cancel(turns: int) -> RequestId:
        request = new_request()
        await queue.put(request)
        claiming = asyncio.create_task(claim(queue))
        for _ in range(turns):
            await asyncio.sleep(0)
        claiming.cancel()
        await asyncio.wait({claiming})
        if not claiming.cancelled():
            await queue.settle(claiming.result(), TOLD_TO_END)
        return request.id

    for turns in range(40):
        told = record(run(claim_and_cancel(turns)))
        assert told.state is State.READY
        run(queue.cancel(told.id, OWNER, force=False))


def test_a_new_bearer_of_a_name_releases_what_the_earlier_held(
    queue: Queue, run: Run, put: Put, record: Look, clock: Clock
) -> None:
    request = put()
    earlier = run(claim(queue, holder="worker-1"))

    later = run(claim(queue, holder="worker-1"))

    assert (later.request_id, later.attempt) == (request.id, 2)
    assert run(queue.beat(earlier, Progress())) is Beat.LOST


def test_a_courier_and_a_worker_of_one_name_do_not_release_each_others(
    queue: Queue, run: Run, put: Put, held: Held
) -> None:
    running = held(State.RUNNING)
    put(TO_FETCH)

    fetching = run(claim(queue, Step.FETCH))

    assert run(queue.beat(running, Progress())) is Beat.GO_ON
    assert run(queue.beat(fetching, Progress())) is Beat.GO_ON


# ------------------------------------------------------------------------------------------------------- holding


def test_a_beat_keeps_the_lease(queue: Queue, run: Run, held: Held, clock: Clock) -> None:
    lease = held(State.RUNNING)

    for _ in range(5):
        clock.advance(LEASE_S - 1)
        assert run(queue.beat(lease, Progress())) is Beat.GO_ON
        assert run(queue.recover()) == 0


def test_a_beat_shows_progress(queue: Queue, run: Run, held: Held, record: Look) -> None:
    lease = held(State.RUNNING)
    lines = tuple(f"line {number}" for number in range(150))

    run(queue.beat(lease, Progress(0.25, "rendering", lines, "token")))

    assert record(lease.request_id).progress == Progress(0.25, "rendering", lines[50:], "token")


def test_a_beat_that_shows_only_another_preview_shows_it(queue: Queue, run: Run, held: Held, record: Look) -> None:
    lease = held(State.RUNNING)

    run(queue.beat(lease, Progress(0.25, "rendering", (), "first")))
    run(queue.beat(lease, Progress(0.25, "rendering", (), "second")))

    assert record(lease.request_id).progress.preview == "second"


@pytest.mark.parametrize("state", [State.FETCHING, State.RUNNING])
def test_a_lease_without_beats_is_lost(
    queue: Queue, run: Run, held: Held, record: Look, clock: Clock, state: State
) -> None:
    lease = held(state)
    run(queue.beat(lease, Progress(0.5, "rendering", ("line",), "token")))
    clock.advance(LEASE_S)

    assert run(queue.recover()) == 1

    told = record(lease.request_id)
    assert told.state is (State.READY if state is State.RUNNING else State.ACCEPTED)
    assert (told.queue_position, told.started_at, told.progress) == (0, None, Progress())
    assert run(queue.beat(lease, Progress())) is Beat.LOST
    assert run(queue.recover()) == 0


def test_a_late_beat_saves_a_lease_that_nobody_took(queue: Queue, run: Run, held: Held, clock: Clock) -> None:
    lease = held(State.RUNNING)
    clock.advance(10 * LEASE_S)

    assert run(queue.beat(lease, Progress())) is Beat.GO_ON
    assert run(queue.recover()) == 0


def test_waiting_claimers_recover_leases_by_themselves(queue: Queue, run: Run, held: Held, clock: Clock) -> None:
    lease = held(State.RUNNING)
    clock.advance(LEASE_S)

    again = run(claim(queue, holder="b"))

    assert (again.request_id, again.attempt) == (lease.request_id, 2)


# ------------------------------------------------------------------------------------------------------ settling


def test_frozen_inputs_make_a_request_ready_for_a_worker(
    queue: Queue, run: Run, held: Held, record: Look, clock: Clock
) -> None:
    lease = held(State.FETCHING)
    clock.advance(2)

    assert run(queue.settle(lease, Frozen(FROZEN)))

    told = record(lease.request_id)
    assert (told.state, told.ready_at) == (State.READY, clock.now)
    running = run(claim(queue))
    assert (running.attempt, running.media) == (2, FROZEN)


def test_a_success_is_told_with_its_outputs_in_order(
    queue: Queue, run: Run, held: Held, record: Look, clock: Clock
) -> None:
    lease = held(State.RUNNING)
    made = success(outputs=(new_output("b.png"), new_output("a.png"), new_output("c.png")))
    clock.advance(2)

    assert run(queue.settle(lease, made))

    told = record(lease.request_id)
    assert (told.state, told.finished_at, told.progress.fraction) == (State.SUCCEEDED, clock.now, 1.0)
    assert (told.success, told.failure, told.queue_position) == (made, None, None)


def test_the_outputs_of_a_success_are_public(stores: Stores, run: Run, held: Held) -> None:
    output = new_output()

    run(stores.queue.settle(held(State.RUNNING), success(outputs=(output,))))

    file = run(stores.files.public(output.token))
    assert file is not None
    assert (file.name, file.key, file.content_type) == (output.name, output.key, output.content_type)
    assert (file.size_bytes, file.digest, file.account_id) == (output.size_bytes, output.digest, OWNER)


def test_a_success_is_charged_once(stores: Stores, run: Run, held: Held) -> None:
    run(stores.accounts.add_account(new_account(balance_microdollars=1_000_000)))
    lease = held(State.RUNNING)

    assert run(stores.queue.settle(lease, success(250_000)))
    assert not run(stores.queue.settle(lease, success(250_000)))

    account = run(stores.accounts.account(OWNER))
    assert account is not None
    assert account.balance_microdollars == 750_000
    assert stores.usage() == [(lease.request_id, 250_000)]


@pytest.mark.parametrize("outcome", [success(), REFUSED, Stopped()], ids=lambda outcome: type(outcome).__name__)
def test_a_request_that_ended_has_no_preview(
    queue: Queue, run: Run, held: Held, record: Look, outcome: Outcome
) -> None:
    made = replace(outcome, outputs=(new_output(),)) if isinstance(outcome, Succeeded) else outcome
    lease = held(State.RUNNING)
    run(queue.beat(lease, Progress(0.25, "rendering", ("line",), "token")))

    run(queue.settle(lease, made))

    told = record(lease.request_id).progress
    assert (told.preview, told.logs) == ("", ("line",))


@pytest.mark.parametrize("outcome", [REFUSED, Stopped()])
def test_a_failed_or_stopped_request_costs_nothing(
    stores: Stores, run: Run, held: Held, record: Look, outcome: Outcome
) -> None:
    run(stores.accounts.add_account(new_account(balance_microdollars=1_000_000)))
    lease = held(State.RUNNING)

    assert run(stores.queue.settle(lease, outcome))

    told = record(lease.request_id)
    assert told.state is (State.CANCELLED if outcome == Stopped() else State.FAILED)
    assert told.finished_at is not None
    account = run(stores.accounts.account(OWNER))
    assert account is not None
    assert (account.balance_microdollars, stores.usage()) == (1_000_000, [])


@pytest.mark.parametrize("state", [State.FETCHING, State.RUNNING])
def test_a_failure_is_told_with_its_sentence(queue: Queue, run: Run, held: Held, record: Look, state: State) -> None:
    lease = held(state)

    assert run(queue.settle(lease, REFUSED))

    told = record(lease.request_id)
    assert (told.state, told.failure, told.success) == (State.FAILED, REFUSED, None)


def test_a_request_handed_back_without_blame_is_never_given_up(
    queue: Queue, run: Run, held: Held, record: Look
) -> None:
    lease = held(State.RUNNING)

    for attempt in range(2, 3 * MAX_LOSSES):
        assert run(queue.settle(lease, TOLD_TO_END))
        assert record(lease.request_id).queue_position == 0
        lease = run(claim(queue))
        assert lease.attempt == attempt

    assert run(queue.settle(lease, CRASHED))
    assert record(lease.request_id).state is State.READY


@pytest.mark.parametrize(("state", "holder"), [(State.FETCHING, "courier"), (State.RUNNING, "worker")])
def test_a_request_that_kills_its_holders_fails(
    queue: Queue, run: Run, held: Held, record: Look, state: State, holder: str
) -> None:
    lease = held(state)
    step = Step.FETCH if state is State.FETCHING else Step.RUN

    for _ in range(MAX_LOSSES - 1):
        assert run(queue.settle(lease, CRASHED))
        lease = run(claim(queue, step))
    assert run(queue.settle(lease, CRASHED))

    told = record(lease.request_id)
    assert told.state is State.FAILED
    assert told.failure is not None
    assert told.failure.code == "worker_lost"
    assert f"lost its {holder} 3 times" in told.failure.sentence
    assert "the engine was killed" in told.failure.sentence


def test_losses_while_fetching_do_not_count_while_running(queue: Queue, run: Run, held: Held, record: Look) -> None:
    lease = held(State.FETCHING)
    for _ in range(MAX_LOSSES - 1):
        run(queue.settle(lease, CRASHED))
        lease = run(claim(queue, Step.FETCH))
    run(queue.settle(lease, Frozen(FROZEN)))

    run(queue.settle(run(claim(queue)), CRASHED))

    assert record(lease.request_id).state is State.READY


@pytest.mark.parametrize(
    "outcome", [success(), REFUSED, Stopped(), TOLD_TO_END, CRASHED], ids=lambda o: type(o).__name__
)
def test_a_holder_that_lost_its_lease_changes_nothing(
    stores: Stores, run: Run, held: Held, record: Look, clock: Clock, outcome: Outcome
) -> None:
    late = held(State.RUNNING)
    clock.advance(LEASE_S)
    run(stores.queue.recover())
    run(claim(stores.queue))
    before = record(late.request_id)

    assert not run(stores.queue.settle(late, outcome))

    assert record(late.request_id) == before
    assert stores.usage() == []
    if isinstance(outcome, Succeeded):
        assert run(stores.files.public(outcome.outputs[0].token)) is None


def test_a_courier_cannot_settle_what_only_a_worker_can(queue: Queue, run: Run, held: Held, record: Look) -> None:
    lease = held(State.FETCHING)

    with pytest.raises(ValueError, match="fetching"):
        run(queue.settle(lease, success()))

    assert record(lease.request_id).state is State.FETCHING


# ---------------------------------------------------------------------------------------------------- cancelling


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("media", [TO_FETCH, FROZEN], ids=["accepted", "ready"])
def test_a_waiting_request_is_cancelled_and_never_claimed(
    queue: Queue, run: Run, put: Put, record: Look, media: tuple[Input, ...], force: bool, clock: Clock
) -> None:
    request, next_one = put(media), put(media)
    clock.advance(1)

    assert run(queue.cancel(request.id, OWNER, force=force)) == Cancelled("cancelled", State.CANCELLED)

    told = record(request.id)
    assert (told.state, told.finished_at, told.queue_position) == (State.CANCELLED, clock.now, None)
    step = Step.FETCH if media is TO_FETCH else Step.RUN
    assert run(claim(queue, step)).request_id == next_one.id


def test_a_request_being_fetched_is_cancelled_under_its_courier(
    queue: Queue, run: Run, held: Held, record: Look
) -> None:
    lease = held(State.FETCHING)

    assert run(queue.cancel(lease.request_id, OWNER, force=False)) == Cancelled("cancelled", State.CANCELLED)

    assert run(queue.beat(lease, Progress())) is Beat.LOST
    assert not run(queue.settle(lease, Frozen(FROZEN)))
    assert record(lease.request_id).state is State.CANCELLED


def test_a_running_request_is_not_cancelled_unless_forced(queue: Queue, run: Run, held: Held, record: Look) -> None:
    lease = held(State.RUNNING)
    before = record(lease.request_id)

    assert run(queue.cancel(lease.request_id, OWNER, force=False)) == Cancelled("not_cancellable", State.RUNNING)

    assert record(lease.request_id) == before
    assert run(queue.beat(lease, Progress())) is Beat.GO_ON


def test_a_forced_cancel_tells_the_worker_to_stop(queue: Queue, run: Run, held: Held, record: Look) -> None:
    lease = held(State.RUNNING)

    assert run(queue.cancel(lease.request_id, OWNER, force=True)) == Cancelled("stopping", State.RUNNING)

    assert run(queue.beat(lease, Progress())) is Beat.STOP
    assert run(queue.beat(lease, Progress(0.5, "rendering"))) is Beat.STOP
    assert run(queue.settle(lease, Stopped()))
    assert record(lease.request_id).state is State.CANCELLED


def test_a_worker_that_finishes_before_it_hears_of_the_stop_has_finished(
    queue: Queue, run: Run, held: Held, record: Look
) -> None:
    lease = held(State.RUNNING)
    run(queue.cancel(lease.request_id, OWNER, force=True))

    assert run(queue.settle(lease, success()))

    assert record(lease.request_id).state is State.SUCCEEDED


@pytest.mark.parametrize("loss", ["expired", "handed back", "replaced"])
def test_a_request_told_to_stop_that_loses_its_worker_is_cancelled(
    queue: Queue, run: Run, held: Held, put: Put, record: Look, clock: Clock, loss: str
) -> None:
    lease = held(State.RUNNING)
    run(queue.cancel(lease.request_id, OWNER, force=True))

    if loss == "expired":
        clock.advance(LEASE_S)
        run(queue.recover())
    elif loss == "handed back":
        run(queue.settle(lease, TOLD_TO_END))
    else:
        put()
        run(claim(queue))

    assert record(lease.request_id).state is State.CANCELLED


@pytest.mark.parametrize("outcome", [success(), REFUSED, Stopped()], ids=lambda outcome: type(outcome).__name__)
def test_a_finished_request_cannot_be_cancelled(
    queue: Queue, run: Run, held: Held, record: Look, outcome: Outcome
) -> None:
    made = replace(outcome, outputs=(new_output(),)) if isinstance(outcome, Succeeded) else outcome
    lease = held(State.RUNNING)
    run(queue.settle(lease, made))
    before = record(lease.request_id)

    assert run(queue.cancel(lease.request_id, OWNER, force=True)) == Cancelled("not_cancellable", before.state)

    assert record(lease.request_id) == before


def test_nobody_cancels_another_accounts_request(queue: Queue, run: Run, put: Put, record: Look) -> None:
    request = put()

    assert run(queue.cancel(request.id, STRANGER, force=True)) is None
    assert run(queue.cancel(RequestId("0" * 32), OWNER, force=True)) is None

    assert record(request.id).state is State.READY


# ---------------------------------------------------------------------------------------------------- forgetting


def test_only_what_ended_before_the_time_and_has_no_files_is_outdated(
    stores: Stores, run: Run, put: Put, held: Held, clock: Clock
) -> None:
    failed = held(State.RUNNING)
    run(stores.queue.settle(failed, REFUSED))
    run(stores.queue.settle(held(State.RUNNING), success()))
    put()
    ended_at = clock.now

    assert run(stores.queue.outdated(ended_at, 10)) == []
    assert run(stores.queue.outdated(ended_at + 1, 10)) == [failed.request_id]


def test_outdated_requests_are_told_of_up_to_a_limit_and_forgotten_by_their_ids(
    queue: Queue, run: Run, held: Held, clock: Clock
) -> None:
    ended = set()
    for _ in range(3):
        lease = held(State.RUNNING)
        run(queue.settle(lease, REFUSED))
        ended.add(lease.request_id)
    clock.advance(1)

    first = run(queue.outdated(clock.now, 2))
    run(queue.forget(first))

    assert len(first) == 2
    assert {*first, *run(queue.outdated(clock.now, 10))} == ended
    assert [run(queue.find(request_id, OWNER)) for request_id in first] == [None, None]
