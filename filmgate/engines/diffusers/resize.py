"""Frames from the size at which they were rendered to exactly the size that was promised."""

from collections.abc import Iterable, Iterator

import cv2

from filmgate.encoding.picture import Picture, resize_picture

__all__ = ["resized"]


def resized(frames: Iterable[Picture], width: int, height: int) -> Iterator[Picture]:
    """Each frame, whole, at this size: enlarged with Lanczos' filter, shrunk by averaging, or as it is."""
    for frame in frames:
        rows, columns = frame.shape[:2]
        if (columns, rows) == (width, height):
            yield frame
        else:
            grows = width * height > columns * rows
            yield resize_picture(frame, width, height, cv2.INTER_LANCZOS4 if grows else cv2.INTER_AREA)
