"""What a prompt says of a picture made of several: which reference stands where, in front of what, in which look."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from filmgate.domain.shots import Span
from filmgate.engines.preview.prompt.clauses import Part, Sentence, quoted, split_sentences

__all__ = ["Arrangement", "Look", "Mood", "Side", "read_arrangement", "report"]

Side = Literal["left", "centre", "right"]
Look = Literal["pencil", "watercolour", "cartoon", "pixel_art"]
Mood = Literal["noir", "vintage", "neon", "night", "warm", "cold"]

READ_AT_MOST = 20_000
QUOTES_AT_MOST = 24
NEARBY = 48
"""How many characters before and after a reference say what it is for."""

NUMBERS = {"one": 1, "two": 2, "three": 3, "first": 1, "second": 2, "third": 3, "一": 1, "二": 2, "三": 3}
NOUN = r"(?:image|picture|photo|img|reference)"
MENTION = re.compile(
    rf"\b{NOUN}[ \t]{{0,2}}#?(\d|one|two|three)\b|\b(first|second|third) {NOUN}\b"
    r"|图[ \t]?(?:片|像)?[ \t]?([1-9一二三])",
    re.IGNORECASE | re.ASCII,
)
BACKGROUND_NOUN = r"(?:background|backdrop|scene|scenery|setting|location|背景)"
AFTER_AS_BACKGROUND = re.compile(
    rf"(?:'s| is| as|,)?(?: (?:be|to be|used))?(?: as)?(?: the| a)? {BACKGROUND_NOUN}\b"
    r"| (?:is )?(?:behind|in the back)\b|作为背景|为背景|的背景",
    re.IGNORECASE,
)
BEFORE_BACKGROUND = re.compile(
    rf"(?:{BACKGROUND_NOUN}(?: (?:of|from|in|is|should be|with|to))?(?: the)?"
    r"|\b(?:into|onto|inside|within|in front of|against)(?: the)?(?: \w{1,12})?(?: (?:of|from|in))?"
    r"|背景(?:是|用|为)|放(?:进|入|到))\s?$",
    re.IGNORECASE,
)
PUT = re.compile(r"^\W{0,3}(?:please )?(?:put|place|insert|drop|set|add|move)\b", re.IGNORECASE)
BEFORE_STYLE = re.compile(r"\bstyle (?:of|from|in)(?: the)?\s?$|\blike\s?$", re.IGNORECASE)
AFTER_STYLE = re.compile(r"^(?:'s)? (?:\w{1,12} )?style\b", re.IGNORECASE)
NEW_BACKGROUND = re.compile(
    r"\b(?:replace|change|remove|swap|new|different|another|plain|simple|solid)\b[^.,;\n]{0,24}\b(?:background|backdrop)\b"
    r"|\b(?:with|against|in front of|before) an? [^.,;\n]{0,24}\b(?:background|backdrop|wall)\b|换(?:个|一个)?背景",
    re.IGNORECASE,
)

SIDES: Mapping[str, Side] = {
    "left": "left", "leftmost": "left", "right": "right", "rightmost": "right",
    "centre": "centre", "center": "centre", "middle": "centre",
}  # fmt: skip
NO_SIDE_AFTER = frozenset({"hand", "arm", "leg", "eye", "foot", "ear", "shoulder", "cheek", "now", "away", "here"})
ARTICLES = frozenset({"the", "a", "an", "his", "her", "its", "their"})
BEFORE_SIDE = frozenset({"the", "to", "on", "at", "far", "in", "is", "stands", "sits", "positioned", "placed"})
CHINESE_SIDES: tuple[tuple[re.Pattern[str], Side], ...] = (
    (re.compile("左边|左侧|左面"), "left"),
    (re.compile("右边|右侧|右面"), "right"),
    (re.compile("中间|中央|正中"), "centre"),
)

SCENES = (
    "studio", "beach", "forest", "space", "night", "city", "street", "snow", "desert", "room", "sunset", "sky",
    "underwater", "mountain", "field", "garden", "stage",
)  # fmt: skip
SCENE_WORDS: Mapping[str, str] = {
    **{scene: scene for scene in SCENES},
    "studios": "studio", "podcast": "studio", "sea": "beach", "ocean": "beach", "coast": "beach",
    "seaside": "beach", "woods": "forest", "jungle": "forest", "trees": "forest", "galaxy": "space", "stars": "space",
    "starry": "space", "cosmos": "space", "midnight": "night", "town": "city", "urban": "city", "downtown": "city",
    "alley": "street", "snowy": "snow", "winter": "snow", "arctic": "snow", "dunes": "desert", "bedroom": "room",
    "kitchen": "room", "office": "room", "cafe": "room", "café": "room", "library": "room", "indoors": "room",
    "dusk": "sunset", "dawn": "sunset", "sunrise": "sunset", "clouds": "sky", "reef": "underwater",
    "mountains": "mountain", "hills": "mountain", "meadow": "field", "grass": "field", "park": "garden",
    "concert": "stage", "theatre": "stage", "theater": "stage",
}  # fmt: skip
CHINESE_SCENES: Mapping[str, str] = {
    "录音棚": "studio", "演播室": "studio", "沙滩": "beach", "海边": "beach", "森林": "forest", "太空": "space",
    "夜晚": "night", "城市": "city", "街道": "street", "雪地": "snow", "沙漠": "desert", "房间": "room",
    "日落": "sunset", "天空": "sky", "水下": "underwater", "草地": "field", "花园": "garden", "舞台": "stage",
}  # fmt: skip

LOOKS: tuple[tuple[re.Pattern[str], Look], ...] = (
    (re.compile(r"\bpencil\b|\bsketch\b|\bline art\b|\bcharcoal\b|素描|铅笔画", re.IGNORECASE), "pencil"),
    (re.compile(r"\bwater ?colou?rs?\b|水彩", re.IGNORECASE), "watercolour"),
    (re.compile(r"\bcartoon\b|\bcomic\b|\bcel[- ]shaded\b|\banime\b|卡通|漫画", re.IGNORECASE), "cartoon"),
    (re.compile(r"\bpixel[- ]art\b|\b8[- ]?bit\b|像素", re.IGNORECASE), "pixel_art"),
)
MOODS: tuple[tuple[re.Pattern[str], Mood], ...] = (
    (re.compile(r"\bnoir\b|\bblack[- ]and[- ]white\b|\bmonochrome\b|黑白", re.IGNORECASE), "noir"),
    (
        re.compile(r"\bvintage\b|\bretro\b|\bnostalgi[ac]c?\b|\bold film\b|\bsepia\b|复古|怀旧", re.IGNORECASE),
        "vintage",
    ),
    (re.compile(r"\bneon\b|\bcyberpunk\b|霓虹", re.IGNORECASE), "neon"),
    (re.compile(r"\bmoonlit\b|\bmoonlight\b|\bat night\b|\bnight ?time\b|月光", re.IGNORECASE), "night"),
    (re.compile(r"\bwarm\b|\bgolden\b|\bcosy\b|\bcozy\b|\bsunset\b|\bsunrise\b|暖|金色", re.IGNORECASE), "warm"),
    (re.compile(r"\bcold\b|\bicy\b|\bwintry\b|\bwinter\b|\bcool (?:tones?|light|mood)\b|冷|冰", re.IGNORECASE), "cold"),
)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What the prompt asks for. Images count from 0.

    `sides` belong to an image that the prompt names; `loose_sides` are named without one, in the order of the text.
    Every `…_span` is where the text says so; `style_of` and `missing` cannot be done.
    """

    background: int | None = None
    background_span: Span | None = None
    new_background_span: Span | None = None
    sides: tuple[tuple[int, Side, Span], ...] = ()
    loose_sides: tuple[tuple[Side, Span], ...] = ()
    scene: str | None = None
    scene_span: Span | None = None
    look: Look | None = None
    look_span: Span | None = None
    mood: Mood | None = None
    mood_span: Span | None = None
    style_of: int | None = None
    missing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A reference named in the text."""

    image: int
    span: Span


def read_arrangement(prompt: str, images: int) -> Arrangement:
    """The arrangement that the prompt asks for of this many references."""
    text = prompt[:READ_AT_MOST]
    sentences = split_sentences(text, (0, len(text)))
    mentions = _mentions(text)
    known = [mention for mention in mentions if mention.image < images]
    background = _background(text, known, sentences)
    style = next((mention for mention in known if _is_style(text, mention)), None)
    placed = [one for one in known if one is not style and (background is None or one.image != background.image)]
    sides, loose = _sides(text, sentences, placed)
    scene, mood, look = _scene(text, sentences), _first(text, MOODS), _first(text, LOOKS)
    new_background = NEW_BACKGROUND.search(text)
    return Arrangement(
        background=background.image if background is not None else None,
        background_span=background.span if background is not None else None,
        new_background_span=new_background.span() if new_background is not None else None,
        sides=tuple(sides),
        loose_sides=tuple(loose),
        scene=scene[0] if scene is not None else None,
        scene_span=scene[1] if scene is not None else None,
        look=look[0] if look is not None else None,
        look_span=look[1] if look is not None else None,
        mood=mood[0] if mood is not None else None,
        mood_span=mood[1] if mood is not None else None,
        style_of=style.image if style is not None else None,
        missing=tuple(dict.fromkeys(mention.image for mention in mentions if mention.image >= images)),
    )


def report(prompt: str, used: Iterable[Span]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phrases of the prompt that acted, and the parts of its sentences that did not."""
    text = prompt[:READ_AT_MOST]
    acted = sorted(set(used))
    parts = [part for sentence in split_sentences(text, (0, len(text))) for part in _parts(sentence)]
    spans = [(part.words[0].start, part.words[-1].end) for part in parts]
    idle = [span for span in spans if not any(start < span[1] and end > span[0] for start, end in acted)]
    return _quotes(text, acted), _quotes(text, idle)


def _quotes(text: str, spans: Iterable[Span]) -> tuple[str, ...]:
    phrases = list({phrase.casefold(): phrase for phrase in (quoted(text, span) for span in spans)}.values())
    more = len(phrases) - QUOTES_AT_MOST
    return tuple(phrases) if more <= 0 else (*phrases[:QUOTES_AT_MOST], f"and {more} more")


def _mentions(text: str) -> list[Mention]:
    found = []
    for match in MENTION.finditer(text):
        name = next(group for group in match.groups() if group)
        number = NUMBERS.get(name.lower()) or (int(name) if name.isdecimal() else 0)
        if number > 0:
            found.append(Mention(number - 1, match.span()))
    return found


def _background(text: str, mentions: Sequence[Mention], sentences: Sequence[Sentence]) -> Mention | None:
    """The reference that the prompt makes the place where the others are."""
    for mention in mentions:
        start, end = mention.span
        after = AFTER_AS_BACKGROUND.match(text, end)
        if after is not None:
            return Mention(mention.image, (start, after.end()))
        before = BEFORE_BACKGROUND.search(text[max(0, start - NEARBY) : start])
        if before is not None:
            return Mention(mention.image, (max(0, start - NEARBY) + before.start(), end))
    for sentence in sentences:
        inside = [mention for mention in mentions if sentence.start <= mention.span[0] < sentence.end]
        if len(inside) > 1 and PUT.match(text[sentence.start : sentence.start + NEARBY]) is not None:
            start, end = inside[-1].span
            if text[max(0, start - 4) : start].lower().endswith((" in ", " on ")):
                return Mention(inside[-1].image, (start - 3, end))
    return None


def _is_style(text: str, mention: Mention) -> bool:
    start, end = mention.span
    before = BEFORE_STYLE.search(text[max(0, start - NEARBY) : start])
    return before is not None or AFTER_STYLE.match(text[end : end + NEARBY]) is not None


def _sides(
    text: str, sentences: Sequence[Sentence], mentions: Sequence[Mention]
) -> tuple[list[tuple[int, Side, Span]], list[tuple[Side, Span]]]:
    """Sides of named references, and sides named for nobody in particular."""
    named: dict[int, tuple[Side, Span]] = {}
    loose: list[tuple[Side, Span]] = []
    queue = sorted(mentions, key=lambda mention: mention.span)
    for sentence in sentences:
        waiting: tuple[Side, Span] | None = None
        last: int | None = None
        for part in _parts(sentence):
            start, end = part.words[0].start, part.words[-1].end
            inside = [mention for mention in queue if start <= mention.span[0] < end]
            side = _side_in(text, part)
            if inside:
                found = side or waiting
                last = inside[0].image
                if found is not None:
                    named.setdefault(last, found)
                waiting = None
            elif side is not None and last is not None and last not in named:
                named[last] = side
            elif side is not None:
                loose.append(side)
                waiting = side
    taken = {span for _, span in named.values()}
    return [(image, *side) for image, side in named.items()], [side for side in loose if side[1] not in taken]


def _parts(sentence: Sentence) -> Iterator[Part]:
    for clause in sentence.clauses:
        yield from clause.parts


def _side_in(text: str, part: Part) -> tuple[Side, Span] | None:
    """The side that a part of a sentence names, but not "her right hand" or "she left the room"."""
    words = part.words
    for at, word in enumerate(words):
        side = SIDES.get(word.text)
        following = words[at + 1].text if at + 1 < len(words) else ""
        before = words[at - 1].text if at > 0 else ""
        if side is None or following in NO_SIDE_AFTER:
            continue
        leads = at == 0 and following not in ARTICLES
        if leads or before in BEFORE_SIDE or before.isdecimal() or word.text.endswith("most"):
            first = at - 2 if before == "the" else at - 1 if before in BEFORE_SIDE else at
            return side, (words[max(0, first)].start, word.end)
    for pattern, side in CHINESE_SIDES:
        found = pattern.search(text, words[0].start, words[-1].end)
        if found is not None:
            return side, found.span()
    return None


def _scene(text: str, sentences: Sequence[Sentence]) -> tuple[str, Span] | None:
    for sentence in sentences:
        for part in _parts(sentence):
            for word in part.words:
                if word.text in SCENE_WORDS:
                    return SCENE_WORDS[word.text], (word.start, word.end)
    for name, scene in CHINESE_SCENES.items():
        at = text.find(name)
        if at >= 0:
            return scene, (at, at + len(name))
    return None


Named = TypeVar("Named", Look, Mood)


def _first(text: str, table: Sequence[tuple[re.Pattern[str], Named]]) -> tuple[Named, Span] | None:
    found = [(match.span(), name) for pattern, name in table if (match := pattern.search(text)) is not None]
    if not found:
        return None
    span, name = min(found, key=lambda pair: pair[0])
    return name, span
