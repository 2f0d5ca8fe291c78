"""What an engine left in its scratch folder, judged before anybody gets to see it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filmgate.domain.errors import EngineFailure

__all__ = ["FinishedFile", "judge_files"]


@dataclass(frozen=True, slots=True)
class FinishedFile:
    """A file that is what it claims to be. `name` is its public one, `digest` the sha256 of its bytes."""

    path: Path
    name: str
    content_type: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """Files of this kind have `signature` at `offset`."""

    stem: str
    content_type: str
    offset: int
    signature: bytes


_KINDS = {
    ".mp4": _Kind("video", "video/mp4", 4, b"ftyp"),
    ".png": _Kind("image", "image/png", 0, b"\x89PNG\r\n\x1a\n"),
}
_SUFFIXES = {"image-to-video": ".mp4", "image-to-image": ".png"}


def judge_files(engine: str, category: str, files: Sequence[Path], scratch: Path) -> Sequence[FinishedFile]:
    """Names and measures the files of a result. Raises EngineFailure when there is none or one is not right."""
    if not files:
        raise EngineFailure(f"The engine {engine} returned no file.", code="engine_returned_nothing")
    wanted = _SUFFIXES[category]
    if files[0].suffix.lower() != wanted:
        raise _invalid(engine, files[0], f"is no {wanted} file, which is what the model makes")
    names: set[str] = set()
    finished = []
    for path in files:
        kind = _judge(engine, path, scratch)
        name = f"{kind.stem}{path.suffix.lower()}"
        if name in names:
            name = f"{kind.stem}-{len(names) + 1}{path.suffix.lower()}"
        names.add(name)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        finished.append(FinishedFile(path, name, kind.content_type, path.stat().st_size, digest))
    return finished


def _judge(engine: str, path: Path, scratch: Path) -> _Kind:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise _invalid(engine, path, f"is none of {', '.join(_KINDS)}")
    if not path.resolve().is_relative_to(scratch.resolve()):
        raise _invalid(engine, path, "lies outside the request's folder")
    if not path.is_file():
        raise _invalid(engine, path, "is not there")
    with path.open("rb") as stream:
        head = stream.read(kind.offset + len(kind.signature))
    if not head:
        raise _invalid(engine, path, "is empty")
    if head[kind.offset :] != kind.signature:
        raise _invalid(engine, path, "does not begin like its kind")
    return kind


def _invalid(engine: str, path: Path, fault: str) -> EngineFailure:
    return EngineFailure(f"The engine {engine} returned {path.name}, which {fault}.", code="engine_output_invalid")
