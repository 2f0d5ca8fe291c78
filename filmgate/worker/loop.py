"""The worker's loop: claim a request, run it, store what it made, close it, and never give up on the next one."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from filmgate.domain.errors import StartupError, Unavailable
from filmgate.domain.manifest import Manifest
from filmgate.domain.ports import Capabilities, Files, Queue, Storage
from filmgate.domain.records import HandedBack, Lease, Step
from filmgate.worker.attempt import Attempt
from filmgate.worker.child import EngineChild
from filmgate.worker.factory import EngineFactory
from filmgate.worker.limits import WorkerLimits

__all__ = ["Worker"]

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Worker:
    """One device's worker.

    `engines` says where each engine comes from, which only its child process resolves; a model is served by the first
    of them that its manifest names. `holder` is this worker's name in the queue, the same after a restart. Below
    `scratch` it has a folder of that name, which it empties when it starts.
    """

    def __init__(
        self,
        queue: Queue,
        files: Files,
        storage: Storage,
        manifests: Mapping[str, Manifest],
        engines: Mapping[str, EngineFactory],
        holder: str,
        scratch: Path,
        limits: WorkerLimits,
    ) -> None:
        self._queue = queue
        self._files = files
        self._storage = storage
        self._manifests = manifests
        self._served = {
            manifest.id: next(name for name in engines if name in manifest.engines)
            for manifest in manifests.values()
            if not manifest.engines.keys().isdisjoint(engines)
        }
        used = set(self._served.values())
        self._children = {name: EngineChild(name, engines[name], limits) for name in engines if name in used}
        self._engines = engines
        self._holder = holder
        self._scratch = scratch / quote(holder, safe="")
        self._limits = limits

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set; then nothing new is claimed and the running request gets its drain time.

        Raises StartupError when an engine cannot be loaded, or no model is served.
        """
        if not self._served:
            named = ", ".join(self._engines) or "none"
            raise StartupError(f"No model is served by the engines of this worker ({named}).")
        await asyncio.to_thread(self._empty_scratch)
        try:
            await self._serve(stop)
        finally:
            for child in self._children.values():
                await child.close()

    async def _serve(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        try:
            async with aclosing(self._queue.leases(Step.RUN, tuple(self._served), self._holder)) as leases:
                while not stop.is_set():
                    # Before the claim: an engine that cannot be loaded must not take requests and fail them.
                    capabilities = await _unless(stopped, self._start_engines())
                    lease = None if capabilities is None else await _unless(stopped, anext(leases))
                    if lease is not None and capabilities is not None:
                        await self._attend(lease, capabilities, stop)
        finally:
            stopped.cancel()

    async def _start_engines(self) -> Mapping[str, Capabilities]:
        return {name: await child.start() for name, child in self._children.items()}

    async def _attend(self, lease: Lease, capabilities: Mapping[str, Capabilities], stop: asyncio.Event) -> None:
        name = self._served[lease.model_id]
        child = self._children[name]
        if stop.is_set() or not child.alive:
            await self._hand_back(lease, "its worker was not ready for it", counted=False)
            return
        scratch = self._scratch / f"{lease.request_id}-{lease.attempt}"
        manifest = self._manifests[lease.model_id]
        attempt = Attempt(
            lease, manifest, child, capabilities[name], self._queue, self._files, self._storage, scratch, self._limits
        )
        try:
            await attempt.close(stop)
        except Exception:
            logger.exception("Request %s: attempt %d broke off.", lease.request_id, lease.attempt)
            await self._hand_back(lease, "its worker failed at it", counted=True)
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)

    async def _hand_back(self, lease: Lease, reason: str, *, counted: bool) -> None:
        try:
            await self._queue.settle(lease, HandedBack(reason, counted=counted))
        except Unavailable as error:
            # The lease ends by itself, or when this worker starts anew.
            logger.warning("Request %s: not handed back: %s", lease.request_id, error.sentence)

    def _empty_scratch(self) -> None:
        """Removes what an earlier process of this name left, which had no time to."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True, exist_ok=True)


async def _unless(stopped: "asyncio.Task[Any]", work: Awaitable[T]) -> T | None:
    """The result of `work`, or None when `stopped` came first; then `work` was cancelled and has ended."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
        await asyncio.wait({task})
    return None if task.cancelled() else task.result()
