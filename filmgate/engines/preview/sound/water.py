"""Water: still, running, falling, breaking."""

from math import exp, pi

import numpy as np

from filmgate.engines.preview.sound.signal import SAMPLE_RATE, Mono, Part, Stereo, add_grain, band, decay, stereo_noise

__all__ = ["river", "sea", "water", "waterfall"]

BUBBLE_KINDS = 24
DROP_KINDS = 4
WAVE_S = 5.5


def river(part: Part) -> Stereo:
    """A stream: a rush that never stands still, full of bubbles."""
    chance = part.chance("noise")
    sides = np.stack([0.6 + 0.4 * part.drift(f"rush {side}", 0.16) for side in ("left", "right")])
    rush = stereo_noise(chance, part.count, band(320, 4_200, -4.5)) * sides
    deep = stereo_noise(chance, part.count, band(120, 420, -3)) * (0.5 + 0.5 * part.drift("deep", 0.8))
    track = np.asarray(0.26 * rush + np.float32(0.14 * part.force) * deep, np.float32)
    gurgle(track, part, per_s=75 * part.force, low_hz=380, gain=0.9)
    return track


def water(part: Part) -> Stereo:
    """Still water that laps: now and then a small wave, a few bubbles, a drop."""
    chance = part.chance("noise")
    lap = part.spread(part.walk("lap", 0.28) ** 3 * part.walk("wave", 0.9))
    surface = stereo_noise(chance, part.count, band(260, 1_300, -5), width=0.7) * lap
    shimmer = stereo_noise(chance, part.count, band(1_500, 6_000, -5)) * (0.04 + lap) * np.float32(0.10)
    track = np.asarray(0.35 * surface + shimmer, np.float32)
    gurgle(track, part, per_s=14 * part.force, low_hz=300, gain=1.0)
    ring = part.chance("drops")
    drops = [droplet(900.0 + 900.0 * ring.random()) for _ in range(DROP_KINDS)]
    for at in part.moments("drop times", 0.8 * part.force):
        grain = drops[int(ring.integers(DROP_KINDS))]
        add_grain(track, grain, at, gain=1.2 * (0.3 + 0.7 * ring.random()), place=ring.uniform(-0.7, 0.7))
    return track


def waterfall(part: Part) -> Stereo:
    """A fall: dense, wide and even, heavy below."""
    chance = part.chance("noise")
    weight = stereo_noise(chance, part.count, band(45, 260, -3)) * (0.75 + 0.25 * part.drift("weight", 0.5))
    curtain = stereo_noise(chance, part.count, band(260, 6_500, -3.2))
    spray = stereo_noise(chance, part.count, band(3_000, 12_000, -3)) * (0.7 + 0.3 * part.drift("spray", 0.3))
    return np.asarray(np.float32(0.55 * part.force) * weight + curtain + 0.25 * spray, np.float32)


def sea(part: Part) -> Stereo:
    """Surf: each wave swells, breaks and runs out, from one side to the other."""
    chance = part.chance("noise")
    rise, wash = np.zeros((2, part.count), np.float32), np.zeros((2, part.count), np.float32)
    when = part.chance("waves")
    # The first wave is on its way when the clip begins, so that even a short one hears it break.
    breaks_s = float(when.uniform(0.9, 2.0))
    times = part.times()
    while breaks_s < part.duration_s + 3:
        height, lean = when.uniform(0.6, 1.0), when.uniform(-0.25, 0.25)
        for side, late_s in enumerate((lean, -lean)):
            after = times - np.float32(breaks_s + late_s)
            rise[side] += height * np.where(after < 0, np.exp(after / 1.1), np.exp(-after / 0.7))
            wash[side] += height * np.where(after < 0, np.exp(after / 0.25), np.exp(-after / 1.7))
        breaks_s += WAVE_S * float(when.uniform(0.75, 1.2)) / part.force**0.4
    roar = stereo_noise(chance, part.count, band(60, 480, -3.5))
    hiss = stereo_noise(chance, part.count, band(700, 7_500, -3))
    far = stereo_noise(chance, part.count, band(120, 900, -5))
    return np.asarray(np.float32(part.force) * roar * rise + 0.55 * hiss * wash + 0.22 * far, np.float32)


def gurgle(track: Stereo, part: Part, *, per_s: float, low_hz: float, gain: float) -> None:
    """Lay bubbles into the track: they are heard as water far more than any noise is."""
    chance = part.chance("bubbles")
    kinds = [
        bubble(low_hz * 2 ** (2.2 * chance.random() ** 1.5), chance.uniform(0.2, 0.9)) for _ in range(BUBBLE_KINDS)
    ]
    for at in part.moments("bubble times", per_s):
        grain = kinds[int(chance.integers(BUBBLE_KINDS))]
        add_grain(track, grain, at, gain=gain * chance.random() ** 2, place=chance.uniform(-0.9, 0.9))


def bubble(hz: float, rise: float) -> Mono:
    """One bubble: it rings at a pitch that rises as it nears the surface (van den Doel, "Physically based models for
    liquid sounds", 2005), and dies sooner the smaller it is."""
    fall_s = 9.0 / hz
    count = int(5 * fall_s * SAMPLE_RATE)
    times = np.arange(count) / SAMPLE_RATE
    phase = 2 * pi * hz * (times + rise * times * times / (2 * fall_s) * 0.12)
    return np.asarray(np.sin(phase) * decay(count, fall_s), np.float32)


def droplet(hz: float) -> Mono:
    """A drop into a full basin: a click and the ringing bubble behind it."""
    ringing = bubble(hz, 0.9)
    click = np.asarray([exp(-0.05 * at) * (-1) ** at for at in range(90)], np.float32)
    ringing[: len(click)] += 0.15 * click
    return ringing
