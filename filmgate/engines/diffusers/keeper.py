"""What a running job leaves outside: checkpoints every few steps, and moving previews."""

import time
from pathlib import Path

import torch

from filmgate.domain.ports import Report
from filmgate.engines.diffusers.checkpoint import Kept, read_checkpoint, write_checkpoint
from filmgate.engines.diffusers.glimpse import Glimpse
from filmgate.engines.diffusers.sampling import Sampling

__all__ = ["Keeper"]

_PREVIEW_EVERY_S = 2.0


class Keeper:
    """Keeps the state of one job and shows what is coming.

    `job` is the fingerprint of all that its frames depend on, `every` the number of steps between two checkpoints, 0
    for none. `found` is the checkpoint of an earlier attempt, if there was one.
    """

    FILE = "checkpoint.safetensors"

    def __init__(self, report: Report, scratch: Path, job: str, every: int, found: Path | None) -> None:
        self._report = report
        self._scratch = scratch
        self._job = job
        self._every = every
        kept = read_checkpoint(found, job)
        if found is not None and kept is None:
            report.log("The checkpoint of an earlier attempt was made with other weights or settings: starting anew.")
        self._kept = kept or Kept()
        self.resumed_segments = len(self._kept.done)
        self.resumed_steps = 0 if self._kept.sampling is None else self._kept.sampling.step
        """How much an earlier attempt did: whole segments, and steps of the next one."""
        self._shown_at = float("-inf")

    def finished(self, number: int) -> torch.Tensor | None:
        """The latents of segment `number`, if it is done."""
        return self._kept.done[number] if number < len(self._kept.done) else None

    def under_way(self, number: int) -> Sampling | None:
        """Where segment `number` was left."""
        return self._kept.sampling if number == len(self._kept.done) else None

    def after_step(self, sampling: Sampling, steps: int) -> None:
        """Keeps the state if it is due. What comes after the last step is kept by `after_segment`."""
        if self._every and sampling.step % self._every == 0 and sampling.step < steps:
            self._keep(Kept(self._kept.done, sampling))

    def after_segment(self, latents: torch.Tensor) -> None:
        self._keep(Kept((*self._kept.done, latents.cpu())))

    def show(self, glimpse: Glimpse, clean: torch.Tensor) -> None:
        """Shows what the latents promise, unless a preview was shown a moment ago."""
        if time.monotonic() - self._shown_at < _PREVIEW_EVERY_S:
            return
        path = self._scratch / "preview.webp"
        glimpse.write(clean, path)
        self._report.preview(path)
        self._shown_at = time.monotonic()

    def _keep(self, kept: Kept) -> None:
        self._kept = kept
        if self._every:
            path = self._scratch / self.FILE
            write_checkpoint(path, self._job, kept)
            self._report.checkpoint(path)
