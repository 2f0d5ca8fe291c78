"""Sound as samples, and the few operations that every source is made of: coloured noise, slow chance, grains.

A Mono is n float32, a Stereo 2 × n, both at 48 kHz. Noise has unit deviation. Filters are shapes: the gain at each
frequency, applied by one Fourier transform over the whole clip, so they have neither delay nor warm-up.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from filmgate.encoding.sound import SAMPLE_RATE
from filmgate.engines.preview.chance import generator, wander

__all__ = [
    "SAMPLE_RATE",
    "Mono",
    "Part",
    "Shape",
    "Stereo",
    "add_grain",
    "band",
    "decay",
    "filtered",
    "noise",
    "panned",
    "partials",
    "peaks",
    "smooth_size",
    "stereo_noise",
]

Mono = NDArray[np.float32]
Stereo = NDArray[np.float32]
Shape = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From frequencies in Hz to gains."""

SHAPE_POINTS = np.geomspace(8.0, SAMPLE_RATE / 2, 480)
"""Where shapes are evaluated, 40 points to the octave; between them gains are interpolated."""
CONTROL_STEP = 240
"""Samples between two points of what changes slowly: 200 points per second, more than levels need."""
LOOP_SIZE = 1 << 18
"""Noise repeats after 5.5 s, without a seam: a transform's result is periodic. Nobody hears noise repeat."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one source has to play: how many samples, how hard (0.5 soft, 1, 2 hard), and where (-1 left … 1 right).

    `place` is None for a source that is all around. Chance comes from the seed and the source's name alone.
    """

    name: str
    seed: int
    count: int
    force: float = 1.0
    place: float | None = None

    @property
    def duration_s(self) -> float:
        return self.count / SAMPLE_RATE

    @property
    def pan(self) -> float:
        return 0.0 if self.place is None else self.place

    def chance(self, use: str) -> Generator:
        return generator(self.seed, f"sound {self.name} {use}")

    def times(self) -> Mono:
        """The time of every sample in seconds."""
        return np.arange(self.count, dtype=np.float32) / np.float32(SAMPLE_RATE)

    def walk(self, use: str, period_s: float) -> Mono:
        """A random walk between 0 and 1, one swing in about `period_s`, as points of the control rate."""
        walk = wander(self.seed, f"sound {self.name} {use}", self.control_times(), period_s)
        return np.asarray(0.5 + 0.5 * np.tanh(walk), np.float32)

    def spread(self, points: Mono) -> Mono:
        """Points of the control rate as one value for each sample, on straight lines between them."""
        along = np.arange(CONTROL_STEP, dtype=np.float32) / np.float32(CONTROL_STEP)
        lines = points[:-1, None] + np.diff(points)[:, None] * along
        return np.asarray(lines.reshape(-1)[: self.count], np.float32)

    def control_times(self) -> Mono:
        """The times of the points of the control rate, in seconds."""
        return np.arange(self.count // CONTROL_STEP + 2, dtype=np.float32) * np.float32(CONTROL_STEP / SAMPLE_RATE)

    def drift(self, use: str, period_s: float) -> Mono:
        """A walk as one value for each sample."""
        return self.spread(self.walk(use, period_s))

    def moments(self, use: str, per_s: float) -> list[int]:
        """Random samples at which something happens, so many per second on average, in order."""
        count = round(per_s * self.duration_s)
        return [int(at) for at in np.sort(self.chance(use).integers(0, max(1, self.count), count))]


def band(low_hz: float, high_hz: float, tilt_db: float = 0.0, steep: int = 2) -> Shape:
    """A band with soft edges; within it the level falls (or rises) by `tilt_db` per octave."""

    def gains(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        slope = 10 ** (tilt_db / 20 * np.log2(hz / low_hz))
        edges = np.sqrt((1 + (low_hz / hz) ** (2 * steep)) * (1 + (hz / high_hz) ** (2 * steep)))
        return np.asarray(slope / edges, np.float64)

    return gains


def peaks(*resonances: tuple[float, float, float]) -> Shape:
    """Resonances, each with its frequency in Hz, its width in octaves and its gain: what a mouth or a pipe lets out."""

    def gains(hz: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros_like(hz)
        for centre_hz, octaves, gain in resonances:
            total += gain * np.exp(-0.5 * (np.log2(hz / centre_hz) / (octaves / 2)) ** 2)
        return total

    return gains


def noise(chance: Generator, count: int, shape: Shape) -> Mono:
    """Noise of that colour with unit deviation."""
    size = min(smooth_size(count), LOOP_SIZE)
    spectrum = chance.standard_normal(2 * (size // 2 + 1), np.float32).view(np.complex64) * sampled(shape, size)
    loop = np.fft.irfft(spectrum, size)
    return np.asarray(np.resize(loop / max(1e-9, float(loop.std())), count), np.float32)


def stereo_noise(chance: Generator, count: int, shape: Shape, width: float = 1.0) -> Stereo:
    """Noise on both sides: width 1 has nothing in common between them (it is all around), 0 is in the middle."""
    left, right = noise(chance, count, shape), noise(chance, count, shape)
    if width < 1:
        right = np.float32(1 - width) * left + np.float32(np.sqrt(1 - (1 - width) ** 2)) * right
    return np.stack([left, right])


def filtered(sound: NDArray[np.float32], shape: Shape) -> NDArray[np.float32]:
    """The sound (… × n) through a filter without delay."""
    count = sound.shape[-1]
    size = smooth_size(count + SAMPLE_RATE // 20)
    spectrum = np.fft.rfft(sound, size) * sampled(shape, size)
    return np.asarray(np.fft.irfft(spectrum, size)[..., :count], np.float32)


def sampled(shape: Shape, size: int) -> Mono:
    """The shape at the frequencies of a transform of `size` samples; nothing below hearing."""
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    return np.asarray(np.interp(hz, SHAPE_POINTS, shape(SHAPE_POINTS), left=0.0), np.float32)


def smooth_size(count: int) -> int:
    """The next size with no prime factor above 5: transforms of such sizes are several times as fast."""
    best = 1 << max(0, count - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            size = three
            while size < count:
                size *= 2
            best = min(best, size)
            three *= 3
        five *= 5
    return best


def decay(count: int, fall_s: float, rise_s: float = 0.002) -> Mono:
    """A short rise, then a fall to a third every `fall_s`; ends at nought."""
    times = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    rise = np.minimum(1, times / np.float32(max(rise_s, 1e-4)))
    tail = np.minimum(1, (count - 1 - np.arange(count, dtype=np.float32)) / max(1, count // 8))
    return np.asarray(rise * np.exp(-times / np.float32(fall_s)) * tail, np.float32)


def partials(count: int, tones: Iterable[tuple[float, float, float]]) -> Mono:
    """Tones that die away together: each with its frequency in Hz, its gain and the seconds it takes to a third."""
    times = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    sound = np.zeros(count, np.float32)
    for hz, gain, fall_s in tones:
        # The phase is kept small: float32 loses the fractions of large ones.
        phase = np.modf(np.arange(count) * (hz / SAMPLE_RATE))[0].astype(np.float32)
        sound += np.float32(gain) * np.sin(np.float32(2 * np.pi) * phase) * np.exp(-times / np.float32(fall_s))
    return np.asarray(sound * decay(count, fall_s=1e6), np.float32)


def panned(sound: Mono, place: float) -> Stereo:
    """The sound between the two sides with constant power."""
    angle = (min(max(place, -1.0), 1.0) + 1) * np.pi / 4
    return np.stack([sound * np.float32(np.cos(angle)), sound * np.float32(np.sin(angle))])


def add_grain(track: Stereo, grain: Mono, at: int, gain: float, place: float) -> None:
    """Lay a short sound into the track from sample `at` on; what reaches beyond an end is left out."""
    start, stop = max(0, at), min(track.shape[1], at + len(grain))
    if start < stop:
        piece = grain[start - at : stop - at]
        angle = (min(max(place, -1.0), 1.0) + 1) * np.pi / 4
        track[0, start:stop] += np.float32(gain * np.cos(angle)) * piece
        track[1, start:stop] += np.float32(gain * np.sin(angle)) * piece
