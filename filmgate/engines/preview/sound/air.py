"""Air: the hush of a room, the open, wind, leaves."""

import numpy as np

from filmgate.engines.preview.sound.signal import Part, Stereo, band, peaks, stereo_noise

__all__ = ["leaves", "open_air", "room", "wind"]

GUST_S = 1.5
WHISTLES_HZ = (430.0, 610.0, 880.0)


def room(part: Part) -> Stereo:
    """The tone of a quiet room: low, even, a little wider than the middle."""
    chance = part.chance("air")
    low = stereo_noise(chance, part.count, band(45, 260, -5), width=0.5)
    high = stereo_noise(chance, part.count, band(260, 2_600, -6))
    return low + np.float32(0.22) * high


def open_air(part: Part) -> Stereo:
    """The open: wider and brighter than a room, with a breath that comes and goes."""
    chance = part.chance("air")
    breath = 0.7 + 0.3 * part.drift("breath", 3.5)
    low = stereo_noise(chance, part.count, band(70, 500, -5))
    high = stereo_noise(chance, part.count, band(500, 4_500, -5))
    return np.asarray(low * breath + np.float32(0.35) * high, np.float32)


def wind(part: Part) -> Stereo:
    """Gusts: the harder they blow, the brighter they are, and the more they whistle."""
    chance = part.chance("noise")
    gust = part.spread(part.walk("gust", GUST_S) * (0.35 + 0.65 * part.walk("spell", 2 * GUST_S)))
    body = stereo_noise(chance, part.count, band(70, 320, -4), width=0.8) * (0.22 + 0.78 * gust)
    rush = stereo_noise(chance, part.count, band(260, 1_300, -4)) * (0.04 + 0.96 * gust * gust)
    sound = body + np.float32(1.1 * min(part.force, 1.6)) * rush
    for number, hz in enumerate(WHISTLES_HZ):
        # Each whistle has its own breath: together they sound like one that slides up and down.
        breath = part.drift(f"whistle {number}", 1.4) ** 3 * gust
        thin = stereo_noise(chance, part.count, peaks((hz, 0.16, 1.0)), width=0.4)
        sound += np.float32(0.4 * part.force) * thin * breath
    return np.asarray(sound * sway(part), np.float32)


def leaves(part: Part) -> Stereo:
    """Foliage: a rustle of many small strokes that runs from one side to the other with the wind."""
    chance = part.chance("noise")
    gust = part.drift("gust", GUST_S)
    sides = [part.drift(f"flutter {side}", 0.09) * part.drift(f"branch {side}", 0.7) for side in ("left", "right")]
    rustle = stereo_noise(chance, part.count, band(1_800, 8_000, -3)) * np.stack(sides)
    soft = stereo_noise(chance, part.count, band(600, 2_500, -4)) * np.float32(0.08)
    return np.asarray((rustle + soft) * (0.12 + 0.88 * gust * gust) * sway(part), np.float32)


def sway(part: Part) -> Stereo:
    """The gains of both sides as something wide leans slowly from one to the other."""
    lean = np.float32(0.5) * (part.drift("lean", 3.0) - np.float32(0.5))
    return np.stack([1 + lean, 1 - lean])
