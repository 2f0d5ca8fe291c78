"""Webhooks, from the side of the account: asked for at submit, read in the log, sent again."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from filmgate.domain.errors import DeliveryUnknown, Fault, InputsInvalid, RequestFailure
from filmgate.domain.ports import Events, Outbox
from filmgate.domain.request import AccountId, RequestId
from filmgate.domain.webhook import Delivery, DeliveryState, RequestEvent, Webhook

__all__ = ["Webhooks", "cursor_after", "position_of"]


class Webhooks:
    """`check_url` refuses an address that nothing is ever sent to, by raising RequestFailure."""

    def __init__(self, outbox: Outbox, events: Events, check_url: Callable[[str], object]) -> None:
        self._outbox = outbox
        self._events = events
        self._check_url = check_url

    async def asked_for(
        self, account_id: AccountId, url: str, base_url: str, *, intermediate: bool
    ) -> tuple[Webhook, tuple[str, ...]]:
        """The webhook to store with a request, and what its caller must be warned of. Raises InputsInvalid."""
        try:
            self._check_url(url)
        except RequestFailure as error:
            raise InputsInvalid([Fault(("query", "webhook"), f"webhook: {error.sentence}", error.code)]) from error
        warnings: tuple[str, ...] = ()
        if (since := await self._outbox.switched_off(account_id, url)) is not None:
            day = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M")
            warnings = (
                f"Nothing is sent to the webhook: it answered 410 on {day} UTC. "
                "Resending one of its deliveries switches it on again.",
            )
        return Webhook(url, intermediate, base_url), warnings

    async def deliveries(
        self,
        account_id: AccountId,
        *,
        request_id: RequestId | None,
        state: DeliveryState | None,
        before: int | None,
        limit: int,
    ) -> Sequence[Delivery]:
        """The account's log, latest first."""
        return await self._outbox.deliveries(account_id, request_id=request_id, state=state, before=before, limit=limit)

    async def resend(self, account_id: AccountId, event_id: str) -> Delivery:
        """Raises DeliveryUnknown."""
        delivery = await self._outbox.resend(account_id, event_id)
        if delivery is None:
            raise DeliveryUnknown(f"There is no delivery {event_id[:200]!r}, or it has expired.")
        return delivery

    async def happened(self, account_id: AccountId, after: int, limit: int) -> Sequence[RequestEvent]:
        """What happened to the account's requests after a place in their order, which 0 begins."""
        return await self._events.of_account(account_id, after, limit)


def cursor_after(seq: int) -> str:
    """A place in the order of events as callers keep it."""
    return base64.urlsafe_b64encode(seq.to_bytes(8, "big")).decode().rstrip("=")


def position_of(cursor: str, name: str) -> int:
    """The place that a cursor stands for. Raises InputsInvalid for one that was not given out here."""
    try:
        raw = base64.b64decode(f"{cursor}=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 8 or raw[0] & 0x80:
        message = f"{name} is {cursor[:40]!r}, but must be a cursor of an earlier reply."
        raise InputsInvalid([Fault(("query", name), message, "cursor")])
    return int.from_bytes(raw, "big")
