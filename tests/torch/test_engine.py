"""The engine of the open weights as a worker's child process uses it: whole jobs on tiny weights."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from filmgate.domain.errors import EngineBroken, EngineFailure, RequestStopped, StartupError
from filmgate.domain.ports import Lora
from filmgate.domain.sizes import VideoTarget
from filmgate.encoding.picture import read_picture, scale_picture
from filmgate.engines.diffusers.catalog import LORAS
from filmgate.engines.diffusers.engine import DiffusersEngine
from tests.finished_file import read_clip
from tests.torch.jobs import EDIT, WAN_21, WAN_22, WAN_25, WAN_26, engine, job, pixels, same
from tests.torch.reports import Notebook


@pytest.mark.parametrize("model_id", [WAN_21, WAN_22, WAN_25, WAN_26])
def test_a_clip_has_exactly_the_promised_frames(model_id: str, tiny_weights: Path, tmp_path: Path) -> None:
    wanted = job(model_id, tmp_path, sound=model_id in (WAN_25, WAN_26))

    result = engine(tiny_weights).run(wanted, Notebook())

    clip = read_clip(result.files[0])
    target = wanted.target
    assert isinstance(target, VideoTarget)
    assert (clip.width, clip.height, len(clip.frames), clip.frame_rate) == (
        target.width,
        target.height,
        target.frames,
        target.frame_rate,
    )
    assert (clip.sound is not None) == wanted.sound
    assert np.abs(clip.frames[0].astype(float) - clip.frames[-1]).mean() > 2
    given = scale_picture(read_picture(wanted.images[0]), target.width, target.height).astype(float)
    assert np.abs(clip.frames[0] - given).mean() < 4


@pytest.mark.parametrize("model_id", [WAN_22, WAN_25, WAN_26, EDIT])
def test_the_result_names_the_weights_that_ran(model_id: str, tiny_weights: Path, tmp_path: Path) -> None:
    result = engine(tiny_weights).run(job(model_id, tmp_path), Notebook())

    substituted = any("no open weights" in warning for warning in result.warnings)
    assert substituted == (model_id != WAN_22)
    weights = "Qwen/Qwen-Image-Edit-2511" if model_id == EDIT else "Wan-AI/Wan2.2-I2V-A14B-Diffusers"
    assert result.served_by == f"tiny random weights in the shape of {weights} (fp32)"
    assert result.details["profile"] == "exact"
    assert result.metrics["denoising_s"] > 0
    assert result.metrics["peak_memory_bytes"] > 0


@pytest.mark.parametrize("model_id", [WAN_21, WAN_22, EDIT])
def test_the_same_request_makes_the_same_pixels(model_id: str, tiny_weights: Path, tmp_path: Path) -> None:
    first = engine(tiny_weights).run(job(model_id, tmp_path), Notebook())
    again = engine(tiny_weights).run(job(model_id, tmp_path), Notebook())
    other = engine(tiny_weights).run(job(model_id, tmp_path, seed=4), Notebook())

    assert same(first, again)
    assert not same(first, other)


@pytest.mark.parametrize(
    "change",
    [{"prompt": "a dog runs"}, {"negative_prompt": "fog"}, {"steps": 2}],
    ids=lambda change: next(iter(change)),
)
def test_every_word_acts(change: Mapping[str, Any], tiny_weights: Path, tmp_path: Path) -> None:
    maker = engine(tiny_weights)

    first = maker.run(job(WAN_21, tmp_path), Notebook())
    changed = maker.run(job(WAN_21, tmp_path, **change), Notebook())

    assert not same(first, changed)


def test_listed_shots_cut_at_their_frames(tiny_weights: Path, tmp_path: Path) -> None:
    prompt = "A day. Shot 1 [0-2s] a boat. Shot 2 [2-5s] a dog."

    result = engine(tiny_weights).run(job(WAN_26, tmp_path, prompt=prompt, shot_type="multi", extend=True), Notebook())

    frames = read_clip(result.files[0]).frames
    assert result.details["cuts"] == [60]
    assert np.abs(frames[60].astype(float) - frames[0]).mean() < 4
    assert np.abs(frames[60].astype(float) - frames[59]).mean() > 2


def test_a_long_clip_is_one_take_of_chained_segments(tiny_weights: Path, tmp_path: Path) -> None:
    base = job(WAN_25, tmp_path)
    target = base.target
    assert isinstance(target, VideoTarget)

    result = engine(tiny_weights).run(replace(base, target=replace(target, frames=300)), Notebook())

    frames = read_clip(result.files[0]).frames
    assert result.details["segments"] == [81, 81]
    steps = [np.abs(after.astype(float) - before).mean() for before, after in pairwise(frames)]
    assert max(steps[145:155]) <= 2 * max(steps[10:140])


def test_a_larger_size_than_the_weights_have_is_declared(tiny_weights: Path, tmp_path: Path) -> None:
    result = engine(tiny_weights).run(job(WAN_22, tmp_path), Notebook())

    assert any("resized to" in warning for warning in result.warnings)


def test_references_count_in_their_order(tiny_weights: Path, tmp_path: Path) -> None:
    wanted = job(EDIT, tmp_path)
    other = tmp_path / "other.png"
    Image.fromarray(np.full((200, 200, 3), (200, 40, 90), np.uint8)).save(other)
    maker = engine(tiny_weights)

    one, two, turned = (
        maker.run(job(EDIT, tmp_path, images=images), Notebook())
        for images in (wanted.images, (*wanted.images, other), (other, *wanted.images))
    )

    assert pixels(one)[0].shape == (960, 1280, 3)
    assert not same(one, two)
    assert not same(two, turned)


def test_progress_passes_the_stages_in_order_and_never_goes_back(tiny_weights: Path, tmp_path: Path) -> None:
    report = Notebook()

    engine(tiny_weights).run(job(WAN_22, tmp_path), report)

    fractions = [fraction for fraction, stage in report.heard if stage != "loading"]
    assert fractions == sorted(fractions)
    assert [stage for stage in report.stages if stage != "loading"][-3:] == ["denoising", "decoding", "writing"]
    assert len({fraction for fraction, stage in report.heard if stage == "denoising"}) > 8
    assert len({fraction for fraction, stage in report.heard if stage == "decoding"}) > 8


def test_a_moving_preview_is_shown(tiny_weights: Path, tmp_path: Path) -> None:
    report = Notebook()

    engine(tiny_weights).run(job(WAN_22, tmp_path), report)

    assert report.previews
    assert report.previews[0][8:12] == b"WEBP"


@pytest.mark.parametrize("model_id", [WAN_22, EDIT])
@pytest.mark.parametrize("kept", [0, -1])
def test_what_was_kept_leads_to_the_same_pixels(model_id: str, kept: int, tiny_weights: Path, tmp_path: Path) -> None:
    report = Notebook()
    whole = engine(tiny_weights, checkpoint_steps=1).run(job(model_id, tmp_path), report)
    checkpoint = tmp_path / "kept"
    checkpoint.write_bytes(report.checkpoints[kept])

    resumed = engine(tiny_weights).run(job(model_id, tmp_path, checkpoint=checkpoint), Notebook())

    assert same(whole, resumed)


def test_the_checkpoint_of_another_seed_is_not_used(tiny_weights: Path, tmp_path: Path) -> None:
    report = Notebook()
    engine(tiny_weights, checkpoint_steps=1).run(job(WAN_22, tmp_path), report)
    checkpoint = tmp_path / "kept"
    checkpoint.write_bytes(report.checkpoints[1])
    expected = engine(tiny_weights).run(job(WAN_22, tmp_path, seed=9), Notebook())

    heard = Notebook()
    result = engine(tiny_weights).run(job(WAN_22, tmp_path, seed=9, checkpoint=checkpoint), heard)

    assert same(expected, result)
    assert any("starting anew" in line for line in heard.lines)


def test_a_stopped_job_leaves_no_file_and_an_engine_as_before(tiny_weights: Path, tmp_path: Path) -> None:
    maker = engine(tiny_weights)
    before = maker.run(job(WAN_22, tmp_path), Notebook())
    stopped = job(WAN_22, tmp_path)

    with pytest.raises(RequestStopped):
        maker.run(stopped, Notebook(stop=lambda notebook: notebook.chances == 25))

    assert not list(stopped.scratch.glob("*.mp4"))
    assert same(before, maker.run(job(WAN_22, tmp_path), Notebook()))


def test_templates_run_on_the_weights_they_were_made_for(tiny_weights: Path, tmp_path: Path) -> None:
    maker = engine(tiny_weights)

    first = maker.run(job(WAN_22, tmp_path, template="squish", prompt="a boat"), Notebook())
    other = maker.run(job(WAN_22, tmp_path, template="squish", prompt="a dog"), Notebook())
    plain = maker.run(job(WAN_22, tmp_path, prompt="a boat"), Notebook())

    assert "Wan-AI/Wan2.1-I2V-14B-480P" in first.served_by
    assert same(first, other)
    assert not same(first, plain)


def test_a_template_leaves_the_weights_as_they_were(tiny_weights: Path, tmp_path: Path) -> None:
    maker = engine(tiny_weights)
    before = maker.run(job(WAN_21, tmp_path), Notebook())

    maker.run(job(WAN_22, tmp_path, template="squish"), Notebook())

    assert same(before, maker.run(job(WAN_21, tmp_path), Notebook()))


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_what_the_model_does_not_read_of_a_text_is_declared(field: str, tiny_weights: Path, tmp_path: Path) -> None:
    maker = engine(tiny_weights)

    short, long = (
        maker.run(job(WAN_21, tmp_path, steps=1, **{field: "a boat drifts by " * count}), Notebook())
        for count in (1, 200)
    )

    sentence = (
        f"The {field.replace('_', ' ')} is longer than the 512 tokens that the model reads: its end had no effect."
    )
    assert sentence not in short.warnings
    assert sentence in long.warnings


# ------------------------------------------------------------------------------------------------------------ faults


def test_substitutes_can_be_forbidden(tiny_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineFailure, match="no open weights") as raised:
        engine(tiny_weights, substitutes=False).run(job(WAN_25, tmp_path), Notebook())

    assert raised.value.code == "substitute_forbidden"


def test_an_unknown_template_is_refused_before_any_work(tiny_weights: Path, tmp_path: Path) -> None:
    report = Notebook()

    with pytest.raises(EngineFailure, match="mermaid") as raised:
        engine(tiny_weights).run(job(WAN_22, tmp_path, template="mermaid"), report)

    assert raised.value.code == "template_unsupported"
    assert report.heard == []


def test_absent_weights_are_named(tmp_path: Path, tiny_weights: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "wan2.1-i2v-14b-480p").symlink_to(tiny_weights / "wan2.1-i2v-14b-480p")

    with pytest.raises(EngineFailure, match=r"filmgate weights pull wan2\.2-i2v-a14b") as raised:
        engine(weights).run(job(WAN_22, tmp_path), Notebook())

    assert raised.value.code == "weights_missing"


def test_an_engine_without_any_weights_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="filmgate weights") as raised:
        engine(tmp_path)

    assert raised.value.code == "weights_missing"


def test_a_prompt_with_more_tokens_than_the_picture_model_tells_apart_is_refused(
    tiny_weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(EngineFailure, match="shorten the prompt") as raised:
        engine(tiny_weights).run(job(EDIT, tmp_path, prompt="word " * 900), Notebook())

    assert raised.value.code == "prompt_too_long"


def test_a_device_that_is_not_there_stops_the_start(tiny_weights: Path) -> None:
    with pytest.raises(StartupError, match="cuda:7") as raised:
        DiffusersEngine(weights=tiny_weights, device="cuda:7")

    assert raised.value.code == "device_missing"


class Breaking:
    """Fails at the `at`-th forward pass of any block, `times` times, as the given exception."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception, at: int, times: int) -> None:
        from diffusers.models.transformers.transformer_wan import WanTransformerBlock

        self.calls = 0
        self.failed = 0
        genuine = WanTransformerBlock.forward

        def forward(block: torch.nn.Module, *inputs: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls >= at and self.failed < times:
                self.failed += 1
                raise error
            return genuine(block, *inputs, **named)

        monkeypatch.setattr(WanTransformerBlock, "forward", forward)


def test_too_little_memory_is_met_with_a_leaner_plan_once(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Breaking(monkeypatch, torch.OutOfMemoryError("CUDA out of memory"), at=9, times=1)

    result = engine(tiny_weights).run(job(WAN_22, tmp_path), Notebook())

    assert any("in tiles" in warning for warning in result.warnings)


def test_too_little_memory_twice_is_a_typed_failure(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Breaking(monkeypatch, torch.OutOfMemoryError("CUDA out of memory"), at=9, times=2)
    maker = engine(tiny_weights)

    with pytest.raises(EngineFailure, match="too little memory") as raised:
        maker.run(job(WAN_22, tmp_path), Notebook())

    assert raised.value.code == "out_of_memory"
    assert maker.run(job(WAN_22, tmp_path), Notebook()).files


@pytest.mark.parametrize(
    "error",
    [torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), RuntimeError("CUDA error: x")],
    ids=["typed", "by its words"],
)
def test_a_device_that_failed_for_good_breaks_the_engine(
    error: Exception, tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Breaking(monkeypatch, error, at=3, times=1)

    with pytest.raises(EngineBroken):
        engine(tiny_weights).run(job(WAN_22, tmp_path), Notebook())


def test_any_other_error_stays_what_it_is(tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Breaking(monkeypatch, RuntimeError("shapes do not fit"), at=3, times=1)

    with pytest.raises(RuntimeError, match="shapes"):
        engine(tiny_weights).run(job(WAN_22, tmp_path), Notebook())


@pytest.mark.parametrize("model_id", [WAN_22, EDIT])
@pytest.mark.parametrize("fault", ["unreadable", "of something else", "of other sizes"])
def test_an_adapter_that_does_not_fit_is_named(fault: str, model_id: str, tiny_weights: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    for name in ("wan2.2-i2v-a14b", "qwen-image-edit-2511"):
        (weights / name).symlink_to(tiny_weights / name)
    (weights / LORAS).mkdir()
    fits = ["wan2.2-i2v-a14b", "qwen-image-edit-2511"]
    approved = {"ink": {"file": "ink.safetensors", "weights": fits, "max_strength": 1}}
    (weights / LORAS / "approved.json").write_text(json.dumps(approved))
    write_adapter(weights / LORAS / "ink.safetensors", fault)

    with pytest.raises(EngineFailure, match=r"The adapter ink \(ink\.safetensors\) does not fit") as raised:
        engine(weights).run(job(model_id, tmp_path, loras=(Lora("ink"),)), Notebook())

    assert raised.value.code == "lora_unfit"


def write_adapter(path: Path, fault: str) -> None:
    if fault == "unreadable":
        path.write_bytes(b"no tensors")
        return
    layer = "foo.bar" if fault == "of something else" else "diffusion_model.blocks.0.self_attn.q"
    save_file({f"{layer}.lora_A.weight": torch.zeros(4, 8), f"{layer}.lora_B.weight": torch.zeros(8, 4)}, path)
