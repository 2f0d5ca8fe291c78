"""The denoising loop, and all that it has to remember to go on after a crash as if there had been none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["AfterStep", "Sampling", "denoise"]

_TENSOR_LISTS = ("model_outputs",)
_TENSORS = ("last_sample",)
_NUMBER_LISTS = ("timestep_list",)
_NUMBERS = ("_step_index", "lower_order_nums", "this_order")
"""What the schedulers that we use carry from one step to the next; the rest follows from their settings."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """The state after `step` steps: the latents, and what the scheduler carries over."""

    step: int
    latents: torch.Tensor
    tensors: Mapping[str, torch.Tensor]
    numbers: Mapping[str, Any]


AfterStep = Callable[[Sampling, torch.Tensor], None]


def denoise(
    scheduler: Any,
    predict: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    latents: torch.Tensor,
    after_step: AfterStep,
    resumed: Sampling | None = None,
) -> torch.Tensor:
    """Takes the latents through the scheduler's timesteps; `predict(latents, t)` is the model with its guidance.

    `after_step(state, clean)` is called after every step: `state` is what a later run needs as `resumed`, `clean` the
    latents that the step expects at the end.
    """
    first = 0
    if resumed is not None:
        first, latents = resumed.step, resumed.latents.to(latents)
        _restore(scheduler, resumed, latents)
    for index, timestep in enumerate(scheduler.timesteps[first:], start=first):
        noise = predict(latents, timestep)
        clean = latents - scheduler.sigmas[index].to(latents) * noise
        latents = scheduler.step(noise, timestep, latents, return_dict=False)[0]
        after_step(_state(scheduler, index + 1, latents), clean)
    return latents


def _state(scheduler: Any, step: int, latents: torch.Tensor) -> Sampling:
    tensors: dict[str, torch.Tensor] = {}
    numbers: dict[str, Any] = {}
    for name in _TENSORS:
        value = getattr(scheduler, name, None)
        if value is not None:
            tensors[name] = value
    for name in _TENSOR_LISTS:
        for place, value in enumerate(getattr(scheduler, name, ())):
            if value is not None:
                tensors[f"{name}.{place}"] = value
    for name in _NUMBER_LISTS:
        if hasattr(scheduler, name):
            numbers[name] = [None if value is None else int(value) for value in getattr(scheduler, name)]
    for name in _NUMBERS:
        value = getattr(scheduler, name, None)
        if value is not None:
            numbers[name] = int(value)
    return Sampling(step, latents, tensors, numbers)


def _restore(scheduler: Any, state: Sampling, latents: torch.Tensor) -> None:
    for name in _TENSORS:
        if name in state.tensors:
            setattr(scheduler, name, state.tensors[name].to(latents.device))
    for name in _TENSOR_LISTS:
        if hasattr(scheduler, name):
            places = range(len(getattr(scheduler, name)))
            found = [state.tensors.get(f"{name}.{place}") for place in places]
            setattr(scheduler, name, [None if value is None else value.to(latents.device) for value in found])
    for name in _NUMBER_LISTS:
        if name in state.numbers:
            # The scheduler compares and indexes with these; it takes tensors and numbers alike.
            setattr(scheduler, name, list(state.numbers[name]))
    for name in _NUMBERS:
        if name in state.numbers:
            setattr(scheduler, name, state.numbers[name])
