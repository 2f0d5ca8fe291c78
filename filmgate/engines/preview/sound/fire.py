"""Fire: a low breath, a hiss, and crackle that comes in flurries."""

import numpy as np

from filmgate.engines.preview.sound.signal import (
    SAMPLE_RATE,
    Mono,
    Part,
    Stereo,
    add_grain,
    band,
    decay,
    noise,
    stereo_noise,
)

__all__ = ["fire"]

CRACKLE_KINDS = 30
FLURRIES_PER_S = 2.8


def fire(part: Part) -> Stereo:
    chance = part.chance("noise")
    flutter = 0.45 + 0.55 * part.drift("flutter", 0.13) * part.drift("breath", 1.1)
    breath = stereo_noise(chance, part.count, band(40, 240, -4), width=0.5) * flutter
    hiss = stereo_noise(chance, part.count, band(1_600, 7_000, -4)) * (0.3 + 0.7 * part.drift("hiss", 0.5))
    track = np.asarray(np.float32(0.6 * part.force) * breath + 0.12 * hiss, np.float32)
    when = part.chance("crackle")
    kinds = [crackle(part, number) for number in range(CRACKLE_KINDS)]
    for start in part.moments("flurries", FLURRIES_PER_S * part.force):
        place = float(np.clip(part.pan + when.uniform(-0.5, 0.5), -1, 1))
        for at in start + np.cumsum(when.exponential(0.035 * SAMPLE_RATE, int(when.integers(2, 9)))):
            gain = 5.0 * when.random() ** 3 + 0.3
            add_grain(track, kinds[int(when.integers(CRACKLE_KINDS))], int(at), gain=gain, place=place)
    return track


def crackle(part: Part, number: int) -> Mono:
    """A splinter: most are dry clicks, a few are pops with some body."""
    chance = part.chance(f"splinter {number}")
    pop = number % 5 == 0
    count = int(SAMPLE_RATE * (0.05 if pop else 0.016))
    low = chance.uniform(300, 700) if pop else chance.uniform(1_500, 4_500)
    fall_s = chance.uniform(0.006, 0.012) if pop else chance.uniform(0.0006, 0.003)
    return np.asarray(noise(chance, count, band(low, 2.5 * low)) * decay(count, fall_s, rise_s=0.0003), np.float32)
