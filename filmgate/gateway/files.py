"""Files over HTTP: uploads of inputs, and downloads of everything behind an unguessable URL, with byte ranges."""

import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from filmgate.domain.errors import BodyTooLarge, Fault, FileUnknown, InputRejected, InputsInvalid
from filmgate.domain.media import MediaKind
from filmgate.domain.records import PublicFile
from filmgate.gateway import wire
from filmgate.gateway.context import Context, json_response

__all__ = ["FileRoutes", "byte_range"]

_TYPES: Mapping[str, tuple[str, str]] = {
    "jpeg": ("image/jpeg", "jpg"),
    "png": ("image/png", "png"),
    "bmp": ("image/bmp", "bmp"),
    "webp": ("image/webp", "webp"),
    "wav": ("audio/wav", "wav"),
    "mp3": ("audio/mpeg", "mp3"),
}

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

_MEDIA_HEADERS: Mapping[str, str] = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=86400, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


class FileRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def upload(self, request: Request) -> Response:
        """A file as the field `file` of a multipart form, or as the whole body."""
        key = await self._context.key(request)
        path = self._context.freezer.new_path()
        try:
            name, digest = await self._receive(request, path)
            kind = _kind(path)
            try:
                blob = await self._context.freezer.freeze(path, digest, kind)
            except InputRejected as error:
                raise InputsInvalid([Fault(("body", "file"), f"file: {error.sentence}", error.code)]) from error
            content_type, extension = _TYPES[blob.facts.format]
            token = secrets.token_urlsafe(24)
            file = PublicFile(
                token=token,
                name=f"{_safe_stem(name)}.{extension}",
                key=f"uploads/{token}",
                content_type=content_type,
                size_bytes=path.stat().st_size,
                digest=digest,
                account_id=key.account_id,
            )
            await self._context.storage.put(file.key, path)
            await self._context.files.publish(file)
        finally:
            path.unlink(missing_ok=True)
        return json_response(wire.file_reply(file, self._context.base_url(request)))

    async def download(self, request: Request) -> Response:
        """The whole file, or the one byte range that was asked for."""
        token, name = request.path_params["token"], request.path_params["name"]
        file = await self._context.files.public(token)
        if file is None or file.name != name:
            raise FileUnknown("There is no such file, or it has expired.")
        etag = f'"{file.digest}"'
        headers = {
            **_MEDIA_HEADERS,
            "ETag": etag,
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(file.name)}",
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        wanted = request.headers.get("range", "")
        if request.headers.get("if-range", etag) != etag:
            wanted = ""
        span = byte_range(wanted, file.size_bytes)
        if span is None:
            headers["Content-Range"] = f"bytes */{file.size_bytes}"
            return Response(status_code=416, headers=headers)
        start, end = span
        headers["Content-Length"] = str(end - start)
        partial = end - start != file.size_bytes
        if partial:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size_bytes}"
        stream: AsyncIterator[bytes] = self._context.storage.stream(file.key, start, end)
        return StreamingResponse(stream, 206 if partial else 200, headers, media_type=file.content_type)

    async def _receive(self, request: Request, path: Path) -> tuple[str, str]:
        """Writes the sent file to `path`; its name and the sha256 of its bytes."""
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return request.query_params.get("name", "upload"), await self._write(request.stream(), path)
        async with request.form(max_files=1, max_fields=8) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InputsInvalid([Fault(("body", "file"), "Send the file as the form field 'file'.", "required")])
            return file.filename or "upload", await self._write(_chunks(file), path)

    async def _write(self, chunks: AsyncIterator[bytes], path: Path) -> str:
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as target:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._context.max_body_bytes:
                    raise BodyTooLarge(f"The file is larger than {self._context.max_body_bytes} bytes.")
                digest.update(chunk)
                target.write(chunk)
        return digest.hexdigest()


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of what a `Range` header asks of `size` bytes; all of them when it asks for nothing
    that we understand, None when the file has no such bytes (RFC 9110, section 14)."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if first == "":
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return 0, size
    return (start, end) if start < end else None


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(1 << 20):
        yield chunk


def _kind(path: Path) -> MediaKind:
    with path.open("rb") as file:
        head = file.read(12)
    audible = head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE"
    audible = audible or head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")
    return "audio" if audible else "image"


def _safe_stem(name: str) -> str:
    """The name without folders and extension, reduced to what needs no escape in a URL."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(name.replace("\\", "/")).stem).strip("-")
    return stem[:64] or "upload"
