"""Loudness and true peak against signals whose values are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from filmgate.engines.preview.sound.loudness import SILENT_LUFS, integrated_loudness, true_peak


def tone(hz: float, seconds: float, peak_db: float, *, phase: float = 0.0) -> NDArray[np.float32]:
    """A sine on both sides."""
    times = np.arange(round(seconds * 48_000)) / 48_000
    wave = 10 ** (peak_db / 20) * np.sin(2 * np.pi * hz * times + phase)
    return np.stack([wave, wave]).astype(np.float32)


@pytest.mark.parametrize("peak_db", [-3.0, -23.0, -33.0])
def test_a_tone_of_1_khz_on_both_sides_is_as_loud_as_its_peak(peak_db: float) -> None:
    assert integrated_loudness(tone(1_000, 20, peak_db)) == pytest.approx(peak_db, abs=0.1)


def test_a_full_tone_of_997_hz_on_one_side_has_3_01_lufs_less() -> None:
    sound = tone(997, 10, 0.0)
    sound[1] = 0

    assert integrated_loudness(sound) == pytest.approx(-3.01, abs=0.02)


@pytest.mark.parametrize(("hz", "expected"), [(30, -8.35), (100, -1.18), (10_000, 4.0)])
def test_tones_are_weighted_by_their_frequency(hz: float, expected: float) -> None:
    heard = integrated_loudness(tone(hz, 5, -20.0)) - integrated_loudness(tone(1_000, 5, -20.0))

    assert heard == pytest.approx(expected - 0.69, abs=0.1)


@pytest.mark.parametrize("parts_db", [(-36.0, -23.0, -36.0), (-72.0, -36.0, -23.0, -36.0, -72.0)])
def test_quiet_passages_do_not_count(parts_db: tuple[float, ...]) -> None:
    seconds = {-72.0: 10, -36.0: 10, -23.0: 60}
    sound = np.concatenate([tone(1_000, seconds[part], part) for part in parts_db], axis=1)

    assert integrated_loudness(sound) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 2.0])
def test_silence_is_at_the_gate(seconds: float) -> None:
    assert integrated_loudness(np.zeros((2, round(seconds * 48_000)), np.float32)) == SILENT_LUFS


def test_a_sound_of_a_tenth_of_a_second_has_a_loudness() -> None:
    assert integrated_loudness(tone(1_000, 0.1, -20.0)) == pytest.approx(-20.0, abs=0.5)


def test_a_peak_between_the_samples_is_found() -> None:
    sound = tone(12_000, 1, -6.0, phase=np.pi / 4)

    assert 20 * np.log10(np.abs(sound).max()) == pytest.approx(-9.0, abs=0.1)
    assert true_peak(sound[:, 2_000:-2_000]) == pytest.approx(-6.0, abs=0.3)


def test_the_peak_of_a_low_tone_is_that_of_its_samples() -> None:
    assert true_peak(tone(200, 1, -12.0)) == pytest.approx(-12.0, abs=0.05)
    assert true_peak(np.zeros((2, 100), np.float32)) == -120.0
