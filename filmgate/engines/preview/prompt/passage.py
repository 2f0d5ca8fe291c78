"""One passage of a prompt, read: the overall line, one listed shot, or all of it."""

from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from filmgate.domain.shots import Span
from filmgate.engines.preview.prompt.camera_chinese import read_chinese
from filmgate.engines.preview.prompt.camera_english import Wish, read_sentence
from filmgate.engines.preview.prompt.clauses import Clause, Sentence, split_sentences
from filmgate.engines.preview.prompt.wording import Wording, read_wording

__all__ = ["Passage", "read_passage", "unused_spans"]

OPENING_WORDS = 3
"""A clause of so few words before one that acted belongs to it: "A slow, sweeping tracking shot"."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What the text between two places asks for; all places count from the start of the whole prompt."""

    sentences: tuple[Sentence, ...]
    wishes: tuple[Wish, ...]
    wording: Wording


def read_passage(text: str, span: Span) -> Passage:
    """The passage text[start:end]."""
    sentences = split_sentences(text, span)
    wishes = [
        wish
        for sentence in sentences
        for wish in sorted(
            [*read_sentence(sentence), *read_chinese(text, sentence.start, sentence.end)],
            key=lambda wish: wish.span[0],
        )
    ]
    return Passage(sentences, tuple(wishes), read_wording(text, span))


def unused_spans(passage: Passage, used: Collection[Span]) -> Iterator[Span]:
    """What of the passage did nothing: whole sentences, or the clauses beside one that acted."""
    ordered = sorted(used)
    framing = passage.wording.framing
    asked = [*(wish.span for wish in passage.wishes), *([framing.span] if framing is not None else [])]
    first = 0
    for sentence in passage.sentences:
        while first < len(ordered) and ordered[first][1] <= sentence.start:
            first += 1
        beyond = bisect_left(ordered, (sentence.end, 0), lo=first)
        inside = ordered[first:beyond]
        if not inside:
            yield sentence.start, sentence.end
            continue
        for number, clause in enumerate(sentence.clauses):
            if _touched(clause, inside):
                continue
            if not _opens_touched(sentence, number, inside) or _touched(clause, asked):
                yield clause.start, clause.end


def _touched(clause: Clause, used: Collection[Span]) -> bool:
    return any(start < clause.end and end > clause.start for start, end in used)


def _opens_touched(sentence: Sentence, number: int, used: Collection[Span]) -> bool:
    words = sum(len(part.words) for part in sentence.clauses[number].parts)
    followed = number + 1 < len(sentence.clauses) and _touched(sentence.clauses[number + 1], used)
    return words <= OPENING_WORDS and followed
