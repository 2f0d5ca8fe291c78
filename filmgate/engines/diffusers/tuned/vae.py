"""Wan's VAE without state of its own: what one chunk leaves for the next is passed from call to call.

A video is decoded a latent frame at a time, and encoded four frames at a time after the first. Every convolution in
time sees the last frames of the chunk before; the library keeps those on the VAE, pads and copies its inputs for them.
Here a chunk is a function of its input and a list of tensors, which can be compiled, and run for two videos at once.
Padding in space is left to the convolution, and tensors keep their channels last where they came so. In float32 the
result is the library's up to the order of sums.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any
from weakref import proxy

import torch
from torch import nn
from torch.nn import functional

from filmgate.engines.diffusers.tuned.elementwise import Elementwise

__all__ = ["Chunk", "decoded_chunks", "use_stateless_vae"]

Chunk = Callable[[torch.Tensor, Sequence[torch.Tensor] | None], tuple[torch.Tensor, list[torch.Tensor]]]
"""A chunk's input and what the chunk before left (None for the first), to its output and what it leaves."""


class _Trail:
    """The past of each convolution in time, in the order in which they come: taken from `before`, left in `after`."""

    def __init__(self, before: Sequence[torch.Tensor] | None) -> None:
        self.first = before is None
        self.after: list[torch.Tensor] = []
        self._before = list(before or ())

    def with_past(self, x: torch.Tensor, frames: int) -> torch.Tensor:
        """The tensor with the last frames of the chunk before in front; zeros in the first chunk."""
        past = _zeros(x, frames) if self.first else self._before[len(self.after)]
        whole = torch.cat([past, x], dim=2)
        # A copy, or the slice would keep the whole tensor in memory until the next chunk.
        self.leave(whole[:, :, -frames:].clone())
        return whole

    def leave(self, frames: torch.Tensor) -> None:
        self.after.append(frames)


def use_stateless_vae(vae: Any, ops: Elementwise, *, compiled: bool = False) -> Callable[[], None]:
    """Lets an AutoencoderKLWan work this way; the function returned undoes it.

    Its methods stay as they are: the list that the library hands its coders from chunk to chunk holds what they leave.
    Decoded frames are float32 whatever the weights are: the last rounding is that to a picture's 8 bits.
    """
    coders = ((vae.encoder, _encode_chunk), (vae.decoder, _decode_chunk))
    for coder, function in coders:
        # By a weak reference: a module that held itself would keep its memory after everyone else let go of it. The
        # compiler cannot see through one.
        chunk: Chunk = partial(function, coder if compiled else proxy(coder), ops)
        coder.forward = partial(_forward, torch.compile(chunk, dynamic=False) if compiled else chunk)

    def restore() -> None:
        for coder, _ in coders:
            del coder.forward

    return restore


def decoded_chunks(vae: Any, latents: torch.Tensor) -> Iterator[torch.Tensor]:
    """The frames of 1 × channels × latent frames × height × width latents as they come: 1, then 4 at a time.

    Each is 1 × 3 × frames × height × width, -1 to 1. `vae` is one that `use_stateless_vae` was called on.
    """
    carried: list[Any] = [None]
    for frame in vae.post_quant_conv(latents).split(1, dim=2):
        yield _picture(vae, vae.decoder(frame, feat_cache=carried))


def _picture(vae: Any, decoded: torch.Tensor) -> torch.Tensor:
    if vae.config.patch_size is not None:
        from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

        decoded = unpatchify(decoded, patch_size=vae.config.patch_size)
    return decoded.clamp(-1, 1)


def _forward(
    chunk: Chunk, x: torch.Tensor, feat_cache: list[Any], feat_idx: Any = None, first_chunk: bool = False
) -> torch.Tensor:
    """The signature of the library's coders; the first place of `feat_cache` is all the memory that is needed."""
    del feat_idx, first_chunk
    out, feat_cache[0] = chunk(x, feat_cache[0])
    return out


# ------------------------------------------------------------------------------------------------------------- coders


def _decode_chunk(
    decoder: Any, ops: Elementwise, x: torch.Tensor, before: Sequence[torch.Tensor] | None
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    trail = _Trail(before)
    x = _middle(decoder.mid_block, ops, _convolved(decoder.conv_in, x, trail), trail)
    for block in decoder.up_blocks:
        x = _up(block, ops, x, trail)
    x = _convolved(decoder.conv_out, ops.channel_norm_silu(x, decoder.norm_out.gamma), trail)
    return x.float(), trail.after


def _encode_chunk(
    encoder: Any, ops: Elementwise, x: torch.Tensor, before: Sequence[torch.Tensor] | None
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    trail = _Trail(before)
    x = _convolved(encoder.conv_in, x, trail)
    for layer in encoder.down_blocks:
        x = _down(layer, ops, x, trail)
    x = _middle(encoder.mid_block, ops, x, trail)
    return _convolved(encoder.conv_out, ops.channel_norm_silu(x, encoder.norm_out.gamma), trail), trail.after


def _middle(block: Any, ops: Elementwise, x: torch.Tensor, trail: _Trail) -> torch.Tensor:
    x = _residual(block.resnets[0], ops, x, trail)
    for attention, resnet in zip(block.attentions, block.resnets[1:], strict=True):
        x = _residual(resnet, ops, attention(x), trail)
    return x


def _up(block: Any, ops: Elementwise, x: torch.Tensor, trail: _Trail) -> torch.Tensor:
    given = x
    for resnet in block.resnets:
        x = _residual(resnet, ops, x, trail)
    if hasattr(block, "avg_shortcut"):
        if block.upsampler is not None:
            x = _upsampled(block.upsampler, x, trail)
        return x if block.avg_shortcut is None else x + block.avg_shortcut(given, first_chunk=trail.first)
    return x if block.upsamplers is None else _upsampled(block.upsamplers[0], x, trail)


def _down(layer: Any, ops: Elementwise, x: torch.Tensor, trail: _Trail) -> torch.Tensor:
    """One entry of the encoder's list: a residual block, an attention, a resampling, or a group of them."""
    if hasattr(layer, "avg_shortcut"):
        given = x
        for resnet in layer.resnets:
            x = _residual(resnet, ops, x, trail)
        if layer.downsampler is not None:
            x = _downsampled(layer.downsampler, x, trail)
        return x + layer.avg_shortcut(given)
    if hasattr(layer, "resample"):
        return _downsampled(layer, x, trail)
    if hasattr(layer, "conv1"):
        return _residual(layer, ops, x, trail)
    attended: torch.Tensor = layer(x)
    return attended


# ------------------------------------------------------------------------------------------------------------- layers


def _convolved(conv: Any, x: torch.Tensor, trail: _Trail) -> torch.Tensor:
    """A causal convolution; `_padding` is what the library pads: width twice, height twice, past, future."""
    width, _, height, _, past, _ = conv._padding
    if past:
        x = trail.with_past(x, past)
    out: torch.Tensor = functional.conv3d(x, conv.weight, conv.bias, conv.stride, (0, height, width))
    return out


def _residual(block: Any, ops: Elementwise, x: torch.Tensor, trail: _Trail) -> torch.Tensor:
    shortcut = x if isinstance(block.conv_shortcut, nn.Identity) else _convolved(block.conv_shortcut, x, trail)
    x = _convolved(block.conv1, ops.channel_norm_silu(x, block.norm1.gamma), trail)
    return _convolved(block.conv2, ops.channel_norm_silu(x, block.norm2.gamma), trail) + shortcut


def _upsampled(resample: Any, x: torch.Tensor, trail: _Trail) -> torch.Tensor:
    if resample.mode == "upsample3d":
        x = _doubled_in_time(resample.time_conv, x, trail)
    larger, conv = resample.resample
    return _by_frame(lambda frames: conv(functional.interpolate(frames, scale_factor=2.0, mode=larger.mode)), x)


def _doubled_in_time(conv: Any, x: torch.Tensor, trail: _Trail) -> torch.Tensor:
    past = conv._padding[4]
    if trail.first:
        # The first latent frame stands for one frame, not four, and is no past to the next.
        trail.leave(_zeros(x, past))
        return x
    pairs = _convolved(conv, x, trail)
    channels = x.shape[1]
    batch, _, frames, height, width = x.shape
    out = torch.empty(
        (batch, channels, 2 * frames, height, width), dtype=x.dtype, device=x.device, memory_format=_format(x)
    )
    out[:, :, 0::2] = pairs[:, :channels]
    out[:, :, 1::2] = pairs[:, channels:]
    return out


def _downsampled(resample: Any, x: torch.Tensor, trail: _Trail) -> torch.Tensor:
    x = _by_frame(resample.resample, x)
    if resample.mode != "downsample3d":
        return x
    if trail.first:
        trail.leave(x[:, :, -1:].clone())
        return x
    conv = resample.time_conv
    halved: torch.Tensor = functional.conv3d(trail.with_past(x, 1), conv.weight, conv.bias, conv.stride)
    return halved


def _by_frame(function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """A function of pictures (batch × channels × height × width), over the frames of a video."""
    out = function(x.transpose(1, 2).flatten(0, 1))
    return out.unflatten(0, (x.shape[0], x.shape[2])).transpose(1, 2)


def _zeros(x: torch.Tensor, frames: int) -> torch.Tensor:
    """As many frames of zeros as a past, laid out in memory as the tensor is."""
    return torch.cat([torch.zeros_like(x[:, :, :1])] * frames, dim=2)


def _format(x: torch.Tensor) -> torch.memory_format:
    last = torch.channels_last_3d
    return last if x.is_contiguous(memory_format=last) else torch.contiguous_format
