"""The sound of a clip as samples: 2 × n float32 in -1..1 at 48 kHz, exactly as long as the clip."""

from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from filmgate.domain.errors import EngineFailure

__all__ = ["SAMPLE_RATE", "Sound", "clip_sound", "silence"]

SAMPLE_RATE = 48_000
FADE_S = 0.05

Sound = NDArray[np.float32]


def silence(duration_s: float) -> Sound:
    return np.zeros((2, samples(duration_s)), np.float32)


def clip_sound(path: Path, duration_s: float) -> Sound:
    """The sound of a file for a clip of this length.

    Longer than the clip: its beginning, with a short fade at the cut. Shorter: silence after it; never looped. Raises
    EngineFailure when the file holds no readable sound.
    """
    wanted = samples(duration_s)
    given = decoded(path, wanted + 1)
    track = np.zeros((2, wanted), np.float32)
    length = min(wanted, given.shape[1])
    track[:, :length] = given[:, :length]
    if given.shape[1] > wanted:
        fade = min(wanted, samples(FADE_S))
        track[:, wanted - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return track


def samples(duration_s: float) -> int:
    return round(duration_s * SAMPLE_RATE)


def decoded(path: Path, most: int) -> Sound:
    """The first `most` samples of the file, or fewer if it is shorter."""
    pieces: list[Sound] = []
    count = 0
    try:
        with av.open(str(path)) as container:
            resampler = AudioResampler("fltp", "stereo", SAMPLE_RATE)
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    pieces.append(np.asarray(piece.to_ndarray(), np.float32))
                    count += pieces[-1].shape[1]
                if count >= most:
                    break
    except (OSError, av.FFmpegError, IndexError) as error:
        raise EngineFailure(f"The input sound {path.name} cannot be read.", code="input_unreadable") from error
    return np.concatenate(pieces, axis=1)[:, :most] if pieces else np.zeros((2, 0), np.float32)
