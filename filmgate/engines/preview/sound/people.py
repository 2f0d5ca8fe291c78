"""Many people: talk that nobody can follow, cheers, applause."""

import numpy as np
from numpy.random import Generator

from filmgate.engines.preview.sound.signal import (
    SAMPLE_RATE,
    Mono,
    Part,
    Shape,
    Stereo,
    add_grain,
    band,
    decay,
    filtered,
    noise,
    panned,
    peaks,
    stereo_noise,
)

__all__ = ["applause", "cheer", "crowd"]

VOWELS: tuple[Shape, ...] = (
    peaks((730, 0.4, 1.0), (1_150, 0.35, 0.55), (2_500, 0.4, 0.16)),
    peaks((500, 0.4, 1.0), (1_750, 0.35, 0.35), (2_480, 0.4, 0.2)),
    peaks((430, 0.4, 1.0), (1_000, 0.35, 0.4), (2_400, 0.4, 0.1)),
    peaks((320, 0.45, 1.0), (2_150, 0.3, 0.3), (2_900, 0.4, 0.16)),
)
"""Formants of four vowels: centre in Hz, width in octaves, gain."""
GROUPS, SPEAKERS = 6, 2
VOICES = 8
CLAPPERS = 36
CLAP_KINDS = 24


def crowd(part: Part) -> Stereo:
    """Talk of many at once: small groups, each with its vowel and place, each speaker with a pitch and a rhythm."""
    track = np.zeros((2, part.count), np.float32)
    for group in range(GROUPS):
        talk = np.zeros(part.count, np.float32)
        for speaker in range(SPEAKERS):
            name = f"{group} {speaker}"
            chance = part.chance(f"speaker {name}")
            pitch = chance.uniform(95, 150) if chance.random() < 0.5 else chance.uniform(170, 240)
            tune = part.spread(np.float32(pitch) * (0.8 + 0.4 * part.walk(f"tune {name}", 0.5)))
            # Syllables within sentences within pauses.
            sentences = np.clip(2.4 * part.walk(f"sentences {name}", 1.4) - 0.6, 0, 1)
            talk += buzz(tune) * part.spread(part.walk(f"syllables {name}", 0.11) ** 2 * sentences)
        place = 1.8 * (group / (GROUPS - 1) - 0.5)
        track += panned(filtered(talk, VOWELS[group % len(VOWELS)]), place)
    hush = stereo_noise(part.chance("hush"), part.count, band(220, 2_000, -5))
    return np.asarray(track + np.float32(0.02) * hush, np.float32)


def cheer(part: Part) -> Stereo:
    """A crowd's roar that rises, holds and falls, with voices above it."""
    rise = arc(part, rise_s=0.5, fall_s=2.5) * (0.75 + 0.25 * part.drift("waves", 0.6))
    throats = stereo_noise(part.chance("roar"), part.count, band(300, 3_200, -3))
    track = np.float32(1.3) * filtered(throats, VOWELS[0]) + np.float32(0.15) * throats
    for number in range(VOICES):
        chance = part.chance(f"voice {number}")
        tune = part.spread(np.float32(chance.uniform(260, 620)) * (0.75 + 0.4 * part.walk(f"bend {number}", 0.8)))
        here = part.spread(np.clip(3 * part.walk(f"shout {number}", 0.9) - 1.4, 0, 1))
        voice = filtered(buzz(tune) * here, VOWELS[number % 3])
        track += panned(np.float32(0.30 * chance.uniform(0.4, 1)) * voice, chance.uniform(-0.9, 0.9))
    return np.asarray(track * rise, np.float32)


def applause(part: Part) -> Stereo:
    """Hands, each pair at its own pace, most of them far enough away to melt into one."""
    rise = arc(part, rise_s=0.8, fall_s=2.0)
    track = np.zeros((2, part.count), np.float32)
    kinds = [clap(part.chance(f"clap {number}")) for number in range(CLAP_KINDS)]
    for pair in range(round(CLAPPERS * part.force)):
        chance = part.chance(f"hands {pair}")
        near, place, every_s = 0.15 + 0.85 * chance.random() ** 3, chance.uniform(-1, 1), chance.uniform(0.19, 0.3)
        kind = kinds[int(chance.integers(CLAP_KINDS))]
        at_s = float(chance.uniform(0, 0.5))
        while at_s < part.duration_s:
            add_grain(track, kind, int(at_s * SAMPLE_RATE), gain=near * chance.uniform(0.6, 1), place=place)
            at_s += every_s * float(chance.normal(1, 0.08))
    far = stereo_noise(part.chance("far"), part.count, band(700, 4_000, -3)) * (0.7 + 0.3 * part.drift("far", 0.12))
    return np.asarray((track + np.float32(0.10) * far) * rise, np.float32)


def clap(chance: Generator) -> Mono:
    """One clap: a dry burst, coloured by the hollow between the hands."""
    count = int(0.03 * SAMPLE_RATE)
    hollow = peaks((chance.uniform(900, 2_000), 0.9, 1.0), (chance.uniform(2_400, 4_200), 0.8, 0.5))
    return np.asarray(noise(chance, count, hollow) * decay(count, fall_s=0.005, rise_s=0.0004), np.float32)


def buzz(hz: Mono) -> Mono:
    """What vocal cords give: a saw, which has all harmonics; the mouth's formants then shape it."""
    phase = np.modf(np.cumsum(hz, dtype=np.float64) / SAMPLE_RATE)[0].astype(np.float32)
    return 2 * phase - np.float32(1)


def arc(part: Part, *, rise_s: float, fall_s: float) -> Mono:
    """Rises once, holds, and falls towards the end, within however much time there is."""
    scale = min(1.0, part.duration_s / (2 * (rise_s + fall_s)))
    times = part.times()
    rise = np.clip(times / np.float32(rise_s * scale), 0, 1)
    fall = np.clip((part.duration_s - times) / np.float32(fall_s * scale), 0, 1)
    return np.asarray(rise * (0.25 + 0.75 * fall), np.float32)
