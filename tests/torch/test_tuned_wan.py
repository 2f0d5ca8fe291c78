"""The tuned transformer beside the library's: equal in float32, within the formats' rounding otherwise."""

from dataclasses import replace

import pytest
import torch
from diffusers import QwenImageTransformer2DModel

from filmgate.engines.diffusers.profiles import BALANCED, CACHED, EXACT, FAST
from filmgate.engines.diffusers.tuned.attention import KernelRefused, choose_kernel, open_kernel
from filmgate.engines.diffusers.tuned.blocks import fuse
from filmgate.engines.diffusers.tuned.elementwise import PLAIN
from filmgate.engines.diffusers.tuned.stepcache import forget_steps, reuse_steps
from filmgate.engines.diffusers.tuned.trial import relative_error
from filmgate.engines.diffusers.tuned.tune import float32_products, tune
from tests.torch.small_models import STYLES, small_transformer, transformer_input

CPU = torch.device("cpu")
IN_16_BITS = replace(BALANCED, fp8_linears=False)


@pytest.mark.parametrize("style", STYLES)
def test_attention_and_fused_blocks_compute_what_the_library_does(style: str) -> None:
    transformer, given = small_transformer(style), transformer_input(style)
    expected = transformer(**given)[0]

    tune({"transformer": transformer}, IN_16_BITS, CPU)

    assert relative_error(transformer(**given)[0], expected) < 1e-6


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.filterwarnings("ignore")
def test_in_16_bits_the_tuned_path_is_no_further_from_the_truth(style: str) -> None:
    given = transformer_input(style)
    truth = small_transformer(style)(**given)[0]
    rounded = {name: halved(value) for name, value in given.items()}
    transformer = small_transformer(style).to(torch.bfloat16)
    off = relative_error(transformer(**rounded)[0], truth)

    tune({"transformer": transformer}, IN_16_BITS, CPU)

    assert relative_error(transformer(**rounded)[0], truth) < 1.1 * off < 0.01


def halved(value: object) -> object:
    is_activation = isinstance(value, torch.Tensor) and value.dim() > 2
    return value.to(torch.bfloat16) if is_activation else value


@pytest.mark.parametrize("profile", [BALANCED, CACHED, FAST], ids=lambda profile: profile.name)
@pytest.mark.parametrize("style", STYLES)
def test_a_whole_profile_is_near_exact(profile: object, style: str) -> None:
    transformer, given = small_transformer(style), transformer_input(style)
    expected = transformer(**given)[0]

    tune({"transformer": transformer}, profile, CPU)
    with transformer.cache_context("cond"):
        made = transformer(**given)[0]

    assert relative_error(made, expected) < 0.04


def test_exact_leaves_everything_as_it_is() -> None:
    transformer, given = small_transformer("picture"), transformer_input("picture")
    expected = transformer(**given)[0]

    words = tune({"transformer": transformer}, EXACT, CPU)

    assert words == ()
    assert torch.equal(transformer(**given)[0], expected)


def test_what_runs_is_said_with_the_reason_for_what_does_not() -> None:
    words = tune({"transformer": small_transformer("experts"), "scheduler": torch.nn.Identity()}, BALANCED, CPU)

    assert words == (
        "transformer: attention by sdpa (not fa3 or cudnn or flash: they are for CUDA and this is cpu)",
        "transformer: 20 linear layers in 8 bits",
        "transformer: element-wise work by torch, un-fused",
    )


def test_fused_blocks_can_be_undone() -> None:
    transformer = small_transformer("experts")

    restore = fuse(transformer, PLAIN)
    assert all("forward" in vars(block) for block in transformer.blocks)

    restore()
    assert not any("forward" in vars(block) for block in transformer.blocks)


def test_a_kernel_that_cannot_run_is_refused_by_name() -> None:
    with pytest.raises(KernelRefused, match="this is cpu"):
        open_kernel("fa3", CPU, torch.bfloat16, 128, PLAIN)
    with pytest.raises(KernelRefused, match="not fa3 or cudnn"):
        choose_kernel(("fa3", "cudnn"), CPU, torch.bfloat16, 128, PLAIN)


def test_the_choice_for_one_transformer_does_not_reach_another() -> None:
    tuned, other = small_transformer("experts"), small_transformer("experts")

    tune({"transformer": tuned}, BALANCED, CPU)

    assert {type(block.attn1.processor).__name__ for block in tuned.blocks} == {"WanAttentionProcessor"}
    assert {type(block.attn1.processor).__name__ for block in other.blocks} == {"WanAttnProcessor"}


def test_a_step_that_changes_little_is_reused_until_the_clip_ends() -> None:
    transformer, given = small_transformer("experts", layers=4), transformer_input("experts")
    other = transformer_input("experts", seed=2)
    exact, exact_other = transformer(**given)[0], transformer(**other)[0]
    reuse_steps(transformer, 0.08)
    calls = []
    transformer.blocks[2].attn1.register_forward_pre_hook(lambda *_: calls.append(1))

    with transformer.cache_context("cond"):
        first, again = transformer(**given)[0], transformer(**given)[0]
    assert (relative_error(first, exact), len(calls)) == (0.0, 1)
    assert relative_error(again, exact) < 1e-6

    forget_steps(transformer)
    with transformer.cache_context("cond"):
        assert torch.equal(transformer(**other)[0], exact_other)
    assert len(calls) == 2


def test_the_image_editing_transformer_is_tuned_within_the_error_of_8_bits() -> None:
    transformer = small_image_transformer()
    given = image_input()
    expected = transformer(**given)[0]

    words = tune({"transformer": transformer}, BALANCED, CPU)

    assert words == (
        "transformer: attention by sdpa (not cudnn: they are for CUDA and this is cpu)",
        "transformer: 24 linear layers in 8 bits",
    )
    assert 0 < relative_error(transformer(**given)[0], expected) < 0.04


def small_image_transformer() -> QwenImageTransformer2DModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = QwenImageTransformer2DModel(
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=32,
            num_attention_heads=2,
            joint_attention_dim=24,
            axes_dims_rope=(8, 12, 12),
        )
    return transformer.eval().requires_grad_(requires_grad=False)


def image_input() -> dict:
    numbers = torch.Generator().manual_seed(1)
    return {
        "hidden_states": torch.randn(1, 24, 16, generator=numbers),
        "timestep": torch.tensor([0.7]),
        "encoder_hidden_states": torch.randn(1, 7, 24, generator=numbers),
        "encoder_hidden_states_mask": torch.ones(1, 7, dtype=torch.bool),
        "img_shapes": [[(1, 4, 6)]],
        "return_dict": False,
    }


def test_the_precision_of_float32_products_is_as_before_after_a_job() -> None:
    before = torch.get_float32_matmul_precision()

    with float32_products(BALANCED):
        inside = torch.get_float32_matmul_precision()
    with float32_products(EXACT):
        unchanged = torch.get_float32_matmul_precision()

    assert (inside, unchanged, torch.get_float32_matmul_precision()) == ("high", before, before)
