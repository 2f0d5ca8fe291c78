"""Pixels, relief and layers: filling, edges, depth, and the way from picture to frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.engines.preview.camera import Pose
from filmgate.engines.preview.cutout import cut_layer, layer_box, with_fringe
from filmgate.engines.preview.matte import Matte
from filmgate.engines.preview.pixels import blur, lay_over, push_pull, resize_plane
from filmgate.engines.preview.relief import plate_relief
from filmgate.engines.preview.render import Look, Renderer
from filmgate.engines.preview.scene import Box, Canvas, Scene
from filmgate.engines.preview.warp import sources


def test_push_pull_keeps_the_known_and_fills_the_rest_from_around_it() -> None:
    values = np.full((40, 60), 0.25, np.float32)
    values[:, 30:] = 0.75
    known = np.ones_like(values)
    known[10:30, 20:40] = 0

    filled = push_pull(values, known)

    assert np.array_equal(filled[known > 0], values[known > 0])
    assert 0.2 < filled[20, 21] < filled[20, 38] < 0.8


def test_a_plane_in_depth_stays_a_plane() -> None:
    canvas = Canvas.around(320, 192)
    depth = np.repeat(np.linspace(0.1, 0.9, 48, dtype=np.float32)[:, None], 80, axis=1)
    ring = np.ones((canvas.height, canvas.width), np.bool_)
    ring[canvas.frame] = False

    relief = plate_relief(depth, 1.0, ring, canvas)

    rows, columns = (slice(part.start // 4, part.stop // 4) for part in canvas.frame)
    assert np.abs(relief[rows, columns] - depth).max() < 0.06


def test_an_untrusted_depth_becomes_a_plain_slope() -> None:
    canvas = Canvas.around(320, 192)
    noise = np.random.default_rng(1).uniform(0, 1, (48, 80)).astype(np.float32)

    relief = plate_relief(noise, 0.0, np.zeros((canvas.height, canvas.width), np.bool_), canvas)

    assert np.ptp(relief, axis=1).max() < 1e-6
    assert (np.diff(relief[:, 0]) > 0).all()


def test_colours_are_unmixed_so_that_layer_over_plate_gives_the_picture_back() -> None:
    chance = np.random.default_rng(2)
    plate = np.full((32, 48, 3), 90, np.uint8)
    alpha = chance.uniform(0.3, 1, (32, 48)).astype(np.float32)
    picture = (200 * alpha[..., None] + plate * (1 - alpha[..., None])).astype(np.uint8)

    layer = cut_layer(picture, plate, alpha)
    shown = plate.copy()
    lay_over(shown, layer)

    assert np.abs(layer[..., 0].astype(int) - 200 * alpha).max() < 4
    assert np.abs(shown.astype(int) - picture).max() <= 3


def test_hair_that_the_matte_missed_stays_with_the_subject() -> None:
    canvas = Canvas.around(1280, 768)
    plate = np.full((canvas.height, canvas.width, 3), 90, np.uint8)
    truth = np.zeros((canvas.height, canvas.width), np.float32)
    truth[200:600, 300:900] = 1
    truth = blur(truth, 2.0)
    picture = (200 * truth[..., None] + plate * (1 - truth[..., None])).round().astype(np.uint8)
    tight = np.zeros_like(truth)
    tight[205:595, 305:895] = 1

    alpha = with_fringe(tight, picture, plate, canvas)
    shown = plate.copy()
    lay_over(shown, cut_layer(picture, plate, alpha))

    assert alpha[truth > 0.9].min() > 0.6
    assert np.abs(shown[195:605, 295:905].astype(int) - picture[195:605, 295:905]).mean() < 1
    assert not alpha[:180].any()


def test_a_subject_cut_by_the_frame_has_a_box_out_to_the_canvas_edge() -> None:
    canvas = Canvas.around(320, 192)
    matte = Matte(np.ones((192, 320), np.float32), 1.0, (40, 30, 200, 192))

    assert layer_box(matte, canvas) == Box(40 + canvas.ring_x, 30 + canvas.ring_y, 200 + canvas.ring_x, canvas.height)


@given(st.integers(4, 60), st.integers(4, 60))
@settings(max_examples=20, deadline=None)
def test_an_unmoved_camera_shows_the_picture_to_the_last_pixel(columns: int, rows: int) -> None:
    canvas = Canvas.around(16 * columns, 16 * rows)
    plate = np.random.default_rng(3).integers(0, 256, (canvas.height, canvas.width, 3), np.uint8)
    ground = np.zeros(canvas.grid_size[::-1], np.float32)
    scene = Scene(canvas, plate[canvas.frame], plate, ground, None, ())

    frame = Renderer(scene, Look(0.05, 0.5, breathing=True), seed=1).frame(Pose(), 0.0)

    assert np.array_equal(frame, scene.picture)


def test_the_inverse_warp_inverts_the_pose() -> None:
    canvas = Canvas.around(320, 192)
    width, height = canvas.grid_size
    slope = resize_plane(np.array([[0.1, 0.3], [0.6, 0.9]], np.float32), width, height)
    pose = Pose(shift_x=0.06, approach=0.3, pan_y=0.03, zoom=1.1, focus_x=0.1)
    seen_x, seen_y = (part.astype(np.float32) for part in np.meshgrid(np.arange(-150, 150, 50), np.arange(-90, 90, 30)))

    x, y = sources(pose, canvas, slope, seen_x, seen_y)

    at_x = ((x + canvas.width / 2) * width / canvas.width - 0.5).astype(int)
    at_y = ((y + canvas.height / 2) * height / canvas.height - 0.5).astype(int)
    depth = slope[at_y, at_x]
    scale = pose.zoom * (1 + pose.approach * depth)
    forward_x = (x - 32) * scale + 32 + 0.06 * 320 * (depth - pose.pivot)
    forward_y = y * scale + 0.03 * 192
    assert np.abs(forward_x - seen_x).max() < 3
    assert np.abs(forward_y - seen_y).max() < 3


@pytest.mark.parametrize("size", [(1280, 720), (832, 464), (464, 832), (16, 16)])
def test_the_canvas_has_a_ring_of_a_tenth(size: tuple[int, int]) -> None:
    canvas = Canvas.around(*size)

    assert canvas.ring_x == pytest.approx(size[0] / 10, abs=4)
    assert canvas.ring_y == pytest.approx(size[1] / 10, abs=4)
    assert (canvas.width, canvas.height) == (size[0] + 2 * canvas.ring_x, size[1] + 2 * canvas.ring_y)
