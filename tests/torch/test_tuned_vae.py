"""The VAE without state: the library's pictures, in both of its shapes, however chunks and videos interleave."""

import pytest
import torch
from torch import nn

from filmgate.engines.diffusers.profiles import BALANCED
from filmgate.engines.diffusers.tuned.elementwise import PLAIN
from filmgate.engines.diffusers.tuned.tune import tune
from filmgate.engines.diffusers.tuned.vae import decoded_chunks, use_stateless_vae
from tests.torch.small_models import small_vae

SHAPES = pytest.mark.parametrize("residual", [False, True], ids=["wan-2-1", "wan-2-2-5b"])


def latents(seed: int, frames: int = 4) -> torch.Tensor:
    return torch.randn(1, 4, frames, 4, 6, generator=torch.Generator().manual_seed(seed))


def pixels() -> torch.Tensor:
    return torch.rand(1, 3, 13, 32, 64, generator=torch.Generator().manual_seed(5)) * 2 - 1


@SHAPES
@pytest.mark.parametrize("frames", [1, 2, 5])
def test_decoded_frames_equal_the_library_s(residual: bool, frames: int) -> None:
    vae = small_vae(residual=residual)
    expected = vae.decode(latents(1, frames)).sample

    tune({"vae": vae}, BALANCED, torch.device("cpu"))

    assert torch.equal(vae.decode(latents(1, frames)).sample, expected)


@SHAPES
def test_encoded_latents_equal_the_library_s(residual: bool) -> None:
    vae = small_vae(residual=residual)
    expected = vae.encode(pixels()).latent_dist.mode()

    use_stateless_vae(vae, PLAIN)

    assert torch.equal(vae.encode(pixels()).latent_dist.mode(), expected)


@SHAPES
def test_two_videos_decoded_in_turns_do_not_touch_each_other(residual: bool) -> None:
    vae = small_vae(residual=residual)
    expected = [vae.decode(latents(seed)).sample for seed in (1, 2)]
    use_stateless_vae(vae, PLAIN)

    turns = list(zip(decoded_chunks(vae, latents(1)), decoded_chunks(vae, latents(2)), strict=True))

    assert [chunk.shape[2] for chunk, _ in turns] == [1, 4, 4, 4]
    for video, chunks in zip(expected, zip(*turns, strict=True), strict=True):
        assert torch.equal(torch.cat(chunks, dim=2), video)


@SHAPES
def test_decoding_in_tiles_still_works(residual: bool) -> None:
    vae = small_vae(residual=residual)
    vae.enable_tiling(32, 32, 16, 16)
    expected = vae.decode(latents(1)).sample

    use_stateless_vae(vae, PLAIN)

    assert torch.allclose(vae.decode(latents(1)).sample, expected, atol=1e-5)


@SHAPES
def test_memory_with_channels_last_makes_the_same_pictures(residual: bool) -> None:
    vae = small_vae(residual=residual)
    expected = vae.decode(latents(1)).sample
    for parameter in vae.parameters():
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        parameter.data = parameter.data.contiguous(memory_format=formats.get(parameter.dim(), torch.contiguous_format))
    use_stateless_vae(vae, PLAIN)

    made = vae.decode(latents(1).contiguous(memory_format=torch.channels_last_3d)).sample

    assert torch.allclose(made, expected, atol=1e-5)


@SHAPES
def test_a_chunk_is_one_graph_to_a_compiler(residual: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    vae = small_vae(residual=residual)
    expected = vae.decode(latents(1, 2)).sample
    compiled = torch.compile
    # Tracing is what can fail; generating code for a CPU would take a minute and prove nothing about a GPU.
    monkeypatch.setattr(torch, "compile", lambda f, **_: compiled(f, backend="eager", fullgraph=True, dynamic=False))

    use_stateless_vae(vae, PLAIN, compiled=True)

    assert torch.allclose(vae.decode(latents(1, 2)).sample, expected, atol=1e-5)


def test_hooks_on_the_decoder_see_every_chunk() -> None:
    vae, seen = small_vae(residual=False), []
    use_stateless_vae(vae, PLAIN)
    vae.decoder.register_forward_pre_hook(lambda *_: seen.append(1))

    vae.decode(latents(1))

    assert len(seen) == 4


def test_it_can_be_undone() -> None:
    vae: nn.Module = small_vae(residual=False)

    restore = use_stateless_vae(vae, PLAIN)
    restore()

    assert not any("forward" in vars(coder) for coder in (vae.encoder, vae.decoder))
