"""Wan's models through our loop: the library's frames bit by bit, stopped inside a step, resumed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLWan, WanImageToVideoPipeline
from PIL import Image

from filmgate.domain.errors import EngineFailure, RequestStopped
from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.catalog import installed
from filmgate.engines.diffusers.frames import judged
from filmgate.engines.diffusers.loading import load_processor
from filmgate.engines.diffusers.profiles import EXACT
from filmgate.engines.diffusers.residency import Budget, Residency
from filmgate.engines.diffusers.sampling import Sampling
from filmgate.engines.diffusers.suite import Suite
from filmgate.engines.diffusers.wan import Segment, WanModel
from filmgate.engines.diffusers.watch import Watch
from tests.torch.reports import Notebook

CPU = torch.device("cpu")
SETS = ("wan2.1-i2v-14b-480p", "wan2.2-i2v-a14b", "wan2.2-ti2v-5b")
ROOM = Budget(10**9, 10**9)


def opened(weights: Path, name: str, budget: Budget = ROOM, *, dtype: torch.dtype = torch.float32) -> WanModel:
    return WanModel(Suite(installed(weights, name), Residency(CPU, budget), CPU, EXACT, dtype))


def segment(picture: Picture) -> Segment:
    height, width = (side // 32 * 32 for side in picture.shape[:2])
    return Segment("a boat drifts by", "blurry", picture[:height, :width], 9, 4, (5.0, 4.0), 3.0, 11)


def frames(model: WanModel, wanted: Segment, report: Notebook | None = None) -> Picture:
    watch = Watch(report or Notebook(), CPU)
    latents = model.denoise(wanted, model.encode(wanted, watch), watch, lambda *_: None)
    return model.decode(latents, watch)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", SETS)
def test_the_frames_equal_those_of_the_library(
    name: str, dtype: torch.dtype, tiny_weights: Path, picture: Picture
) -> None:
    wanted = segment(picture)
    found = installed(tiny_weights, name)
    extra = {"image_processor": load_processor(found)} if (found.folder / "image_processor").is_dir() else {}
    library = WanImageToVideoPipeline.from_pretrained(
        found.folder,
        local_files_only=True,
        # As its authors' examples have it: on a card all but the VAE and the picture's encoder are bfloat16.
        dtype={"default": dtype, "vae": torch.float32, "image_encoder": torch.float32},
        **extra,
    )
    library.scheduler = type(library.scheduler).from_config(library.scheduler.config, flow_shift=wanted.shift)
    second = {"guidance_scale_2": wanted.guidance[1]} if library.config.boundary_ratio is not None else {}

    expected = library(
        image=Image.fromarray(wanted.picture),
        prompt=wanted.prompt,
        negative_prompt=wanted.negative_prompt,
        height=wanted.picture.shape[0],
        width=wanted.picture.shape[1],
        num_frames=wanted.frames,
        num_inference_steps=wanted.steps,
        guidance_scale=wanted.guidance[0],
        generator=torch.Generator("cpu").manual_seed(wanted.seed),
        **second,
    ).frames[0]

    made = frames(opened(tiny_weights, name, dtype=dtype), wanted)
    assert made.shape == (9, 32, 64, 3)
    assert np.array_equal(made, (expected * 255).round().astype(np.uint8))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    "change",
    [{"prompt": "a dog runs"}, {"negative_prompt": "fog"}, {"seed": 12}, {"steps": 5}, {"shift": 5.0}, {"frames": 13}],
    ids=lambda change: next(iter(change)),
)
def test_every_input_changes_the_frames(name: str, change: dict, tiny_weights: Path, picture: Picture) -> None:
    model, wanted = opened(tiny_weights, name), segment(picture)

    before, after = frames(model, wanted), frames(model, replace(wanted, **change))

    assert not np.array_equal(before, after[: len(before)])


@pytest.mark.parametrize("name", SETS)
def test_the_picture_changes_the_frames(name: str, tiny_weights: Path, picture: Picture) -> None:
    model, wanted = opened(tiny_weights, name), segment(picture)

    mirrored = replace(wanted, picture=np.ascontiguousarray(wanted.picture[:, ::-1]))

    assert not np.array_equal(frames(model, wanted), frames(model, mirrored))


@pytest.mark.parametrize("name", SETS)
def test_a_stop_inside_a_step_leaves_the_model_as_it_was(name: str, tiny_weights: Path, picture: Picture) -> None:
    model, wanted = opened(tiny_weights, name), segment(picture)
    before = frames(model, wanted)

    for chance in (3, 7, 14):
        with pytest.raises(RequestStopped):
            frames(model, wanted, Notebook(stop=lambda notebook, chance=chance: notebook.chances == chance))

    assert np.array_equal(frames(model, wanted), before)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("step", [1, 3])
def test_a_resumed_segment_ends_in_the_same_frames(name: str, step: int, tiny_weights: Path, picture: Picture) -> None:
    wanted = segment(picture)
    states: list[Sampling] = []
    model = opened(tiny_weights, name)
    watch = Watch(Notebook(), CPU)
    whole = model.denoise(wanted, model.encode(wanted, watch), watch, lambda state, _: states.append(state))

    fresh = opened(tiny_weights, name)
    resumed = fresh.denoise(wanted, fresh.encode(wanted, watch), watch, lambda *_: None, states[step - 1])

    assert torch.equal(resumed, whole)


@pytest.mark.parametrize("name", SETS)
def test_a_budget_for_one_part_at_a_time_makes_the_same_frames(name: str, tiny_weights: Path, picture: Picture) -> None:
    wanted = segment(picture)
    roomy = opened(tiny_weights, name)
    expected = frames(roomy, wanted)
    largest = max(
        sum(path.stat().st_size for path in part.glob("*.safetensors"))
        for part in (tiny_weights / name).iterdir()
        if part.is_dir()
    )

    tight = opened(tiny_weights, name, Budget(largest, largest))

    assert np.array_equal(frames(tight, wanted), expected)


def test_numbers_that_are_none_are_refused(tiny_weights: Path, picture: Picture) -> None:
    model, wanted = opened(tiny_weights, "wan2.1-i2v-14b-480p"), segment(picture)
    conditions = model.encode(wanted, Watch(Notebook(), CPU))
    broken = replace(conditions, latents=torch.full_like(conditions.latents, float("nan")))

    with pytest.raises(EngineFailure) as raised:
        model.denoise(wanted, broken, Watch(Notebook(), CPU), lambda *_: None)

    assert raised.value.code == "frames_invalid"


def test_a_picture_that_encodes_to_no_numbers_is_refused(
    tiny_weights: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AutoencoderKLWan, "_encode", lambda *_: torch.full((1, 32, 3, 4, 8), float("nan")))

    with pytest.raises(EngineFailure) as raised:
        opened(tiny_weights, "wan2.1-i2v-14b-480p").encode(segment(picture), Watch(Notebook(), CPU))

    assert raised.value.code == "frames_invalid"


@pytest.mark.parametrize("name", SETS)
def test_a_stop_is_heard_while_the_picture_is_encoded(name: str, tiny_weights: Path, picture: Picture) -> None:
    model, wanted = opened(tiny_weights, name), segment(picture)

    with pytest.raises(RequestStopped):
        model.encode(wanted, Watch(Notebook(stop=lambda _: True), CPU))


def test_frames_of_one_colour_are_refused() -> None:
    with pytest.raises(EngineFailure, match="every pixel") as raised:
        judged(torch.full((1, 3, 5, 8, 8), 0.25))

    assert raised.value.code == "frames_invalid"
