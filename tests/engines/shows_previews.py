"""Shows one preview, far too many after it, and then another one; afterwards it waits to be stopped."""

import time
from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null

EARLY = bytes.fromhex("524946461e000000574542505650384c110000002f0000000007508f22d7a3ff8188e87f0000")
LATE = bytes.fromhex("524946461e000000574542505650384c110000002f0000000007508f7a14b9ff8188e87f0000")
"""One red pixel, and one blue pixel."""


def misbehave(job: Job, report: Report) -> None:
    path = job.scratch / "coming.webp"
    shown_at = time.monotonic()
    path.write_bytes(EARLY)
    report.preview(path)
    path.write_bytes(LATE)
    while True:
        report.preview(path)
        report.progress(min(0.1 * (time.monotonic() - shown_at), 1.0), "rendering")
        report.stop_if_cancelled()
        time.sleep(0.01)


Engine = partial(null.Engine, misbehave)
