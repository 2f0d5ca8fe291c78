"""Poses: moves go their way, combine, stay within the canvas, and depend on nothing but the seed."""

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.preview.camera import MOVES, Pose, combined_pose, eased
from filmgate.engines.preview.chance import generator, wander
from filmgate.engines.preview.direction import direct, frame_ranges
from filmgate.engines.preview.framing import FULL_VIEW, View, choose_view, framed_view, views_differ
from filmgate.engines.preview.moves import Move, MoveKind
from filmgate.engines.preview.nets import Face
from filmgate.engines.preview.plan import Plan, Shot
from filmgate.engines.preview.scene import Box, Canvas, Scene, Subject
from filmgate.engines.preview.warp import covers

FRAMINGS = ("wide", "medium", "close_up", "extreme_close_up", "side", "low_angle", "high_angle")


def made_scene(*, slope: tuple[float, float] = (0.1, 0.9), faces: tuple[Face, ...] = ()) -> Scene:
    """A grey scene: ground rising towards the viewer, a subject in the middle."""
    canvas = Canvas.around(320, 192)
    width, height = canvas.grid_size
    ground = np.repeat(np.linspace(*slope, height, dtype=np.float32)[:, None], width, axis=1)
    plate = np.full((canvas.height, canvas.width, 3), 128, np.uint8)
    layer = np.zeros((canvas.height, canvas.width, 4), np.uint8)
    subject = Subject(layer, np.full((height, width), 0.8, np.float32), 0.8, Box(132, 60, 252, 212))
    return Scene(canvas, plate[canvas.frame], plate, ground, subject, faces)


def plan_of(*shots: Shot) -> Plan:
    return Plan(shots, breathing=False, grain=0.0, sharpen=0.0, applied=(), ignored=())


def test_every_move_kind_has_its_travel() -> None:
    assert set(MOVES) == set(get_args(MoveKind))


@given(st.floats(0, 1), st.floats(0, 1))
def test_easing_never_goes_back_and_keeps_its_ends(first: float, second: float) -> None:
    early, late = sorted((first, second))

    assert eased(0.0) == 0.0
    assert eased(1.0) == pytest.approx(1.0)
    assert eased(early) <= eased(late) + 1e-12


@pytest.mark.parametrize("kind", get_args(MoveKind))
def test_every_move_starts_from_the_whole_frame(kind: MoveKind) -> None:
    pose = combined_pose([Move(kind, 1.0)], 0.0, focus=(0.1, -0.1), nearness=0.8)

    assert (pose.zoom, pose.approach, pose.roll, pose.pan_x, pose.shift_x) == (1.0, 0.0, 0.0, 0.0, 0.0)


def test_two_moves_add_up() -> None:
    both = combined_pose([Move("push_in", 1.0), Move("pan_left", 0.5)], 1.0, focus=(0.0, 0.0), nearness=0.8)
    push = combined_pose([Move("push_in", 1.0)], 1.0, focus=(0.0, 0.0), nearness=0.8)
    pan = combined_pose([Move("pan_left", 0.5)], 1.0, focus=(0.0, 0.0), nearness=0.8)

    assert (both.approach, both.pan_x) == (push.approach, pan.pan_x)


def test_a_dolly_zoom_keeps_the_size_of_its_subject() -> None:
    pose = combined_pose([Move("dolly_zoom", 1.0)], 1.0, focus=(0.0, 0.0), nearness=0.8)

    assert pose.zoom > 1.3
    assert pose.zoom * (1 + pose.approach * 0.8) == pytest.approx(1.04)


@pytest.mark.parametrize("kind", get_args(MoveKind))
@pytest.mark.parametrize("strength", [1.0, 2.0])
@pytest.mark.parametrize("slope", [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5)])
def test_no_pose_looks_past_the_canvas(kind: MoveKind, strength: float, slope: tuple[float, float]) -> None:
    scene = made_scene(slope=slope)
    plan = plan_of(
        Shot(0.0, 1.0, (Move(kind, strength), Move("truck_left", 1.0)), None, 0.5),
        Shot(1.0, 2.0, (Move(kind, strength),), "wide", 0.5),
    )

    direction = direct(scene, plan, frames=48, rate=24, seed=3)

    assert all(covers(direction.pose(index), scene.canvas, scene.plate_disparity) for index in range(48))


@pytest.mark.parametrize("kind", ["pull_out", "zoom_out", "pan_left", "pan_right", "tilt_down", "crane_down", "roll"])
def test_a_subject_that_the_frame_cuts_never_ends_within_it(kind: MoveKind) -> None:
    free = made_scene(slope=(0.0, 0.2))
    assert free.subject is not None
    scene = replace(free, subject=replace(free.subject, box=Box(0, 60, 252, free.canvas.height)))
    plan = plan_of(Shot(0.0, 1.0, (Move(kind, 2.0),), None, 0.5))

    direction = direct(scene, plan, frames=24, rate=24, seed=3)

    assert scene.subject is not None
    assert all(
        covers(direction.pose(index), scene.canvas, scene.subject.disparity, box=scene.subject.box)
        for index in range(24)
    )


def test_only_what_may_be_alive_breathes() -> None:
    cup = made_scene()
    assert cup.subject is not None
    portrait = replace(cup, subject=replace(cup.subject, box=Box(132, 60, 252, cup.canvas.height)))

    assert not cup.may_breathe
    assert portrait.may_breathe
    assert made_scene(faces=(Face(10, 10, 50, 60, 0.9),)).may_breathe
    assert not replace(portrait, subject=None).may_breathe


def test_the_first_pose_is_the_input_picture_whatever_the_plan_says() -> None:
    shot = Shot(0.0, 1.0, (Move("orbit_left", 2.0), Move("push_in", 1.0)), "close_up", 3.0)

    pose = direct(made_scene(), plan_of(shot), frames=24, rate=24, seed=9).pose(0)

    assert (pose.zoom, pose.approach, pose.roll, pose.view) == (1.0, 0.0, 0.0, FULL_VIEW)
    assert (pose.pan_x, pose.pan_y, pose.shift_x, pose.shift_y) == (0.0, 0.0, 0.0, 0.0)


def test_seeds_film_the_same_move_differently() -> None:
    plan = plan_of(Shot(0.0, 1.0, (Move("push_in", 1.0),), None, 0.0))

    first, again, other = (direct(made_scene(), plan, frames=24, rate=24, seed=seed).pose(20) for seed in (5, 5, 6))

    assert first == again
    assert abs(first.shift_x - other.shift_x) * 320 > 0.5


def test_a_static_shot_without_a_hand_never_moves() -> None:
    plan = plan_of(Shot(0.0, 1.0, (Move("static", 1.0),), None, 0.0))
    direction = direct(made_scene(), plan, frames=24, rate=24, seed=5)

    assert all(direction.pose(index) == Pose() for index in range(24))


@given(st.integers(1, 6), st.integers(6, 300), st.integers(5, 30))
def test_shots_tile_the_clip(count: int, frames: int, rate: int) -> None:
    length = frames / rate / count
    shots = [Shot(number * length, (number + 1) * length, (), None, 0.0) for number in range(count)]

    ranges = frame_ranges(shots, frames, rate)

    assert ranges[0][0] == 0
    assert ranges[-1][1] == frames
    assert all(first < last for first, last in ranges)
    assert all(before[1] == after[0] for before, after in pairwise(ranges))


def test_cuts_fall_on_the_frames_of_their_seconds() -> None:
    shots = [Shot(0.0, 3.0, (), None, 0.0), Shot(3.0, 6.0, (), None, 0.0), Shot(6.0, 10.0, (), None, 0.0)]

    assert frame_ranges(shots, 240, 24) == [(0, 72), (72, 144), (144, 240)]


@pytest.mark.parametrize("framing", [*FRAMINGS, None])
@pytest.mark.parametrize("before", [FULL_VIEW, View(0.5), View(0.74, 0.05, 0.02), View(0.35, 0.1, -0.1)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_later_shot_always_looks_different(framing: str | None, before: View, seed: int) -> None:
    view = choose_view(made_scene(), framing, before, seed=seed, shot=1)

    assert views_differ(before, view)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("left", [0.0, 100.0, 250.0])
def test_views_stay_within_the_canvas(framing: str, left: float) -> None:
    scene = made_scene(faces=(Face(left, 0, left + 60, 70, 0.9),))

    view = framed_view(scene, framing)

    assert covers(Pose(view=view), scene.canvas, scene.plate_disparity)


def test_a_close_up_of_two_people_cuts_neither_face() -> None:
    faces = (Face(90, 60, 130, 110, 0.9), Face(190, 70, 228, 116, 0.9))

    view = framed_view(made_scene(faces=faces), "close_up")

    left, right = (0.5 + view.centre_x + side * view.scale / 2 for side in (-1, 1))
    assert left * 320 < 90
    assert right * 320 > 228


def test_a_wander_is_smooth_and_its_own() -> None:
    times = np.arange(0, 10, 1 / 30, dtype=np.float32)
    walk = wander(4, "hand x", times, 1.1)

    assert np.abs(np.diff(walk)).max() < 0.25
    assert 0.3 < walk.std() < 2
    assert not np.allclose(walk, wander(4, "hand y", times, 1.1))


def test_one_use_of_chance_does_not_disturb_another() -> None:
    alone = generator(1, "grain").integers(1 << 30)

    generator(1, "breath").integers(1 << 30, size=100)

    assert generator(1, "grain").integers(1 << 30) == alone
