"""What is decided about a job before any model is touched: weights, adapters, words, size and schedule.

So whatever cannot be done is refused at once, and the same decisions make the estimate, the fingerprint of checkpoints
and what the result says of how it was made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from filmgate.domain.ports import Job
from filmgate.domain.sizes import Target, VideoTarget
from filmgate.engines.diffusers.adapters import Adapter
from filmgate.engines.diffusers.catalog import LORAS, Installed, installed
from filmgate.engines.diffusers.loras import ApprovedLora, lora_named
from filmgate.engines.diffusers.options import Options
from filmgate.engines.diffusers.plan import ClipPlan, plan_clip
from filmgate.engines.diffusers.profiles import Profile
from filmgate.engines.diffusers.recipes import Recipe, recipe_for
from filmgate.engines.diffusers.route import Route, choose_weights
from filmgate.engines.diffusers.schedule import Schedule, schedule_for
from filmgate.engines.diffusers.shortfalls import input_shortfalls
from filmgate.engines.diffusers.size import render_size

__all__ = ["Setup", "set_up"]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a job is made. `size` is the width and height at which the model works, `prompt` what it is told.

    `plan` is None for a picture. `warnings` are all that can be said before the work.
    """

    job: Job
    profile: Profile
    installed: Installed
    size: tuple[int, int]
    schedule: Schedule
    prompt: str
    adapters: tuple[Adapter, ...]
    plan: ClipPlan | None
    warnings: tuple[str, ...]

    @property
    def served_by(self) -> str:
        """The weights by the name under which they were published, and how they are stored here."""
        return f"{self.installed.weights.repository} ({self.installed.format})"

    def facts(self) -> Mapping[str, Any]:
        """Plain facts on which the outcome depends, for the result's details."""
        width, height = self.size
        facts: dict[str, Any] = {
            "weights": self.installed.weights.name,
            "format": self.installed.format,
            "profile": self.profile.name,
            "steps": self.schedule.steps,
            "guidance": list(self.schedule.guidance),
            "shift": self.schedule.shift,
            "rendered": f"{width}x{height}",
            "adapters": [f"{adapter.name}:{adapter.strength:g}" for adapter in self.adapters],
        }
        if self.plan is not None:
            facts["segments"] = [segment.frames for segment in self.plan.segments]
            facts["cuts"] = list(self.plan.cuts)
        return facts


def set_up(job: Job, options: Options, profile: Profile, approved: Mapping[str, ApprovedLora]) -> Setup:
    """Everything about a job that needs no model. Raises EngineFailure with the sentence for what cannot be done."""
    target = job.target
    recipe = recipe_for(job.template, options.weights / LORAS) if job.template else None
    route = _route(job, options, recipe)
    found = route.installed
    named = [(lora, lora_named(approved, lora, found.weights.name)) for lora in job.loras]
    prompt = job.prompt if recipe is None else recipe.prompt
    for _, pack in named:
        prompt = pack.called(prompt)
    schedule = schedule_for(job, found.weights, profile, target.width * target.height, recipe)
    plan = _plan(job, target, found, prompt) if isinstance(target, VideoTarget) else None
    size = render_size(target.width, target.height, found.weights.max_area_px, found.weights.size_multiple)
    adapters = [Adapter(lora.name, pack.files, lora.strength) for lora, pack in named]
    if recipe is not None:
        adapters.insert(0, Adapter(recipe.template, (options.weights / LORAS / recipe.file,), recipe.strength))
    return Setup(
        job=job,
        profile=profile,
        installed=found,
        size=size,
        schedule=schedule,
        prompt=prompt,
        adapters=tuple(adapters),
        plan=plan,
        warnings=(
            *_made_with(route, target, size),
            *schedule.warnings,
            *input_shortfalls(job),
            *(plan.warnings if plan else ()),
        ),
    )


def _route(job: Job, options: Options, recipe: Recipe | None) -> Route:
    if recipe is None:
        return choose_weights(job, options.weights, substitutes=options.substitutes)
    # A template is an adapter, and an adapter fits only the weights for which it was made.
    found = installed(options.weights, recipe.weights)
    return Route(found, f"The template {job.template} exists for these weights only")


def _plan(job: Job, target: VideoTarget, found: Installed, prompt: str) -> ClipPlan:
    return plan_clip(
        target,
        found.weights.frame_rate,
        found.weights.segment_frames,
        prompt=prompt,
        seed=job.seed,
        # A template is one effect on one picture, whatever its caller wrote beside it.
        shot_type="single" if job.template else job.shot_type,
        extend=job.extend,
        motion_frame_rate=job.options.get("motion_frame_rate"),
    )


def _made_with(route: Route, target: Target, size: tuple[int, int]) -> Iterator[str]:
    if route.substitute:
        yield f"{route.substitute}: this was made with {route.installed.weights.title}."
    width, height = size
    if (width, height) != (target.width, target.height):
        yield f"The model worked at {width}×{height}; its frames were resized to {target.width}×{target.height}."
