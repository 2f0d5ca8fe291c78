"""Returns the name of a file that it never wrote."""

from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    return Result(files=(job.scratch / "video.mp4",), seed=job.seed, actual_prompt=job.prompt)


Engine = partial(null.Engine, misbehave)
