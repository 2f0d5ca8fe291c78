"""Loudness and true peak by ITU-R BS.1770: how loud a listener finds a sound, and how high its wave really rises."""

from math import log10, pi, tan

import numpy as np
from numpy.typing import NDArray

from filmgate.engines.preview.sound.signal import SAMPLE_RATE, Stereo, smooth_size

__all__ = ["SILENT_LUFS", "integrated_loudness", "true_peak"]

SILENT_LUFS = -70.0
"""The absolute gate: what is below counts as silence."""
RELATIVE_GATE_LU = 10.0
BLOCK_S, OVERLAP = 0.4, 4
OFFSET_DB = -0.691
OVERSAMPLING = 4
TAPS = 24
WARM_UP_S = 0.2


def integrated_loudness(sound: Stereo) -> float:
    """The loudness of all of it in LUFS, both gates applied; -70 for silence.

    A sound shorter than a block of 0.4 s is measured as one block.
    """
    if not sound.size:
        return SILENT_LUFS
    hop = round(BLOCK_S * SAMPLE_RATE / OVERLAP)
    weighted = k_weighted(sound)
    count = weighted.shape[1] // hop
    if count < OVERLAP:
        energy = np.mean(np.square(weighted), axis=1).sum(keepdims=True)
    else:
        steps = np.square(weighted[:, : count * hop]).reshape(2, count, hop).mean(axis=2).sum(axis=0)
        energy = np.convolve(steps, np.full(OVERLAP, 1 / OVERLAP), "valid")
    heard = energy[energy > 10 ** ((SILENT_LUFS - OFFSET_DB) / 10)]
    if not len(heard):
        return SILENT_LUFS
    gate = float(heard.mean()) * 10 ** (-RELATIVE_GATE_LU / 10)
    return OFFSET_DB + 10 * log10(float(heard[heard > gate].mean()))


def true_peak(sound: Stereo) -> float:
    """The highest point of the wave between the samples too, in dB relative to full scale; -120 for silence."""
    highest = float(np.abs(sound).max(initial=0.0))
    if highest < 1e-6:
        return -120.0
    for phase in range(1, OVERSAMPLING):
        weights = interpolator(phase / OVERSAMPLING)
        highest = max(highest, *(float(np.abs(np.convolve(side, weights, "same")).max()) for side in sound))
    return 20 * log10(highest)


def interpolator(shift: float) -> NDArray[np.float32]:
    """Weights of the samples around a point `shift` samples after one: a windowed sinc."""
    offsets = np.arange(TAPS) - TAPS // 2 - shift
    window = np.cos(pi * offsets / (TAPS + 2)) ** 2
    return np.asarray(np.sinc(offsets) * window, np.float32)


def k_weighted(sound: Stereo) -> NDArray[np.float32]:
    """The sound as it reaches the ear: both filters of the recommendation, by one transform."""
    count = sound.shape[1]
    size = smooth_size(count + int(WARM_UP_S * SAMPLE_RATE))
    turn = np.exp(-2j * pi * np.arange(size // 2 + 1) / size)
    response = (biquad(turn, *high_shelf()) * biquad(turn, *high_pass())).astype(np.complex64)
    return np.fft.irfft(np.fft.rfft(sound, size) * response, size)[:, :count].astype(np.float32)


def biquad(
    turn: NDArray[np.complex128], ahead: tuple[float, float, float], back: tuple[float, float]
) -> NDArray[np.complex128]:
    """The response of a second-order filter on the unit circle, where `turn` is a delay of one sample."""
    top = ahead[0] + turn * (ahead[1] + turn * ahead[2])
    return np.asarray(top / (1 + turn * (back[0] + turn * back[1])), np.complex128)


def high_shelf() -> tuple[tuple[float, float, float], tuple[float, float]]:
    """What the head adds above 1.5 kHz: the recommendation's first stage as its analogue prototype."""
    gain, knee, steep = 10 ** (3.999843853973347 / 20), tan(pi * 1681.974450955533 / SAMPLE_RATE), 0.7071752369554196
    middle = gain**0.4996667741545416
    scale = 1 + knee / steep + knee * knee
    ahead = (
        (gain + middle * knee / steep + knee * knee) / scale,
        2 * (knee * knee - gain) / scale,
        (gain - middle * knee / steep + knee * knee) / scale,
    )
    return ahead, (2 * (knee * knee - 1) / scale, (1 - knee / steep + knee * knee) / scale)


def high_pass() -> tuple[tuple[float, float, float], tuple[float, float]]:
    """What nobody hears below 40 Hz, taken off: the recommendation's second stage."""
    angle, quality = 2 * pi * 38.13547087602444 / SAMPLE_RATE, 0.5003270373238773
    knee = tan(angle / 2)
    scale = 1 + knee / quality + knee * knee
    return (1.0, -2.0, 1.0), (2 * (knee * knee - 1) / scale, (1 - knee / quality + knee * knee) / scale)
