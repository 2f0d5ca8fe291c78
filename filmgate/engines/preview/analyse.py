"""From a picture to a Scene: matte, faces, depth, plate, layers. About three CPU seconds per picture and size."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from filmgate.encoding.picture import Picture, scale_picture
from filmgate.engines.preview.cutout import canvas_alpha, cut_layer, layer_box, with_fringe
from filmgate.engines.preview.matte import Matte, subject_matte
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.pixels import Mask, Plane, resize_plane
from filmgate.engines.preview.plate import fill, outpaint, ring_hole, subject_hole, surround
from filmgate.engines.preview.relief import plate_relief, subject_relief
from filmgate.engines.preview.scene import GRID_STEP, Canvas, Scene, Subject

__all__ = ["analyse"]


@dataclass(frozen=True, slots=True)
class Layers:
    """The canvas with everything in it, the canvas without the subject, its alpha, and what was imagined."""

    whole: Picture
    plate: Picture
    alpha: Plane
    imagined: Mask


def analyse(frame: Picture, nets: Nets, step_done: Callable[[float], None]) -> Scene:
    """The scene of a picture that has the size of the clip.

    `step_done` is called between steps with the share done; what it raises ends the analysis.
    """
    height, width = frame.shape[:2]
    canvas = Canvas.around(width, height)
    matte = subject_matte(frame, nets)
    step_done(0.3)
    faces = nets.faces(frame)
    depth, trust = nets.depth(scale_picture(frame, max(1, width // GRID_STEP), max(1, height // GRID_STEP)))
    step_done(0.4)
    layers = separate(frame, matte, canvas, nets, lambda: step_done(0.7))
    step_done(0.9)
    ground = plate_relief(depth, trust, layers.imagined, canvas)
    subject = None
    if matte.found:
        box = layer_box(matte, canvas)
        disparity, nearness = subject_relief(depth, measured_alpha(layers.alpha, canvas), ground, box, canvas)
        subject = Subject(cut_layer(layers.whole, layers.plate, layers.alpha), disparity, nearness, box)
    return Scene(canvas, frame, layers.plate, ground, subject, faces)


def separate(frame: Picture, matte: Matte, canvas: Canvas, nets: Nets, half_done: Callable[[], None]) -> Layers:
    """Subject and plate on the canvas.

    One pass of imagination does for subject and ring together; a subject that the frame cuts takes a pass of its own
    before, in which it goes on beyond the frame. The plate's ring is imagined without it, or it would get a twin.
    """
    whole = outpaint(frame, canvas, nets) if matte.is_cut else surround(frame, canvas)
    half_done()
    alpha = canvas_alpha(matte, whole, canvas)
    hole = subject_hole(alpha, canvas) | ring_hole(canvas)
    plate = fill(whole, hole, nets)
    return Layers(whole, plate, with_fringe(alpha, whole, plate, canvas) if matte.found else alpha, hole)


def measured_alpha(alpha: Plane, canvas: Canvas) -> Plane:
    """The subject on the grid, within the frame only: the ring holds no measured depth."""
    coarse = resize_plane(alpha, *canvas.grid_size, cv2.INTER_AREA)
    inside = np.zeros_like(coarse)
    rows, columns = (slice(part.start // GRID_STEP, part.stop // GRID_STEP) for part in canvas.frame)
    inside[rows, columns] = coarse[rows, columns]
    return inside
