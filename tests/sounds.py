"""Sounds made for tests."""

import io
import wave

import numpy as np


def tone_wav(seconds: float, rate: int = 22050, frequency: float = 440.0) -> bytes:
    """A mono 16-bit WAV file of one steady tone."""
    samples = 12000 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return stream.getvalue()


def beat_wav(seconds: float, every_s: float = 0.75, rate: int = 48000) -> bytes:
    """A stereo 16-bit WAV file of low tones that strike at once and die away."""
    times = np.arange(round(seconds * rate)) / rate
    samples = 16000 * np.sin(2 * np.pi * 220 * times) * np.exp(-(times % every_s) / 0.25)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples.astype("<i2"), 2).tobytes())
    return stream.getvalue()


def band_share(sound: np.ndarray, low_hz: float, high_hz: float, rate: int = 48000) -> float:
    """The share of a sound's energy (channels × samples) between two frequencies."""
    energy = np.square(np.abs(np.fft.rfft(sound, axis=-1))).sum(axis=0)
    hz = np.fft.rfftfreq(sound.shape[-1], 1 / rate)
    return float(energy[(hz >= low_hz) & (hz < high_hz)].sum() / energy.sum())
