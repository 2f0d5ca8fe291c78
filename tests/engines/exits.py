"""Leaves with a status of its own."""

import sys
from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    sys.exit(3)


Engine = partial(null.Engine, misbehave)
