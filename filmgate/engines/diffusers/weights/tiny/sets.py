"""Writes tiny sets and packs into a folder of weights."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
from transformers.utils import logging

from filmgate.engines.diffusers.catalog import LORAS, load_catalog
from filmgate.engines.diffusers.recipes import load_recipes
from filmgate.engines.diffusers.weights.checksums import recorded_files
from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.record import Record, read_record, write_record
from filmgate.engines.diffusers.weights.staging import require_room
from filmgate.engines.diffusers.weights.tiny.loras import save_qwen_lora, save_wan_lora
from filmgate.engines.diffusers.weights.tiny.qwen import make_qwen_edit
from filmgate.engines.diffusers.weights.tiny.wan import make_wan_21, make_wan_22, make_wan_22_small

__all__ = ["ALL", "make_tiny"]

ALL = ("wan2.1-i2v-14b-480p", "wan2.1-i2v-14b-720p", "wan2.2-i2v-a14b", "wan2.2-ti2v-5b", "qwen-image-edit-2511")
_MAKERS: Mapping[str, Callable[[Path, int], dict[str, Any]]] = {
    "wan2.1-i2v-14b-480p": make_wan_21,
    "wan2.1-i2v-14b-720p": make_wan_21,
    "wan2.2-i2v-a14b": make_wan_22,
    "wan2.2-ti2v-5b": make_wan_22_small,
    "qwen-image-edit-2511": make_qwen_edit,
}
_AREA_PX = 64 * 64
_ROOM_BYTES = 10**7
_TEMPLATES = ("squish", "rotation")
"""Those that get a tiny pack; the other recipes are left without, as on a machine that has only some."""


def make_tiny(folder: Path, names: Sequence[str] = ALL) -> None:
    """Writes the named sets, their distilled packs and the packs of two templates into `folder`.

    Each set is a few hundred kilobytes and says in its `filmgate.json` that it is tiny and random. Raises WeightsFault
    (`weights_present`) where there is a set or pack of the same name that is not tiny.
    """
    require_room(folder, _ROOM_BYTES, "Making tiny weights")
    for name in names:
        with _quiet():
            _make_set(folder / name, 1000 * (1 + ALL.index(name)))
        weights = load_catalog()[name]
        save = save_qwen_lora if weights.kind == "qwen-edit" else save_wan_lora
        for path in () if weights.distilled is None else weights.distilled.paths(folder):
            save(path)
    for template in _TEMPLATES:
        save_wan_lora(folder / LORAS / load_recipes()[template].file)


def _make_set(folder: Path, seed: int) -> None:
    if folder.exists() and read_record(folder).made_by != "make-tiny":
        raise WeightsFault(f"{folder} is there already and is not tiny; name another folder.", code="weights_present")
    folder.mkdir(parents=True, exist_ok=True)
    index = {"_diffusers_version": diffusers.__version__, **_MAKERS[folder.name](folder, seed)}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    files = recorded_files(folder)
    size_bytes = sum(file.bytes for name, file in files.items() if name.endswith(".safetensors"))
    weights = load_catalog()[folder.name]
    record = Record(
        made_by="make-tiny",
        format="fp32",
        title=f"{weights.title} (tiny, random)",
        # Results name it as what made them, and must not claim the real model.
        repository=f"tiny random weights in the shape of {weights.repository}",
        parameters=size_bytes // 4,
        memory_bytes=size_bytes // 2,
        max_area_px=_AREA_PX,
        files=files,
    )
    write_record(folder, record)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' bars, of which each file would show one."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
