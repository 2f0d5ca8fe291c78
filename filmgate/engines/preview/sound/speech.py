"""What people say in a prompt: quoted lines, who says them, and whether anybody talks at all.

A quote is spoken when a word of speech, or a name and a colon, stands before it; a sign that reads "OPEN" says nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from filmgate.domain.shots import Span
from filmgate.engines.preview.sound.vocabulary import READ_AT_MOST, Pattern, any_case

__all__ = ["Line", "Speaker", "Speech", "find_speech"]

Speaker = Literal["woman", "man", "child"]

LOOK_BACK = 80
QUOTE = re.compile(
    r"“([^“”]{1,300})”|\"([^\"]{1,300})\"|「([^「」]{1,300})」|『([^『』]{1,300})』|«([^«»]{1,300})»"
    r"|(?<=[:,] )'([^'\n]{2,300}[.!?…])'"
)
UNQUOTED = any_case(
    r"\b(?:says?|saying|whispers?|shouts?|asks?|replies|answers?|announces?|narrat(?:es?|or)|exclaims?): ?"
    r"([^\"“'\n]{2,200})"
)
SAID = any_case(
    r"\b(?:say(?:s|ing)?|said|whisper(?:s|ing)?|speak(?:s|ing)?|shout(?:s|ing)?|ask(?:s|ing|ed)?|repl(?:y|ies|ying)"
    r"|answer(?:s|ing)?|tell(?:s|ing)?|murmur(?:s|ing)?|mutter(?:s|ing)?|announc(?:es?|ing)|exclaim(?:s|ing)?|yell(?:s|ing)?"
    r"|call(?:s|ing)?|narrat(?:es?|or|ion|ing)|voice-?over|dialogue|line)\b",
    "说|道|喊|问|答|低语|旁白|台词|念",
)
WRITTEN = any_case(
    r"\b(?:sign|text|reads?|reading|written|titled?|caption|words?|labels?|labelled|logo|letters|poster|subtitles?|called|named)\b",
    "写着|字样|标题|字幕|招牌|标语|名为",
)
NAME_AND_COLON = re.compile(r"[\w’'\u4e00-\u9fff]{1,20}[:：]\s{0,2}$")
TALKING = any_case(
    r"\b(?:talk(?:s|ing)?|speak(?:s|ing)?|says?|saying|sings?|singing|whisper(?:s|ing)?|chat(?:s|ting)"
    r"|lip[- ]?sync\w{0,3}|recit(?:es|ing)|rap(?:s|ping)|presenter|newsreader)\b",
    "说话|讲话|说道|交谈|聊天|唱歌|歌唱|演唱|朗诵|对口型|说着|演讲",
)
NARRATOR = any_case(r"\b(?:narrat\w{1,3}|voice-?over)\b", "旁白|画外音")
MAN = any_case(
    r"\b(?:man|he|father|dad|grandfather|king|guy|gentleman|soldier|sir|actor|male)\b", "男人|男子|父亲|爷爷|先生|他"
)
CHILD = any_case(r"\b(?:child|boy|girl|kid|toddler|daughter|son)\b", "孩子|男孩|女孩|小孩|儿童")
WOMAN = any_case(r"\b(?:woman|she|mother|mom|grandmother|queen|lady|actress|female)\b", "女人|女子|母亲|奶奶|女士|她")

PEOPLE: tuple[tuple[Pattern, Speaker], ...] = ((MAN, "man"), (CHILD, "child"), (WOMAN, "woman"))


@dataclass(frozen=True, slots=True)
class Line:
    """A spoken line: its words, where the quote stands in the prompt, who says it, and whether a picture shows them."""

    text: str
    span: Span
    speaker: Speaker
    seen: bool = True

    @property
    def is_english(self) -> bool:
        """Whether its letters are Latin without exception; no voice here speaks anything but English."""
        letters = [letter for letter in self.text if letter.isalpha()]
        return bool(letters) and all(letter.isascii() or letter in "éèêïöüñç" for letter in letters)


@dataclass(frozen=True, slots=True)
class Speech:
    """The lines in their order, and whether somebody to be seen talks or sings, with or without lines."""

    lines: tuple[Line, ...]
    talks: bool


def find_speech(prompt: str, negative_prompt: str = "") -> Speech:
    """What is said in the prompt; nothing where the negative prompt names talking."""
    read = prompt[:READ_AT_MOST]
    if TALKING.search(negative_prompt):
        return Speech((), talks=False)
    lines = tuple(sorted(spoken_lines(read), key=lambda line: line.span))
    return Speech(lines, talks=any(line.seen for line in lines) or (not lines and TALKING.search(read) is not None))


def spoken_lines(prompt: str) -> Iterator[Line]:
    for found in QUOTE.finditer(prompt):
        before = prompt[max(0, found.start() - LOOK_BACK) : found.start()]
        if is_spoken(before):
            number = next(index for index, words in enumerate(found.groups(), start=1) if words)
            yield Line(found.group(number).strip(), found.span(), speaker_in(before), NARRATOR.search(before) is None)
    for found in UNQUOTED.finditer(prompt):
        before = prompt[max(0, found.start() - LOOK_BACK) : found.start()]
        seen = NARRATOR.search(prompt, found.start(), found.start(1)) is None
        yield Line(found.group(1).strip(), found.span(1), speaker_in(before), seen)


def is_spoken(before: str) -> bool:
    """Whether the words before a quote are words of speech, and nearer to it than any of writing."""
    said = max((found.end() for found in SAID.finditer(before)), default=0)
    written = max((found.end() for found in WRITTEN.finditer(before)), default=0)
    return said > written or (written == 0 and NAME_AND_COLON.search(before) is not None)


def speaker_in(before: str) -> Speaker:
    """The last person named before a line; a woman if nobody is."""
    named: list[tuple[int, Speaker]] = [
        (found.end(), speaker) for pattern, speaker in PEOPLE for found in pattern.finditer(before)
    ]
    return max(named, default=(0, "woman"))[1]
