"""Returns a video that is not in its folder."""

from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    path = job.scratch.parent / "video.mp4"
    path.write_bytes(null.MP4)
    return Result(files=(path,), seed=job.seed, actual_prompt=job.prompt)


Engine = partial(null.Engine, misbehave)
