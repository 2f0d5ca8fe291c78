"""Progress, cancellation and timing of one job, down to the single blocks of a model.

A job is a row of stages, each with its share of the whole. Inside a stage hooks on a model's blocks tick: each tick
says how far the stage is and stops the job if its caller said so, which is some fifty times as often as the steps of a
sampler. Python runs ahead of a GPU: there a tick waits until the device is at most `_AHEAD` ticks behind, so that a
stopped job leaves it idle at once and progress is what was done, not what was asked for.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from filmgate.domain.ports import Report

__all__ = ["Watch"]

_AHEAD = 2
_SIGN_OF_LIFE_S = 5.0


class Watch:
    """Watches one job.

    `timings` are the seconds that each stage took, summed by name; `loaded_parts` is how many parts of models came
    from disk meanwhile.
    """

    def __init__(self, report: Report, device: torch.device) -> None:
        self._report = report
        self._device = device
        self._done = 0.0
        self._share = 0.0
        self._stage = "preparing"
        self._behind: deque[torch.cuda.Event] = deque()
        self.timings: dict[str, float] = {}
        self.loaded_parts = 0

    @property
    def report(self) -> Report:
        return self._report

    @contextmanager
    def stage(self, name: str, share: float) -> Iterator[None]:
        """A stage that is `share` of the whole job. Stages may not be nested."""
        self._stage, self._share = name, share
        self.tick(0.0)
        started = time.monotonic()
        yield
        self._catch_up()
        self.timings[name] = self.timings.get(name, 0.0) + time.monotonic() - started
        self._done += share
        self._share = 0.0

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Says every few seconds that weights are being loaded, which may take minutes and knows no steps."""
        over = threading.Event()

        def say_so() -> None:
            while not over.wait(_SIGN_OF_LIFE_S):
                self._report.progress(min(self._done, 1.0), "loading")

        teller = threading.Thread(target=say_so, name="loading", daemon=True)
        self._report.progress(min(self._done, 1.0), "loading")
        teller.start()
        try:
            yield
            self.loaded_parts += 1
        finally:
            over.set()
            teller.join()

    def tick(self, done: float) -> None:
        """`done` is how much of the stage is over, 0 to 1. Raises RequestStopped when the job was told to stop."""
        self._report.stop_if_cancelled()
        self._report.progress(min(self._done + self._share * min(done, 1.0), 1.0), self._stage)

    @contextmanager
    def inside(self, modules: Iterable[nn.Module], calls: int, *, before: int = 0) -> Iterator[None]:
        """Ticks before every call of one of `modules`; `calls` of them make the stage, `before` were made earlier."""
        count = before

        def pass_by(_module: nn.Module, _inputs: object) -> None:
            nonlocal count
            self._keep_pace()
            self.tick(count / calls)
            count += 1

        with ExitStack() as hooks:
            for module in modules:
                hooks.callback(module.register_forward_pre_hook(pass_by).remove)
            yield

    def _keep_pace(self) -> None:
        if self._device.type != "cuda":
            return
        event = torch.cuda.Event()
        event.record()
        self._behind.append(event)
        if len(self._behind) > _AHEAD:
            self._behind.popleft().synchronize()

    def _catch_up(self) -> None:
        self._behind.clear()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
