"""What moves between two neighbouring frames, and the frames in between.

Optical flow is measured both ways. A pixel of an in-between frame may have moved as the flow from the earlier frame
says, as the flow from the later one says, or not at all. Under each of the three it comes from one place in the
earlier frame and one in the later; the better the two places agree, the more that motion counts. So where something
is covered or uncovered, the flow of the side that sees it wins; where moving makes the frames agree no better than
standing still, what is left is a cross-fade; and what enters or leaves at an edge is taken from the frame that has it.
Two frames that agree almost nowhere, however moved, are of different scenes: between them all is cross-fade. Flow is
turned around, from "where does this pixel go" to "where does this one come from", by fixed-point iteration. Flow and
agreement vary slowly and are handled at half size; only the pixels are looked up at full size.

Source of the flow: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016, as OpenCV has it.
"""

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.encoding.picture import Picture

__all__ = ["Motion"]

Plane = NDArray[np.float32]
"""Height × width."""
Field = NDArray[np.float32]
"""Height × width × 2: for each pixel a place or a way, in pixels to the right and down."""
Size = tuple[int, int]
"""Width and height."""
Values = TypeVar("Values", NDArray[np.uint8], NDArray[np.float32])

_INVERSIONS = 3
_WINDOW_PX = 5
"""Side of the square over which agreement is averaged, at half size."""
_TOLERANCE = 2.0
"""Levels of brightness (of 255) that two places may differ until a motion counts 1/e."""
_LEAST = 0.01
"""What a motion counts at least: where nothing agrees, the ones that were measured decide and not standing still."""
_OUTSIDE = 1e-3
"""What a place outside its frame counts beside one inside; not 0, so that there is always a colour."""
_NARROWEST_PX = 32
"""Below this side the search has no room for its patches at the sizes that it looks at, and OpenCV's may crash."""
_SAME_SCENE = 0.1
"""Mean agreement from which two frames are of one scene: it is 0.4 and more in motion, 0.02 at most across a cut."""
_ABSENT: Any = None
"""An argument that OpenCV takes as left out, though its type hints say that it must be given."""


class Motion:
    """The motion from one frame to the next, both height × width × 3 uint8 RGB with even sides of at least 16 px."""

    def __init__(self, earlier: Picture, later: Picture) -> None:
        height, width = earlier.shape[:2]
        self._frames = earlier, later
        self._size, self._half = (width, height), (width // 2, height // 2)
        self._places, self._full_places = _grid(self._half), _grid(self._size)
        lumas = [np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in self._frames]
        self._onward, self._back = self._flow(*lumas), self._flow(*lumas[::-1])
        self._lumas = [_resized(luma, self._half).astype(np.float32) for luma in lumas]
        self._still_counts = _agreement(*self._lumas)
        arrived = _looked_up(self._lumas[1], self._places + self._onward)
        self._same_scene = bool(_agreement(self._lumas[0], arrived).mean() >= _SAME_SCENE)

    def at(self, phase: float) -> Picture:
        """The frame at `phase` of the way from the earlier frame (0) to the later one (1)."""
        faded = np.asarray(cv2.addWeighted(self._frames[0], 1 - phase, self._frames[1], phase, 0), np.uint8)
        if not self._same_scene:
            return faded
        by_onward, onward_counts = self._moved(_arriving(self._onward, phase, self._places), phase)
        by_back, back_counts = self._moved(-_arriving(self._back, 1 - phase, self._places), phase)
        moved = self._mixed(by_onward, by_back, onward_counts, back_counts)
        return self._mixed(moved, faded, onward_counts + back_counts, self._still_counts)

    def _moved(self, way: Field, phase: float) -> tuple[Picture, Plane]:
        """The frame if everything went this way, and how much that counts where (at half size)."""
        spans = -phase, 1 - phase
        places = [_along(self._places, way, span) for span in spans]
        inside = [_inside(place, self._half) for place in places]
        lumas = [_looked_up(luma, place) for luma, place in zip(self._lumas, places, strict=True)]
        # With one of the places outside there is nothing to disagree with.
        counts = np.maximum(_agreement(*lumas), 1 - np.minimum(*inside)) + np.float32(_LEAST)
        full_way = _resized(way, self._size)
        earlier, later = (
            _looked_up(frame, _along(self._full_places, full_way, 2 * span), cv2.INTER_CUBIC)
            for frame, span in zip(self._frames, spans, strict=True)
        )
        earlier_counts, later_counts = (
            np.float32(nearness) * (seen + np.float32(_OUTSIDE))
            for nearness, seen in zip((1 - phase, phase), inside, strict=True)
        )
        return self._mixed(earlier, later, earlier_counts, later_counts), counts

    def _mixed(self, first: Picture, second: Picture, first_counts: Plane, second_counts: Plane) -> Picture:
        """The average of two frames, weighted pixel by pixel with planes of half size."""
        counts = _resized(first_counts, self._size), _resized(second_counts, self._size)
        return np.asarray(cv2.blendLinear(first, second, *counts), np.uint8)

    def _flow(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Field:
        """Where each pixel of the first is in the second, at half size and in its pixels; still if it is too narrow."""
        if min(self._size) < _NARROWEST_PX:
            return np.zeros_like(self._places)
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        flow = np.asarray(search.calc(first, second, _ABSENT), np.float32)
        # On tiny frames the search leaves values that are no numbers.
        half: Field = np.nan_to_num(_resized(flow, self._half), nan=0.0, posinf=0.0, neginf=0.0)
        return half * np.float32(0.5)


def _arriving(flow: Field, share: float, places: Field) -> Field:
    """For every place the flow of what arrives there after `share` of its way."""
    arriving = flow
    for _ in range(_INVERSIONS):
        arriving = _looked_up(flow, _along(places, arriving, -share))
    return arriving


def _agreement(first: Plane, second: Plane) -> Plane:
    """1 where the surroundings of a pixel are equally bright in both, towards 0 where they differ."""
    difference = cv2.blur(cv2.absdiff(first, second), (_WINDOW_PX, _WINDOW_PX))
    return np.asarray(np.exp(difference / np.float32(-_TOLERANCE)), np.float32)


def _along(places: Field, way: Field, share: float) -> Field:
    return np.asarray(cv2.scaleAdd(way, share, places), np.float32)


def _inside(places: Field, size: Size) -> Plane:
    """1 where a place is in a frame of this size, 0 where it is not."""
    within = cv2.inRange(places, (-0.5, -0.5), (size[0] - 0.5, size[1] - 0.5))
    return (within > 0).astype(np.float32)


def _looked_up(values: Values, places: Field, interpolation: int = cv2.INTER_LINEAR) -> Values:
    """The values at places between the pixels; outside those of the edge."""
    found = cv2.remap(values, places, _ABSENT, interpolation, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, values.dtype)


def _resized(values: Values, size: Size) -> Values:
    shrinks = size[0] < values.shape[1]
    found = cv2.resize(values, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(found, values.dtype)


def _grid(size: Size) -> Field:
    """Every place of a frame of this size."""
    return np.dstack(np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)))
