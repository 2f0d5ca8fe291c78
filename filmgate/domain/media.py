"""What is known of a file after it was measured, and which rules a manifest may set for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Literal

import msgspec

__all__ = ["MEASURES", "AudioFacts", "ImageFacts", "MediaFacts", "MediaKind", "MediaLimits", "MediaRule", "judge"]

MediaKind = Literal["image", "audio"]

MEASURES: Mapping[MediaKind, frozenset[str]] = {
    "image": frozenset({"width_px", "height_px", "size_bytes"}),
    "audio": frozenset({"duration_s", "size_bytes"}),
}

OPERATORS = {">": gt, ">=": ge, "<": lt, "<=": le}


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """A measured picture. Sides are in pixels after EXIF rotation; `size_bytes` is the file as it was sent."""

    format: str
    width_px: int
    height_px: int
    size_bytes: int
    alpha_in_use: bool = False
    decoded: bool = True
    """False when the header alone was read, because the picture has more pixels than are ever decoded here."""


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """A measured sound. `duration_s` counts decoded samples, whatever the header claims."""

    format: str
    duration_s: float
    size_bytes: int


MediaFacts = ImageFacts | AudioFacts


class MediaRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bound: the file is refused with `sentence` unless `measure` `operator` `value` holds."""

    measure: str
    operator: Literal[">", ">=", "<", "<="]
    value: float
    sentence: str

    def holds(self, facts: MediaFacts) -> bool:
        return bool(OPERATORS[self.operator](getattr(facts, self.measure), self.value))


class MediaLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a manifest says of one media input."""

    kind: MediaKind
    formats: tuple[str, ...]
    formats_sentence: str
    rules: tuple[MediaRule, ...] = ()
    alpha_sentence: str | None = None
    """Set where an alpha channel in use is refused."""


def judge(facts: MediaFacts, limits: MediaLimits) -> Sequence[str]:
    """The sentences of all rules that the file breaks, each once; empty when it is welcome."""
    if facts.format not in limits.formats:
        return [limits.formats_sentence]
    broken = [rule.sentence for rule in limits.rules if not rule.holds(facts)]
    if isinstance(facts, ImageFacts):
        if limits.alpha_sentence is not None and facts.alpha_in_use:
            broken.append(limits.alpha_sentence)
        if not facts.decoded and not broken:
            broken.append(
                f"The image has {facts.width_px} × {facts.height_px} pixels, more than are decoded here; shrink it."
            )
    return list(dict.fromkeys(broken))
