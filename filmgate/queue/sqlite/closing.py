"""How an attempt ends, inside one transaction: its outcome, outputs, usage, charge and event, or the way back to the
queue.

Every change of state is asked of the transition table and then guarded by id, attempt and state, so of several holders
who come to close the same request exactly one does, and a late one writes nothing at all.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

from filmgate.domain.errors import WorkerLost
from filmgate.domain.records import Failed, Frozen, HandedBack, Lease, Outcome, Stopped, Succeeded
from filmgate.domain.request import MAX_LOSSES, Event, State, next_state
from filmgate.queue.rows import json_text, media_to_json
from filmgate.queue.sqlite.events import EventWriter
from filmgate.queue.statements import Statement

__all__ = ["Closing"]

_EVENTS: Mapping[type[Outcome], Event] = {
    Frozen: Event.FROZEN,
    Succeeded: Event.SUCCEEDED,
    Failed: Event.FAILED,
    Stopped: Event.STOPPED,
    HandedBack: Event.LOST,
}

_HOLDERS = {State.FETCHING: "courier", State.RUNNING: "worker"}


class Closing:
    """The closing writes. Each runs in the caller's transaction and says whether it changed anything."""

    def __init__(self, statements: Mapping[str, Statement], events: EventWriter) -> None:
        self._sql = statements
        self._events = events

    def settle(self, connection: sqlite3.Connection, lease: Lease, outcome: Outcome, now: int) -> bool:
        """Raises ValueError for an outcome that the lease's state cannot have."""
        held = {"id": lease.request_id, "attempt": lease.attempt, "state": lease.state}
        if isinstance(outcome, HandedBack):
            row = connection.execute(self._sql["of_lease"], held).fetchone()
            return row is not None and self.lose(connection, row, outcome, now)
        closing = held | {"next": _next(lease.state, _EVENTS[type(outcome)]), "now": now}
        match outcome:
            case Frozen():
                media = media_to_json(outcome.media)
                return connection.execute(self._sql["freeze"], closing | {"media": media}).rowcount == 1
            case Succeeded():
                return self._succeed(connection, closing, outcome)
            case Failed():
                return self._end(connection, closing, outcome)
            case Stopped():
                return self._end(connection, closing, None)

    def lose(self, connection: sqlite3.Connection, row: sqlite3.Row, loss: HandedBack, now: int) -> bool:
        """Where a request goes whose holder is gone: back, or to its end when it was told to stop or kills holders."""
        state = State(row["state"])
        losses = row["losses"] + loss.counted
        closing = {"id": row["id"], "attempt": row["attempt"], "state": state, "now": now}
        if row["stop_requested"]:
            return self._end(connection, closing | {"next": _next(state, Event.STOPPED)}, None)
        if loss.counted and losses >= MAX_LOSSES:
            return self._end(connection, closing | {"next": _next(state, Event.FAILED)}, _given_up(state, losses, loss))
        closing |= {"next": _next(state, Event.LOST), "losses": losses}
        return connection.execute(self._sql["give_back"], closing).rowcount == 1

    def cancel(self, connection: sqlite3.Connection, row: sqlite3.Row, now: int) -> State | None:
        """The state after it, or None when the request's state cannot be cancelled."""
        state = State(row["state"])
        cancelled = next_state(state, Event.CANCELLED)
        if cancelled is not None:
            closing = {"id": row["id"], "attempt": row["attempt"], "state": state, "next": cancelled, "now": now}
            self._end(connection, closing, None)
        return cancelled

    def _end(self, connection: sqlite3.Connection, closing: Mapping[str, Any], failure: Failed | None) -> bool:
        parameters = {
            **closing,
            "code": failure and failure.code,
            "sentence": failure and failure.sentence,
            "retryable": failure and failure.retryable,
        }
        if connection.execute(self._sql["end"], parameters).rowcount != 1:
            return False
        self._tell(connection, closing)
        return True

    def _succeed(self, connection: sqlite3.Connection, closing: Mapping[str, Any], success: Succeeded) -> bool:
        parameters = {
            **closing,
            "engine": success.engine,
            "engine_version": success.engine_version,
            "served_by": success.served_by,
            "seed_used": success.seed,
            "actual_prompt": success.actual_prompt,
            "running_s": success.running_s,
            "storing_s": success.storing_s,
            "cost_microdollars": success.cost_microdollars,
            "engine_warnings": json_text(success.warnings),
            "details": json_text(success.details),
        }
        row = connection.execute(self._sql["succeed"], parameters).fetchone()
        if row is None:
            return False
        account, model = row
        of_request = {"request_id": closing["id"], "account": account, "now": closing["now"]}
        for position, output in enumerate(success.outputs):
            file = {
                "token": output.token,
                "name": output.name,
                "storage_key": output.key,
                "content_type": output.content_type,
                "size_bytes": output.size_bytes,
                "digest": output.digest,
                "position": position,
            }
            connection.execute(self._sql["add_output"], of_request | file)
        cost = {"cost_microdollars": success.cost_microdollars}
        used = {"model": model, "device_seconds": success.running_s}
        connection.execute(self._sql["add_usage"], of_request | used | cost)
        connection.execute(self._sql["charge"], {"account": account} | cost)
        self._tell(connection, closing)
        return True

    def _tell(self, connection: sqlite3.Connection, closing: Mapping[str, Any]) -> None:
        self._events.write(connection, closing["id"], closing["attempt"], closing["next"], closing["now"])


def _next(state: State, event: Event) -> State:
    following = next_state(state, event)
    if following is None:
        raise ValueError(f"a {state} request cannot end its attempt by {event}")
    return following


def _given_up(state: State, losses: int, loss: HandedBack) -> Failed:
    holder = _HOLDERS[state]
    return Failed(
        code=WorkerLost.code,
        sentence=(
            f"The request lost its {holder} {losses} times and was given up; the last time: {loss.reason.rstrip('.')}. "
            "Its inputs are the likely cause: send it again with other ones, or ask the operator for the log."
        ),
    )
