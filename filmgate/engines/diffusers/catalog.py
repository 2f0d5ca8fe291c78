"""The sets of open weights that this engine knows, and which of them are installed in a folder.

A set is `<weights>/<name>/` in the layout of diffusers; low-rank packs are `<weights>/loras/*.safetensors`. Our own
`filmgate.json` in a set overrides facts of the catalog (tiny or trimmed weights) and holds checksums.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.weights.completeness import faults, stored_format
from filmgate.engines.diffusers.weights.record import read_record

__all__ = ["LORAS", "Distilled", "Installed", "WeightSet", "installed", "load_catalog", "where_to_get"]

LORAS = "loras"
"""The folder of low-rank packs, beside the sets."""
_BETWEEN_TIERS_PX = 600_000
"""Between the areas of 480P and 720P."""


@dataclass(frozen=True, slots=True)
class Distilled:
    """A low-rank pack that does with few `steps` and no guidance; one file per transformer, in their order."""

    repository: str
    files: tuple[str, ...]
    steps: int
    shift: float
    license: str

    def paths(self, weights_folder: Path) -> tuple[Path, ...]:
        """Where its files are, whether they are there or not."""
        return tuple(weights_folder / LORAS / Path(file).name for file in self.files)


@dataclass(frozen=True, slots=True)
class WeightSet:
    """One published model. `parameters` are those of all its transformers; `memory_bytes` is all of it in bf16.

    `guidance` has a scale per transformer. `segment_frames` is how many frames one run makes, at `frame_rate` (0 for
    pictures). `shift_480p` and `shift_720p` are the sampler's flow shift. `note` says which figures are only believed.
    """

    name: str
    title: str
    kind: Literal["wan", "qwen-edit"]
    repository: str
    license: str
    url: str
    parameters: int
    download_bytes: int
    memory_bytes: int
    frame_rate: int
    segment_frames: int
    max_area_px: int
    size_multiple: int
    steps: int
    guidance: tuple[float, ...]
    shift_480p: float
    shift_720p: float
    distilled: Distilled | None
    note: str

    def shift(self, area_px: int) -> float:
        """The flow shift for frames of this area."""
        return self.shift_720p if area_px > _BETWEEN_TIERS_PX else self.shift_480p


@dataclass(frozen=True, slots=True)
class Installed:
    """A complete set on this machine. `format` is how its large matrices are stored: fp32, bf16 or fp8."""

    weights: WeightSet
    folder: Path
    format: str


@cache
def load_catalog() -> Mapping[str, WeightSet]:
    """The known sets by name."""
    text = (Path(__file__).parent / "catalog.json").read_bytes()
    return {row.name: row for row in msgspec.json.decode(text, type=tuple[WeightSet, ...])}


def installed(weights_folder: Path, name: str) -> Installed:
    """The set `name` of the folder, with its overrides applied.

    Raises EngineFailure: `weights_missing` when it is not there, `weights_incomplete` naming the file that is absent
    or has the wrong length. Lengths are looked at, contents are not: that is `filmgate weights verify`.
    """
    weights = load_catalog()[name]
    folder = weights_folder / name
    if not folder.is_dir():
        raise EngineFailure(
            f"The weights {name} ({weights.title}) are not in {weights_folder}: {where_to_get(folder)}.",
            code="weights_missing",
        )
    record = read_record(folder)
    fault = next(faults(folder, record), None)
    if fault is not None:
        raise EngineFailure(
            f"The weights {name} in {folder} are incomplete: {fault}; {where_to_get(folder)}.",
            code="weights_incomplete",
        )
    return Installed(replace(weights, **record.overrides()), folder, record.format or stored_format(folder))


def where_to_get(folder: Path) -> str:
    """How an operator gets the set that is or should be in `folder`, as part of a sentence."""
    weights, record = load_catalog()[folder.name], read_record(folder)
    pull = f"run `filmgate weights pull {weights.name}`, which fetches {weights.repository} from the Hugging Face hub"
    if record.made_by == "convert":
        return f"delete the folder, {pull}, and convert it to {record.format} again"
    if record.made_by == "make-tiny":
        return "delete the folder and run `filmgate weights make-tiny` again"
    return pull
