"""Makes one clip: segment after segment is sampled, decoded, re-timed, resized and written as it comes."""

from collections.abc import Iterator
from pathlib import Path

import torch

from filmgate.domain.sizes import VideoTarget
from filmgate.encoding.clip import ClipFormat, ClipWriter
from filmgate.encoding.picture import Picture, read_picture, scale_picture
from filmgate.encoding.sound import Sound, clip_sound, silence
from filmgate.engines.diffusers.glimpse import Glimpse
from filmgate.engines.diffusers.keeper import Keeper
from filmgate.engines.diffusers.plan import ClipPlan, PlannedSegment
from filmgate.engines.diffusers.resize import resized
from filmgate.engines.diffusers.retime import Interpolation, retimed
from filmgate.engines.diffusers.sampling import Sampling
from filmgate.engines.diffusers.setup import Setup
from filmgate.engines.diffusers.wan import TEXT_TOKENS, Segment, WanModel
from filmgate.engines.diffusers.watch import Watch

__all__ = ["ClipMaker"]

_ENCODING, _DENOISING, _DECODING, _WRITING = 0.04, 0.76, 0.15, 0.05
"""How a segment's time is divided, about, so that the progress of a clip is even."""
_ENCODER_THREADS = 4


class ClipMaker:
    """Makes one clip with one model."""

    def __init__(
        self, setup: Setup, target: VideoTarget, plan: ClipPlan, model: WanModel, watch: Watch, keeper: Keeper
    ) -> None:
        self._setup = setup
        self._target = target
        self._plan = plan
        self._model = model
        self._watch = watch
        self._keeper = keeper
        self._given = read_picture(setup.job.images[0])
        self._part = 1 / len(plan.segments)

    def make(self, comment: str, interpolation: Interpolation) -> Path:
        """The finished clip in the job's scratch folder. Raises EngineFailure, RequestStopped."""
        target = self._target
        path = self._setup.job.scratch / "clip.mp4"
        clip_format = ClipFormat(target.width, target.height, target.frame_rate, comment)
        start = scaled = scale_picture(self._given, *self._setup.size)
        with ClipWriter(path, clip_format, self._sound(), threads=_ENCODER_THREADS) as writer:
            for number, segment in enumerate(self._plan.segments):
                begun = start if segment.starts_from == "previous" else scaled
                frames = self._frames(number, segment, begun)
                # A VAE changes what it encodes a little: the frame that was given stands for itself.
                frames[0] = begun
                start = frames[-1]
                with self._watch.stage("writing", _WRITING * self._part):
                    for place, frame in enumerate(self._finished(segment, frames, interpolation)):
                        self._watch.tick(place / (segment.end - segment.first))
                        writer.write(frame)
        return path

    def warnings(self) -> Iterator[str]:
        """What of the texts the model does not read."""
        texts = {"prompt": [segment.prompt for segment in self._plan.segments]}
        if self._setup.schedule.guidance[0] > 1:
            texts["negative prompt"] = [self._setup.job.negative_prompt]
        for name, told in texts.items():
            if not all(self._model.reads_all(text) for text in told):
                yield f"The {name} is longer than the {TEXT_TOKENS} tokens that the model reads: its end had no effect."

    def _sound(self) -> Sound | None:
        job, duration_s = self._setup.job, self._target.duration_s
        if not job.sound:
            return None
        return silence(duration_s) if job.audio is None else clip_sound(job.audio, duration_s)

    def _frames(self, number: int, planned: PlannedSegment, start: Picture) -> Picture:
        """The frames of a segment as the model makes them: frames × height × width × 3."""
        latents = self._keeper.finished(number)
        if latents is None:
            latents = self._sampled(number, planned, start)
            self._keeper.after_segment(latents)
        with self._watch.stage("decoding", _DECODING * self._part):
            return self._model.decode(latents, self._watch)

    def _sampled(self, number: int, planned: PlannedSegment, start: Picture) -> torch.Tensor:
        schedule = self._setup.schedule
        segment = Segment(
            prompt=planned.prompt,
            negative_prompt=self._setup.job.negative_prompt,
            picture=start,
            frames=planned.frames,
            steps=schedule.steps,
            guidance=schedule.guidance,
            shift=schedule.shift,
            seed=planned.seed,
        )
        with self._watch.stage("encoding", _ENCODING * self._part):
            conditions = self._model.encode(segment, self._watch)
            glimpse = Glimpse(conditions.picture_latents, start)

        def after_step(state: Sampling, clean: torch.Tensor) -> None:
            self._keeper.after_step(state, schedule.steps)
            self._keeper.show(glimpse, clean)

        with self._watch.stage("denoising", _DENOISING * self._part):
            return self._model.denoise(
                segment, conditions, self._watch, after_step, self._keeper.under_way(number), self._setup.adapters
            )

    def _finished(self, planned: PlannedSegment, frames: Picture, interpolation: Interpolation) -> Iterator[Picture]:
        """The output frames that a segment feeds, at their final size."""
        target = self._target
        shown = resized(retimed(frames, planned.positions, interpolation), target.width, target.height)
        if planned.starts_from == "input" and planned.start == 0:
            # A shot begins with the picture in all its detail.
            next(shown)
            yield scale_picture(self._given, target.width, target.height)
        yield from shown
