"""From a prompt to takes: what is told in which output frames, and where the picture cuts.

A prompt that lists shots makes as many takes, each told by the overall text and its own. `shot_type` acts only while
`extend` is on, and then beats the list: `single` makes one take in which the listed texts follow each other, `multi`
makes several takes even of a prompt that lists none. Such takes are equally long, about as long as a model renders in
one go and therefore renders best, and differ in what the camera does: every take begins at the input picture, so a cut
without another camera would look like a stumble.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil, floor

from filmgate.domain.shots import ShotList, Span, find_shots

__all__ = ["Script", "Take", "read_script"]

SHORTEST_SHOT_S = 0.5
FEWEST_SHOT_FRAMES = 3
SHORTEST_OWN_SHOT_S = 2.0
OWN_SHOT_S = 5.0
OWN_VIEWS = (
    ("", ""),
    ("The camera moves steadily closer to the subject.", "镜头平稳地推近主体。"),
    ("The camera draws back and shows more of the surroundings.", "镜头向后拉远，露出更多环境。"),
)
"""What is added to the prompt in takes of our own making, in English and in Chinese."""

_CHINESE = re.compile("[\u4e00-\u9fff]")
_BEFORE = " \t\r\n*_:：,，.;；-–—)]】）"
_AFTER = " \t\r\n*_#>-–—•([【（"
"""What a shot's header leaves over on either side of a text."""
_ENDINGS = tuple(".!?…。！？;；:：,，\"”'")


@dataclass(frozen=True, slots=True)
class Line:
    """A text and when it is told: from `first` to `end`, in output frames and parts of them."""

    text: str
    first: float
    end: float


@dataclass(frozen=True, slots=True)
class Take:
    """One continuous take: the output frames [first, end). The lines tile it, `head` is told all the time."""

    first: int
    end: int
    lines: tuple[Line, ...]
    head: str = ""

    def prompt(self, first: int, end: int) -> str:
        """What is told in the frames [first, end): lines that fill half of them, or have half of their own there."""
        told = []
        for line in self.lines:
            shared = min(end, line.end) - max(first, line.first)
            if shared > 0 and 2 * shared >= min(end - first, line.end - line.first):
                told.append(line.text)
        return told[0] if len(told) == 1 and not self.head else _joined([self.head, *told])


@dataclass(frozen=True, slots=True)
class Script:
    """The takes tile the clip. `warnings` are sentences about what was asked for and is not in them."""

    takes: tuple[Take, ...]
    warnings: tuple[str, ...] = ()


def read_script(prompt: str, *, frames: int, frame_rate: int, shot_type: str | None, extend: bool | None) -> Script:
    """The script of a clip of `frames` output frames, `frame_rate` of which are a second of motion.

    `extend` is None where a model has no such input, which counts as on.
    """
    wanted = None if extend is False else shot_type
    listed = find_shots(prompt)
    if listed is not None and wanted == "single":
        return Script((_one_take(prompt, listed, frames),))
    if listed is not None:
        return _listed_takes(prompt, listed, frames, frame_rate)
    if wanted == "multi":
        return _own_takes(prompt, frames, frame_rate)
    return Script((Take(0, frames, (Line(prompt, 0, frames),)),))


def _one_take(prompt: str, listed: ShotList, frames: int) -> Take:
    reached = accumulate((frames * shot.share for shot in listed.shots), initial=0.0)
    lines = [
        Line(_text(prompt, shot.text), first, end)
        for shot, (first, end) in zip(listed.shots, pairwise(reached), strict=True)
    ]
    return Take(0, frames, tuple(lines), _text(prompt, listed.head))


def _listed_takes(prompt: str, listed: ShotList, frames: int, frame_rate: int) -> Script:
    """The listed shots, as many of them as the clip has room for."""
    least = max(FEWEST_SHOT_FRAMES, ceil(SHORTEST_SHOT_S * frame_rate))
    shots = listed.shots[: max(1, frames // least)]
    head = _text(prompt, listed.head)
    cuts = _cuts([shot.share for shot in shots], frames, least)
    takes = [
        Take(first, end, (Line(_text(prompt, shot.text), first, end),), head)
        for shot, (first, end) in zip(shots, pairwise(cuts), strict=True)
    ]
    if len(shots) == len(listed.shots):
        return Script(tuple(takes))
    sentence = f"The prompt lists {len(listed.shots)} shots, but the clip has room for only the first {len(shots)}."
    return Script(tuple(takes), (sentence,))


def _own_takes(prompt: str, frames: int, frame_rate: int) -> Script:
    duration_s = frames / frame_rate
    if duration_s < 2 * SHORTEST_OWN_SHOT_S:
        sentence = f"A clip of {duration_s:g} s is too short for several shots, so it is one take."
        return Script((Take(0, frames, (Line(prompt, 0, frames),)),), (sentence,))
    count = min(len(OWN_VIEWS), max(2, round(duration_s / OWN_SHOT_S)))
    language = 1 if _CHINESE.search(prompt) else 0
    cuts = _cuts([1.0] * count, frames, 0)
    return Script(
        tuple(
            Take(first, end, (Line(_joined([prompt, view[language]]) if view[language] else prompt, first, end),))
            for view, (first, end) in zip(OWN_VIEWS, pairwise(cuts), strict=False)
        )
    )


def _cuts(shares: Sequence[float], frames: int, least: int) -> list[int]:
    """Where takes begin and end; none much shorter than `least` frames."""
    lengths = [max(share, least / frames) for share in shares]
    total = sum(lengths)
    inner = [floor(frames * reached / total + 0.5) for reached in accumulate(lengths[:-1])]
    return [0, *inner, frames]


def _text(prompt: str, span: Span) -> str:
    return prompt[slice(*span)].lstrip(_BEFORE).rstrip(_AFTER)


def _joined(texts: Sequence[str]) -> str:
    """The texts as sentences, one after the other."""
    told = [text.strip() for text in texts if text.strip()]
    return " ".join([*(_ended(text) for text in told[:-1]), *told[-1:]])


def _ended(text: str) -> str:
    if text.endswith(_ENDINGS):
        return text
    return f"{text}。" if _CHINESE.match(text[-1]) else f"{text}."
