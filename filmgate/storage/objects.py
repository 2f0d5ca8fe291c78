"""Storage in a folder of this machine, through obstore, which speaks to clouds in the same words.

obstore is imported when the first byte moves: it takes 5 MB, which an idle gateway need not have.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from filmgate.domain.errors import FileUnknown, StartupError, Unavailable

if TYPE_CHECKING:
    from obstore.store import LocalStore

__all__ = ["ObjectStorage"]

CHUNK_BYTES = 1 << 20


class ObjectStorage:
    """The port `Storage`. Raises FileUnknown for an absent key, Unavailable when the storage fails."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(f"The storage folder {folder} cannot be made: {error}.") from error
        self._folder = folder.resolve()

    @cached_property
    def _store(self) -> "LocalStore":
        from obstore.store import LocalStore

        return LocalStore(self._folder)

    async def put(self, key: str, source: Path) -> None:
        await asyncio.to_thread(self._put, _checked(key), source)

    async def fetch(self, key: str, target: Path) -> None:
        await asyncio.to_thread(self._fetch, _checked(key), target)

    async def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        if start >= end:
            return
        with _translated(key):
            found = await self._store.get_async(_checked(key), options={"range": (start, end)})
            async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            with suppress(FileUnknown), _translated(key):
                await self._store.delete_async(_checked(key))

    def _put(self, key: str, source: Path) -> None:
        # On disk under another name first: after a power cut the key is there whole or not at all.
        unfinished = f"{key}.{secrets.token_hex(8)}.unfinished"
        with source.open("rb") as content, _translated(key):
            try:
                self._store.put(unfinished, content)
                self._sync(unfinished)
                self._store.rename(unfinished, key)
            finally:
                (self._folder / unfinished).unlink(missing_ok=True)
            for folder in Path(key).parents:
                self._sync(folder)

    def _sync(self, path: str | Path) -> None:
        """Through to the disk: a file's bytes, or a folder's names."""
        descriptor = os.open(self._folder / path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _fetch(self, key: str, target: Path) -> None:
        with _translated(key):
            chunks = self._store.get(key).stream(min_chunk_size=CHUNK_BYTES)
            with target.open("wb") as copy:
                for chunk in chunks:
                    copy.write(chunk)


def _checked(key: str) -> str:
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise ValueError(f"{key!r} is no storage key: its parts are names, neither empty nor dots")
    return key


@contextmanager
def _translated(key: str) -> Iterator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError as error:
        raise FileUnknown(f"The file {key!r} is not kept here, or no longer.") from error
    except (BaseError, OSError) as error:
        raise Unavailable("The storage did not take or give a file just now; try again in a moment.") from error
