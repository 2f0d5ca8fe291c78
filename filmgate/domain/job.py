"""From a claimed request to what an engine is given, and to what its outputs cost."""

from collections.abc import Sequence
from pathlib import Path

from filmgate.domain.manifest import Manifest
from filmgate.domain.media import ImageFacts
from filmgate.domain.ports import Job, Lora
from filmgate.domain.records import Lease
from filmgate.domain.sizes import ImageTarget, Target, VideoTarget, image_size, video_size

__all__ = ["cost_microdollars", "job_for"]


def job_for(
    manifest: Manifest, lease: Lease, files: Sequence[Path], scratch: Path, engine: str, checkpoint: Path | None = None
) -> Job:
    """The job of a lease; `files` are the local clean copies in the order of `lease.media`."""
    values = lease.values
    named = list(zip((value.name for value in lease.media), files, strict=True))
    audio = [path for name, path in named if name == manifest.roles.get("audio")]
    wants_sound = "audio" in manifest.roles and bool(manifest.value("sound", values, True))
    return Job(
        request_id=lease.request_id,
        model_id=manifest.id,
        prompt=manifest.value("prompt", values, ""),
        negative_prompt=manifest.value("negative_prompt", values, ""),
        images=tuple(path for name, path in named if name == manifest.roles["images"]),
        audio=audio[0] if audio and wants_sound else None,
        sound=wants_sound,
        target=_target(manifest, lease),
        seed=lease.seed,
        scratch=scratch,
        extend=manifest.value("extend", values),
        template=manifest.value("template", values, ""),
        shot_type=manifest.value("shot_type", values),
        steps=manifest.value("steps", values),
        screen=manifest.value("screen", values),
        loras=tuple(Lora(one["name"], float(one.get("strength", 1.0))) for one in manifest.value("loras", values, ())),
        checkpoint=checkpoint,
        inputs=values,
        options=manifest.engines[engine],
    )


def cost_microdollars(manifest: Manifest, job: Job) -> int:
    """What the outputs of a job cost, in millionths of a US dollar."""
    units = job.target.duration_s if isinstance(job.target, VideoTarget) else 1
    return round(manifest.pricing.base_price_usd * 1_000_000 * units)


def _target(manifest: Manifest, lease: Lease) -> Target:
    values = lease.values
    if manifest.category == "image-to-image":
        return ImageTarget(*image_size(manifest.value("image_size", values)))
    picture = next(value.blob for value in lease.media if value.name == manifest.roles["images"])
    if picture is None or not isinstance(picture.facts, ImageFacts):
        raise TypeError(f"request {lease.request_id} was claimed before its picture was frozen")
    width, height = video_size(picture.facts.width_px, picture.facts.height_px, manifest.value("tier", values))
    frame_rate = manifest.value("frame_rate", values, manifest.frame_rate)
    frames = manifest.value("frames", values) or manifest.value("duration", values) * frame_rate
    return VideoTarget(width, height, frames, frame_rate)
