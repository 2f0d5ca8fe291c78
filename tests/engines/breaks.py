"""Cannot go on, as when a device is in an error that only a new process gets rid of."""

from functools import partial

from filmgate.domain.errors import EngineBroken
from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    raise EngineBroken("The device does not answer any more.")


Engine = partial(null.Engine, misbehave)
