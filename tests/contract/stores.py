"""Every kind of database behind the same ports, a clock that tests move, and things to put in."""

import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filmgate.domain.media import AudioFacts, ImageFacts
from filmgate.domain.ports import Accounts, Events, Files, Outbox, Queue, Secrets
from filmgate.domain.records import Account, Blob, Input, NewRequest, Output, PublicFile, Succeeded
from filmgate.domain.request import AccountId, RequestId
from filmgate.domain.webhook import Webhook
from filmgate.queue.sqlite import (
    Database,
    SqliteAccounts,
    SqliteEvents,
    SqliteFiles,
    SqliteOutbox,
    SqliteQueue,
    SqliteSecrets,
)

OWNER = AccountId("owner")
STRANGER = AccountId("stranger")
MODEL = "acme/dream/image-to-video"
OTHER_MODEL = "acme/echo/image-to-video"
MODELS = (MODEL, OTHER_MODEL)
LEASE_S = 30

PICTURE = Blob("inputs/picture", ImageFacts("png", 640, 480, 1000, alpha_in_use=True, decoded=False))
SOUND = Blob("inputs/sound", AudioFacts("mp3", 3.25, 2000))
FROZEN = (Input("img_url", blob=PICTURE), Input("audio_url", blob=SOUND))
TO_FETCH = (Input("img_url", url="https://example.org/a.png"), Input("audio_url", blob=SOUND))


@dataclass(slots=True)
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True, slots=True)
class Stores:
    """An open database. `usage` reads the booked costs by request, past the ports."""

    queue: Queue
    accounts: Accounts
    files: Files
    events: Events
    outbox: Outbox
    secrets: Secrets
    usage: Callable[[], Sequence[tuple[str, int]]]
    close: Callable[[], None]


def open_sqlite(folder: Path, clock: Callable[[], float]) -> Stores:
    path = folder / "filmgate.db"
    database = Database(path, clock)

    def usage() -> Sequence[tuple[str, int]]:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT request_id, cost_microdollars FROM usage").fetchall()

    return Stores(
        queue=SqliteQueue(database),
        accounts=SqliteAccounts(database),
        files=SqliteFiles(database),
        events=SqliteEvents(database),
        outbox=SqliteOutbox(database),
        secrets=SqliteSecrets(database),
        usage=usage,
        close=database.close,
    )


OPENERS: Mapping[str, Callable[[Path, Callable[[], float]], Stores]] = {"sqlite": open_sqlite}


@dataclass(slots=True)
class Place:
    """Where a test's database lives: opened at the first use, and again after `restart`."""

    folder: Path
    kind: str
    clock: Clock = field(default_factory=Clock)
    _open: Stores | None = None

    @property
    def stores(self) -> Stores:
        if self._open is None:
            self._open = OPENERS[self.kind](self.folder, self.clock)
        return self._open

    def restart(self) -> Stores:
        self.close()
        return self.stores

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def new_request(
    media: tuple[Input, ...] = FROZEN,
    model: str = MODEL,
    account: AccountId = OWNER,
    webhook: Webhook | None = None,
    **values: Any,
) -> NewRequest:
    return NewRequest(
        id=RequestId(secrets.token_hex(16)),
        account_id=account,
        model_id=model,
        values={"prompt": "a lighthouse \x00 at dusk 🌊", "duration": 5, "audio": True, "seed": None} | values,
        media=media,
        seed=2**31 - 1,
        warnings=("The input colour is not known here and was ignored.",),
        webhook=webhook,
    )


def new_account(account_id: AccountId = OWNER, balance_microdollars: int = 1_000_000) -> Account:
    return Account(account_id, "owner@example.org", "Ann Owner", "ann", balance_microdollars)


def new_output(name: str = "video.mp4") -> Output:
    return Output(secrets.token_urlsafe(24), name, f"outputs/{name}", "video/mp4", 2_000_000_000_000, "0" * 64)


def success(cost_microdollars: int = 250_000, outputs: tuple[Output, ...] | None = None) -> Succeeded:
    return Succeeded(
        outputs=(new_output(),) if outputs is None else outputs,
        engine="test",
        engine_version="1.0",
        seed=7,
        actual_prompt="a tall lighthouse",
        running_s=12.5,
        storing_s=0.25,
        cost_microdollars=cost_microdollars,
        served_by="Dream 2 14B",
        warnings=("No sound was made.",),
        details={"applied": ["push in"], "score": 0.5},
    )


def upload(token: str) -> PublicFile:
    return PublicFile(token, "a b.png", "uploads/token", "image/png", 1000, "1" * 64, OWNER)
