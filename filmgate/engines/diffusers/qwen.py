"""Qwen-Image-Edit: one to three pictures and an instruction become one picture.

As with Wan, the stages are the library's (diffusers' QwenImageEditPlusPipeline), the loop between them is ours; with
the profile `exact` the picture equals the library's bit by bit.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch
from PIL import Image

from filmgate.domain.errors import EngineFailure
from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.adapters import Adapter, attached
from filmgate.engines.diffusers.frames import denormalised, judged
from filmgate.engines.diffusers.library import pipeline_with
from filmgate.engines.diffusers.loading import load_tokenizer
from filmgate.engines.diffusers.qwen_processor import load_qwen_processor
from filmgate.engines.diffusers.sampling import AfterStep, Sampling, denoise
from filmgate.engines.diffusers.suite import Suite
from filmgate.engines.diffusers.watch import Watch

__all__ = ["KEPT_AREA_PX", "SEEN_AREA_PX", "Edit", "EditConditions", "QwenEditModel"]

SEEN_AREA_PX = 384 * 384
"""What the vision encoder sees of each reference."""
KEPT_AREA_PX = 1024 * 1024
"""What the VAE keeps of each reference."""
_NO_NEGATIVE = " "
"""Guidance needs something to lead away from; the model's authors use a blank."""
_POSITIONS = 4096
"""What the model tells apart: half the longest side of a picture, in patches, and after that every token of text."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One run of the model; `guidance` above 1 guides away from the negative prompt."""

    prompt: str
    negative_prompt: str
    pictures: tuple[Picture, ...]
    width: int
    height: int
    steps: int
    guidance: float
    seed: int

    @property
    def guided(self) -> bool:
        return self.guidance > 1


@dataclass(frozen=True, slots=True)
class Text:
    """An instruction together with the references, as the vision encoder understands them."""

    tokens: torch.Tensor
    mask: torch.Tensor | None


@dataclass(frozen=True, slots=True)
class EditConditions:
    """What sampling starts from: `latents` and `references` are 1 × positions × channels (2 × 2 patches packed).

    `shapes` are the frames, rows and columns of patches of the result and of each reference.
    """

    prompt: Text
    negative_prompt: Text | None
    latents: torch.Tensor
    references: torch.Tensor
    shapes: list[list[tuple[int, int, int]]]


class QwenEditModel:
    """One installed set of Qwen-Image-Edit weights. Runs one edit at a time."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._tokenizer = load_tokenizer(suite.installed)
        self._processor = load_qwen_processor(suite.installed.folder, self._tokenizer)
        # Tiny weights draw tiny pictures, so that the same code runs in seconds.
        self._scale = min(1.0, suite.installed.weights.max_area_px / KEPT_AREA_PX)

    # ------------------------------------------------------------------------------------------------- encoding

    def encode(self, edit: Edit) -> EditConditions:
        """Instruction, references and noise as the model wants them. Raises EngineFailure (`prompt_too_long`)."""
        images = [Image.fromarray(picture) for picture in edit.pictures]
        with torch.no_grad():
            prompt = self._text(edit.prompt, images)
            negative = self._text(edit.negative_prompt or _NO_NEGATIVE, images) if edit.guided else None
            return self._latents(edit, images, prompt, negative)

    def _text(self, text: str, images: Sequence[Image.Image]) -> Text:
        with self._suite.use("text_encoder") as encoder:
            pipeline = pipeline_with(
                "qwen-edit", text_encoder=encoder, tokenizer=self._tokenizer, processor=self._processor
            )
            seen = [
                pipeline.image_processor.resize(image, height, width)
                for image in images
                for width, height in [_sides(SEEN_AREA_PX * self._scale, image)]
            ]
            tokens, mask = pipeline.encode_prompt(prompt=text, image=seen, device=self._suite.device)
        return Text(tokens, mask)

    def _latents(
        self, edit: Edit, images: Sequence[Image.Image], prompt: Text, negative: Text | None
    ) -> EditConditions:
        with self._suite.use("vae") as vae:
            pipeline = pipeline_with("qwen-edit", vae=vae)
            sizes = [_sides(KEPT_AREA_PX * self._scale, image) for image in images]
            kept = [
                pipeline.image_processor.preprocess(image, height, width).unsqueeze(2)
                for image, (width, height) in zip(images, sizes, strict=True)
            ]
            latents, references = pipeline.prepare_latents(
                kept,
                1,
                vae.config.z_dim,
                edit.height,
                edit.width,
                prompt.tokens.dtype,
                self._suite.device,
                torch.Generator("cpu").manual_seed(edit.seed),
            )
            patch = pipeline.vae_scale_factor * 2
        shapes = [(1, height // patch, width // patch) for width, height in [(edit.width, edit.height), *sizes]]
        _require_room([prompt] if negative is None else [prompt, negative], shapes)
        return EditConditions(prompt, negative, latents, references, [shapes])

    # ------------------------------------------------------------------------------------------------ denoising

    def denoise(
        self,
        edit: Edit,
        conditions: EditConditions,
        watch: Watch,
        after_step: AfterStep,
        resumed: Sampling | None = None,
        adapters: Sequence[Adapter] = (),
    ) -> torch.Tensor:
        """The picture's clean latents, packed. Raises RequestStopped inside a step."""
        scheduler = self._scheduler(edit.steps, conditions.latents.shape[1])
        with torch.no_grad(), self._transformer(edit, watch, adapters, resumed) as transformer:
            return denoise(
                scheduler,
                lambda noisy, timestep: _predict(transformer, edit, conditions, noisy, timestep),
                conditions.latents,
                after_step,
                resumed,
            )

    @contextmanager
    def _transformer(
        self, edit: Edit, watch: Watch, adapters: Sequence[Adapter], resumed: Sampling | None
    ) -> Iterator[Any]:
        passes = 2 if edit.guided else 1
        with self._suite.use("transformer") as transformer:
            blocks = transformer.transformer_blocks
            calls = len(blocks) * passes
            before = calls * (0 if resumed is None else resumed.step)
            with (
                attached(pipeline_with("qwen-edit", transformer=transformer), adapters, 0),
                watch.inside(blocks, calls * edit.steps, before=before),
            ):
                yield transformer

    def _scheduler(self, steps: int, positions: int) -> Any:
        from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import calculate_shift

        scheduler = self._suite.scheduler()
        config = scheduler.config
        shift = calculate_shift(
            positions,
            config.get("base_image_seq_len", 256),
            config.get("max_image_seq_len", 4096),
            config.get("base_shift", 0.5),
            config.get("max_shift", 1.15),
        )
        sigmas = np.linspace(1.0, 1 / steps, steps)
        scheduler.set_timesteps(device=self._suite.device, sigmas=sigmas, mu=shift)
        scheduler.set_begin_index(0)
        return scheduler

    # ------------------------------------------------------------------------------------------------- decoding

    def unpacked(self, edit: Edit, latents: torch.Tensor) -> torch.Tensor:
        """Latents as 1 × channels × 1 × height × width; also of the picture that a step expects at the end."""
        with self._suite.use("vae") as vae:
            factor = pipeline_with("qwen-edit", vae=vae).vae_scale_factor
            pipeline_kind = type(pipeline_with("qwen-edit"))
            unpacked: torch.Tensor = pipeline_kind._unpack_latents(latents, edit.height, edit.width, factor)
        return unpacked

    def decode(self, edit: Edit, latents: torch.Tensor, watch: Watch) -> Picture:
        """Height × width × 3 uint8 RGB. Raises EngineFailure when it is no picture."""
        flat = self.unpacked(edit, latents)
        with torch.no_grad(), self._suite.use("vae") as vae, watch.inside([vae.decoder], 1):
            image = vae.decode(denormalised(vae, flat.to(vae.dtype)), return_dict=False)[0]
        picture: Picture = judged(image)[0]
        return picture


def _require_room(texts: Sequence[Text], shapes: Sequence[tuple[int, int, int]]) -> None:
    room = _POSITIONS - max(max(rows, columns) for _, rows, columns in shapes) // 2
    tokens = max(text.tokens.shape[1] for text in texts)
    if tokens > room:
        raise EngineFailure(
            f"The prompt and what the model sees of the pictures are {tokens} tokens, {tokens - room} too many; "
            "shorten the prompt.",
            code="prompt_too_long",
        )


def _predict(
    transformer: Any, edit: Edit, conditions: EditConditions, noisy: torch.Tensor, timestep: torch.Tensor
) -> torch.Tensor:
    given = torch.cat([noisy, conditions.references], dim=1)

    def forward(text: Text, context: str) -> torch.Tensor:
        with transformer.cache_context(context):
            predicted: torch.Tensor = transformer(
                hidden_states=given,
                timestep=timestep.expand(1).to(noisy.dtype) / 1000,
                guidance=None,
                encoder_hidden_states_mask=text.mask,
                encoder_hidden_states=text.tokens,
                img_shapes=conditions.shapes,
                attention_kwargs={},
                return_dict=False,
            )[0]
        return predicted[:, : noisy.size(1)]

    wanted = forward(conditions.prompt, "cond")
    if conditions.negative_prompt is None:
        return wanted
    unwanted = forward(conditions.negative_prompt, "uncond")
    led = unwanted + edit.guidance * (wanted - unwanted)
    # Guidance changes the direction only: the length stays that of the prompt's own prediction.
    return led * (torch.norm(wanted, dim=-1, keepdim=True) / torch.norm(led, dim=-1, keepdim=True))


def _sides(area_px: float, image: Image.Image) -> tuple[int, int]:
    """Width and height of this area and the image's aspect, as multiples of 32."""
    ratio = image.width / image.height
    width = sqrt(area_px * ratio)
    return max(32, round(width / 32) * 32), max(32, round(width / ratio / 32) * 32)
