"""The life of a request: a table of (state, event, next state). Nothing else changes a state.

A request is `accepted` while inputs wait to be fetched and `ready` once all of them are frozen. A courier holds it as
`fetching`, a worker as `running`; both hold it under a lease and an attempt number, and every write of theirs names
both, so a holder that lost its lease changes nothing. Terminal states have no rows in the table: they never change.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NewType

__all__ = [
    "HELD",
    "MAX_LOSSES",
    "TERMINAL",
    "TRANSITIONS",
    "WAITING",
    "AccountId",
    "Event",
    "RequestId",
    "State",
    "next_state",
    "sources",
]

RequestId = NewType("RequestId", str)
AccountId = NewType("AccountId", str)

MAX_LOSSES = 3
"""A request whose holder was lost this often ends `failed`: it is the request that kills, not the machines."""


class State(StrEnum):
    ACCEPTED = "accepted"
    FETCHING = "fetching"
    READY = "ready"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    FETCH_CLAIMED = "fetch_claimed"
    """A courier took it."""
    FROZEN = "frozen"
    """All inputs are fetched, judged and stored."""
    RUN_CLAIMED = "run_claimed"
    """A worker took it."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """An input was refused, the engine failed, or the last attempt was lost."""
    CANCELLED = "cancelled"
    """The caller cancelled it before it ran."""
    STOPPED = "stopped"
    """The caller had it stopped while it ran."""
    LOST = "lost"
    """Its holder died, or handed it back."""


_S, _E = State, Event

TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (_S.ACCEPTED, _E.FETCH_CLAIMED): _S.FETCHING,
    (_S.ACCEPTED, _E.CANCELLED): _S.CANCELLED,
    (_S.FETCHING, _E.FROZEN): _S.READY,
    (_S.FETCHING, _E.FAILED): _S.FAILED,
    (_S.FETCHING, _E.CANCELLED): _S.CANCELLED,
    (_S.FETCHING, _E.LOST): _S.ACCEPTED,
    (_S.READY, _E.RUN_CLAIMED): _S.RUNNING,
    (_S.READY, _E.CANCELLED): _S.CANCELLED,
    (_S.RUNNING, _E.SUCCEEDED): _S.SUCCEEDED,
    (_S.RUNNING, _E.FAILED): _S.FAILED,
    (_S.RUNNING, _E.STOPPED): _S.CANCELLED,
    (_S.RUNNING, _E.LOST): _S.READY,
}

TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
WAITING = frozenset({State.ACCEPTED, State.FETCHING, State.READY})
HELD = frozenset({State.FETCHING, State.RUNNING})


def next_state(state: State, event: Event) -> State | None:
    """Where `event` leads from `state`, or None: it came too late and changes nothing."""
    return TRANSITIONS.get((state, event))


def sources(event: Event) -> frozenset[State]:
    """The states in which `event` may happen."""
    return frozenset(state for state, happened in TRANSITIONS if happened is event)
