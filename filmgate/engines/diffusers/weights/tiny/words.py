"""Tokenizers without a learned vocabulary: a token for each byte of the text, and some marks."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["EDIT_MARKS", "EDIT_TOKENS", "PROMPT_TOKENS", "save_edit_tokenizer", "save_prompt_tokenizer"]

_PAD, _END, _UNKNOWN = "<pad>", "</s>", "<unk>"
EDIT_MARKS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
"""Marks of a conversation and of the places of pictures in it, by their token's number."""
PROMPT_TOKENS = 3 + 256
EDIT_TOKENS = len(EDIT_MARKS) + 256


def save_prompt_tokenizer(folder: Path) -> None:
    """As UMT5's: ends a text with a mark, and pads it."""
    sequence = [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": _END, "type_id": 0}}]
    ending = {
        "type": "TemplateProcessing",
        "single": sequence,
        "pair": sequence,
        "special_tokens": {_END: {"id": _END, "ids": [1], "tokens": [_END]}},
    }
    names = {"pad_token": _PAD, "eos_token": _END, "unk_token": _UNKNOWN, "model_max_length": 512}
    _save(folder, (_PAD, _END, _UNKNOWN), ending, names)


def save_edit_tokenizer(folder: Path) -> None:
    """As Qwen2.5-VL's."""
    names = {"pad_token": EDIT_MARKS[0], "eos_token": EDIT_MARKS[2], "model_max_length": 131_072}
    _save(folder, EDIT_MARKS, None, names)


def _save(folder: Path, marks: Sequence[str], ending: Any, names: dict[str, Any]) -> None:
    by_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    tokens = {
        "version": "1.0",
        "added_tokens": [
            {
                "id": place,
                "content": mark,
                "special": True,
                "normalized": False,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
            }
            for place, mark in enumerate(marks)
        ],
        "pre_tokenizer": by_bytes,
        "post_processor": ending,
        "decoder": by_bytes,
        "model": {
            "type": "BPE",
            "vocab": {token: place for place, token in enumerate([*marks, *_letters()])},
            "merges": [],
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(tokens, ensure_ascii=False, indent=1), encoding="utf-8")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


def _letters() -> list[str]:
    """The printable letter that stands for each byte in byte-level tokenizers, in the order of bytes.

    Printable bytes of Latin-1 stand for themselves, the others are the letters from U+0100 on.
    Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, and its published code.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]
