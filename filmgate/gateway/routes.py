"""The endpoints of the contract, and which of our functions answers each."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from filmgate.gateway import wire
from filmgate.gateway.account import AccountRoutes
from filmgate.gateway.catalog import CatalogRoutes
from filmgate.gateway.context import Context, json_response
from filmgate.gateway.events import EventRoutes
from filmgate.gateway.files import FileRoutes
from filmgate.gateway.requests import RequestRoutes
from filmgate.gateway.webhooks import WebhookRoutes

__all__ = ["routes"]


def routes(context: Context) -> Sequence[BaseRoute]:
    """In the order in which they are tried: first what is called most."""
    requests, catalog = RequestRoutes(context), CatalogRoutes(context)
    account, files = AccountRoutes(context), FileRoutes(context)
    events, webhooks = EventRoutes(context), WebhookRoutes(context)
    return [
        Route("/v1/models/{model_id:path}", requests.submit, methods=["POST"]),
        Route("/v1/requests/{request_id}/status", requests.status),
        Route("/v1/requests/{request_id}/result", requests.result),
        Route("/v1/requests/{request_id}/cancel", requests.cancel, methods=["POST"]),
        Route("/v1/requests/{request_id}/events", events.stream),
        Route("/v1/events", events.feed),
        Route("/v1/webhooks/deliveries", webhooks.deliveries),
        Route("/v1/webhooks/deliveries/{event_id}/resend", webhooks.resend, methods=["POST"]),
        Route("/v1/webhooks/secret", webhooks.secrets),
        Route("/v1/webhooks/secret", webhooks.replace_secret, methods=["POST"]),
        Route("/.well-known/jwks.json", webhooks.key_set),
        Route("/v1/models", catalog.catalog),
        Route("/v1/models/categories", catalog.categories),
        Route("/v1/models/{model_id:path}", catalog.model),
        Route("/v1/files", files.upload, methods=["POST"]),
        Route("/files/{token}/{name}", files.download),
        Route("/prod/v2/balance", account.balance),
        Route("/api/auth/me", account.me),
        Route("/api/cli-auth/start", account.start_device, methods=["POST"]),
        Route("/api/cli-auth/poll", account.poll_device, methods=["POST"]),
        Route("/api/cli-auth/decide", account.decide_device, methods=["POST"]),
        Route("/openapi.json", catalog.openapi),
        Route("/healthz", _health),
    ]


async def _health(_: Request) -> Response:
    return json_response(wire.HealthReply("ok"))
