"""What Qwen's vision-language encoder is given: tokens of a text in which pictures have their places, and patches.

transformers' own processor of this model also handles film, and so cannot be loaded without torchvision. This one has
the half for pictures, over the library's image processor that needs only Pillow; its results equal the library's.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from filmgate.domain.errors import EngineFailure

__all__ = ["QwenProcessor", "load_qwen_processor"]

_PLACE = "<|image_pad|>"


class QwenProcessor:
    """Called like the library's processor: texts with one `<|image_pad|>` for each picture, and the pictures."""

    def __init__(self, image_processor: Any, tokenizer: Any) -> None:
        self.image_processor = image_processor
        self.tokenizer = tokenizer

    def __call__(self, text: Sequence[str], images: Sequence[Any] | None, padding: bool, return_tensors: str) -> Any:
        """`input_ids`, `attention_mask` and `mm_token_type_ids` (1 where a picture is), all texts × tokens.

        With pictures also `pixel_values`, patches × values, and `image_grid_thw`, pictures × (1, rows, columns).
        """
        from transformers import BatchFeature

        seen: dict[str, Any] = {}
        if images is not None:
            seen = dict(self.image_processor(images=list(images), return_tensors=return_tensors))
        read = dict(self.tokenizer(self._spread(list(text), seen), padding=padding, return_tensors=return_tensors))
        places = read["input_ids"] == self.tokenizer.convert_tokens_to_ids(_PLACE)
        return BatchFeature({**read, **seen, "mm_token_type_ids": places.to(read["input_ids"].dtype)})

    def _spread(self, texts: list[str], seen: dict[str, Any]) -> list[str]:
        """The texts, each place of a picture repeated for every token that the encoder makes of that picture."""
        grids = seen.get("image_grid_thw", ())
        merged = self.image_processor.merge_size**2
        tokens = iter([int(grid.prod()) // merged for grid in grids])
        spread = []
        for text in texts:
            first, *others = text.split(_PLACE)
            # A prompt may have the mark in it: after the last picture it means nothing.
            spread.append(first + "".join(_PLACE * next(tokens, 0) + other for other in others))
        return spread


def load_qwen_processor(folder: Path, tokenizer: Any) -> QwenProcessor:
    """The processor of the set in `folder`. Raises EngineFailure (`weights_incomplete`)."""
    from transformers import Qwen2VLImageProcessorPil

    try:
        image_processor = Qwen2VLImageProcessorPil.from_pretrained(folder / "processor", local_files_only=True)
    except (OSError, ValueError) as error:
        raise EngineFailure(
            f"The weights {folder.name} cannot be loaded: processor/preprocessor_config.json cannot be read. "
            f"Check them with `filmgate weights verify {folder.name}`.",
            code="weights_incomplete",
        ) from error
    return QwenProcessor(image_processor, tokenizer)
