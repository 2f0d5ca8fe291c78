"""Output frames show the moments of their positions, whatever method stands in between."""

import weakref
from fractions import Fraction
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.sizes import VideoTarget
from filmgate.engines.diffusers.plan import plan_clip
from filmgate.engines.diffusers.resize import resized
from filmgate.engines.diffusers.retime import INTERPOLATIONS, retimed

METHODS = pytest.mark.parametrize("method", INTERPOLATIONS)
HALF = [Fraction(1, 2)]


def flat(level, width=32, height=32):
    return np.full((height, width, 3), level, np.uint8)


@cache
def scenery(width=480, height=240):
    """Hills and pebbles, the same every time."""
    noise = np.random.default_rng(3).normal(size=(height, width, 3)).astype(np.float32)
    layers = [cv2.GaussianBlur(noise, (0, 0), radius) * radius for radius in (2, 6, 18)]
    return np.clip(np.asarray(sum(layers)) * 60 + 127, 0, 255).astype(np.uint8)


def view(shift, *, size=(320, 192)):
    """What a camera sees that has gone `shift` pixels to the right."""
    moved = np.array([[1, 0, 60 + shift], [0, 1, 20]], np.float32)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(scenery(), moved, size, flags=flags), np.uint8)


def error(first, second):
    """Mean absolute difference in levels of brightness."""
    return float(np.mean(np.abs(first.astype(np.int16) - second)))


def one(frames, position, method):
    (frame,) = retimed(frames, [Fraction(position)], method)
    return frame


# ------------------------------------------------------------------------------------------------------- positions


@METHODS
def test_at_whole_positions_the_frames_are_the_models_own(method):
    frames = [view(3 * number) for number in range(5)]
    shown = list(retimed(frames, [Fraction(number) for number in (0, 1, 3, 4)], method))
    assert [id(frame) for frame in shown] == [id(frames[number]) for number in (0, 1, 3, 4)]


def test_duplicate_shows_the_nearest_earlier_frame():
    frames = [flat(level) for level in (0, 100, 200)]
    shown = retimed(frames, [Fraction(number, 5) for number in (0, 4, 5, 9, 10)], "duplicate")
    assert [int(frame.max()) for frame in shown] == [0, 0, 100, 100, 200]


def test_blend_fades_from_frame_to_frame():
    frames = [flat(level) for level in (0, 100, 200)]
    shown = retimed(frames, [Fraction(number, 10) for number in (0, 3, 5, 10, 19)], "blend")
    assert [int(frame.max()) for frame in shown] == [0, 30, 50, 100, 190]


@METHODS
@given(st.integers(1, 120), st.sampled_from([(16, 30), (24, 30), (24, 16)]))
@settings(max_examples=10, deadline=None)
def test_there_is_one_frame_for_each_position_and_time_never_turns_back(method, count, rates):
    positions = [Fraction(number * rates[0], rates[1]) for number in range(count)]
    shown = list(retimed((flat(level) for level in range(200)), positions, method))
    levels = [int(frame.max()) for frame in shown]
    assert len(shown) == count
    assert all(earlier <= later for earlier, later in pairwise(levels))
    assert all(abs(level - position) <= 1 for level, position in zip(levels, positions, strict=True))


@METHODS
def test_only_two_source_frames_are_held_and_none_is_read_before_it_is_needed(method):
    read = []

    def frames():
        for level in range(100):
            frame = flat(level)
            read.append(weakref.ref(frame))
            yield frame
            del frame

    for position, shown in enumerate(retimed(frames(), [Fraction(number * 8, 15) for number in range(40)], method)):
        assert shown.shape == (32, 32, 3)
        assert len(read) <= position * 8 / 15 + 2
        del shown
        assert sum(frame() is not None for frame in read) <= 2
    assert len(read) == 22


@METHODS
def test_a_position_beyond_the_last_frame_is_an_error(method):
    assert error(one([flat(1), flat(2)], 1, method), flat(2)) == 0
    with pytest.raises(ValueError, match="frame 2 is needed, but there are only 2"):
        one([flat(1), flat(2)], Fraction(3, 2), method)


@pytest.mark.parametrize("positions", [[3, 1], [-1]])
def test_positions_that_turn_back_are_an_error(positions):
    frames = [flat(level) for level in range(5)]
    with pytest.raises(ValueError, match="behind"):
        list(retimed(frames, [Fraction(position) for position in positions], "blend"))


# ------------------------------------------------------------------------------------------------------------ flow


@pytest.mark.parametrize("shift", [3, 9, 20])
@pytest.mark.parametrize("phase", [Fraction(1, 15), Fraction(1, 2), Fraction(8, 15)])
def test_flow_moves_what_moves(shift, phase):
    frames, truth = [view(0), view(shift)], view(shift * float(phase))
    flow, blend = (error(one(frames, phase, method), truth) for method in ("flow", "blend"))
    assert flow < 2
    assert flow < blend / 4


def test_what_enters_at_an_edge_is_shown_as_the_frame_that_has_it():
    edge = one([view(0), view(20)], HALF[0], "flow")[:, -10:]
    assert error(edge, view(10)[:, -10:]) < 4


@pytest.mark.parametrize("size", [(256, 16), (16, 256), (1024, 16), (16, 16), (96, 32)])
def test_frames_too_narrow_to_search_in_have_frames_between_too(size):
    frames = [view(0, size=size), view(3, size=size)]
    assert error(one(frames, HALF[0], "flow"), one(frames, HALF[0], "blend")) < 12


def test_flow_leaves_a_still_picture_as_it_is():
    assert error(one([view(0), view(0)], HALF[0], "flow"), view(0)) < 0.01


@pytest.mark.parametrize("phase", [Fraction(1, 15), Fraction(1, 2)])
def test_between_two_scenes_flow_is_a_cross_fade(phase):
    frames = [view(0), np.ascontiguousarray(view(0)[::-1, ::-1])]
    assert np.array_equal(one(frames, phase, "flow"), one(frames, phase, "blend"))


def test_light_that_changes_in_place_fades():
    brighter = np.clip(view(0).astype(np.float32) * 1.05, 0, 255).astype(np.uint8)
    frames = [view(0), brighter]
    assert error(one(frames, HALF[0], "flow"), one(frames, HALF[0], "blend")) < 1.5


@pytest.mark.parametrize("size", [(16, 16), (448, 16), (16, 448), (112, 64)])
def test_flow_stands_noise_at_the_smallest_sizes(size):
    random = np.random.default_rng(0)
    frames = [random.integers(0, 255, (size[1], size[0], 3)).astype(np.uint8) for _ in range(2)]
    assert np.array_equal(one(frames, HALF[0], "flow"), one(frames, HALF[0], "blend"))


def test_flow_is_the_same_every_time():
    first, second = (one([view(0), view(7)], HALF[0], "flow") for _ in range(2))
    assert np.array_equal(first, second)


# -------------------------------------------------------------------------------------------------- the whole clip


@pytest.mark.parametrize("frames", [150, 300, 450])
def test_a_chain_of_segments_shows_one_even_motion(frames):
    plan = plan_clip(VideoTarget(32, 32, frames, 30), 16, 81, prompt="A cat.", seed=1)
    levels, begun = [], 0
    for segment in plan.segments:
        rendered = [flat(begun + number) for number in range(segment.frames)]
        levels += [int(frame.max()) for frame in retimed(rendered, segment.positions, "blend")]
        begun += segment.frames - 1
    assert len(levels) == frames
    assert all(abs(level - number * 16 / 30) <= 0.51 for number, level in enumerate(levels))


# ------------------------------------------------------------------------------------------------------------ size


@pytest.mark.parametrize("size", [(640, 384), (160, 96), (336, 192), (1920, 1072)])
def test_frames_get_exactly_the_promised_size(size):
    (frame,) = resized([view(0)], *size)
    assert frame.shape == (size[1], size[0], 3)
    assert frame.dtype == np.uint8
    assert abs(float(frame.mean()) - float(view(0).mean())) < 1


def test_a_frame_of_the_right_size_is_passed_on():
    frame = view(0)
    assert next(resized([frame], 320, 192)) is frame


def test_frames_are_resized_one_by_one():
    frames = iter([view(0), view(1)])
    next(resized(frames, 160, 96))
    assert next(frames).shape == (192, 320, 3)


def test_enlarging_keeps_detail_better_than_bilinear_would():
    large = view(0)
    small = np.asarray(cv2.resize(large, (160, 96), interpolation=cv2.INTER_AREA), np.uint8)
    (enlarged,) = resized([small], 320, 192)
    bilinear = cv2.resize(small, (320, 192), interpolation=cv2.INTER_LINEAR)
    assert error(enlarged, large) < error(bilinear, large)
