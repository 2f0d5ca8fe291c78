"""Does nothing, at once, and well: the smallest file that begins like what it claims."""

from collections.abc import Callable
from typing import cast

from filmgate.domain.ports import Capabilities, Estimate, Job, Report, Result
from filmgate.domain.sizes import ImageTarget

MP4 = bytes.fromhex("00000018") + b"ftypisom" + bytes.fromhex("00000200") + b"isommp41"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


def finished(job: Job) -> Result:
    """The result of an engine that has nothing to add."""
    image = isinstance(job.target, ImageTarget)
    path = job.scratch / ("image.png" if image else "video.mp4")
    path.write_bytes(PNG if image else MP4)
    return Result(files=(path,), seed=job.seed, actual_prompt=job.prompt)


class Engine:
    """`misbehave` takes the place of the job wherever the prompt is that word."""

    def __init__(self, misbehave: Callable[[Job, Report], Result | None] | None = None) -> None:
        self._misbehave = misbehave

    def capabilities(self) -> Capabilities:
        return Capabilities(engine="test", version="1", device="none", memory_bytes=0)

    def estimate(self, job: Job) -> Estimate:
        return Estimate(seconds=0.001 * len(job.images), memory_bytes=0)

    def run(self, job: Job, report: Report) -> Result:
        if self._misbehave is not None and job.prompt == "misbehave":
            return cast("Result", self._misbehave(job, report))
        return finished(job)
