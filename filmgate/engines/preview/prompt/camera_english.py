"""From English sentences to the camera moves they ask for, in their order, each with its place in the text.

The same verb moves cameras, people and cars. Who does it decides: the camera (or shot, lens, view …) right before the
verb, or the camera carried over from the part before ("the camera pans left and tilts up"), or nobody at all, which is
how directions are given ("Slow push-in on her face", "Pan left"). Anybody else, and the verb is part of the scene.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from filmgate.domain.shots import Span
from filmgate.engines.preview.moves import STRONGEST, WEAKEST
from filmgate.engines.preview.prompt.camera_words import (
    ADVERBS,
    ARTICLES,
    AUXILIARIES,
    CAMERA,
    CAMERA_ADJECTIVES,
    DIRECTIONS,
    FORMS,
    IN,
    KITCHEN,
    LEFT,
    NEGATIONS,
    NOUN_FORMS,
    PHRASES,
    RIGHT,
    SPEEDS,
    STILL,
    STILL_VERBS,
    Form,
    Verb,
    Wanted,
)
from filmgate.engines.preview.prompt.clauses import Part, Sentence, Word

__all__ = ["Wish", "bounded_strength", "read_sentence"]

Doer = Literal["camera", "other", "nobody"]

REACH = 8
"""How many words around a verb are looked at."""
NOUNS = frozenset({"zoom", "dolly", "push", "pull", "pan", "tilt", "orbit"})
"""What may follow a bare article as a move: "a push in", but "a truck left" is a truck that left."""
ORDERS = frozenset({"follow", "orbit", "circle", "track"})
"""Verbs that are an order to the camera even without direction: "Follow the man"."""
AFTER_PAN = frozenset(DIRECTIONS) | frozenset({"to", "over", "from", "slowly", "gently", "smoothly", "quickly"})
NOT_AFTER_PAN = frozenset({"on", "in", "of", "at", "over", "by", "beside", "behind", "next", "side", "alone"})
NOT_AFTER_IN = frozenset({"a", "an", "the", "real", "time", "sync", "circles", "one", "this", "its", "place", "front"})


@dataclass(frozen=True, slots=True)
class Wish:
    """A move that the text asks for, or with `refused` asks not to have; `span` is where it says so.

    `directed`: the direction was said and not chosen here ("zoom in", not "zoom").
    """

    kind: Wanted
    strength: float
    span: Span
    refused: bool = False
    directed: bool = True


@dataclass(frozen=True, slots=True)
class Left:
    """What stands before a verb: who does it, and from which word on it belongs to the verb."""

    doer: Doer
    first: int
    article: str = ""
    adjective: bool = False
    negated: bool = False
    with_camera: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A move found in the words [first, stop) of a part."""

    kind: Wanted
    strength: float
    first: int
    stop: int
    by_camera: bool
    negated: bool = False
    directed: bool = True


@dataclass(frozen=True, slots=True)
class Context:
    """What a part takes over from those before it: who acts, the speed of a lone adjective, an open negation."""

    doer: Doer | None = None
    speed: float | None = None
    negated: bool = False
    ordered: bool = True


def read_sentence(sentence: Sentence) -> list[Wish]:
    """All moves that the sentence asks for or refuses, in order."""
    wishes: list[Wish] = []
    context = Context()
    for clause in sentence.clauses:
        for number, part in enumerate(clause.parts):
            ordered = number == 0 or part.joined_by == "then"
            hits = _read_part(part.words, replace(context, ordered=ordered))
            wishes += [_wish(hit, part.words, context.speed) for hit in hits]
            context = _context_after(part, hits, context)
    return wishes


def bounded_strength(strength: float) -> float:
    return round(min(max(strength, WEAKEST), STRONGEST), 3)


def _wish(hit: Hit, words: Sequence[Word], carried_speed: float | None) -> Wish:
    speed = _speed(words[max(0, hit.first - 2) : hit.stop + 3])
    factor = speed if speed is not None else carried_speed if carried_speed is not None else 1.0
    span = (words[hit.first].start, words[hit.stop - 1].end)
    if hit.negated and hit.kind == "any":
        return Wish("static", 1.0, span)
    strength = 1.0 if hit.kind == "static" else bounded_strength(hit.strength * factor)
    return Wish(hit.kind, strength, span, hit.negated, hit.directed)


def _context_after(part: Part, hits: Sequence[Hit], before: Context) -> Context:
    negated = bool(hits) and hits[-1].negated
    words = part.words
    head = next((index for index, word in enumerate(words) if not _modifies(word.text)), None)
    if head is None:
        return Context(before.doer, _speed(words) or before.speed, negated or before.negated)
    if any(hit.by_camera for hit in hits) or words[head].text in CAMERA:
        return Context("camera", None, negated)
    if words[head].text in FORMS or words[head].text in STILL_VERBS or words[head].text in {"it", "which"}:
        return Context(before.doer, None, negated)
    return Context("other", None, negated)


def _read_part(words: Sequence[Word], context: Context) -> list[Hit]:
    hits: list[Hit] = []
    index = 0
    while index < len(words):
        hit = _phrase_at(words, index) or _stillness_at(words, index, context) or _verb_at(words, index, context)
        if hit is None:
            index += 1
        else:
            hits.append(hit)
            index = max(hit.stop, index + 1)
    return hits


def _phrase_at(words: Sequence[Word], index: int) -> Hit | None:
    for length in (3, 2, 1):
        meaning = PHRASES.get(tuple(word.text for word in words[index : index + length]))
        if meaning is None or index + length > len(words):
            continue
        left = _left_of(words, index)
        side = _later_side(words, index + length)
        kind = meaning.sides.get(side, meaning.kind) if side else meaning.kind
        by_camera = left.doer != "other"
        directed = side is not None or not meaning.sides
        return Hit(kind, meaning.strength, left.first, index + length, by_camera, left.negated, directed)
    return None


def _stillness_at(words: Sequence[Word], index: int, context: Context) -> Hit | None:
    """A camera that is, stays or holds still; or the bare word "static" as a whole part."""
    text = words[index].text
    if text in STILL and len(words) == 1 and text in {"static", "locked", "stationary"}:
        return Hit("static", 1.0, index, index + 1, by_camera=True)
    if text not in STILL_VERBS and text not in CAMERA:
        return None
    state = _skip(words, index + 1)
    if state >= len(words) or words[state].text not in STILL:
        return None
    if text in CAMERA:
        left = _left_of(words, index + 1)
        return Hit("static", 1.0, left.first, state + 1, by_camera=True) if left.doer == "camera" else None
    left = _left_of(words, index)
    told = left.doer == "nobody" and not left.article and text != "is" and context.doer in (None, "camera")
    if left.doer == "camera" or told:
        return Hit("static", 1.0, left.first, state + 1, by_camera=True)
    return None


def _verb_at(words: Sequence[Word], index: int, context: Context) -> Hit | None:
    entry = FORMS.get(words[index].text)
    if entry is None:
        return None
    verb, form = entry
    left = _left_of(words, index)
    direction, stop = _direction_after(words, index + 1, verb)
    kind = verb.toward.get(direction, verb.alone) if direction else verb.alone
    if kind is None or not _is_camera_verb(words, index, verb, form, left, direction, context):
        return None
    if direction not in (LEFT, RIGHT):
        side = _later_side(words, stop)
        kind = verb.toward.get(side, kind) if side and direction != IN else kind
    if stop < len(words) and (words[stop].text in SPEEDS or words[stop].text.endswith("ly")):
        stop += 1
    carried = context.negated and left.doer == "nobody" and direction is None
    by_camera = left.doer == "camera" or (left.doer == "nobody" and not left.article)
    directed = direction in verb.toward or not verb.toward
    return Hit(kind, verb.factor, left.first, stop, by_camera, left.negated or carried, directed)


def _is_camera_verb(
    words: Sequence[Word], index: int, verb: Verb, form: Form, left: Left, direction: str | None, context: Context
) -> bool:
    text = words[index].text
    following = words[index + 1].text if index + 1 < len(words) else ""
    if text in {"pan", "pans"} and _is_kitchen_pan(words, index, left, direction):
        return False
    if left.doer == "camera":
        return not left.with_camera or form == "ing"
    named = direction is not None
    if form == "base" and (left.adjective or left.article in {"a", "an"}):
        noun = text in NOUNS and (named or left.adjective)
        return noun or (named and left.adjective and left.doer == "nobody" and following != "the")
    if left.article:
        return False
    if left.doer == "other":
        return not verb.needs_camera and direction in verb.toward and form != "s"
    return _is_order(text, verb, form, named, context)


def _is_order(text: str, verb: Verb, form: Form, named: bool, context: Context) -> bool:
    """Whether a verb that nobody is said to do is meant for the camera."""
    if context.doer == "camera":
        return True
    if form == "base" and (context.ordered or context.doer is None):
        return named or text in ORDERS or not verb.needs_camera
    if context.doer == "other":
        return form == "ing" and named and not verb.needs_camera
    return text not in NOUN_FORMS and (named or (form != "s" and not verb.needs_camera))


def _is_kitchen_pan(words: Sequence[Word], index: int, left: Left, direction: str | None) -> bool:
    if index > 0 and words[index - 1].text in KITCHEN:
        return True
    if left.doer == "camera":
        return False
    after = [word.text for word in words[index + 1 : index + 3]]
    ordered = left.doer == "nobody" and not left.article
    if direction is not None and not ordered and len(after) == 2 and after[1] in NOT_AFTER_PAN:
        return True
    if left.article in {"the", "its", "this", "our"} and not left.adjective:
        return True
    return bool(after) and after[0] not in AFTER_PAN and not left.adjective


def _left_of(words: Sequence[Word], index: int) -> Left:
    """Who stands before the word at `index`, seen past adverbs, helping verbs and the camera's adjectives."""
    at = index - 1
    adjective = at >= 0 and words[at].text in CAMERA_ADJECTIVES and not words[at].text.endswith("ly")
    negated = False
    limit = max(-1, index - 1 - REACH)
    while at > limit:
        text = words[at].text
        negated = negated or text in NEGATIONS
        if text in {"or", "nor"} and at > 0:
            at -= 2
        elif (_modifies(text) or text in NEGATIONS) and text not in ARTICLES and text not in CAMERA:
            at -= 1
        else:
            break
    if at < 0 or at == limit:
        return Left("nobody", at + 1, "", adjective, negated)
    if words[at].text in CAMERA:
        return _left_of_camera(words, at, adjective, negated)
    if words[at].text in ARTICLES:
        nobody = at == 0 or words[at - 1].text in {"with", "in", "on", "using", "by"}
        return Left("nobody" if nobody else "other", at, words[at].text, adjective, negated)
    return Left("nobody" if words[at].text == "with" else "other", at + 1, "", adjective, negated)


def _left_of_camera(words: Sequence[Word], at: int, adjective: bool, negated: bool) -> Left:
    """The camera stands before the verb: does it act, or is it what somebody looks at?"""
    first = at
    while first > 0 and words[first - 1].text in CAMERA_ADJECTIVES:
        first -= 1
    if first > 0 and words[first - 1].text in ARTICLES:
        first -= 1
    before = first - 1
    while before >= 0 and (words[before].text in ADVERBS or words[before].text.endswith("ly")):
        before -= 1
    if before < 0:
        return Left("camera", first, "", adjective, negated)
    if words[before].text in NEGATIONS:
        return Left("camera", before, "", adjective, negated=True)
    if words[before].text == "with":
        return Left("camera", first, "", adjective, negated, with_camera=True)
    return Left("other", at + 1, "", adjective, negated)


def _direction_after(words: Sequence[Word], start: int, verb: Verb) -> tuple[str | None, int]:
    """The direction that follows a verb, past adverbs and "to the"; and the first word after it."""
    at = start
    while at < min(len(words), start + 5):
        text = words[at].text
        direction = DIRECTIONS.get(text)
        following = words[at + 1].text if at + 1 < len(words) else ""
        if text in {"toward", "towards", "from"} and _side_at(words, at + 1) is not None:
            at += 1
            continue
        if direction in (LEFT, RIGHT) and following == "to" and _side_at(words, at + 2) is not None:
            at += 2
            continue
        if direction is not None and not (text == "in" and verb.needs_camera and _starts_phrase(words, at + 1)):
            return direction, at + 1
        if direction is not None or not (_modifies(text) or text in {"to", "the", "from"}):
            break
        at += 1
    return None, start


def _starts_phrase(words: Sequence[Word], at: int) -> bool:
    """Whether an "in" before this word is a preposition ("moves in slow motion") and no direction."""
    if at >= len(words):
        return False
    slow_motion = words[at].text == "slow" and at + 1 < len(words) and words[at + 1].text in {"motion", "mo"}
    return words[at].text in NOT_AFTER_IN or slow_motion


def _side_at(words: Sequence[Word], at: int) -> str | None:
    """Left or right at this word, with or without "the"."""
    if at < len(words) and words[at].text == "the":
        at += 1
    side = DIRECTIONS.get(words[at].text) if at < len(words) else None
    return side if side in (LEFT, RIGHT) else None


def _later_side(words: Sequence[Word], start: int) -> str | None:
    """The side named later in the part: "to the left", "moving right"."""
    for at in range(start, min(len(words), start + 12)):
        if words[at].text in {"to", "toward", "towards", "moving", "walking", "running", "going", "driving"}:
            side = _side_at(words, at + 1)
            if side is not None:
                return side
    return None


def _skip(words: Sequence[Word], at: int) -> int:
    """The next word that is neither an adverb nor a form of "to be"."""
    stop = min(len(words), at + 4)
    while at < stop and words[at].text not in STILL and _modifies(words[at].text):
        at += 1
    return at


def _speed(words: Sequence[Word]) -> float | None:
    for at, word in enumerate(words):
        value = SPEEDS.get(word.text)
        if value is None or (at + 1 < len(words) and words[at + 1].text in {"motion", "mo"}):
            continue
        very = at > 0 and words[at - 1].text in {"very", "extremely", "ultra", "super"}
        return value**1.7 if very else value
    return None


def _modifies(text: str) -> bool:
    """Whether the word only colours others: adverbs, helping verbs, articles, the camera's adjectives."""
    known = text in ADVERBS or text in AUXILIARIES or text in ARTICLES or text in CAMERA_ADJECTIVES
    return (known and text not in CAMERA) or (text.endswith("ly") and text not in FORMS)
