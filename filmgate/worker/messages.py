"""What crosses between a worker and the child process that holds its engine: these records and nothing else.

Each is msgpack behind its length in four bytes. The child says `Ready` or `Unready` once; then every `Run` is answered
by any number of `Reported`, `Previewed` and `Checkpointed` and exactly one ending: `Finished`, `Refused`, `Raised`,
`Halted` or `Broke`. The worker answers every `Checkpointed` with one `Kept`.
"""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from filmgate.domain.ports import Capabilities, Job, Lora, Result
from filmgate.domain.sizes import ImageTarget, VideoTarget

__all__ = [
    "Broke",
    "Checkpointed",
    "Finished",
    "Frames",
    "FromChild",
    "Halted",
    "Kept",
    "Previewed",
    "Raised",
    "Ready",
    "Refused",
    "Reported",
    "Run",
    "Stop",
    "ToChild",
    "Unready",
    "frame",
    "from_child",
    "sendable_text",
    "to_child",
]

_LENGTH_BYTES = 4


class _Message(msgspec.Struct, frozen=True, tag=True):
    pass


class Run(_Message, frozen=True):
    """Do this job. One of the targets is set; `job` holds the other fields, its paths as text."""

    job: dict[str, Any]
    video: VideoTarget | None
    image: ImageTarget | None

    @classmethod
    def of(cls, job: Job) -> "Run":
        plain = {field.name: getattr(job, field.name) for field in fields(job) if field.name != "target"}
        if isinstance(job.target, VideoTarget):
            return cls(plain, job.target, None)
        return cls(plain, None, job.target)

    def unpacked(self) -> Job:
        paths = {
            "images": tuple(Path(image) for image in self.job["images"]),
            "audio": None if self.job["audio"] is None else Path(self.job["audio"]),
            "checkpoint": None if self.job["checkpoint"] is None else Path(self.job["checkpoint"]),
            "scratch": Path(self.job["scratch"]),
        }
        loras = tuple(Lora(**lora) for lora in self.job["loras"])
        return Job(**{**self.job, **paths, "loras": loras, "target": self.video or self.image})


class Stop(_Message, frozen=True):
    """End the job under way. Means nothing to a child that is idle."""


class Kept(_Message, frozen=True):
    """The last checkpoint was looked after: it is stored, or the worker's log says why it is not."""


class Ready(_Message, frozen=True):
    """The engine is loaded."""

    capabilities: Capabilities


class Unready(_Message, frozen=True):
    """The engine cannot be loaded, and will not be by trying again."""

    code: str
    sentence: str


class Reported(_Message, frozen=True):
    """A sign of life: where the job is, and the log lines since the last one."""

    fraction: float
    stage: str
    lines: tuple[str, ...] = ()


class Previewed(_Message, frozen=True):
    """The bytes of a small WebP that shows what is coming."""

    content: bytes


class Checkpointed(_Message, frozen=True):
    """A file to keep for a later attempt; whoever sent this waits for `Kept`."""

    path: str


class Finished(_Message, frozen=True):
    result: Result


class Refused(_Message, frozen=True):
    """The engine says why it cannot do this job; it is ready for the next."""

    code: str
    sentence: str
    retryable: bool = False


class Raised(_Message, frozen=True):
    """The engine failed in a way it did not foresee: nobody knows what state it is in."""

    code: str
    sentence: str
    retryable: bool = False


class Halted(_Message, frozen=True):
    """The engine stopped between two steps."""


class Broke(_Message, frozen=True):
    """The engine cannot go on in this process, though the request may be none the worse for it."""

    sentence: str


ToChild = Run | Stop | Kept
FromChild = Ready | Unready | Reported | Previewed | Checkpointed | Finished | Refused | Raised | Halted | Broke


def _encode_path(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"a {type(value).__name__} is no plain value")


def _decode_path(kind: type, value: object) -> object:
    return kind(value)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_encode_path)
_TO_CHILD: msgspec.msgpack.Decoder[ToChild] = msgspec.msgpack.Decoder(ToChild)
_FROM_CHILD: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild, dec_hook=_decode_path)


def frame(message: ToChild | FromChild) -> bytes:
    """The bytes to send. Raises TypeError, OverflowError or UnicodeEncodeError for values that msgpack cannot hold."""
    body = _ENCODER.encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def sendable_text(value: object) -> str:
    """The text of `value` without lone surrogates, which UTF-8 does not hold; broken file names bring them."""
    return str(value).encode(errors="replace").decode()


def to_child(body: bytes) -> ToChild:
    return _TO_CHILD.decode(body)


def from_child(body: bytes) -> FromChild:
    """Raises msgspec.DecodeError where an engine put values of the wrong type into its result."""
    return _FROM_CHILD.decode(body)


class Frames:
    """Cuts a stream of bytes back into the bodies that were framed."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Every body that is complete once `data` has come."""
        self._pending += data
        while len(self._pending) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._pending[:_LENGTH_BYTES], "big")
            if len(self._pending) < end:
                return
            body = bytes(self._pending[_LENGTH_BYTES:end])
            del self._pending[:end]
            yield body
