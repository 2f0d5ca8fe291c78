"""Retention: files and requests that are kept long enough are forgotten.

First the bytes go, then the name behind which they were, then a checkpoint that the request may have left when its
worker was killed, then the request. A sweep that is killed between two of these is finished by the next one.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from filmgate.domain.errors import Unavailable
from filmgate.domain.ports import Files, Queue, Storage
from filmgate.domain.records import checkpoint_key

__all__ = ["Retention"]

_EVERY_S = 600.0
_AT_ONCE = 200

logger = logging.getLogger(__name__)


class Retention:
    """Forgets what is older than `keep_s` seconds. Inputs are kept: a request that waits may need them."""

    def __init__(
        self, queue: Queue, files: Files, storage: Storage, keep_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._queue = queue
        self._files = files
        self._storage = storage
        self._keep_s = keep_s
        self._clock = clock

    async def run(self) -> None:
        """Sweeps from time to time, until it is cancelled."""
        while True:
            try:
                files, requests = await self.sweep()
            except Unavailable as error:
                logger.warning("nothing was forgotten this time: %s", error.sentence)
            else:
                if files or requests:
                    logger.info("forgot %d files and %d requests", files, requests)
            await asyncio.sleep(_EVERY_S)

    async def sweep(self) -> tuple[int, int]:
        """Forgets all that is due; how many files and how many requests."""
        before = self._clock() - self._keep_s
        files = requests = 0
        while expired := await self._files.expired(before, _AT_ONCE):
            await self._storage.delete([file.key for file in expired])
            for file in expired:
                await self._files.forget(file.token)
            files += len(expired)
        while outdated := await self._queue.outdated(before, _AT_ONCE):
            await self._storage.delete([checkpoint_key(request_id) for request_id in outdated])
            await self._queue.forget(outdated)
            requests += len(outdated)
        return files, requests
