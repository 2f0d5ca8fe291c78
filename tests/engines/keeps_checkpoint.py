"""Keeps a checkpoint and dies; the next attempt says what it found and ends well."""

import os
from dataclasses import replace
from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    if job.checkpoint is not None:
        return replace(null.finished(job), details={"found": job.checkpoint.read_text()})
    path = job.scratch / "state"
    for steps in (5, 10):
        path.write_text(f"{steps} steps")
        report.checkpoint(path)
    path.write_text("not kept any more")
    os._exit(3)


Engine = partial(null.Engine, misbehave)
