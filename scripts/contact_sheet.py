"""Lay frames of finished clips on one sheet: a row per clip, evenly spaced from its first frame to its last.

python scripts/contact_sheet.py sheet.png push_in.mp4 pan.mp4 --labels "push in" "pan left"
"""

import argparse
import sys
from itertools import zip_longest
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

GAP_PX = 6
LETTER_SHARE = 0.0022
"""Scale of the labels per pixel of a picture's width."""


def main() -> int:
    arguments = argparse.ArgumentParser(description="Lay frames of finished clips on one sheet.")
    arguments.add_argument("sheet", type=Path, help="the PNG or JPEG to write")
    arguments.add_argument("clips", type=Path, nargs="+")
    arguments.add_argument("--labels", nargs="*", default=[], help="words on the first frame of each clip")
    arguments.add_argument("--columns", type=int, default=5, help="frames per clip")
    arguments.add_argument("--width", type=int, default=320, help="width of one frame in pixels")
    chosen = arguments.parse_args()
    rows = [
        row_of(clip, label or "", chosen.columns, chosen.width)
        for clip, label in zip_longest(chosen.clips, chosen.labels[: len(chosen.clips)])
    ]
    sheet = stacked(rows)
    if not cv2.imwrite(str(chosen.sheet), sheet[..., ::-1]):
        sys.exit(f"{chosen.sheet} could not be written.")
    print(f"{chosen.sheet}: {sheet.shape[1]} × {sheet.shape[0]}")
    return 0


def row_of(clip: Path, label: str, columns: int, width: int) -> NDArray[np.uint8]:
    with av.open(str(clip)) as container:
        frames = container.streams.video[0].frames
    wanted = [round(index * (frames - 1) / max(1, columns - 1)) for index in range(columns)]
    pictures = [shrunk(picture, width) for picture in picked(clip, wanted)]
    if label:
        write_label(pictures[0], label)
    gap = np.full((pictures[0].shape[0], GAP_PX, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.hstack(parts[:-1])


def picked(clip: Path, wanted: list[int]) -> list[NDArray[np.uint8]]:
    """The frames of these numbers, in order; a number may come twice."""
    with av.open(str(clip)) as container:
        found = {
            index: frame.to_ndarray(format="rgb24")
            for index, frame in enumerate(container.decode(video=0))
            if index in set(wanted)
        }
    return [found[index] for index in wanted]


def shrunk(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    height = round(width * picture.shape[0] / picture.shape[1])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def write_label(picture: NDArray[np.uint8], label: str) -> None:
    """White words on a dark bar in the upper left corner."""
    scale = LETTER_SHARE * picture.shape[1]
    margin = round(12 * scale)
    (width, height), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    picture[: height + 2 * margin, : width + 2 * margin] //= 4
    at = (margin, height + margin)
    cv2.putText(picture, label, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)


def stacked(rows: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The rows under each other on white, whatever their widths."""
    width = max(row.shape[1] for row in rows)
    parts = []
    for row in rows:
        wide = np.full((row.shape[0] + GAP_PX, width, 3), 255, np.uint8)
        wide[: row.shape[0], : row.shape[1]] = row
        parts.append(wide)
    return np.vstack(parts)[:-GAP_PX]


if __name__ == "__main__":
    sys.exit(main())
