"""One claimed request, from its claim to its closing.

The work (fetch inputs, run the engine, store outputs) is one task. Beside it the lease is kept alive, and whatever ends
the work early, be it the caller, a lost lease or the worker's own end, cancels that task; the engine's handle makes a
cancelled run stop. What was stored is deleted again unless the request was closed as succeeded with it; a checkpoint
stays for as long as there may be another attempt.
"""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import assert_never

from filmgate.domain.errors import FileUnknown, RequestFailure, Unavailable
from filmgate.domain.job import cost_microdollars, job_for
from filmgate.domain.manifest import Manifest
from filmgate.domain.media import AudioFacts
from filmgate.domain.ports import Capabilities, Files, Job, Queue, Result, Storage
from filmgate.domain.records import (
    Beat,
    Failed,
    HandedBack,
    Lease,
    Outcome,
    Output,
    Progress,
    Stopped,
    Succeeded,
)
from filmgate.worker.checkpoints import Checkpoints
from filmgate.worker.child import Died, EngineChild, Hung
from filmgate.worker.limits import WorkerLimits
from filmgate.worker.messages import Broke, Finished, Halted, Previewed, Raised, Refused, Reported
from filmgate.worker.outputs import FinishedFile, judge_files
from filmgate.worker.previews import Previews
from filmgate.worker.report import LINES_KEPT

__all__ = ["Attempt"]

logger = logging.getLogger(__name__)

_TOKEN_BYTES = 24
_STORAGE_DELAYS_S = (0.2, 1.0, 3.0)
"""Pauses before asking the storage again: a result on the local disk outlives a storage's bad moment."""


class _Cut(IntEnum):
    """Why the work is cut short; the higher one counts."""

    WORKER_ENDS = 1
    CALLER_STOPS = 2
    LEASE_LOST = 3


class Attempt:
    """Handles one lease. `scratch` is made for it, and removed by the caller afterwards."""

    def __init__(
        self,
        lease: Lease,
        manifest: Manifest,
        child: EngineChild,
        capabilities: Capabilities,
        queue: Queue,
        files: Files,
        storage: Storage,
        scratch: Path,
        limits: WorkerLimits,
    ) -> None:
        self._lease = lease
        self._manifest = manifest
        self._child = child
        self._capabilities = capabilities
        self._queue = queue
        self._storage = storage
        self._scratch = scratch
        self._limits = limits
        self._checkpoints = Checkpoints(lease, storage)
        self._previews = Previews(lease, files, storage, scratch, self._beat)
        self._working: asyncio.Task[Outcome] | None = None
        self._fraction = 0.0
        self._stage = "preparing"
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._lines_unsaid = False
        self._cut: _Cut | None = None
        self._storing = False
        self._keys: list[str] = []

    async def close(self, stop: asyncio.Event) -> None:
        """Works on the request and settles it. `stop` is set when the worker is to end."""
        try:
            await self._work_and_settle(stop)
        finally:
            await self._previews.end()

    async def _work_and_settle(self, stop: asyncio.Event) -> None:
        try:
            outcome = self._outcome(await self._watched_work(stop))
        except BaseException:
            await self._forget_outputs()
            raise
        # Should this raise, the closing may be on disk all the same: then the outputs must stay.
        closed = outcome is not None and await self._settle(outcome, stop)
        if not (closed and isinstance(outcome, Succeeded)):
            await self._forget_outputs()
        if closed and not isinstance(outcome, HandedBack):
            await self._checkpoints.forget()

    async def _forget_outputs(self) -> None:
        if self._keys:
            await self._storage.delete(self._keys)

    async def _watched_work(self, stop: asyncio.Event) -> Outcome | None:
        """What came of the work; None when it was cut short."""
        async with asyncio.TaskGroup() as tasks:
            work = self._working = tasks.create_task(self._work())
            watchers = (tasks.create_task(self._keep_lease()), tasks.create_task(self._drain(stop)))
            await asyncio.wait({work})
            for watcher in watchers:
                watcher.cancel()
        if self._lines_unsaid:
            # A short request, or one that fails, says what matters in the lines after its last beat.
            await self._beat()
        return None if work.cancelled() else work.result()

    def _outcome(self, worked: Outcome | None) -> Outcome | None:
        """How the attempt ends, or None when it is no longer ours to say."""
        match self._cut:
            case _Cut.LEASE_LOST:
                return None
            case _Cut.CALLER_STOPS:
                return Stopped()
            case _Cut.WORKER_ENDS:
                return worked or HandedBack("its worker was told to end", counted=False)
            case None:
                return worked
            case _:
                assert_never(self._cut)

    # ------------------------------------------------------------------------------------------------- watching

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._limits.beat_s)
            await self._beat()

    async def _beat(self) -> None:
        progress = Progress(self._fraction, self._stage, tuple(self._lines), self._previews.token)
        self._lines_unsaid = False
        try:
            beat = await self._queue.beat(self._lease, progress)
        except Unavailable as error:
            logger.warning("Request %s: no beat: %s", self._lease.request_id, error.sentence)
            return
        if beat is Beat.STOP:
            self._cut_short(_Cut.CALLER_STOPS)
        elif beat is Beat.LOST:
            self._cut_short(_Cut.LEASE_LOST)

    async def _drain(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(self._limits.drain_s)
        self._cut_short(_Cut.WORKER_ENDS)

    def _cut_short(self, why: _Cut) -> None:
        # Storing takes a moment and may be under way in a thread, which no cancelling stops: it is let finish.
        if self._working is not None and self._cut is None and not self._storing:
            self._working.cancel()
        self._cut = max(self._cut or why, why)

    async def _settle(self, outcome: Outcome, stop: asyncio.Event) -> bool:
        """Tries until the database answers: what was made on the device is too dear to throw away."""
        while True:
            try:
                return await self._queue.settle(self._lease, outcome)
            except Unavailable as error:
                if stop.is_set():
                    raise
                logger.warning("Request %s: not closed yet: %s", self._lease.request_id, error.sentence)
                await asyncio.sleep(error.retry_after_s)

    # -------------------------------------------------------------------------------------------------- working

    async def _work(self) -> Outcome:
        try:
            folder = self._scratch / "work"
            folder.mkdir(parents=True)
            files = await self._fetch_inputs()
            checkpoint = await self._checkpoints.latest(self._scratch / "checkpoint")
            job = job_for(self._manifest, self._lease, files, folder, self._child.name, checkpoint)
            started_at = time.monotonic()
            ending = await self._child.run(job, self._hear, self._checkpoints.keep)
            running_s = time.monotonic() - started_at
            if isinstance(ending, Finished):
                return await self._store(job, ending.result, running_s)
            return self._unfinished(ending)
        except RequestFailure as failure:
            return Failed(failure.code, failure.sentence, failure.retryable)
        except FileUnknown:
            sentence = "An input of this request is no longer kept here; send the request again."
            return Failed("input_lost", sentence, retryable=True)
        except Unavailable as error:
            logger.warning("Request %s: %s", self._lease.request_id, error.sentence)
            sentence = "The storage took no files, it may be full; send the request again later."
            return Failed("storage_unavailable", sentence, retryable=True)

    async def _fetch_inputs(self) -> Sequence[Path]:
        files = []
        for index, value in enumerate(self._lease.media):
            if value.blob is None:
                raise RuntimeError(f"request {self._lease.request_id} was claimed before {value.name} was frozen")
            suffix = ".wav" if isinstance(value.blob.facts, AudioFacts) else ".png"
            files.append(self._scratch / f"input-{index}{suffix}")
            await _patiently(partial(self._storage.fetch, value.blob.key, files[-1]))
        return files

    def _hear(self, reported: Reported | Previewed) -> None:
        if isinstance(reported, Previewed):
            self._previews.show(reported.content)
            return
        self._fraction = max(self._fraction, reported.fraction)
        self._stage = reported.stage
        self._lines.extend(reported.lines)
        self._lines_unsaid = self._lines_unsaid or bool(reported.lines)

    async def _store(self, job: Job, result: Result, running_s: float) -> Succeeded:
        started_at = time.monotonic()
        self._storing = True
        self._stage = "storing"
        finished = await asyncio.to_thread(
            judge_files, self._child.name, self._manifest.category, result.files, job.scratch
        )
        outputs = [await self._store_file(file) for file in finished]
        details = {**result.details, "metrics": dict(result.metrics)} if result.metrics else result.details
        return Succeeded(
            outputs=tuple(outputs),
            engine=self._capabilities.engine,
            engine_version=self._capabilities.version,
            seed=result.seed,
            actual_prompt=result.actual_prompt,
            running_s=running_s,
            storing_s=time.monotonic() - started_at,
            cost_microdollars=cost_microdollars(self._manifest, job),
            served_by=result.served_by,
            warnings=result.warnings,
            details=details,
        )

    async def _store_file(self, file: FinishedFile) -> Output:
        key = f"outputs/{self._lease.request_id}/{self._lease.attempt}/{file.name}"
        self._keys.append(key)
        await _patiently(partial(self._storage.put, key, file.path))
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        return Output(token, file.name, key, file.content_type, file.size_bytes, file.digest)

    def _unfinished(self, ending: Refused | Raised | Halted | Broke | Died | Hung) -> Outcome:
        engine = self._child.name
        match ending:
            case Refused() | Raised():
                return Failed(ending.code, ending.sentence, ending.retryable)
            case Halted():
                return Failed("engine_failed", f"The engine {engine} stopped, though nobody told it to.")
            case Hung():
                sentence = f"The engine {engine} gave no sign of life for {ending.silent_s:g} s and was ended."
                return Failed("engine_hung", sentence, retryable=True)
            case Broke() | Died():
                how = ending.how if isinstance(ending, Died) else f"could not go on: {ending.sentence.rstrip('.')}"
                logger.warning("Request %s: the engine %s %s.", self._lease.request_id, engine, how)
                return HandedBack(f"the engine {engine} {how}", counted=True)
            case _:
                assert_never(ending)


async def _patiently(ask: Callable[[], Awaitable[None]]) -> None:
    """Asks the storage once more after each pause. Raises Unavailable when none of it helped."""
    for delay_s in _STORAGE_DELAYS_S:
        try:
            return await ask()
        except Unavailable as error:
            logger.warning("%s", error.sentence)
        await asyncio.sleep(delay_s)
    return await ask()
