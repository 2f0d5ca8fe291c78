"""The server's replies as values. `raw` is the whole reply, for what has no name here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from filmgate.client.errors import ReplyUnreadable

__all__ = ["Cancelled", "Model", "Result", "Status", "cancelled", "model", "result", "status"]


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalog. `input_schema` is empty in lists that were asked for without it."""

    id: str
    display_name: str
    description: str
    category: str
    price_unit: str
    base_price_usd: float
    input_schema: Mapping[str, Any]
    roles: Mapping[str, str]
    """Which input plays which part, where the server says it."""
    extra_inputs: Mapping[str, Mapping[str, Any]]
    """The server's own inputs, beyond the published schema."""
    raw: Mapping[str, Any]

    @property
    def properties(self) -> Mapping[str, Mapping[str, Any]]:
        """Every input that the model takes."""
        properties = self.input_schema.get("properties")
        return {**(properties if isinstance(properties, dict) else {}), **self.extra_inputs}


@dataclass(frozen=True, slots=True)
class Status:
    """`word` is `in_queue`, `in_progress`, `completed` or `cancelled`. `progress` is 0 to 1.

    `preview` is the URL of a small moving picture of what is coming, while there is one.
    """

    request_id: str
    word: str
    queue_position: int | None
    progress: float | None
    stage: str
    eta_s: float | None
    logs: tuple[str, ...]
    preview: str | None
    raw: Mapping[str, Any]

    @property
    def finished(self) -> bool:
        return self.word in ("completed", "cancelled")


@dataclass(frozen=True, slots=True)
class Result:
    """`word` is `in_queue`, `in_progress`, `succeeded`, `failed` or `cancelled`. `outputs` are the files' URLs.

    `served_by` names the weights or the vendor's model behind them; empty where the server's engine made them itself.
    """

    request_id: str
    model_id: str
    word: str
    outputs: tuple[str, ...]
    error: str | None
    served_by: str
    warnings: tuple[str, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`outcome` is `cancelled`, `stopping` or `not_cancellable`; `word` the request's true status after the call."""

    request_id: str
    word: str
    outcome: str


def model(reply: Mapping[str, Any]) -> Model:
    categories = reply.get("categories")
    price = reply.get("base_price_usd")
    return Model(
        id=_text(reply, "model_id"),
        display_name=str(reply.get("display_name", "")),
        description=str(reply.get("description", "")),
        category=str(categories[0]) if isinstance(categories, list) and categories else "",
        price_unit=str(reply.get("price_unit", "")),
        base_price_usd=float(price) if isinstance(price, int | float) else 0.0,
        input_schema=_mapping(reply, "input_schema"),
        roles=_mapping(reply, "roles"),
        extra_inputs=_mapping(reply, "extra_inputs"),
        raw=reply,
    )


def status(reply: Mapping[str, Any]) -> Status:
    position, progress, eta_s = reply.get("queue_position"), reply.get("progress"), reply.get("eta_s")
    preview = reply.get("preview")
    return Status(
        request_id=_text(reply, "request_id"),
        word=_text(reply, "status"),
        queue_position=position if isinstance(position, int) else None,
        progress=float(progress) if isinstance(progress, int | float) else None,
        stage=str(reply.get("stage", "")),
        eta_s=float(eta_s) if isinstance(eta_s, int | float) else None,
        logs=_texts(reply.get("logs")),
        preview=preview if isinstance(preview, str) else None,
        raw=reply,
    )


def result(reply: Mapping[str, Any]) -> Result:
    output = _mapping(reply, "output")
    files = next((_texts(output[name]) for name in ("videos", "images") if name in output), ())
    single = next((output[name] for name in ("video", "image") if isinstance(output.get(name), str)), None)
    error = reply.get("error")
    return Result(
        request_id=_text(reply, "request_id"),
        model_id=str(reply.get("model_id", "")),
        word=_text(reply, "status"),
        outputs=files or ((single,) if single is not None else ()),
        error=error if isinstance(error, str) else None,
        served_by=str(reply.get("served_by", "")),
        warnings=_texts(reply.get("warnings")),
        raw=reply,
    )


def cancelled(reply: Mapping[str, Any]) -> Cancelled:
    return Cancelled(_text(reply, "request_id"), _text(reply, "status"), _text(reply, "outcome"))


def _text(reply: Mapping[str, Any], name: str) -> str:
    value = reply.get(name)
    if not isinstance(value, str):
        raise ReplyUnreadable(f"The server's reply has no {name!r}; is it a Model API?")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _mapping(reply: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = reply.get(name)
    return value if isinstance(value, dict) else {}
