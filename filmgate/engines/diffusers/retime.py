"""From the frames that a model makes at its own rate to the frames of the clip.

An output frame shows the moment at a position on the line of source frames: 2.4 is four tenths of the way from frame 2
to frame 3. At a whole position it is that very frame. Between two frames it is, as one chooses, the earlier one
(`duplicate`), a cross-fade of both (`blend`), or what optical flow says stands between them (`flow`). Measured by
bench/retime.py.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Literal

import cv2
import numpy as np

from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.motion import Motion

__all__ = ["INTERPOLATIONS", "Interpolation", "retimed"]

Interpolation = Literal["duplicate", "blend", "flow"]
Between = Callable[[float], Picture]
"""Makes the frame at a phase of the way from one frame (0) to the next (1)."""


def _duplicate(earlier: Picture, _: Picture) -> Between:
    return lambda _: earlier


def _blend(earlier: Picture, later: Picture) -> Between:
    return lambda phase: np.asarray(cv2.addWeighted(earlier, 1 - phase, later, phase, 0), np.uint8)


def _flow(earlier: Picture, later: Picture) -> Between:
    return Motion(earlier, later).at


INTERPOLATIONS: Mapping[Interpolation, Callable[[Picture, Picture], Between]] = {
    "duplicate": _duplicate,
    "blend": _blend,
    "flow": _flow,
}


def retimed(
    frames: Iterable[Picture], positions: Iterable[Fraction], interpolation: Interpolation
) -> Iterator[Picture]:
    """One frame for each position, the positions ascending from 0; `frames` are height × width × 3 uint8 RGB.

    Takes the frames one by one, holds two of them, and leaves those unread that no position needs. A frame may be
    given out more than once. Raises ValueError when a position is beyond the last frame or behind the one before.
    """
    pair = _Pair(iter(frames), INTERPOLATIONS[interpolation])
    for position in positions:
        index = int(position)
        yield pair.between(index, float(position - index))


class _Pair:
    """Two neighbouring source frames; the later one is the last that was read, and number `reached`."""

    def __init__(self, frames: Iterator[Picture], interpolate: Callable[[Picture, Picture], Between]) -> None:
        self._frames = frames
        self._interpolate = interpolate
        self._reached = -1
        self._held: tuple[Picture, ...] = ()
        self._between: Between | None = None

    def between(self, index: int, phase: float) -> Picture:
        """The frame at `phase` after the source frame `index`."""
        self._reach(index + 1 if phase > 0 else index)
        if index < 0 or self._reached - index >= len(self._held):
            raise ValueError(f"position {index + phase:g} is behind the frames {self._reached - 1} and {self._reached}")
        if phase == 0:
            return self._held[index - self._reached - 1]
        if self._between is None:
            self._between = self._interpolate(*self._held)
        return self._between(phase)

    def _reach(self, index: int) -> None:
        while self._reached < index:
            frame = next(self._frames, None)
            if frame is None:
                raise ValueError(f"frame {index} is needed, but there are only {self._reached + 1}")
            self._held = (*self._held[-1:], frame)
            self._reached += 1
            self._between = None
