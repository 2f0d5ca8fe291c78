"""What a service does around the steps: swaps models, stops jobs, makes clip after clip."""

import random
import threading
import time
from typing import Any

import torch
from torch import nn

from bench.gpu.clock import Session, spread
from bench.gpu.stage import Silent, embeddings, installed_form
from bench.gpu.video import DISTILLED_STEPS, OursInProfile, build_models
from bench.gpu.weights import CASES, wan_transformer
from filmgate.domain.errors import RequestStopped
from filmgate.engines.diffusers.profiles import FAST
from filmgate.engines.diffusers.residency import Budget, Residency
from filmgate.engines.diffusers.tuned.linear import use_fp8_linears
from filmgate.engines.diffusers.tuned.rows import quantize_rows

__all__ = ["bench_service"]

_STOPS = 8
_CLIPS = 3
_HOST_SHARE = 0.9


def bench_service(session: Session, report: dict[str, Any]) -> None:
    _swaps(session, report.setdefault("swap", {}))
    case = CASES["480p", session.tiny]
    with installed_form() as form, torch.no_grad():
        models = build_models(session)
        for expert in models.experts:
            use_fp8_linears(expert, session.device, quantize_rows, convert=True, on_units=False)
        texts = embeddings(session.device, models.experts[0].config.text_dim)
        ours = OursInProfile(session, form, case, models, texts, FAST)
        ours.run(DISTILLED_STEPS, guided=False, decoded=True)
        report["what_runs"] = list(ours.models.words)
        report["cancel"] = _cancels(session, ours)
        report["clips"] = _clips(session, ours)


# ---------------------------------------------------------------------------------------------------------------- swap


def _swaps(session: Session, swaps: dict[str, Any]) -> None:
    """An expert from the host's memory to the device and out again, as the engine moves it when models take turns."""
    for name, eight in (("bf16", False), ("fp8", True)):
        if not session.wants(name):
            continue
        expert = wan_transformer(session.device, tiny=session.tiny, seed=1)
        if eight:
            use_fp8_linears(expert, session.device, quantize_rows, convert=True, on_units=False)
        expert.to("cpu")
        if session.device.type == "cuda":
            torch.cuda.empty_cache()
        size = sum(tensor.nbytes for tensor in (*expert.parameters(), *expert.buffers()))
        swaps[name] = {"gb": size / 1e9, **_moved(session, expert, size)}
        session.say(f"swapped {size / 1e9:.1f} GB")


def _moved(session: Session, expert: nn.Module, size: int) -> dict[str, Any]:
    """`first_s` also pins the host's copy; `in_s` and `out_s` are what a swap takes from then on."""
    other = nn.Linear(1, 1)
    # Room for the expert alone: asking for the other one puts it out.
    room = Residency(session.device, Budget(size, 2 * size + 10**6))
    first_s = _timed_use(session, room, "expert", expert)
    ins, outs = [], []
    for _ in range(session.rounds):
        outs.append(_timed_use(session, room, "other", other))
        ins.append(_timed_use(session, room, "expert", expert))
    figures: dict[str, Any] = {"first_s": first_s, "in_s": spread(ins), "out_s": spread(outs)}
    figures["gb_per_s"] = size / 1e9 / max(figures["in_s"]["median"], 1e-9)
    return figures


def _timed_use(session: Session, room: Residency, name: str, module: nn.Module) -> float:
    session.clock.settle()
    began = time.monotonic()
    with room.use((name,), lambda: module):
        session.clock.settle()
    return time.monotonic() - began


# -------------------------------------------------------------------------------------------------------------- cancel


def _cancels(session: Session, ours: OursInProfile) -> dict[str, Any]:
    """From the moment that a job is told to stop to an idle device, at moments all over its steps."""
    whole_s = ours.run(DISTILLED_STEPS, guided=False, decoded=False).figures["denoise_s"]
    moments = random.Random(1)
    latencies = []
    for _ in range(3 if session.tiny else _STOPS):
        latency_s = _stopped(session, ours, moments.uniform(0.05, 0.95) * whole_s)
        if latency_s is not None:
            latencies.append(latency_s)
    session.say(f"stopped {len(latencies)} jobs")
    return {
        "latency_s": spread(latencies) if latencies else None,
        "ended_before_they_were_told": (3 if session.tiny else _STOPS) - len(latencies),
        "step_s": whole_s / DISTILLED_STEPS,
    }


def _stopped(session: Session, ours: OursInProfile, after_s: float) -> float | None:
    told: list[float] = []
    timer = threading.Timer(after_s, lambda: told.append(time.monotonic()))
    timer.start()
    try:
        ours.run(DISTILLED_STEPS, guided=False, decoded=False, report=Silent(lambda: bool(told)))
    except RequestStopped:
        session.clock.settle()
        return time.monotonic() - told[0]
    finally:
        timer.cancel()
        timer.join()
    return None


# --------------------------------------------------------------------------------------------------------------- clips


def _clips(session: Session, ours: OursInProfile) -> dict[str, Any]:
    """Clips one after another on one device, from picture to frames on the host, by the wall clock.

    Without text encoding, which is remembered, and without writing the file, which is another thread's work.
    """
    session.clock.settle()
    began = time.monotonic()
    for _ in range(_CLIPS):
        ours.run(DISTILLED_STEPS, guided=False, decoded=True)
    session.clock.settle()
    seconds = (time.monotonic() - began) / _CLIPS
    session.say(f"{_CLIPS} clips in a row")
    return {"clips": _CLIPS, "seconds_per_clip": seconds, "clips_per_hour": 3600 / seconds}
