"""Sentences about inputs that have no effect on the open weights, or less than their documentation says."""

from collections.abc import Iterator

from filmgate.domain.ports import Job
from filmgate.domain.sizes import VideoTarget

__all__ = ["input_shortfalls"]


def input_shortfalls(job: Job) -> Iterator[str]:
    """One sentence for each input of this job that does nothing here, or less than it should."""
    if job.extend:
        yield "The prompt was used as it is: this engine has no language model to rewrite it."
    if job.screen:
        yield "The safety check was asked for, but this engine has none: nothing was screened."
    if job.sound and job.audio is None:
        yield "These weights make no sound: the clip has a silent audio track."
    if job.sound and job.audio is not None:
        yield "The given sound plays in the clip, but the motion does not follow it."
    if len(job.images) > 1 and isinstance(job.target, VideoTarget):
        yield "Only the first picture was used."
