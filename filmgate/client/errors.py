"""Every error of the client. `sentence` is the server's own where it gave one.

ClientError
├── ArgumentInvalid       the URL or key given here cannot be one
    ├── ServerUnreachable     no connection, or it broke
├── ReplyUnreadable       an answer that is not of this API
├── CallRefused           the server said no
│   ├── KeyRefused
│   ├── CreditMissing
│   ├── ModelUnknown
│   ├── RequestUnknown
│   ├── InputsInvalid         `faults` has one sentence per fault
│   ├── TooManyCalls          wait `retry_after_s`
│   ├── Unavailable           wait `retry_after_s`
│   └── ServerFailed
├── RequestFailed         the request ended `failed`
└── WaitExpired           not finished in the time that was given
"""

from collections.abc import Mapping
from typing import Any

from filmgate.domain.errors import FilmgateError

__all__ = [
    "ArgumentInvalid",
    "CallRefused",
    "ClientError",
    "CreditMissing",
    "InputsInvalid",
    "KeyRefused",
    "ModelUnknown",
    "ReplyUnreadable",
    "RequestFailed",
    "RequestUnknown",
    "ServerFailed",
    "ServerUnreachable",
    "TooManyCalls",
    "Unavailable",
    "WaitExpired",
    "refusal",
]


class ClientError(FilmgateError):
    code = "client_error"


class ArgumentInvalid(ClientError):
    code = "argument_invalid"


class ServerUnreachable(ClientError):
    code = "server_unreachable"


class ReplyUnreadable(ClientError):
    code = "reply_unreadable"


class CallRefused(ClientError):
    """`status` is HTTP's, `number` the API's `error_code` (0 where there was none)."""

    code = "call_refused"

    def __init__(
        self,
        sentence: str,
        *,
        status: int,
        number: int = 0,
        faults: tuple[str, ...] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.number = number
        self.faults = faults
        self.retry_after_s = retry_after_s


class KeyRefused(CallRefused):
    code = "key_refused"


class CreditMissing(CallRefused):
    code = "credit_missing"


class ModelUnknown(CallRefused):
    code = "model_unknown"


class RequestUnknown(CallRefused):
    code = "request_unknown"


class InputsInvalid(CallRefused):
    code = "inputs_invalid"


class TooManyCalls(CallRefused):
    code = "too_many_calls"


class Unavailable(CallRefused):
    code = "unavailable"


class ServerFailed(CallRefused):
    code = "server_failed"


class RequestFailed(ClientError):
    code = "request_failed"

    def __init__(self, sentence: str, request_id: str) -> None:
        super().__init__(sentence)
        self.request_id = request_id


class WaitExpired(ClientError):
    code = "wait_expired"


_BY_NUMBER: Mapping[int, type[CallRefused]] = {400001: ModelUnknown, 404001: RequestUnknown}
_BY_STATUS: Mapping[int, type[CallRefused]] = {
    400: InputsInvalid,
    401: KeyRefused,
    402: CreditMissing,
    403: KeyRefused,
    413: InputsInvalid,
    415: InputsInvalid,
    422: InputsInvalid,
    429: TooManyCalls,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def refusal(status: int, body: Any, retry_after: str | None) -> CallRefused:
    """The error that a refused call's reply stands for."""
    reply = body if isinstance(body, dict) else {}
    number = reply.get("error_code") if isinstance(reply.get("error_code"), int) else 0
    sentence = next(
        (text for name in ("error_message", "message", "error", "detail") if isinstance(text := reply.get(name), str)),
        f"The server answered {status} without saying why.",
    )
    detail = reply.get("detail")
    faults = tuple(str(entry["msg"]) for entry in (detail if isinstance(detail, list) else ()) if _is_fault(entry))
    kind = _BY_NUMBER.get(number or 0) or _BY_STATUS.get(status) or (ServerFailed if status >= 500 else CallRefused)
    return kind(
        sentence,
        status=status,
        number=number or 0,
        faults=faults,
        retry_after_s=float(retry_after) if retry_after is not None and retry_after.isdigit() else None,
    )


def _is_fault(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("msg"), str)
