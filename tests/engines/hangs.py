"""Falls silent inside native code that holds the interpreter's lock."""

import re
from functools import partial

from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    re.match("(a+)+$", "a" * 60 + "b")


Engine = partial(null.Engine, misbehave)
