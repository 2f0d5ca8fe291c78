"""Large things around the subject: a merry-go-round, clouds at its foot, a finger that pokes, grains that blow away."""

from math import cos, pi, sin

import cv2
import numpy as np

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.pixels import Mask, Plane
from filmgate.engines.preview.templates.recipe import Drawing, LayerAt, Prop
from filmgate.engines.preview.templates.sketch import Sprite, stamp
from filmgate.engines.preview.templates.sprites import cloud, finger, soft_dot
from filmgate.engines.preview.templates.stage import Stage, ramp
from filmgate.engines.preview.templates.toys import POKE_DEPTH, POKES, poke_depth, poke_spot

__all__ = ["canopy", "cloud_bank", "dissolving", "grains", "poking", "poles"]

CAROUSEL_S = 4.2
POLES = 7
DISSOLVED_BY = 0.84
"""Share of the clip after which nothing of the subject is left in its place."""
GRAINS = 7000
GRAIN_S = 1.3


def poles(*, near: bool) -> Prop:
    """The golden poles of a merry-go-round: those behind the subject, or the nearer ones that pass before it."""

    def prepare(stage: Stage) -> Drawing:
        drawn = pole()
        wide = 0.62 * stage.width

        def draw(frame: Picture, time_s: float) -> None:
            shown = ramp(time_s, 0.2, 0.9)
            for number in range(POLES):
                angle = 2 * pi * (stage.lead * time_s * stage.tempo / CAROUSEL_S + (number + 0.5) / POLES)
                depth = cos(angle)
                if (depth > 0.15) != near or (near and depth > 0.97):
                    continue
                thick = stage.unit * (0.030 + 0.017 * depth)
                x = stage.width / 2 + wide * sin(angle)
                column(frame, drawn, x, thick, 0.75 * shown if not near else shown)

        return draw

    return prepare


def column(frame: Picture, drawn: Sprite, x: float, thick: float, opacity: float) -> None:
    """The pole over the whole height of the frame."""
    height, width = frame.shape[:2]
    left, right = int(max(0, x - thick / 2)), int(min(width, x + thick / 2))
    if right <= left or opacity <= 0:
        return
    turns = max(1, round(height / (5 * thick)))
    across = ((np.arange(left, right) + 0.5 - (x - thick / 2)) / thick * (drawn.shape[1] - 1)).round()
    columns = across.clip(0, drawn.shape[1] - 1).astype(np.intp)
    rows = (np.arange(height) * turns / height % 1 * drawn.shape[0]).astype(np.intp)
    metal = drawn[rows][:, columns, :3]
    window = frame[:, left:right]
    window[:] = cv2.addWeighted(metal, opacity, np.ascontiguousarray(window), 1 - opacity, 0)


def pole() -> Sprite:
    """One turn of a twisted brass pole, as wide as it is high."""
    side = 128
    v, u = np.meshgrid(np.linspace(0, 1, side, endpoint=False), np.linspace(-1, 1, side), indexing="ij")
    twist = 0.72 + 0.28 * np.sin(2 * pi * (v + 0.35 * u))
    light = (0.35 + 0.9 * np.exp(-(((u + 0.3) / 0.45) ** 2))) * twist
    colour = np.stack([light * 250, light * 205, light * 110, np.full_like(light, 255)], axis=-1)
    return np.asarray(colour.clip(0, 255), np.uint8)


def canopy() -> Prop:
    """A striped roof with a row of bulbs that light up in turn, let down from above; it runs with the poles."""

    def prepare(stage: Stage) -> Drawing:
        bulb = soft_dot((255, 226, 150), 0.3)
        deep, teeth = 0.13 * stage.height, 12
        flap = stage.width / (teeth - 2)
        colours = ((206, 44, 62), (250, 240, 220))

        def draw(frame: Picture, time_s: float) -> None:
            down = deep * (ramp(time_s, 0.15, 0.9) * 1.35 - 1.35)
            if down <= -1.3 * deep:
                return
            run = (stage.lead * time_s * stage.tempo / CAROUSEL_S * 6 * flap) % (2 * flap)
            for number in range(-2, teeth + 2):
                left = number * flap + run - flap
                middle = (left + flap / 2, down + deep)
                shade = colours[number % 2]
                outline = [(left, -2.0), (left + flap, -2.0), (left + flap, middle[1])]
                outline += [
                    (middle[0] + flap / 2 * cos(a), middle[1] + 0.3 * deep * sin(a)) for a in np.linspace(0, pi, 12)
                ]
                points = (np.array([*outline, (left, middle[1])]) * 16).astype(np.int32)
                cv2.fillPoly(frame, [points], shade, cv2.LINE_AA, 4)
            for number in range(-2, teeth + 2):
                glow = 0.55 + 0.45 * sin(2 * pi * (1.6 * time_s + number / 3))
                stamp(
                    frame, bulb, (number + 0.5) * flap + run - flap, down + 0.95 * deep, 0.09 * stage.unit, opacity=glow
                )

        return draw

    return prepare


def cloud_bank() -> Prop:
    """Clouds around the subject's foot; where the frame cuts it there, they hide that nothing is below."""

    def prepare(stage: Stage) -> Drawing:
        drawn, chance = cloud(), stage.chance("cloud bank")
        lies = chance.uniform(0, 1, (11, 3))
        base = stage.height * (0.97 if "bottom" in stage.cut else 1.02)

        def draw(frame: Picture, time_s: float) -> None:
            up = ramp(time_s, 0.1, 1.3)
            for number, (across, down, size) in enumerate(lies):
                wide = stage.unit * (0.5 + 0.35 * size)
                x = stage.width * ((number + across) / len(lies)) + 0.02 * stage.width * sin(time_s + 6 * size)
                y = base + 0.05 * stage.height * down + (1 - up) * 0.5 * stage.height
                stamp(frame, drawn, x, y, wide, opacity=0.95)

        return draw

    return prepare


def poking() -> Prop:
    """A finger that comes in from the side for each poke."""

    def prepare(stage: Stage) -> Drawing:
        pointing = finger()
        mirrored = np.ascontiguousarray(pointing[:, ::-1])
        size = 0.4 * stage.unit

        def draw(frame: Picture, time_s: float) -> None:
            for number, start_s in enumerate(POKES):
                since = time_s - start_s
                if not -0.45 < since < 0.95:
                    continue
                x, y, side = poke_spot(stage, number)
                away = (1 - ramp(since, -0.45, 0.45)) + ramp(since, 0.35, 0.55)
                dent = POKE_DEPTH * stage.unit * max(0.0, poke_depth(time_s, number))
                tip = x + side * (away * (0.7 * stage.width) - 0.6 * dent) + stage.width / 2
                # The sprite's tip lies 0.96 of half its width from its middle.
                stamp(frame, pointing if side > 0 else mirrored, tip + side * 0.48 * size, y + stage.height / 2, size)

        return draw

    return prepare


def vanishing(stage: Stage) -> Plane:
    """When each pixel of the canvas is blown away, as a share of the clip: from the windward side, in ragged clouds."""
    box = stage.box.shifted(stage.canvas.width / 2, stage.canvas.height / 2)
    x = (np.arange(stage.canvas.width, dtype=np.float32)[None] - np.float32(box.left)) / np.float32(box.width)
    y = (np.arange(stage.canvas.height, dtype=np.float32)[:, None] - np.float32(box.top)) / np.float32(box.height)
    across = x if stage.lead < 0 else 1 - x
    rough = np.zeros((stage.canvas.height, stage.canvas.width), np.float32)
    for number, (step, weight) in enumerate(((0.12, 0.5), (0.03, 0.3), (0.006, 0.2))):
        cell = max(1, round(step * stage.unit))
        size = (stage.canvas.height // cell + 2, stage.canvas.width // cell + 2)
        cells = stage.chance(f"dissolve {number}").uniform(0, 1, size).astype(np.float32)
        large = cv2.resize(cells, (rough.shape[1], rough.shape[0]), interpolation=cv2.INTER_CUBIC)
        rough += np.float32(weight) * np.asarray(large, np.float32)
    order = 0.62 * (0.75 * (1 - across) + 0.25 * y).clip(0, 1) + 0.38 * rough
    seen = order[visible(stage)]
    first, last = (float(value) for value in np.percentile(seen, (0.5, 99.5))) if seen.size else (0.0, 1.0)
    even = ((order - first) / max(1e-6, last - first)).clip(0, 1)
    return np.asarray(0.06 + (DISSOLVED_BY - 0.08) * even, np.float32)


def dissolving(stage: Stage) -> LayerAt:
    """The subject's layer without what was blown away so far."""
    order = vanishing(stage)
    nothing = np.zeros_like(stage.layer)
    none = np.zeros_like(order)

    def at(time_s: float) -> Picture:
        share = time_s / stage.duration_s
        keep = ((order - np.float32(share)) / np.float32(0.02)).clip(0, 1)
        return np.asarray(cv2.blendLinear(stage.layer, nothing, keep, none), np.uint8)

    return at


def grains() -> Prop:
    """The subject's own pixels as grains that the wind takes where it dissolves."""

    def prepare(stage: Stage) -> Drawing:
        order, chance = vanishing(stage), stage.chance("grains")
        rows, columns = np.nonzero(visible(stage))
        chosen = chance.integers(0, max(1, len(rows)), GRAINS if len(rows) else 0)
        rows, columns = rows[chosen], columns[chosen]
        colours = stage.layer[rows, columns, :3]
        starts = order[rows, columns] * np.float32(stage.duration_s)
        x0, y0 = columns - np.float32(stage.canvas.ring_x), rows - np.float32(stage.canvas.ring_y)
        wind = chance.uniform(0.5, 1.3, GRAINS).astype(np.float32) * np.float32(stage.unit)
        curl = chance.uniform(0, 2 * pi, GRAINS).astype(np.float32)
        side = max(2, round(stage.unit / 200))

        def draw(frame: Picture, time_s: float) -> None:
            age = np.float32(time_s) - starts
            alive = np.flatnonzero((age > 0) & (age < GRAIN_S))
            t = age[alive]
            blown = wind[alive] * t**2 * np.float32(0.5)
            swirl = np.float32(0.035 * stage.unit) * t
            x = x0[alive] + np.float32(stage.lead) * blown + swirl * np.cos(curl[alive] + 4 * t)
            y = y0[alive] - np.float32(0.45) * blown + swirl * np.sin(curl[alive] + 5 * t)
            late = (t > 0.6 * GRAIN_S).astype(np.intp)
            scatter(frame, x.astype(np.intp), y.astype(np.intp), colours[alive], side - late)

        return draw

    return prepare


def visible(stage: Stage) -> Mask:
    solid = stage.layer[..., 3] > 200
    inside = np.zeros_like(solid)
    inside[stage.canvas.frame] = solid[stage.canvas.frame]
    return np.asarray(inside)


def scatter(frame: Picture, x: np.ndarray, y: np.ndarray, colours: Picture, side: np.ndarray) -> None:
    """Squares of one colour each, in place."""
    height, width = frame.shape[:2]
    for down in range(int(side.max(initial=0))):
        for across in range(int(side.max(initial=0))):
            column, row = x + across, y + down
            shown = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            shown &= (across < side) & (down < side)
            frame[row[shown], column[shown]] = colours[shown]
