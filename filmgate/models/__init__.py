"""The manifests that ship with Filmgate, and how folders of them are read."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from filmgate.domain.errors import ManifestInvalid
from filmgate.domain.manifest import Manifest, parse_manifest

__all__ = ["SHIPPED", "judge_folder", "load_catalog"]

SHIPPED = Path(__file__).parent
"""The folder of the five published models."""


def load_catalog(folders: Sequence[Path]) -> Mapping[str, Manifest]:
    """All models of the folders by id, in alphabetical order. Raises ManifestInvalid with every fault of every file."""
    catalog: dict[str, Manifest] = {}
    faults: list[str] = []
    for folder in folders:
        for path, judged in judge_folder(folder):
            if isinstance(judged, ManifestInvalid):
                faults.append(judged.sentence)
            elif judged.id in catalog:
                faults.append(f"{path}: another folder has a model {judged.id!r} too; rename one.")
            else:
                catalog[judged.id] = judged
    if faults:
        raise ManifestInvalid("\n".join(faults))
    return dict(sorted(catalog.items()))


def judge_folder(folder: Path) -> Iterator[tuple[Path, Manifest | ManifestInvalid]]:
    """Every manifest below `folder` with its verdict. Raises ManifestInvalid when the folder has none."""
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise ManifestInvalid(
            f"{folder}: no manifest (*.json) is in this folder; name the folder that holds <owner>/…."
        )
    for path in paths:
        origin = PurePosixPath(path.relative_to(folder).as_posix())
        try:
            yield path, parse_manifest(path.read_bytes(), origin)
        except ManifestInvalid as error:
            yield path, error
