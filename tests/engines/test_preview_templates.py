"""The effect templates on a person, an animal and an object: motion, whole frames, seeds, and what is refused."""

from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Job
from filmgate.domain.request import RequestId
from filmgate.domain.sizes import VideoTarget
from filmgate.engines.preview.direction import direct
from filmgate.engines.preview.engine import PreviewEngine
from filmgate.engines.preview.render import Look, Renderer
from filmgate.engines.preview.scene import Scene
from filmgate.engines.preview.templates.effect import Effect, stage_plan, with_subject
from filmgate.engines.preview.templates.registry import TEMPLATES
from filmgate.models import SHIPPED, load_catalog
from tests.footage import read_footage, read_frames
from tests.preview_set import Heard, photograph, scene_of

SUBJECTS = ("astronaut", "chelsea", "coffee")
SHOWN = (0, 9, 19, 29)
LENGTH_S = 5.0
RATE = 6
TIMES_S = tuple(np.arange(1, 26) / 5)


@cache
def staged(photograph_name: str) -> Scene:
    return with_subject(scene_of(photograph_name))


@cache
def effect_of(photograph_name: str, template: str, seed: int = 3) -> Effect:
    return Effect(staged(photograph_name), TEMPLATES[template], seed=seed, duration_s=LENGTH_S)


def frames_of(photograph_name: str, template: str, seed: int = 3) -> tuple[NDArray[np.uint8], ...]:
    """Four frames of the clip, from its first to its last."""
    scene, frames = staged(photograph_name), int(LENGTH_S * RATE)
    direction = direct(scene, stage_plan(TEMPLATES[template], LENGTH_S), frames=frames, rate=RATE, seed=seed)
    renderer = Renderer(scene, Look(0.0, 0.0, breathing=False), seed, effect_of(photograph_name, template, seed))
    return tuple(renderer.frame(direction.pose(index), index / RATE) for index in SHOWN)


def motion_of(photograph_name: str, template: str) -> NDArray[np.float32]:
    """How the subject's opaque points are displaced over the clip, in shares of the frame's height."""
    scene, effect = staged(photograph_name), effect_of(photograph_name, template)
    canvas = scene.canvas
    x, y = (
        axis.astype(np.float32)
        for axis in np.meshgrid(
            np.linspace(-canvas.frame_width / 2, canvas.frame_width / 2, 40),
            np.linspace(-canvas.frame_height / 2, canvas.frame_height / 2, 40),
        )
    )
    assert scene.subject is not None
    rows, columns = (y + canvas.height / 2).astype(int), (x + canvas.width / 2).astype(int)
    solid = scene.subject.layer[rows.clip(0, canvas.height - 1), columns.clip(0, canvas.width - 1), 3] > 128
    placed = [effect.place(x, y, float(time_s)) for time_s in TIMES_S]
    moved = np.stack([np.stack([a - x, b - y])[:, solid] for a, b in placed]).clip(-200, 200)
    return np.asarray(moved / canvas.frame_height, np.float32)


@pytest.mark.parametrize("photograph_name", SUBJECTS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_begins_at_the_picture_and_then_acts(photograph_name: str, template: str) -> None:
    scene = staged(photograph_name)

    frames = frames_of(photograph_name, template)

    assert structural_similarity(frames[0], scene.picture, channel_axis=2) >= 0.9
    assert max(np.abs(frame.astype(int) - frames[0]).mean() for frame in frames[1:]) > 0.35
    assert all(frame.mean() > 0.3 * frames[0].mean() for frame in frames)


@pytest.mark.parametrize("photograph_name", SUBJECTS)
def test_every_template_has_a_motion_of_its_own(photograph_name: str) -> None:
    motions = {name: motion_of(photograph_name, name) for name in TEMPLATES}

    alike = [
        (one, other)
        for one, other in combinations(TEMPLATES, 2)
        if np.sqrt(np.square(motions[one] - motions[other]).mean()) < 0.0015
    ]

    assert all(np.isfinite(motion).all() for motion in motions.values())
    assert alike == []


@pytest.mark.parametrize("photograph_name", SUBJECTS)
def test_no_template_shows_where_the_subject_was_cut_off(photograph_name: str) -> None:
    """Fixed sides do not move at all; the others never show the subject's inside at the frame's edge."""
    scene = staged(photograph_name)
    half_x, half_y = scene.canvas.frame_width / 2, scene.canvas.frame_height / 2
    assert scene.subject is not None
    bottom = scene.subject.box.bottom >= scene.canvas.height
    along = np.linspace(-half_x, half_x, 50, dtype=np.float32)[None]
    edge = np.full_like(along, half_y)

    for name, recipe in TEMPLATES.items():
        if bottom and not recipe.released:
            for time_s in TIMES_S:
                _, y = effect_of(photograph_name, name).place(along, edge, float(time_s))
                assert float(np.abs(y - edge).max()) < 0.5, name


def test_squish_swings_in_height_and_flying_rises() -> None:
    heights, centres = [], []
    x = np.zeros((200, 1), np.float32)
    y = np.linspace(-128, 128, 200, dtype=np.float32)[:, None]
    for time_s in TIMES_S:
        _, squished = effect_of("rocket", "squish").place(x, y, float(time_s))
        heights.append(float(np.gradient(squished[:, 0]).mean()))
        _, flown = effect_of("rocket", "flying").place(x, y, float(time_s))
        centres.append(float((flown - y).mean()))

    turns = np.count_nonzero(np.diff(np.sign(np.diff(heights))))
    assert turns >= 5
    assert centres[-1] > 8


def test_a_dissolved_subject_leaves_the_plate_alone() -> None:
    scene, effect = staged("coffee"), effect_of("coffee", "dissolve")

    kept = [float((effect.layer(time_s)[..., 3] > 128).mean()) for time_s in (0.0, 1.5, 2.5, 3.5, 4.9)]

    assert scene.subject is not None
    assert kept[0] == float((scene.subject.layer[..., 3] > 128).mean())
    assert all(later < earlier for earlier, later in pairwise(kept))
    assert kept[-1] == 0


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_seed_decides_on_the_details(template: str) -> None:
    first, again, other = (frames_of("rocket", template, seed) for seed in (3, 3, 4))

    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert any(not np.array_equal(one, two) for one, two in zip(first, other, strict=True))


def test_the_published_names_are_the_known_ones() -> None:
    assert load_catalog([SHIPPED])["wan-ai/wan-2-2/image-to-video"].limits["template"].one_of == tuple(TEMPLATES)


@pytest.fixture(scope="module")
def engine() -> PreviewEngine:
    return PreviewEngine(threads=2)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    cv2.imwrite(str(tmp_path / "rocket.png"), photograph("rocket")[..., ::-1])
    return Job(
        request_id=RequestId("r1"),
        model_id="wan-ai/wan-2-2/image-to-video",
        prompt="The camera pans left.",
        images=(tmp_path / "rocket.png",),
        target=VideoTarget(384, 256, 20, 10),
        seed=3,
        scratch=scratch,
        template="squish",
    )


def test_a_template_ignores_both_prompts(engine: PreviewEngine, job: Job) -> None:
    first = engine.run(replace(job, template="dance1"), Heard())
    film, shown = read_footage(first.files[0]), read_frames(first.files[0])

    other = replace(job, template="dance1", prompt="Snow falls, tilt up.", negative_prompt="grain, pan")
    again = read_frames(engine.run(other, Heard()).files[0])

    assert (film.frames, film.rate) == (20, 10)
    assert np.array_equal(again, shown)
    assert first.details["template"] == {"name": "dance1", "subject": TEMPLATES["dance1"].made}
    assert first.details["applied"] == []


def test_a_template_for_two_says_that_there_is_one(engine: PreviewEngine, job: Job) -> None:
    warnings = engine.run(replace(job, template="hug"), Heard()).warnings

    assert any("meant for two people" in warning for warning in warnings)


def test_a_picture_without_subject_moves_as_a_whole(engine: PreviewEngine, job: Job, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "flat.png"), np.full((300, 400, 3), 200, np.uint8))

    result = engine.run(replace(job, images=(tmp_path / "flat.png",), template="melt"), Heard())

    assert any("No subject was found" in warning for warning in result.warnings)
    assert read_footage(result.files[0]).frames == 20


def test_an_unknown_template_fails_before_any_work(engine: PreviewEngine, job: Job) -> None:
    heard = Heard()

    with pytest.raises(EngineFailure, match=r'no template "zoom".*squish') as failure:
        engine.run(replace(job, template="zoom"), heard)

    assert failure.value.code == "template_unsupported"
    assert heard.steps == []
