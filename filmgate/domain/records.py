"""What is durable: requests and what is told of them, leases and how they end, accounts, keys, files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from filmgate.domain.media import MediaFacts
from filmgate.domain.request import AccountId, RequestId, State
from filmgate.domain.webhook import Webhook

__all__ = [
    "PREVIEW_NAME",
    "Account",
    "Beat",
    "Blob",
    "Cancelled",
    "Device",
    "Failed",
    "Frozen",
    "HandedBack",
    "Input",
    "Key",
    "Lease",
    "NewRequest",
    "Outcome",
    "Output",
    "Progress",
    "PublicFile",
    "RequestRecord",
    "RequestStatus",
    "Step",
    "Stopped",
    "Succeeded",
    "checkpoint_key",
]

PREVIEW_NAME = "preview.webp"
"""The public name of every preview; its token tells them apart."""


class Step(StrEnum):
    """The two kinds of work on a request, each with its kind of holder."""

    FETCH = "fetch"
    """Of a courier: bring the inputs in."""
    RUN = "run"
    """Of a worker: make the outputs."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A frozen input: the clean copy's storage key, and what was measured of the file that was sent."""

    key: str
    facts: MediaFacts


@dataclass(frozen=True, slots=True)
class Input:
    """One media value of a request. `url` is what remains to be fetched, `blob` what is frozen; one of them is set."""

    name: str
    url: str | None = None
    blob: Blob | None = None


@dataclass(frozen=True, slots=True)
class NewRequest:
    """All that is durable before a submit is answered. `values` are the checked inputs with their defaults."""

    id: RequestId
    account_id: AccountId
    model_id: str
    values: Mapping[str, Any]
    media: tuple[Input, ...]
    seed: int
    warnings: tuple[str, ...] = ()
    webhook: Webhook | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim on a request for one attempt. Every write of its holder names `request_id`, `attempt` and `state`."""

    request_id: RequestId
    attempt: int
    state: State
    account_id: AccountId
    model_id: str
    values: Mapping[str, Any]
    media: tuple[Input, ...]
    seed: int


class Beat(StrEnum):
    """What the holder of a lease learns when it beats."""

    GO_ON = "go_on"
    STOP = "stop"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the holder of a lease is. `preview` is the token of the file that shows what is coming; empty: none."""

    fraction: float = 0.0
    stage: str = ""
    logs: tuple[str, ...] = ()
    preview: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A finished file in storage and the public name that it will have. `digest` is the sha256 of its bytes."""

    token: str
    name: str
    key: str
    content_type: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """A courier's success: every media value has its blob."""

    media: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A worker's success. Seconds are wall time on the device, the cost is the manifest's price of the outputs.

    `served_by` names the weights or the vendor's model that made them; empty where that is the engine itself.
    """

    outputs: tuple[Output, ...]
    engine: str
    engine_version: str
    seed: int
    actual_prompt: str
    running_s: float
    storing_s: float
    cost_microdollars: int
    served_by: str = ""
    warnings: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """The request itself cannot succeed: `sentence` is what its caller reads."""

    code: str
    sentence: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """The holder stopped because its caller asked for it."""


@dataclass(frozen=True, slots=True)
class HandedBack:
    """The holder gives the request back for another attempt: `counted` when the request may be to blame."""

    reason: str
    counted: bool


Outcome = Frozen | Succeeded | Failed | Stopped | HandedBack


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What a cancel did: `outcome` is `cancelled`, `stopping` or `not_cancellable`, `state` the true state after it."""

    outcome: Literal["cancelled", "stopping", "not_cancellable"]
    state: State


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """What a poll tells of a request: a part of its record, at a fraction of the cost."""

    id: RequestId
    state: State
    started_at: float | None
    queue_position: int | None
    progress: Progress


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """All that status and result tell of a request. Times are seconds since the epoch, UTC."""

    id: RequestId
    account_id: AccountId
    model_id: str
    state: State
    attempt: int
    created_at: float
    ready_at: float | None
    started_at: float | None
    finished_at: float | None
    queue_position: int | None
    progress: Progress
    warnings: tuple[str, ...]
    seed: int
    failure: Failed | None
    success: Succeeded | None


@dataclass(frozen=True, slots=True)
class Account:
    id: AccountId
    email: str
    display_name: str
    username: str
    balance_microdollars: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret. `hint` is its first and last characters, for lists."""

    id: str
    account_id: AccountId
    name: str
    hint: str
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used_at: float | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device login under way. `state` is pending, approved, denied, expired or consumed."""

    user_code: str
    state: Literal["pending", "approved", "denied", "expired", "consumed"]
    account_id: AccountId | None
    expires_at: float


@dataclass(frozen=True, slots=True)
class PublicFile:
    """A file behind an unguessable URL: an output or preview of a request, or an upload.

    `digest` is the sha256 of its bytes.
    """

    token: str
    name: str
    key: str
    content_type: str
    size_bytes: int
    digest: str
    account_id: AccountId


def checkpoint_key(request_id: RequestId) -> str:
    """Where storage keeps what an attempt at the request left for the next one."""
    return f"checkpoints/{request_id}"
