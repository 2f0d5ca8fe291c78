"""The pulse of a given sound: its level at every frame, its strikes, a mouth that follows; and how a camera follows."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from filmgate.encoding.sound import silence
from filmgate.engines.preview.direction import direct
from filmgate.engines.preview.moves import Move, MoveKind
from filmgate.engines.preview.plan import Plan, Shot
from filmgate.engines.preview.sound.envelope import BETWEEN_STRIKES_S, Pulse, pulse_of
from tests.unit.preview.test_preview_camera import made_scene

RATE, FRAME_RATE = 48_000, 30


def swelling(seconds: float, envelope: NDArray[np.float64]) -> NDArray[np.float32]:
    """A tone whose height follows the points of the envelope."""
    times = np.arange(round(seconds * RATE)) / RATE
    height = np.interp(times, np.linspace(0, seconds, len(envelope)), envelope)
    wave = 0.3 * height * np.sin(2 * np.pi * 300 * times)
    return np.stack([wave, wave]).astype(np.float32)


def pulse(sound: NDArray[np.float32]) -> Pulse:
    found = pulse_of(sound, frames=sound.shape[1] * FRAME_RATE // RATE, frame_rate=FRAME_RATE)
    assert found is not None
    return found


def beats(seconds: float, every_s: float) -> NDArray[np.float32]:
    times = np.arange(round(seconds * RATE)) / RATE
    wave = 0.5 * np.sin(2 * np.pi * 220 * times) * np.exp(-(times % every_s) / 0.1)
    return np.stack([wave, wave]).astype(np.float32)


def test_the_level_follows_the_sound() -> None:
    envelope = 0.5 - 0.5 * np.cos(np.linspace(0, 6 * np.pi, 400))

    level = pulse(swelling(5.0, envelope)).level

    assert np.corrcoef(level, np.interp(np.linspace(0, 1, 150), np.linspace(0, 1, 400), envelope))[0, 1] > 0.95
    assert (float(level.min()), float(level.max())) == pytest.approx((0, 1), abs=0.1)


def test_a_faint_sound_has_the_same_pulse_as_a_loud_one() -> None:
    sound = beats(3.0, 0.75)

    assert np.allclose(pulse(sound).level, pulse(sound * np.float32(0.02)).level, atol=1e-3)


def test_the_level_is_smooth() -> None:
    steps = np.abs(np.diff(pulse(beats(5.0, 0.5)).level))

    assert steps.max() < 0.5


def test_strikes_are_where_the_beats_are() -> None:
    glow = pulse(beats(5.0, 0.75)).glow

    peaks = [at / FRAME_RATE for at in range(1, 149) if glow[at] >= glow[at - 1] and glow[at] > glow[at + 1] > 0.2]
    assert peaks == pytest.approx([0.75 * beat for beat in range(1, 7)], abs=0.05)


def test_light_never_flashes() -> None:
    glow = pulse(beats(6.0, 0.11)).glow

    peaks = [at for at in range(1, 179) if glow[at - 1] < glow[at] >= glow[at + 1]]
    assert all(after - before >= BETWEEN_STRIKES_S * FRAME_RATE - 2 for before, after in pairwise(peaks))
    assert np.abs(np.diff(glow)).max() < 0.6


def test_a_steady_tone_strikes_at_most_once() -> None:
    glow = pulse(swelling(4.0, np.ones(2))).glow

    assert glow[30:].max() < 0.05


@pytest.mark.parametrize("sound", [silence(2.0), silence(0.0), np.full((2, RATE), 1e-6, np.float32)])
def test_silence_has_no_pulse(sound: NDArray[np.float32]) -> None:
    assert pulse_of(sound, frames=60, frame_rate=30) is None


def test_lips_close_between_words() -> None:
    words = np.repeat([1.0, 0.02] * 5, 40)

    lips = pulse(swelling(5.0, words)).lips

    assert lips.max() == 1.0
    assert lips[22] < 0.05


def filmed(kind: MoveKind, following: Pulse | None) -> list[float]:
    """How near the camera is at each of 150 frames."""
    plan = Plan((Shot(0.0, 5.0, (Move(kind, 1.0),), None, 0.0),), False, 0.0, 0.0, (), ())
    direction = direct(made_scene(), plan, frames=150, rate=FRAME_RATE, seed=1, pulse=following)
    return [direction.pose(index).zoom * (1 + direction.pose(index).approach) for index in range(150)]


def test_a_move_goes_the_same_way_but_as_fast_as_the_sound_is_loud() -> None:
    envelope = 0.5 - 0.5 * np.cos(np.linspace(0, 8 * np.pi, 400))
    following = pulse(swelling(5.0, envelope))

    even, followed = filmed("push_in", None), filmed("push_in", following)

    assert followed[-1] == pytest.approx(even[-1], rel=0.01)
    middle = slice(54, 95)  # where the move has its full speed
    assert np.corrcoef(np.diff(followed)[middle], following.level[1:][middle])[0, 1] > 0.9
    assert np.ptp(np.diff(even)[middle]) < 0.2 * np.diff(even)[middle].mean()


def test_a_still_camera_comes_a_touch_closer_with_the_sound() -> None:
    following = pulse(beats(5.0, 0.75))

    near = np.array(filmed("static", following))

    assert np.corrcoef(near[20:], following.level[20:])[0, 1] > 0.99
    assert 1.005 < near.max() < 1.03
    assert near[0] == 1.0
    assert set(filmed("static", None)) == {1.0}


def test_where_the_sound_has_ended_a_shot_goes_on_evenly() -> None:
    short = np.concatenate([beats(2.0, 0.5), silence(3.0)], axis=1)
    shots = tuple(Shot(at, at + 2.5, (Move("push_in", 1.0),), None, 0.0) for at in (0.0, 2.5))
    plan = Plan(shots, False, 0.0, 0.0, (), ())

    direction = direct(made_scene(), plan, frames=150, rate=FRAME_RATE, seed=1, pulse=pulse(short))

    assert np.allclose(np.diff(direction.shares[75:]), 1 / 74, atol=1e-5)
