"""Finds no space on the device."""

import errno
from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


Engine = partial(null.Engine, misbehave)
