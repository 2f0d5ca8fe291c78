"""What follows from a try, when the next one is, and cursors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import InputsInvalid
from filmgate.domain.request import AccountId, RequestId, State
from filmgate.domain.webhook import (
    RETRY_DELAYS_S,
    DeliveryState,
    RequestEvent,
    Try,
    Verdict,
    Webhook,
    verdict_of,
)
from filmgate.service.webhooks import cursor_after, position_of


def answered(status: int | None, retry_after_s: float | None = None) -> Try:
    return Try(at=0, duration_s=0.1, status=status, retry_after_s=retry_after_s)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_delivers(status: int) -> None:
    assert verdict_of(3, answered(status), 0.5) == Verdict(DeliveryState.DELIVERED)


def test_410_disables() -> None:
    assert verdict_of(0, answered(410), 0.5) == Verdict(DeliveryState.DISABLED)


@pytest.mark.parametrize("status", [None, 100, 302, 400, 404, 429, 500, 503])
def test_all_else_is_tried_again_ten_times_in_about_three_days(status: int | None) -> None:
    verdicts = [verdict_of(tried, answered(status), 0.5) for tried in range(10)]

    assert [verdict.state for verdict in verdicts] == [DeliveryState.PENDING] * 9 + [DeliveryState.FAILED]
    assert [verdict.delay_s for verdict in verdicts[:-1]] == list(RETRY_DELAYS_S)
    assert sum(RETRY_DELAYS_S) / 3600 == pytest.approx(75.6, abs=0.1)


@given(st.integers(0, len(RETRY_DELAYS_S) - 1), st.floats(0, 1))
def test_delays_are_within_a_tenth_of_the_schedule(tried: int, chance: float) -> None:
    delay_s = verdict_of(tried, answered(500), chance).delay_s

    assert 0.9 <= delay_s / RETRY_DELAYS_S[tried] <= 1.1


@pytest.mark.parametrize(("asked_s", "delay_s"), [(1.0, 5.0), (60.0, 60.0), (10.0**9, 86_400.0)])
def test_a_receiver_may_put_the_next_try_off_by_a_day_but_not_hurry_it(asked_s: float, delay_s: float) -> None:
    assert verdict_of(0, answered(503, asked_s), 0.5).delay_s == delay_s


def test_events_of_one_request_have_ids_of_their_own() -> None:
    ids = {
        RequestEvent(1, RequestId("r"), AccountId("a"), attempt, state, 0.0, None).id
        for attempt, state in [(1, State.FETCHING), (2, State.RUNNING), (2, State.SUCCEEDED), (3, State.RUNNING)]
    }

    assert ids == {"evt_r_1_status", "evt_r_2_status", "evt_r_2_result", "evt_r_3_status"}


def test_receivers_are_told_apart_by_host_and_port() -> None:
    assert Webhook("https://a.example:8443/x?y", intermediate=False, base_url="").host == "a.example:8443"


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_leads_back_to_its_place(seq: int) -> None:
    assert position_of(cursor_after(seq), "after") == seq


@pytest.mark.parametrize("cursor", ["x", "12", "é", "AAAAAAAAAAAA", "_________________", "gAAAAAAAAAA", "AAAAAAAA AAA"])
def test_another_word_is_no_cursor(cursor: str) -> None:
    with pytest.raises(InputsInvalid, match="cursor of an earlier reply"):
        position_of(cursor, "after")
