"""The log of deliveries to webhooks, and what they are verified with."""

from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.errors import Fault, InputsInvalid
from filmgate.domain.request import RequestId
from filmgate.domain.webhook import DeliveryState
from filmgate.gateway import wire
from filmgate.gateway.context import Context, json_response, whole_number
from filmgate.service.signing import SECRET_OVERLAP_S
from filmgate.service.webhooks import cursor_after, position_of

__all__ = ["WebhookRoutes"]

_KEY_SET_S = 3600
"""How long receivers may keep the key set; the next key is in it long before it signs."""


class WebhookRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def deliveries(self, request: Request) -> Response:
        key = await self._context.key(request)
        limit = whole_number(request, "limit", default=100, low=1, high=500)
        request_id = request.query_params.get("request_id")
        cursor = request.query_params.get("after")
        found = await self._context.webhooks.deliveries(
            key.account_id,
            request_id=RequestId(request_id) if request_id else None,
            state=_state(request),
            before=position_of(cursor, "after") if cursor else None,
            limit=limit,
        )
        reply = wire.DeliveriesReply([wire.delivery_reply(one) for one in found])
        if len(found) == limit:
            reply.cursor = cursor_after(found[-1].event.seq)
        return json_response(reply)

    async def resend(self, request: Request) -> Response:
        key = await self._context.key(request)
        delivery = await self._context.webhooks.resend(key.account_id, request.path_params["event_id"])
        return json_response(wire.delivery_reply(delivery), status=202)

    async def secrets(self, request: Request) -> Response:
        key = await self._context.key(request)
        shown = await self._context.signing.shown_secrets(key.account_id)
        return json_response(wire.SecretsReply([wire.secret_reply(one) for one in shown]))

    async def replace_secret(self, request: Request) -> Response:
        """The only reply that ever holds the secret."""
        key = await self._context.key(request)
        overlap_s = whole_number(request, "overlap_s", default=SECRET_OVERLAP_S, low=0, high=7 * 86_400)
        made = await self._context.signing.replace_secret(key.account_id, overlap_s)
        return json_response(wire.secret_reply(made))

    async def key_set(self, _: Request) -> Response:
        reply = json_response(wire.key_set_reply(await self._context.signing.public_keys()))
        reply.headers["Cache-Control"] = f"max-age={_KEY_SET_S}"
        return reply


def _state(request: Request) -> DeliveryState | None:
    given = request.query_params.get("state")
    if not given:
        return None
    try:
        return DeliveryState(given)
    except ValueError:
        known = ", ".join(DeliveryState)
        message = f"state is {given[:40]!r}, but must be one of {known}."
        raise InputsInvalid([Fault(("query", "state"), message, "enum")]) from None
