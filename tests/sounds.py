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
