"""The account behind a key, and the device login that gives a command-line client a key of its own."""

from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.errors import Fault, InputsInvalid
from filmgate.gateway import wire
from filmgate.gateway.body import read_object
from filmgate.gateway.context import Context, json_response, text

__all__ = ["AccountRoutes"]


class AccountRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def balance(self, request: Request) -> Response:
        key = await self._context.key(request)
        return json_response(wire.balance_reply(await self._context.access.account(key)))

    async def me(self, request: Request) -> Response:
        key = await self._context.key(request)
        return json_response(wire.me_reply(await self._context.access.account(key), key))

    async def start_device(self, request: Request) -> Response:
        return json_response(
            wire.device_start_reply(await self._context.access.start_device(), self._context.base_url(request))
        )

    async def poll_device(self, request: Request) -> Response:
        body = await read_object(request, self._context.max_body_bytes)
        device, secret = await self._context.access.poll_device(text(body, "device_code"))
        return json_response(wire.device_poll_reply(device, secret))

    async def decide_device(self, request: Request) -> Response:
        """The answer of the page that shows the code: whoever holds a key may let a client in on its account."""
        key = await self._context.key(request)
        body = await read_object(request, self._context.max_body_bytes)
        user_code, approve = text(body, "user_code"), body.get("approve")
        if not isinstance(approve, bool):
            raise InputsInvalid([Fault(("body", "approve"), "approve must be true or false.", "type")])
        if not await self._context.access.decide_device(user_code, key.account_id, approved=approve):
            message = f"No login waits for the code {user_code[:20]!r}; start the login again and use its new code."
            raise InputsInvalid([Fault(("body", "user_code"), message, "unknown")])
        return json_response(wire.DeviceDecisionReply("approved" if approve else "denied"))
