"""Another look of the subject itself: of ice cream, of crystal, with a fish's scales, fading to grains, soft edges."""

from math import pi

import cv2
import numpy as np
from numpy.typing import NDArray

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.pixels import Layer, Plane, blur, push_pull
from filmgate.engines.preview.plate import margin_px, subject_hole
from filmgate.engines.preview.templates.recipe import LayerAt
from filmgate.engines.preview.templates.stage import Stage, ramp

__all__ = ["calm_plate", "crystal", "ice_cream", "scaled", "soft_edged"]

Floats = NDArray[np.float32]

SCOOPS = ((250, 166, 186), (255, 240, 206), (178, 226, 190), (150, 104, 76))
SPRINKLES = ((240, 70, 110), (70, 150, 240), (250, 200, 60), (90, 200, 120), (250, 250, 250), (160, 90, 220))
SWEEP_SOFT = 0.14
CALM = 0.95
"""How much of what was imagined deep within the subject's place is replaced by a blur of its surroundings."""


def ice_cream(stage: Stage) -> LayerAt:
    """Scoops of ice cream in the subject's shape, with running sauce between them and sprinkles on top."""
    x, above, light = measured(stage)
    chance = stage.chance("ice cream")
    order = chance.permutation(len(SCOOPS))
    tongues = 0.045 * np.sin(x * 17 + stage.phase) + 0.03 * np.sin(x * 41 + 2 * stage.phase)
    height = (above + tongues).clip(0, 0.999)
    colour = np.zeros((*above.shape, 3), np.float32)
    for number, name in enumerate(order):
        low, high = number / len(SCOOPS), (number + 1) / len(SCOOPS)
        inside = ((height - low) / 0.015).clip(0, 1) * ((high - height) / 0.015 + 0.5).clip(0, 1)
        colour += inside[..., None] * (np.array(SCOOPS[name], np.float32) - colour)
    shape = blur(light, max(1.5, stage.unit / 220))
    contrast = (0.62 + 0.55 * (shape - float(shape.mean())) / max(0.12, float(shape.std())) * 0.32 + 0.2).clip(
        0.58, 1.12
    )
    dressed = (colour * contrast[..., None]).clip(0, 255)
    for _ in range(int(260 * min(1.0, stage.box.width / stage.unit + 0.2))):
        place_sprinkle(dressed, stage, chance.uniform(0, 1, 5))
    return swept(stage, dressed, from_top=True, share=0.94)


def place_sprinkle(dressed: Floats, stage: Stage, share: NDArray[np.float64]) -> None:
    box = stage.box.shifted(stage.canvas.width / 2, stage.canvas.height / 2)
    at = np.array([box.left + share[0] * box.width, box.top + share[1] ** 1.4 * box.height])
    along = 0.011 * stage.unit * np.array([np.cos(2 * pi * share[2]), np.sin(2 * pi * share[2])])
    colour = SPRINKLES[int(share[3] * len(SPRINKLES))]
    first, last = (tuple(int(value) for value in at + along * sign) for sign in (-1, 1))
    cv2.line(dressed, first, last, tuple(map(float, colour)), max(2, round(0.009 * stage.unit)), cv2.LINE_AA)


def crystal(stage: Stage) -> LayerAt:
    """Cut in facets of pale blue and rose glass."""
    _, above, light = measured(stage)
    chance = stage.chance("facets")
    count = 150
    box = stage.box.shifted(stage.canvas.width / 2, stage.canvas.height / 2)
    seeds = np.zeros(light.shape, np.uint8)
    seeds[:] = 1
    places = chance.uniform(0, 1, (count, 2)) * [box.width - 1, box.height - 1] + [box.left, box.top]
    for column, row in places.astype(int):
        seeds[row, column] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    brightness = chance.uniform(0.72, 1.25, count + 2).astype(np.float32)[np.asarray(labels)]
    cool = np.array([176, 214, 255], np.float32) * above[..., None] + np.array([255, 190, 224], np.float32) * (
        1 - above[..., None]
    )
    own = stage.layer[..., :3].astype(np.float32)
    glass = cool * (0.35 + 0.75 * light)[..., None] * brightness[..., None]
    return swept(stage, (0.48 * own + 0.52 * glass).clip(0, 255), from_top=False, share=0.9)


def scaled(stage: Stage) -> LayerAt:
    """The lower half in shimmering fish scales, turning from teal to violet."""
    x, above, light = measured(stage)
    size = 0.035 * stage.unit
    columns = np.arange(stage.canvas.width, dtype=np.float32)[None] / np.float32(size)
    rows = np.arange(stage.canvas.height, dtype=np.float32)[:, None] / np.float32(size * 0.55)
    row = np.floor(rows)
    across = (columns + 0.5 * (row % 2)) % 1 - 0.5
    arc = (across**2 * 3.4 + ((rows - row) - 0.1) ** 2 * 1.1).clip(0, 1)
    edge = (1.25 - 0.95 * arc**1.5).clip(0.25, 1.3)
    hue = 0.5 + 0.5 * np.sin(5 * above + 2.5 * x + stage.phase)
    teal, violet = np.array([30, 190, 180], np.float32), np.array([130, 96, 220], np.float32)
    colour = teal * hue[..., None] + violet * (1 - hue[..., None])
    fish = colour * (edge * (0.45 + 0.85 * light))[..., None]
    own = stage.layer[..., :3].astype(np.float32)
    low = ((0.50 - above + 0.04 * np.sin(9 * x)) / 0.12).clip(0, 1)[..., None] * 0.82
    return swept(stage, (own * (1 - low) + fish * low).clip(0, 255), from_top=False, share=1.0)


def soft_edged(stage: Stage, layer_at: LayerAt) -> LayerAt:
    """The layer fading out within the sides on which the frame cuts it: come off them, it has no straight edge."""
    if not stage.cut:
        return layer_at
    keep = np.ones((stage.canvas.height, stage.canvas.width), np.float32)
    rows = np.arange(stage.canvas.height, dtype=np.float32)[:, None]
    columns = np.arange(stage.canvas.width, dtype=np.float32)[None]
    band_x, band_y = 0.2 * stage.width, 0.2 * stage.height
    distances = {
        "left": (columns - 0.5 * stage.canvas.ring_x) / band_x,
        "right": (stage.canvas.width - 0.5 * stage.canvas.ring_x - columns) / band_x,
        "top": (rows - 0.5 * stage.canvas.ring_y) / band_y,
        "bottom": (stage.canvas.height - 0.5 * stage.canvas.ring_y - rows) / band_y,
    }
    for side in sorted(stage.cut):
        share = distances[side].clip(0, 1)
        keep = keep * share * share * (3 - 2 * share)

    def at(time_s: float) -> Layer:
        share = ramp(time_s, 0.05, 0.7)
        return (
            dimmed(layer_at(time_s), np.asarray(1 - share + share * keep, np.float32))
            if share > 0
            else layer_at(time_s)
        )

    return at


def dimmed(layer: Layer, keep: Plane) -> Layer:
    nothing = np.zeros_like(layer)
    return np.asarray(cv2.blendLinear(layer, nothing, keep, np.zeros_like(keep)), np.uint8)


def measured(stage: Stage) -> tuple[Plane, Plane, Plane]:
    """On the canvas: 0..1 across the subject, 0..1 above its base, and the light of its own colours (0..1)."""
    box = stage.box.shifted(stage.canvas.width / 2, stage.canvas.height / 2)
    rows = np.arange(stage.canvas.height, dtype=np.float32)[:, None]
    columns = np.arange(stage.canvas.width, dtype=np.float32)[None]
    shape = (stage.canvas.height, stage.canvas.width)
    x = np.broadcast_to((columns - np.float32(box.left)) / np.float32(box.width), shape)
    above = np.broadcast_to(((np.float32(box.bottom) - rows) / np.float32(box.height)).clip(0, 1), shape)
    light = cv2.cvtColor(np.ascontiguousarray(stage.layer[..., :3]), cv2.COLOR_RGB2GRAY)
    return x, above, np.asarray(light, np.float32) / np.float32(255)


def swept(stage: Stage, colour: Floats, *, from_top: bool, share: float) -> LayerAt:
    """From the subject's own layer to one of these colours, which spreads over it from one end."""
    alpha = stage.layer[..., 3:]
    opaque = (colour * (alpha.astype(np.float32) / 255)).round()
    dressed = np.ascontiguousarray(np.dstack([opaque.clip(0, 255), alpha]).astype(np.uint8))
    _, above, _ = measured(stage)
    far = np.asarray(1 - above if from_top else above, np.float32)

    def at(time_s: float) -> Layer:
        reached = ramp(time_s, 0.15, 0.62 * stage.duration_s) * (1 + SWEEP_SOFT)
        if reached <= 0:
            return stage.layer
        new = np.asarray(share * ((reached - far) / SWEEP_SOFT).clip(0, 1), np.float32)
        return np.asarray(cv2.blendLinear(stage.layer, dressed, 1 - new, new), np.uint8)

    return at


def calm_plate(stage: Stage, plate: Picture) -> Picture:
    """The plate with what was imagined deep within the subject's place blurred: nobody looks for a thing there.

    A camera move shows a hand's breadth of it; a subject that goes away shows all.
    """
    hole = subject_hole(np.asarray(stage.layer[..., 3], np.float32) / np.float32(255), stage.canvas)
    height, width = hole.shape
    small = (max(1, width // 4), max(1, height // 4))
    little = np.asarray(cv2.resize(plate, small, interpolation=cv2.INTER_AREA), np.float32)
    unknown = np.asarray(cv2.resize(hole.astype(np.float32), small, interpolation=cv2.INTER_AREA), np.float32)
    smooth = push_pull(little, (unknown < 0.01).astype(np.float32))
    smooth = np.asarray(cv2.GaussianBlur(smooth, (0, 0), 3), np.float32)
    large = np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    inside = np.asarray(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5), np.float32)
    share = np.float32(CALM) * (inside / np.float32(3.5 * margin_px(stage.canvas)) - 0.2).clip(0, 1)
    share = blur(np.asarray(share, np.float32), 3)
    return np.asarray(cv2.blendLinear(plate, large.clip(0, 255).astype(np.uint8), 1 - share, share), np.uint8)
