"""Streets: traffic that passes, one engine close by."""

import numpy as np

from filmgate.engines.preview.sound.signal import (
    SAMPLE_RATE,
    Mono,
    Part,
    Stereo,
    band,
    filtered,
    noise,
    panned,
    partials,
    stereo_noise,
)

__all__ = ["engine", "traffic"]

PASS_EVERY_S = 3.0
HORNS_HZ = ((392.0, 494.0), (349.0, 440.0), (415.0, 523.0))
FIRING_HZ = 34.0


def traffic(part: Part) -> Stereo:
    """A city's hum, cars that pass from one side to the other, and perhaps a horn far off."""
    chance = part.chance("noise")
    hum = stereo_noise(chance, part.count, band(38, 300, -4.5)) * (0.7 + 0.3 * part.drift("hum", 2.5))
    air = stereo_noise(chance, part.count, band(300, 2_200, -6))
    track = np.asarray(0.42 * hum + 0.12 * air, np.float32)
    tyres, motor = noise(chance, part.count, band(260, 2_400, -3.5)), noise(chance, part.count, band(60, 210, -3))
    when = part.chance("cars")
    at_s = float(when.uniform(0.3, 1.4))
    while at_s < part.duration_s + 0.8:
        near = when.uniform(0.35, 1.0)
        track += passing(part, tyres * np.float32(0.8) + motor, at_s, near, sign=1 if when.random() < 0.5 else -1)
        at_s += PASS_EVERY_S * float(when.uniform(0.5, 1.3)) / part.force
    horns = part.chance("horns")
    if horns.random() < 0.25 + part.duration_s / 20:
        honk(track, part, horns)
    return track


def passing(part: Part, sound: Mono, at_s: float, near: float, sign: int) -> Stereo:
    """The sound of a car on its way past: louder as the square of its nearness, and across the middle at `at_s`."""
    along = (part.control_times() - np.float32(at_s)) / np.float32(0.55 / near)
    loudness = np.float32(1.6 * near) / (1 + along * along)
    angle = (np.float32(sign) * np.arctan(along) + np.float32(np.pi / 2)) / 2
    return np.stack([sound * part.spread(loudness * side) for side in (np.cos(angle), np.sin(angle))])


def honk(track: Stereo, part: Part, chance: np.random.Generator) -> None:
    """A horn some streets away: dull, short, once or twice."""
    tones = HORNS_HZ[int(chance.integers(len(HORNS_HZ)))]
    place = chance.uniform(-0.8, 0.8)
    at = int(part.count * chance.uniform(0.2, 0.7))
    for length_s in chance.uniform(0.12, 0.4, int(chance.integers(1, 3))):
        count = int(length_s * SAMPLE_RATE)
        blare = partials(count, [(hz * over, 0.09 / over, 9.0) for hz in tones for over in (1, 2, 3)])
        blare *= np.minimum(1, np.minimum(np.arange(count), np.arange(count)[::-1]) / 900).astype(np.float32)
        stop = min(part.count, at + count)
        track[0, at:stop] += np.float32(1 - place) * blare[: stop - at]
        track[1, at:stop] += np.float32(1 + place) * blare[: stop - at]
        at = min(part.count, at + count + int(0.14 * SAMPLE_RATE))


def engine(part: Part) -> Stereo:
    """One motor: a row of harmonics of its firing, uneven as real ones are; the harder it works the higher it turns."""
    times = part.times()
    unrest = part.drift("unrest", 0.5) - np.float32(0.5)
    climb = np.float32(0.25 * part.force) * np.minimum(1, times / max(2.0, part.duration_s * 0.6))
    hz = np.float32(FIRING_HZ * (0.75 + 0.5 * part.force)) * (1 + climb + np.float32(0.05) * unrest)
    # A cylinder fires once in two turns of the shaft. With that as the period, odd orders are unequal cylinders.
    cycle = np.modf(np.cumsum(hz / 2, dtype=np.float64) / SAMPLE_RATE)[0].astype(np.float32)
    chance = part.chance("cylinders")
    sound = np.zeros(part.count, np.float32)
    for order in range(1, 22):
        gain = (1.0 if order % 2 == 0 else 0.35) * chance.uniform(0.5, 1.0) / (1 + (order / 7) ** 2)
        phase = np.float32(2 * np.pi * order) * cycle + np.float32(chance.uniform(0, 2 * np.pi))
        sound += np.float32(gain) * np.sin(phase)
    sound *= 0.8 + 0.4 * part.drift("load", 0.25)
    rasp = noise(chance, part.count, band(180, 2_800, -4)) * (0.6 + 0.4 * np.cos(np.float32(4 * np.pi) * cycle))
    mono = filtered(np.asarray(sound + 0.28 * rasp, np.float32), band(45, 2_600, -1.0))
    return panned(mono, part.pan)
