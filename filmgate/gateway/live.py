"""Live statuses: one watcher per process looks for all who listen.

After a commit, at most five times a second, the statuses of all requests that somebody listens to are read in one
statement and handed to the listeners of those that changed. A listener keeps only the latest status, so a slow one
misses steps in between but never the end, and costs no memory. The watcher rests while nobody listens.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

from filmgate.domain.errors import Unavailable
from filmgate.domain.ports import Events
from filmgate.domain.records import RequestStatus
from filmgate.domain.request import RequestId

__all__ = ["Listener", "Live"]

_PAUSE_S = 0.2

logger = logging.getLogger(__name__)


class Listener:
    """Somebody who waits for a request's next status."""

    def __init__(self) -> None:
        self._latest: RequestStatus | None = None
        self._changed = asyncio.Event()
        self.ended = False
        """Nothing more will come: the request is gone, or the process ends."""

    async def change(self, timeout_s: float) -> RequestStatus | None:
        """The latest status, if it changed since the last call; None after `timeout_s` or when all has ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        if not self._changed.is_set() or self.ended:
            return None
        self._changed.clear()
        return self._latest

    def tell(self, status: RequestStatus) -> None:
        if status != self._latest:
            self._latest = status
            self._changed.set()

    def end(self) -> None:
        self.ended = True
        self._changed.set()


class Live:
    """All listeners of a process. `is_ending` says whether it was told to stop: then nobody is kept waiting."""

    def __init__(self, events: Events, is_ending: Callable[[], bool]) -> None:
        self._events = events
        self._is_ending = is_ending
        self._listeners: defaultdict[RequestId, set[Listener]] = defaultdict(set)
        self._watcher: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listening(self, request_id: RequestId) -> AsyncIterator[Listener]:
        """A listener that is told the present status first."""
        listener = Listener()
        self._listeners[request_id].add(listener)
        try:
            await self._look([request_id])
            if self._watcher is None or self._watcher.done():
                self._watcher = asyncio.create_task(self._watch())
            yield listener
        finally:
            self._listeners[request_id].discard(listener)
            if not self._listeners[request_id]:
                del self._listeners[request_id]

    async def _watch(self) -> None:
        async with aclosing(self._events.changes(_PAUSE_S)) as changes:
            async for _ in changes:
                if not self._listeners:
                    return
                if self._is_ending():
                    self._end_all()
                    return
                try:
                    await self._look(list(self._listeners))
                except Unavailable as error:
                    logger.warning("statuses cannot be read now: %s", error.sentence)

    async def _look(self, request_ids: Sequence[RequestId]) -> None:
        statuses = await self._events.statuses(request_ids)
        for request_id in request_ids:
            status = statuses.get(request_id)
            for listener in self._listeners.get(request_id, ()):
                if status is None:
                    listener.end()
                else:
                    listener.tell(status)

    def _end_all(self) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()
