"""`filmgate.json`: what this program notes about a set of weights that it fetched, converted or made.

It overrides facts of the catalog (tiny weights render tiny pictures) and holds every file's length and checksum.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from filmgate.domain.errors import EngineFailure

__all__ = ["RECORD_NAME", "FileRecord", "Record", "read_record", "write_record"]

RECORD_NAME = "filmgate.json"


@dataclass(frozen=True, slots=True)
class FileRecord:
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is None is not known, or as the catalog says. `revision` is the commit of the repository that it is from.

    `files` are by their path inside the set, with forward slashes.
    """

    made_by: Literal["pull", "convert", "make-tiny"] | None = None
    revision: str | None = None
    format: str | None = None
    title: str | None = None
    repository: str | None = None
    parameters: int | None = None
    memory_bytes: int | None = None
    max_area_px: int | None = None
    segment_frames: int | None = None
    steps: int | None = None
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    def overrides(self) -> Mapping[str, Any]:
        """The facts that replace those of the catalog."""
        facts = {
            "title": self.title,
            "repository": self.repository,
            "parameters": self.parameters,
            "memory_bytes": self.memory_bytes,
            "max_area_px": self.max_area_px,
            "segment_frames": self.segment_frames,
            "steps": self.steps,
        }
        return {name: value for name, value in facts.items() if value is not None}


def read_record(folder: Path) -> Record:
    """The record of a set; an empty one when it has none. Raises EngineFailure (`weights_incomplete`)."""
    path = folder / RECORD_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()
    except (OSError, msgspec.DecodeError) as error:
        raise EngineFailure(
            f"The weights in {folder} cannot be used: {RECORD_NAME} cannot be read ({error}). Delete that file, then "
            f"check the rest with `filmgate weights verify {folder.name}`.",
            code="weights_incomplete",
        ) from error


def write_record(folder: Path, record: Record) -> None:
    """Puts the record into a set, in one step."""
    entries = {name: value for name, value in msgspec.to_builtins(record).items() if value not in (None, {})}
    text = msgspec.json.format(msgspec.json.encode(entries), indent=1)
    beside = folder / f".{RECORD_NAME}"
    beside.write_bytes(text + b"\n")
    beside.replace(folder / RECORD_NAME)
