"""The preview engine as a worker sees it: jobs in, files, warnings and errors out."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from filmgate import __version__
from filmgate.domain.errors import EngineFailure, RequestStopped, WeightsInvalid
from filmgate.domain.ports import Job, Lora
from filmgate.domain.request import RequestId
from filmgate.domain.sizes import ImageTarget, VideoTarget
from filmgate.engines.preview.engine import PreviewEngine
from tests.footage import read_footage
from tests.preview_set import Heard, photograph


@pytest.fixture(scope="module")
def engine() -> PreviewEngine:
    return PreviewEngine(threads=2)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A second of film of a photograph, in a scratch folder of its own."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Job(
        request_id=RequestId("r1"),
        model_id="wan-ai/wan-2-6/flash/image-to-video",
        prompt="The camera slowly pushes in on the cup.",
        images=(written(tmp_path / "coffee.png", "coffee"),),
        target=VideoTarget(384, 256, 12, 12),
        seed=3,
        scratch=scratch,
        extend=False,
    )


def written(path: Path, name: str) -> Path:
    cv2.imwrite(str(path), photograph(name)[..., ::-1])
    return path


def test_a_job_becomes_one_finished_clip(engine: PreviewEngine, job: Job) -> None:
    heard = Heard()

    result = engine.run(job, heard)

    footage = read_footage(result.files[0])
    assert list(job.scratch.iterdir()) == list(result.files)
    assert (footage.width, footage.height, footage.frames, footage.rate) == (384, 256, 12, 12)
    assert footage.audio_s is None
    assert (result.seed, result.actual_prompt) == (3, job.prompt)
    assert result.details["shots"][0]["moves"][0]["kind"] == "push_in"
    assert result.details["subject_found"] is True


def test_progress_never_goes_back_and_names_its_stages(engine: PreviewEngine, job: Job) -> None:
    heard = Heard()

    engine.run(job, heard)

    fractions = [fraction for fraction, _ in heard.steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert list(dict.fromkeys(stage for _, stage in heard.steps)) == ["analysing", "rendering", "encoding"]
    assert heard.looks >= 12


def test_the_file_says_how_it_was_made_but_not_the_prompt(engine: PreviewEngine, job: Job) -> None:
    result = engine.run(job, Heard())

    made = json.loads(read_footage(result.files[0]).comment)
    assert (made["engine"], made["version"], made["model"], made["seed"]) == ("preview", __version__, job.model_id, 3)
    assert len(made["prompt_sha256"]) == 64
    assert b"pushes in" not in result.files[0].read_bytes()


def test_the_same_job_gives_the_same_bytes_and_the_scene_is_kept(engine: PreviewEngine, job: Job) -> None:
    first = engine.run(job, Heard()).files[0].read_bytes()

    again = engine.run(job, Heard())

    assert again.files[0].read_bytes() == first
    assert again.details["scene_was_known"] is True


def test_a_fresh_engine_gives_the_same_bytes(engine: PreviewEngine, job: Job) -> None:
    first = engine.run(job, Heard()).files[0].read_bytes()

    assert PreviewEngine(threads=2).run(job, Heard()).files[0].read_bytes() == first


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 8}, r"inference steps \(8\)"),
        ({"negative_prompt": "blurry"}, "negative prompt"),
        ({"screen": True}, "safety check"),
        ({"sound": True, "prompt": "The dog barks."}, "Not heard in the sound that was made: barks"),
        ({"loras": (Lora("film-grain"), Lora("slow"))}, r"LoRAs had no effect \(film-grain, slow\)"),
        ({"extend": True}, "was not rewritten|used as it is"),
    ],
)
def test_an_input_without_full_effect_is_named(
    engine: PreviewEngine, job: Job, change: dict[str, object], words: str
) -> None:
    plain = engine.run(job, Heard()).warnings

    warnings = engine.run(replace(job, **change), Heard()).warnings

    assert len(warnings) == len(plain) + 1
    assert any(re.search(words, warning) for warning in warnings)


@pytest.mark.parametrize("stop_after", [0, 1, 3, 8])
def test_a_stopped_job_leaves_nothing(stop_after: int, engine: PreviewEngine, job: Job) -> None:
    with pytest.raises(RequestStopped):
        engine.run(job, Heard(stop_after=stop_after))

    assert list(job.scratch.iterdir()) == []


def test_a_job_without_picture_ends_in_a_sentence(engine: PreviewEngine, job: Job) -> None:
    with pytest.raises(EngineFailure, match="needs an input picture"):
        engine.run(replace(job, images=()), Heard())


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_an_unreadable_picture_ends_in_a_sentence(
    content: bytes | None, engine: PreviewEngine, job: Job, tmp_path: Path
) -> None:
    path = tmp_path / "broken.png"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(EngineFailure, match=r"broken\.png cannot be read"):
        engine.run(replace(job, images=(path,)), Heard())


def test_pictures_become_one_png_of_the_exact_size(engine: PreviewEngine, job: Job, tmp_path: Path) -> None:
    images = (written(tmp_path / "a.png", "astronaut"), written(tmp_path / "b.png", "coffee"))
    heard = Heard()

    result = engine.run(replace(job, images=images, target=ImageTarget(384, 288)), heard)

    with Image.open(result.files[0]) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (384, 288))
        assert json.loads(picture.info["Comment"])["engine"] == "preview"
    assert heard.steps[-1] == (1.0, "encoding")
    assert list(job.scratch.iterdir()) == list(result.files)


def test_a_picture_of_any_size_is_filmed(engine: PreviewEngine, job: Job, tmp_path: Path) -> None:
    flat = np.full((70, 64, 3), 200, np.uint8)
    cv2.imwrite(str(tmp_path / "flat.png"), flat)

    result = engine.run(replace(job, images=(tmp_path / "flat.png",), target=VideoTarget(48, 64, 3, 24)), Heard())

    assert read_footage(result.files[0]).frames == 3


def test_absent_weights_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalid, match="rebuild_weights"):
        PreviewEngine(weights=tmp_path)


def test_the_estimate_grows_with_the_clip(engine: PreviewEngine, job: Job) -> None:
    short = engine.estimate(job)
    long = engine.estimate(replace(job, target=VideoTarget(1920, 1088, 450, 30)))

    assert 0 < short.seconds < long.seconds
    assert short.memory_bytes < long.memory_bytes <= 1_500_000_000


def test_capabilities_name_what_has_no_effect(engine: PreviewEngine) -> None:
    capabilities = engine.capabilities()

    assert (capabilities.engine, capabilities.device) == ("preview", "cpu")
    assert {"steps", "template", "screen", "sound", "negative_prompt"} <= set(capabilities.notes)


def test_importing_the_package_loads_no_media_library() -> None:
    program = "import sys, filmgate.engines.preview; print([m for m in ('cv2', 'numpy', 'av') if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"
