"""Films one clip: scene and plan in, finished file out, frame by frame."""

from dataclasses import dataclass
from pathlib import Path

from filmgate.domain.ports import Report
from filmgate.domain.sizes import VideoTarget
from filmgate.encoding.clip import ClipFormat, ClipWriter
from filmgate.encoding.sound import Sound
from filmgate.engines.preview.direction import direct
from filmgate.engines.preview.pixels import Plane
from filmgate.engines.preview.plan import Plan
from filmgate.engines.preview.render import Look, Renderer
from filmgate.engines.preview.scene import Scene
from filmgate.engines.preview.sound.envelope import Pulse
from filmgate.engines.preview.templates.effect import Effect, with_subject
from filmgate.engines.preview.templates.recipe import Recipe

__all__ = ["ENCODED", "Clip", "film"]

ANALYSED, RENDERED, ENCODED = 0.2, 0.97, 1.0
"""Progress at the end of each stage."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What is to be filmed.

    `motion_rate` is the rate at which frames are thought to follow each other: where the playback rate is free, the
    same seed shows the same frames at any of them. `pulse` is that of a given sound, which the motion follows;
    `lips` is how far open a mouth that talks is at each frame, 0 to 1. `recipe` is that of a chosen template.
    """

    target: VideoTarget
    motion_rate: int
    plan: Plan
    seed: int
    sound: Sound | None
    comment: str
    pulse: Pulse | None = None
    lips: Plane | None = None
    recipe: Recipe | None = None


def film(scene: Scene, clip: Clip, path: Path, report: Report, *, threads: int) -> None:
    """Draw and encode all frames to `path`. Whatever ends it early leaves no file."""
    target, plan = clip.target, clip.plan
    effect = None
    if clip.recipe is not None:
        scene = with_subject(scene)
        effect = Effect(scene, clip.recipe, seed=clip.seed, duration_s=target.frames / clip.motion_rate)
    direction = direct(scene, plan, frames=target.frames, rate=clip.motion_rate, seed=clip.seed, pulse=clip.pulse)
    look = Look(plan.grain, plan.sharpen, plan.breathing and scene.may_breathe)
    renderer = Renderer(scene, look, clip.seed, effect)
    file_format = ClipFormat(target.width, target.height, target.frame_rate, clip.comment)
    with ClipWriter(path, file_format, clip.sound, threads=threads) as writer:
        for index in range(target.frames):
            report.stop_if_cancelled()
            glow = float(clip.pulse.glow[index]) if clip.pulse is not None else 0.0
            lips = float(clip.lips[index]) if clip.lips is not None else 0.0
            writer.write(renderer.frame(direction.pose(index), index / clip.motion_rate, glow=glow, lips=lips))
            share = (index + 1) / target.frames
            report.progress(ANALYSED + (RENDERED - ANALYSED) * share, "rendering")
        report.progress(RENDERED, "encoding")
    report.progress(ENCODED, "encoding")
