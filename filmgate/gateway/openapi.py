"""The OpenAPI 3.1 document, assembled from the manifests and the wire types: one submit operation for each model."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from filmgate import __version__
from filmgate.domain.manifest import Manifest
from filmgate.domain.webhook import DeliveryState
from filmgate.gateway import wire
from filmgate.service.signing import SECRET_OVERLAP_S

__all__ = ["openapi_document"]

Json = dict[str, Any]

_REPLIES = (
    wire.SubmitReply,
    wire.StatusReply,
    wire.ResultReply,
    wire.CancelReply,
    wire.CatalogReply,
    wire.CatalogEntry,
    wire.CategoriesReply,
    wire.BalanceReply,
    wire.MeReply,
    wire.DeviceStartReply,
    wire.DevicePollReply,
    wire.DeviceDecisionReply,
    wire.FileReply,
    wire.HealthReply,
    wire.EventsReply,
    wire.DeliveriesReply,
    wire.DeliveryReply,
    wire.SecretReply,
    wire.SecretsReply,
    wire.KeySetReply,
    wire.ErrorReply,
)

_PROBLEMS: Mapping[int, str] = {
    400: "The body is not a JSON object.",
    401: "No key, or one that is not valid.",
    404: "There is no such thing.",
    413: "The body is too large.",
    415: "The content type or encoding is not read here.",
    422: "The inputs do not fit; every fault is listed.",
    503: "Nothing can be accepted now; try again.",
}

_REQUEST_ID: Json = {
    "name": "request_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"},
}

_WEBHOOK: list[Json] = [
    {
        "name": "webhook",
        "in": "query",
        "required": False,
        "description": "Where the result is posted to, signed as Standard Webhooks say, until it answers 2xx.",
        "schema": {"type": "string", "format": "uri"},
    },
    {
        "name": "webhook_intermediate_status",
        "in": "query",
        "required": False,
        "description": "Whether the webhook is told of each start of work too.",
        "schema": {"type": "boolean", "default": False},
    },
]

_DEVICE_START = "A command-line client begins a login."
_DEVICE_CODE: Json = {"type": "object", "required": ["device_code"], "properties": {"device_code": {"type": "string"}}}
_DEVICE_DECISION: Json = {
    "type": "object",
    "required": ["user_code", "approve"],
    "properties": {"user_code": {"type": "string"}, "approve": {"type": "boolean"}},
}


def openapi_document(catalog: Mapping[str, Manifest], base_url: str) -> Json:
    """The document of this server, as seen from `base_url`."""
    _, schemas = msgspec.json.schema_components(_REPLIES, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Filmgate",
            "version": __version__,
            "description": "The Model API on your own machines: submit a request, read its status, fetch its result.",
        },
        "servers": [{"url": base_url}],
        "security": [{"bearer": []}],
        "paths": {**_model_paths(catalog.values()), **_request_paths(), **_webhook_paths(), **_other_paths()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _model_paths(manifests: Iterable[Manifest]) -> Json:
    return {
        f"/v1/models/{manifest.id}": {
            "post": {
                **_operation(f"submit {manifest.id}", manifest.description, wire.SubmitReply, 400, 413, 415, 422, 503),
                "parameters": _WEBHOOK,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": manifest.full_schema, "example": manifest.example}},
                },
            },
            "get": _operation(f"model {manifest.id}", "The model, its schemas and its price.", wire.CatalogEntry),
        }
        for manifest in manifests
    }


def _request_paths() -> Json:
    force = _query("force", {"type": "boolean", "default": False})
    cost = _query("include_cost", {"type": "boolean", "default": False})
    status = _operation("status", "Where a request is.", wire.StatusReply, 404)
    result = _operation("result", "Its outputs, or the state so far.", wire.ResultReply, 404, 422)
    cancel = _operation(
        "cancel",
        "Cancels a request that waits. With force, one that runs is stopped within a step of its engine.",
        wire.CancelReply, 404, 422, status=202,
    )  # fmt: skip
    return {
        "/v1/requests/{request_id}/status": {"get": {**status, "parameters": [_REQUEST_ID]}},
        "/v1/requests/{request_id}/result": {"get": {**result, "parameters": [_REQUEST_ID, cost]}},
        "/v1/requests/{request_id}/cancel": {"post": {**cancel, "parameters": [_REQUEST_ID, force]}},
        "/v1/requests/{request_id}/events": {"get": {**_live(), "parameters": [_REQUEST_ID]}},
    }


def _live() -> Json:
    summary = "Its status at every change, then its result, as server-sent events."
    live = _operation("live", summary, wire.StatusReply, 404)
    live["responses"]["200"]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    return live


def _webhook_paths() -> Json:
    limit = _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100})
    after = _query("after", {"type": "string"})
    events = _operation("events", "What happened to the account's requests, in order.", wire.EventsReply, 422)
    log = _operation("deliveries", "What was sent to webhooks, latest first.", wire.DeliveriesReply, 422)
    states = _query("state", {"type": "string", "enum": list(map(str, DeliveryState))})
    resend = _operation("resend", "Sends an event once more, now.", wire.DeliveryReply, 404, status=202)
    event_id = {"name": "event_id", "in": "path", "required": True, "schema": {"type": "string"}}
    secrets = _operation("webhook secrets", "The signing secrets in use, without their texts.", wire.SecretsReply)
    replace = _operation("replace webhook secret", "A new signing secret, shown this once.", wire.SecretReply, 422)
    overlap = _query("overlap_s", {"type": "integer", "minimum": 0, "maximum": 604_800, "default": SECRET_OVERLAP_S})
    keys = _operation("webhook keys", "The keys that verify v1a signatures.", wire.KeySetReply)
    return {
        "/v1/events": {"get": {**events, "parameters": [after, limit]}},
        "/v1/webhooks/deliveries": {
            "get": {**log, "parameters": [_query("request_id", {"type": "string"}), states, after, limit]}
        },
        "/v1/webhooks/deliveries/{event_id}/resend": {"post": {**resend, "parameters": [event_id]}},
        "/v1/webhooks/secret": {"get": secrets, "post": {**replace, "parameters": [overlap]}},
        "/.well-known/jwks.json": {"get": _open(keys)},
    }


def _other_paths() -> Json:
    catalog = _operation("models", "The models of this server.", wire.CatalogReply, 422)
    catalog["parameters"] = [
        _query("search", {"type": "string"}),
        _query("category", {"type": "string"}),
        _query("kind", {"type": "string"}),
        _query("include_schema", {"type": "boolean", "default": False}),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
        _query("offset", {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0}),
    ]
    upload = _operation("upload", "Keeps a picture or sound to be used as an input.", wire.FileReply, 413, 415, 422)
    file_field = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string"}}}
    upload["requestBody"] = {
        "required": True,
        "content": {"multipart/form-data": {"schema": file_field}, "application/octet-stream": {}},
    }
    upload["parameters"] = [_query("name", {"type": "string"})]
    poll = _operation("poll device login", "The state of a login.", wire.DevicePollReply, 400, 413, 415, 422)
    decide = _operation("decide device login", "Lets a client in.", wire.DeviceDecisionReply, 400, 413, 415, 422)
    return {
        "/v1/models": {"get": catalog},
        "/v1/models/categories": {"get": _operation("categories", "All categories.", wire.CategoriesReply)},
        "/v1/files": {"post": upload},
        "/prod/v2/balance": {"get": _operation("balance", "The account's credit.", wire.BalanceReply)},
        "/api/auth/me": {"get": _operation("me", "The account behind the key.", wire.MeReply)},
        "/api/cli-auth/start": {"post": _open(_operation("start device login", _DEVICE_START, wire.DeviceStartReply))},
        "/api/cli-auth/poll": {"post": _open({**poll, "requestBody": _json_body(_DEVICE_CODE)})},
        "/api/cli-auth/decide": {"post": {**decide, "requestBody": _json_body(_DEVICE_DECISION)}},
        "/healthz": {"get": _open(_operation("health", "Whether the gateway answers.", wire.HealthReply))},
    }


def _operation(name: str, summary: str, reply: type, *problems: int, status: int = 200) -> Json:
    responses: Json = {str(status): {"description": "The answer.", "content": _json_content(reply)}}
    for problem in sorted({401, *problems}):
        responses[str(problem)] = {"description": _PROBLEMS[problem], "content": _json_content(wire.ErrorReply)}
    return {"operationId": "".join(c if c.isalnum() else "_" for c in name), "summary": summary, "responses": responses}


def _open(operation: Json) -> Json:
    """The same operation for callers without a key."""
    responses = {status: response for status, response in operation["responses"].items() if status != "401"}
    return {**operation, "responses": responses, "security": []}


def _json_content(reply: type) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{reply.__name__}"}}}


def _json_body(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}
