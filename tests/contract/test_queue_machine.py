"""Any order of submits, claims, beats, outcomes, cancels, waits and restarts, on the real queue against a small model.

The model keeps what the design promises of each request and nothing of how it is kept. Leases stay in play after they
are lost, so zombies settle late as often as living holders do in time.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from filmgate.domain.records import Beat, Failed, Frozen, HandedBack, Lease, Outcome, Progress, Step, Stopped
from filmgate.domain.request import MAX_LOSSES, TERMINAL, WAITING, RequestId, State
from tests.contract.stores import (
    FROZEN,
    LEASE_S,
    MODELS,
    OPENERS,
    OWNER,
    TO_FETCH,
    Place,
    new_account,
    new_request,
    success,
)

T = TypeVar("T")

BALANCE = 10_000_000
PATIENCE_S = 20

IN_MEMORY = Path("/dev") / "shm"
"""Thousands of commits: how a disk keeps them is the business of other tests."""

AT_ONCE = 3
"""Few requests at a time, so that each goes through much."""

FROM = {Step.FETCH: State.ACCEPTED, Step.RUN: State.READY}
HELD = {Step.FETCH: State.FETCHING, Step.RUN: State.RUNNING}
BACK = {State.FETCHING: State.ACCEPTED, State.RUNNING: State.READY}

# Twice what leads on, so that most requests live through several attempts.
OUTCOMES = {
    State.FETCHING: ("frozen", "frozen", "failed", "blamed", "blamed", "unblamed", "unblamed"),
    State.RUNNING: ("succeeded", "failed", "stopped", "blamed", "blamed", "unblamed", "unblamed"),
}


@dataclass
class Expected:
    """What must be true of one request."""

    id: RequestId
    model: str
    state: State
    attempt: int = 0
    losses: int = 0
    stop_requested: bool = False
    holder: str = ""
    lease_ends_at: float = 0.0
    shown: float | None = None
    cost: int | None = None
    attempts_seen: list[int] = field(default_factory=list)

    def holds(self, lease: Lease) -> bool:
        return (self.state, self.attempt) == (lease.state, lease.attempt)

    def claimed(self, state: State, holder: str, now: float) -> None:
        self.state, self.holder, self.attempt, self.shown = state, holder, self.attempt + 1, None
        self.lease_ends_at = now + LEASE_S

    def beaten(self, fraction: float, now: float) -> None:
        # Beats that show nothing new are let pass until a third of the lease is over.
        if fraction != self.shown or self.lease_ends_at - now <= LEASE_S * 2 / 3:
            self.lease_ends_at = now + LEASE_S
        self.shown = fraction

    def lose(self, *, counted: bool) -> None:
        self.losses += counted
        if self.stop_requested:
            self.state = State.CANCELLED
        elif counted and self.losses >= MAX_LOSSES:
            self.state = State.FAILED
        else:
            self.state = BACK[self.state]

    def settle(self, ending: str, cost: int) -> None:
        match ending:
            case "frozen":
                self.state, self.losses = State.READY, 0
            case "succeeded":
                self.state, self.cost = State.SUCCEEDED, cost
            case "failed":
                self.state = State.FAILED
            case "stopped":
                self.state = State.CANCELLED
            case _:
                self.lose(counted=ending == "blamed")


class QueueMachine(RuleBasedStateMachine):
    kind = "sqlite"

    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if IN_MEMORY.is_dir() else None))
        self.place = Place(self.folder, self.kind)
        self.runner = asyncio.Runner()
        self.expected: list[Expected] = []
        self.claimed: list[Lease] = []

    def teardown(self) -> None:
        self.place.close()
        self.runner.close()
        shutil.rmtree(self.folder)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    def of(self, lease: Lease) -> Expected:
        return next(one for one in self.expected if one.id == lease.request_id)

    def expire(self) -> int:
        expired = [one for one in self.expected if one.state in BACK and one.lease_ends_at <= self.place.clock.now]
        for one in expired:
            one.lose(counted=True)
        return len(expired)

    # ------------------------------------------------------------------------------------------------------ rules

    @initialize()
    def open(self) -> None:
        self.run(self.place.stores.accounts.add_account(new_account(balance_microdollars=BALANCE)))

    @precondition(lambda self: sum(one.state not in TERMINAL for one in self.expected) < AT_ONCE)
    @rule(to_fetch=st.booleans(), model=st.sampled_from(MODELS))
    def submit(self, to_fetch: bool, model: str) -> None:
        request = new_request(TO_FETCH if to_fetch else FROZEN, model)
        self.run(self.place.stores.queue.put(request))
        self.expected.append(Expected(request.id, model, State.ACCEPTED if to_fetch else State.READY))

    @rule(
        target=leases,
        step=st.sampled_from(Step),
        models=st.sampled_from([MODELS, MODELS[:1], MODELS[1:]]),
        holder=st.sampled_from(["a", "b", "c"]),
    )
    def claim(self, step: Step, models: tuple[str, ...], holder: str) -> Lease:
        for one in self.expected:
            if one.state is HELD[step] and one.holder == holder:
                one.lose(counted=True)
        self.expire()
        if not any(one.state is FROM[step] and one.model in models for one in self.expected):
            self.submit(to_fetch=step is Step.FETCH, model=models[0])
        first = next(one for one in self.expected if one.state is FROM[step] and one.model in models)

        lease = self.run(self.first_lease(step, models, holder))

        first.claimed(HELD[step], holder, self.place.clock.now)
        assert (lease.request_id, lease.state, lease.attempt) == (first.id, first.state, first.attempt)
        self.claimed.append(lease)
        return lease

    async def first_lease(self, step: Step, models: tuple[str, ...], holder: str) -> Lease:
        async with (
            asyncio.timeout(PATIENCE_S),
            aclosing(self.place.stores.queue.leases(step, models, holder)) as leases,
        ):
            return await anext(leases)

    @rule(lease=leases, fraction=st.sampled_from([0.0, 0.5, 1.0]))
    def beat(self, lease: Lease, fraction: float) -> None:
        heard = self.run(self.place.stores.queue.beat(lease, Progress(fraction, "rendering")))

        one = self.of(lease)
        if not one.holds(lease):
            assert heard is Beat.LOST
            return
        assert heard is (Beat.STOP if one.stop_requested else Beat.GO_ON)
        record = self.run(self.place.stores.queue.find(one.id, OWNER))
        assert record is not None
        assert record.progress.fraction == fraction
        one.beaten(fraction, self.place.clock.now)

    @precondition(lambda self: self.living())
    @rule(data=st.data(), cost=st.integers(0, 1000))
    def settle(self, data: st.DataObject, cost: int) -> None:
        lease = data.draw(st.sampled_from(self.living()))
        self.end(lease, data.draw(st.sampled_from(OUTCOMES[lease.state])), cost)

    @rule(lease=leases, data=st.data(), cost=st.integers(0, 1000))
    def settle_at_any_time(self, lease: Lease, data: st.DataObject, cost: int) -> None:
        self.end(lease, data.draw(st.sampled_from(OUTCOMES[lease.state])), cost)

    def living(self) -> list[Lease]:
        return [lease for lease in self.claimed if self.of(lease).holds(lease)]

    def end(self, lease: Lease, ending: str, cost: int) -> None:
        outcomes: dict[str, Outcome] = {
            "frozen": Frozen(FROZEN),
            "succeeded": success(cost),
            "failed": Failed("engine_failed", "It broke."),
            "stopped": Stopped(),
            "blamed": HandedBack("it crashed", counted=True),
            "unblamed": HandedBack("it was told to end", counted=False),
        }
        one = self.of(lease)
        held = one.holds(lease)

        assert self.run(self.place.stores.queue.settle(lease, outcomes[ending])) is held

        if held:
            one.settle(ending, cost)

    @rule(seconds=st.sampled_from([1, 9, 11, 21, LEASE_S]))
    def wait(self, seconds: int) -> None:
        self.place.clock.advance(seconds)

    @rule()
    def recover(self) -> None:
        assert self.run(self.place.stores.queue.recover()) == self.expire()

    @rule(data=st.data(), force=st.booleans())
    def cancel(self, data: st.DataObject, force: bool) -> None:
        if not self.expected:
            return
        one = data.draw(st.sampled_from(self.expected))
        running = one.state is State.RUNNING

        told = self.run(self.place.stores.queue.cancel(one.id, OWNER, force=force))

        if one.state in WAITING:
            one.state = State.CANCELLED
            wanted = "cancelled"
        elif running and force:
            one.stop_requested = True
            wanted = "stopping"
        else:
            wanted = "not_cancellable"
        assert told is not None
        assert (told.outcome, told.state) == (wanted, one.state)

    @rule()
    def restart(self) -> None:
        self.place.restart()

    # ------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def every_request_is_what_it_should_be(self) -> None:
        position = 0
        for one in self.expected:
            record = self.run(self.place.stores.queue.find(one.id, OWNER))
            assert record is not None, "an acknowledged request is lost"
            assert (record.state, record.attempt) == (one.state, one.attempt)
            status = self.run(self.place.stores.queue.status(one.id, OWNER))
            assert status is not None
            assert (status.state, status.started_at, status.queue_position, status.progress) == (
                record.state, record.started_at, record.queue_position, record.progress,
            ), "a poll and the record tell two things"  # fmt: skip
            assert record.queue_position == (position if one.state in WAITING else None)
            assert (record.finished_at is not None) is (one.state in TERMINAL)
            assert (record.success is not None) is (one.state is State.SUCCEEDED)
            assert (record.failure is not None) is (one.state is State.FAILED)
            assert record.attempt >= max(one.attempts_seen, default=0)
            one.attempts_seen.append(record.attempt)
            position += one.state in WAITING

    @invariant()
    def each_success_is_charged_once(self) -> None:
        costs = {one.id: one.cost for one in self.expected if one.cost is not None}
        assert sorted(self.place.stores.usage()) == sorted(costs.items())
        account = self.run(self.place.stores.accounts.account(OWNER))
        if account is not None:
            assert account.balance_microdollars == BALANCE - sum(costs.values())


@pytest.mark.parametrize("kind", sorted(OPENERS))
def test_the_queue_keeps_its_promises_in_any_order_of_events(kind: str) -> None:
    machine = type("Machine", (QueueMachine,), {"kind": kind})
    few = settings(
        max_examples=150,
        stateful_step_count=50,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=few)
