"""Wan 2.1 and 2.2 over HTTP: every input, alone, from the request to the finished file."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.torch.follows import (
    Check,
    effect,
    enlarged,
    film_look,
    larger_weights,
    longer_and_slower,
    more_steps,
    not_rewritten,
    nothing_screened,
    other_frames,
    other_seed,
)
from tests.torch.promises import check_clip, manifest_of
from tests.torch.service import OTHER_PHOTO, PHOTO, Service

WAN_21 = "wan-ai/wan-2-1/image-to-video"
WAN_22 = "wan-ai/wan-2-2/image-to-video"
FILM = [{"name": "film", "strength": 0.8}]

BASE: Mapping[str, dict[str, Any]] = {
    WAN_21: {
        "prompt": "a boat drifts by", "image_url": PHOTO, "resolution": "480p", "seed": 1, "num_inference_steps": 2,
    },
    WAN_22: {"prompt": "a boat drifts by", "img_url": PHOTO, "seed": 1},
}  # fmt: skip
"""Steps are few where a request may say so."""

CHANGES: list[tuple[str, dict[str, Any], tuple[Check, ...]]] = [
    (WAN_21, {"prompt": "a dog runs"}, (other_frames,)),
    (WAN_21, {"image_url": OTHER_PHOTO}, ()),
    (WAN_21, {"seed": 2}, (other_seed,)),
    (WAN_21, {"num_inference_steps": 3}, (more_steps,)),
    (WAN_21, {"loras": FILM}, (film_look,)),
    (WAN_21, {"num_frames": 100, "frames_per_second": 8}, (longer_and_slower,)),
    (WAN_21, {"resolution": "720p", "enable_safety_checker": True}, (larger_weights, nothing_screened)),
    (WAN_21, {"enable_prompt_expansion": False}, (not_rewritten,)),
    (WAN_22, {"prompt": "a dog runs"}, (other_frames,)),
    (WAN_22, {"negative_prompt": "fog"}, (other_frames,)),
    (WAN_22, {"img_url": OTHER_PHOTO}, ()),
    (WAN_22, {"seed": 2}, (other_seed,)),
    (WAN_22, {"loras": FILM}, (film_look,)),
    (WAN_22, {"template": "squish"}, (effect,)),
    (WAN_22, {"template": "rotation"}, (effect,)),
    (WAN_22, {"resolution": "1080P", "duration": 5, "prompt_extend": False}, (enlarged, not_rewritten)),
]  # fmt: skip
"""The model, how the request differs from its `BASE`, and what must follow."""


@pytest.mark.parametrize(
    ("model_id", "change", "checks"), CHANGES, ids=[f"{model}-{'+'.join(change)}" for model, change, _ in CHANGES]
)
def test_every_input_acts_or_its_loss_is_declared(
    model_id: str, change: dict[str, Any], checks: tuple[Check, ...], service: Service
) -> None:
    base = service.clip(model_id, **BASE[model_id])
    inputs = {**BASE[model_id], **change}

    made = service.clip(model_id, **inputs)

    check_clip(model_id, made, inputs)
    for follows in checks:
        follows(made, base)


@pytest.mark.parametrize("model_id", BASE)
def test_no_input_is_left_out_above(model_id: str) -> None:
    changed = {name for model, change, _ in CHANGES if model == model_id for name in change}

    assert changed == set(manifest_of(model_id).properties)


@pytest.mark.parametrize(
    ("model_id", "weights", "steps", "rate"),
    [(WAN_21, "Wan2.1-I2V-14B-480P", 2, (81, 16)), (WAN_22, "Wan2.2-I2V-A14B", 40, (150, 30))],
)
def test_the_result_says_what_made_the_clip_and_how(
    model_id: str, weights: str, steps: int, rate: tuple[int, int], service: Service
) -> None:
    made = service.clip(model_id, **BASE[model_id])

    check_clip(model_id, made, BASE[model_id])
    assert (len(made.clip.frames), made.clip.frame_rate) == rate
    assert made.result["engine"] == "diffusers"
    assert made.result["served_by"] == f"tiny random weights in the shape of Wan-AI/{weights}-Diffusers (fp32)"
    assert not made.warns("no open weights")
    assert (made.details["profile"], made.details["steps"], made.details["ran"]) == ("exact", steps, [])
    assert made.details["metrics"]["denoising_s"] > 0


@pytest.mark.parametrize("model_id", BASE)
def test_a_request_sent_again_makes_the_same_frames(model_id: str, service: Service) -> None:
    base = service.clip(model_id, **BASE[model_id])

    again = service.finished_clip(service.submit(model_id, **BASE[model_id]))

    assert again.frames_sha256 == base.frames_sha256
    assert again.details["metrics"]["loaded_parts"] == 0


def test_templates_without_a_pack_are_refused_and_those_there_are_named(service: Service) -> None:
    templates = manifest_of(WAN_22).limits["template"].one_of or ()
    absent = [template for template in templates if template not in ("squish", "rotation")]

    ids = {one: service.submit(WAN_22, **BASE[WAN_22], template=one) for one in absent}
    failures = {template: service.result(request_id) for template, request_id in ids.items()}

    for template, result in failures.items():
        code = "lora_missing" if template in ("inflate", "frenchkiss") else "template_unsupported"
        assert (result["status"], result["error_info"]["error_type"]) == ("failed", code)
        assert f'"{template}"' in result["error"]
        assert result["error"].endswith("This worker has: rotation, squish.")


@pytest.mark.parametrize(
    ("lora", "code", "words"),
    [
        ({"name": "grain"}, "lora_unknown", 'No LoRA of the name "grain" is approved here. Name one of: film.'),
        ({"name": "paint"}, "lora_wrong_base", "made for qwen-image-edit-2511, but this request is made with wan2.2"),
        ({"name": "film", "strength": 1.9}, "lora_too_strong", "approved up to the strength 1.5, not 1.9"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_an_adapter_that_is_not_approved_for_this_is_refused(
    lora: dict[str, Any], code: str, words: str, service: Service
) -> None:
    failed, sentence = service.failure(WAN_22, **BASE[WAN_22], loras=[lora])

    assert failed == code
    assert words in sentence
