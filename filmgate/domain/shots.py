"""Prompts that list shots: `Shot 1 [0–5s] …`, `Scene 2: …`, `镜头3 …`, `第二个镜头[3-6秒] …`.

A header counts where a line or sentence begins, or where times follow it, so that "as in shot 1" is none. Times
are proportions: they are stretched to the clip's length. A list without (sane) times is split evenly.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["ListedShot", "ShotList", "Span", "find_shots"]

Span = tuple[int, int]
"""Where a piece of a text starts and ends."""

ENGLISH_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {
    word: number for words in (ENGLISH_NUMBERS, "一二三四五六七八九十") for number, word in enumerate(words, start=1)
}
NAME = re.compile(
    r"(?:\b(?:shot|scene)[ \t]{0,3}#?[ \t]{0,2}(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)\b"
    r"|(?:分?镜头|场景|分镜)[ \t]{0,3}(\d{1,3}|[一二三四五六七八九十])"
    r"|第[ \t]{0,2}(\d{1,3}|[一二三四五六七八九十])[ \t]{0,2}个?(?:镜头|场景|分镜|幕))",
    re.IGNORECASE | re.ASCII,
)
UNIT = r"(?:seconds|second|secs|sec|s|秒)"
SPACE = r"[ \t]{0,4}"
OPEN, CLOSE = rf"{SPACE}[:：,，.]?{SPACE}([\[(（【<]?){SPACE}", rf"{SPACE}[\])）】>]?"
TIME = r"(?:(\d{1,3}):)?(\d{1,5}(?:\.\d{1,4})?)"
DASH = rf"{SPACE}(?:[-\u2010-\u2015\u2212~～〜]{{1,2}}|to|至|到){SPACE}"
TIMES = re.compile(
    rf"{OPEN}{TIME}{SPACE}{UNIT}?{DASH}{TIME}{SPACE}({UNIT}?){CLOSE}",
    re.IGNORECASE | re.ASCII,
)
LENGTH = re.compile(rf"{OPEN}(\d{{1,5}}(?:\.\d{{1,4}})?){SPACE}{UNIT}(?![a-z]){CLOSE}", re.IGNORECASE | re.ASCII)
COLON = re.compile(r"[ \t*_]{0,6}[:：\]】)）—–-]")
DECORATION = " \t*_#>-–—•([【（\"“'"
OPENERS = "\n.!?;。！？；:："
LOOK_BACK = 24


@dataclass(frozen=True, slots=True)
class ListedShot:
    """One shot of the list: where its header and its text stand, and its share of the clip."""

    header: Span
    text: Span
    share: float


@dataclass(frozen=True, slots=True)
class ShotList:
    """At least two shots; shares add up to 1. `head` is the overall text before the first one."""

    head: Span
    shots: tuple[ListedShot, ...]


@dataclass(frozen=True, slots=True)
class Header:
    span: Span
    number: int
    start_s: float | None = None
    end_s: float | None = None


def find_shots(text: str) -> ShotList | None:
    """The shot list of the text, or None when it lists fewer than two."""
    headers: list[Header] = []
    for found in NAME.finditer(text):
        header = _header(text, found)
        if header is not None and (not headers or header.number > headers[-1].number):
            headers.append(header)
    if len(headers) < 2:
        return None
    ends = [*(header.span[0] for header in headers[1:]), len(text)]
    shots = tuple(
        ListedShot(header.span, (header.span[1], end), share)
        for header, end, share in zip(headers, ends, _shares(headers), strict=True)
    )
    return ShotList((0, headers[0].span[0]), shots)


def _header(text: str, found: re.Match[str]) -> Header | None:
    number = next(group for group in found.groups() if group)
    value = NUMBERS.get(number.lower(), 0) or int(number)
    times = TIMES.match(text, found.end())
    if times is not None and (times.group(1) or times.group(6)):
        start, end = _seconds(times.group(2), times.group(3)), _seconds(times.group(4), times.group(5))
        return Header((found.start(), times.end()), value, start, end)
    length = LENGTH.match(text, found.end())
    if length is not None:
        return Header((found.start(), length.end()), value, None, float(length.group(2)))
    if _opens(text, found.start()) or COLON.match(text, found.end()):
        return Header(found.span(), value)
    return None


def _opens(text: str, at: int) -> bool:
    """Whether a line, sentence or clause begins here."""
    before = text[max(0, at - LOOK_BACK) : at].rstrip(DECORATION)
    return not before or before[-1] in OPENERS


def _seconds(minutes: str | None, seconds: str) -> float:
    return 60 * float(minutes or 0) + float(seconds)


def _shares(headers: list[Header]) -> list[float]:
    """Each shot's share of the clip, from start to start; even where the times make no sense."""
    ends = [header.end_s for header in headers]
    starts = [header.start_s for header in headers]
    lengths: list[float] = []
    if all(start is None for start in starts) and all(end is not None for end in ends):
        lengths = [end or 0.0 for end in ends]
    elif all(start is not None for start in starts):
        cuts = [*(start or 0.0 for start in starts), max(end or 0.0 for end in ends)]
        lengths = [after - before for before, after in pairwise(cuts)]
    if not lengths or min(lengths) <= 0:
        lengths = [1.0] * len(headers)
    total = sum(lengths)
    return [length / total for length in lengths]
