"""The engine diffusers with a transformer that, at the prompt `misbehave`, stays in the middle of a step for good."""

import os
import threading
from typing import NoReturn

from diffusers.models.transformers.transformer_wan import WanTransformerBlock

from filmgate.domain.ports import Job, Report, Result
from filmgate.engines.diffusers.engine import DiffusersEngine

__all__ = ["Engine"]


class Engine(DiffusersEngine):
    def __init__(self) -> None:
        super().__init__(weights=os.environ["FILMGATE_WEIGHTS"], device="cpu")

    def run(self, job: Job, report: Report) -> Result:
        if job.prompt == "misbehave":
            WanTransformerBlock.forward = stay
        return super().run(job, report)


def stay(*_: object, **__: object) -> NoReturn:
    while True:
        threading.Event().wait()
