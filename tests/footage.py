"""Reads finished clips back and measures what a viewer would see: motion, cuts, streams."""

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

FLOW_WIDTH = 320
FLOW_STEP = 6


@dataclass(frozen=True)
class Footage:
    """A clip as its streams describe themselves; lengths in seconds, sound as 2 × samples or None."""

    width: int
    height: int
    frames: int
    rate: float
    codec: str
    profile: str
    pixels: str
    video_s: float
    audio_s: float | None
    audio_codec: str | None
    audio_rate: int | None
    sound: NDArray[np.float32] | None
    comment: str
    boxes: tuple[str, ...]


@dataclass(frozen=True)
class Motion:
    """Mean optical flow over a clip, in pixels of a 320-pixel-wide picture per six frames."""

    x: float
    y: float
    divergence: float
    curl: float
    magnitude: float


def read_frames(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def read_footage(path: Path) -> Footage:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        audio = container.streams.audio[0] if container.streams.audio else None
        frames = sum(1 for _ in container.decode(video))
        container.seek(0)
        sound = None if audio is None else np.concatenate([f.to_ndarray() for f in container.decode(audio)], axis=1)
        return Footage(
            width=video.width,
            height=video.height,
            frames=frames,
            rate=float(video.average_rate or 0),
            codec=video.codec_context.name,
            profile=str(video.profile),
            pixels=str(video.pix_fmt),
            video_s=float((video.duration or 0) * video.time_base),
            audio_s=None if audio is None else float((audio.duration or 0) * audio.time_base),
            audio_codec=None if audio is None else audio.codec_context.name,
            audio_rate=None if audio is None else audio.codec_context.sample_rate,
            sound=sound,
            comment=container.metadata.get("comment", ""),
            boxes=top_boxes(path),
        )


def top_boxes(path: Path) -> tuple[str, ...]:
    """The names of the file's top-level boxes, in order."""
    content, names, at = path.read_bytes(), [], 0
    while at + 8 <= len(content):
        size, name = struct.unpack(">I4s", content[at : at + 8])
        if size == 1:
            (size,) = struct.unpack(">Q", content[at + 8 : at + 16])
        names.append(name.decode("latin-1"))
        at += max(size, 8)
    return tuple(names)


def measure_motion(frames: list[NDArray[np.uint8]]) -> Motion:
    flow = mean_flow(frames)
    height, width = flow.shape[:2]
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    spread = (x**2 + y**2).mean()
    right, down = flow[..., 0], flow[..., 1]
    return Motion(
        x=float(right.mean()),
        y=float(down.mean()),
        divergence=float((right * x + down * y).mean() / spread),
        curl=float((down * x - right * y).mean() / spread),
        magnitude=float(np.abs(flow).mean()),
    )


def sideways_motion(frames: list[NDArray[np.uint8]], where: NDArray[np.bool_]) -> float:
    """Mean motion to the right of the pixels that are in `where` in the first frame."""
    right = mean_flow(frames)[..., 0]
    small = cv2.resize(where.astype(np.float32), right.shape[::-1], interpolation=cv2.INTER_AREA)
    return float(right[np.asarray(small) > 0.9].mean())


def mean_flow(frames: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    small = [grey(frame) for frame in frames]
    starts = range(0, len(small) - FLOW_STEP, FLOW_STEP)
    flows = [farneback(small[start], small[start + FLOW_STEP]) for start in starts]
    return np.asarray(np.mean(flows, axis=0), np.float32)


def find_cuts(frames: list[NDArray[np.uint8]]) -> list[int]:
    """The frames at which the picture changes all at once."""
    small = [grey(frame).astype(np.float32) for frame in frames]
    steps = np.array([np.abs(after - before).mean() for before, after in pairwise(small)])
    return [int(at) + 1 for at in np.flatnonzero((steps > 12) & (steps > 6 * np.median(steps)))]


def grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = round(FLOW_WIDTH * frame.shape[0] / frame.shape[1])
    small = cv2.resize(frame, (FLOW_WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def farneback(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float32]:
    flow = np.zeros((*before.shape, 2), np.float32)
    return np.asarray(cv2.calcOpticalFlowFarneback(before, after, flow, 0.5, 4, 25, 3, 7, 1.5, 0), np.float32)
