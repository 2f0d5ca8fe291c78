"""Reports far more than anybody reads, backwards too."""

from functools import partial

from filmgate.domain.ports import Job, Report, Result
from tests.engines import null


def misbehave(job: Job, report: Report) -> Result:
    for step in range(5000):
        report.progress(1 - step / 5000, "rendering")
        report.log(f"line {step}")
    report.progress(float("nan"), "\udcff")
    return null.finished(job)


Engine = partial(null.Engine, misbehave)
