"""The wire: the only place that spells its field names. Its msgspec types also feed the OpenAPI document."""

from datetime import UTC, datetime
from typing import Any, Literal, assert_never

from msgspec import UNSET, Struct, UnsetType

from filmgate.domain.manifest import Manifest
from filmgate.domain.records import (
    PREVIEW_NAME,
    Account,
    Cancelled,
    Device,
    Key,
    Output,
    PublicFile,
    RequestRecord,
    RequestStatus,
)
from filmgate.domain.request import TERMINAL, RequestId, State
from filmgate.service.access import DeviceLogin

__all__ = [
    "BalanceReply",
    "CancelReply",
    "CatalogEntry",
    "CatalogReply",
    "CategoriesReply",
    "DeviceDecisionReply",
    "DevicePollReply",
    "DeviceStartReply",
    "ErrorDetail",
    "ErrorReply",
    "FileReply",
    "HealthReply",
    "MeReply",
    "ResultReply",
    "StatusReply",
    "SubmitReply",
    "balance_reply",
    "cancel_reply",
    "catalog_entry",
    "device_poll_reply",
    "device_start_reply",
    "file_reply",
    "file_url",
    "me_reply",
    "result_reply",
    "status_reply",
    "submit_reply",
]

StatusWord = Literal["in_queue", "in_progress", "completed", "cancelled"]
ResultWord = Literal["in_queue", "in_progress", "succeeded", "failed", "cancelled"]


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


class StatusReply(Struct):
    request_id: str
    status: StatusWord
    status_url: str
    result_url: str
    queue_position: int | UnsetType = UNSET
    progress: float | UnsetType = UNSET
    stage: str | UnsetType = UNSET
    eta_s: float | UnsetType = UNSET
    logs: list[str] | UnsetType = UNSET
    preview: str | UnsetType = UNSET


class OutputReply(Struct):
    video: str | UnsetType = UNSET
    videos: list[str] | UnsetType = UNSET
    image: str | UnsetType = UNSET
    images: list[str] | UnsetType = UNSET


class ErrorInfo(Struct):
    error_type: str
    retryable: bool


class Timings(Struct):
    """Seconds."""

    fetching: float | UnsetType = UNSET
    queued: float | UnsetType = UNSET
    running: float | UnsetType = UNSET
    storing: float | UnsetType = UNSET


class ResultReply(Struct):
    request_id: str
    model_id: str
    status: ResultWord
    created_at: str
    finished_at: str | UnsetType = UNSET
    output: OutputReply | UnsetType = UNSET
    error: str | UnsetType = UNSET
    error_info: ErrorInfo | UnsetType = UNSET
    cost: float | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    actual_prompt: str | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET
    engine: str | UnsetType = UNSET
    engine_version: str | UnsetType = UNSET
    served_by: str | UnsetType = UNSET
    timings: Timings | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


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


def submit_reply(request_id: RequestId, base_url: str) -> SubmitReply:
    url = f"{base_url}/v1/requests/{request_id}"
    return SubmitReply(request_id, f"{url}/status", f"{url}/result", f"{url}/cancel")


def status_reply(status: RequestStatus, base_url: str, now: float) -> StatusReply:
    url = f"{base_url}/v1/requests/{status.id}"
    reply = StatusReply(status.id, _status_word(status.state), f"{url}/status", f"{url}/result")
    if status.queue_position is not None:
        reply.queue_position = status.queue_position
    if status.state is State.RUNNING:
        progress = status.progress
        reply.progress, reply.stage, reply.logs = progress.fraction, progress.stage, list(progress.logs)
        if progress.preview:
            reply.preview = file_url(progress.preview, PREVIEW_NAME, base_url)
        if progress.fraction > 0 and status.started_at is not None:
            reply.eta_s = round((now - status.started_at) * (1 - progress.fraction) / progress.fraction, 1)
    elif status.state in TERMINAL:
        reply.progress = 1.0
    return reply


def result_reply(record: RequestRecord, base_url: str, *, include_cost: bool) -> ResultReply:
    reply = ResultReply(record.id, record.model_id, _result_word(record.state), _timestamp(record.created_at))
    reply.seed = record.seed
    if record.state not in TERMINAL:
        return reply
    if record.finished_at is not None:
        reply.finished_at = _timestamp(record.finished_at)
    reply.warnings = list(record.warnings)
    if include_cost:
        reply.cost = 0.0
    if record.failure is not None:
        reply.error = record.failure.sentence
        reply.error_info = ErrorInfo(record.failure.code, record.failure.retryable)
    if record.success is not None:
        _add_success(reply, record, base_url, include_cost=include_cost)
    return reply


def _add_success(reply: ResultReply, record: RequestRecord, base_url: str, *, include_cost: bool) -> None:
    success = record.success
    if success is None:
        return
    reply.output = _output_reply(success.outputs, base_url)
    reply.seed = success.seed
    reply.actual_prompt = success.actual_prompt
    reply.warnings = [*record.warnings, *success.warnings]
    reply.engine, reply.engine_version = success.engine, success.engine_version
    if success.served_by:
        reply.served_by = success.served_by
    reply.details = dict(success.details)
    if include_cost:
        reply.cost = success.cost_microdollars / 1_000_000
    ready, started = record.ready_at, record.started_at
    if ready is not None and started is not None:
        reply.timings = Timings(
            fetching=round(ready - record.created_at, 6),
            queued=round(started - ready, 6),
            running=round(success.running_s, 6),
            storing=round(success.storing_s, 6),
        )


def _output_reply(outputs: tuple[Output, ...], base_url: str) -> OutputReply:
    urls = [file_url(output.token, output.name, base_url) for output in outputs]
    if outputs[0].content_type.startswith("video/"):
        return OutputReply(video=urls[0], videos=urls)
    return OutputReply(image=urls[0], images=urls)


def cancel_reply(request_id: RequestId, cancelled: Cancelled) -> CancelReply:
    return CancelReply(request_id, _status_word(cancelled.state), cancelled.outcome)


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
    created_at = _timestamp(key.created_at)
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


def file_url(token: str, name: str, base_url: str) -> str:
    return f"{base_url}/files/{token}/{name}"


def _status_word(state: State) -> StatusWord:
    match _result_word(state):
        case "succeeded" | "failed":
            return "completed"
        case word:
            return word


def _result_word(state: State) -> ResultWord:
    match state:
        case State.ACCEPTED | State.FETCHING | State.READY:
            return "in_queue"
        case State.RUNNING:
            return "in_progress"
        case State.SUCCEEDED:
            return "succeeded"
        case State.FAILED:
            return "failed"
        case State.CANCELLED:
            return "cancelled"
        case _:
            assert_never(state)


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
