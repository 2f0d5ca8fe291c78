"""Sounds as samples: exact lengths, loudness, bands, determinism, cuts that are heard and do not click."""

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from filmgate.engines.preview.moves import Move
from filmgate.engines.preview.plan import Shot
from filmgate.engines.preview.sound.loudness import integrated_loudness, true_peak
from filmgate.engines.preview.sound.mix import PEAK_CEILING_DBTP, SOURCES, limited, make_sound, with_speech
from filmgate.engines.preview.sound.music import STYLES, Mood, Score, music
from filmgate.engines.preview.sound.plan import SoundPlan, plan_sound
from filmgate.engines.preview.sound.signal import Part, band, noise, smooth_size
from filmgate.engines.preview.sound.vocabulary import Source
from tests.sounds import band_share

RATE = 48_000
BANDS: dict[Source, tuple[float, float]] = {
    "room": (20, 500),
    "open_air": (20, 1_000),
    "wind": (20, 1_500),
    "leaves": (1_000, 12_000),
    "water": (150, 3_000),
    "river": (100, 5_000),
    "waterfall": (30, 9_000),
    "sea": (30, 8_000),
    "rain": (500, 15_000),
    "thunder": (15, 600),
    "fire": (20, 8_000),
    "traffic": (20, 2_500),
    "engine": (15, 1_500),
    "birds": (1_800, 9_000),
    "insects": (3_000, 12_000),
    "crowd": (100, 3_500),
    "cheer": (200, 3_500),
    "applause": (400, 9_000),
    "footsteps": (40, 4_000),
    "snow_steps": (100, 9_000),
    "bell": (80, 3_000),
    "chimes": (900, 9_000),
}
"""Where each source has nearly all of its energy."""


def plan(
    prompt: str, *, duration_s: float = 4.0, shots: tuple[Shot, ...] = (), seed: int = 1, extend: bool = False
) -> SoundPlan:
    whole = (Shot(0.0, duration_s, (Move("static", 1.0),), None, 0.0),)
    return plan_sound(prompt, negative_prompt="", shots=shots or whole, duration_s=duration_s, seed=seed, extend=extend)


def level_db(sound: NDArray[np.float32]) -> float:
    return 10 * np.log10(float(np.square(sound).mean()) + 1e-12)


def test_every_source_is_played() -> None:
    assert set(SOURCES) == set(get_args(Source)) == set(BANDS)


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_has_its_length_and_its_band(source: Source) -> None:
    sound = SOURCES[source](Part(source, 5, 4 * RATE))

    assert (sound.shape, sound.dtype) == ((2, 4 * RATE), np.float32)
    assert np.isfinite(sound).all()
    assert band_share(sound, *BANDS[source]) > 0.9


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("count", "force"), [(1, 1.0), (1_600, 0.4), (50_021, 2.2)])
def test_a_source_plays_for_any_time_at_any_force(source: Source, count: int, force: float) -> None:
    sound = SOURCES[source](Part(source, 5, count, force, place=-1.0))

    assert sound.shape == (2, count)
    assert np.isfinite(sound).all()


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_depends_on_its_seed_alone(source: Source) -> None:
    first, again, other = (SOURCES[source](Part(source, seed, 2 * RATE)) for seed in (5, 5, 6))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("mood", STYLES)
def test_music_of_every_mood_plays_in_its_own_way(mood: Mood) -> None:
    bed = music(Part("music", 5, 4 * RATE), Score(mood))

    assert np.isfinite(bed).all()
    assert band_share(bed, 30, 3_000) > 0.95
    others = [music(Part("music", 5, 4 * RATE), Score(other)) for other in STYLES if other != mood]
    assert not any(np.array_equal(bed, other) for other in others)


@pytest.mark.parametrize(("frames", "rate"), [(150, 30), (81, 16), (100, 7), (1, 30), (3, 24), (450, 30)])
def test_a_sound_is_exactly_as_long_as_its_clip(frames: int, rate: int) -> None:
    duration_s = frames / rate

    sound = make_sound(plan("Rain and thunder, sad piano music", duration_s=duration_s), 1)

    assert (sound.shape, sound.dtype) == ((2, round(duration_s * RATE)), np.float32)
    assert np.isfinite(sound).all()


@pytest.mark.parametrize(
    "prompt",
    ["", "rain on a street", "loud thunder", "epic drums and wind", "footsteps", "a quiet room", "掌声雷动，欢呼"],
)
def test_a_sound_has_the_loudness_of_its_plan_and_stays_under_the_ceiling(prompt: str) -> None:
    wanted = plan(prompt, duration_s=5.0)

    sound = make_sound(wanted, 1)

    assert integrated_loudness(sound) == pytest.approx(wanted.loudness_lufs, abs=0.5)
    assert true_peak(sound) <= PEAK_CEILING_DBTP


def test_silence_is_silent() -> None:
    assert not make_sound(plan("rain, no sound"), 1).any()


def test_the_same_plan_and_seed_give_the_same_samples_and_another_seed_others() -> None:
    wanted = plan("rain, birds, calm music")

    assert np.array_equal(make_sound(wanted, 7), make_sound(wanted, 7))
    assert not np.array_equal(make_sound(wanted, 7), make_sound(wanted, 8))


def test_rain_and_birds_are_heard_in_their_bands() -> None:
    rain, birds = make_sound(plan("heavy rain"), 1), make_sound(plan("birds sing"), 1)

    assert band_share(rain, 200, 1_800) > 2 * band_share(birds, 200, 1_800)
    assert band_share(birds, 2_000, 6_500) > 2 * band_share(rain, 2_000, 6_500)


def test_it_begins_and_ends_in_silence_and_not_at_once() -> None:
    sound = make_sound(plan("rain"), 1)

    assert np.abs(sound[:, :50]).max() < 0.1 * np.abs(sound).max()
    assert np.abs(sound[:, -50:]).max() < 0.1 * np.abs(sound).max()
    assert level_db(sound[:, RATE : 2 * RATE]) == pytest.approx(level_db(sound[:, 2 * RATE : 3 * RATE]), abs=2)


def cut_in_two(prompt: str) -> SoundPlan:
    static = (Move("static", 1.0),)
    return plan(prompt, shots=(Shot(0.0, 2.0, static, None, 0.0), Shot(2.0, 4.0, static, "close_up", 0.0)))


def test_a_cut_changes_level_and_colour_within_a_tenth_of_a_second() -> None:
    cut, uncut = make_sound(cut_in_two("a waterfall"), 1), make_sound(plan("a waterfall"), 1)

    def change(sound: NDArray[np.float32]) -> tuple[float, float]:
        before, after = sound[:, int(1.5 * RATE) : int(1.65 * RATE)], sound[:, int(2.2 * RATE) : int(2.35 * RATE)]
        return level_db(after) - level_db(before), band_share(after, 3_000, 9_000) / band_share(before, 3_000, 9_000)

    assert abs(change(cut)[0]) > 1
    assert change(cut)[1] < 0.8
    assert abs(change(uncut)[0]) < 0.7
    assert change(uncut)[1] == pytest.approx(1, abs=0.2)


def test_a_cut_changes_the_bed_and_does_not_click() -> None:
    prompt = "Shot 1: waves crash on a beach. Shot 2: birds sing in a garden."
    sound = make_sound(cut_in_two(prompt), 1)

    sea, garden = sound[:, int(0.5 * RATE) : int(1.5 * RATE)], sound[:, int(2.3 * RATE) : int(3.3 * RATE)]
    assert band_share(garden, 2_000, 6_500) > 5 * band_share(sea, 2_000, 6_500)
    blocks = np.abs(np.diff(sound, axis=1))[:, : 4 * RATE - 960].reshape(2, -1, 480).max(axis=(0, 2))
    at_cut = blocks[len(blocks) // 2 - 6 : len(blocks) // 2 + 12].max()
    assert at_cut < 1.5 * np.percentile(blocks, 99)


def test_a_push_in_swells() -> None:
    shots = (Shot(0.0, 4.0, (Move("push_in", 2.0),), None, 0.0),)
    sound = make_sound(plan("a waterfall", shots=shots), 1)

    assert level_db(sound[:, int(2.8 * RATE) : int(3.2 * RATE)]) > 2 + level_db(
        sound[:, int(0.4 * RATE) : int(0.8 * RATE)]
    )


def test_a_sound_on_the_left_is_louder_there() -> None:
    left, right = make_sound(plan("church bells on the left"), 1)

    assert level_db(left) > 3 + level_db(right)


def test_what_is_far_is_duller() -> None:
    near, far = make_sound(plan("applause"), 1), make_sound(plan("distant applause"), 1)

    assert band_share(far, 3_000, 12_000) < 0.5 * band_share(near, 3_000, 12_000)


def test_peaks_above_the_ceiling_are_turned_down_without_a_step() -> None:
    times = np.arange(RATE) / RATE
    loud = np.stack([np.sin(2 * np.pi * 500 * times)] * 2).astype(np.float32)
    loud[:, : RATE // 2] *= 0.1
    loud[:, RATE // 2 :] *= 3

    held = limited(loud)

    assert true_peak(held) <= PEAK_CEILING_DBTP
    assert level_db(held[:, : RATE // 4]) == pytest.approx(level_db(loud[:, : RATE // 4]), abs=0.2)


def test_speech_lies_over_the_sound() -> None:
    bed = make_sound(plan("rain"), 1)
    speech = np.zeros_like(bed)
    speech[:, RATE : 2 * RATE] = 0.1 * np.sin(np.arange(RATE) / 20)

    both = with_speech(bed, speech)

    assert np.array_equal(both[:, 3 * RATE :], bed[:, 3 * RATE :])
    assert level_db(both[:, RATE : 2 * RATE]) > 10 + level_db(bed[:, RATE : 2 * RATE])


@pytest.mark.parametrize("count", [1, 7, 480, 1_601, 240_000, 262_145, 685_714])
def test_sizes_of_transforms_are_smooth_and_no_larger_than_needed(count: int) -> None:
    size = smooth_size(count)

    rest = size
    for prime in (2, 3, 5):
        while rest % prime == 0:
            rest //= prime
    assert rest == 1
    assert count <= size <= 1.2 * count + 2


def test_noise_has_its_band_and_no_seam() -> None:
    sound = noise(np.random.default_rng(1), 600_000, band(1_000, 2_000))

    assert band_share(sound[None], 500, 4_000) > 0.9
    steps = np.abs(np.diff(sound))
    seam = steps[(1 << 18) - 2 : (1 << 18) + 2].max()
    assert seam < np.percentile(steps, 99.99)


def test_plans_of_many_layers_are_mixed_by_their_levels() -> None:
    wanted = plan("rain and birds")
    quieter = replace(
        wanted, layers=tuple(replace(one, level_db=-40.0) if one.source == "birds" else one for one in wanted.layers)
    )

    assert band_share(make_sound(quieter, 1), 2_500, 5_500) < band_share(make_sound(wanted, 1), 2_500, 5_500)
    assert all(before.start_s <= after.start_s for before, after in pairwise(wanted.layers))
