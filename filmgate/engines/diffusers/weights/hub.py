"""The Hugging Face hub, or a mirror that HF_ENDPOINT names: what a repository has, and its files.

The library's own way to fetch a repository starts a file anew that an earlier run broke off, and files of weights have
ten gigabytes. So each file is fetched here with the library's parts, which can go on inside a file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers

from filmgate.engines.diffusers.weights.checksums import sha256_of
from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.record import FileRecord
from filmgate.engines.diffusers.weights.staging import disk_fault

__all__ = ["Hub", "RemoteFile", "Repository", "fetched_bytes"]

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository. `sha256` is empty for the small ones, which git itself keeps."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Repository:
    """What a repository has at one commit."""

    name: str
    commit: str
    files: tuple[RemoteFile, ...]


class Hub:
    """Reads from the hub at `endpoint`, by default where HF_ENDPOINT says. Everything that fails is a WeightsFault."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = (endpoint or constants.ENDPOINT).rstrip("/")

    def look_up(self, repository: str) -> Repository:
        """The repository as it is now."""
        with self._faults_told(repository):
            found = HfApi(endpoint=self._endpoint).model_info(repository, files_metadata=True, timeout=_TIMEOUT_S)
        files = tuple(
            RemoteFile(entry.rfilename, entry.size or 0, entry.lfs.sha256 if entry.lfs else "")
            for entry in found.siblings or ()
        )
        return Repository(repository, found.sha or constants.DEFAULT_REVISION, files)

    def fetch(
        self, repository: Repository, file: RemoteFile, path: Path, progress: Callable[[int], None]
    ) -> FileRecord:
        """Fetches a file to `path`, from where an earlier call was broken off.

        `progress` is called with how many bytes more have come, which may be below zero; what it raises ends the call.
        """
        partial = _partial(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without a checksum one could not tell whether two halves are of the same file.
        if not file.sha256 or fetched_bytes(path) > file.bytes:
            partial.unlink(missing_ok=True)
        with self._faults_told(repository.name), partial.open("ab") as target:
            http_get(
                hf_hub_url(repository.name, file.name, revision=repository.commit, endpoint=self._endpoint),
                target,
                resume_size=target.tell(),
                headers=build_hf_headers(),
                expected_size=file.bytes or None,
                tqdm_class=_bar_calling(progress),
            )
        found = sha256_of(partial)
        if file.sha256 and found != file.sha256:
            partial.unlink()
            raise WeightsFault(
                f"{file.name} of {repository.name} arrived damaged and was deleted: its sha256 is {found}, but the "
                f"repository says {file.sha256}. Run the command again.",
                code="file_damaged",
            )
        partial.replace(path)
        return FileRecord(path.stat().st_size, found)

    @contextmanager
    def _faults_told(self, repository: str) -> Iterator[None]:
        try:
            yield
        except OfflineModeIsEnabled as error:
            raise WeightsFault(
                "Nothing is fetched while HF_HUB_OFFLINE is set; unset it and run the command again.",
                code="hub_offline",
            ) from error
        except GatedRepoError as error:
            raise WeightsFault(
                f"{repository} is given only to those who accept its conditions: do so at "
                f"{self._endpoint}/{repository}, then set HF_TOKEN to a token of your account.",
                code="repository_gated",
            ) from error
        except RepositoryNotFoundError as error:
            raise WeightsFault(
                f"There is no repository {repository} at {self._endpoint}, or it is private: then set HF_TOKEN to a "
                "token that may read it.",
                code="repository_unknown",
            ) from error
        except HfHubHTTPError as error:
            raise WeightsFault(
                f"{self._endpoint} answered {error.response.status_code} about {repository}; try again later. "
                "What was fetched is kept.",
                code="hub_unreachable",
            ) from error
        except httpx2.TransportError as error:
            raise WeightsFault(
                f"{self._endpoint} cannot be reached ({type(error).__name__}). Check the connection to the internet, "
                "or name a mirror with HF_ENDPOINT, and run the command again: what was fetched is kept.",
                code="hub_unreachable",
            ) from error
        except OSError as error:
            if error.errno is not None:
                raise disk_fault(error, f"Fetching {repository}") from error
            # The library's: a file that ended early, or an answer that is not the hub's.
            first_line = str(error).splitlines()[0]
            raise WeightsFault(f"Fetching {repository} failed: {first_line}", code="hub_unreachable") from error


def fetched_bytes(path: Path) -> int:
    """How much of a file is there from earlier calls."""
    found = path if path.exists() else _partial(path)
    return found.stat().st_size if found.exists() else 0


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _bar_calling(progress: Callable[[int], None]) -> Any:
    """What the library takes for a progress bar."""

    class Bar:
        def __init__(self, **_: object) -> None:
            pass

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def update(self, count: float = 1) -> None:
            progress(int(count))

    return Bar
