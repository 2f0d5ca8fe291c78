"""Works on, whatever it is told."""

import time
from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    while True:
        report.progress(0.5, "rendering")
        time.sleep(0.01)


Engine = partial(null.Engine, misbehave)
