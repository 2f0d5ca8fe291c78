"""One pass of the image-editing transformer at a million pixels, with one and with three references."""

from functools import partial
from typing import Any

import torch

from bench.gpu.clock import Session
from bench.gpu.weights import IMAGE_SIDE, image_transformer, sharing, size_bytes
from filmgate.engines.diffusers.profiles import BALANCED, Profile
from filmgate.engines.diffusers.tuned.trial import relative_error
from filmgate.engines.diffusers.tuned.tune import float32_products, tune

__all__ = ["bench_image"]

_PATCH_PX = 16
_WORDS_TOKENS = 128
_REFERENCE_TOKENS = 196
"""Of text, and of each reference as the language model sees it: 384 × 384 pixels in patches of 28."""
_STEPS = 8
_REFERENCES = (1, 3)


def bench_image(session: Session, report: dict[str, Any]) -> None:
    """Seconds of a pass; a picture of eight distilled steps is eight passes and the VAE, of 40 guided ones eighty."""
    stock = image_transformer(session.device, tiny=session.tiny, seed=1)
    session.say(f"built {size_bytes(stock) / 1e9:.1f} GB of random weights")
    ours = sharing(stock)
    words = tune({"transformer": ours}, BALANCED, session.device)
    report |= {"what_runs": list(words), "balanced_weights_gb": size_bytes(ours) / 1e9}
    for references in _REFERENCES:
        report[f"{references} references"] = _compared(session, references, stock, ours)
        session.say(f"{references} references")


def _compared(session: Session, references: int, stock: Any, ours: Any) -> dict[str, Any]:
    given = _given(session, references, stock)
    expected = _pass(stock, given, None)
    report = session.in_turns(
        {
            "stock": partial(_figures, session, stock, given, None),
            "balanced": partial(_figures, session, ours, given, BALANCED),
        }
    ).report()
    for row in report.values():
        row["eight_passes_s"] = _STEPS * row["pass_s"]["median"]
    report["tokens"] = given["hidden_states"].shape[1]
    report["balanced_error"] = relative_error(_pass(ours, given, BALANCED), expected)
    return report


def _given(session: Session, references: int, transformer: Any) -> dict[str, Any]:
    side = IMAGE_SIDE[session.tiny] // _PATCH_PX
    dtype = torch.bfloat16 if session.device.type == "cuda" else torch.float32
    numbers = torch.Generator(session.device).manual_seed(1)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.empty(shape, device=session.device).normal_(generator=numbers).to(dtype)

    words = 7 if session.tiny else _WORDS_TOKENS + references * _REFERENCE_TOKENS
    config = transformer.config
    return {
        "hidden_states": drawn(1, (1 + references) * side**2, config.in_channels),
        "timestep": torch.tensor([0.7], device=session.device, dtype=dtype),
        "encoder_hidden_states": drawn(1, words, config.joint_attention_dim),
        "encoder_hidden_states_mask": None,
        "img_shapes": [[(1, side, side)] * (1 + references)],
        "return_dict": False,
    }


def _figures(session: Session, transformer: Any, given: dict[str, Any], profile: Profile | None) -> dict[str, float]:
    return {"pass_s": session.clock.time(partial(_pass, transformer, given, profile))}


def _pass(transformer: Any, given: dict[str, Any], profile: Profile | None) -> torch.Tensor:
    with torch.no_grad():
        if profile is None:
            made: torch.Tensor = transformer(**given)[0]
            return made
        with float32_products(profile):
            return transformer(**given)[0]
