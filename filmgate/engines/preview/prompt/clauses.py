"""Prompts taken apart: sentences, clauses at commas and dashes, parts at joining words, words.

A part is the smallest piece that can have a verb of its own, so what one part says of the camera never leaks into what
the next one says of the subject. Everything keeps its place in the text, so that a report can quote it. One pass, so
the work is linear in the length of the text, whatever the text is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Clause", "Part", "Sentence", "Word", "quoted", "split_sentences"]

from filmgate.domain.shots import Span

WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
JOINING = frozenset({"and", "then", "as", "while", "whilst", "when", "before", "after", "until", "but"})
SENTENCE_ENDS = frozenset("!?;\n。！？；…")
BRACKETS = {")": "(", "]": "[", "】": "【", "）": "（", "”": "“"}
CLAUSE_ENDS = frozenset(',:()[]{}"“”—–，、：（）【】')


@dataclass(frozen=True, slots=True)
class Word:
    """One word in lower case, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """Words without a joining word or a break between them; `joined_by` is the word that tied it to the part before."""

    words: tuple[Word, ...]
    joined_by: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """What stands between two commas."""

    parts: tuple[Part, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """What stands between two full stops or line ends."""

    clauses: tuple[Clause, ...]

    @property
    def start(self) -> int:
        return self.clauses[0].start

    @property
    def end(self) -> int:
        return self.clauses[-1].end


def split_sentences(text: str, span: Span) -> tuple[Sentence, ...]:
    """All sentences of text[start:end] that hold at least one word; places count from the start of the text."""
    sentences: list[Sentence] = []
    clauses: list[Clause] = []
    words: list[Word] = []
    for word, gap in _words_with_gaps(text, *span):
        ends_sentence = _ends_sentence(gap)
        if words and (ends_sentence or _ends_clause(gap)):
            clauses.append(_clause(words))
            words = []
        if clauses and ends_sentence:
            sentences.append(Sentence(tuple(clauses)))
            clauses = []
        words.append(word)
    if words:
        clauses.append(_clause(words))
        sentences.append(Sentence(tuple(clauses)))
    return tuple(sentences)


def quoted(text: str, span: Span, longest: int = 80) -> str:
    """The words of a span on one line, cut at a word where they are longer than a reader wants."""
    start, end = span
    if BRACKETS.get(text[end : end + 1], "none") in text[start:end]:
        end += 1
    line = " ".join(text[start : min(end, start + 4 * longest)].split())
    if len(line) <= longest and end - start <= 4 * longest:
        return line
    cut = line.rfind(" ", 0, longest)
    return line[: cut if cut > longest // 2 else longest].rstrip(" ,;:") + "…"


def _words_with_gaps(text: str, start: int, end: int) -> Iterator[tuple[Word, str]]:
    """Each word with what stands between it and the word before."""
    last = start
    for found in WORD.finditer(text, start, end):
        yield Word(found.group().lower().replace("’", "'"), found.start(), found.end()), text[last : found.start()]
        last = found.end()


def _ends_sentence(gap: str) -> bool:
    # "f/1.8" and "0.5s" hold a full stop that ends nothing; one at the end of a sentence has space behind it.
    return not SENTENCE_ENDS.isdisjoint(gap) or ". " in gap or gap.startswith((".)", '."', ".”"))


def _ends_clause(gap: str) -> bool:
    return not CLAUSE_ENDS.isdisjoint(gap) or " - " in gap or " -- " in gap


def _clause(words: list[Word]) -> Clause:
    parts: list[Part] = []
    piece: list[Word] = []
    joined_by = ""
    for word in words:
        if word.text in JOINING:
            if piece:
                parts.append(Part(tuple(piece), joined_by))
                piece = []
            joined_by = word.text
        else:
            piece.append(word)
    if piece:
        parts.append(Part(tuple(piece), joined_by))
    return Clause(tuple(parts), words[0].start, words[-1].end)
