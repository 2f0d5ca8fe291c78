"""What happens to requests: one of them live, as server-sent events, or all of an account's, to catch up with."""

import time
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from filmgate.domain.errors import RequestUnknown
from filmgate.domain.request import TERMINAL, AccountId, RequestId
from filmgate.domain.webhook import RequestEvent
from filmgate.gateway import wire
from filmgate.gateway.context import Context, json_response, whole_number
from filmgate.service.replies import event_status
from filmgate.service.webhooks import cursor_after, position_of

__all__ = ["EventRoutes"]

_HEARTBEAT_S = 15.0
"""The longest silence: shorter than what proxies between us and the listener take for a dead connection."""

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def feed(self, request: Request) -> Response:
        """What happened to the account's requests, in order. Its data is what webhooks are told."""
        key = await self._context.key(request)
        limit = whole_number(request, "limit", default=100, low=1, high=500)
        cursor = request.query_params.get("after")
        after = position_of(cursor, "after") if cursor else 0
        base_url = self._context.base_url(request)
        happened = await self._context.webhooks.happened(key.account_id, after, limit)
        told = [await self._event(event, base_url) for event in happened]
        events = [event for event in told if event is not None]
        return json_response(wire.EventsReply(events, cursor_after(happened[-1].seq if happened else after)))

    async def _event(self, event: RequestEvent, base_url: str) -> wire.EventReply | None:
        """None when the request is just being forgotten, and its events with it."""
        if event.kind == "status":
            return wire.event_reply(event, wire.status_reply(event_status(event), base_url, event.happened_at))
        try:
            record = await self._context.requests.find(event.account_id, event.request_id)
        except RequestUnknown:
            return None
        return wire.event_reply(event, wire.result_reply(record, base_url, include_cost=False))

    async def stream(self, request: Request) -> Response:
        """Every change of a request's status, and then its result. Raises RequestUnknown before it begins."""
        key = await self._context.key(request)
        request_id = RequestId(request.path_params["request_id"])
        await self._context.requests.status(key.account_id, request_id)
        lines = self._lines(key.account_id, request_id, self._context.base_url(request))
        return StreamingResponse(lines, headers=_HEADERS, media_type="text/event-stream")

    async def _lines(self, account_id: AccountId, request_id: RequestId, base_url: str) -> AsyncIterator[bytes]:
        async with self._context.live.listening(request_id) as listener:
            while not listener.ended:
                status = await listener.change(_HEARTBEAT_S)
                if status is None:
                    yield b": \n\n"
                elif status.state in TERMINAL:
                    record = await self._context.requests.find(account_id, request_id)
                    yield _message("result", wire.result_reply(record, base_url, include_cost=False))
                    return
                else:
                    yield _message("status", wire.status_reply(status, base_url, time.time()))


def _message(name: str, data: wire.StatusReply | wire.ResultReply) -> bytes:
    """One event of the stream; JSON has no line breaks of its own."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))
