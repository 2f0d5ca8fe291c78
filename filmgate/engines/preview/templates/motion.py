"""The subject's motion in a template, made as large as it may be: nothing tears, nothing leaves the frame.

A subject that the frame cuts stays fixed to those sides, unless the recipe releases it there; elsewhere the motion is
made smaller until the subject stays within the frame and the map from seen positions to their sources is one to one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filmgate.engines.preview.pixels import Plane
from filmgate.engines.preview.templates.recipe import Recipe
from filmgate.engines.preview.templates.stage import Stage

__all__ = ["Motion", "fitted_motion"]

PIN_SHARE = 0.30
"""The width of the band along a cut side over which the motion comes to rest, as a share of the frame."""
TRIALS = (1.0, 0.85, 0.7, 0.55, 0.42, 0.3, 0.2, 0.1)
SAMPLES = 24
LEAST_STRETCH = 0.12
"""The map's area factor must stay above this: below it pixels smear, at zero the picture folds."""
GRID = 28
SPILL = 0.004
"""Share of the subject's box that may come to lie beyond the frame."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A recipe's warps on one stage, at the gain that fits."""

    stage: Stage
    recipe: Recipe
    gain: float

    def place(self, x: Plane, y: Plane, time_s: float) -> tuple[Plane, Plane]:
        """Where the subject's seen positions come from."""
        found_x, found_y = x, y
        for warp in self.recipe.warps:
            found_x, found_y = warp(self.stage, time_s, self.gain, found_x, found_y)
        if self.recipe.released or not self.stage.cut:
            return found_x, found_y
        free = self._free(x, y)
        return np.asarray(x + (found_x - x) * free, np.float32), np.asarray(y + (found_y - y) * free, np.float32)

    def seen(self, x: float, y: float, time_s: float) -> tuple[float, float]:
        """Where a point of the subject is seen: the inverse of `place`, by iteration."""
        at_x, at_y = x, y
        for _ in range(6):
            found_x, found_y = self.place(np.full((1, 1), at_x, np.float32), np.full((1, 1), at_y, np.float32), time_s)
            at_x, at_y = at_x + 0.8 * (x - float(found_x[0, 0])), at_y + 0.8 * (y - float(found_y[0, 0]))
        return at_x, at_y

    def _free(self, x: Plane, y: Plane) -> Plane:
        """1 where the subject moves freely, 0 at the sides it is fixed to."""
        stage, free = self.stage, np.ones_like(x)
        half_x, half_y = np.float32(stage.width / 2), np.float32(stage.height / 2)
        distances = {"left": x + half_x, "right": half_x - x, "top": y + half_y, "bottom": half_y - y}
        for side in sorted(stage.cut):
            across = stage.width if side in ("left", "right") else stage.height
            share = (distances[side] / np.float32(PIN_SHARE * across)).clip(0, 1)
            free = free * share * share * (3 - 2 * share)
        return np.asarray(free, np.float32)


def fitted_motion(stage: Stage, recipe: Recipe) -> Motion:
    """The motion at the largest gain that fits, or at the smallest."""
    trials = [Motion(stage, recipe, gain) for gain in TRIALS]
    return next((motion for motion in trials if fits(motion)), trials[-1])


def fits(motion: Motion) -> bool:
    times = np.linspace(0, motion.stage.duration_s, SAMPLES + 1)[1:]
    return all(stays(motion, float(time)) and is_whole(motion, float(time)) for time in times)


def stays(motion: Motion, time_s: float) -> bool:
    """Whether no edge of the frame shows the subject's inside, but for the sides on which the picture cuts it."""
    stage = motion.stage
    half_x, half_y = stage.width / 2, stage.height / 2
    along = np.linspace(-1, 1, 41, dtype=np.float32)[None]
    side = np.ones_like(along)
    borders = {
        "left": (-side * half_x, along * half_y),
        "right": (side * half_x, along * half_y),
        "top": (along * half_x, -side * half_y),
        "bottom": (along * half_x, side * half_y),
    }
    return not any(
        inside(stage, *motion.place(x.astype(np.float32), y.astype(np.float32), time_s))
        for name, (x, y) in borders.items()
        if name not in stage.cut
    )


def inside(stage: Stage, x: Plane, y: Plane) -> bool:
    """Whether any of these positions shows the subject."""
    rows, columns = y + stage.canvas.height / 2, x + stage.canvas.width / 2
    known = (rows >= 0) & (rows < stage.canvas.height) & (columns >= 0) & (columns < stage.canvas.width)
    alpha = stage.layer[rows[known].astype(np.intp), columns[known].astype(np.intp), 3]
    return bool((alpha > 128).mean() > SPILL) if alpha.size else False


def is_whole(motion: Motion, time_s: float) -> bool:
    """Whether the map neither folds nor shrinks to nothing where it shows the subject; a card that turns may."""
    stage = motion.stage
    if motion.recipe.flips:
        return True
    x, y = np.meshgrid(spread(stage.width, GRID), spread(stage.height, GRID))
    found_x, found_y = motion.place(x, y, time_s)
    step_x, step_y = float(x[0, 1] - x[0, 0]), float(y[1, 0] - y[0, 0])
    across_x, down_x = np.diff(found_x, axis=1)[:-1] / step_x, np.diff(found_x, axis=0)[:, :-1] / step_y
    across_y, down_y = np.diff(found_y, axis=1)[:-1] / step_x, np.diff(found_y, axis=0)[:, :-1] / step_y
    area = across_x * down_y - down_x * across_y
    box = stage.box
    shown = (found_x > box.left) & (found_x < box.right) & (found_y > box.top) & (found_y < box.bottom)
    return bool((area[shown[:-1, :-1]] > LEAST_STRETCH).all())


def spread(size: int, count: int) -> NDArray[np.float32]:
    return np.linspace(-size / 2, size / 2, count, dtype=np.float32)
