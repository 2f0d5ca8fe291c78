"""Submit, status, result and cancel over HTTP."""

import time

from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.request import AccountId, RequestId
from filmgate.domain.webhook import Webhook
from filmgate.gateway import wire
from filmgate.gateway.body import read_object
from filmgate.gateway.context import Context, flag, json_response

__all__ = ["RequestRoutes"]


class RequestRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def submit(self, request: Request) -> Response:
        key = await self._context.key(request)
        model_id = request.path_params["model_id"]
        self._context.requests.manifest(model_id)
        body = await read_object(request, self._context.max_body_bytes)
        base_url = self._context.base_url(request)
        webhook, warnings = await self._webhook(request, key.account_id, base_url)
        request_id = await self._context.requests.submit(
            key.account_id, model_id, body, base_url, webhook=webhook, warnings=warnings
        )
        return json_response(wire.submit_reply(request_id, base_url))

    async def _webhook(
        self, request: Request, account_id: AccountId, base_url: str
    ) -> tuple[Webhook | None, tuple[str, ...]]:
        intermediate = flag(request, "webhook_intermediate_status")
        url = request.query_params.get("webhook")
        if not url:
            return None, ()
        return await self._context.webhooks.asked_for(account_id, url, base_url, intermediate=intermediate)

    async def status(self, request: Request) -> Response:
        key = await self._context.key(request)
        status = await self._context.requests.status(key.account_id, _request_id(request))
        return json_response(wire.status_reply(status, self._context.base_url(request), time.time()))

    async def result(self, request: Request) -> Response:
        key = await self._context.key(request)
        include_cost = flag(request, "include_cost")
        record = await self._context.requests.find(key.account_id, _request_id(request))
        return json_response(wire.result_reply(record, self._context.base_url(request), include_cost=include_cost))

    async def cancel(self, request: Request) -> Response:
        key = await self._context.key(request)
        force = flag(request, "force")
        request_id = _request_id(request)
        cancelled = await self._context.requests.cancel(key.account_id, request_id, force=force)
        return json_response(wire.cancel_reply(request_id, cancelled), status=202)


def _request_id(request: Request) -> RequestId:
    return RequestId(request.path_params["request_id"])
