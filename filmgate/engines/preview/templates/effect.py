"""One template at work on one scene: what the renderer asks of it, frame by frame."""

from dataclasses import replace
from math import sin

import cv2
import numpy as np

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.moves import Move
from filmgate.engines.preview.pixels import Layer, Plane
from filmgate.engines.preview.plan import Plan, Shot
from filmgate.engines.preview.scene import Box, Scene, Subject
from filmgate.engines.preview.templates.dressing import calm_plate, soft_edged
from filmgate.engines.preview.templates.motion import fitted_motion
from filmgate.engines.preview.templates.recipe import LayerAt, Recipe, Worn
from filmgate.engines.preview.templates.sketch import Sprite, stamp
from filmgate.engines.preview.templates.stage import Stage, ramp, set_stage

__all__ = ["Effect", "stage_plan", "with_subject"]

GRAIN = 0.15
FAR_BLUR_SHARE = 0.02


class Effect:
    """A recipe on a scene that has a subject. Deterministic for a scene, a recipe and a seed; not thread-safe."""

    def __init__(self, scene: Scene, recipe: Recipe, *, seed: int, duration_s: float) -> None:
        self._stage = stage = set_stage(scene, seed, duration_s)
        self._recipe = recipe
        self._motion = fitted_motion(stage, recipe)
        own = (recipe.dressing or undressed)(stage)
        self._layer_at = soft_edged(stage, own) if recipe.released else own
        self._behind = [prop(stage) for prop in recipe.behind]
        self._front = [prop(stage) for prop in recipe.front]
        self._worn = [(worn, worn.drawn()) for worn in recipe.worn]

    @property
    def gain(self) -> float:
        """The share of the recipe's motion that this subject has room for."""
        return self._motion.gain

    def place(self, x: Plane, y: Plane, time_s: float) -> tuple[Plane, Plane]:
        """Where on the subject's layer (pixels from the canvas's centre) the seen positions come from."""
        return self._motion.place(x, y, time_s)

    def layer(self, time_s: float) -> Layer:
        """The subject's layer as it looks at this time."""
        return self._layer_at(time_s)

    def draw_behind(self, frame: Picture, time_s: float) -> None:
        for drawing in self._behind:
            drawing(frame, time_s)

    def draw_front(self, frame: Picture, time_s: float) -> None:
        for worn, drawn in self._worn:
            self._wear(frame, worn, drawn, time_s)
        for drawing in self._front:
            drawing(frame, time_s)

    def _wear(self, frame: Picture, worn: Worn, drawn: Sprite, time_s: float) -> None:
        stage, head = self._stage, self._stage.head
        down = ramp(time_s, worn.from_s, 0.7)
        if down <= 0:
            return
        size = worn.size * head.width
        highest = 0.12 * size - stage.height / 2
        x, y = self._motion.seen(head.x, max(head.top - worn.rise * size, highest), time_s)
        settle = 0.06 * sin(9 * (time_s - worn.from_s)) * (1 - ramp(time_s, worn.from_s + 0.5, 0.8))
        fall = (1 - down) * 0.6 * stage.height
        stamp(frame, drawn, x + stage.width / 2, y + stage.height / 2 - fall, size, angle=settle)


def undressed(stage: Stage) -> LayerAt:
    def at(time_s: float) -> Layer:
        del time_s
        return stage.layer

    return at


def with_subject(scene: Scene) -> Scene:
    """The scene for a template: its plate calm where the subject stood; without a subject all of it is one."""
    subject = scene.subject
    if subject is not None:
        stage = set_stage(scene, 0, 1.0)
        return replace(scene, plate=calm_plate(stage, scene.plate))
    canvas = scene.canvas
    layer = np.dstack([scene.plate, np.full(scene.plate.shape[:2], 255, np.uint8)])
    soft = cv2.GaussianBlur(scene.plate, (0, 0), FAR_BLUR_SHARE * canvas.frame_width)
    whole = Subject(
        np.ascontiguousarray(layer), scene.plate_disparity, scene.nearness, Box(0, 0, canvas.width, canvas.height)
    )
    return replace(scene, plate=np.asarray(soft, np.uint8), subject=whole)


def stage_plan(recipe: Recipe, duration_s: float) -> Plan:
    """One shot with the recipe's own camera."""
    shot = Shot(0.0, duration_s, tuple(Move(kind, strength) for kind, strength in recipe.moves), None, 0.0)
    return Plan((shot,), breathing=False, grain=GRAIN, sharpen=0.0, applied=(), ignored=())
