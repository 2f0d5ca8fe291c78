"""What a finished file really is, found out by decoding all of it."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


@dataclass(frozen=True)
class FinishedClip:
    """`sound` is float32 of shape (samples, 2) at `sound_rate`, or None where there is no audio stream."""

    width: int
    height: int
    frames: list[np.ndarray]
    frame_rate: Fraction
    video_s: float
    codec: str
    pixel_format: str
    fast_start: bool
    metadata: dict[str, str]
    sound: np.ndarray | None
    sound_codec: str | None
    sound_rate: int | None
    sound_s: float | None


def read_clip(path: Path, every: int = 1) -> FinishedClip:
    """Decodes every frame and keeps one of `every` (and always counts all: `frames` has None for those not kept)."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames = [
            frame.to_ndarray(format="rgb24") if number % every == 0 else None
            for number, frame in enumerate(container.decode(video))
        ]
        metadata = dict(container.metadata)
        facts = (video.width, video.height, Fraction(video.average_rate), float(video.duration * video.time_base))
        codec, pixel_format = video.codec_context.name, video.codec_context.pix_fmt
        has_sound = bool(container.streams.audio)
    sound, sound_codec, rate, sound_s = _read_sound(path) if has_sound else (None, None, None, None)
    head = path.read_bytes()
    return FinishedClip(
        width=facts[0], height=facts[1], frames=frames, frame_rate=facts[2], video_s=facts[3], codec=codec,
        pixel_format=pixel_format, fast_start=head.find(b"moov") < head.find(b"mdat"), metadata=metadata,
        sound=sound, sound_codec=sound_codec, sound_rate=rate, sound_s=sound_s,
    )  # fmt: skip


def _read_sound(path: Path) -> tuple[np.ndarray, str, int, float]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        chunks = [frame.to_ndarray() for frame in container.decode(stream)]
        duration_s = float(stream.duration * stream.time_base)
        return np.concatenate(chunks, axis=1).T, stream.codec_context.name, stream.rate, duration_s
