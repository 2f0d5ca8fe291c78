"""The seams of Filmgate: what crosses a process boundary or has more than one implementation.

Queue, Accounts, Files, Events, Outbox and Secrets are one database (SQLite today); Storage keeps bytes; Probe measures
a stranger's file in a locked-down process; Engine makes the pixels. Each has one contract suite that runs over every
implementation.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from filmgate.domain.media import MediaFacts, MediaKind
from filmgate.domain.records import (
    Account,
    Beat,
    Blob,
    Cancelled,
    Device,
    Key,
    Lease,
    NewRequest,
    Outcome,
    Progress,
    PublicFile,
    RequestRecord,
    RequestStatus,
    Step,
)
from filmgate.domain.request import AccountId, RequestId
from filmgate.domain.sizes import Target
from filmgate.domain.webhook import (
    Delivery,
    DeliveryState,
    DueDelivery,
    RequestEvent,
    SigningKeys,
    Try,
    Verdict,
    WebhookSecret,
)

__all__ = [
    "Accounts",
    "Capabilities",
    "Engine",
    "Estimate",
    "Events",
    "Files",
    "Job",
    "Lora",
    "Outbox",
    "Probe",
    "Queue",
    "Report",
    "Result",
    "Secrets",
    "Storage",
]

# ---------------------------------------------------------------------------------------------------------- engines


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine is. `notes` says per role (`steps`, …) what it does with it, if not simply honour it."""

    engine: str
    version: str
    device: str
    memory_bytes: int
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lora:
    """A low-rank adapter by the name under which the operator approved it, and how strongly it acts."""

    name: str
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """One request as an engine sees it: values that were checked, and local files that are clean.

    `images` are PNG files, RGB, upright, without alpha, in the caller's order. `audio` is the given sound as 48 kHz
    stereo WAV, or None. `sound` says whether the finished clip has an audio stream. `extend`, `shot_type`, `steps`
    and `screen` are None where the model has no such input. `loras` are the adapters that the caller named. `options`
    are the manifest's for this engine. `checkpoint` is the file that an earlier attempt of this request kept last.
    `scratch` is an empty folder of the job's own.
    """

    request_id: RequestId
    model_id: str
    prompt: str
    images: tuple[Path, ...]
    target: Target
    seed: int
    scratch: Path
    negative_prompt: str = ""
    audio: Path | None = None
    sound: bool = False
    extend: bool | None = None
    template: str = ""
    shot_type: Literal["single", "multi"] | None = None
    steps: int | None = None
    screen: bool | None = None
    loras: tuple[Lora, ...] = ()
    checkpoint: Path | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job will take: seconds on this machine and peak bytes."""

    seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Result:
    """What an engine made: finished files in the scratch folder, first the one that matters.

    `served_by` names what made them where that is not the engine itself: the weights, or the vendor's model.
    `warnings` names every input that had no or less effect than its documentation says. `metrics` are seconds per
    stage or plain counts. `details` is free-form JSON for the curious (phrases applied and ignored, weights used).
    """

    files: tuple[Path, ...]
    seed: int
    actual_prompt: str
    served_by: str = ""
    warnings: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class Report(Protocol):
    """How a running engine speaks to whoever runs it."""

    def progress(self, fraction: float, stage: str) -> None:
        """`fraction` of the whole job, 0 to 1, never backwards; `stage` is one word such as `rendering`."""

    def log(self, line: str) -> None: ...

    def preview(self, path: Path) -> None:
        """Shows a small WebP of what is coming, in place of the one before. The file is the caller's again after it."""

    def checkpoint(self, path: Path) -> None:
        """Keeps a copy of the file for a later attempt of this request, in place of the one before.

        Returns once the copy is stored, or has failed to be: then an attempt that comes starts from an older one.
        """

    def stop_if_cancelled(self) -> None:
        """Call between steps. Raises RequestStopped once the request was told to stop."""


class Engine(Protocol):
    """Makes the files of one job at a time. Knows no queue, HTTP or storage; raises EngineFailure with a sentence."""

    def capabilities(self) -> Capabilities: ...

    def estimate(self, job: Job) -> Estimate: ...

    def run(self, job: Job, report: Report) -> Result: ...


# ------------------------------------------------------------------------------------------------------------ probe


class Probe(Protocol):
    """Measures files that nobody trusts."""

    async def measure(self, source: Path, kind: MediaKind, clean: Path) -> MediaFacts:
        """Measure `source` and write a clean copy for engines to `clean`.

        A picture becomes an upright RGB PNG with alpha laid on white and no metadata; a sound becomes 48 kHz stereo
        WAV. Of a picture with more pixels than are decoded here nothing is written and `decoded` is False. Raises
        MediaUnreadable with a sentence when it is no file of that kind, broken, or takes too long.
        """


# ---------------------------------------------------------------------------------------------------------- storage


class Storage(Protocol):
    """Keeps bytes under keys such as `inputs/<sha256>` or `outputs/<request>/<attempt>/<name>`."""

    async def put(self, key: str, source: Path) -> None:
        """Store a file whole or not at all, in place of one that the key has already."""

    async def fetch(self, key: str, target: Path) -> None:
        """Copy a stored file to `target`."""

    def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes [start, end)."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget keys; absent ones are no error."""


# -------------------------------------------------------------------------------------------------------- database


class Queue(Protocol):
    """The requests table: it is the truth about every request, and the queue at the same time."""

    async def put(self, request: NewRequest) -> None:
        """Returns once the request is on disk. Raises Unavailable when it cannot be stored now."""

    def leases(self, step: Step, models: Sequence[str], holder: str) -> AsyncGenerator[Lease]:
        """Claims the next request for `step`, waiting as long as there is none; ends never.

        `holder` is unique among the living: what an earlier bearer of the name still holds is released first.
        """

    async def beat(self, lease: Lease, progress: Progress) -> Beat:
        """Prolongs the lease and shows progress. LOST: another attempt may already run, stop and delete."""

    async def settle(self, lease: Lease, outcome: Outcome) -> bool:
        """Closes the attempt in one transaction. False: the lease was lost and nothing was written."""

    async def cancel(self, request_id: RequestId, account_id: AccountId, *, force: bool) -> Cancelled | None:
        """None when the account has no such request."""

    async def status(self, request_id: RequestId, account_id: AccountId) -> RequestStatus | None: ...

    async def find(self, request_id: RequestId, account_id: AccountId) -> RequestRecord | None: ...

    async def recover(self) -> int:
        """Releases every expired lease; returns how many."""

    async def outdated(self, before: float, limit: int) -> Sequence[RequestId]:
        """At most `limit` requests that ended before that time and have no files."""

    async def forget(self, request_ids: Sequence[RequestId]) -> None:
        """Drops requests that have ended. Their usage is kept."""


class Accounts(Protocol):
    async def account(self, account_id: AccountId) -> Account | None: ...

    async def add_account(self, account: Account) -> bool:
        """False when it is there already."""

    async def any_key(self) -> bool:
        """Whether a key was ever made: the first start has none."""

    async def key(self, digest: str) -> Key | None:
        """The key whose secret has this sha256, whatever its state."""

    async def keys(self) -> Sequence[Key]: ...

    async def add_key(self, key: Key, digest: str) -> bool:
        """False when a key of this secret is there already."""

    async def revoke_key(self, key_id: str) -> bool:
        """False when there is no such key in use."""

    async def start_device(self, device_digest: str, user_code: str, expires_at: float) -> None: ...

    async def decide_device(self, user_code: str, account_id: AccountId, *, approved: bool) -> bool:
        """False when no pending login has this code."""

    async def poll_device(self, device_digest: str, key: Callable[[AccountId], tuple[Key, str]]) -> Device | None:
        """Where the login is. An approved one is consumed: the key from `key(account)` (with its digest) is added."""


class Files(Protocol):
    async def publish(self, file: PublicFile) -> None: ...

    async def public(self, token: str) -> PublicFile | None: ...

    async def expired(self, before: float, limit: int) -> Sequence[PublicFile]:
        """At most `limit` files that were stored before that time."""

    async def forget(self, token: str) -> None:
        """The file is no longer behind its token."""

    async def blob(self, digest: str) -> Blob | None:
        """The frozen form of a file whose sent bytes have this sha256."""

    async def add_blob(self, digest: str, blob: Blob) -> None: ...


class Events(Protocol):
    """What happened to requests, and what happens to them just now."""

    async def of_account(self, account_id: AccountId, after: int, limit: int) -> Sequence[RequestEvent]:
        """At most `limit` events with a `seq` above `after`, in order."""

    async def statuses(self, request_ids: Sequence[RequestId]) -> Mapping[RequestId, RequestStatus]:
        """Where these requests are, in one look; those that are gone are left out."""

    def changes(self, pause_s: float) -> AsyncGenerator[None]:
        """Yields after commits, at most once in `pause_s`, and once a second when there are none; ends never."""


class Outbox(Protocol):
    """Deliveries of events to webhooks. They come into it in the transactions that change the requests' states."""

    def due(self, holder: str, full: Callable[[], Sequence[str]]) -> AsyncGenerator[DueDelivery]:
        """Claims the next delivery that is due, waiting as long as there is none; ends never.

        `full` names the hosts that get no more for now. A claim that is neither settled nor released lapses after the
        lease. `holder` is unique among the living: what an earlier bearer of the name still holds is released first.
        """

    async def settle(self, due: DueDelivery, tried: Try, verdict: Verdict) -> bool:
        """Writes how a try went. False: the claim had lapsed and is another's now, nothing was written."""

    async def release(self, due: DueDelivery) -> None:
        """Gives a claim back untried."""

    async def deliveries(
        self,
        account_id: AccountId,
        *,
        request_id: RequestId | None = None,
        state: DeliveryState | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """The account's log, latest first: at most `limit` whose events have a `seq` below `before`."""

    async def resend(self, account_id: AccountId, event_id: str) -> Delivery | None:
        """Makes a delivery due now, with all its tries before it, and switches its URL on again. None: unknown."""

    async def switched_off(self, account_id: AccountId, url: str) -> float | None:
        """Since when the account sends nothing to this URL, if so."""


class Secrets(Protocol):
    """What signatures are made from, but for the one secret that is kept outside."""

    async def of_account(self, account_id: AccountId) -> Sequence[WebhookSecret]:
        """The account's secrets that are valid now, latest first: none, one, or two while one replaces another."""

    async def replace(self, account_id: AccountId, salt: str, overlap_s: float) -> WebhookSecret:
        """Adds a secret; the one before it is valid for `overlap_s` more, earlier ones end."""

    async def signing_keys(self) -> SigningKeys: ...

    async def rotate_signing_keys(self, overlap_s: float) -> SigningKeys: ...
