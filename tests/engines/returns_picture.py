"""Returns a picture where a video is wanted."""

from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    path = job.scratch / "image.png"
    path.write_bytes(null.PNG)
    return Result(files=(path,), seed=job.seed, actual_prompt=job.prompt)


Engine = partial(null.Engine, misbehave)
