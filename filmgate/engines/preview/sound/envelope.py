"""The pulse of a given sound: how loud it is at every frame, and where it strikes.

The camera follows the level, which is smooth; the light follows the strikes. There are never more than three strikes a
second, and each is a slight change of light: nothing flashes.
"""

from dataclasses import dataclass

import numpy as np

from filmgate.encoding.sound import SAMPLE_RATE, Sound
from filmgate.engines.preview.pixels import Plane

__all__ = ["Pulse", "pulse_of"]

STEP_S = 0.01
SMOOTH_S = 0.045
COMPRESSION = 0.6
"""Loudness as heard grows about with this power of the wave's deviation."""
SILENT = 1e-4
LIPS_FROM = np.float32(0.3)
FLOOR_DB = -45.0
BEFORE_S = 0.10
STRIKE_DB = 15.0
"""A rise by so much above the tenth of a second before is a full strike; a third of it is the least that counts."""
BETWEEN_STRIKES_S = 0.34
RISE_S, GLOW_S = 0.10, 0.20
"""Light that leads into a strike and dies away behind it: a step within one frame would be a flash."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Per frame, 0 to 1: how loud the sound is against its own loud parts, and how much a strike still glows."""

    level: Plane
    glow: Plane

    @property
    def lips(self) -> Plane:
        """How far a mouth that makes this sound is open: closed between words, and over faint music too."""
        return ((self.level - LIPS_FROM) / np.float32(1 - LIPS_FROM)).clip(0, 1)


def pulse_of(sound: Sound, *, frames: int, frame_rate: float) -> Pulse | None:
    """The pulse of 2 × samples at 48 kHz, at the times of the frames; None if there is nothing to hear."""
    size = round(STEP_S * SAMPLE_RATE)
    count = sound.shape[1] // size
    energy = np.square(sound[:, : count * size]).mean(axis=0).reshape(count, size).mean(axis=1)
    if not count or float(energy.max()) < SILENT**2:
        return None
    shown = np.arange(frames) / frame_rate
    middles = (np.arange(count) + 0.5) * STEP_S
    heard = smoothed(energy) ** (COMPRESSION / 2)
    level = np.interp(shown, middles, heard / np.percentile(heard[heard > 0.05 * heard.max()], 95)).clip(0, 1)
    glow = np.zeros(frames)
    for at_s, strength in strikes(energy):
        after = shown - at_s
        rise = np.clip(1 + after / RISE_S, 0, 1)
        glow = np.maximum(glow, strength * rise * np.exp(-np.maximum(after, 0) / GLOW_S))
    return Pulse(level.astype(np.float32), glow.astype(np.float32))


def smoothed(energy: Plane) -> Plane:
    reach = int(3 * SMOOTH_S / STEP_S)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * STEP_S / SMOOTH_S) ** 2)
    return np.convolve(np.pad(energy, reach, mode="edge"), bell / bell.sum(), "valid").astype(np.float32)


def strikes(energy: Plane) -> list[tuple[float, float]]:
    """When the sound strikes, in seconds, and how hard (0 to 1): the strongest first, none too close to a stronger."""
    decibels = 10 * np.log10(np.maximum(energy / energy.max(), 10 ** (FLOOR_DB / 10)))
    past = round(BEFORE_S / STEP_S)
    sums = np.cumsum(np.pad(decibels, (past + 1, 0), constant_values=FLOOR_DB))
    before = (sums[past:-1] - sums[: -past - 1]) / past
    rise = np.where(decibels > FLOOR_DB / 2, (decibels - before) / STRIKE_DB, 0).clip(0, 1)
    found: list[tuple[float, float]] = []
    for at in np.argsort(-rise, kind="stable"):
        if rise[at] < 1 / 3:
            break
        at_s = float(at * STEP_S)
        if all(abs(at_s - other) >= BETWEEN_STRIKES_S for other, _ in found):
            found.append((at_s, float(rise[at])))
    return sorted(found)
