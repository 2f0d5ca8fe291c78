"""Sets in fewer bits: the same numbers where that is promised, close ones elsewhere, and never half a set."""

import shutil
from pathlib import Path

import pytest
import torch
from diffusers import QwenImageTransformer2DModel, WanTransformer3DModel
from safetensors import safe_open

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.catalog import installed
from filmgate.engines.diffusers.loading import load_module
from filmgate.engines.diffusers.tuned.linear import Fp8Linear, block_linears
from filmgate.engines.diffusers.tuned.shards import load_fp8
from filmgate.engines.diffusers.weights.convert import convert_set
from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.header import read_header
from filmgate.engines.diffusers.weights.record import read_record
from filmgate.engines.diffusers.weights.verify import verify_set

SETS = ("wan2.1-i2v-14b-480p", "wan2.2-i2v-a14b", "wan2.2-ti2v-5b", "qwen-image-edit-2511")


def quiet(*_: object) -> None:
    pass


@pytest.fixture
def weights(tmp_path: Path, tiny_weights: Path) -> Path:
    """A copy of the tiny sets that a test may change."""
    return Path(shutil.copytree(tiny_weights, tmp_path / "weights"))


def parts_of(folder: Path) -> list[str]:
    return sorted({path.parent.name for path in folder.rglob("*.safetensors")})


@pytest.mark.parametrize("name", SETS)
def test_bf16_loads_as_the_very_numbers_that_the_library_rounds_to(name, tiny_weights, tmp_path):
    converted = convert_set(tiny_weights, name, "bf16", tmp_path, quiet)

    original = installed(tiny_weights, name)
    assert converted.format == "bf16"
    assert list(verify_set(converted.folder, quiet)) == []
    for part in parts_of(original.folder):
        dtype = torch.float32 if part in ("vae", "image_encoder") else torch.bfloat16
        expected = load_module(original, part, dtype).state_dict()
        found = load_module(converted, part, dtype).state_dict()
        assert found.keys() == expected.keys()
        assert all(
            found[key].dtype == value.dtype and torch.equal(found[key], value) for key, value in expected.items()
        )


def test_bf16_has_half_the_size_where_it_rounds(tiny_weights, tmp_path):
    name = "wan2.2-i2v-a14b"

    converted = convert_set(tiny_weights, name, "bf16", tmp_path, quiet)

    stored = {
        path.name: size_of(converted.folder / path.name) for path in (tiny_weights / name).iterdir() if path.is_dir()
    }
    original = {part: size_of(tiny_weights / name / part) for part in stored}
    assert stored["text_encoder"] < 0.6 * original["text_encoder"]
    assert stored["vae"] == original["vae"]


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("wan2.2-i2v-a14b", WanTransformer3DModel), ("qwen-image-edit-2511", QwenImageTransformer2DModel)],
)
def test_fp8_keeps_the_matrices_of_the_blocks_in_8_bits_and_nothing_else(name, kind, tiny_weights, tmp_path):
    converted = convert_set(tiny_weights, name, "fp8", tmp_path, quiet)

    original = kind.from_pretrained(tiny_weights / name / "transformer")
    loaded = load_fp8(kind, converted.folder / "transformer", torch.float32)
    expected = list(block_linears(original))
    matrices = [module for module in loaded.modules() if isinstance(module, Fp8Linear)]
    assert converted.format == "fp8"
    assert len(matrices) == len(expected) > 0
    for (_, _, exact), stored in zip(expected, block_linears(loaded), strict=True):
        near = stored[2].weight.float() * stored[2].weight_scale
        assert ((near - exact.weight).abs() <= exact.weight.abs() / 16 + stored[2].weight_scale / 2**9).all()
    assert not any("weight_scale" in key for key in tensors_in(converted.folder / "text_encoder"))


def tensors_in(folder: Path) -> dict[str, str]:
    return {key: tensor.dtype for path in folder.glob("*.safetensors") for key, tensor in read_header(path).items()}


def test_shards_hold_every_tensor_once_under_an_index_that_the_library_reads(tiny_weights, tmp_path):
    name = "wan2.2-ti2v-5b"

    converted = convert_set(tiny_weights, name, "bf16", tmp_path, quiet, shard_bytes=20_000)

    shards = sorted((converted.folder / "transformer").glob("*.safetensors"))
    expected = load_module(installed(tiny_weights, name), "transformer", torch.bfloat16).state_dict()
    found = load_module(converted, "transformer", torch.bfloat16).state_dict()
    assert len(shards) > 1
    assert all(path.stat().st_size < 30_000 for path in shards)
    assert sum(len(read_header(path)) for path in shards) == len(expected)
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_every_tensor_of_a_shard_is_aligned_to_its_width(tiny_weights, tmp_path):
    converted = convert_set(tiny_weights, "wan2.1-i2v-14b-480p", "fp8", tmp_path, quiet)

    (path,) = (converted.folder / "transformer").glob("*.safetensors")
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # it is no mapping

    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32, torch.bfloat16, torch.float8_e4m3fn}


def test_a_set_is_converted_in_its_place_and_keeps_what_its_record_says(weights):
    name = "wan2.2-i2v-a14b"
    before = read_record(weights / name)

    converted = convert_set(weights, name, "bf16", weights, quiet)

    after = read_record(weights / name)
    assert converted.folder == weights / name
    assert (after.made_by, after.format, after.max_area_px) == ("convert", "bf16", before.max_area_px)
    assert not [path for path in weights.iterdir() if path.name.startswith(".")]


def test_fp8_needs_less_memory_and_says_so(tiny_weights, tmp_path):
    found = convert_set(tiny_weights, "qwen-image-edit-2511", "fp8", tmp_path, quiet)

    assert found.weights.memory_bytes == sum(
        file.bytes for name, file in read_record(found.folder).files.items() if name.endswith(".safetensors")
    )


@pytest.mark.parametrize("wanted", ["bf16", "fp8"])
def test_what_ends_a_conversion_leaves_the_set_as_it_was(wanted, weights):
    name = "wan2.2-i2v-a14b"
    before = read_record(weights / name)

    def end_half_way(part: str, done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_set(weights, name, wanted, weights, end_half_way)

    assert read_record(weights / name) == before
    assert list(verify_set(weights / name, quiet)) == []
    assert not [path for path in weights.iterdir() if path.name.startswith(".")]


def test_what_a_killed_conversion_left_is_replaced(weights):
    left = weights / ".wan2.2-i2v-a14b.converting"
    left.mkdir()
    (left / "half.safetensors").write_bytes(b"half")

    convert_set(weights, "wan2.2-i2v-a14b", "bf16", weights, quiet)

    assert not left.exists()
    assert not list(weights.rglob("half.safetensors"))


def test_bits_that_are_gone_do_not_come_back(weights):
    name = "wan2.2-ti2v-5b"
    convert_set(weights, name, "fp8", weights, quiet)

    with pytest.raises(WeightsFault, match="is stored as fp8 and cannot be made bf16") as raised:
        convert_set(weights, name, "bf16", weights, quiet)
    assert raised.value.code == "format_unfit"


def test_another_set_is_not_overwritten(weights, tmp_path):
    (tmp_path / "other" / "wan2.2-ti2v-5b").mkdir(parents=True)

    with pytest.raises(WeightsFault, match="is there already") as raised:
        convert_set(weights, "wan2.2-ti2v-5b", "bf16", tmp_path / "other", quiet)
    assert raised.value.code == "weights_present"


def test_a_set_that_is_not_whole_is_not_converted(weights, tmp_path):
    (weights / "wan2.2-ti2v-5b" / "transformer" / "diffusion_pytorch_model.safetensors").unlink()

    with pytest.raises(EngineFailure, match=r"transformer/diffusion_pytorch_model\.safetensors is absent"):
        convert_set(weights, "wan2.2-ti2v-5b", "bf16", tmp_path / "other", quiet)
