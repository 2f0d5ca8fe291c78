"""Our processor of pictures and text beside the library's, put together without its half for film."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import Qwen2VLProcessor

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.catalog import installed
from filmgate.engines.diffusers.loading import load_tokenizer
from filmgate.engines.diffusers.qwen_processor import QwenProcessor, load_qwen_processor

PLACE = "<|vision_start|><|image_pad|><|vision_end|>"


@pytest.fixture
def ours(tiny_weights: Path) -> QwenProcessor:
    found = installed(tiny_weights, "qwen-image-edit-2511")
    return load_qwen_processor(found.folder, load_tokenizer(found))


def stock(ours: QwenProcessor) -> Qwen2VLProcessor:
    processor = object.__new__(Qwen2VLProcessor)  # its own constructor wants torchvision
    processor.image_processor, processor.tokenizer, processor.video_processor = (
        ours.image_processor,
        ours.tokenizer,
        None,
    )
    for kind in ("image", "video"):
        mark = f"<|{kind}_pad|>"
        setattr(processor, f"{kind}_token", mark)
        setattr(processor, f"{kind}_token_id", ours.tokenizer.convert_tokens_to_ids(mark))
    return processor


def pictures(*sizes: tuple[int, int]) -> list[Image.Image]:
    random = np.random.default_rng(3)
    return [Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)) for width, height in sizes]


@pytest.mark.parametrize(
    ("text", "images"),
    [
        (f"Picture 1: {PLACE} make it blue", pictures((96, 64))),
        (f"{PLACE}{PLACE}{PLACE} 把天空变蓝", pictures((30, 30), (200, 120), (57, 300))),
        ("no picture at all", None),
    ],
    ids=["one", "three", "none"],
)
def test_tokens_and_patches_equal_those_of_the_library(ours, text, images):
    expected = stock(ours)(text=[text], images=images, padding=True, return_tensors="pt")

    found = ours(text=[text], images=images, padding=True, return_tensors="pt")

    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key].dtype == values.dtype
        assert torch.equal(found[key], values)


def test_several_texts_are_padded_to_one_length(ours):
    found = ours(
        text=[f"{PLACE} short", f"{PLACE} a much longer one"],
        images=pictures((56, 56), (56, 84)),
        padding=True,
        return_tensors="pt",
    )

    assert found["input_ids"].shape == found["attention_mask"].shape
    assert found["attention_mask"].sum(1).diff().item() != 0


def test_a_mark_in_the_prompt_asks_for_no_picture(ours):
    (image,) = pictures((56, 56))

    marked = ours(text=[f"{PLACE} blue<|image_pad|>"], images=[image], padding=True, return_tensors="pt")
    plain = ours(text=[f"{PLACE} blue"], images=[image], padding=True, return_tensors="pt")

    assert torch.equal(marked["input_ids"], plain["input_ids"])


def test_a_processor_that_cannot_be_read_is_named(ours, tmp_path):
    with pytest.raises(EngineFailure, match=r"processor/preprocessor_config\.json cannot be read") as raised:
        load_qwen_processor(tmp_path, ours.tokenizer)
    assert raised.value.code == "weights_incomplete"
