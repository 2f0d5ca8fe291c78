"""Submit, status, result and cancel, whoever asks."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from filmgate.domain.errors import Fault, InputRejected, InputsInvalid, ModelUnknown, RequestFailure, RequestUnknown
from filmgate.domain.manifest import Manifest
from filmgate.domain.media import MediaLimits
from filmgate.domain.ports import Files, Queue
from filmgate.domain.records import Cancelled, Input, NewRequest, RequestRecord, RequestStatus
from filmgate.domain.request import AccountId, RequestId
from filmgate.domain.schema import CheckedInputs, InputCheck, media_loc
from filmgate.domain.webhook import Webhook
from filmgate.service.inputs import InputFreezer

__all__ = ["Requests"]

_SEEDS = 1 << 31


class Requests:
    """The requests of all accounts. `check_url` refuses an address that is never fetched, by raising RequestFailure."""

    def __init__(
        self,
        catalog: Mapping[str, Manifest],
        queue: Queue,
        files: Files,
        freezer: InputFreezer,
        check_url: Callable[[str], object],
    ) -> None:
        self.catalog = catalog
        self._queue = queue
        self._files = files
        self._freezer = freezer
        self._check_url = check_url
        self._checks = {model_id: InputCheck(manifest) for model_id, manifest in catalog.items()}

    def manifest(self, model_id: str) -> Manifest:
        """Raises ModelUnknown."""
        try:
            return self.catalog[model_id]
        except KeyError:
            known = ", ".join(self.catalog) or "none"
            raise ModelUnknown(f"There is no model {model_id[:120]!r}. Known models: {known}.") from None

    async def submit(
        self,
        account_id: AccountId,
        model_id: str,
        body: Mapping[str, Any],
        base_url: str,
        *,
        webhook: Webhook | None = None,
        warnings: tuple[str, ...] = (),
    ) -> RequestId:
        """Durable once it returns. `base_url` is where our own files are reached; `warnings` join those of the inputs.

        Raises ModelUnknown, InputsInvalid with every fault, Unavailable.
        """
        manifest = self.manifest(model_id)
        checked = self._checks[model_id](body)
        media = await self._media(manifest, checked, base_url) if checked.media else ()
        seed = manifest.value("seed", checked.values)
        request = NewRequest(
            id=RequestId(secrets.token_hex(16)),
            account_id=account_id,
            model_id=model_id,
            values=checked.values,
            media=media,
            seed=secrets.randbelow(_SEEDS) if seed is None else seed,
            warnings=(*checked.warnings, *warnings),
            webhook=webhook,
        )
        await self._queue.put(request)
        return request.id

    async def status(self, account_id: AccountId, request_id: RequestId) -> RequestStatus:
        """Raises RequestUnknown."""
        status = await self._queue.status(request_id, account_id)
        if status is None:
            raise _request_unknown(request_id)
        return status

    async def find(self, account_id: AccountId, request_id: RequestId) -> RequestRecord:
        """Raises RequestUnknown: absent, expired and another account's are one answer."""
        record = await self._queue.find(request_id, account_id)
        if record is None:
            raise _request_unknown(request_id)
        return record

    async def cancel(self, account_id: AccountId, request_id: RequestId, *, force: bool) -> Cancelled:
        """Raises RequestUnknown."""
        cancelled = await self._queue.cancel(request_id, account_id, force=force)
        if cancelled is None:
            raise _request_unknown(request_id)
        return cancelled

    async def _media(self, manifest: Manifest, checked: CheckedInputs, base_url: str) -> tuple[Input, ...]:
        media: list[Input] = []
        faults: list[Fault] = []
        counts: dict[str, int] = {}
        for name, value in checked.media:
            index = counts[name] = counts.get(name, -1) + 1
            try:
                media.append(await self._input(name, value, manifest.media[name], base_url))
            except RequestFailure as error:
                faults.append(Fault(media_loc(manifest, name, index), f"{name}: {error.sentence}", error.code))
        if faults:
            raise InputsInvalid(faults)
        return tuple(media)

    async def _input(self, name: str, value: str, limits: MediaLimits, base_url: str) -> Input:
        if value[:5].lower() == "data:":
            return Input(name, blob=await self._freezer.freeze_data_uri(value, limits))
        if (token := _own_token(value, base_url)) is not None:
            file = await self._files.public(token)
            if file is None:
                raise InputRejected("This file is not kept here, or no longer; upload it again.")
            return Input(name, blob=await self._freezer.freeze_public(file, limits))
        self._check_url(value)
        return Input(name, url=value)


def _own_token(url: str, base_url: str) -> str | None:
    """The token of a file that this server keeps, or None when the URL leads elsewhere."""
    head = f"{base_url}/files/"
    return url[len(head) :].partition("/")[0] if url.startswith(head) else None


def _request_unknown(request_id: str) -> RequestUnknown:
    return RequestUnknown(f"There is no request {request_id[:128]!r}, or it has expired.")
