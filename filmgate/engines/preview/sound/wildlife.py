"""Birds by day, insects by night."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.random import Generator

from filmgate.engines.preview.sound.signal import SAMPLE_RATE, Mono, Part, Stereo, add_grain, band, stereo_noise

__all__ = ["birds", "insects"]

SINGERS = 4
CRICKETS = 4


def birds(part: Part) -> Stereo:
    """A few birds, each with its own song, place and patience; one of them sings at once."""
    track = np.zeros((2, part.count), np.float32)
    names = list(SONGS)
    first = int(part.chance("kinds").integers(len(names)))
    for number in range(max(2, round(SINGERS * min(part.force, 1.5)))):
        chance = part.chance(f"bird {number}")
        song = SONGS[names[(first + number) % len(names)]]
        hz, near, place = chance.uniform(0.8, 1.25), 0.25 + 0.75 * chance.random() ** 2, chance.uniform(-0.9, 0.9)
        at_s = float(chance.uniform(0.1, 0.5)) + 0.7 * number
        while at_s < part.duration_s:
            phrase = song(chance, hz)
            add_grain(track, phrase, int(at_s * SAMPLE_RATE), gain=near, place=place)
            at_s += len(phrase) / SAMPLE_RATE + float(chance.exponential(1.1)) + 0.5
    return track


def whistler(chance: Generator, pitch: float) -> Mono:
    """Two to four slow notes that slide."""
    notes = [
        note(pitch * chance.uniform(2_300, 3_400), chance.uniform(-0.25, 0.25), chance.uniform(0.14, 0.28))
        for _ in range(int(chance.integers(2, 5)))
    ]
    return joined(notes, gap_s=0.07)


def triller(chance: Generator, pitch: float) -> Mono:
    """One short note, many times over, falling a little."""
    top, count = pitch * chance.uniform(3_400, 4_600), int(chance.integers(7, 15))
    return joined([note(top * (1 - 0.012 * at), -0.12, 0.045) for at in range(count)], gap_s=0.028)


def caller(chance: Generator, pitch: float) -> Mono:
    """A high note and a low one, said twice."""
    high = pitch * chance.uniform(3_600, 4_200)
    return joined([note(high, 0.02, 0.15), note(high * 0.79, -0.02, 0.2)] * int(chance.integers(1, 3)), gap_s=0.06)


def chatterer(chance: Generator, pitch: float) -> Mono:
    """Quick rising chips at random."""
    chips = [
        note(pitch * chance.uniform(3_000, 5_200), chance.uniform(0.1, 0.6), chance.uniform(0.03, 0.06))
        for _ in range(int(chance.integers(3, 8)))
    ]
    return joined(chips, gap_s=float(chance.uniform(0.05, 0.12)))


SONGS: Mapping[str, Callable[[Generator, float], Mono]] = {
    "whistler": whistler,
    "triller": triller,
    "caller": caller,
    "chatterer": chatterer,
}


def note(hz: float, slide: float, length_s: float) -> Mono:
    """A pure note that slides by this share of its pitch, with a breath of its octave."""
    count = int(length_s * SAMPLE_RATE)
    along = np.arange(count) / count
    phase = 2 * np.pi * hz * length_s * (along + slide * along * along / 2)
    shape = np.sin(np.pi * along**0.7) ** 1.5
    return np.asarray((np.sin(phase) + 0.06 * np.sin(2 * phase)) * shape, np.float32)


def joined(notes: list[Mono], gap_s: float) -> Mono:
    gap = np.zeros(int(gap_s * SAMPLE_RATE), np.float32)
    return np.concatenate([piece for one in notes for piece in (one, gap)])


def insects(part: Part) -> Stereo:
    """Crickets that keep their own time, over the shimmer of all those farther away."""
    chance = part.chance("shimmer")
    shimmer = stereo_noise(chance, part.count, band(4_200, 8_200, 0, steep=5)) * (
        0.6 + 0.4 * part.drift("shimmer", 0.4)
    )
    track = np.asarray(0.06 * shimmer, np.float32)
    for number in range(CRICKETS):
        own = part.chance(f"cricket {number}")
        hz, place, near = own.uniform(3_900, 5_000), own.uniform(-0.95, 0.95), 0.2 + 0.8 * own.random() ** 2
        every_s = own.uniform(0.42, 0.75)
        call = joined([note(hz, -0.01, 0.017) for _ in range(int(own.integers(3, 5)))], gap_s=0.014)
        at_s = float(own.uniform(0, every_s))
        while at_s < part.duration_s:
            add_grain(track, call, int(at_s * SAMPLE_RATE), gain=near, place=place)
            at_s += every_s * float(own.normal(1.0, 0.02))
    return track
