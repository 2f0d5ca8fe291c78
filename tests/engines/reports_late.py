"""Keeps a thread that reports when the job is long over."""

import threading
import time
from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    def report_for_ever() -> None:
        while True:
            report.log("late")
            time.sleep(0.001)

    threading.Thread(target=report_for_ever, daemon=True).start()
    return null.finished(job)


Engine = partial(null.Engine, misbehave)
