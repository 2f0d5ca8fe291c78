"""Which sets and low-rank packs a folder of weights has."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.catalog import LORAS, WeightSet, installed, load_catalog
from filmgate.engines.diffusers.recipes import load_recipes
from filmgate.engines.diffusers.weights.checksums import set_files
from filmgate.engines.diffusers.weights.staging import staging_folder

__all__ = ["PackState", "SetState", "State", "list_packs", "list_sets"]

State = Literal["installed", "partial", "absent"]


@dataclass(frozen=True, slots=True)
class SetState:
    """A set of the catalog and what the folder has of it. `fault` says what a partial one lacks."""

    weights: WeightSet
    state: State
    format: str = ""
    disk_bytes: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PackState:
    """A low-rank pack of the set `weights`; `purpose` is what it is for, in a few words."""

    file: str
    purpose: str
    weights: str
    repository: str
    license: str
    present: bool


def list_sets(folder: Path) -> Iterator[SetState]:
    """One row for each set of the catalog."""
    for name, weights in load_catalog().items():
        try:
            found = installed(folder, name)
        except EngineFailure as failure:
            if failure.code == "weights_incomplete":
                yield SetState(weights, "partial", disk_bytes=_size_bytes(folder / name), fault=failure.sentence)
                continue
            staged = staging_folder(folder / name, "pulling")
            if staged.is_dir():
                fault = f"its download was broken off; `filmgate weights pull {name}` goes on with it"
                yield SetState(weights, "partial", disk_bytes=_size_bytes(staged), fault=fault)
            else:
                yield SetState(weights, "absent")
        else:
            yield SetState(found.weights, "installed", found.format, _size_bytes(found.folder))


def list_packs(folder: Path) -> Iterator[PackState]:
    """One row for each pack that the catalog or a recipe names."""
    for weights in load_catalog().values():
        pack = weights.distilled
        if pack is not None:
            purpose = f"{pack.steps} steps instead of {weights.steps}"
            for path in pack.paths(folder):
                yield PackState(path.name, purpose, weights.name, pack.repository, pack.license, path.is_file())
    for recipe in load_recipes().values():
        path = folder / LORAS / recipe.file
        yield PackState(
            recipe.file,
            f"template {recipe.template}",
            recipe.weights,
            recipe.repository,
            recipe.license,
            path.is_file(),
        )


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in set_files(folder))
