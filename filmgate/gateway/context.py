"""What every endpoint needs: the services, the caller's key, and the address by which the caller knows us."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from filmgate.domain.errors import Fault, InputsInvalid, KeyRefused
from filmgate.domain.ports import Files, Storage
from filmgate.domain.records import Key
from filmgate.gateway.live import Live
from filmgate.service.access import Access
from filmgate.service.inputs import InputFreezer
from filmgate.service.requests import Requests
from filmgate.service.signing import Signing
from filmgate.service.webhooks import Webhooks

__all__ = ["Context", "flag", "json_response", "text", "whole_number"]

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")


@dataclass(frozen=True, slots=True)
class Context:
    """`public_url` is None where a call's own address is the public one."""

    requests: Requests
    webhooks: Webhooks
    signing: Signing
    live: Live
    access: Access
    files: Files
    storage: Storage
    freezer: InputFreezer
    public_url: str | None
    max_body_bytes: int

    async def key(self, request: Request) -> Key:
        """The key of the call. Raises KeyRefused with what to send instead."""
        for name, value in request.scope["headers"]:
            if name == b"authorization":
                scheme, _, secret = value.decode("latin-1").partition(" ")
                if scheme.lower() == "bearer" and secret.strip():
                    return await self.access.authenticate(secret.strip())
                raise KeyRefused("The Authorization header is not of the form 'Bearer <key>'.")
        raise KeyRefused("This call needs a key: send the header 'Authorization: Bearer <key>'.")

    def base_url(self, request: Request) -> str:
        """Where this call's client reaches us, without a slash at the end."""
        if self.public_url is not None:
            return self.public_url
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):
            name, port = request.scope["server"]
            host = f"{name}:{port}"
        return f"{request.scope['scheme']}://{host}"


def json_response(reply: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(reply), status, media_type="application/json")


def text(body: dict[str, Any], name: str) -> str:
    """A string of the body that must be there."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise InputsInvalid([Fault(("body", name), f"{name} must be a string that is not empty.", "type")])
    return value


def flag(request: Request, name: str) -> bool:
    """A query parameter that is true or false, and false when absent."""
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false", "1", "0"):
        raise InputsInvalid([Fault(("query", name), f"{name} is {value[:40]!r}, but must be true or false.", "type")])
    return value in ("true", "1")


def whole_number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """A query parameter that is a whole number within bounds."""
    given = request.query_params.get(name, str(default))
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else -1
    if not low <= number <= high:
        message = f"{name} is {given[:40]!r}, but must be a whole number from {low} to {high}."
        raise InputsInvalid([Fault(("query", name), message, "range")])
    return number
