"""Bells: one large and slow, or small ones that chime."""

import numpy as np
from numpy.random import Generator

from filmgate.engines.preview.sound.signal import SAMPLE_RATE, Mono, Part, Stereo, add_grain, partials

__all__ = ["bell", "chimes"]

CHURCH = ((0.5, 0.7, 1.0), (1.0, 1.0, 0.8), (1.183, 0.6, 0.6), (1.506, 0.35, 0.45), (2.0, 0.6, 0.4))
CHURCH_HIGH = ((2.514, 0.25, 0.25), (2.662, 0.2, 0.22), (3.011, 0.25, 0.2), (4.166, 0.15, 0.14), (5.433, 0.1, 0.1))
"""Partials of a church bell (hum, prime, tierce, quint, nominal and above): ratio, gain, share of the longest ring."""
TUBE = ((1.0, 1.0, 1.0), (2.756, 0.35, 0.45), (5.404, 0.12, 0.2))
"""A free tube's partials: ratio, gain, share."""
CHIMES_HZ = (1_046.5, 1_174.7, 1_396.9, 1_568.0, 1_760.0, 2_093.0)
STROKE_S = 2.4


def bell(part: Part) -> Stereo:
    """A church or temple bell that is struck again and again."""
    chance = part.chance("strokes")
    prime = float(chance.uniform(280, 400)) / part.force**0.5
    struck = partials(int(5.5 * SAMPLE_RATE), [(prime * r, g, 2.6 * share) for r, g, share in (*CHURCH, *CHURCH_HIGH)])
    track = np.zeros((2, part.count), np.float32)
    at_s = float(chance.uniform(0.2, 0.7))
    while at_s < part.duration_s:
        add_grain(track, struck, int(at_s * SAMPLE_RATE), gain=chance.uniform(0.85, 1), place=part.pan)
        at_s += STROKE_S * float(chance.normal(1, 0.01))
    return track


def chimes(part: Part) -> Stereo:
    """Small bells that a breeze or a hand sets off in flurries."""
    chance = part.chance("strokes")
    kinds = [chime(hz, chance) for hz in CHIMES_HZ]
    track = np.zeros((2, part.count), np.float32)
    at_s = float(chance.uniform(0.1, 0.5))
    while at_s < part.duration_s:
        kind = kinds[int(chance.integers(len(kinds)))]
        place = float(np.clip(part.pan + chance.uniform(-0.4, 0.4), -1, 1))
        add_grain(track, kind, int(at_s * SAMPLE_RATE), gain=chance.uniform(0.3, 1), place=place)
        at_s += float(chance.exponential(0.22)) if chance.random() < 0.7 else float(chance.uniform(0.8, 1.8))
    return track


def chime(hz: float, chance: Generator) -> Mono:
    tuned = hz * float(chance.normal(1, 0.004))
    return partials(int(2.2 * SAMPLE_RATE), [(tuned * ratio, gain, 0.7 * share) for ratio, gain, share in TUBE])
