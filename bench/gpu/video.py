"""Whole clips: the library's pipeline beside ours in each profile, in turns, in one process.

Two tasks. `guided`: some of the 40 steps that undistilled weights take, with guidance, to know the seconds of a step.
`distilled`: four steps without guidance, from the picture to decoded frames on the host. Every variant has the same two
experts, picture, text and noise; the reference of all errors is the library's pipeline in bfloat16.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import WanImageToVideoPipeline
from PIL import Image

from bench.gpu.clock import Session
from bench.gpu.floor import Case, forward_floors, forward_tflop
from bench.gpu.stage import Silent, Stage, embeddings, installed_form, picture, segment
from bench.gpu.weights import CASES, sharing, size_bytes, wan_transformer, wan_vae
from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.catalog import Installed
from filmgate.engines.diffusers.loading import load_scheduler
from filmgate.engines.diffusers.profiles import BALANCED, EXACT, FAST, Profile
from filmgate.engines.diffusers.tuned.linear import use_fp8_linears
from filmgate.engines.diffusers.tuned.rows import quantize_rows
from filmgate.engines.diffusers.tuned.trial import relative_error
from filmgate.engines.diffusers.tuned.tune import float32_products, tune
from filmgate.engines.diffusers.wan import WanModel
from filmgate.engines.diffusers.watch import Watch

__all__ = ["Models", "OursInProfile", "bench_video", "build_models"]

UNCHANGED = replace(BALANCED, name="bf16", fp8_linears=False)
"""Balanced without 8 bits: the maths of exact in other kernels."""
DISTILLED_STEPS = 4
_STEPS_MEASURED = {"480p": 2, "720p": 1}
_TASKS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "480p": {"guided": ("stock", "exact", "bf16", "balanced"), "distilled": ("stock", "fast")},
    "720p": {"guided": ("stock", "bf16", "balanced"), "distilled": ("fast",)},
}


@dataclass(frozen=True, slots=True)
class Made:
    """What a run leaves: seconds by stage, its last latents and, if they were decoded, its frames (uint8 RGB)."""

    figures: dict[str, float]
    latents: torch.Tensor
    frames: Picture | None


@dataclass(frozen=True, slots=True)
class Models:
    """Two experts and a VAE; `words` say what runs in them."""

    experts: tuple[Any, Any]
    vae: Any
    words: tuple[str, ...]


Run = Callable[[int, bool, bool], Made]
"""Steps, whether guided, whether decoded."""


def bench_video(session: Session, report: dict[str, Any], tier: str) -> None:
    case = CASES[tier, session.tiny]
    with installed_form() as form, torch.no_grad():
        runs, words, weights = _variants(session, form, case)
        report |= {
            "case": {"width": case.width, "height": case.height, "frames": case.frames, "tokens": case.tokens},
            "forward_tflop": dict(zip(("linear", "attention"), forward_tflop(case), strict=True)),
            "forward_floors_s": forward_floors(case),
            "what_runs": words,
            "weights_gb": weights,
        }
        for task, names in _TASKS[tier].items():
            chosen = {name: runs[name] for name in names if name in runs}
            report[task] = _task(session, tier, task, chosen)
            session.say(f"{tier} {task}: {', '.join(chosen)}")


def _variants(
    session: Session, form: Installed, case: Case
) -> tuple[dict[str, Run], dict[str, list[str]], dict[str, float]]:
    stock = build_models(session)
    eight = Models((sharing(stock.experts[0]), sharing(stock.experts[1])), stock.vae, ())
    for expert in eight.experts:
        use_fp8_linears(expert, session.device, quantize_rows, convert=True, on_units=False)
    texts = embeddings(session.device, stock.experts[0].config.text_dim)
    runs: dict[str, Run] = {"stock": partial(_run_stock, session, form, case, stock, texts)}
    words: dict[str, list[str]] = {"stock": ["diffusers' own pipeline, attention as torch chooses"]}
    weights = {"stock": size_bytes(*stock.experts) / 1e9}
    for profile, source in ((EXACT, stock), (UNCHANGED, stock), (BALANCED, eight), (FAST, eight)):
        if session.wants(profile.name):
            ours = OursInProfile(session, form, case, source, texts, profile)
            runs[profile.name] = ours.run
            words[profile.name] = list(ours.models.words)
            weights[profile.name] = size_bytes(*ours.models.experts) / 1e9
    return runs, words, weights


def build_models(session: Session) -> Models:
    """Both experts in bfloat16 (float32 on a CPU), the VAE in float32."""
    experts = tuple(wan_transformer(session.device, tiny=session.tiny, seed=seed) for seed in (1, 2))
    vae = wan_vae(session.device, tiny=session.tiny, seed=3)
    session.say(f"built {size_bytes(*experts, vae) / 1e9:.1f} GB of random weights")
    return Models((experts[0], experts[1]), vae, ())


# ---------------------------------------------------------------------------------------------------------------- runs


class OursInProfile:
    """The engine's own Wan path with models of one profile."""

    def __init__(
        self,
        session: Session,
        form: Installed,
        case: Case,
        source: Models,
        texts: Mapping[str, torch.Tensor],
        profile: Profile,
    ) -> None:
        self._session = session
        self._case = case
        self._profile = profile
        # A VAE is changed in place and small; experts are large, and only replaced layer by layer.
        vae = wan_vae(session.device, tiny=session.tiny, seed=3)
        parts = {
            "transformer": sharing(source.experts[0]),
            "transformer_2": sharing(source.experts[1]),
            "vae": vae,
        }
        words = tune(parts, profile, session.device)
        self.models = Models((parts["transformer"], parts["transformer_2"]), vae, words)
        self.wan = WanModel(Stage(form, parts, texts, session.device))

    def run(self, steps: int, guided: bool, decoded: bool, report: Silent | None = None) -> Made:
        """Raises RequestStopped when the report says so."""
        wanted = segment(self._case, steps=steps, guided=guided)
        watch = Watch(report or Silent(), self._session.device)
        clock = self._session.clock
        with float32_products(self._profile):
            start = clock.mark()
            conditions = self.wan.encode(wanted, watch)
            encoded = clock.mark()
            latents = self.wan.denoise(wanted, conditions, watch, lambda *_: None)
            denoised = clock.mark()
            frames = self.wan.decode(latents, watch) if decoded else None
            end = clock.mark()
        return Made(_figures(self._session, start, encoded, denoised, end, decoded=decoded), latents, frames)


def _run_stock(
    session: Session,
    form: Installed,
    case: Case,
    models: Models,
    texts: Mapping[str, torch.Tensor],
    steps: int,
    guided: bool,
    decoded: bool,
) -> Made:
    """The library's pipeline as its documentation calls it, but for text that is embedded already."""
    clock = session.clock
    marks: list[Any] = []
    last: list[torch.Tensor] = []

    def note(_pipeline: Any, _step: int, _time: Any, kept: dict[str, Any]) -> dict[str, Any]:
        last[:] = [kept["latents"]]
        return {}

    pipeline = WanImageToVideoPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=models.vae,
        scheduler=load_scheduler(form, flow_shift=5.0),
        transformer=models.experts[0],
        transformer_2=models.experts[1],
        boundary_ratio=0.9,
    )
    pipeline.set_progress_bar_config(disable=True)
    with ExitStack() as hooks:
        for expert in models.experts:
            hooks.callback(expert.register_forward_pre_hook(lambda *_: marks.append(clock.mark())).remove)
            hooks.callback(expert.register_forward_hook(lambda *_: marks.append(clock.mark())).remove)
        start = clock.mark()
        video = pipeline(
            image=Image.fromarray(picture(case)),
            prompt_embeds=texts["wanted"],
            negative_prompt_embeds=texts["unwanted"] if guided else None,
            height=case.height,
            width=case.width,
            num_frames=case.frames,
            num_inference_steps=steps,
            guidance_scale=3.5 if guided else 1.0,
            guidance_scale_2=3.5 if guided else 1.0,
            generator=torch.Generator("cpu").manual_seed(1),
            output_type="np" if decoded else "latent",
            callback_on_step_end=note,
        ).frames
        end = clock.mark()
    frames = (video[0] * 255).round().astype(np.uint8) if decoded else None
    return Made(_figures(session, start, marks[0], marks[-1], end, decoded=decoded), last[0], frames)


def _figures(session: Session, start: Any, encoded: Any, denoised: Any, end: Any, *, decoded: bool) -> dict[str, float]:
    clock = session.clock
    figures = {"encode_s": clock.seconds(start, encoded), "denoise_s": clock.seconds(encoded, denoised)}
    if decoded:
        figures |= {"decode_s": clock.seconds(denoised, end), "end_to_end_s": clock.seconds(start, end)}
    return figures


# --------------------------------------------------------------------------------------------------------------- tasks


def _task(session: Session, tier: str, task: str, runs: Mapping[str, Run]) -> dict[str, Any]:
    guided = task == "guided"
    steps = _STEPS_MEASURED[tier] if guided else DISTILLED_STEPS
    kept: dict[str, Made] = {}

    def work(name: str) -> dict[str, float]:
        used = _memory_mark(session)
        kept[name] = made = runs[name](steps, guided, not guided)
        return {**made.figures, "step_s": made.figures["denoise_s"] / steps, **_memory_beyond(session, used)}

    report = session.in_turns({name: partial(work, name) for name in runs}).report()
    reference = kept.get("stock")
    for name, row in report.items():
        row["steps"], row["passes_per_step"] = steps, 2 if guided else 1
        if reference is not None:
            row["latents_error"] = relative_error(kept[name].latents, reference.latents)
            if kept[name].frames is not None and reference.frames is not None:
                row["psnr_db"] = _psnr(kept[name].frames, reference.frames)
    return report


def _memory_mark(session: Session) -> int:
    if session.device.type != "cuda":
        return 0
    torch.cuda.reset_peak_memory_stats(session.device)
    return int(torch.cuda.memory_allocated(session.device))


def _memory_beyond(session: Session, used: int) -> dict[str, float]:
    """Gigabytes beyond what lay there before: the weights of all variants are on the device at once."""
    if session.device.type != "cuda":
        return {}
    return {"activations_gb": (torch.cuda.max_memory_allocated(session.device) - used) / 1e9}


def _psnr(made: Any, expected: Any) -> float | None:
    off = float(np.mean((made.astype(np.float64) - expected.astype(np.float64)) ** 2))
    return None if off == 0 else 10 * float(np.log10(255**2 / off))
