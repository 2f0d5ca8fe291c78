"""From a prompt to a Plan: which shots, which camera moves, which look. Pure, deterministic, linear in the text.

The prompt is read in passages: the overall line and each listed shot. What a passage leaves open comes from the overall
line; with `extend` what is still missing is filled in by choices that the seed makes. What the negative prompt names is
removed. The plan quotes the phrases of the prompt that acted and those that did not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from filmgate.domain.shots import ShotList, Span, find_shots
from filmgate.engines.preview.moves import Move, MoveKind
from filmgate.engines.preview.prompt.clauses import quoted
from filmgate.engines.preview.prompt.passage import Passage, read_passage, unused_spans
from filmgate.engines.preview.prompt.wording import Framing
from filmgate.engines.preview.storyboard import (
    SHORTEST_SHOT_S,
    Brief,
    Draft,
    Shot,
    draw_shots,
    refused_kinds,
    several_drafts,
)

__all__ = ["Framing", "Move", "MoveKind", "Plan", "Shot", "plan_prompt"]

SEVERAL_SHOTS_FROM_S = 5.0
LIGHT_GRAIN = 0.05
POOR_SHARPEN = 0.3
"""How much is sharpened when the negative prompt complains of blur or low quality."""
QUOTES_AT_MOST = 24
READ_AT_MOST = 200_000
"""Characters of a prompt that are read, about a second's work; one model sets no limit of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to film. The shots tile the clip; `grain` and `sharpen` are 0..1.

    `applied` quotes the phrases of the prompt that act, `ignored` those that do not.
    """

    shots: tuple[Shot, ...]
    breathing: bool
    grain: float
    sharpen: float
    applied: tuple[str, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """The prompt divided up: the overall passage, the shots to make of it, and the places that decided on that."""

    overall: Passage
    passages: tuple[Passage, ...]
    drafts: tuple[Draft, ...]
    used: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """The look of the frames, and the places in the prompt that asked for it."""

    grain: float
    sharpen: float
    breathing: bool
    used: tuple[Span, ...]


def plan_prompt(
    prompt: str, *, negative_prompt: str, duration_s: float, shot_type: str | None, extend: bool, seed: int
) -> Plan:
    """The plan of a clip of `duration_s` seconds; never raises, whatever the texts are.

    `shot_type` ("single", "multi" or None) acts only while `extend` is true, and then beats the prompt's own list of
    shots.
    """
    read = prompt[:READ_AT_MOST]
    negative = read_passage(negative_prompt, (0, min(len(negative_prompt), READ_AT_MOST)))
    script = _script(read, shot_type if extend else None, duration_s, seed)
    refusals = [wish for passage in script.passages for wish in passage.wishes if wish.refused]
    brief = Brief(
        overall=script.overall,
        refused=refused_kinds([*negative.wishes, *refusals]),
        steady=negative.wording.shake,
        extend=extend,
        seed=seed,
    )
    shots, filmed = draw_shots(script.drafts, brief, duration_s)
    look = _look(script.passages, negative, extend=extend)
    used = _merged([*script.used, *filmed, *look.used, *(wish.span for wish in refusals)])
    unused = [span for passage in script.passages for span in unused_spans(passage, used)]
    unread = [] if len(read) == len(prompt) else [f"everything after the first {READ_AT_MOST} characters"]
    return Plan(
        shots,
        look.breathing,
        look.grain,
        look.sharpen,
        applied=tuple(_quotes(read, used)),
        ignored=(*_quotes(read, unused), *unread),
    )


def _script(prompt: str, shot_type: str | None, duration_s: float, seed: int) -> Script:
    listed = None if shot_type == "single" else find_shots(prompt)
    if listed is not None:
        return _listed_script(prompt, listed, duration_s)
    whole = read_passage(prompt, (0, len(prompt)))
    if shot_type == "multi" and duration_s >= SEVERAL_SHOTS_FROM_S:
        drafts, used = several_drafts(whole, duration_s, seed)
        return Script(whole, (whole,), tuple(drafts), used)
    return Script(whole, (whole,), (Draft(1.0, whole),), ())


def _listed_script(prompt: str, listed: ShotList, duration_s: float) -> Script:
    """The listed shots, as many of them as the clip has room for."""
    overall = read_passage(prompt, listed.head)
    passages = [read_passage(prompt, shot.text) for shot in listed.shots]
    room = max(1, int(duration_s / SHORTEST_SHOT_S))
    drafts: list[Draft] = []
    used: list[Span] = []
    for number, (shot, passage) in enumerate(zip(listed.shots[:room], passages, strict=False)):
        named = passage.wording.framing if number > 0 else None
        drafts.append(Draft(shot.share, passage, named.framing if named is not None else None))
        used += [shot.header, *([named.span] if named is not None else [])]
    return Script(overall, (overall, *passages), tuple(drafts), tuple(used))


def _look(passages: Sequence[Passage], negative: Passage, *, extend: bool) -> Look:
    refused = negative.wording
    grain = next((passage.wording.grain for passage in passages if passage.wording.grain is not None), None)
    sharpen = next((passage.wording.sharpen for passage in passages if passage.wording.sharpen is not None), None)
    breath = next((passage.wording.breathing for passage in passages if passage.wording.breathing is not None), None)
    grain = None if refused.noise else grain
    breath = breath if refused.breathing is None else None
    own_grain = LIGHT_GRAIN if extend and not refused.noise and not refused.poor else 0.0
    own_sharpen = POOR_SHARPEN if refused.poor else 0.0
    return Look(
        grain=own_grain if grain is None else grain.value,
        sharpen=own_sharpen if sharpen is None else sharpen.value,
        breathing=breath is not None or (extend and refused.breathing is None),
        used=(*(found.span for found in (grain, sharpen) if found is not None), *((breath,) if breath else ())),
    )


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The places in order, those that overlap as one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _quotes(prompt: str, spans: Iterable[Span]) -> list[str]:
    """The places as a person would list them: each phrase once, the first few in full."""
    found: dict[str, str] = {}
    for span in spans:
        phrase = quoted(prompt, span)
        found.setdefault(phrase.casefold(), phrase)
    phrases = list(found.values())
    more = len(phrases) - QUOTES_AT_MOST
    return phrases if more <= 0 else [*phrases[:QUOTES_AT_MOST], f"and {more} more"]
