"""What the probe and its child say to each other: one line of JSON each way, two open files along with each order."""

from typing import Literal

import msgspec

from filmgate.domain.media import AudioFacts, ImageFacts, MediaKind

__all__ = ["MAX_LINE_BYTES", "Answer", "Hello", "Order"]

MAX_LINE_BYTES = 4096


class Hello(msgspec.Struct, forbid_unknown_fields=True):
    """First of all: the child is ready, and this is how far it is locked down."""

    lockdown: str


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """Measure the first file that comes with this, write the clean copy to the second."""

    kind: MediaKind
    max_pixels: int
    processor_time_s: float


class Answer(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Facts, or the sentence why there are none. `spent`: the child ends after this and takes no more orders."""

    image: ImageFacts | None = None
    audio: AudioFacts | None = None
    problem: str | None = None
    spent: Literal[True] | None = None
