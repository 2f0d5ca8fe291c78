"""Fetches sets and low-rank packs from the hub: safetensors, configurations and tokenizers, never a pickle.

A set grows in a folder beside its place and moves there whole. Whatever breaks a download off, the next call goes on
where it ended, in the middle of a file too.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.catalog import LORAS, WeightSet, installed
from filmgate.engines.diffusers.weights.checksums import sha256_of
from filmgate.engines.diffusers.weights.completeness import INDEX_NAME, TENSORLESS, faults, parts_in, stored_format
from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.header import HeaderInvalid, read_header
from filmgate.engines.diffusers.weights.hub import Hub, RemoteFile, Repository, fetched_bytes
from filmgate.engines.diffusers.weights.record import FileRecord, Record, read_record, write_record
from filmgate.engines.diffusers.weights.staging import put_in_place, require_room, restore, staging_folder
from filmgate.engines.diffusers.weights.verify import Progress

__all__ = ["pull_pack", "pull_set"]

_FILES_AT_ONCE = 4
_KINDS = (".safetensors", ".json", ".txt", ".model", ".jinja")
"""Endings of what is fetched: tensors, configurations, and the words and rules of tokenizers."""
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


def pull_set(hub: Hub, weights_folder: Path, weights: WeightSet, progress: Progress) -> bool:
    """Puts the set into the folder; False if it was there, whole, already. Raises WeightsFault."""
    final = weights_folder / weights.name
    staged = staging_folder(final, "pulling")
    restore(final)
    if final.is_dir() and _is_whole(weights_folder, weights.name):
        return False
    repository = hub.look_up(weights.repository)
    files = _wanted(repository, _model_index(hub, repository))
    if final.is_dir() and not staged.exists():
        # What is there of it need not be fetched again.
        final.rename(staged)
    missing_bytes = sum(max(0, file.bytes - fetched_bytes(staged / file.name)) for file in files)
    require_room(weights_folder, missing_bytes, f"Fetching {weights.name}")
    fetched = _fetch_all(hub, repository, files, staged, progress)
    for fault in faults(staged, Record()):
        raise WeightsFault(f"{repository.name} is not whole as it is published: {fault}.", code="file_damaged")
    format_name = stored_format(staged)
    write_record(staged, Record(made_by="pull", revision=repository.commit, format=format_name, files=fetched))
    put_in_place(staged, final)
    return True


def pull_pack(hub: Hub, weights_folder: Path, repository_name: str, name: str, progress: Progress) -> bool:
    """Puts one low-rank pack into the folder's `loras`; False if it was there already. Raises WeightsFault."""
    folder = weights_folder / LORAS
    path = folder / PurePosixPath(name).name
    if path.exists():
        return False
    repository = hub.look_up(repository_name)
    file = next((file for file in repository.files if file.name == name), None)
    if file is None or not name.endswith(".safetensors"):
        raise WeightsFault(f"{repository_name} has no file {name} any more.", code="repository_unknown")
    require_room(folder, file.bytes - fetched_bytes(path), f"Fetching {name}")
    meter = _Meter(progress, file.bytes)
    meter.add(name, fetched_bytes(path))
    fetched = hub.fetch(repository, file, path, lambda count: meter.add(name, count))
    try:
        read_header(path)
    except HeaderInvalid as fault:
        path.unlink()
        raise WeightsFault(f"{repository_name}: {name} {fault}.", code="file_damaged") from fault
    record = read_record(folder)
    write_record(folder, replace(record, files={**record.files, path.name: fetched}))
    return True


def _is_whole(weights_folder: Path, name: str) -> bool:
    try:
        installed(weights_folder, name)
    except EngineFailure as failure:
        if read_record(weights_folder / name).made_by in ("convert", "make-tiny"):
            # What the hub has would not fit the rest.
            raise WeightsFault(failure.sentence, code="weights_present") from failure
        return False
    return True


def _model_index(hub: Hub, repository: Repository) -> bytes:
    file = next((file for file in repository.files if file.name == INDEX_NAME), None)
    if file is None:
        raise WeightsFault(
            f"{repository.name} has no {INDEX_NAME}, so it is not in the layout of diffusers.", code="format_unfit"
        )
    with TemporaryDirectory() as folder:
        path = Path(folder) / INDEX_NAME
        hub.fetch(repository, file, path, lambda _: None)
        return path.read_bytes()


def _wanted(repository: Repository, model_index: bytes) -> Sequence[RemoteFile]:
    """The files of the parts that the set has. Raises WeightsFault (`only_pickles`)."""
    try:
        parts = parts_in(model_index)
    except ValueError as error:
        raise WeightsFault(f"{repository.name}: {INDEX_NAME} is damaged.", code="file_damaged") from error
    found = [file for file in repository.files if file.name == INDEX_NAME]
    for part in parts:
        here = [file for file in repository.files if PurePosixPath(file.name).parent == PurePosixPath(part)]
        kept = [file for file in here if file.name.endswith(_KINDS)]
        pickles = [file.name for file in here if file.name.endswith(_PICKLES)]
        if part not in TENSORLESS and pickles and not any(file.name.endswith(".safetensors") for file in kept):
            raise WeightsFault(
                f"{repository.name} offers its {part} only as a pickle ({pickles[0]}), which could run any program "
                "when it is loaded: it is not fetched.",
                code="only_pickles",
            )
        found += kept
    return found


def _fetch_all(
    hub: Hub, repository: Repository, files: Sequence[RemoteFile], staged: Path, progress: Progress
) -> dict[str, FileRecord]:
    """Fetches what is not there, several files at a time, and notes in the staged record what is done."""
    done = dict(_fetched_before(files, staged))
    meter = _Meter(progress, sum(file.bytes for file in files))
    lock = threading.Lock()

    def fetch(file: RemoteFile) -> None:
        meter.add(file.name, file.bytes if file.name in done else fetched_bytes(staged / file.name))
        if file.name in done:
            return
        fetched = hub.fetch(repository, file, staged / file.name, lambda count: meter.add(file.name, count))
        with lock:
            done[file.name] = fetched
            write_record(staged, Record(made_by="pull", revision=repository.commit, files=done))

    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        futures = [pool.submit(fetch, file) for file in files]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            # Leaving the block waits for what is under way; that ends at its next piece.
            meter.stop()
            for future in futures:
                future.cancel()
            raise
    return done


def _fetched_before(files: Sequence[RemoteFile], staged: Path) -> Iterator[tuple[str, FileRecord]]:
    """What need not be fetched again. Other files of these names are deleted; they are small, or not what they were."""
    known = read_record(staged).files
    for file in files:
        path = staged / file.name
        if not path.exists():
            continue
        # A note saves reading it all again; without one it may be anything that somebody put there.
        noted = known.get(file.name) == FileRecord(path.stat().st_size, file.sha256)
        if noted or sha256_of(path) == file.sha256:
            yield file.name, FileRecord(file.bytes, file.sha256)
        else:
            path.unlink()


class _Stopped(Exception):
    """Ends a download that is under way when another one failed."""


class _Meter:
    """Adds up what several downloads report."""

    def __init__(self, progress: Progress, total_bytes: int) -> None:
        self._progress = progress
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._stopped = False
        self._lock = threading.Lock()

    def add(self, name: str, count: int) -> None:
        """Raises _Stopped once the meter was stopped."""
        with self._lock:
            if self._stopped:
                raise _Stopped
            self._done_bytes += count
            self._progress(name, self._done_bytes, self._total_bytes)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
