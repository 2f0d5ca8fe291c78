"""Lengths and checksums of a set's files."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from filmgate.engines.diffusers.weights.record import RECORD_NAME, FileRecord

__all__ = ["recorded_files", "set_files", "sha256_of"]

_CHUNK_BYTES = 2**24


def set_files(folder: Path) -> tuple[Path, ...]:
    """Every file of the set but its own record and what begins with a dot (a downloader's notes)."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(path for path in paths if path.name != RECORD_NAME and not _hidden(path.relative_to(folder)))


def recorded_files(folder: Path) -> Mapping[str, FileRecord]:
    """What `filmgate.json` notes about the files as they are now."""
    return {
        path.relative_to(folder).as_posix(): FileRecord(path.stat().st_size, sha256_of(path))
        for path in set_files(folder)
    }


def sha256_of(path: Path, progress: Callable[[int], None] = lambda _: None) -> str:
    """In hexadecimal. `progress` is called now and then with how many bytes were read."""
    digest = hashlib.sha256()
    read_bytes = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            read_bytes += len(chunk)
            progress(read_bytes)
    return digest.hexdigest()


def _hidden(inside: Path) -> bool:
    return any(part.startswith(".") for part in inside.parts)
