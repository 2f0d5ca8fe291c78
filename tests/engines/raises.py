"""Raises what no engine should."""

from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    raise KeyError("the prompt of a stranger")


Engine = partial(null.Engine, misbehave)
