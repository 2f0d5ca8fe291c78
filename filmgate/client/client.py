"""One server of the Model API and one key."""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urljoin

import httpx2

from filmgate.client import replies
from filmgate.client.errors import (
    ArgumentInvalid,
    ReplyUnreadable,
    RequestFailed,
    ServerUnreachable,
    TooManyCalls,
    Unavailable,
    WaitExpired,
    refusal,
)

__all__ = ["Client"]

CONNECT_S = 10.0
ANSWER_S = 120.0

FIRST_LOOK_S = 0.05
LONGEST_LOOK_S = 1.0
LOOK_GROWTH = 1.3

PAGE = 500

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Client:
    """Calls the server at `url`, given with or without `/v1`. Raises ClientError with the server's own sentence."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        timeout = httpx2.Timeout(ANSWER_S, connect=CONNECT_S)
        try:
            base = httpx2.URL(self.url)
        except httpx2.InvalidURL as error:
            raise ArgumentInvalid(f"{url!r} is not a server's URL: {error}.") from error
        if base.scheme not in ("http", "https") or not base.host or any(map(str.isspace, url)):
            raise ArgumentInvalid(f"{url!r} is not a server's URL; write it like http://127.0.0.1:8000.")
        if not key.isascii() or not key.isprintable() or not key.strip():
            raise ArgumentInvalid("The key must be visible ASCII characters; copy it as it was shown.")
        self._headers = {"Authorization": f"Bearer {key.strip()}"}
        # A proxy of the environment is for the world, not for this machine.
        self._http = httpx2.Client(timeout=timeout, trust_env=base.host not in LOOPBACK)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # ------------------------------------------------------------------------------------------------------ catalog

    def models(self, *, search: str = "", category: str = "", schemas: bool = False) -> Sequence[replies.Model]:
        """All models that the server offers."""
        found: list[replies.Model] = []
        while True:
            query = {"search": search, "category": category, "limit": PAGE, "offset": len(found)}
            reply = self._call("GET", "/v1/models", params={**query, "include_schema": str(schemas).lower()})
            page = [replies.model(entry) for entry in _list(reply, "models")]
            found += page
            if not page or len(found) >= reply.get("total", 0):
                return found

    def model(self, model_id: str) -> replies.Model:
        """One model with its input schema. Raises ModelUnknown."""
        return replies.model(self._call("GET", _model_path(model_id)))

    # ----------------------------------------------------------------------------------------------------- requests

    def submit(self, model_id: str, inputs: Mapping[str, Any]) -> str:
        """The id of the new request. Raises InputsInvalid, ModelUnknown, Unavailable."""
        reply = self._call("POST", _model_path(model_id), json=dict(inputs))
        request_id = reply.get("request_id")
        if not isinstance(request_id, str):
            raise ReplyUnreadable("The server's reply has no 'request_id'; is it a Model API?")
        return request_id

    def status(self, request_id: str) -> replies.Status:
        """Raises RequestUnknown."""
        return replies.status(self._call("GET", f"{_request_path(request_id)}/status"))

    def result(self, request_id: str, *, cost: bool = False) -> replies.Result:
        """What is known now, finished or not. Raises RequestUnknown."""
        query = {"include_cost": "true"} if cost else None
        return replies.result(self._call("GET", f"{_request_path(request_id)}/result", params=query))

    def cancel(self, request_id: str, *, force: bool = False) -> replies.Cancelled:
        """Cancels a request that waits; with `force` one that runs is stopped too. Raises RequestUnknown."""
        query = {"force": "true"} if force else None
        return replies.cancelled(self._call("POST", f"{_request_path(request_id)}/cancel", params=query))

    def wait(
        self,
        request_id: str,
        *,
        on_status: Callable[[replies.Status], None] | None = None,
        timeout_s: float | None = None,
        patience_s: float = 60.0,
    ) -> replies.Result:
        """The result of a request once it has ended; `on_status` hears of every look.

        A server that cannot be reached, or says that it cannot answer now, is asked again for `patience_s`. Raises
        RequestFailed when the request ended `failed` and WaitExpired after `timeout_s`.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        look_s = FIRST_LOOK_S
        answered_at = time.monotonic()
        while True:
            try:
                status = self.status(request_id)
                answered_at = time.monotonic()
            except (ServerUnreachable, Unavailable, TooManyCalls) as error:
                if time.monotonic() - answered_at > patience_s:
                    raise
                look_s = max(look_s, getattr(error, "retry_after_s", None) or FIRST_LOOK_S)
            else:
                if on_status is not None:
                    on_status(status)
                if status.finished:
                    return self._ended(request_id)
            if deadline is not None and time.monotonic() + look_s > deadline:
                raise WaitExpired(f"Request {request_id} has not finished within {timeout_s:g} s; it goes on.")
            time.sleep(look_s)
            look_s = min(look_s * LOOK_GROWTH, LONGEST_LOOK_S)

    def _ended(self, request_id: str) -> replies.Result:
        result = self.result(request_id)
        if result.word == "failed":
            raise RequestFailed(result.error or "The request failed, and the server does not say why.", request_id)
        return result

    # -------------------------------------------------------------------------------------------------------- files

    def upload(self, path: Path | str) -> str:
        """The URL of a local file that is now on the server, for use as an input. Raises InputsInvalid."""
        path = Path(path)
        with path.open("rb") as file:
            reply = self._call("POST", "/v1/files", files={"file": (path.name, file)})
        url = reply.get("url")
        if not isinstance(url, str):
            raise ReplyUnreadable("The server's reply to the upload has no 'url'.")
        return url

    def download(self, url: str, path: Path | str) -> Path:
        """Writes an output to `path`, whole or not at all."""
        target = Path(path)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            # The key stays at home: outputs need none, and their URLs may lead elsewhere.
            address, headers = urljoin(f"{self.url}/", url), {"Accept-Encoding": "identity"}
            with self._http.stream("GET", address, headers=headers, follow_redirects=True) as reply:
                if reply.status_code != 200:
                    raise refusal(reply.status_code, _json(reply.read()), reply.headers.get("retry-after"))
                with part.open("wb") as file:
                    for chunk in reply.iter_raw():
                        file.write(chunk)
                length = reply.headers.get("content-length")
            if length is not None and part.stat().st_size != int(length):
                raise ServerUnreachable(f"The download broke off after {part.stat().st_size} of {length} bytes.")
            part.replace(target)
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from error
        finally:
            part.unlink(missing_ok=True)
        return target

    # -------------------------------------------------------------------------------------------------------- calls

    def _call(self, method: str, path: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            reply = self._http.request(method, f"{self.url}{path}", headers=self._headers, **arguments)
        except httpx2.HTTPError as error:
            raise self._unreachable(error) from error
        body = _json(reply.content)
        if reply.status_code >= 300:
            raise refusal(reply.status_code, body, reply.headers.get("retry-after"))
        if not isinstance(body, dict):
            raise ReplyUnreadable(f"{self.url} did not answer with a JSON object; is it a Model API?")
        return body

    def _unreachable(self, error: httpx2.HTTPError) -> ServerUnreachable:
        reason = str(error) or type(error).__name__
        return ServerUnreachable(f"The server at {self.url} cannot be reached: {reason}.")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _list(reply: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    value = reply.get(name)
    if not isinstance(value, list):
        raise ReplyUnreadable(f"The server's reply has no list {name!r}; is it a Model API?")
    return [entry for entry in value if isinstance(entry, dict)]


def _model_path(model_id: str) -> str:
    return f"/v1/models/{quote(model_id, safe='/')}"


def _request_path(request_id: str) -> str:
    return f"/v1/requests/{quote(request_id, safe='')}"
