"""What is coming, shown while a request runs: one small moving picture at a time, each in place of the one before.

A preview is a file like an output, behind a token that nobody can guess, and lives as long as its attempt. What a
killed worker leaves is an old file among others and is swept with them.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from filmgate.domain.errors import Unavailable
from filmgate.domain.ports import Files, Storage
from filmgate.domain.records import PREVIEW_NAME, Lease, PublicFile

__all__ = ["Previews"]

logger = logging.getLogger(__name__)

_TOKEN_BYTES = 24
_SIGNATURES = ((0, b"RIFF"), (8, b"WEBP"))


class Previews:
    """The previews of one attempt. `changed` is awaited when another one is to be told of."""

    def __init__(
        self, lease: Lease, files: Files, storage: Storage, scratch: Path, changed: Callable[[], Awaitable[None]]
    ) -> None:
        self._lease = lease
        self._files = files
        self._storage = storage
        self._path = scratch / PREVIEW_NAME
        self._changed = changed
        self._count = 0
        self._there: list[PublicFile] = []
        self._showing: asyncio.Task[None] | None = None

    @property
    def token(self) -> str:
        """Of the latest one; empty where there is none."""
        return self._there[-1].token if self._there else ""

    def show(self, content: bytes) -> None:
        """Begins to show a WebP. One that comes while another is still being stored is dropped."""
        if any(content[start : start + len(wanted)] != wanted for start, wanted in _SIGNATURES):
            logger.warning("Request %s: a preview is no WebP.", self._lease.request_id)
        elif self._showing is None or self._showing.done():
            self._showing = asyncio.create_task(self._show(content))

    async def end(self) -> None:
        """Waits for the one under way and removes all."""
        if self._showing is not None:
            await self._showing
        there, self._there = self._there, []
        await self._forget(there)

    async def _show(self, content: bytes) -> None:
        self._count += 1
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        key = f"previews/{self._lease.request_id}/{self._lease.attempt}-{self._count}.webp"
        digest = hashlib.sha256(content).hexdigest()
        file = PublicFile(token, PREVIEW_NAME, key, "image/webp", len(content), digest, self._lease.account_id)
        try:
            await asyncio.to_thread(self._path.write_bytes, content)
            await self._storage.put(key, self._path)
            await self._files.publish(file)
        except (Unavailable, OSError) as error:
            logger.warning("Request %s: a preview was not stored: %s", self._lease.request_id, error)
            await self._forget([file])
            return
        before, self._there = self._there, [file]
        await self._changed()
        await self._forget(before)

    async def _forget(self, files: list[PublicFile]) -> None:
        try:
            await self._storage.delete([file.key for file in files])
            for file in files:
                await self._files.forget(file.token)
        except Unavailable as error:
            # They go when they are old.
            logger.warning("Request %s: a preview was not removed: %s", self._lease.request_id, error.sentence)
