"""The Triton kernels beside plain torch: on CUDA as they are, under TRITON_INTERPRET=1 number by number."""

import os
from importlib import import_module

import pytest
import torch

from filmgate.engines.diffusers.tuned.attention import open_kernel
from filmgate.engines.diffusers.tuned.blocks import fuse
from filmgate.engines.diffusers.tuned.elementwise import PLAIN, trial_results
from filmgate.engines.diffusers.tuned.processor import WanAttentionProcessor
from filmgate.engines.diffusers.tuned.trial import relative_error
from filmgate.engines.diffusers.tuned.vae import use_stateless_vae
from tests.torch.small_models import STYLES, small_transformer, small_vae, transformer_input

pytest.importorskip("triton", reason="triton is not installed: the fused kernels cannot be run")
ON_CUDA = torch.cuda.is_available()
if not ON_CUDA and os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("there is no CUDA device, and TRITON_INTERPRET=1 is not set", allow_module_level=True)
TRITON = import_module("filmgate.engines.diffusers.tuned.kernels").TRITON

DEVICE = "cuda" if ON_CUDA else "cpu"
# The interpreter's own rounding to 16 bits has a fault (a carry is lost), so there only float32 is compared.
DTYPES = [torch.float32, torch.bfloat16] if ON_CUDA else [torch.float32]
ERRORS = {torch.float32: 1e-6, torch.bfloat16: 4e-3}
BATCH, TOKENS, HEADS, WIDTH = 2, 5, 4, 24

pytestmark = pytest.mark.parametrize("dtype", DTYPES, ids=str)


def numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))).to(DEVICE, dtype)


@pytest.mark.parametrize("times", [1, TOKENS], ids=["one-time", "token-times"])
def test_modulated_norm(dtype: torch.dtype, times: int) -> None:
    x, modulation = numbers(BATCH, TOKENS, WIDTH, dtype=dtype), numbers(BATCH, times, 6, WIDTH, seed=1)
    given = (x, modulation[:, :, 1], modulation[:, :, 4], 1e-6)

    assert relative_error(TRITON.modulated_norm(*given), PLAIN.modulated_norm(*given)) < ERRORS[dtype]


def test_affine_norm(dtype: torch.dtype) -> None:
    given = (numbers(BATCH, TOKENS, WIDTH, dtype=dtype), numbers(WIDTH, seed=1), numbers(WIDTH, seed=2), 1e-6)

    assert relative_error(TRITON.affine_norm(*given), PLAIN.affine_norm(*given)) < ERRORS[dtype]


@pytest.mark.parametrize("times", [1, TOKENS], ids=["one-time", "token-times"])
def test_gated_add(dtype: torch.dtype, times: int) -> None:
    x, branch = (numbers(BATCH, TOKENS, WIDTH, seed=seed, dtype=dtype) for seed in (0, 1))
    gate = numbers(BATCH, times, 6, WIDTH, seed=2)[:, :, 3]

    assert relative_error(TRITON.gated_add(x, branch, gate), PLAIN.gated_add(x, branch, gate)) < ERRORS[dtype]


@pytest.mark.parametrize("turns", [False, True], ids=["norm", "norm-and-rotary"])
def test_rms_norm_and_rotary_embedding(dtype: torch.dtype, turns: bool) -> None:
    head = WIDTH // HEADS
    angles = numbers(1, TOKENS, 1, head // 2, seed=1).repeat_interleave(2, dim=-1)
    rotary = (angles.cos(), angles.sin()) if turns else None
    given = (numbers(BATCH, TOKENS, WIDTH, dtype=dtype), numbers(WIDTH, seed=2, dtype=dtype), 1e-6, rotary)

    assert relative_error(TRITON.rms_rotary(*given), PLAIN.rms_rotary(*given)) < ERRORS[dtype]


def test_channel_norm_and_silu(dtype: torch.dtype) -> None:
    given = (numbers(1, 12, 3, 4, 5, dtype=dtype), numbers(12, 1, 1, 1, seed=1, dtype=dtype))

    made = TRITON.channel_norm_silu(*given)

    assert relative_error(made, PLAIN.channel_norm_silu(*given)) < ERRORS[dtype]


def codes(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    """What 8 bits hold exactly at a scale of 2, the largest in every row: how numbers are rounded plays no part."""
    values = 2.0 ** torch.randint(-3, 8, shape, generator=torch.Generator().manual_seed(1)).float()
    values[..., 0] = 448.0
    return (2 * values).to(DEVICE, dtype)


def test_rows_in_8_bits(dtype: torch.dtype) -> None:
    rows = codes(9, 40, dtype=dtype)

    values, scale = TRITON.quantize(rows)

    assert torch.equal(scale, torch.full((9, 1), 2.0, device=DEVICE))
    assert torch.equal(values.float() * scale, rows.float())


def test_heads_in_8_bits(dtype: torch.dtype) -> None:
    tokens = codes(BATCH, 130, HEADS, 16, dtype=dtype)

    values, scale = TRITON.quantize_heads(tokens, centred=False)

    assert torch.equal(scale, torch.full((BATCH, HEADS), 2.0, device=DEVICE))
    assert torch.equal(values.float() * 2, tokens.float())


def test_scales_of_centred_heads(dtype: torch.dtype) -> None:
    tokens = numbers(BATCH, 130, HEADS, 16, dtype=dtype) + 4

    _, scale = TRITON.quantize_heads(tokens, centred=True)

    assert torch.allclose(scale, PLAIN.quantize_heads(tokens, centred=True)[1], rtol=1e-5)


@pytest.mark.skipif(not ON_CUDA, reason="the interpreter rounds otherwise")
def test_random_rows_in_8_bits(dtype: torch.dtype) -> None:
    rows = numbers(64, 1000, dtype=dtype)

    values, scale = TRITON.quantize(rows)
    expected, expected_scale = PLAIN.quantize(rows)

    assert torch.allclose(scale, expected_scale, rtol=1e-5)
    assert relative_error(values.float() * scale, expected.float() * expected_scale) < 5e-3


@pytest.mark.skipif(not ON_CUDA, reason="the interpreter rounds to 16 bits otherwise")
def test_the_trial_before_the_kernels_are_used_passes(dtype: torch.dtype) -> None:
    device = torch.device(DEVICE)

    pairs = zip(trial_results(TRITON, device), trial_results(PLAIN, device), strict=True)

    assert max(relative_error(made, expected) for made, expected in pairs) < 0.02


@pytest.mark.parametrize("style", STYLES)
def test_a_whole_transformer_in_fused_passes(dtype: torch.dtype, style: str) -> None:
    transformer, given = small_transformer(style), transformer_input(style)
    expected = transformer(**given)[0]
    transformer.to(DEVICE, dtype)
    kernel = open_kernel("sdpa", torch.device(DEVICE), dtype, 24, TRITON)
    for block in transformer.blocks:
        for attention in (block.attn1, block.attn2):
            attention.set_processor(WanAttentionProcessor(kernel, TRITON))
    fuse(transformer, TRITON)

    made = transformer(**{name: on_device(value, dtype) for name, value in given.items()})[0]

    assert relative_error(made.cpu(), expected) < (1e-5 if dtype == torch.float32 else 0.02)


def on_device(value: object, dtype: torch.dtype) -> object:
    if not isinstance(value, torch.Tensor):
        return value
    return value.to(DEVICE, dtype if value.dim() > 2 else value.dtype)


@pytest.mark.parametrize("residual", [False, True], ids=["wan-2-1", "wan-2-2-5b"])
def test_a_whole_vae_in_fused_passes(dtype: torch.dtype, residual: bool) -> None:
    vae = small_vae(residual=residual)
    latents = torch.randn(1, 4, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    expected = vae.decode(latents).sample
    vae.to(DEVICE, dtype)

    use_stateless_vae(vae, TRITON)

    made = vae.decode(latents.to(DEVICE, dtype)).sample
    assert relative_error(made.cpu(), expected) < (1e-5 if dtype == torch.float32 else 0.05)
