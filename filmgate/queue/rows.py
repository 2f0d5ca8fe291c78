"""Columns in JSON, and times: how the records of the domain look inside a row, whatever the database.

The domain tells a picture's facts from a sound's by their type; JSON needs a name for that, so the stored forms here
have one field for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from filmgate.domain.media import AudioFacts, ImageFacts
from filmgate.domain.records import Blob, Input, Output
from filmgate.domain.webhook import Webhook

__all__ = [
    "MICROSECONDS",
    "blob_from_json",
    "blob_to_json",
    "json_text",
    "lines_from_json",
    "media_from_json",
    "media_to_json",
    "outputs_from_json",
    "seconds",
    "values_from_json",
    "webhook_from_json",
    "webhook_to_json",
]

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class _StoredBlob:
    key: str
    image: ImageFacts | None = None
    audio: AudioFacts | None = None


@dataclass(frozen=True, slots=True)
class _StoredInput:
    name: str
    url: str | None = None
    blob: _StoredBlob | None = None


_ENCODER = msgspec.json.Encoder()
_VALUES = msgspec.json.Decoder(dict[str, Any])
_LINES = msgspec.json.Decoder(tuple[str, ...])
_BLOB = msgspec.json.Decoder(_StoredBlob)
_MEDIA = msgspec.json.Decoder(tuple[_StoredInput, ...])
_WEBHOOK = msgspec.json.Decoder(Webhook)
_OUTPUTS = msgspec.json.Decoder(list[tuple[str, str, str, str, int, str]])


def json_text(value: Any) -> str:
    return _ENCODER.encode(value).decode()


def values_from_json(text: str) -> Mapping[str, Any]:
    return _VALUES.decode(text)


def lines_from_json(text: str) -> tuple[str, ...]:
    return _LINES.decode(text)


def outputs_from_json(text: str) -> tuple[Output, ...]:
    return tuple(Output(*fields) for fields in _OUTPUTS.decode(text))


def blob_to_json(blob: Blob) -> str:
    return json_text(_stored_blob(blob))


def blob_from_json(text: str) -> Blob:
    return _blob(_BLOB.decode(text))


def media_to_json(media: Sequence[Input]) -> str:
    return json_text([_StoredInput(one.name, one.url, _stored_blob(one.blob) if one.blob else None) for one in media])


def media_from_json(text: str) -> tuple[Input, ...]:
    return tuple(Input(one.name, one.url, _blob(one.blob) if one.blob else None) for one in _MEDIA.decode(text))


def webhook_to_json(webhook: Webhook | None) -> str | None:
    """With its host, by which statements tell receivers apart."""
    if webhook is None:
        return None
    told = {"url": webhook.url, "intermediate": webhook.intermediate, "base_url": webhook.base_url}
    return json_text(told | {"host": webhook.host})


def webhook_from_json(text: str | None) -> Webhook | None:
    return None if text is None else _WEBHOOK.decode(text)


def seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / MICROSECONDS


def _stored_blob(blob: Blob) -> _StoredBlob:
    if isinstance(blob.facts, ImageFacts):
        return _StoredBlob(blob.key, image=blob.facts)
    return _StoredBlob(blob.key, audio=blob.facts)


def _blob(stored: _StoredBlob) -> Blob:
    facts = stored.image or stored.audio
    if facts is None:
        raise ValueError(f"the frozen input {stored.key!r} was stored without what was measured of it")
    return Blob(stored.key, facts)
