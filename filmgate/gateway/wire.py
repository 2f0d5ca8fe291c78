"""The wire: the only place that spells its field names, but for those of status and result, which are told elsewhere
too and stand in `service.replies`. Its msgspec types also feed the OpenAPI document."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, to_builtins

from filmgate.domain.manifest import Manifest
from filmgate.domain.records import Account, Cancelled, Device, Key, PublicFile
from filmgate.domain.request import RequestId
from filmgate.domain.webhook import Delivery, RequestEvent, Try
from filmgate.service.access import DeviceLogin
from filmgate.service.replies import (
    ResultReply,
    StatusReply,
    StatusWord,
    file_url,
    result_reply,
    status_reply,
    status_word,
    timestamp,
)
from filmgate.service.signing import PublicKey, ShownSecret

__all__ = [
    "BalanceReply",
    "CancelReply",
    "CatalogEntry",
    "CatalogReply",
    "CategoriesReply",
    "DeliveriesReply",
    "DeliveryReply",
    "DeviceDecisionReply",
    "DevicePollReply",
    "DeviceStartReply",
    "ErrorDetail",
    "ErrorReply",
    "EventReply",
    "EventsReply",
    "FileReply",
    "HealthReply",
    "KeySetReply",
    "MeReply",
    "ResultReply",
    "SecretReply",
    "SecretsReply",
    "StatusReply",
    "SubmitReply",
    "balance_reply",
    "cancel_reply",
    "catalog_entry",
    "delivery_reply",
    "device_poll_reply",
    "device_start_reply",
    "event_reply",
    "file_reply",
    "file_url",
    "key_set_reply",
    "me_reply",
    "result_reply",
    "secret_reply",
    "status_reply",
    "submit_reply",
]


_STATUS_OR_RESULT = {"anyOf": [{"$ref": f"#/components/schemas/{one.__name__}"} for one in (StatusReply, ResultReply)]}


class ErrorDetail(Struct):
    loc: list[str | int]
    msg: str
    type: str


class ErrorReply(Struct):
    error_code: int
    error_message: str
    message: str
    detail: list[ErrorDetail]


class SubmitReply(Struct):
    request_id: str
    status_url: str
    result_url: str
    cancel_url: str


class CancelReply(Struct):
    request_id: str
    status: StatusWord
    outcome: Literal["cancelled", "not_cancellable", "stopping"]


class CatalogEntry(Struct):
    model_id: str
    display_name: str
    description: str
    kind: Literal["model"]
    categories: list[str]
    inputs: list[str]
    required_inputs: list[str]
    base_price_usd: float
    price_unit: str
    pricing_note: str
    model_url: str
    input_schema: dict[str, Any] | UnsetType = UNSET
    output_schema: dict[str, Any] | UnsetType = UNSET
    example: dict[str, Any] | UnsetType = UNSET
    engines: list[str] | UnsetType = UNSET
    roles: dict[str, str] | UnsetType = UNSET
    extra_inputs: dict[str, Any] | UnsetType = UNSET


class CatalogReply(Struct):
    models: list[CatalogEntry]
    total: int


class CategoriesReply(Struct):
    categories: list[str]


class BalanceReply(Struct):
    balance_usd: float
    balance_microdollars: int
    currency: Literal["USD"] = "USD"


class MeReply(Struct):
    id: str
    email: str
    display_name: str
    username: str
    token_type: Literal["api_key"]
    token_created_at: str


class DeviceStartReply(Struct):
    device_code: str
    user_code: str
    verify_url: str
    expires_in: int
    poll_interval: int


class DevicePollReply(Struct):
    status: Literal["pending", "authorized", "denied", "expired"]
    access_token: str | UnsetType = UNSET


class DeviceDecisionReply(Struct):
    status: Literal["approved", "denied"]


class HealthReply(Struct):
    status: Literal["ok"]


class FileReply(Struct):
    url: str
    name: str
    content_type: str
    size_bytes: int


class EventReply(Struct):
    """`data` is what the webhook is told: the body of `/status` or `/result`, as `type` says."""

    id: str
    type: Literal["status", "result"]
    request_id: str
    created_at: str
    data: Annotated[dict[str, Any], Meta(extra_json_schema=_STATUS_OR_RESULT)]


class EventsReply(Struct):
    """`cursor` is the `after` of the next call, also when there is nothing yet."""

    events: list[EventReply]
    cursor: str


class TryReply(Struct):
    at: str
    duration_s: float
    status: int | UnsetType = UNSET
    error: str | UnsetType = UNSET


class DeliveryReply(Struct):
    """`id` is that of the event, and the `webhook-id` of every try."""

    id: str
    type: Literal["status", "result"]
    request_id: str
    url: str
    state: Literal["pending", "delivered", "failed", "overtaken", "disabled"]
    created_at: str
    tries: list[TryReply]
    next_try_at: str | UnsetType = UNSET


class DeliveriesReply(Struct):
    """`cursor` is the `after` of the next call, where there are older ones."""

    deliveries: list[DeliveryReply]
    cursor: str | UnsetType = UNSET


class SecretReply(Struct):
    hint: str
    created_at: str
    expires_at: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET


class SecretsReply(Struct):
    secrets: list[SecretReply]


class KeySetReply(Struct):
    """A JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037)."""

    keys: list[dict[str, str]]


def submit_reply(request_id: RequestId, base_url: str) -> SubmitReply:
    url = f"{base_url}/v1/requests/{request_id}"
    return SubmitReply(request_id, f"{url}/status", f"{url}/result", f"{url}/cancel")


def cancel_reply(request_id: RequestId, cancelled: Cancelled) -> CancelReply:
    return CancelReply(request_id, status_word(cancelled.state), cancelled.outcome)


def catalog_entry(manifest: Manifest, base_url: str, *, schemas: bool, details: bool = False) -> CatalogEntry:
    entry = CatalogEntry(
        model_id=manifest.id,
        display_name=manifest.display_name,
        description=manifest.description,
        kind="model",
        categories=[manifest.category],
        inputs=list(manifest.input_schema["properties"]),
        required_inputs=list(manifest.required),
        base_price_usd=manifest.pricing.base_price_usd,
        price_unit=manifest.pricing.price_unit,
        pricing_note=manifest.pricing.pricing_note,
        model_url=f"{base_url}/v1/models/{manifest.id}",
    )
    if schemas:
        entry.input_schema = manifest.input_schema
    if details:
        entry.output_schema, entry.example = manifest.output_schema, manifest.example
        entry.engines = list(manifest.engines)
        entry.roles = {str(role): name for role, name in manifest.roles.items()}
        entry.extra_inputs = dict(manifest.extra_inputs)
    return entry


def balance_reply(account: Account) -> BalanceReply:
    return BalanceReply(account.balance_microdollars / 1_000_000, account.balance_microdollars)


def me_reply(account: Account, key: Key) -> MeReply:
    created_at = timestamp(key.created_at)
    return MeReply(account.id, account.email, account.display_name, account.username, "api_key", created_at)


def device_start_reply(login: DeviceLogin, base_url: str) -> DeviceStartReply:
    verify_url = f"{base_url}/device?code={login.user_code}"
    return DeviceStartReply(login.device_code, login.user_code, verify_url, login.expires_in_s, login.poll_interval_s)


def device_poll_reply(device: Device | None, secret: str | None) -> DevicePollReply:
    """A consumed, unknown or outdated code is `expired`: its client must start again."""
    if secret is not None:
        return DevicePollReply("authorized", secret)
    if device is not None and device.state in ("pending", "denied"):
        return DevicePollReply("pending" if device.state == "pending" else "denied")
    return DevicePollReply("expired")


def file_reply(file: PublicFile, base_url: str) -> FileReply:
    return FileReply(file_url(file.token, file.name, base_url), file.name, file.content_type, file.size_bytes)


def event_reply(event: RequestEvent, data: StatusReply | ResultReply) -> EventReply:
    return EventReply(event.id, event.kind, event.request_id, timestamp(event.happened_at), to_builtins(data))


def delivery_reply(delivery: Delivery) -> DeliveryReply:
    event = delivery.event
    reply = DeliveryReply(
        event.id,
        event.kind,
        event.request_id,
        delivery.url,
        delivery.state.value,
        timestamp(event.happened_at),
        [_try_reply(one) for one in delivery.tries],
    )
    if delivery.due_at is not None:
        reply.next_try_at = timestamp(delivery.due_at)
    return reply


def _try_reply(one: Try) -> TryReply:
    reply = TryReply(timestamp(one.at), one.duration_s)
    if one.status is not None:
        reply.status = one.status
    if one.error is not None:
        reply.error = one.error
    return reply


def secret_reply(secret: ShownSecret) -> SecretReply:
    reply = SecretReply(secret.hint, timestamp(secret.created_at))
    if secret.expires_at is not None:
        reply.expires_at = timestamp(secret.expires_at)
    if secret.text is not None:
        reply.secret = secret.text
    return reply


def key_set_reply(keys: Sequence[PublicKey]) -> KeySetReply:
    return KeySetReply(
        [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id, "x": _base64url(key.raw)}
            for key in keys
        ]
    )


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
