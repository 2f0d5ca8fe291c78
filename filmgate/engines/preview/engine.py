"""The preview engine as the rest of Filmgate sees it: a job in, a finished clip or picture out.

from filmgate.engines.preview.engine import PreviewEngine
result = PreviewEngine().run(job, report)
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from filmgate import __version__
from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Capabilities, Estimate, Job, Report, Result
from filmgate.domain.sizes import ImageTarget, VideoTarget
from filmgate.encoding.picture import read_picture, write_png
from filmgate.encoding.provenance import provenance
from filmgate.engines.preview.clip import ANALYSED, ENCODED, RENDERED, Clip, film
from filmgate.engines.preview.compose import compose
from filmgate.engines.preview.mouth import find_mouth
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.plan import Plan, plan_prompt
from filmgate.engines.preview.scene import Scene
from filmgate.engines.preview.scenes import Scenes
from filmgate.engines.preview.shortfalls import shortfalls, template_shortfalls
from filmgate.engines.preview.sound.voice import Voice, voice_installed
from filmgate.engines.preview.soundtrack import Soundtrack, soundtrack
from filmgate.engines.preview.templates.effect import stage_plan
from filmgate.engines.preview.templates.recipe import Recipe
from filmgate.engines.preview.templates.registry import TEMPLATES
from filmgate.engines.preview.weights import FOLDER

__all__ = ["PreviewEngine"]

NAME = "preview"
ANALYSIS_S = 2.5
PIXELS_PER_S = 30e6
"""Drawn and encoded on two CPU threads. These figures are measured by bench/preview.py."""
BASE_BYTES = 1_010_000_000
BYTES_PER_PIXEL = 165
MOST_THREADS = 4
SOUND = "where none is given it is made from the prompt's words: ambience and simple music; spoken lines are not voiced"
SPOKEN_SOUND = "where none is given it is made from the prompt's words: ambience, simple music, spoken English lines"


class PreviewEngine:
    """Makes previews on the CPU: 2.5D camera moves over one picture, and collages of pictures.

    Raises WeightsInvalid when a weight file is absent or altered. `threads` is how many CPU threads it may use (0: all,
    up to four). One job at a time.
    """

    def __init__(self, *, threads: int = 0, weights: Path = FOLDER) -> None:
        self._threads = threads or min(MOST_THREADS, os.cpu_count() or 1)
        self._nets = Nets(threads=self._threads, folder=weights)
        self._scenes = Scenes(self._nets)
        self._voice = Voice() if voice_installed() else None

    def capabilities(self) -> Capabilities:
        return Capabilities(
            engine=NAME,
            version=__version__,
            device="cpu",
            memory_bytes=estimated_bytes(1920 * 1080),
            notes={
                "prompt": "camera moves, speeds, shots, framing and sounds; nothing new appears and nobody walks",
                "negative_prompt": "takes away camera moves, hand-held motion, grain and sounds that it names",
                "extend": "adds gentle motion where the prompt names none; the prompt is not rewritten",
                "audio": "plays in the clip; camera and light follow it, and the mouth of somebody who talks",
                "sound": SPOKEN_SOUND if self._voice is not None else SOUND,
                "template": "all names, as motion of the cut-out subject and drawn things; the prompt is ignored",
                "steps": "no effect",
                "screen": "no effect: nothing is screened",
            },
        )

    def estimate(self, job: Job) -> Estimate:
        pixels = job.target.width * job.target.height
        frames = job.target.frames if isinstance(job.target, VideoTarget) else 1
        return Estimate(ANALYSIS_S + frames * pixels / PIXELS_PER_S, estimated_bytes(pixels))

    def run(self, job: Job, report: Report) -> Result:
        """Make the job's file in its scratch folder. Raises EngineFailure with a sentence, or RequestStopped."""
        if not job.images:
            raise EngineFailure(
                "The preview engine needs an input picture; this request has none.", code="input_missing"
            )
        match job.target:
            case VideoTarget():
                return self._make_clip(job, job.target, report)
            case ImageTarget():
                return self._make_picture(job, job.target, report)
        assert_never(job.target)

    def _make_clip(self, job: Job, target: VideoTarget, report: Report) -> Result:
        started = time.monotonic()
        recipe = recipe_of(job)
        step_done = steps(report, ANALYSED)
        step_done(0.0)
        motion_rate = int(job.options.get("motion_frame_rate", target.frame_rate))
        plan = planned(job, recipe, target.frames / motion_rate)
        track = soundtrack(job, target, plan, self._voice)
        scene, known = self._scenes.scene(job.images[0], target.width, target.height, step_done)
        step_done(1.0)
        analysed = time.monotonic()
        path = job.scratch / "clip.mp4"
        clip = Clip(
            target,
            motion_rate,
            plan,
            job.seed,
            track.sound,
            provenance(job, self.capabilities()),
            pulse=track.pulse,
            lips=track.lips,
            recipe=recipe,
        )
        film(scene, clip, path, report, threads=self._threads)
        return Result(
            files=(path,),
            seed=job.seed,
            actual_prompt=job.prompt,
            warnings=(
                *shortfalls(job),
                *(template_shortfalls(job.template, recipe, scene) if recipe is not None else ()),
                *track.warnings,
            ),
            metrics={"analysing_s": analysed - started, "rendering_s": time.monotonic() - analysed},
            details={
                **described(plan),
                **({"template": {"name": job.template, "subject": recipe.made}} if recipe is not None else {}),
                **({"sound": described_sound(track, scene)} if job.sound else {}),
                "subject_found": scene.subject is not None,
                "faces": len(scene.faces),
                "scene_was_known": known,
            },
        )

    def _make_picture(self, job: Job, target: ImageTarget, report: Report) -> Result:
        started = time.monotonic()
        step_done = steps(report, RENDERED, stage="rendering")
        step_done(0.0)
        composition = compose(
            [read_picture(path) for path in job.images],
            job.prompt,
            negative_prompt=job.negative_prompt,
            width=target.width,
            height=target.height,
            seed=job.seed,
            extend=job.extend is not False,
            nets=self._nets,
            progress=step_done,
        )
        path = job.scratch / "image.png"
        report.progress(RENDERED, "encoding")
        write_png(path, composition.image, provenance(job, self.capabilities()))
        report.progress(ENCODED, "encoding")
        return Result(
            files=(path,),
            seed=job.seed,
            actual_prompt=job.prompt,
            warnings=(*shortfalls(job), *composition.warnings),
            metrics={"rendering_s": time.monotonic() - started},
            details={"applied": list(composition.applied), "ignored": list(composition.ignored)},
        )


def recipe_of(job: Job) -> Recipe | None:
    """The template's recipe, None where none was chosen. Raises EngineFailure for a name that is not known."""
    if not job.template:
        return None
    if job.template not in TEMPLATES:
        raise EngineFailure(
            f'The preview engine has no template "{job.template}". It has {", ".join(TEMPLATES)}.',
            code="template_unsupported",
        )
    return TEMPLATES[job.template]


def planned(job: Job, recipe: Recipe | None, duration_s: float) -> Plan:
    """The template's own plan, whatever the prompt says, else the prompt's."""
    if recipe is not None:
        return stage_plan(recipe, duration_s)
    return plan_prompt(
        job.prompt,
        negative_prompt=job.negative_prompt,
        duration_s=duration_s,
        shot_type=job.shot_type,
        extend=job.extend is not False,
        seed=job.seed,
    )


def steps(report: Report, until: float, *, stage: str = "analysing") -> Callable[[float], None]:
    """Between steps: stop if the request was cancelled, else report how far the stage is."""

    def step_done(share: float) -> None:
        report.stop_if_cancelled()
        report.progress(until * share, stage)

    return step_done


def described_sound(track: Soundtrack, scene: Scene) -> dict[str, object]:
    return {**track.details, "lips_move": track.lips is not None and find_mouth(scene) is not None}


def described(plan: Plan) -> dict[str, object]:
    return {
        "applied": list(plan.applied),
        "ignored": list(plan.ignored),
        "shots": [
            {
                "start_s": shot.start_s,
                "end_s": shot.end_s,
                "moves": [{"kind": move.kind, "strength": move.strength} for move in shot.moves],
                "framing": shot.framing,
            }
            for shot in plan.shots
        ],
    }


def estimated_bytes(pixels: int) -> int:
    return BASE_BYTES + BYTES_PER_PIXEL * pixels
