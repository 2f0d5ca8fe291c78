"""The weight files of the preview engine, and the check that they are the ones that were shipped.

Without the right weights the engine would pick wrong subjects and smear backgrounds, so an absent or altered file
stops the start; it is never replaced by something weaker. `NOTICE` names origin and licence of each file.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from filmgate.domain.errors import WeightsInvalid

__all__ = ["FOLDER", "Weight", "check_weights"]

FOLDER = Path(__file__).parent
NEEDED = frozenset({"fastdepth", "u2netp", "migan", "yunet"})
REMEDY = "Install Filmgate again, or run scripts/rebuild_weights.py in a checkout."


@dataclass(frozen=True, slots=True)
class Weight:
    """One row of weights.json: a file of ours and the pinned package that its source was taken from."""

    name: str
    file: str
    bytes: int
    sha256: str
    source_package: str
    source_path: str
    source_sha256: str
    licence: str


def check_weights(folder: Path = FOLDER) -> tuple[Weight, ...]:
    """The weights of `folder`, each equal to its row. Raises WeightsInvalid naming the first that is not."""
    rows = tuple(read_rows(folder))
    for row in rows:
        check_file(folder / row.file, row)
    return rows


def read_rows(folder: Path) -> list[Weight]:
    path = folder / "weights.json"
    try:
        rows = [Weight(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise WeightsInvalid(
            f"The list of the preview engine's weights, {path}, cannot be read ({error}). {REMEDY}"
        ) from error
    missing = NEEDED - {row.name for row in rows}
    if missing:
        raise WeightsInvalid(f"The list of the preview engine's weights, {path}, lacks {min(missing)}. {REMEDY}")
    return rows


def check_file(path: Path, row: Weight) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise WeightsInvalid(
            f"The weight file {path} of the preview engine cannot be read ({reason}). {REMEDY}"
        ) from error
    if len(content) != row.bytes:
        raise WeightsInvalid(
            f"The weight file {path} of the preview engine has {len(content)} bytes instead of {row.bytes}. {REMEDY}"
        )
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise WeightsInvalid(
            f"The weight file {path} of the preview engine was altered: its sha256 is another. {REMEDY}"
        )
