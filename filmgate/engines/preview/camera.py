"""Camera moves as poses over time.

A pose says where a point of the scene appears: a point at position s with disparity d is seen at
`(s - focus) * zoom * (1 + approach * d) + focus + pan + shift * (d - pivot)`, then turned by `roll` and cropped to the
view. `shift` moves near and far things differently (the camera travels), `pan` moves all alike (it turns), `approach`
enlarges near things more (it comes closer), `zoom` all alike (the lens). Positions are shares of the frame's width
and height from its centre; content moves against the camera, so panning left moves it to the right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from filmgate.engines.preview.framing import FULL_VIEW, View
from filmgate.engines.preview.moves import Move, MoveKind
from filmgate.engines.preview.scene import Scene

__all__ = ["MOVES", "Pose", "combined_pose", "eased", "focus_point"]

EASE_SHARE = 0.35
"""The share of a shot over which the camera gains speed, and again loses it."""

HAIR_SHARE = 0.45
"""What a head rises above the box of its face, in shares of the box."""

CLOSEST_ZOOM = 1.4
"""About how much a push-in at full strength enlarges a near subject."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera is; see the module's formula. `roll` is in radians."""

    shift_x: float = 0.0
    shift_y: float = 0.0
    approach: float = 0.0
    pan_x: float = 0.0
    pan_y: float = 0.0
    zoom: float = 1.0
    roll: float = 0.0
    pivot: float = 0.5
    focus_x: float = 0.0
    focus_y: float = 0.0
    view: View = FULL_VIEW


@dataclass(frozen=True, slots=True)
class Travel:
    """How far one move goes at full strength. `focus` is how much it aims at the subject rather than the middle."""

    shift_x: float = 0.0
    shift_y: float = 0.0
    approach: float = 0.0
    pan_x: float = 0.0
    pan_y: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0
    focus: float = 0.0
    around_subject: bool = False
    holds_subject: bool = False


MOVES: Mapping[MoveKind, Travel] = {
    "push_in": Travel(approach=0.42, zoom=0.04, focus=0.9),
    "pull_out": Travel(approach=-0.30, zoom=-0.03),
    "zoom_in": Travel(zoom=0.28, focus=1.0),
    "zoom_out": Travel(zoom=-0.13),
    # Away from the subject while the lens closes in: the subject keeps its size and the background looms.
    "dolly_zoom": Travel(zoom=0.38, focus=0.9, holds_subject=True),
    "pan_left": Travel(pan_x=0.085),
    "pan_right": Travel(pan_x=-0.085),
    "tilt_up": Travel(pan_y=0.085),
    "tilt_down": Travel(pan_y=-0.085),
    # A little pan goes with every travel: around the pivot alone the mean motion would be nil.
    "truck_left": Travel(shift_x=0.14, pan_x=0.035),
    "truck_right": Travel(shift_x=-0.14, pan_x=-0.035),
    "pedestal_up": Travel(shift_y=0.14, pan_y=0.045),
    "pedestal_down": Travel(shift_y=-0.14, pan_y=-0.045),
    "orbit_left": Travel(shift_x=0.16, zoom=0.05, around_subject=True),
    "orbit_right": Travel(shift_x=-0.16, zoom=0.05, around_subject=True),
    "crane_up": Travel(shift_y=0.11, pan_y=0.06, zoom=-0.02),
    "crane_down": Travel(shift_y=-0.11, pan_y=-0.06, zoom=-0.02),
    "roll": Travel(roll=0.10),
    "static": Travel(),
}


def eased(share: float) -> float:
    """0..1 to 0..1: constant speed between a gentle start and a gentle stop."""
    u, ramp = min(max(share, 0.0), 1.0), EASE_SHARE
    if u < ramp:
        return u * u / (2 * ramp * (1 - ramp))
    if u > 1 - ramp:
        return 1 - (1 - u) * (1 - u) / (2 * ramp * (1 - ramp))
    return (u - ramp / 2) / (1 - ramp)


def focus_point(scene: Scene) -> tuple[float, float]:
    """Where moves aim: the largest face, else the upper part of the subject; so high that its top is never lost."""
    width, height = scene.canvas.frame_width, scene.canvas.frame_height
    if scene.faces:
        face = scene.faces[0]
        x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
        top = face.top - HAIR_SHARE * (face.bottom - face.top)
    else:
        box = scene.focus
        x, y, top = box.centre_x, box.top + 0.38 * box.height, box.top
    # What is enlarged about a point `y` keeps a `top` above it in the frame as long as y <= top * zoom / (zoom - 1).
    y = min(y, max(0.0, top) * CLOSEST_ZOOM / (CLOSEST_ZOOM - 1))
    return min(max(x / width - 0.5, -0.25), 0.25), min(max(y / height - 0.5, -0.5), 0.2)


def combined_pose(
    moves: Sequence[Move], progress: float, *, focus: tuple[float, float], nearness: float, view: View = FULL_VIEW
) -> Pose:
    """The pose after `progress` (0..1, already eased) of all moves at once."""
    pose = Pose(view=view)
    # Within a crop the same travel looks larger: it shrinks with the view. A crop is already aimed at its subject.
    reach = min(1.0, view.scale)
    aim = focus if view == FULL_VIEW else (view.centre_x, view.centre_y)
    for move in moves:
        travel, amount = MOVES[move.kind], move.strength * progress
        zoom = pose.zoom * (1 + travel.zoom * amount)
        approach = pose.approach + travel.approach * amount
        if travel.holds_subject:
            approach += ((1 + 0.04 * amount) / (1 + travel.zoom * amount) - 1) / max(nearness, 0.2)
        pose = replace(
            pose,
            shift_x=pose.shift_x + travel.shift_x * amount * reach,
            shift_y=pose.shift_y + travel.shift_y * amount * reach,
            pan_x=pose.pan_x + travel.pan_x * amount * reach,
            pan_y=pose.pan_y + travel.pan_y * amount * reach,
            approach=approach,
            zoom=zoom,
            roll=pose.roll + travel.roll * amount,
            pivot=nearness if travel.around_subject else pose.pivot,
            focus_x=aim[0] * travel.focus if travel.focus else pose.focus_x,
            focus_y=aim[1] * travel.focus if travel.focus else pose.focus_y,
        )
    return pose
