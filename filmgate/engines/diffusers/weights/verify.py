"""Reads every file of a set or of the packs again, and says which are not what they were."""

from collections.abc import Callable, Iterator
from pathlib import Path

from filmgate.engines.diffusers.weights.checksums import sha256_of
from filmgate.engines.diffusers.weights.completeness import FileFault, faults
from filmgate.engines.diffusers.weights.header import HeaderInvalid, read_header
from filmgate.engines.diffusers.weights.record import Record, read_record

__all__ = ["Progress", "verify_packs", "verify_set"]

Progress = Callable[[str, int, int], None]
"""Called with the file at hand, how many bytes of all are done, and how many there are."""


def verify_set(folder: Path, progress: Progress) -> Iterator[FileFault]:
    """Everything that is wrong with the set, each as soon as it is found.

    By the lengths and checksums in its record; without one, by what its own files say they should be. Raises
    EngineFailure (`weights_incomplete`) when the record cannot be read.
    """
    record = read_record(folder)
    known_bad = set()
    for fault in faults(folder, record):
        known_bad.add(fault.file)
        yield fault
    yield from _changed(folder, record, known_bad, progress)


def verify_packs(folder: Path, progress: Progress) -> Iterator[FileFault]:
    """Everything that is wrong with the low-rank packs in the folder, as with a set."""
    record = read_record(folder)
    known_bad = set()
    for fault in _pack_faults(folder, record):
        known_bad.add(fault.file)
        yield fault
    yield from _changed(folder, record, known_bad, progress)


def _pack_faults(folder: Path, record: Record) -> Iterator[FileFault]:
    for name in record.files:
        if not (folder / name).is_file():
            yield FileFault(name, "is absent")
    for path in sorted(folder.glob("*.safetensors")):
        try:
            read_header(path)
        except HeaderInvalid as fault:
            yield FileFault(path.name, str(fault))


def _changed(folder: Path, record: Record, known_bad: set[str], progress: Progress) -> Iterator[FileFault]:
    """The files whose content is not what was recorded."""
    total_bytes = sum(file.bytes for file in record.files.values())
    before_bytes = 0
    for name, file in record.files.items():
        if name not in known_bad:
            progress(name, before_bytes, total_bytes)
            found = sha256_of(folder / name, _shifted(progress, name, before_bytes, total_bytes))
            if found != file.sha256:
                yield FileFault(name, f"has changed: its sha256 is {found} instead of {file.sha256}; delete it")
        before_bytes += file.bytes


def _shifted(progress: Progress, name: str, before_bytes: int, total_bytes: int) -> Callable[[int], None]:
    return lambda read_bytes: progress(name, before_bytes + read_bytes, total_bytes)
