"""Bodies: one strict JSON parser for all of them, and a bound on their size before anything is kept."""

import asyncio
import json
import math
from typing import Any, NoReturn

from starlette.requests import Request

from filmgate.domain.errors import BodyTooLarge, BodyUnreadable, ContentTypeUnknown

__all__ = ["parse_object", "read_body", "read_object"]

_INLINE_BYTES = 256 * 1024
"""Larger bodies are parsed in a thread, so that other calls go on."""


async def read_object(request: Request, max_bytes: int) -> dict[str, Any]:
    """The JSON object that a call carries. Raises BodyUnreadable, BodyTooLarge, ContentTypeUnknown."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in ("", "application/json") and not content_type.endswith("+json"):
        raise ContentTypeUnknown(
            f"The body's content type is {content_type[:80]!r}; send JSON with 'Content-Type: application/json'."
        )
    body = await read_body(request, max_bytes)
    if len(body) > _INLINE_BYTES:
        return await asyncio.to_thread(parse_object, body)
    return parse_object(body)


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The raw body. What is over the bound is read to its end but not kept, so that the refusal can be read."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise ContentTypeUnknown(f"The body is encoded as {encoding[:80]!r}; send it as it is.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= max_bytes:
            chunks.append(chunk)
        else:
            chunks.clear()
        if size > 2 * max_bytes:
            break
    if size > max_bytes:
        raise BodyTooLarge(
            f"The body is larger than {max_bytes} bytes. Upload large files with POST /v1/files and send their URLs."
        )
    return b"".join(chunks)


def parse_object(body: bytes) -> dict[str, Any]:
    """The object in `body`: UTF-8, no duplicate names, no NaN or Infinity, no more nesting than fits."""
    try:
        value = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise BodyUnreadable(f"The body is not UTF-8 (byte {error.start}).") from error
    except json.JSONDecodeError as error:
        raise BodyUnreadable(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise BodyUnreadable("The body is nested too deeply.") from error
    except ValueError as error:
        raise BodyUnreadable(f"The body is not JSON that is read here: {str(error)[:120]}.") from error
    if not isinstance(value, dict):
        raise BodyUnreadable("The body must be a JSON object whose keys are the model's inputs.")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise ValueError(f"the name {twice[:60]!r} stands twice in one object")
    return value


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite)
