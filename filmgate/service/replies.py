"""Status and result of a request as they are told, to whoever polls, listens, or has a webhook.

The only place that spells the field names of the two; those of all other replies are in the gateway's `wire`.
"""

from datetime import UTC, datetime
from typing import Any, Literal, assert_never

from msgspec import UNSET, Struct, UnsetType

from filmgate.domain.records import PREVIEW_NAME, Output, Progress, RequestRecord, RequestStatus
from filmgate.domain.request import TERMINAL, State
from filmgate.domain.webhook import RequestEvent

__all__ = [
    "ResultReply",
    "ResultWord",
    "StatusReply",
    "StatusWord",
    "event_status",
    "file_url",
    "result_reply",
    "status_reply",
    "status_word",
    "timestamp",
]

StatusWord = Literal["in_queue", "in_progress", "completed", "cancelled"]
ResultWord = Literal["in_queue", "in_progress", "succeeded", "failed", "cancelled"]


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


def status_reply(status: RequestStatus, base_url: str, now: float) -> StatusReply:
    url = f"{base_url}/v1/requests/{status.id}"
    reply = StatusReply(status.id, status_word(status.state), f"{url}/status", f"{url}/result")
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
    reply = ResultReply(record.id, record.model_id, _result_word(record.state), timestamp(record.created_at))
    reply.seed = record.seed
    if record.state not in TERMINAL:
        return reply
    if record.finished_at is not None:
        reply.finished_at = timestamp(record.finished_at)
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


def event_status(event: RequestEvent) -> RequestStatus:
    """The status as it was when work on the request had just begun."""
    return RequestStatus(
        id=event.request_id,
        state=event.state,
        started_at=event.happened_at if event.state is State.RUNNING else None,
        queue_position=event.queue_position,
        progress=Progress(),
    )


def file_url(token: str, name: str, base_url: str) -> str:
    return f"{base_url}/files/{token}/{name}"


def status_word(state: State) -> StatusWord:
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


def timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
