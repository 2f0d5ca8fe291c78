"""Models of full size with random weights, made on the device in seconds; and their shapes.

Matrices are drawn so that what goes through keeps its size, as it does in trained models; norms are near one; nothing
is zero, for zeros multiply faster than numbers do.
"""

import copy
from typing import Any

import torch
from diffusers import AutoencoderKLWan, QwenImageTransformer2DModel, WanTransformer3DModel
from torch import nn

from bench.gpu.floor import Case

__all__ = ["CASES", "IMAGE_SIDE", "image_transformer", "sharing", "size_bytes", "wan_transformer", "wan_vae"]

_TINY = {"num_attention_heads": 2, "attention_head_dim": 48, "text_dim": 32, "freq_dim": 32, "ffn_dim": 192}
_TINY_IMAGE = {"num_attention_heads": 2, "attention_head_dim": 32, "joint_attention_dim": 48, "num_layers": 2}
_TINY_VAE = {"base_dim": 8, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1}

CASES = {
    ("480p", False): Case(832, 480, 81, 5120, 13824, 40),
    ("720p", False): Case(1280, 720, 81, 5120, 13824, 40),
    ("480p", True): Case(64, 32, 9, 96, 192, 3),
    ("720p", True): Case(96, 64, 9, 96, 192, 3),
}
"""By tier, and whether tiny."""
IMAGE_SIDE = {False: 1024, True: 64}


def wan_transformer(device: torch.device, *, tiny: bool, seed: int) -> Any:
    """An expert of Wan 2.2 I2V A14B."""
    extra = {**_TINY, "num_layers": 3} if tiny else {}
    kind = WanTransformer3DModel
    return _made(kind, {"in_channels": 36, "out_channels": 16, **extra}, _exact(kind, device), device, seed)


def image_transformer(device: torch.device, *, tiny: bool, seed: int) -> Any:
    """The transformer of Qwen-Image-Edit."""
    extra = {**_TINY_IMAGE, "axes_dims_rope": (8, 12, 12)} if tiny else {}
    kind = QwenImageTransformer2DModel
    return _made(kind, {"in_channels": 64, "out_channels": 16, **extra}, _exact(kind, device), device, seed)


def wan_vae(device: torch.device, *, tiny: bool, seed: int) -> Any:
    """Wan 2.1's VAE, in float32 as the library loads it."""
    return _made(AutoencoderKLWan, _TINY_VAE if tiny else {}, None, device, seed)


def sharing(model: Any) -> Any:
    """A copy of a model that can be tuned by itself: its weights are the same memory, to be replaced, never changed."""
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


def size_bytes(*models: nn.Module) -> int:
    """Of all their weights, each memory counted once."""
    tensors = [tensor for model in models for tensor in (*model.parameters(), *model.buffers())]
    return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors}.values())


def _exact(kind: Any, device: torch.device) -> tuple[str, ...] | None:
    """Modules that stay in float32 beside bfloat16; None where all is float32, as on a CPU."""
    return tuple(kind._keep_in_fp32_modules or ()) if device.type == "cuda" else None


def _made(kind: Any, config: dict[str, Any], exact: tuple[str, ...] | None, device: torch.device, seed: int) -> Any:
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        model = kind(**config)
    numbers = torch.Generator(device).manual_seed(seed)
    for name, parameter in list(model.named_parameters()):
        in_float32 = exact is None or any(part in name.split(".") for part in exact)
        dtype = torch.float32 if in_float32 else torch.bfloat16
        drawn = torch.empty(parameter.shape, device=device, dtype=dtype)
        _draw(drawn, name, numbers)
        holder = model.get_submodule(name.rpartition(".")[0])
        setattr(holder, name.rpartition(".")[2], nn.Parameter(drawn, requires_grad=False))
    return model.to(device).eval()


def _draw(tensor: torch.Tensor, name: str, numbers: torch.Generator) -> None:
    if name.endswith("bias"):
        tensor.normal_(0, 0.02, generator=numbers)
    elif tensor.dim() == 1 or "gamma" in name:
        tensor.normal_(1, 0.1, generator=numbers)
    else:
        tensor.normal_(0, tensor[0].numel() ** -0.5, generator=numbers)
