"""Loads for longer than any silence is borne, and says so."""

import time
from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    for _ in range(15):
        report.progress(0.0, "loading")
        time.sleep(0.1)
    return null.finished(job)


Engine = partial(null.Engine, misbehave)
