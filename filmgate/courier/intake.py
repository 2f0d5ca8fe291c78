"""Intake: fetches the inputs of accepted requests, has them judged, freezes them, and moves the requests on."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing

from filmgate.courier.fetch import Fetcher
from filmgate.domain.errors import InputRejected, InputUnreachable, RequestFailure, Unavailable
from filmgate.domain.manifest import Manifest
from filmgate.domain.media import MediaLimits
from filmgate.domain.ports import Queue
from filmgate.domain.records import Beat, Failed, Frozen, HandedBack, Input, Lease, Outcome, Progress, Step
from filmgate.service.inputs import InputFreezer

__all__ = ["Intake"]

_BEAT_S = 2.0
_AT_ONCE = 16
"""Requests whose inputs are fetched at the same time."""

_LARGEST_BYTES = 64 * 1024 * 1024
"""What is fetched at most where a manifest has no rule for the size of a file."""

logger = logging.getLogger(__name__)


class Intake:
    """One courier's work on inputs."""

    def __init__(
        self, catalog: Mapping[str, Manifest], queue: Queue, fetcher: Fetcher, freezer: InputFreezer, holder: str
    ) -> None:
        self._catalog = catalog
        self._queue = queue
        self._fetcher = fetcher
        self._freezer = freezer
        self._holder = holder
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Works until it is cancelled; what it holds then is handed back at once."""
        leases = self._queue.leases(Step.FETCH, list(self._catalog), self._holder)
        async with asyncio.TaskGroup() as tasks, aclosing(leases):
            await self._places.acquire()
            async for lease in leases:
                tasks.create_task(self._hold(lease))
                await self._places.acquire()

    async def _hold(self, lease: Lease) -> None:
        """Brings one request's inputs in, for as long as the lease is ours."""
        work = asyncio.ensure_future(self._outcome(lease))
        try:
            while not (await asyncio.wait({work}, timeout=_BEAT_S))[0]:
                if await self._queue.beat(lease, Progress()) is not Beat.GO_ON:
                    return
            await self._queue.settle(lease, work.result())
        except asyncio.CancelledError:
            await self._queue.settle(lease, HandedBack("the courier was told to stop", counted=False))
            raise
        except Unavailable as error:
            logger.warning("the inputs of request %s cannot be kept now: %s", lease.request_id, error.sentence)
            await asyncio.sleep(error.retry_after_s)
            await self._queue.settle(lease, HandedBack("its inputs cannot be kept now", counted=False))
        except Exception as error:  # the outermost handler of a request: the courier goes on
            logger.error("the inputs of request %s could not be brought in", lease.request_id, exc_info=error)
            await self._queue.settle(lease, HandedBack("the courier failed", counted=True))
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            self._places.release()

    async def _outcome(self, lease: Lease) -> Outcome:
        manifest = self._catalog[lease.model_id]
        try:
            return Frozen(tuple([await self._frozen(value, manifest.media[value.name]) for value in lease.media]))
        except RequestFailure as error:
            return Failed(error.code, error.sentence, retryable=error.retryable)

    async def _frozen(self, value: Input, limits: MediaLimits) -> Input:
        if value.url is None:
            return value
        source = self._freezer.new_path()
        try:
            fetched = await self._fetcher.fetch(value.url, source, _size_limit(limits)[0])
            return Input(value.name, blob=await self._freezer.freeze(source, fetched.sha256, limits.kind, limits))
        except InputUnreachable as error:
            sentence = _size_limit(limits)[1]
            if error.code == "url_too_large" and sentence is not None:
                raise InputRejected(sentence) from error
            raise
        finally:
            source.unlink(missing_ok=True)


def _size_limit(limits: MediaLimits) -> tuple[int, str | None]:
    """How many bytes are worth fetching, and the sentence for a file that has more."""
    bounds = [(int(rule.value), rule.sentence) for rule in limits.rules if rule.measure == "size_bytes"]
    return min(bounds) if bounds else (_LARGEST_BYTES, None)
