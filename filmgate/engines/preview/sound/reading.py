"""A passage of a prompt, read for sound: which sources it names or implies, how they shall be, and which it refuses.

Read clause by clause: what colours a sound ("distant", "on the left", "no") stands beside it between two commas.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from filmgate.domain.shots import Span
from filmgate.engines.preview.sound.manner_words import (
    BARE_SILENCE,
    FAINT,
    FAR,
    HUSH,
    LATE,
    LEFT,
    LOUD,
    NEGATION,
    NEGATION_CHINESE,
    RIGHT,
    SILENCE,
    SOUND_ITSELF,
)
from filmgate.engines.preview.sound.music import Instrument, Mood
from filmgate.engines.preview.sound.musical_words import BEATS_PER_MINUTE, DRUM, INSTRUMENTS, MOODS, MUSIC, PACES
from filmgate.engines.preview.sound.vocabulary import NIGHT, RULES, UNMADE, Pattern, Source

__all__ = ["Heard", "Mention", "MusicWords", "read_sounds"]

BREAK = re.compile(r"[,;:!?\n()\[\]，。；：！？、—–]|\.(?!\d)")
LOOK_AROUND = 64
"""Characters on either side of a word that are looked at; a clause may be as long as the prompt."""
WORDS_BEFORE, WORDS_AFTER, WORDS_TO_NO = 2, 3, 6
CHINESE_BESIDE = 6
LOUDER, SOFTER = 1.6, 0.6
LEAST_FORCE, MOST_FORCE = 0.4, 2.2
SIDE = 0.6
SLOWEST_BPM, FASTEST_BPM = 40.0, 200.0


@dataclass(frozen=True, slots=True)
class Mention:
    """A sound that the text names, or implies by a place or an act; `place` is -1 (left) to 1, None all around.

    `force`: 0.5 soft, 1, 2 hard. `late`: it comes in the course of the shot. `refused`: it shall not be heard.
    """

    source: Source
    span: Span
    force: float
    place: float | None
    far: bool
    late: bool
    implied: bool
    refused: bool


@dataclass(frozen=True, slots=True)
class MusicWords:
    """What the text says of music. `asked` holds the words that ask for it; a mood alone does not."""

    asked: tuple[Span, ...] = ()
    refused: tuple[Span, ...] = ()
    instrument: Instrument | None = None
    drum: bool = False
    pace: float = 1.0
    beats_per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """All that one passage says of sound."""

    mentions: tuple[Mention, ...]
    music: MusicWords
    moods: tuple[tuple[Mood, Span], ...]
    silence: tuple[Span, ...]
    sound_itself: tuple[Span, ...]
    hush: tuple[Span, ...]
    night: bool
    unmade: tuple[Span, ...]


def read_sounds(text: str, span: Span) -> Heard:
    """What text[start:end] says of sound."""
    page = Page(text, span)
    mentions = sorted(page.mentions(), key=lambda mention: mention.span)
    moods = [(mood, found) for pattern, mood in MOODS for found in page.spans(pattern) if not page.refuses(found)]
    return Heard(
        mentions=tuple(mentions),
        music=page.music(),
        moods=tuple(sorted(moods, key=lambda mood: mood[1])),
        silence=(*page.spans(SILENCE), *page.whole_clauses(BARE_SILENCE)),
        sound_itself=tuple(page.whole_clauses(SOUND_ITSELF)),
        hush=tuple(found for found in page.spans(HUSH) if not page.refuses(found)),
        night=next(page.spans(NIGHT), None) is not None,
        unmade=tuple(page.unmade(mentions)),
    )


class Page:
    """The passage and its clauses."""

    def __init__(self, text: str, span: Span) -> None:
        self._text = text
        self._span = span
        self._breaks = [found.start() for found in BREAK.finditer(text, *span)]

    def spans(self, pattern: Pattern) -> Iterator[Span]:
        for found in pattern.finditer(self._text, *self._span):
            yield found.span()

    def mentions(self) -> Iterator[Mention]:
        """All that the rules find; words that an earlier rule has taken are not read again."""
        taken: list[Span] = []
        for rule in RULES:
            found = [span for span in self.spans(rule.pattern) if not overlaps(span, taken)]
            for span in found:
                yield from (self._mention(one, span, rule.force, implied=rule.implied) for one in rule.sources)
            taken = sorted([*taken, *found])

    def music(self) -> MusicWords:
        instruments = [(span, instrument) for pattern, instrument in INSTRUMENTS for span in self.spans(pattern)]
        drums = list(self.spans(DRUM))
        words = [*self.spans(MUSIC), *(span for span, _ in instruments), *drums]
        asked = {span for span in words if not self.refuses(span)}
        played = [instrument for span, instrument in sorted(instruments) if span in asked]
        beats = BEATS_PER_MINUTE.search(self._text, *self._span)
        return MusicWords(
            asked=tuple(sorted([*asked, *([beats.span()] if beats and asked else [])])),
            refused=tuple(span for span in words if span not in asked),
            instrument=played[0] if played else None,
            drum=any(span in asked for span in drums),
            pace=next((pace for pattern, pace in PACES if next(self.spans(pattern), None)), 1.0),
            beats_per_minute=min(max(float(beats.group(1)), SLOWEST_BPM), FASTEST_BPM) if beats else None,
        )

    def unmade(self, mentions: Sequence[Mention]) -> Iterator[Span]:
        """Sounds that cannot be made; what "birds sing" or "the wind screams" needs has been found already."""
        ends = sorted(mention.span[1] for mention in mentions)
        for span in self.spans(UNMADE):
            at = bisect_right(ends, span[0])
            done = at > 0 and len(self._text[ends[at - 1] : span[0]].split()) == 0
            if not (done or self.refuses(span)):
                yield span

    def whole_clauses(self, pattern: Pattern) -> list[Span]:
        """The places where the pattern is a whole clause."""
        return [span for span in self.spans(pattern) if self._clause(span, strip=True) == span]

    def refuses(self, span: Span) -> bool:
        """Whether the words just before say no."""
        before, _ = self._around(span)
        said_no = NEGATION.search(" ".join(before.split()[-WORDS_TO_NO:])) is not None
        return said_no or NEGATION_CHINESE.search(before[-CHINESE_BESIDE:]) is not None

    def _mention(self, source: Source, span: Span, force: float, *, implied: bool) -> Mention:
        before, after = self._around(span)
        # Only the nearest words colour a sound; farther ones colour its neighbours.
        beside = " ".join([*before.split()[-WORDS_BEFORE:], "·", *after.split()[:WORDS_AFTER]])
        loud = LOUDER if LOUD.search(beside) else SOFTER if FAINT.search(beside) else 1.0
        clause = f"{before} · {after}"
        left, right = LEFT.search(clause), RIGHT.search(clause)
        return Mention(
            source,
            span,
            force=min(max(force * loud, LEAST_FORCE), MOST_FORCE),
            place=-SIDE if left and not right else SIDE if right and not left else None,
            far=FAR.search(clause) is not None,
            late=LATE.search(before) is not None,
            implied=implied,
            refused=self.refuses(span),
        )

    def _around(self, span: Span) -> tuple[str, str]:
        """What stands before and after a place within its clause."""
        start, stop = self._clause(span)
        before = self._text[max(start, span[0] - LOOK_AROUND) : span[0]]
        return before, self._text[span[1] : min(stop, span[1] + LOOK_AROUND)]

    def _clause(self, span: Span, *, strip: bool = False) -> Span:
        """The clause that holds a place, between two breaks."""
        at = bisect_right(self._breaks, span[0])
        start = self._breaks[at - 1] + 1 if at > 0 else self._span[0]
        stop = next((place for place in self._breaks[at:] if place >= span[1]), self._span[1])
        if strip:
            piece = self._text[start:stop]
            start += len(piece) - len(piece.lstrip())
            stop = start + len(piece.strip())
        return start, stop


def overlaps(span: Span, taken: Sequence[Span]) -> bool:
    """Whether a place shares a character with one of those that are taken, which are in order and apart."""
    at = bisect_right(taken, (span[0], span[0]))
    return (at > 0 and taken[at - 1][1] > span[0]) or (at < len(taken) and taken[at][0] < span[1])
