"""Linear layers in 8 bits: their numbers, their error, their life with adapters, and their files."""

from pathlib import Path

import pytest
import torch
from diffusers import WanImageToVideoPipeline, WanTransformer3DModel
from safetensors.torch import save_file
from torch import nn

from filmgate.engines.diffusers.tuned.linear import (
    Fp8Linear,
    block_linears,
    shared_rows,
    use_16_bit_linears,
    use_fp8_linears,
)
from filmgate.engines.diffusers.tuned.rows import E4M3, E4M3_MAX, Rows, quantize_heads, quantize_rows
from filmgate.engines.diffusers.tuned.shards import load_fp8
from filmgate.engines.diffusers.tuned.trial import relative_error
from tests.torch.small_models import STYLES, small_transformer, transformer_input

CPU = torch.device("cpu")


def spread_rows(rows: int, width: int) -> torch.Tensor:
    """Rows of very different size, as activations have."""
    numbers = torch.Generator().manual_seed(2)
    return torch.randn(rows, width, generator=numbers) * 10.0 ** torch.linspace(-3, 3, rows)[:, None]


def in_8_bits(transformer: nn.Module) -> int:
    return use_fp8_linears(transformer, CPU, quantize_rows, convert=True, on_units=False)


def test_each_row_keeps_its_precision_whatever_its_size() -> None:
    rows = spread_rows(12, 64)

    values, scale = quantize_rows(rows)

    assert values.dtype == E4M3
    assert torch.equal(values.float().abs().amax(dim=1), torch.full((12,), E4M3_MAX))
    off = (values.float() * scale - rows).norm(dim=1) / rows.norm(dim=1)
    assert float(off.max()) < 0.04


def test_a_row_of_zeros_stays_one() -> None:
    values, scale = quantize_rows(torch.zeros(2, 16))

    assert torch.equal(values.float() * scale, torch.zeros(2, 16))


def test_attention_does_not_see_that_keys_were_centred() -> None:
    numbers = torch.Generator().manual_seed(3)
    query, key, value = torch.randn(3, 1, 40, 2, 16, generator=numbers).unbind(0)
    shifted = key + 5.0

    codes, scale = quantize_heads(shifted, centred=True)

    def attend(keys: torch.Tensor) -> torch.Tensor:
        return nn.functional.scaled_dot_product_attention(*(t.transpose(1, 2) for t in (query, keys, value)))

    assert relative_error(attend(codes.float() * scale[:, None, :, None]), attend(shifted)) < 0.05


def test_a_layer_computes_what_its_stored_numbers_say() -> None:
    linear = nn.Linear(48, 24)
    layer, given = Fp8Linear.of(linear, CPU), spread_rows(10, 48)

    values, scale = quantize_rows(given)
    expected = (values.float() * scale) @ (layer.weight.float() * layer.weight_scale).T + linear.bias

    assert relative_error(layer(given), expected) < 1e-6


def test_a_layer_is_near_the_one_it_was() -> None:
    linear, given = nn.Linear(256, 64), spread_rows(32, 256)

    made = Fp8Linear.of(linear, CPU)(given)

    assert relative_error(made, linear(given)) < 0.05


def test_layers_that_share_an_input_quantise_it_once() -> None:
    layers = [Fp8Linear.of(nn.Linear(16, 8), CPU) for _ in range(3)]
    given = spread_rows(4, 16)

    shared = shared_rows(given, layers)

    assert isinstance(shared, Rows)
    assert all(torch.equal(layer(shared), layer(given)) for layer in layers)
    assert shared_rows(given, [*layers, nn.Linear(16, 8)]) is given


@pytest.mark.parametrize("style", STYLES)
def test_a_transformer_in_8_bits_is_near_its_own_16(style: str) -> None:
    transformer, given = small_transformer(style), transformer_input(style)
    expected = transformer(**given)[0]

    changed = in_8_bits(transformer)

    assert changed == (24 if style == "picture" else 20)
    assert relative_error(transformer(**given)[0], expected) < 0.04


def test_layers_brought_back_to_16_bits_compute_what_they_did_in_8() -> None:
    transformer, given = small_transformer("experts"), transformer_input("experts")
    in_8_bits(transformer)
    expected = transformer(**given)[0]

    assert use_16_bit_linears(transformer) == 20
    assert relative_error(transformer(**given)[0], expected) < 0.03

    in_8_bits(transformer)
    assert relative_error(transformer(**given)[0], expected) < 1e-5


def test_an_adapter_acts_on_layers_in_8_bits_and_leaves_no_trace(tmp_path: Path) -> None:
    given = transformer_input("experts")
    transformer = small_transformer("experts")
    write_adapter(transformer, tmp_path / "adapter.safetensors")
    expected = adapted(transformer, tmp_path, given)
    in_8_bits(transformer)
    before = transformer(**given)[0]

    made = adapted(transformer, tmp_path, given)

    assert relative_error(made, expected) < 0.04
    assert relative_error(before, expected) > 0.06
    assert torch.equal(transformer(**given)[0], before)


def write_adapter(transformer: nn.Module, path: Path) -> None:
    numbers = torch.Generator().manual_seed(4)
    tensors = {}
    for holder, name, linear in block_linears(transformer):
        full = next(path for path, module in transformer.named_modules() if module is getattr(holder, name))
        down = torch.randn(4, linear.in_features, generator=numbers)
        up = torch.randn(linear.out_features, 4, generator=numbers)
        tensors |= {f"transformer.{full}.lora_A.weight": down * 0.1, f"transformer.{full}.lora_B.weight": up * 0.1}
    save_file(tensors, path)


def adapted(transformer: nn.Module, folder: Path, given: dict) -> torch.Tensor:
    absent = dict.fromkeys(("tokenizer", "text_encoder", "vae", "scheduler"))
    pipeline = WanImageToVideoPipeline(transformer=transformer, **absent)
    pipeline.load_lora_weights(str(folder), weight_name="adapter.safetensors", local_files_only=True)
    made = transformer(**given)[0]
    pipeline.unload_lora_weights()
    return made


def test_a_transformer_stored_in_8_bits_is_loaded_as_it_was(tmp_path: Path) -> None:
    transformer, given = small_transformer("experts"), transformer_input("experts")
    in_8_bits(transformer)
    transformer.save_config(tmp_path)
    save_file(transformer.state_dict(), tmp_path / "diffusion_pytorch_model.safetensors")

    loaded = load_fp8(WanTransformer3DModel, tmp_path, torch.float32)

    assert torch.equal(loaded(**given)[0], transformer(**given)[0])


def test_what_is_not_in_8_bits_is_loaded_as_the_library_would(tmp_path: Path) -> None:
    transformer = small_transformer("experts")
    transformer.save_pretrained(tmp_path / "whole")
    expected = WanTransformer3DModel.from_pretrained(tmp_path / "whole", torch_dtype=torch.bfloat16)
    in_8_bits(transformer)
    transformer.save_config(tmp_path)
    save_file(transformer.state_dict(), tmp_path / "diffusion_pytorch_model.safetensors")

    loaded = load_fp8(WanTransformer3DModel, tmp_path, torch.bfloat16)

    state = {name: tensor.dtype for name, tensor in loaded.state_dict().items() if tensor.dtype != E4M3}
    wanted = {name: tensor.dtype for name, tensor in expected.state_dict().items()}
    assert {name: kind for name, kind in state.items() if not name.endswith("_scale")}.items() <= wanted.items()


def test_files_of_another_model_are_refused(tmp_path: Path) -> None:
    small_transformer("experts").save_config(tmp_path)
    save_file({"blocks.0.norm.weight": torch.zeros(3)}, tmp_path / "diffusion_pytorch_model.safetensors")

    with pytest.raises(ValueError, match="not those of WanTransformer3DModel"):
        load_fp8(WanTransformer3DModel, tmp_path, torch.float32)
