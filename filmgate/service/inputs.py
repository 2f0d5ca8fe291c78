"""How a file that anybody sent becomes a frozen input: measured, judged, stored clean under its content's hash."""

import asyncio
import hashlib
import secrets
from pathlib import Path

from filmgate.domain.data_uri import decode_data_uri
from filmgate.domain.errors import InputRejected, MediaUnreadable
from filmgate.domain.media import ImageFacts, MediaKind, MediaLimits, judge
from filmgate.domain.ports import Files, Probe, Storage
from filmgate.domain.records import Blob, PublicFile

__all__ = ["InputFreezer", "sha256_of"]

_CHUNK_BYTES = 1 << 20


class InputFreezer:
    """Freezes local files. `scratch` is a folder of this process for clean copies on their way to storage."""

    def __init__(self, files: Files, probe: Probe, storage: Storage, scratch: Path) -> None:
        self._files = files
        self._probe = probe
        self.storage = storage
        self.scratch = scratch

    async def freeze(self, source: Path, digest: str, kind: MediaKind, limits: MediaLimits | None = None) -> Blob:
        """The blob of `source`, whose sha256 is `digest`. Bytes that were frozen before are not measured again.

        Raises InputRejected with the sentence of every rule of `limits` that the file breaks.
        """
        blob = await self._files.blob(digest)
        if blob is not None and isinstance(blob.facts, ImageFacts) == (kind == "image"):
            _refuse_unless_welcome(blob, limits)
            return blob
        clean = self.new_path()
        try:
            facts = await self._probe.measure(source, kind, clean)
            if limits is None and isinstance(facts, ImageFacts) and not facts.decoded:
                raise InputRejected("The image has more pixels than are decoded here; shrink it.")
            blob = Blob(f"inputs/{digest[:2]}/{digest}", facts)
            _refuse_unless_welcome(blob, limits)
            await self.storage.put(blob.key, clean)
            await self._files.add_blob(digest, blob)
        except MediaUnreadable as error:
            raise InputRejected(error.sentence) from error
        finally:
            clean.unlink(missing_ok=True)
        return blob

    async def freeze_data_uri(self, uri: str, limits: MediaLimits) -> Blob:
        """The blob of the bytes in a `data:` URI."""
        source = self.new_path()
        try:
            digest = await asyncio.to_thread(_write_data_uri, uri, source)
            return await self.freeze(source, digest, limits.kind, limits)
        finally:
            source.unlink(missing_ok=True)

    async def freeze_public(self, file: PublicFile, limits: MediaLimits) -> Blob:
        """The blob of a file that is kept here: an upload, or the output of an earlier request."""
        source = self.new_path()
        try:
            if await self._files.blob(file.digest) is None:
                await self.storage.fetch(file.key, source)
            return await self.freeze(source, file.digest, limits.kind, limits)
        finally:
            source.unlink(missing_ok=True)

    def new_path(self) -> Path:
        return self.scratch / secrets.token_hex(8)


def _refuse_unless_welcome(blob: Blob, limits: MediaLimits | None) -> None:
    broken = judge(blob.facts, limits) if limits is not None else ()
    if broken:
        raise InputRejected(" ".join(broken))


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write_data_uri(uri: str, target: Path) -> str:
    try:
        data = decode_data_uri(uri)
    except ValueError as error:
        raise InputRejected(f"This data URI {error}.") from error
    target.write_bytes(data)
    return hashlib.sha256(data).hexdigest()
