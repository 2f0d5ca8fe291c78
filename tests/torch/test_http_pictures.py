"""Image to image over HTTP: sizes, references and every other input, to the finished picture."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from filmgate.domain.sizes import image_size
from tests.torch.service import OTHER_PHOTO, PHOTO, MadePicture, Service
from tests.torch.twins import MANIFESTS

EDIT = "wan-ai/wan-2-6/image-to-image"
SIZES = MANIFESTS[EDIT].properties["image_size"]["enum"]
BASE: dict[str, Any] = {"prompt": "image 1 at night", "image_urls": [PHOTO, OTHER_PHOTO], "seed": 1}
NOT_REWRITTEN = "no language model to rewrite it"


def other_pixels(made: MadePicture, base: MadePicture) -> None:
    assert not np.array_equal(made.picture, base.picture)


def with_paint(made: MadePicture, base: MadePicture) -> None:
    assert made.result["details"]["adapters"] == ["paint:1"]
    other_pixels(made, base)


def not_rewritten(made: MadePicture, base: MadePicture) -> None:
    assert base.warns(NOT_REWRITTEN)
    assert not made.warns(NOT_REWRITTEN)


CHANGES: list[tuple[str, dict[str, Any], Callable[[MadePicture, MadePicture], None]]] = [
    ("prompt", {"prompt": "image 1 by day"}, other_pixels),
    ("negative prompt", {"negative_prompt": "fog"}, other_pixels),
    ("seed", {"seed": 2}, other_pixels),
    ("one picture", {"image_urls": [PHOTO]}, other_pixels),
    ("three pictures", {"image_urls": [PHOTO, OTHER_PHOTO, PHOTO]}, other_pixels),
    ("order", {"image_urls": [OTHER_PHOTO, PHOTO]}, other_pixels),
    ("loras", {"loras": [{"name": "paint"}]}, with_paint),
    ("prompt_extend", {"prompt_extend": False}, not_rewritten),
]
"""How the request differs from `BASE`, and what must follow."""


def check_picture(made: MadePicture, width: int, height: int) -> None:
    assert (made.format, made.picture.shape) == ("PNG", (height, width, 3))
    assert made.picture.std() > 5
    assert made.warns("Wan 2.6 has no open weights: this was made with Qwen-Image-Edit 2511")
    assert made.warns(f"resized to {width}×{height}")


@pytest.mark.parametrize(("change", "follows"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_every_input_acts_or_its_loss_is_declared(
    change: dict[str, Any], follows: Callable[[MadePicture, MadePicture], None], service: Service
) -> None:
    base = service.picture(EDIT, **BASE)

    made = service.picture(EDIT, **{**BASE, **change})

    check_picture(made, 1024, 1024)
    follows(made, base)


@pytest.mark.parametrize("label", SIZES)
def test_a_picture_has_exactly_the_size_that_was_asked_for(label: str, service: Service) -> None:
    made = service.picture(EDIT, **BASE, image_size=label)

    check_picture(made, *image_size(label))


def test_no_input_is_left_out_above() -> None:
    changed = {name for _, change, _ in CHANGES for name in change} | {"image_size"}

    assert changed == set(MANIFESTS[EDIT].properties)


def test_the_result_says_what_made_the_picture_and_how(service: Service) -> None:
    made = service.picture(EDIT, **BASE)

    assert made.result["served_by"] == "tiny random weights in the shape of Qwen/Qwen-Image-Edit-2511 (fp32)"
    assert (made.result["seed"], made.result["actual_prompt"]) == (1, BASE["prompt"])
    assert (made.result["details"]["profile"], made.result["details"]["steps"]) == ("exact", 40)
    assert made.result["output"]["images"] == [made.result["output"]["image"]]


def test_a_request_sent_again_makes_the_same_pixels(service: Service) -> None:
    base = service.picture(EDIT, **BASE)

    # A default that is spelt out changes nothing.
    again = service.picture(EDIT, **BASE, image_size=SIZES[0])

    assert np.array_equal(again.picture, base.picture)
