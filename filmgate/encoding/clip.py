"""Writes finished clips: MP4 (H.264, AAC) through a thread of its own.

The encoder works while the next frames are drawn; a short queue between them bounds memory. A file appears under its
name only when it is whole: until then it has another name, and is removed if anything goes wrong.
"""

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from filmgate.encoding.disk import unwritable
from filmgate.encoding.picture import Picture
from filmgate.encoding.sound import SAMPLE_RATE, Sound

__all__ = ["ClipFormat", "ClipWriter"]

QUEUE_FRAMES = 6
WAIT_S = 0.2
CRF = 20
BT709 = np.array(
    [[0.18259, 0.61423, 0.06201, 16], [-0.10064, -0.33857, 0.43922, 128], [0.43922, -0.39894, -0.04027, 128]],
    np.float32,
)
"""RGB (0..255) to Y'CbCr of limited range, from ITU-R BT.709; three times as fast this way as in FFmpeg's scaler."""
AUDIO_BIT_RATE = 128_000
AVX_512F = 13
"""The feature's number in OpenCV, whose Python names leave it out (CV_CPU_AVX_512F)."""


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """Sides in pixels, frames per second, and the comment that goes into the file (JSON)."""

    width: int
    height: int
    frame_rate: int
    comment: str


class ClipWriter:
    """`with ClipWriter(...) as writer: writer.write(frame)` leaves a finished clip at `path`, or no file at all.

    `sound` is 2 × samples at 48 kHz or None for a clip without audio stream; it is interleaved with the frames and
    should last as long as they do. Raises EngineFailure when the file cannot be written.
    """

    def __init__(self, path: Path, clip: ClipFormat, sound: Sound | None, *, threads: int) -> None:
        self._path = path
        self._part = path.with_name(f"{path.stem}.part{path.suffix}")
        self._clip = clip
        self._sound = sound
        self._threads = threads
        self._frames: queue.Queue[Picture | None] = queue.Queue(QUEUE_FRAMES)
        self._abandoned = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="clip-writer")

    def __enter__(self) -> Self:
        self._encoding = self._thread.submit(self._encode)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.write(None)
                self._settle()
                self._part.replace(self._path)
            else:
                self._abandoned.set()
        finally:
            self._thread.shutdown(wait=True)
            self._part.unlink(missing_ok=True)

    def write(self, frame: Picture | None) -> None:
        """Hand over the next frame (height × width × 3 uint8 RGB), unchanged from then on; None ends the clip."""
        while True:
            if self._encoding.done():
                self._settle()
            try:
                self._frames.put(frame, timeout=WAIT_S)
            except queue.Full:
                continue
            return

    def _settle(self) -> None:
        """Wait for the encoder; what stopped it is raised here, in the thread that draws."""
        try:
            self._encoding.result()
        except (OSError, av.FFmpegError) as error:
            raise unwritable(error) from error

    def _encode(self) -> None:
        options = {"movflags": "+faststart+use_metadata_tags"}
        with av.open(str(self._part), "w", format="mp4", options=options) as container:
            container.metadata["comment"] = self._clip.comment
            video = container.add_stream("libx264", rate=self._clip.frame_rate)
            self._set_up(video)
            track = None if self._sound is None else Track(container, self._sound)
            for count, frame in enumerate(self._given(), start=1):
                for packet in video.encode(converted(frame)):
                    container.mux(packet)
                if track is not None:
                    track.play_until(Fraction(count, self._clip.frame_rate))
            if self._abandoned.is_set():
                return
            for packet in video.encode():
                container.mux(packet)
            if track is not None:
                track.finish()

    def _set_up(self, video: av.VideoStream) -> None:
        video.width, video.height, video.pix_fmt = self._clip.width, self._clip.height, "yuv420p"
        video.options = {"preset": "veryfast", "crf": str(CRF), "profile": "high", **repeatable()}
        context = video.codec_context
        context.thread_count = self._threads
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        context.color_range = ColorRange.MPEG

    def _given(self) -> Iterator[Picture]:
        """The frames as they come, until the end or until the clip is abandoned."""
        while not self._abandoned.is_set():
            try:
                frame = self._frames.get(timeout=WAIT_S)
            except queue.Empty:
                continue
            if frame is None:
                return
            yield frame


class Track:
    """The audio stream of a clip, encoded as far as the frames have come."""

    def __init__(self, container: OutputContainer, sound: Sound) -> None:
        self._container = container
        self._sound = sound
        self._played = 0
        self._stream = container.add_stream("aac", rate=SAMPLE_RATE)
        self._stream.layout = "stereo"
        self._stream.bit_rate = AUDIO_BIT_RATE

    def play_until(self, time_s: Fraction) -> None:
        end = min(self._sound.shape[1], int(time_s * SAMPLE_RATE))
        if end > self._played:
            piece = np.ascontiguousarray(self._sound[:, self._played : end])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
            frame.sample_rate = SAMPLE_RATE
            frame.pts, frame.time_base = self._played, Fraction(1, SAMPLE_RATE)
            self._played = end
            self._mux(frame)

    def finish(self) -> None:
        self._mux(None)

    def _mux(self, frame: av.AudioFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)


def repeatable() -> dict[str, str]:
    """Options with which equal frames give equal bytes.

    x264's AVX-512 code does not: 3 of 60 encodings of the same frames differed from the others, none of 100 with AVX2.
    """
    return {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(AVX_512F) else {}


def converted(frame: Picture) -> av.VideoFrame:
    """The frame as H.264 wants it: 4:2:0, in BT.709 colours of limited range, as the stream says."""
    height, width = frame.shape[:2]
    planes = cv2.transform(frame, BT709)
    luma, *chroma = cv2.split(planes)
    halves = [cv2.resize(plane, (width // 2, height // 2), interpolation=cv2.INTER_AREA) for plane in chroma]
    stacked = np.concatenate([np.asarray(plane).reshape(-1, width) for plane in (luma, *halves)])
    return av.VideoFrame.from_ndarray(np.asarray(stacked, np.uint8), format="yuv420p")
