"""A worker with a real queue and a real storage, and a caller who submits and looks."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from filmgate.domain.manifest import Manifest
from filmgate.domain.media import ImageFacts
from filmgate.domain.ports import Storage
from filmgate.domain.records import Blob, Input, NewRequest, RequestRecord
from filmgate.domain.request import TERMINAL, AccountId, RequestId
from filmgate.models import SHIPPED, load_catalog
from filmgate.queue.sqlite import Database, SqliteFiles, SqliteQueue
from filmgate.storage.objects import ObjectStorage
from filmgate.worker.factory import EngineFactory
from filmgate.worker.limits import WorkerLimits
from filmgate.worker.loop import Worker

VIDEO = "wan-ai/wan-2-2/image-to-video"
IMAGE = "wan-ai/wan-2-6/image-to-image"
LIMITS = WorkerLimits(beat_s=0.05, stall_s=0.6, stop_grace_s=0.3)
PATIENCE_S = 30.0

_ACCOUNT = AccountId("account")
_PICTURE = Blob("inputs/picture", ImageFacts("png", 640, 480, 1000))
_VALUES: Mapping[str, Mapping[str, Any]] = {
    VIDEO: {"resolution": "480P", "duration": 5},
    IMAGE: {"image_size": "1280*960 (4:3)"},
}


def manifests_for(*engines: str) -> Mapping[str, Manifest]:
    """The shipped manifests, each served by these engines."""
    options: dict[str, dict[str, Any]] = {engine: {} for engine in engines}
    catalog = load_catalog([SHIPPED])
    return {name: msgspec.structs.replace(manifest, engines=options) for name, manifest in catalog.items()}


@dataclass(frozen=True, slots=True)
class World:
    database: Database
    queue: SqliteQueue
    files: SqliteFiles
    storage: Storage
    folder: Path
    picture: Blob = _PICTURE

    async def submit(
        self, prompt: str = "a lighthouse at dusk", model: str = VIDEO, picture: Blob = _PICTURE, **values: Any
    ) -> RequestId:
        request_id = RequestId(f"r{time.monotonic_ns()}")
        media = (Input("img_url" if model == VIDEO else "image_urls", blob=picture),)
        values = {**_VALUES[model], "prompt": prompt, **values}
        await self.queue.put(NewRequest(request_id, _ACCOUNT, model, values, media, seed=7))
        return request_id

    async def find(self, request_id: RequestId) -> RequestRecord:
        record = await self.queue.find(request_id, _ACCOUNT)
        assert record is not None
        return record

    async def stop(self, request_id: RequestId) -> None:
        await self.queue.cancel(request_id, _ACCOUNT, force=True)

    async def when(self, request_id: RequestId, holds: Callable[[RequestRecord], bool]) -> RequestRecord:
        """The record as soon as `holds` is true of it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                record = await self.find(request_id)
                if holds(record):
                    return record
                await asyncio.sleep(0.002)

    async def ended(self, request_id: RequestId) -> RequestRecord:
        return await self.when(request_id, lambda record: record.state in TERMINAL)

    def stored_outputs(self) -> list[str]:
        return self.stored("outputs")

    def stored(self, below: str) -> list[str]:
        """What lies in storage below a folder, as keys."""
        root = self.folder / "storage"
        return sorted(str(path.relative_to(root)) for path in (root / below).rglob("*") if path.is_file())

    def scratch_files(self) -> list[Path]:
        return list((self.folder / "scratch" / "worker-1").iterdir())

    def worker(self, engine: str, limits: WorkerLimits = LIMITS, storage: Storage | None = None) -> Worker:
        return Worker(
            queue=self.queue,
            files=self.files,
            storage=storage or self.storage,
            manifests=manifests_for("test"),
            engines={"test": EngineFactory(f"tests.engines.{engine}")},
            holder="worker-1",
            scratch=self.folder / "scratch",
            limits=limits,
        )


@asynccontextmanager
async def open_world(folder: Path) -> AsyncIterator[World]:
    database = Database(folder / "filmgate.db")
    try:
        storage = ObjectStorage(folder / "storage")
        picture = folder / "picture.png"
        picture.write_bytes(b"a picture")
        await storage.put(_PICTURE.key, picture)
        yield World(database, SqliteQueue(database), SqliteFiles(database), storage, folder)
    finally:
        database.close()


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Event]:
    """Runs the worker meanwhile and lets it end afterwards; gives its stop event."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if condition():
                return
            await asyncio.sleep(0.002)


def in_world(folder: Path, scenario: Callable[[World], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_world(folder) as world:
            await scenario(world)

    asyncio.run(run())


class Meddling:
    """A storage in which something happens at every put."""

    def __init__(self, storage: Storage, happens: Callable[[], Awaitable[None]]) -> None:
        self._storage = storage
        self._happens = happens
        self.fetch, self.stream, self.delete = storage.fetch, storage.stream, storage.delete

    async def put(self, key: str, source: Path) -> None:
        await self._storage.put(key, source)
        await self._happens()
