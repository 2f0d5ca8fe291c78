"""Returns a result without files."""

from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    return Result(files=(), seed=job.seed, actual_prompt=job.prompt)


Engine = partial(null.Engine, misbehave)
