"""Which installed weights make a job, and what has to be said about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Job
from filmgate.domain.sizes import TIER_AREAS_PX, VideoTarget
from filmgate.engines.diffusers.catalog import Installed, installed

__all__ = ["Route", "choose_weights"]


@dataclass(frozen=True, slots=True)
class Route:
    """The weights for a job. `substitute` says why they are not the model that was asked for; empty if they are."""

    installed: Installed
    substitute: str = ""


def choose_weights(job: Job, weights: Path, *, substitutes: bool) -> Route:
    """The first of the manifest's sets for the job's tier that is in the folder `weights`.

    Raises EngineFailure: `substitute_forbidden` where only substitutes exist and the operator wants none,
    `weights_missing` or `weights_incomplete` naming what to get.
    """
    substitute = str(job.options.get("substitute", ""))
    if substitute and not substitutes:
        raise EngineFailure(
            f"{substitute}, and this server is set to make nothing with other weights in their place.",
            code="substitute_forbidden",
        )
    names = sets_for(job)
    present = next((name for name in names if (weights / name).is_dir()), names[0])
    return Route(installed(weights, present), substitute)


def sets_for(job: Job) -> Sequence[str]:
    """The names of the sets that the manifest gives for the job's tier, the preferred first."""
    by_tier = job.options["weights"]
    tier = tier_of(job.target) if isinstance(job.target, VideoTarget) else "*"
    names: Sequence[str] = by_tier.get(tier) or by_tier["*"]
    return names


def tier_of(target: VideoTarget) -> str:
    """The tier whose area is nearest to the target's: sides are multiples of 16, so it is never quite equal."""
    area = target.width * target.height
    return min(TIER_AREAS_PX, key=lambda tier: abs(log(area / TIER_AREAS_PX[tier])))
