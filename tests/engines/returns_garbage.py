"""Returns a web page that is called a video."""

from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    path = job.scratch / "video.mp4"
    path.write_text("<html></html>")
    return Result(files=(path,), seed=job.seed, actual_prompt=job.prompt)


Engine = partial(null.Engine, misbehave)
