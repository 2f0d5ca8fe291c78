"""Says why it cannot."""

from functools import partial

from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Job, Report
from tests.engines import null


def misbehave(job: Job, report: Report) -> None:
    report.log("looked at the prompt")
    raise EngineFailure("The prompt asks for nothing.", code="prompt_empty", retryable=True)


Engine = partial(null.Engine, misbehave)
