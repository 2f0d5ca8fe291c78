"""How a job is sampled: steps, guidance and shift, from the request, the weights and the speed profile."""

from collections.abc import Iterator
from dataclasses import dataclass

from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Job
from filmgate.engines.diffusers.catalog import WeightSet
from filmgate.engines.diffusers.profiles import Profile
from filmgate.engines.diffusers.recipes import Recipe

__all__ = ["Schedule", "schedule_for"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """`guidance` is one scale per transformer, 1 for no guidance; `shift` is the sampler's flow shift.

    `warnings` name the inputs that have no effect with it.
    """

    steps: int
    guidance: tuple[float, ...]
    shift: float
    warnings: tuple[str, ...] = ()


def schedule_for(job: Job, weights: WeightSet, profile: Profile, area_px: int, recipe: Recipe | None) -> Schedule:
    """The schedule for frames of this area; a template's recipe brings its own guidance and shift.

    Raises EngineFailure (`profile_unsupported`) where the profile needs a distilled adapter that the weights lack.
    """
    if not profile.distilled:
        steps = job.steps or int(job.options.get("steps", weights.steps))
        if recipe is not None:
            return Schedule(steps, (recipe.guidance,) * len(weights.guidance), recipe.shift)
        return Schedule(steps, weights.guidance, weights.shift(area_px))
    distilled = weights.distilled
    if distilled is None:
        raise EngineFailure(
            f"The profile {profile.name} needs a distilled adapter, and none is known for {weights.title}; "
            "set profile to exact or balanced for the worker that serves this model.",
            code="profile_unsupported",
        )
    unguided = (1.0,) * len(weights.guidance)
    return Schedule(job.steps or distilled.steps, unguided, distilled.shift, tuple(_inert(job, profile)))


def _inert(job: Job, profile: Profile) -> Iterator[str]:
    if job.negative_prompt.strip():
        yield f"The negative prompt had no effect: the profile {profile.name} samples without guidance."
