"""Subjects taken from their pictures and set into another one so that they seem to belong there.

Three things make a cut-out look pasted, and each has its remedy here: colours of the old background in its rim (they
are replaced by the subject's own from further in), another light (its statistics are moved part of the way towards the
surroundings, little enough that nobody's jacket changes colour), and floating (shadows where it touches the ground).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.encoding.picture import Picture, resize_picture
from filmgate.engines.preview.backdrop import Backdrop
from filmgate.engines.preview.layout import Place, Shape
from filmgate.engines.preview.matte import Matte
from filmgate.engines.preview.pixels import Plane, blur, push_pull, resize_plane

__all__ = ["Cutout", "cut_out", "lay_shadow", "lay_subject"]

SURE = 0.93
"""Alpha from which a pixel shows nothing but the subject."""
CUT_SHARE = 0.04
"""The share of an edge that a subject must cover to be called cut by it."""
FEATHER = 0.07
DOME = 0.20
"""How far a cut top is rounded at its corners, as a share of the subject's height."""
FLATNESS, LEAN = 0.20, 0.45
"""A cast shadow's length as a share of its subject's height, and how far it leans away from the light."""
REAR = 0.20
"""How much higher than the front a subject's rear may stand, as a share of its height."""
CLOSENESS = 0.42
"""How far the subject's light and colours move towards those around it."""
MOST_L, MOST_AB = 11.0, 9.0
"""The most that its mean lightness and colour move, in Lab units."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """A subject in its own box: pure colours, alpha, and the edges of its picture that cut it."""

    colours: Picture
    alpha: Plane
    shape: Shape


def cut_out(picture: Picture, matte: Matte) -> Cutout:
    """The subject of a picture that has one."""
    if matte.box is None:
        raise ValueError("a matte without subject has nothing to cut out")
    left, top, right, bottom = matte.box
    alpha = np.asarray(((matte.alpha - 0.06) / 0.88).clip(0, 1), np.float32)
    inside = np.ascontiguousarray(alpha[top:bottom, left:right])
    colours = pure_colours(np.ascontiguousarray(picture[top:bottom, left:right]), inside)
    shape = Shape(right - left, bottom - top, cut_edges(alpha))
    return Cutout(colours, inside, shape)


def cut_edges(alpha: Plane) -> frozenset[str]:
    """The edges of the picture beyond which the subject goes on."""
    lines = {"top": alpha[0], "bottom": alpha[-1], "left": alpha[:, 0], "right": alpha[:, -1]}
    return frozenset(name for name, line in lines.items() if float((line > 0.5).mean()) > CUT_SHARE)


def pure_colours(picture: Picture, alpha: Plane) -> Picture:
    """The picture with the rim's colours replaced by the subject's own from further in."""
    sure = (cv2.erode(alpha, np.ones((3, 3), np.uint8)) > SURE).astype(np.float32)
    if not sure.any():
        return picture
    own = push_pull(picture.astype(np.float32), sure)
    share = ((SURE - alpha) / SURE).clip(0, 1)[..., None] ** 0.7
    return np.asarray((picture * (1 - share) + own * share).clip(0, 255), np.uint8)


def lay_shadow(canvas: Plane, cutout: Cutout, place: Place, backdrop: Backdrop) -> None:
    """Darken the canvas (float RGB) where the subject keeps the light away: its feet's ground, or the wall behind."""
    height, width = canvas.shape[:2]
    alpha = placed(sized_alpha(cutout, place), place, width, height)
    if "bottom" in cutout.shape.cut:
        if backdrop.painted:
            wall = blur(shifted(alpha, -backdrop.light * 0.03 * width, 0.01 * height), height / 22)
            canvas *= (1 - 0.22 * wall)[..., None]
        return
    base = place.bottom - 0.015 * place.height
    lean = backdrop.light * LEAN
    lay_down = np.array([[1, lean, -lean * base], [0, FLATNESS, base * (1 - FLATNESS)]], np.float32)
    cast = np.asarray(cv2.warpAffine(alpha, lay_down, (width, height)), np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    away = ((base - rows) / (FLATNESS * place.height)).clip(0, 1)
    cast = blur(cast, height / 120) * (1 - away) + blur(cast, height / 32) * away
    shade = np.maximum(0.42 * cast * (1 - 0.65 * away), contact(alpha, place))
    canvas *= (1 - shade)[..., None]


def contact(alpha: Plane, place: Place) -> Plane:
    """The dark that gathers under whatever nears the ground: the subject's own outline, lowered and softened."""
    height, width = alpha.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    # Seen from above the front stands lower than the back: each column has its own ground, up to a point.
    solid = alpha > 0.5
    lowest = np.where(solid.any(axis=0), height - np.argmax(solid[::-1], axis=0), place.bottom).astype(np.float32)
    ground = blur(lowest.clip(place.bottom - REAR * place.height, place.bottom)[None], max(1.0, width / 160))
    above = (ground - rows).clip(0, None) / place.height
    tight = blur(shifted(alpha, 0, 0.010 * place.height), 0.010 * place.height)
    wide = blur(shifted(alpha, 0, 0.022 * place.height), 0.035 * place.height)
    return np.asarray(0.55 * tight * np.exp(-above / 0.05) + 0.30 * wide * np.exp(-above / 0.12), np.float32)


def lay_subject(canvas: Plane, cutout: Cutout, place: Place, backdrop: Backdrop) -> None:
    """Set the subject onto the canvas (float RGB) at its place."""
    width = canvas.shape[1]
    region = slice(place.top, place.bottom), slice(place.left, place.right)
    alpha = feathered(sized_alpha(cutout, place), cutout.shape.cut, place, width)
    shrinks = place.width < cutout.shape.width
    colours = resize_picture(cutout.colours, place.width, place.height, cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    margin = place.width // 4
    around = backdrop.picture[:, max(0, place.left - margin) : place.right + margin]
    lit = harmonised(colours, alpha, around)
    behind = cv2.GaussianBlur(backdrop.picture[region], (0, 0), max(1.0, canvas.shape[0] / 48)).astype(np.float32)
    rim = wrap(alpha, canvas.shape[0])[..., None]
    lit += rim * np.maximum(behind - lit * 0.55, 0)
    canvas[region] += alpha[..., None] * (lit - canvas[region])


def harmonised(colours: Picture, alpha: Plane, around: Picture) -> Plane:
    """The colours with mean and spread moved part of the way to the surroundings' (Reinhard et al., 2001, in Lab)."""
    own = np.asarray(cv2.cvtColor(colours.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)
    there = np.asarray(cv2.cvtColor(around.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)
    inside = alpha > 0.5
    if not inside.any():
        return colours.astype(np.float32)
    mean, spread = own[inside].mean(axis=0), own[inside].std(axis=0) + 1
    aim, aim_spread = there.reshape(-1, 3).mean(axis=0), there.reshape(-1, 3).std(axis=0) + 1
    limit = np.array([MOST_L, MOST_AB, MOST_AB], np.float32)
    shift = (CLOSENESS * np.array([0.45, 0.6, 0.6], np.float32) * (aim - mean)).clip(-limit, limit)
    gain = 1 + CLOSENESS * 0.4 * ((aim_spread / spread).clip(0.8, 1.15) - 1)
    moved = np.asarray((own - mean) * gain + mean + shift, np.float32)
    moved[..., 0] = moved[..., 0].clip(0, 100)
    return np.asarray((cv2.cvtColor(moved, cv2.COLOR_LAB2RGB) * np.float32(255)).clip(0, 255), np.float32)


def wrap(alpha: Plane, height: int) -> Plane:
    """How much light from behind spills over each pixel: a thin band inside the rim."""
    padded = cv2.copyMakeBorder(alpha, 1, 0, 1, 1, cv2.BORDER_CONSTANT, value=0)
    deep = blur(np.asarray(padded, np.float32), max(0.8, height / 190))[1:, 1:-1]
    return np.asarray(0.5 * (1 - deep).clip(0, 1) * alpha, np.float32)


def feathered(alpha: Plane, cut: frozenset[str], place: Place, width: int) -> Plane:
    """The alpha faded out along straight cuts that would stand in the open."""
    soft = alpha.copy()
    reach = max(2, round(FEATHER * min(place.width, place.height)))
    ramp = np.linspace(0, 1, reach, dtype=np.float32)
    ramp = ramp * ramp * (3 - 2 * ramp)
    if "left" in cut and place.left > 0:
        soft[:, :reach] *= ramp[: soft.shape[1]]
    if "right" in cut and place.right < width:
        soft[:, -reach:] *= ramp[::-1][-soft.shape[1] :]
    if "top" in cut and place.top > 0:
        across = np.linspace(-1, 1, soft.shape[1], dtype=np.float32)[None]
        down = np.arange(soft.shape[0], dtype=np.float32)[:, None]
        depth = ((down - DOME * place.height * np.abs(across) ** 2.6) / reach).clip(0, 1)
        soft *= depth * depth * (3 - 2 * depth)
    return soft


def sized_alpha(cutout: Cutout, place: Place) -> Plane:
    shrinks = place.width < cutout.shape.width
    size = (place.width, place.height)
    return resize_plane(cutout.alpha, *size, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def placed(alpha: Plane, place: Place, width: int, height: int) -> Plane:
    whole = np.zeros((height, width), np.float32)
    whole[place.top : place.bottom, place.left : place.right] = alpha
    return whole


def shifted(plane: Plane, x: float, y: float) -> Plane:
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return np.asarray(cv2.warpAffine(plane, move, (plane.shape[1], plane.shape[0])), np.float32)
