"""Copies its process, then dies; the copy keeps every descriptor open."""

import os
import signal
import time
from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    if os.fork() == 0:
        time.sleep(60)
    os.kill(os.getpid(), signal.SIGKILL)


Engine = partial(null.Engine, misbehave)
