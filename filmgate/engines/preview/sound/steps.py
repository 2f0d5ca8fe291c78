"""Footsteps on a hard floor, and in snow."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from filmgate.engines.preview.sound.signal import (
    SAMPLE_RATE,
    Mono,
    Part,
    Stereo,
    add_grain,
    band,
    decay,
    noise,
    partials,
)

__all__ = ["footsteps", "snow_steps"]

STEP_S = 0.56
STEP_KINDS = 6
HEEL_TO_TOE_S = 0.07


def footsteps(part: Part) -> Stereo:
    """Heel and toe on a floor."""
    return walked(part, heel_and_toe)


def snow_steps(part: Part) -> Stereo:
    """Snow that gives way under a boot."""
    return walked(part, crunch)


def walked(part: Part, step: Callable[[Generator], Mono]) -> Stereo:
    """Steps at a walker's pace (the harder, the faster), the feet a little left and right of where the walker is."""
    track = np.zeros((2, part.count), np.float32)
    kinds = [step(part.chance(f"step {number}")) for number in range(STEP_KINDS)]
    pace = part.chance("pace")
    every_s = STEP_S / part.force**0.5
    at_s, foot = float(pace.uniform(0.1, 0.35)), 0
    while at_s < part.duration_s - 0.1:
        kind = kinds[2 * int(pace.integers(STEP_KINDS // 2)) + foot]
        gain = (1.0 if foot == 0 else 0.85) * pace.uniform(0.75, 1)
        add_grain(track, kind, int(at_s * SAMPLE_RATE), gain=gain, place=part.pan + (0.12 if foot else -0.12))
        at_s += every_s * float(pace.normal(1, 0.03))
        foot = 1 - foot
    return track


def heel_and_toe(chance: Generator) -> Mono:
    count = int(0.24 * SAMPLE_RATE)
    thump = partials(count, [(chance.uniform(85, 125), 0.9, 0.03), (chance.uniform(190, 260), 0.4, 0.02)])
    knock = noise(chance, count, band(700, 3_200, -3)) * decay(count, fall_s=0.006, rise_s=0.0005)
    scuff = noise(chance, count, band(1_400, 6_000, -3)) * decay(count, fall_s=0.035, rise_s=0.02)
    heel = thump + 0.5 * knock
    toe = np.zeros(count, np.float32)
    late = int(HEEL_TO_TOE_S * SAMPLE_RATE)
    toe[late:] = (0.35 * knock + 0.18 * scuff)[:-late]
    return np.asarray(heel + toe, np.float32)


def crunch(chance: Generator) -> Mono:
    """Hundreds of crystals breaking within a third of a second, most of them as the weight comes on."""
    count = int(0.36 * SAMPLE_RATE)
    track = np.zeros((2, count), np.float32)
    kinds = [
        noise(chance, 300, band(low, 2.2 * low)) * decay(300, fall_s=0.0012, rise_s=0.0002)
        for low in chance.uniform(500, 3_200, 16)
    ]
    moments = np.concatenate([chance.beta(2.2, 4.0, 170) * 0.20, 0.17 + chance.beta(2, 3.5, 90) * 0.17])
    for at_s in moments:
        kind = kinds[int(chance.integers(len(kinds)))]
        add_grain(track, kind, int(at_s * SAMPLE_RATE), gain=1.4 * chance.random() ** 2, place=-1)
    press = noise(chance, count, band(140, 700, -3)) * decay(count, fall_s=0.07, rise_s=0.03)
    return np.asarray(track[0] + 0.28 * press, np.float32)
