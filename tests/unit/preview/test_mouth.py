"""A mouth that talks: found where a face has one, moved where a camera sees it, and nothing else moved with it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from filmgate.engines.preview.camera import Pose
from filmgate.engines.preview.framing import View
from filmgate.engines.preview.mouth import Mouth, find_mouth, open_mouth
from filmgate.engines.preview.nets import Face
from filmgate.engines.preview.scene import Canvas
from filmgate.engines.preview.warp import seen_at, sources, viewed
from tests.preview_set import scene_of
from tests.unit.preview.test_preview_camera import made_scene

POSES = (
    Pose(),
    Pose(shift_x=0.05, shift_y=-0.03, approach=0.3, pan_x=0.02, zoom=1.1, focus_x=0.1, focus_y=-0.1),
    Pose(roll=0.1, pan_y=0.04, view=View(0.6, 0.1, -0.12)),
)


def face(*, height: float = 90.0, mouth_width: float = 28.0) -> Face:
    """A face looking at the camera, in the middle of the made scene."""
    top, middle = 96 - height / 2, 160.0
    eyes, mouth = top + 0.4 * height, top + 0.75 * height
    half = mouth_width / 2
    return Face(
        120, top, 200, top + height, 0.9,
        ((middle - 18, eyes), (middle + 18, eyes)),
        ((middle - half, mouth), (middle + half, mouth)),
    )  # fmt: skip


def mouth_of(found: Face) -> Mouth:
    mouth = find_mouth(made_scene(faces=(found,)))
    assert mouth is not None
    return mouth


def noisy_frame() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, (192, 320, 3)).astype(np.uint8)


@pytest.mark.parametrize("pose", POSES)
def test_a_point_is_seen_where_the_warp_takes_it_from(pose: Pose) -> None:
    canvas = Canvas.around(320, 192)
    disparity = np.full((canvas.grid_size[1], canvas.grid_size[0]), 0.7, np.float32)
    points = np.array([[10, -20], [-40, 30]], np.float32)

    seen = seen_at(pose, canvas, points, 0.7)

    x, y = seen[:, :1] + np.float32(0.5 - 160), seen[:, 1:] + np.float32(0.5 - 96)
    back = np.concatenate(sources(pose, canvas, disparity, *viewed(pose, canvas, x, y)), axis=1)
    assert back == pytest.approx(points, abs=0.05)


@pytest.mark.parametrize(
    "found", [Face(120, 51, 200, 141, 0.9), face(height=30), face(mouth_width=8)], ids=["no points", "small", "profile"]
)
def test_faces_without_a_mouth_to_move(found: Face) -> None:
    assert find_mouth(made_scene(faces=(found,))) is None
    assert find_mouth(made_scene()) is None


def test_only_what_is_below_the_lips_and_near_them_moves() -> None:
    mouth, frame = mouth_of(face()), noisy_frame()
    seen = seen_at(Pose(), Canvas.around(320, 192), mouth.points, mouth.disparity)
    opened = frame.copy()

    open_mouth(opened, mouth, seen, 1.0)

    rows, columns = np.nonzero((opened != frame).any(axis=2))
    lips, chin = seen[0, 1], seen[2, 1]
    assert lips - 3 <= rows.min() < lips + 6
    assert rows.max() < lips + 1.9 * (chin - lips)
    assert 160 - 45 < columns.min() < columns.max() < 160 + 45


def test_a_closed_mouth_and_one_outside_the_frame_change_nothing() -> None:
    mouth, frame = mouth_of(face()), noisy_frame()
    seen = seen_at(Pose(), Canvas.around(320, 192), mouth.points, mouth.disparity)
    untouched = frame.copy()

    open_mouth(frame, mouth, seen, 0.0)
    open_mouth(frame, mouth, seen + np.float32(900), 1.0)

    assert np.array_equal(frame, untouched)


def test_the_wider_a_mouth_is_open_the_more_of_its_dark_shows() -> None:
    scene = scene_of("astronaut")
    mouth = find_mouth(scene)
    assert mouth is not None
    seen = seen_at(Pose(), scene.canvas, mouth.points, mouth.disparity)
    (left, top), (right, bottom) = seen.min(axis=0).astype(int), seen.max(axis=0).astype(int)
    dark = []
    for opening in (0.0, 0.4, 0.7, 1.0):
        frame = scene.picture.copy()
        open_mouth(frame, mouth, seen, opening)
        dark.append(int((frame[top:bottom, left:right].max(axis=2) < 90).sum()))

    assert dark == sorted(dark)
    assert dark[-1] > dark[0] + 20
