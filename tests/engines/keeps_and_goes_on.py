"""Keeps a checkpoint before every step, and stops when told."""

from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    path = job.scratch / "state"
    path.write_text("some steps")
    while True:
        report.progress(0.5, "rendering")
        report.checkpoint(path)
        report.stop_if_cancelled()


Engine = partial(null.Engine, misbehave)
