"""Starts a process of its own, then dies and leaves it."""

import os
import signal
import subprocess
from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    sleeper = subprocess.Popen(["sleep", "60"])
    report.log(str(sleeper.pid))
    os.kill(os.getpid(), signal.SIGKILL)


Engine = partial(null.Engine, misbehave)
