"""Finished clips of the preview engine, filmed from hand-made plans and measured on the file."""

import resource
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from filmgate.domain.errors import EngineFailure, RequestStopped
from filmgate.encoding.sound import silence
from filmgate.engines.preview.moves import Move, MoveKind
from filmgate.engines.preview.plan import Plan, Shot
from tests.footage import find_cuts, measure_motion, read_footage, read_frames, sideways_motion
from tests.preview_set import Heard, filmed, one_shot, scene_of

PHOTOGRAPHS = ("astronaut", "coffee", "rocket")
RATE = 16
FRAMES = 49

# What each move must show: a measure of the flow, and its sign. Content moves against the camera.
SIGNS: list[tuple[MoveKind, str, int, float]] = [
    ("push_in", "divergence", 1, 0.5),
    ("pull_out", "divergence", -1, 0.5),
    ("zoom_in", "divergence", 1, 0.5),
    ("zoom_out", "divergence", -1, 0.5),
    ("pan_left", "x", 1, 0.8),
    ("pan_right", "x", -1, 0.8),
    ("tilt_up", "y", 1, 0.8),
    ("tilt_down", "y", -1, 0.8),
    ("pedestal_up", "y", 1, 0.3),
    ("pedestal_down", "y", -1, 0.3),
    ("crane_up", "y", 1, 0.5),
    ("crane_down", "y", -1, 0.5),
]


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize(("kind", "measure", "sign", "least"), SIGNS)
def test_each_move_goes_its_way(
    photograph: str, kind: MoveKind, measure: str, sign: int, least: float, tmp_path: Path
) -> None:
    clip = filmed(scene_of(photograph), one_shot(kind, seconds=FRAMES / RATE), tmp_path / "clip.mp4")

    motion = measure_motion(read_frames(clip))

    assert sign * getattr(motion, measure) > least


@pytest.mark.parametrize("photograph", ["astronaut", "coffee", "chelsea"])
@pytest.mark.parametrize(("kind", "sign"), [("truck_left", 1), ("truck_right", -1)])
def test_travelling_sideways_moves_the_near_more_than_the_far(
    photograph: str, kind: MoveKind, sign: int, tmp_path: Path
) -> None:
    near, far = near_and_far(photograph)
    frames = read_frames(filmed(scene_of(photograph), one_shot(kind, seconds=FRAMES / RATE), tmp_path / "clip.mp4"))

    difference = sideways_motion(frames, near) - sideways_motion(frames, far)

    assert sign * difference > 0.3


@pytest.mark.parametrize("photograph", ["astronaut", "coffee"])
@pytest.mark.parametrize(("kind", "sign"), [("orbit_left", -1), ("orbit_right", 1)])
def test_an_orbit_moves_the_far_around_a_subject_that_stays(
    photograph: str, kind: MoveKind, sign: int, tmp_path: Path
) -> None:
    near, far = near_and_far(photograph)
    frames = read_frames(filmed(scene_of(photograph), one_shot(kind, seconds=FRAMES / RATE), tmp_path / "clip.mp4"))

    assert sign * sideways_motion(frames, far) > 0.3
    assert sign * sideways_motion(frames, far) > 1.2 * abs(sideways_motion(frames, near))


def near_and_far(photograph: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the photograph's subject is in the frame, and where it is not."""
    scene = scene_of(photograph)
    assert scene.subject is not None
    alpha = scene.subject.layer[scene.canvas.frame][..., 3]
    return alpha > 250, alpha < 5


def test_a_roll_turns_the_picture(tmp_path: Path) -> None:
    clip = filmed(scene_of("coffee"), one_shot("roll", seconds=FRAMES / RATE), tmp_path / "clip.mp4")

    assert abs(measure_motion(read_frames(clip)).curl) > 0.3


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
def test_a_static_shot_stands_still(photograph: str, tmp_path: Path) -> None:
    clip = filmed(scene_of(photograph), one_shot("static", seconds=FRAMES / RATE), tmp_path / "clip.mp4")

    assert measure_motion(read_frames(clip)).magnitude < 0.1


@pytest.mark.parametrize("photograph", ["astronaut", "coffee", "rocket", "chelsea"])
def test_the_first_frame_is_the_input_picture(photograph: str, tmp_path: Path) -> None:
    scene = scene_of(photograph)
    shot = Shot(0.0, 1.0, (Move("push_in", 1.0),), "close_up", 1.0)
    plan = Plan((shot,), breathing=True, grain=0.05, sharpen=0.3, applied=(), ignored=())
    clip = filmed(scene, plan, tmp_path / "clip.mp4", frames=16)

    first = read_frames(clip)[0]

    assert structural_similarity(first, scene.picture, channel_axis=2) > 0.9


def test_two_moves_in_one_shot_both_show(tmp_path: Path) -> None:
    clip = filmed(scene_of("coffee"), one_shot("push_in", "pan_left", seconds=FRAMES / RATE), tmp_path / "clip.mp4")

    motion = measure_motion(read_frames(clip))

    assert motion.divergence > 0.5
    assert motion.x > 0.5


@pytest.mark.parametrize("photograph", ["astronaut", "coffee", "chelsea"])
def test_shots_are_parted_by_hard_cuts_at_exact_frames(photograph: str, tmp_path: Path) -> None:
    shots = (
        Shot(0.0, 1.0, (Move("push_in", 0.7),), "medium", 0.5),
        Shot(1.0, 2.0, (Move("static", 1.0),), "close_up", 0.5),
        Shot(2.0, 3.0, (Move("pan_left", 0.7),), None, 0.5),
    )
    plan = Plan(shots, breathing=True, grain=0.05, sharpen=0.0, applied=(), ignored=())

    clip = filmed(scene_of(photograph), plan, tmp_path / "clip.mp4", frames=48)

    assert find_cuts(read_frames(clip)) == [16, 32]


def test_a_shot_that_asks_for_the_same_framing_again_still_looks_different(tmp_path: Path) -> None:
    shots = tuple(Shot(at, at + 1.0, (Move("static", 1.0),), "wide", 0.0) for at in (0.0, 1.0, 2.0))
    plan = Plan(shots, breathing=False, grain=0.0, sharpen=0.0, applied=(), ignored=())

    clip = filmed(scene_of("coffee"), plan, tmp_path / "clip.mp4", frames=48)

    assert find_cuts(read_frames(clip)) == [16, 32]


def test_a_single_shot_has_no_cut(tmp_path: Path) -> None:
    clip = filmed(scene_of("coffee"), one_shot("truck_left", seconds=3.0, handheld=2.0), tmp_path / "clip.mp4")

    assert find_cuts(read_frames(clip)) == []


@pytest.mark.parametrize(("frames", "rate"), [(30, 30), (17, 16), (25, 5), (1, 24)])
def test_frames_rate_length_and_format_are_exact(frames: int, rate: int, tmp_path: Path) -> None:
    scene = scene_of("coffee")
    clip = filmed(scene, one_shot("push_in", seconds=frames / rate), tmp_path / "clip.mp4", frames=frames, rate=rate)

    footage = read_footage(clip)

    assert (footage.width, footage.height) == (scene.canvas.frame_width, scene.canvas.frame_height)
    assert (footage.frames, footage.rate) == (frames, rate)
    assert footage.video_s == pytest.approx(frames / rate, abs=0.001)
    assert (footage.codec, footage.profile, footage.pixels) == ("h264", "High", "yuv420p")
    assert footage.boxes.index("moov") < footage.boxes.index("mdat")
    assert footage.comment == '{"engine":"preview"}'
    assert footage.audio_s is None


def test_sound_lasts_as_long_as_the_picture(tmp_path: Path) -> None:
    times = np.arange(48_000) / 48_000
    tone = silence(3.0)
    tone[:, :48_000] = 0.5 * np.sin(2 * np.pi * 440 * times)
    clip = filmed(scene_of("coffee"), one_shot("static", seconds=3.0), tmp_path / "clip.mp4", frames=48, sound=tone)

    footage = read_footage(clip)

    assert footage.sound is not None
    assert (footage.audio_codec, footage.audio_rate, len(footage.sound)) == ("aac", 48_000, 2)
    assert footage.audio_s == pytest.approx(3.0, abs=1 / RATE)
    assert np.abs(footage.sound[0, 4_000:44_000]).max() > 0.4
    assert np.abs(footage.sound[0, 52_000:]).max() < 0.01


def test_the_same_request_gives_the_same_bytes_and_another_seed_another_clip(tmp_path: Path) -> None:
    scene = scene_of("coffee")
    shot = Shot(0.0, 1.0, (Move("truck_left", 1.0),), None, 0.5)
    plan = Plan((shot,), breathing=True, grain=0.05, sharpen=0.0, applied=(), ignored=())

    first, again, other = (
        filmed(scene, plan, tmp_path / f"{number}.mp4", frames=16, seed=seed).read_bytes()
        for number, seed in enumerate((7, 7, 8))
    )

    assert first == again
    assert first != other


def test_the_playback_rate_alone_changes_no_frame(tmp_path: Path) -> None:
    scene, plan = scene_of("coffee"), one_shot("push_in", seconds=1.0, handheld=1.0)

    slow = read_frames(filmed(scene, plan, tmp_path / "slow.mp4", frames=16, rate=8, motion_rate=16))
    fast = read_frames(filmed(scene, plan, tmp_path / "fast.mp4", frames=16, rate=16, motion_rate=16))

    # The encoder spends its bits by time, so equal frames differ by compression: far less than neighbours by motion.
    compression = [np.abs(one.astype(int) - other).mean() for one, other in zip(slow, fast, strict=True)]
    motion = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(slow)]
    assert max(compression) < 0.5 * max(motion)


@pytest.mark.parametrize("kind", ["tilt_down", "tilt_up", "pan_left", "pan_right", "pull_out", "roll"])
def test_no_dark_line_shows_at_an_edge_that_cuts_the_subject(kind: MoveKind, tmp_path: Path) -> None:
    scene = scene_of("chelsea")
    clip = filmed(scene, one_shot(kind, seconds=1.0, handheld=2.0), tmp_path / "clip.mp4", frames=16)

    last = read_frames(clip)[-1].mean(axis=2)

    darkest = min(part.mean() for part in (last[0], last[-1], last[:, 0], last[:, -1]))
    assert darkest > 0.5 * scene.picture.mean()


@pytest.mark.parametrize("stop_after", [0, 5])
def test_a_stopped_clip_leaves_no_file_and_no_thread(stop_after: int, tmp_path: Path) -> None:
    before = threading.active_count()

    with pytest.raises(RequestStopped):
        filmed(
            scene_of("coffee"),
            one_shot("push_in", seconds=3.0),
            tmp_path / "clip.mp4",
            report=Heard(stop_after=stop_after),
        )

    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == before


def test_a_file_that_cannot_be_written_ends_in_a_sentence_and_no_file(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, limits[1]))
    try:
        with pytest.raises(EngineFailure) as failure:
            filmed(scene_of("coffee"), one_shot("push_in", seconds=3.0), tmp_path / "clip.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert failure.value.code == "output_unwritable"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineFailure, match="could not be written"):
        filmed(scene_of("coffee"), one_shot("push_in", seconds=3.0), tmp_path / "absent" / "clip.mp4")
