"""Qwen-Image-Edit through our loop: the library's picture bit by bit, stopped inside a step, resumed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import QwenImageEditPlusPipeline
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as library_module
from PIL import Image

from filmgate.domain.errors import RequestStopped
from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.catalog import installed
from filmgate.engines.diffusers.loading import load_module, load_scheduler, load_tokenizer
from filmgate.engines.diffusers.profiles import EXACT
from filmgate.engines.diffusers.qwen import KEPT_AREA_PX, SEEN_AREA_PX, Edit, QwenEditModel
from filmgate.engines.diffusers.qwen_processor import load_qwen_processor
from filmgate.engines.diffusers.residency import Budget, Residency
from filmgate.engines.diffusers.sampling import Sampling
from filmgate.engines.diffusers.suite import Suite
from filmgate.engines.diffusers.watch import Watch
from tests.torch.reports import Notebook

CPU = torch.device("cpu")
NAME = "qwen-image-edit-2511"


def opened(weights: Path, dtype: torch.dtype = torch.float32) -> QwenEditModel:
    memory = Residency(CPU, Budget(10**9, 10**9))
    return QwenEditModel(Suite(installed(weights, NAME), memory, CPU, EXACT, dtype))


def edit(*pictures: Picture) -> Edit:
    return Edit("make it night", "blurry", pictures, 96, 64, 4, 4.0, 5)


def made(model: QwenEditModel, wanted: Edit, report: Notebook | None = None) -> Picture:
    watch = Watch(report or Notebook(), CPU)
    latents = model.denoise(wanted, model.encode(wanted), watch, lambda *_: None)
    return model.decode(wanted, latents, watch)


@pytest.mark.parametrize("references", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_the_picture_equals_that_of_the_library(
    references: int, dtype: torch.dtype, tiny_weights: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [np.ascontiguousarray(np.roll(picture, 7 * shift, axis=1)) for shift in range(references)]
    found = installed(tiny_weights, NAME)
    scale = min(1.0, found.weights.max_area_px / KEPT_AREA_PX)
    monkeypatch.setattr(library_module, "CONDITION_IMAGE_SIZE", SEEN_AREA_PX * scale)
    monkeypatch.setattr(library_module, "VAE_IMAGE_SIZE", KEPT_AREA_PX * scale)
    tokenizer = load_tokenizer(found)
    library = QwenImageEditPlusPipeline(
        scheduler=load_scheduler(found),
        tokenizer=tokenizer,
        processor=load_qwen_processor(found.folder, tokenizer),
        **{part: load_module(found, part, dtype) for part in ("vae", "text_encoder", "transformer")},
    )
    wanted = edit(*pictures)

    expected = library(
        image=[Image.fromarray(one) for one in pictures],
        prompt=wanted.prompt,
        negative_prompt=wanted.negative_prompt,
        width=wanted.width,
        height=wanted.height,
        num_inference_steps=wanted.steps,
        true_cfg_scale=wanted.guidance,
        generator=torch.Generator("cpu").manual_seed(wanted.seed),
        output_type="np",
    ).images[0]

    assert np.array_equal(made(opened(tiny_weights, dtype), wanted), (expected * 255).round().astype(np.uint8))


@pytest.mark.parametrize(
    "change",
    [{"prompt": "a dog"}, {"negative_prompt": "fog"}, {"seed": 6}, {"steps": 5}, {"guidance": 1.0}],
    ids=lambda change: next(iter(change)),
)
def test_every_input_changes_the_picture(change: dict, tiny_weights: Path, picture: Picture) -> None:
    model, wanted = opened(tiny_weights), edit(picture)

    assert not np.array_equal(made(model, wanted), made(model, replace(wanted, **change)))


def test_a_stop_inside_a_step_leaves_the_model_as_it_was(tiny_weights: Path, picture: Picture) -> None:
    model, wanted = opened(tiny_weights), edit(picture)
    before = made(model, wanted)

    with pytest.raises(RequestStopped):
        made(model, wanted, Notebook(stop=lambda notebook: notebook.chances == 6))

    assert np.array_equal(made(model, wanted), before)


def test_the_encoder_knows_where_in_a_picture_its_tokens_are(
    tiny_weights: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel

    given: list[torch.Tensor | None] = []
    genuine = Qwen2_5_VLModel.compute_3d_position_ids
    monkeypatch.setattr(
        Qwen2_5_VLModel,
        "compute_3d_position_ids",
        lambda model, **named: given.append(genuine(model, **named)) or given[-1],
    )

    opened(tiny_weights).encode(edit(picture))

    assert all(positions is not None for positions in given)
    rows, columns = given[0][1], given[0][2]
    assert not torch.equal(rows, columns)


@pytest.mark.parametrize("step", [1, 3])
def test_a_resumed_edit_ends_in_the_same_picture(step: int, tiny_weights: Path, picture: Picture) -> None:
    wanted = edit(picture)
    states: list[Sampling] = []
    model = opened(tiny_weights)
    watch = Watch(Notebook(), CPU)
    whole = model.denoise(wanted, model.encode(wanted), watch, lambda state, _: states.append(state))

    fresh = opened(tiny_weights)
    resumed = fresh.denoise(wanted, fresh.encode(wanted), watch, lambda *_: None, states[step - 1])

    assert torch.equal(resumed, whole)
