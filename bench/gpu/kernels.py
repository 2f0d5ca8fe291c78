"""The parts of a pass one by one: matrix products, attention, element-wise work, and the VAE, each in its variants."""

import copy
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from bench.gpu.clock import Session
from bench.gpu.floor import vae_tflop
from bench.gpu.weights import CASES, wan_vae
from filmgate.engines.diffusers.tuned.attention import KernelRefused, open_kernel
from filmgate.engines.diffusers.tuned.elementwise import PLAIN, Elementwise
from filmgate.engines.diffusers.tuned.linear import Fp8Linear
from filmgate.engines.diffusers.tuned.trial import first_line, relative_error
from filmgate.engines.diffusers.tuned.vae import use_stateless_vae

__all__ = ["bench_kernels"]

_ATTENTION = ("sdpa", "flash", "cudnn", "fa3", "fa3-fp8")
_REPEATS = 5
_CHECKED_ROWS = 64


def bench_kernels(session: Session, report: dict[str, Any]) -> None:
    ops = available_ops(session)
    report |= {"products": {}, "attention": {}, "element-wise": {}, "vae": {}}
    for tier in ("480p", "720p"):
        case = CASES[tier, session.tiny]
        report["products"][tier] = _products(session, case.tokens, case.model_width, case.feed_forward, ops)
        report["attention"][tier] = _attention(session, case.tokens, case.model_width, ops)
    case = CASES["480p", session.tiny]
    report["element-wise"]["480p"] = _elementwise(session, case.tokens, case.model_width, ops)
    report["vae"]["480p"] = _vae(session, ops)


def available_ops(session: Session) -> Elementwise:
    """The fused passes on CUDA, where a machine without Triton has nothing to measure; plain torch elsewhere."""
    if session.device.type != "cuda":
        return PLAIN
    from filmgate.engines.diffusers.tuned.kernels import TRITON

    return TRITON


def random(session: Session, *shape: int) -> torch.Tensor:
    """Normal numbers in the precision of activations."""
    numbers = torch.randn(shape, device=session.device)
    return numbers.to(torch.bfloat16) if session.device.type == "cuda" else numbers


# ------------------------------------------------------------------------------------------------------------ products


def _products(session: Session, tokens: int, width: int, feed_forward: int, ops: Elementwise) -> dict[str, Any]:
    report = {}
    for name, inner, outer in (
        ("width to width", width, width),
        ("width to feed-forward", width, feed_forward),
        ("feed-forward to width", feed_forward, width),
    ):
        given = random(session, tokens, inner)
        plain = nn.Linear(inner, outer, device=session.device, dtype=given.dtype).requires_grad_(requires_grad=False)
        eight = Fp8Linear.of(plain, session.device)
        eight.quantize, eight.on_units = ops.quantize, session.device.type == "cuda" and eight.fits_units
        rows = eight.rows(given)
        works: dict[str, Callable[[], torch.Tensor]] = {
            "bf16": partial(plain, given),
            "fp8, product alone": partial(eight, rows),
            "fp8, with quantising": partial(eight, given),
        }
        report[name] = _compared(
            session, works, 2 * tokens * inner * outer, lambda made, x=given, p=plain: _product_error(made, x, p)
        )
    session.say(f"products of {tokens} tokens")
    return report


def _product_error(made: torch.Tensor, given: torch.Tensor, plain: nn.Linear) -> float:
    rows = slice(0, _CHECKED_ROWS)
    expected = functional.linear(given[rows].double(), plain.weight.double(), plain.bias.double())
    return relative_error(made[rows], expected)


def _compared(
    session: Session,
    works: dict[str, Callable[[], torch.Tensor]],
    operations: float,
    error: Callable[[torch.Tensor], float],
) -> dict[str, Any]:
    errors = {name: error(work()) for name, work in works.items()}
    rounds = session.in_turns(
        {name: lambda work=work: {"ms": 1000 * session.clock.time(work, _REPEATS)} for name, work in works.items()}
    )
    report = rounds.report()
    for name, row in report.items():
        row["tflop_per_s"] = operations / row["ms"]["median"] / 1e9
        row["relative_error"] = errors[name]
    return report


# ----------------------------------------------------------------------------------------------------------- attention


def _attention(session: Session, tokens: int, width: int, ops: Elementwise) -> dict[str, Any]:
    head_width = 128 if width % 128 == 0 else 48
    query, key, value = (random(session, 1, tokens, width // head_width, head_width) for _ in range(3))
    works: dict[str, Callable[[], torch.Tensor]] = {}
    refused = {}
    for name in _ATTENTION:
        try:
            kernel = open_kernel(name, session.device, query.dtype, head_width, ops)
        except KernelRefused as error:
            refused[name] = str(error)
            session.say(f"attention by {name}: {error}")
        else:
            works[name] = partial(kernel.attend, query, key, value)
    report = _compared(session, works, 4 * tokens**2 * width, lambda made: _attention_error(made, query, key, value))
    session.say(f"attention of {tokens} tokens")
    return {**report, "refused": refused}


def _attention_error(made: torch.Tensor, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> float:
    """Of some queries against all keys, in float32."""
    asked = query[:, :_CHECKED_ROWS].float().transpose(1, 2)
    scores = asked @ key.float().permute(0, 2, 3, 1) / query.shape[-1] ** 0.5
    expected = (scores.softmax(dim=-1) @ value.float().transpose(1, 2)).transpose(1, 2)
    return relative_error(made[:, :_CHECKED_ROWS], expected)


# -------------------------------------------------------------------------------------------------------- element-wise


def _elementwise(session: Session, tokens: int, width: int, ops: Elementwise) -> dict[str, Any]:
    """Milliseconds of each pass, plain and fused; GB/s count what must be read and written once."""
    head_width = 128 if width % 128 == 0 else 48
    x, branch = random(session, 1, tokens, width), random(session, 1, tokens, width)
    scale, shift = torch.randn(2, 1, 1, width, device=session.device).unbind(0)
    weight = random(session, width)
    angles = torch.randn(1, tokens, 1, head_width // 2, device=session.device).repeat_interleave(2, dim=-1)
    rotary = (angles.cos(), angles.sin())
    heads = x.unflatten(-1, (-1, head_width))
    passes: dict[str, tuple[float, Callable[[Elementwise], object]]] = {
        "modulated norm": (2, lambda ops: ops.modulated_norm(x, scale, shift, 1e-6)),
        "gated add": (3, lambda ops: ops.gated_add(x, branch, scale)),
        "RMS norm and rotary": (2, lambda ops: ops.rms_rotary(x, weight, 1e-6, rotary)),
        "8-bit rows": (1.5, lambda ops: ops.quantize(x[0])),
        "8-bit heads, centred": (3.5, lambda ops: ops.quantize_heads(heads, centred=True)),
    }
    report = {}
    for name, (moved, work) in passes.items():
        variants = {"plain": PLAIN, "fused": ops} if ops is not PLAIN else {"plain": PLAIN}
        rounds = session.in_turns(
            {
                variant: lambda ops=ops, work=work: {"ms": 1000 * session.clock.time(lambda: work(ops), _REPEATS)}
                for variant, ops in variants.items()
            }
        )
        report[name] = rounds.report()
        for row in report[name].values():
            row["gb_per_s"] = moved * x.nbytes / row["ms"]["median"] / 1e6
    session.say("element-wise passes")
    return report


# ----------------------------------------------------------------------------------------------------------------- VAE


def _vae(session: Session, ops: Elementwise) -> dict[str, Any]:
    case = CASES["480p", session.tiny]
    latents = torch.randn(1, 16, case.latent_frames, case.height // 8, case.width // 8, device=session.device)
    pixels = torch.rand(1, 3, case.frames, case.height, case.width, device=session.device) * 2 - 1
    with torch.no_grad():
        variants = _vae_variants(session, ops, latents, pixels)
        reference = variants["library, fp32"]
        frames, encoded = reference.decode(latents).sample, reference.encode(pixels).latent_dist.mode()
        rounds = session.in_turns(
            {name: partial(_vae_figures, session, vae, latents, pixels) for name, vae in variants.items()}
        )
        report = rounds.report()
        for name, row in report.items():
            vae = variants[name]
            row["decode_error"] = relative_error(vae.decode(latents.to(vae.dtype)).sample, frames)
            row["encode_error"] = relative_error(vae.encode(pixels.to(vae.dtype)).latent_dist.mode(), encoded)
            for stage, tflop in zip(("encode", "decode"), vae_tflop(case), strict=True):
                row[f"{stage}_tflop_per_s"] = tflop / row[f"{stage}_s"]["median"]
    session.say("VAE")
    return report


def _vae_variants(session: Session, ops: Elementwise, latents: torch.Tensor, pixels: torch.Tensor) -> dict[str, Any]:
    """On a CPU without bfloat16 and compiler: it would take minutes there and says nothing."""
    plain = wan_vae(session.device, tiny=session.tiny, seed=3)
    variants = {"library, fp32": plain, "stateless, fp32": copy.deepcopy(plain)}
    use_stateless_vae(variants["stateless, fp32"], PLAIN)
    if session.device.type == "cuda":
        for name in ("library, bf16", "stateless, bf16", "stateless, bf16, fused norms"):
            variants[name] = _in_bf16(copy.deepcopy(plain))
        use_stateless_vae(variants["stateless, bf16"], PLAIN)
        use_stateless_vae(variants["stateless, bf16, fused norms"], ops)
        compiled = _compiled(session, _in_bf16(copy.deepcopy(plain)), latents, pixels)
        if compiled is not None:
            variants["stateless, bf16, compiled"] = compiled
    return {name: vae for name, vae in variants.items() if session.wants(name) or vae is plain}


def _compiled(session: Session, vae: Any, latents: torch.Tensor, pixels: torch.Tensor) -> Any:
    """The VAE after its first, slow clip; None where it cannot be compiled. A compiler fuses the norms itself."""
    use_stateless_vae(vae, PLAIN, compiled=True)
    began = time.monotonic()
    try:
        vae.decode(latents.to(vae.dtype))
        vae.encode(pixels.to(vae.dtype))
    except RuntimeError as error:
        session.say(f"the VAE cannot be compiled: {first_line(error)}")
        return None
    session.say(f"compiled the VAE in {time.monotonic() - began:.0f} s")
    return vae


def _in_bf16(vae: Any) -> Any:
    for parameter in vae.parameters():
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        kept = formats.get(parameter.dim(), torch.contiguous_format)
        parameter.data = parameter.data.to(torch.bfloat16, memory_format=kept)
    return vae


def _vae_figures(session: Session, vae: Any, latents: torch.Tensor, pixels: torch.Tensor) -> dict[str, float]:
    given, seen = latents.to(vae.dtype), pixels.to(vae.dtype)
    encode_s = session.clock.time(lambda: vae.encode(seen))
    return {"encode_s": encode_s, "decode_s": session.clock.time(lambda: vae.decode(given))}
