"""Every refusal as HTTP: one table from the class of an error to its status and number."""

import logging
from collections.abc import Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.errors import (
    BodyTooLarge,
    BodyUnreadable,
    ContentTypeUnknown,
    CreditMissing,
    DeliveryUnknown,
    FileUnknown,
    InputsInvalid,
    KeyRefused,
    ModelUnknown,
    Refusal,
    RequestUnknown,
    ScopeMissing,
    Unavailable,
)
from filmgate.gateway.wire import ErrorDetail, ErrorReply

__all__ = ["PROBLEMS", "http_problem", "refusal_problem", "unexpected_problem"]

PROBLEMS: Mapping[type[Refusal], tuple[int, int]] = {
    BodyUnreadable: (400, 400000),
    KeyRefused: (401, 400004),
    CreditMissing: (402, 400002),
    ScopeMissing: (403, 403001),
    ModelUnknown: (404, 400001),
    RequestUnknown: (404, 404001),
    FileUnknown: (404, 404001),
    DeliveryUnknown: (404, 404001),
    BodyTooLarge: (413, 413001),
    ContentTypeUnknown: (415, 415001),
    InputsInvalid: (422, 422001),
    Unavailable: (503, 503001),
}

logger = logging.getLogger(__name__)


def problem(
    status: int, number: int, sentence: str, detail: list[ErrorDetail], headers: Mapping[str, str] | None = None
) -> Response:
    body = msgspec.json.encode(ErrorReply(number, sentence, sentence, detail))
    return Response(body, status, headers, media_type="application/json")


def refusal_problem(_: Request, error: Exception) -> Response:
    """The answer to a call that was refused."""
    if not isinstance(error, Refusal):
        raise error
    status, number = PROBLEMS[type(error)]
    detail: list[ErrorDetail] = []
    headers: dict[str, str] = {}
    if isinstance(error, InputsInvalid):
        detail = [ErrorDetail(list(fault.loc), fault.message, fault.kind) for fault in error.faults]
    elif isinstance(error, KeyRefused):
        headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    return problem(status, number, error.sentence, detail, headers)


def http_problem(request: Request, error: Exception) -> Response:
    """Unknown paths and methods, as Starlette reports them."""
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path[:120]
    sentence = {
        404: f"There is nothing at {path!r}. The endpoints are listed in /openapi.json.",
        405: f"{request.method} is not allowed at {path!r}.",
    }.get(error.status_code, error.detail)
    return problem(error.status_code, error.status_code * 1000, sentence, [], error.headers)


def unexpected_problem(request: Request, error: Exception) -> Response:
    """Our own fault: the caller learns that, the log learns the rest."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, 500000, "The server failed at this call; its log says why. Try again.", [])
