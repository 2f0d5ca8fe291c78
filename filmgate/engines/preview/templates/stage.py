"""Where a template plays: the subject's outline within the frame, the seed's choices, and the clock.

Positions are pixels from the frame's centre, x to the right and y down, as everywhere in the renderer.
"""

from dataclasses import dataclass
from functools import cached_property
from math import pi

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from filmgate.engines.preview.chance import generator
from filmgate.engines.preview.pixels import Layer
from filmgate.engines.preview.scene import Box, Canvas, Scene

__all__ = ["Side", "Stage", "ramp", "set_stage"]

Side = str
"""left, top, right or bottom."""

SOLID = 128
HEAD_SHARE = 0.16
"""The head of a subject without a face, as a share of its height."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a hat sits: the middle of the subject's top, and how wide it is there."""

    x: float
    top: float
    width: float


@dataclass(frozen=True)
class Stage:
    """One template's subject and frame. `box` is the visible part of the subject, `cut` the sides the frame cuts it on.

    `people` is how many faces were found, `apart` the middle between the outermost two of them (the subject's middle
    where there are fewer). `lead` is the direction of the seed's choosing (-1 or 1), `tempo` its speed (about 1),
    `phase` its angle.
    """

    canvas: Canvas
    layer: Layer
    box: Box
    cut: frozenset[Side]
    head: Head
    people: int
    apart: float
    seed: int
    duration_s: float
    lead: float
    tempo: float
    phase: float

    @property
    def width(self) -> int:
        return self.canvas.frame_width

    @property
    def height(self) -> int:
        return self.canvas.frame_height

    @property
    def unit(self) -> float:
        """The frame's shorter side: drawn things are measured in it."""
        return float(min(self.width, self.height))

    @property
    def headroom(self) -> float:
        """How far the subject may rise in pixels; as far as it likes where the frame cuts its top."""
        free = self.box.top + self.height / 2
        return float(self.height) if "top" in self.cut else max(0.0, 0.9 * free)

    @property
    def filled(self) -> bool:
        """Whether the subject leaves little room behind it."""
        return self.box.width * self.box.height > 0.5 * self.width * self.height

    def chance(self, name: str) -> Generator:
        return generator(self.seed, f"template {name}")

    def edges(self, y: float) -> tuple[float, float]:
        """How far the subject reaches to the left and the right at this height."""
        row = int(min(max(y + self.canvas.height / 2, 0), self.canvas.height - 1))
        inside = self._solid_columns(row)
        if not len(inside):
            return self.box.left, self.box.right
        left, right = (float(value) - self.canvas.width / 2 for value in (inside[0], inside[-1]))
        return max(left, -self.width / 2), min(right, self.width / 2)

    def _solid_columns(self, row: int) -> NDArray[np.intp]:
        return np.flatnonzero(self._solid[row])

    @cached_property
    def _solid(self) -> NDArray[np.bool_]:
        return np.asarray(self.layer[..., 3] > SOLID)


def set_stage(scene: Scene, seed: int, duration_s: float) -> Stage:
    """The stage of a scene that has a subject."""
    subject, canvas = scene.subject, scene.canvas
    if subject is None:
        raise ValueError("a scene without subject has no stage")
    half_x, half_y = canvas.frame_width / 2, canvas.frame_height / 2
    whole = subject.box.shifted(-canvas.width / 2, -canvas.height / 2)
    box = Box(max(whole.left, -half_x), max(whole.top, -half_y), min(whole.right, half_x), min(whole.bottom, half_y))
    reached = {"left": whole.left < -half_x, "top": whole.top < -half_y}
    reached |= {"right": whole.right > half_x, "bottom": whole.bottom > half_y}
    choice = generator(seed, "template")
    middles = [(face.left + face.right) / 2 - half_x for face in scene.faces]
    return Stage(
        canvas=canvas,
        layer=subject.layer,
        box=box,
        cut=frozenset(side for side, is_cut in reached.items() if is_cut),
        head=found_head(scene, box),
        people=len(scene.faces),
        apart=(min(middles) + max(middles)) / 2 if len(middles) > 1 else box.centre_x,
        seed=seed,
        duration_s=duration_s,
        lead=float(choice.choice([-1.0, 1.0])),
        tempo=float(choice.uniform(0.93, 1.07)),
        phase=float(choice.uniform(0, 2 * pi)),
    )


def found_head(scene: Scene, box: Box) -> Head:
    canvas = scene.canvas
    if scene.faces:
        face = scene.faces[0]
        top = face.top - 0.22 * (face.bottom - face.top) - canvas.frame_height / 2
        return Head((face.left + face.right) / 2 - canvas.frame_width / 2, top, 1.35 * (face.right - face.left))
    if scene.subject is None:
        return Head(box.centre_x, box.top, HEAD_SHARE * box.height)
    solid = scene.subject.layer[..., 3] > SOLID
    first = int(max(0, box.top + canvas.height / 2 + 0.06 * box.height))
    columns = np.flatnonzero(solid[min(first, canvas.height - 1)])
    if not len(columns):
        return Head(box.centre_x, box.top, HEAD_SHARE * box.height)
    left, right = float(columns[0]) - canvas.width / 2, float(columns[-1]) - canvas.width / 2
    widest = 0.45 * min(canvas.frame_width, canvas.frame_height)
    return Head((left + right) / 2, box.top, min(max(right - left, HEAD_SHARE * box.height), widest))


def ramp(time_s: float, start_s: float, length_s: float) -> float:
    """0 before the start, 1 after start and length, smooth between: everything begins at the input picture."""
    share = min(max((time_s - start_s) / length_s, 0.0), 1.0)
    return share * share * (3 - 2 * share)
