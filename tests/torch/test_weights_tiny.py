"""Tiny sets: made alike each time, whole, and with every input in their frames (that is in the tests of the models)."""

import pytest
import torch
from diffusers import DiffusionPipeline

from filmgate.engines.diffusers.catalog import LORAS, installed, load_catalog
from filmgate.engines.diffusers.loading import load_tokenizer
from filmgate.engines.diffusers.weights.checksums import recorded_files
from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.tiny import ALL, make_tiny
from filmgate.engines.diffusers.weights.verify import verify_set
from tests.unit.diffusers.small_set import small_set

PACKS = [
    (weights.name, path)
    for weights in load_catalog().values()
    for path in (weights.distilled.files if weights.distilled else ())
] + [("wan2.1-i2v-14b-480p", "squish_18.safetensors"), ("wan2.1-i2v-14b-480p", "rotate_20_epochs.safetensors")]


def test_two_calls_give_equal_bytes_and_leave_the_random_numbers_alone(tmp_path, tiny_weights):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)

    make_tiny(tmp_path)

    assert torch.equal(torch.rand(3), expected)
    for name in (*ALL, LORAS):
        assert recorded_files(tmp_path / name) == recorded_files(tiny_weights / name)


def test_all_sets_of_the_catalog_are_made():
    assert set(ALL) == set(load_catalog())


@pytest.mark.parametrize("name", ALL)
def test_a_tiny_set_is_whole_and_says_what_it_is(name, tiny_weights):
    found = installed(tiny_weights, name)

    assert list(verify_set(found.folder, lambda *_: None)) == []
    assert "random" in found.weights.title
    assert "random" in found.weights.repository
    assert found.weights.max_area_px == 64 * 64
    assert found.weights.memory_bytes < 10**6


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore")
def test_the_library_loads_a_tiny_set_as_it_is(name, tiny_weights):
    # Its processor needs torchvision.
    left_out = {"processor": None} if load_catalog()[name].kind == "qwen-edit" else {}

    pipeline = DiffusionPipeline.from_pretrained(tiny_weights / name, local_files_only=True, **left_out)

    assert pipeline.transformer.dtype == torch.float32


@pytest.mark.parametrize("text", ["a boat drifts by", "Ein Ölfaß", "一只猫 🐈"])
@pytest.mark.parametrize("name", ALL)
def test_every_text_has_tokens_of_its_own(name, text, tiny_weights):
    tokenizer = load_tokenizer(installed(tiny_weights, name))

    tokens = tokenizer(text).input_ids

    assert tokenizer.decode(tokens, skip_special_tokens=True) == text


def test_prompts_end_with_a_mark_and_are_padded(tiny_weights):
    tokenizer = load_tokenizer(installed(tiny_weights, "wan2.2-i2v-a14b"))

    read = tokenizer(["ab"], padding="max_length", max_length=5, truncation=True)

    assert read.input_ids[0][2:] == [tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.pad_token_id]
    assert read.attention_mask == [[1, 1, 1, 0, 0]]


@pytest.mark.parametrize(("name", "pack"), PACKS)
def test_a_tiny_pack_fits_its_transformers(name, pack, tiny_weights):
    found = installed(tiny_weights, name)
    left_out = dict.fromkeys(("text_encoder", "vae", "image_encoder", "image_processor", "processor"))
    pipeline = DiffusionPipeline.from_pretrained(found.folder, local_files_only=True, **left_out)

    pipeline.load_lora_weights(tiny_weights / LORAS, weight_name=pack, adapter_name="pack", local_files_only=True)

    assert pipeline.get_list_adapters() == {"transformer": ["pack"]}


def test_a_set_or_pack_that_is_not_tiny_is_never_overwritten(tmp_path):
    small_set(tmp_path / "wan2.2-i2v-a14b", recorded=False)
    with pytest.raises(WeightsFault, match=r"wan2\.2-i2v-a14b is there already and is not tiny") as raised:
        make_tiny(tmp_path, ["wan2.2-i2v-a14b"])
    assert raised.value.code == "weights_present"

    (tmp_path / LORAS).mkdir()
    (tmp_path / LORAS / "squish_18.safetensors").write_bytes(b"real")
    with pytest.raises(WeightsFault, match=r"squish_18\.safetensors is there already"):
        make_tiny(tmp_path, [])
