"""The composition root: the one file that names concrete adapters. It builds each role and runs it until it is told
to end."""

import asyncio
import os
import re
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filmgate.config import Settings
from filmgate.domain.errors import SettingInvalid
from filmgate.domain.manifest import Manifest
from filmgate.domain.records import Key
from filmgate.models import SHIPPED, load_catalog
from filmgate.queue.sqlite import (
    Database,
    SqliteAccounts,
    SqliteEvents,
    SqliteFiles,
    SqliteOutbox,
    SqliteQueue,
    SqliteSecrets,
)
from filmgate.service.access import OWNER, Access
from filmgate.supervise.inheritance import bind_socket, http_url, inherited_socket
from filmgate.worker.factory import EngineFactory

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from filmgate.domain.webhook import Delivery
    from filmgate.service.inputs import InputFreezer
    from filmgate.service.signing import PublicKey, ShownSecret, Signing

__all__ = [
    "KeyStore",
    "WebhookStore",
    "engine_factories",
    "first_start",
    "key_store",
    "load_manifests",
    "run_courier",
    "run_gateway",
    "run_worker",
    "served_manifests",
    "webhook_store",
]

ENGINES: Mapping[str, str] = {
    "preview": "filmgate.engines.preview.engine:PreviewEngine",
    "diffusers": "filmgate.engines.diffusers.engine:DiffusersEngine",
}
"""The engines that ship with Filmgate, by name; the operator's settings add others."""

OPTIONS: Mapping[str, Sequence[str]] = {
    "diffusers": (
        "weights", "device", "profile", "substitutes", "device_memory_gb", "host_memory_gb", "frame_interpolation",
        "checkpoint_steps",
    )
}  # fmt: skip
"""The settings that a shipped engine is made with."""


def load_manifests(settings: Settings) -> Mapping[str, Manifest]:
    """The shipped models and the operator's. Raises ManifestInvalid."""
    return load_catalog([SHIPPED, *settings.models])


def served_manifests(settings: Settings) -> Mapping[str, Manifest]:
    """The models that workers of these settings run, if their engines can. Raises ManifestInvalid, SettingInvalid."""
    manifests = load_manifests(settings)
    engines = engine_factories(settings)
    for model_id in settings.serve:
        if model_id not in manifests:
            raise SettingInvalid(f"serve: there is no model {model_id!r}; known are {', '.join(manifests)}.")
        if engines.keys().isdisjoint(manifests[model_id].engines):
            able = ", ".join(manifests[model_id].engines)
            raise SettingInvalid(f"serve: {model_id} is run by {able}, none of which is among the engines set.")
    return {model_id: manifests[model_id] for model_id in settings.serve or manifests}


def engine_factories(settings: Settings, worker: str = "") -> Mapping[str, EngineFactory]:
    """How the worker of this name makes each engine that the settings name. Raises SettingInvalid."""
    factories: dict[str, EngineFactory] = {}
    for entry in settings.engines:
        name, given, target = entry.partition("=")
        if given:
            factories[name] = EngineFactory(target)
        elif name in ENGINES:
            options = {option: _engine_option(settings, option, worker) for option in OPTIONS.get(name, ())}
            factories[name] = EngineFactory(ENGINES[name], options)
        else:
            known = ", ".join(ENGINES)
            raise SettingInvalid(f"engines: {name!r} is none of {known}; name another as name=package.module:Callable.")
    return factories


def _engine_option(settings: Settings, name: str, worker: str) -> Any:
    value = getattr(settings, name)
    if name == "device" and value == "auto" and (number := re.fullmatch(r"worker-([1-9][0-9]*)", worker)):
        # The engine, which alone can see the cards, spreads the workers of one machine over them.
        return f"auto:{int(number[1]) - 1}"
    return str(value) if isinstance(value, Path) else value


# ------------------------------------------------------------------------------------------------------------- roles


def run_gateway(settings: Settings, name: str) -> None:
    """Serves HTTP until SIGTERM or SIGINT, then lets running calls end. Writes its address to `<data>/gateway.url`."""
    import uvicorn

    listener = inherited_socket() or bind_socket(settings.host, settings.port)
    with _database(settings) as database:
        config = uvicorn.Config(
            _gateway_app(settings, database, name, is_ending=lambda: server.should_exit),
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.drain_s),
        )
        server = uvicorn.Server(config)
        (settings.data / "gateway.url").write_text(f"{http_url(listener)}\n")
        server.run(sockets=[listener])


def _gateway_app(settings: Settings, database: Database, name: str, is_ending: Callable[[], bool]) -> "Starlette":
    from filmgate.courier.urls import UrlPolicy
    from filmgate.gateway.app import gateway_app
    from filmgate.gateway.context import Context
    from filmgate.gateway.live import Live
    from filmgate.service.requests import Requests
    from filmgate.service.webhooks import Webhooks
    from filmgate.web.pages import pages

    queue, files = SqliteQueue(database, lease_s=settings.lease_s), SqliteFiles(database)
    freezer = _freezer(settings, files, name)
    policy = UrlPolicy.of(settings.fetch_allow, allow_http=settings.fetch_http)
    receivers = UrlPolicy.of(settings.webhook_allow, allow_http=settings.webhook_http)
    events = SqliteEvents(database)
    context = Context(
        requests=Requests(load_manifests(settings), queue, files, freezer, policy.check),
        webhooks=Webhooks(SqliteOutbox(database), events, receivers.check),
        signing=_signing(settings, database),
        live=Live(events, is_ending),
        access=Access(SqliteAccounts(database)),
        files=files,
        storage=freezer.storage,
        freezer=freezer,
        public_url=settings.public_url,
        max_body_bytes=settings.max_body_bytes,
    )
    return gateway_app(context, pages())


def run_courier(settings: Settings, name: str) -> None:
    """Fetches inputs and delivers webhooks until SIGTERM or SIGINT, then hands back what it holds."""
    from filmgate.courier.delivery import Deliverer
    from filmgate.courier.fetch import Fetcher
    from filmgate.courier.intake import Intake
    from filmgate.courier.post import Poster
    from filmgate.courier.retention import Retention

    async def courier() -> None:
        fetcher = Fetcher(settings.fetch_allow, settings.fetch_http, settings.fetch_timeout_s)
        poster = Poster(settings.webhook_allow, settings.webhook_http)
        with _database(settings) as database:
            queue, files = SqliteQueue(database, lease_s=settings.lease_s), SqliteFiles(database)
            freezer = _freezer(settings, files, name)
            intake = Intake(load_manifests(settings), queue, fetcher, freezer, name)
            retention = Retention(queue, files, freezer.storage, settings.retention_days * 86_400)
            deliverer = Deliverer(SqliteOutbox(database), queue, poster, _signing(settings, database), name)
            async with fetcher, poster, _told_to_end() as end, asyncio.TaskGroup() as tasks:
                work = [tasks.create_task(role.run()) for role in (intake, deliverer, retention)]
                await end.wait()
                for task in work:
                    task.cancel()

    asyncio.run(courier())


def run_worker(settings: Settings, name: str) -> None:
    """Runs requests until SIGTERM or SIGINT, then ends the running one or hands it back."""
    from filmgate.storage.objects import ObjectStorage
    from filmgate.worker.limits import WorkerLimits
    from filmgate.worker.loop import Worker

    async def worker() -> None:
        with _database(settings) as database:
            async with _told_to_end() as end:
                await Worker(
                    queue=SqliteQueue(database, lease_s=settings.lease_s),
                    files=SqliteFiles(database),
                    storage=ObjectStorage(settings.data / "storage"),
                    manifests=served_manifests(settings),
                    engines=engine_factories(settings, name),
                    holder=name,
                    scratch=settings.data / "scratch",
                    limits=WorkerLimits(stall_s=settings.stall_s, drain_s=settings.drain_s),
                ).run(end)

    asyncio.run(worker())


@asynccontextmanager
async def _told_to_end() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set."""
    end, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    yield end


# ---------------------------------------------------------------------------------------------------------- adapters


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.data / "filmgate.db")
    try:
        yield database
    finally:
        database.close()


_SHORTEST_MASTER = 20


def _signing(settings: Settings, database: Database) -> "Signing":
    from filmgate.service.signing import Signing

    return Signing(_master_secret(settings), SqliteSecrets(database))


def _master_secret(settings: Settings) -> bytes:
    """What webhook signatures derive from: the setting, or a file that whichever process comes first makes."""
    if settings.webhook_key is not None:
        return settings.webhook_key.encode()
    path = settings.data / "webhook.key"
    if not path.exists():
        made = settings.data / f"webhook.key.{secrets.token_hex(8)}"
        made.touch(0o600, exist_ok=False)
        with made.open("w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first; its secret counts
            path.hardlink_to(made)
        made.unlink()
    kept = path.read_bytes().strip()
    if len(kept) < _SHORTEST_MASTER:
        raise SettingInvalid(f"{path} is too short to sign with; restore it, or remove it to have a new one made.")
    return kept


def _freezer(settings: Settings, files: SqliteFiles, name: str) -> "InputFreezer":
    """A freezer with a scratch folder of its own, emptied of what an earlier process of this name left there."""
    from filmgate.courier.probe import Probe
    from filmgate.service.inputs import InputFreezer
    from filmgate.storage.objects import ObjectStorage

    scratch = settings.data / "scratch" / name
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return InputFreezer(files, Probe(), ObjectStorage(settings.data / "storage"), scratch)


# -------------------------------------------------------------------------------------------------------------- keys


def first_start(settings: Settings) -> str | None:
    """Makes the database, the owner's account and its first key; the key's secret if it must be shown now, once."""
    with _database(settings) as database:
        return asyncio.run(Access(SqliteAccounts(database)).first_start(settings.bootstrap_key))


class KeyStore:
    """The keys of a data folder, for the command line."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def create(self, name: str) -> tuple[Key, str]:
        """The new key and its secret, which is not kept."""
        return asyncio.run(self._access.create_key(name))

    def list(self) -> Sequence[Key]:
        return asyncio.run(self._access.keys())

    def revoke(self, key_id: str) -> bool:
        """False when no key in use has this id."""
        return asyncio.run(self._access.revoke_key(key_id))


@contextmanager
def key_store(settings: Settings) -> Iterator[KeyStore]:
    with _database(settings) as database:
        yield KeyStore(Access(SqliteAccounts(database)))


# ---------------------------------------------------------------------------------------------------------- webhooks


class WebhookStore:
    """The webhooks of a data folder's owner, for the command line."""

    def __init__(self, outbox: SqliteOutbox, signing: "Signing") -> None:
        self._outbox = outbox
        self._signing = signing

    def replace_secret(self) -> "ShownSecret":
        """The new secret with its text, which is shown this once."""
        return asyncio.run(self._signing.replace_secret(OWNER))

    def deliveries(self, limit: int) -> "Sequence[Delivery]":
        return asyncio.run(self._outbox.deliveries(OWNER, limit=limit))

    def resend(self, event_id: str) -> bool:
        """False when there is no such delivery."""
        return asyncio.run(self._outbox.resend(OWNER, event_id)) is not None

    def rotate_keys(self) -> "Sequence[PublicKey]":
        """The published keys, the one that signs now first."""
        return asyncio.run(self._signing.rotate_keys())


@contextmanager
def webhook_store(settings: Settings) -> Iterator[WebhookStore]:
    with _database(settings) as database:
        yield WebhookStore(SqliteOutbox(database), _signing(settings, database))
