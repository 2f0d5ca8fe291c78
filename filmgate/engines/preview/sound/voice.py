"""The voice of the optional extra `voice`: quoted English lines, spoken.

The package hibari-tts brings one small voice with it (a woman's, American) and needs no network. A man or a child is
that voice lower or higher: it speaks at another pace, and is then stretched back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from filmgate.encoding.sound import Sound
from filmgate.engines.preview.sound.loudness import integrated_loudness
from filmgate.engines.preview.sound.signal import SAMPLE_RATE, Mono
from filmgate.engines.preview.sound.speech import Line, Speaker

__all__ = ["Spoken", "Voice", "voice_installed"]

VOICE_RATE = 24_000
SPEECH_LUFS = -24.0
PITCH: Mapping[Speaker, float] = {"woman": 1.0, "man": 0.8, "child": 1.16}
LEAD_S, PAUSE_S = 0.35, 0.4
FASTEST = 1.3
"""How much faster a line is said at most so that it fits; one that does not fit even so is left out."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The lines as 2 × samples, as long as the clip, and those that had no room in it."""

    sound: Sound
    left_out: tuple[Line, ...]


class Voice:
    """Speaks. The network is loaded with the first line (about half a second). Not thread-safe."""

    def __init__(self) -> None:
        self._voice: Any = None

    def speak(self, lines: Sequence[tuple[Line, float, float]], *, duration_s: float, seed: int) -> Spoken:
        """The lines one after the other, each not before the second and not beyond the third value (seconds)."""
        count = round(duration_s * SAMPLE_RATE)
        track = np.zeros(count, np.float32)
        left_out: list[Line] = []
        free_s = 0.0
        for number, (line, from_s, until_s) in enumerate(lines):
            at_s = max(free_s, from_s + LEAD_S)
            said = self._fitting(line, until_s - at_s, seed + number)
            if said is None:
                left_out.append(line)
                continue
            start = round(at_s * SAMPLE_RATE)
            track[start : start + len(said)] += said[: count - start]
            free_s = at_s + len(said) / SAMPLE_RATE + PAUSE_S
        return Spoken(levelled(track), tuple(left_out))

    def _fitting(self, line: Line, room_s: float, seed: int) -> Mono | None:
        """The line, said a little faster if it must be; None if it does not fit even so."""
        said = self._say(line, 1.0, seed)
        needed_s = len(said) / SAMPLE_RATE
        if needed_s <= room_s:
            return said
        if needed_s > FASTEST * room_s:
            return None
        said = self._say(line, 1.02 * needed_s / room_s, seed)
        return said if len(said) <= room_s * SAMPLE_RATE else None

    def _say(self, line: Line, pace: float, seed: int) -> Mono:
        if self._voice is None:
            self._voice = import_module("hibari").Hibari(threads=1)
        pitch = PITCH[line.speaker]
        said = np.asarray(self._voice(line.text, speed=pace / pitch, seed=seed), np.float32)
        return stretched(said, round(len(said) * SAMPLE_RATE / VOICE_RATE / pitch))


def voice_installed() -> bool:
    """Whether the extra `voice` is there."""
    return find_spec("hibari") is not None and find_spec("onnxruntime") is not None


def stretched(sound: Mono, count: int) -> Mono:
    """The sound at another rate: as many samples as asked for, nothing mirrored above its own highest tone."""
    if not len(sound) or not count:
        return np.zeros(0, np.float32)
    spectrum = np.fft.rfft(sound)
    wanted = count // 2 + 1
    fitted = np.zeros(wanted, spectrum.dtype)
    fitted[: min(wanted, len(spectrum))] = spectrum[:wanted]
    return np.asarray(np.fft.irfft(fitted, count) * (count / len(sound)), np.float32)


def levelled(track: Mono) -> Sound:
    """The speech in the middle, as loud as speech is in a quiet clip."""
    stereo = np.stack([track, track])
    if not track.any():
        return stereo
    return stereo * np.float32(10 ** ((SPEECH_LUFS - integrated_loudness(stereo)) / 20))
