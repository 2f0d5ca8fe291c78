import pytest

from filmgate.domain.request import HELD, TERMINAL, TRANSITIONS, WAITING, Event, State, next_state, sources


def test_terminal_states_never_change():
    assert all(state not in TERMINAL for state, _ in TRANSITIONS)


def test_every_state_is_waiting_running_or_terminal():
    assert WAITING | {State.RUNNING} | TERMINAL == set(State)
    assert not WAITING & TERMINAL


def test_every_state_can_still_end():
    ends = set(TERMINAL)
    while grown := {s for (s, _), n in TRANSITIONS.items() if n in ends} - ends:
        ends |= grown
    assert ends == set(State)


def test_only_what_is_held_can_be_lost():
    assert sources(Event.LOST) == HELD


@pytest.mark.parametrize("event", Event)
def test_every_event_happens_somewhere(event):
    assert sources(event)


def test_a_late_event_leads_nowhere():
    assert next_state(State.CANCELLED, Event.SUCCEEDED) is None
    assert next_state(State.RUNNING, Event.CANCELLED) is None
