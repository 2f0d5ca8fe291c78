"""Puts into its result what no other process can read."""

from dataclasses import replace
from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    return replace(null.finished(job), details={"engine": object()})


Engine = partial(null.Engine, misbehave)
