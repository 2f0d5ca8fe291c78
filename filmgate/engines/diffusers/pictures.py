"""Makes one picture from its references."""

from pathlib import Path

import torch

from filmgate.encoding.picture import read_picture, write_png
from filmgate.engines.diffusers.keeper import Keeper
from filmgate.engines.diffusers.qwen import Edit, QwenEditModel
from filmgate.engines.diffusers.resize import resized
from filmgate.engines.diffusers.sampling import Sampling
from filmgate.engines.diffusers.setup import Setup
from filmgate.engines.diffusers.watch import Watch

__all__ = ["PictureMaker"]

_ENCODING, _DENOISING, _DECODING, _WRITING = 0.06, 0.86, 0.06, 0.02


class PictureMaker:
    """Makes pictures with one model."""

    def __init__(self, setup: Setup, model: QwenEditModel, watch: Watch, keeper: Keeper) -> None:
        self._setup = setup
        self._model = model
        self._watch = watch
        self._keeper = keeper

    def make(self, comment: str) -> Path:
        """The finished picture in the job's scratch folder. Raises EngineFailure, RequestStopped."""
        edit, target = _edit(self._setup), self._setup.job.target
        path = self._setup.job.scratch / "image.png"
        latents = self._keeper.finished(0)
        if latents is None:
            latents = self._sampled(edit)
            self._keeper.after_segment(latents)
        with self._watch.stage("decoding", _DECODING):
            picture = self._model.decode(edit, latents, self._watch)
        with self._watch.stage("writing", _WRITING):
            (finished,) = resized([picture], target.width, target.height)
            write_png(path, finished, comment)
        return path

    def _sampled(self, edit: Edit) -> torch.Tensor:
        with self._watch.stage("encoding", _ENCODING):
            conditions = self._model.encode(edit)

        def after_step(state: Sampling, _clean: torch.Tensor) -> None:
            self._keeper.after_step(state, edit.steps)

        with self._watch.stage("denoising", _DENOISING):
            return self._model.denoise(
                edit, conditions, self._watch, after_step, self._keeper.under_way(0), self._setup.adapters
            )


def _edit(setup: Setup) -> Edit:
    job, (width, height) = setup.job, setup.size
    return Edit(
        prompt=setup.prompt,
        negative_prompt=job.negative_prompt,
        pictures=tuple(read_picture(path) for path in job.images),
        width=width,
        height=height,
        steps=setup.schedule.steps,
        guidance=setup.schedule.guidance[0],
        seed=job.seed,
    )
