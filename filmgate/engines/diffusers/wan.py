"""Wan's image-to-video models: one picture and a prompt become the frames of one segment.

The stages are the library's own (diffusers' WanImageToVideoPipeline encodes and prepares), the loop between them is
ours: so it can be watched, stopped inside a step, and taken up again where a crash left it. With the profile `exact`
the frames equal the library's bit by bit.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import nn

from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.adapters import Adapter, attached
from filmgate.engines.diffusers.frames import denormalised, judged, require_numbers
from filmgate.engines.diffusers.library import pipeline_with
from filmgate.engines.diffusers.loading import load_processor, load_tokenizer, model_index
from filmgate.engines.diffusers.sampling import AfterStep, Sampling, denoise
from filmgate.engines.diffusers.suite import Suite
from filmgate.engines.diffusers.tuned.stepcache import forget_steps
from filmgate.engines.diffusers.watch import Watch

__all__ = ["TEXT_TOKENS", "Conditions", "Segment", "WanModel"]

TEXT_TOKENS = 512
"""The length that every prompt is padded or cut to; what the models were trained on."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One run of the model. `frames` is 4n + 1; `guidance` has a scale for each expert, above 1 to guide at all."""

    prompt: str
    negative_prompt: str
    picture: Picture
    frames: int
    steps: int
    guidance: tuple[float, ...]
    shift: float
    seed: int

    @property
    def guided(self) -> bool:
        return self.guidance[0] > 1


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a segment's sampling starts from, all on the device.

    `latents` are 1 × channels × latent frames × latent height × width, pure noise; `condition` is the encoded picture
    (with its mask, or apart from it in `mask` where a model takes a time for every token).
    """

    prompt: torch.Tensor
    negative_prompt: torch.Tensor | None
    picture: torch.Tensor | None
    latents: torch.Tensor
    condition: torch.Tensor
    mask: torch.Tensor | None

    @property
    def picture_latents(self) -> torch.Tensor:
        """The encoded picture: 1 × channels × 1 × latent height × latent width."""
        return self.condition[:, -self.latents.shape[1] :, :1]


class WanModel:
    """One installed set of Wan weights. Runs one segment at a time."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._index = model_index(suite.installed.folder)
        self._tokenizer = load_tokenizer(suite.installed)

    # ------------------------------------------------------------------------------------------------- encoding

    def reads_all(self, text: str) -> bool:
        """Whether the model reads the text to its end, which is `TEXT_TOKENS` tokens at most."""
        return len(self._tokenizer(text)["input_ids"]) <= TEXT_TOKENS

    def encode(self, segment: Segment, watch: Watch) -> Conditions:
        """Prompts, picture and noise as the model wants them.

        Raises RequestStopped, and EngineFailure when the encoded picture is not made of numbers.
        """
        with torch.no_grad():
            prompt = self._text(segment.prompt)
            negative = self._text(segment.negative_prompt) if segment.guided else None
            latents, condition, mask = self._picture_latents(segment, watch)
            return Conditions(prompt, negative, self._picture_tokens(segment), latents, condition, mask)

    def _text(self, text: str) -> torch.Tensor:
        def embed() -> torch.Tensor:
            with self._suite.use("text_encoder") as encoder:
                pipeline = pipeline_with("wan", tokenizer=self._tokenizer, text_encoder=encoder)
                embedded, _ = pipeline.encode_prompt(
                    text,
                    do_classifier_free_guidance=False,
                    max_sequence_length=TEXT_TOKENS,
                    device=self._suite.device,
                )
            return embedded.to(self._suite.dtype)

        return self._suite.embedding(text, embed)

    def _picture_tokens(self, segment: Segment) -> torch.Tensor | None:
        if self._index.get("image_encoder", [None, None])[1] is None:
            return None
        with self._suite.use("image_encoder") as encoder:
            processor = load_processor(self._suite.installed)
            pipeline = pipeline_with("wan", image_encoder=encoder, image_processor=processor)
            tokens: torch.Tensor = pipeline.encode_image(Image.fromarray(segment.picture), self._suite.device)
        return tokens.to(self._suite.dtype)

    def _picture_latents(
        self, segment: Segment, watch: Watch
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        height, width = segment.picture.shape[:2]
        # One frame where only the picture is encoded, else the picture and grey after it: four frames to a chunk.
        chunks = 1 if self._expands_timesteps else (segment.frames + 3) // 4
        with self._suite.use("vae") as vae, watch.inside([vae.encoder], chunks):
            pipeline = pipeline_with("wan", vae=vae, expand_timesteps=self._expands_timesteps)
            pixels = pipeline.video_processor.preprocess(Image.fromarray(segment.picture), height=height, width=width)
            prepared = pipeline.prepare_latents(
                pixels.to(self._suite.device, dtype=torch.float32),
                batch_size=1,
                num_channels_latents=vae.config.z_dim,
                height=height,
                width=width,
                num_frames=segment.frames,
                dtype=torch.float32,
                device=self._suite.device,
                generator=torch.Generator("cpu").manual_seed(segment.seed),
            )
        latents, condition, *mask = prepared
        require_numbers(condition)
        return latents, condition, mask[0] if mask else None

    # ------------------------------------------------------------------------------------------------ denoising

    def denoise(
        self,
        segment: Segment,
        conditions: Conditions,
        watch: Watch,
        after_step: AfterStep,
        resumed: Sampling | None = None,
        adapters: Sequence[Adapter] = (),
    ) -> torch.Tensor:
        """The segment's clean latents. Raises RequestStopped inside a step, EngineFailure when they are no numbers."""
        scheduler = self._suite.scheduler(flow_shift=segment.shift)
        scheduler.set_timesteps(segment.steps, device=self._suite.device)
        first_step = 0 if resumed is None else resumed.step
        experts = Experts(self._suite, self._boundary(scheduler), watch, segment, first_step, adapters)
        with torch.no_grad(), experts:
            latents = denoise(
                scheduler,
                lambda noisy, timestep: self._predict(experts, segment, conditions, noisy, timestep),
                conditions.latents,
                after_step,
                resumed,
            )
        if conditions.mask is not None:
            latents = (1 - conditions.mask) * conditions.condition + conditions.mask * latents
        require_numbers(latents)
        return latents

    def _predict(
        self,
        experts: "Experts",
        segment: Segment,
        conditions: Conditions,
        noisy: torch.Tensor,
        timestep: torch.Tensor,
    ) -> torch.Tensor:
        expert, number = experts.for_time(timestep)
        given, times = self._model_input(conditions, noisy, timestep)

        def forward(text: torch.Tensor, context: str) -> torch.Tensor:
            with expert.cache_context(context):
                predicted: torch.Tensor = expert(
                    hidden_states=given,
                    timestep=times,
                    encoder_hidden_states=text,
                    encoder_hidden_states_image=conditions.picture,
                    return_dict=False,
                )[0]
            return predicted

        wanted = forward(conditions.prompt, "cond")
        if conditions.negative_prompt is None:
            return wanted
        unwanted = forward(conditions.negative_prompt, "uncond")
        return unwanted + segment.guidance[min(number, len(segment.guidance) - 1)] * (wanted - unwanted)

    def _model_input(
        self, conditions: Conditions, noisy: torch.Tensor, timestep: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if conditions.mask is None:
            given = torch.cat([noisy, conditions.condition], dim=1)
            return given.to(self._suite.dtype), timestep.expand(1)
        # Every token has a time of its own here: those of the given picture are at 0, noise-free.
        given = (1 - conditions.mask) * conditions.condition + conditions.mask * noisy
        times = (conditions.mask[0][0][:, ::2, ::2] * timestep).flatten()
        return given.to(self._suite.dtype), times.unsqueeze(0)

    # ------------------------------------------------------------------------------------------------- decoding

    def decode(self, latents: torch.Tensor, watch: Watch) -> Picture:
        """Frames × height × width × 3 uint8 RGB. Raises EngineFailure when they are no picture."""
        with torch.no_grad(), self._suite.use("vae") as vae, watch.inside([vae.decoder], latents.shape[2]):
            video = vae.decode(denormalised(vae, latents).to(vae.dtype), return_dict=False)[0]
        return judged(video)

    # -------------------------------------------------------------------------------------------------- settings

    @property
    def _expands_timesteps(self) -> bool:
        return bool(self._index.get("expand_timesteps", False))

    def _boundary(self, scheduler: Any) -> float | None:
        """The time below which the second expert takes over."""
        ratio = self._index.get("boundary_ratio")
        return None if ratio is None else ratio * scheduler.config.num_train_timesteps


class Experts:
    """The transformers of a set: one, or one for the noisy half of the steps and one for the rest.

    The one at work is on the device and watched; the other makes room for it if it must.
    """

    def __init__(
        self,
        suite: Suite,
        boundary: float | None,
        watch: Watch,
        segment: Segment,
        first_step: int,
        adapters: Sequence[Adapter],
    ) -> None:
        self._suite = suite
        self._boundary = boundary
        self._watch = watch
        self._adapters = adapters
        self._passes = segment.steps * (2 if segment.guided else 1)
        self._passed = first_step * (2 if segment.guided else 1)
        self._at_work: tuple[nn.Module, int] | None = None
        self._held = ExitStack()

    def __enter__(self) -> "Experts":
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def for_time(self, timestep: torch.Tensor) -> tuple[Any, int]:
        """The expert for this time, and its number."""
        number = 0 if self._boundary is None or bool(timestep >= self._boundary) else 1
        if self._at_work is None or self._at_work[1] != number:
            self._held.close()
            expert = self._held.enter_context(self._suite.use("transformer_2" if number else "transformer"))
            self._held.enter_context(attached(pipeline_with("wan", transformer=expert), self._adapters, number))
            self._held.enter_context(self._watched(expert))
            forget_steps(expert)
            self._at_work = expert, number
        return self._at_work

    @contextmanager
    def _watched(self, expert: nn.Module) -> Iterator[None]:
        blocks = len(expert.blocks)
        passed = self._passed

        def count(*_: object) -> None:
            self._passed += 1

        hook = expert.register_forward_hook(count)
        try:
            with self._watch.inside(expert.blocks, self._passes * blocks, before=passed * blocks):
                yield
        finally:
            hook.remove()
