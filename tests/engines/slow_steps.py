"""Takes its time, step by step, and stops when told."""

import time
from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    for step in range(200):
        report.progress(step / 200, "rendering")
        report.log(f"step {step}")
        report.stop_if_cancelled()
        time.sleep(0.01)
    return null.finished(job)


Engine = partial(null.Engine, misbehave)
