"""Rain and thunder."""

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
    panned,
    stereo_noise,
)

__all__ = ["rain", "thunder"]

DROP_KINDS = 28
ROLL_S = 7.0
FIRST_SHARE = 0.14
STRIKE_S = 6.5


def rain(part: Part) -> Stereo:
    """Steady rain over near drops. Hard rain roars lower and hides its drops."""
    chance = part.chance("noise")
    hiss = stereo_noise(chance, part.count, band(900, 11_000, -2.2)) * (0.85 + 0.15 * part.drift("veil", 1.2))
    roar = stereo_noise(chance, part.count, band(180, 1_100, -3))
    track = np.asarray(0.7 * hiss + np.float32(0.28 * part.force**1.5) * roar, np.float32)
    when = part.chance("drops")
    kinds = [raindrop(part, number) for number in range(DROP_KINDS)]
    for at in part.moments("drop times", 110 * part.force):
        gain = 4.2 * when.random() ** 3 / part.force**0.5
        add_grain(track, kinds[int(when.integers(DROP_KINDS))], at, gain=gain, place=when.uniform(-1, 1))
    return track


def raindrop(part: Part, number: int) -> Mono:
    """A drop on leaf, stone or puddle: a tick, and sometimes a short dull ring."""
    chance = part.chance(f"drop {number}")
    count = int(SAMPLE_RATE * 0.018)
    low = 10 ** chance.uniform(3.0, 3.6)
    tick = noise(chance, count, band(low, 2.6 * low, 0)) * decay(
        count, fall_s=0.0012 + 0.002 * chance.random(), rise_s=0
    )
    hz = chance.uniform(420, 1_400)
    ring = np.sin(2 * np.pi * hz * np.arange(count) / SAMPLE_RATE) * decay(count, fall_s=0.004)
    return np.asarray(tick + 0.5 * (number % 4 == 0) * ring, np.float32)


def thunder(part: Part) -> Stereo:
    """One strike early on and, in a long clip, more: a crack if it is near, then a roll that wanders off."""
    track = np.zeros((2, part.count), np.float32)
    when = part.chance("strikes")
    at_s = FIRST_SHARE * part.duration_s * float(when.uniform(0.7, 1.3))
    number = 0
    while at_s < part.duration_s - 0.3:
        strike = struck(part, number)
        start = int(at_s * SAMPLE_RATE)
        stop = min(part.count, start + strike.shape[1])
        track[:, start:stop] += strike[:, : stop - start]
        at_s += STRIKE_S * float(when.uniform(0.8, 1.4))
        number += 1
    return track


def struck(part: Part, number: int) -> Stereo:
    chance = part.chance(f"strike {number}")
    count = int(ROLL_S * SAMPLE_RATE)
    times = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    roll = np.zeros(count, np.float32)
    for at_s in [0.05, *np.sort(chance.uniform(0.2, 3.6, 6))]:
        after = times - np.float32(at_s)
        swell = np.where(after > 0, np.minimum(1, after / 0.12) * np.exp(-after / 1.0), 0)
        roll += swell * chance.uniform(0.35, 1.0) * np.exp(-at_s / 2.6)
    roll *= decay(count, fall_s=1e6)
    deep = stereo_noise(chance, count, band(24, 95, -3), width=0.5)
    growl = stereo_noise(chance, count, band(90, 420, -6), width=0.8)
    sound = deep * roll + np.float32(0.5) * growl * roll * roll
    if part.force >= 1:
        sound += np.float32(part.force) * crack(chance, count, part.pan)
    return np.asarray(sound, np.float32)


def crack(chance: np.random.Generator, count: int, place: float) -> Stereo:
    """The tear before the roll: a handful of bursts within a third of a second."""
    torn = np.zeros((2, count), np.float32)
    for at_s in np.sort(chance.uniform(0.0, 0.32, 9)):
        length = int(SAMPLE_RATE * 0.14)
        burst = noise(chance, length, band(160, 3_800, -4)) * decay(length, fall_s=0.03, rise_s=0.001)
        add_grain(torn, burst, int(at_s * SAMPLE_RATE), gain=0.8 * chance.uniform(0.3, 1), place=place)
    return torn + 0.12 * panned(noise(chance, count, band(120, 900, -5)) * decay(count, fall_s=0.5), place)
