"""Webhooks: what happens to a request, whom it is told to, and when a telling that failed is tried again.

Every end of a request is an event, and so is every start of work on it where its caller asked for that. Events are
written in the transaction that changes the state, and with them a delivery for each that has a webhook, so a state
that is on disk is told and one that is not never is. A delivery is tried until its receiver answers 2xx, for about
three days; a receiver may see one more than once (same id) and must not mind. Of one request nothing is told out of
order: a delivery waits for the earlier ones, and one that failed is overtaken once there is something later to tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from filmgate.domain.request import TERMINAL, AccountId, RequestId, State

__all__ = [
    "MAX_RETRY_AFTER_S",
    "RETRY_DELAYS_S",
    "Delivery",
    "DeliveryState",
    "DueDelivery",
    "RequestEvent",
    "SigningKeys",
    "Try",
    "Verdict",
    "Webhook",
    "WebhookSecret",
    "event_id",
    "verdict_of",
]

RETRY_DELAYS_S: Sequence[float] = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""From each try that failed to the next, as the Standard Webhooks specification suggests: ten tries in 75.6 hours."""

JITTER = 0.1
"""Each delay is up to this part longer or shorter, so that those who failed together do not come back together."""

MAX_RETRY_AFTER_S = 86_400.0
"""A receiver may put the next try off by no more than this."""

GONE = 410


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a request's caller wants to be told; `intermediate`: of every start of work too.

    `base_url` is how the caller reached us: the URLs in what is told begin with it.
    """

    url: str
    intermediate: bool
    base_url: str

    @property
    def host(self) -> str:
        """Host and port, by which deliveries are kept from crowding each other out."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """Something that happened to a request. `seq` grows in the order in which events became durable."""

    seq: int
    request_id: RequestId
    account_id: AccountId
    attempt: int
    state: State
    happened_at: float
    queue_position: int | None

    @property
    def kind(self) -> Literal["status", "result"]:
        """Which body tells of it."""
        return "result" if self.state in TERMINAL else "status"

    @property
    def id(self) -> str:
        """The same in every delivery of the event, and of no other event: receivers know repetitions by it."""
        return event_id(self.request_id, self.attempt, self.state)


def event_id(request_id: RequestId, attempt: int, state: State) -> str:
    """An attempt starts once and a request ends once, so these three name one event."""
    return f"evt_{request_id}_{attempt}_{'result' if state in TERMINAL else 'status'}"


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """The last try failed as well."""
    OVERTAKEN = "overtaken"
    """A try failed, and by then there was something later to tell of the request."""
    DISABLED = "disabled"
    """The receiver answered 410: the account sends nothing more to this URL."""


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to deliver: the status that the receiver answered, or why there was none."""

    at: float
    duration_s: float
    status: int | None = None
    error: str | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A line of the log. `due_at` is when a pending one is tried next."""

    event: RequestEvent
    url: str
    state: DeliveryState
    due_at: float | None
    tries: tuple[Try, ...]


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A claim on a delivery: only the holder of the latest claim writes how it went. `tried` counts earlier tries."""

    event: RequestEvent
    url: str
    host: str
    base_url: str
    claim: int
    tried: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery after a try; `delay_s` until the next one where it stays pending."""

    state: DeliveryState
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A secret of an account without the secret: `salt` leads to it together with what is not in the database."""

    salt: str
    created_at: float
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Which of the server's numbered key pairs signs, and until when its predecessor signs too."""

    current: int
    previous_until: float


def verdict_of(tried: int, latest: Try, chance: float) -> Verdict:
    """What follows from the latest try, when `tried` went before it. `chance` is a number from 0 to 1."""
    if latest.status is not None and 200 <= latest.status < 300:
        return Verdict(DeliveryState.DELIVERED)
    if latest.status == GONE:
        return Verdict(DeliveryState.DISABLED)
    if tried >= len(RETRY_DELAYS_S):
        return Verdict(DeliveryState.FAILED)
    delay_s = RETRY_DELAYS_S[tried] * (1 + JITTER * (2 * chance - 1))
    asked_s = min(latest.retry_after_s or 0.0, MAX_RETRY_AFTER_S)
    return Verdict(DeliveryState.PENDING, max(delay_s, asked_s))
