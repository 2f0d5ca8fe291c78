"""Which part of the frame a later shot shows. The first shot always shows all of it: it starts at the input picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from filmgate.engines.preview.chance import generator
from filmgate.engines.preview.scene import Box, Scene

__all__ = ["FULL_VIEW", "View", "choose_view", "framed_view", "views_differ"]

LEAST_RATIO = 1.25
LEAST_SHIFT = 0.14
"""Two shots whose sizes differ less than the ratio and whose centres are nearer than this share look like a jump."""
ALTERNATIVES = ("close_up", "side", "medium", "low_angle", "wide", "extreme_close_up")
OVERSCAN = 0.04
"""How far a view may reach into the ring, as a share of the frame; the rest is left for the camera's moves."""


@dataclass(frozen=True, slots=True)
class View:
    """A crop of the frame's own shape: its size as a share of the frame, its centre as shares from the middle."""

    scale: float = 1.0
    centre_x: float = 0.0
    centre_y: float = 0.0


FULL_VIEW = View()


def choose_view(scene: Scene, framing: str | None, before: View, *, seed: int, shot: int) -> View:
    """A view that a viewer sees as another shot than `before`: the named framing if it is, else the next that is."""
    start = int(generator(seed, f"framing {shot}").integers(3))
    order = (*ALTERNATIVES[start:3], *ALTERNATIVES[:start], *ALTERNATIVES[3:])
    wanted: Sequence[str] = order if framing is None else (framing, *order)
    views = [framed_view(scene, name) for name in wanted]
    return next((view for view in views if views_differ(before, view)), views[0])


def views_differ(first: View, second: View) -> bool:
    ratio = max(first.scale / second.scale, second.scale / first.scale)
    shift = abs(first.centre_x - second.centre_x) + abs(first.centre_y - second.centre_y)
    return ratio > LEAST_RATIO or shift > LEAST_SHIFT


def framed_view(scene: Scene, framing: str) -> View:
    """The crop that a framing word asks for, around the faces if there are any, else around the subject."""
    width, height = scene.canvas.frame_width, scene.canvas.frame_height
    subject = scene.focus
    face = face_box(scene)
    centre_x = subject.centre_x / width - 0.5
    top, tall = subject.top / height - 0.5, subject.height / height
    if face is not None:
        at = (face.centre_x / width - 0.5, face.centre_y / height - 0.5)
        size = max(face.height / height, face.width / width)
        close, closest = min(max(2.4 * size, 0.42), 0.62), min(max(1.5 * size, 0.3), 0.45)
    else:
        at = (centre_x, top + 0.36 * tall)
        close, closest = min(max(0.75 * tall, 0.42), 0.55), min(max(0.5 * tall, 0.3), 0.38)
    table: Mapping[str, View] = {
        "extreme_close_up": View(closest, *at),
        "close_up": View(close, *at),
        "medium": View(0.74, at[0] * 0.8, top + 0.40 * tall),
        "wide": View(1.06),
        "side": View(0.66, at[0] + (0.12 if at[0] <= 0 else -0.12), at[1] + 0.05),
        "low_angle": View(0.72, centre_x * 0.6, 0.12),
        "high_angle": View(0.78, centre_x * 0.6, -0.10),
    }
    return within_frame(table[framing])


def face_box(scene: Scene) -> Box | None:
    """The largest face, or all faces of about its size together: a close-up of two people cuts neither."""
    if not scene.faces:
        return None
    tallest = scene.faces[0].bottom - scene.faces[0].top
    faces = [face for face in scene.faces if face.bottom - face.top > 0.6 * tallest]
    return Box(
        min(face.left for face in faces),
        min(face.top for face in faces),
        max(face.right for face in faces),
        max(face.bottom for face in faces),
    )


def within_frame(view: View) -> View:
    slack = max(0.0, (1 - view.scale) / 2 + (OVERSCAN if view.scale <= 1 else 0.0))
    x, y = (min(max(centre, -slack), slack) for centre in (view.centre_x, view.centre_y))
    return View(view.scale, x, y)
