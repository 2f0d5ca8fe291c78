"""A mouth that talks: the jaw of a face opens and closes with a sound, on the finished frame.

Known of the mouth are its corners and the eyes; the line at which it opens is found by its darkness. What lies below it
moves down, most in the middle, and comes to rest below the chin; the gap is filled with the dark of a mouth. On small
faces, and on those seen from the side, nothing moves.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.pixels import Plane
from filmgate.engines.preview.scene import Scene

__all__ = ["Mouth", "find_mouth", "open_mouth"]

LEAST_FACE_PX = 40
CHIN = 0.75
"""The way from mouth to chin, in shares of that from the eyes to the mouth."""
NARROWEST = 0.4
"""A mouth narrower than this share of the way from the eyes down to it is seen from the side."""
WIDEST_OPEN = 0.22
"""How far the lower lip falls at most, in shares of the way to the chin."""
LEAST_OPEN = 0.04
SAGS = np.linspace(-0.2, 0.9, 34)
"""How far the middle of a lip line may hang below its corners, in shares of the half mouth."""
TEETH_LIGHT = 18.0
"""Levels of grey by which teeth are lighter than the lips on both sides of them."""
DARK_PREFERENCE = 8.0
DARK = np.array([20, 6, 6], np.float32)

Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LipLine:
    """Where a mouth opens: how far that line hangs (in shares of the half mouth), and the colour of the lip below."""

    sag: float
    lip: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Mouth:
    """A mouth on the canvas, as `points`: its corners and the chin (3 × 2, pixels from the canvas's centre).

    `on_subject`: the subject's layer holds it.
    """

    points: Points
    line: LipLine
    disparity: float
    on_subject: bool


def find_mouth(scene: Scene) -> Mouth | None:
    """The mouth of the largest face; None if there is none to be moved."""
    face = scene.faces[0] if scene.faces else None
    if face is None or face.mouth is None or face.eyes is None or face.bottom - face.top < LEAST_FACE_PX:
        return None
    right, left = (np.asarray(corner, np.float32) for corner in face.mouth)
    middle = np.asarray((right + left) / 2, np.float32)
    eyes = np.mean(np.asarray(face.eyes, np.float32), axis=0)
    if np.linalg.norm(left - right) < NARROWEST * np.linalg.norm(middle - eyes):
        return None
    chin = middle + CHIN * (middle - eyes)
    canvas = scene.canvas
    points = np.stack([right, left, chin]) + np.float32(0.5)
    points -= np.array([canvas.frame_width / 2, canvas.frame_height / 2], np.float32)
    on_subject, disparity = layer_at(scene, middle)
    line = lip_line(scene.picture, right, left, np.asarray(chin, np.float32))
    return Mouth(points.astype(np.float32), line, disparity, on_subject)


def layer_at(scene: Scene, point: Points) -> tuple[bool, float]:
    """Whether the subject's layer is what is seen at a point of the frame, and the disparity there."""
    canvas = scene.canvas
    x = min(max(0, int(point[0]) + canvas.ring_x), canvas.width - 1)
    y = min(max(0, int(point[1]) + canvas.ring_y), canvas.height - 1)
    subject = scene.subject
    on_subject = subject is not None and int(subject.layer[y, x, 3]) > 127
    plane = subject.disparity if subject is not None and on_subject else scene.plate_disparity
    row, column = y * plane.shape[0] // canvas.height, x * plane.shape[1] // canvas.width
    return on_subject, float(plane[row, column])


def lip_line(picture: Picture, right: Points, left: Points, chin: Points) -> LipLine:
    """The line at which the mouth opens.

    In a closed mouth that line is the darkest arc between the corners. In a smile that shows teeth it is where their
    light ends: the teeth are the upper ones, and stay.
    """
    middle, half = (right + left) / 2, (left - right) / 2
    across = np.linspace(-0.6, 0.6, 25, dtype=np.float32)
    down = (chin - middle) / np.linalg.norm(chin - middle) * np.linalg.norm(half)
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), max(0.5, float(np.linalg.norm(half)) / 14)), np.uint8)
    hang = SAGS[:, None].astype(np.float32) * (1 - across * across)
    points = (middle + across[:, None] * half + hang[..., None] * down).astype(np.float32)
    x, y = points[..., 0], points[..., 1]
    colours = np.asarray(cv2.remap(soft, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
    light = colours.mean(axis=(1, 2))
    brightest = int(np.argmax(light[:-2]))
    shows_teeth = float(light[brightest] - max(light[0], light[brightest:].min())) > TEETH_LIGHT
    if shows_teeth:
        at = brightest + int(np.argmin(np.diff(light[brightest:])))
    else:
        at = int(np.argmin(light + DARK_PREFERENCE * np.abs(SAGS)))
    lip = colours[min(at + 4, len(SAGS) - 1)].mean(axis=0)
    return LipLine(float(SAGS[at]), np.asarray(lip, np.float32))


def open_mouth(frame: Picture, mouth: Mouth, seen: Points, opening: float) -> None:
    """Open the mouth in a finished frame, in place.

    `seen` is where its points are in the frame, in pixels; `opening` is 0 (as it is) to 1.
    """
    right, left, chin = seen
    middle, half = (right + left) / 2, float(np.linalg.norm(left - right)) / 2
    drop = float(np.linalg.norm(chin - middle))
    window = window_around(frame, middle, 2.2 * half + drop, 2 * drop)
    if opening < LEAST_OPEN or half < 4 or window is None:
        return
    rows, columns = window
    x, y = np.meshgrid(
        np.arange(columns.start, columns.stop, dtype=np.float32), np.arange(rows.start, rows.stop, dtype=np.float32)
    )
    along, downward = (left - right) / (2 * half), (chin - middle) / drop
    across = ((x - middle[0]) * along[0] + (y - middle[1]) * along[1]) / np.float32(half)
    below = (x - middle[0]) * downward[0] + (y - middle[1]) * downward[1]
    arch = np.maximum(0, 1 - across * across)
    below = below - np.float32(mouth.line.sag * half) * arch
    fall = np.float32(opening * WIDEST_OPEN * drop)
    gap = fall * arch ** np.float32(0.8)
    moved = fallen(across, below, gap, fall, drop)
    piece = frame[window].copy()
    warped = cv2.remap(
        piece,
        x - np.float32(columns.start) - moved * downward[0],
        y - np.float32(rows.start) - moved * downward[1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    frame[window] = filled(np.asarray(warped, np.uint8), mouth.line, below, gap, half)


def fallen(across: Plane, below: Plane, gap: Plane, fall: np.float32, drop: float) -> Plane:
    """How far down each pixel has moved: the lip by the gap, the jaw as a whole, nothing above or under the chin."""
    jaw = np.float32(0.9) * fall * np.exp(-((across / np.float32(1.7)) ** 4))
    chin = smooth(below / np.float32(0.45 * drop))
    rest = 1 - smooth((below - np.float32(0.9 * drop)) / np.float32(0.7 * drop))
    return np.asarray(np.where(below > 0, (gap + (jaw - gap) * chin) * rest, 0), np.float32)


def filled(warped: Picture, line: LipLine, below: Plane, gap: Plane, half: float) -> Picture:
    """The gap painted with the dark of a mouth."""
    soft = np.float32(max(1.0, half / 12))
    inside = np.minimum(below, gap - below) / soft + np.float32(0.5)
    shown = (inside.clip(0, 1) * np.minimum(1, gap / soft))[..., None]
    colour = line.lip * np.float32(0.16) + DARK
    return np.asarray((warped * (1 - shown) + colour * shown).clip(0, 255), np.uint8)


def window_around(frame: Picture, middle: Points, reach_x: float, reach_y: float) -> tuple[slice, slice] | None:
    """The part of the frame around a point, or None where it lies outside."""
    height, width = frame.shape[:2]
    reach = max(reach_x, reach_y)
    top, bottom = max(0, int(middle[1] - reach)), min(height, int(middle[1] + reach) + 1)
    left, right = max(0, int(middle[0] - reach)), min(width, int(middle[0] + reach) + 1)
    return (slice(top, bottom), slice(left, right)) if bottom - top > 8 and right - left > 8 else None


def smooth(share: Plane) -> Plane:
    """0 to 1 with a gentle start and end."""
    held = share.clip(0, 1)
    return np.asarray(held * held * (3 - 2 * held), np.float32)
