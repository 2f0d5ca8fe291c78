"""BentoML's task endpoint: submit, status and result of a long job, kept in a database of its own."""

import os
from pathlib import Path
from typing import Any

import bentoml

from bench.peers import null_job

FOLDER = Path(os.environ["BENCH_FOLDER"])


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, traffic={"timeout": 60})
class NullTask:
    @bentoml.task
    def run(self, prompt: str, size: str, seed: int) -> dict[str, Any]:  # noqa: ARG002  the wire's names
        return null_job.run(FOLDER)
