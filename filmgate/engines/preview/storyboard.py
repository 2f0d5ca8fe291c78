"""From passages to shots: how long each one is, which moves it gets, how steady the hand is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import accumulate
from typing import TypeVar

from filmgate.domain.shots import Span
from filmgate.engines.preview.moves import AXES, MOVE_KINDS, Move, MoveKind, opposed
from filmgate.engines.preview.prompt.camera_english import Wish, bounded_strength
from filmgate.engines.preview.prompt.passage import Passage
from filmgate.engines.preview.prompt.wording import Framing

__all__ = ["Brief", "Draft", "Shot", "draw_shots", "refused_kinds", "several_drafts"]

Choice = TypeVar("Choice")

MOVES_PER_SHOT = 2
SHORTEST_SHOT_S = 0.5
THREE_SHOTS_FROM_S = 8.0
SLIGHT_HAND = 0.5

GENTLE = (
    Move("push_in", 0.6),
    Move("orbit_left", 0.5),
    Move("truck_right", 0.5),
    Move("orbit_right", 0.5),
    Move("truck_left", 0.5),
)
"""What a camera does when nobody tells it: seen, but never in the way."""
STATIC = Move("static", 1.0)
SEQUENCES: tuple[tuple[Framing, Framing], ...] = (
    ("close_up", "side"),
    ("medium", "close_up"),
    ("close_up", "wide"),
    ("side", "close_up"),
)
"""Framings of the second and third shot where none is named; the first shot shows the whole picture."""
RHYTHMS = ((0.36, 0.34, 0.30), (0.40, 0.30, 0.30), (0.30, 0.36, 0.34))


@dataclass(frozen=True, slots=True)
class Shot:
    """One continuous take. The first shot begins at the input picture, so its framing is None.

    `handheld` is how much the operator's hand shows: 0 none, 0.5 slight, 2 and more shaky.
    """

    start_s: float
    end_s: float
    moves: tuple[Move, ...]
    framing: Framing | None
    handheld: float


@dataclass(frozen=True, slots=True)
class Draft:
    """A shot before its moves are chosen: its share of the clip, the passage that tells of it, the view it asks for."""

    share: float
    passage: Passage | None = None
    framing: Framing | None = None


@dataclass(frozen=True, slots=True)
class Brief:
    """What holds for all shots: the overall passage, what must not be, and whether gaps are filled in."""

    overall: Passage
    refused: frozenset[MoveKind]
    steady: bool
    extend: bool
    seed: int


@dataclass(frozen=True, slots=True)
class Camera:
    """The moves of one shot, and the phrases that asked for them.

    No moves but phrases: some movement is asked for, at this `pace`, of no named kind. `still`: also asked to be still.
    """

    moves: tuple[Move, ...]
    used: tuple[Span, ...] = ()
    still: bool = False
    pace: float = 1.0


def draw_shots(drafts: Sequence[Draft], brief: Brief, duration_s: float) -> tuple[tuple[Shot, ...], tuple[Span, ...]]:
    """The shots, tiling [0, duration_s], and the places in the prompt that had a say in them."""
    shots: list[Shot] = []
    used: list[Span] = []
    cuts = _cuts([draft.share for draft in drafts], duration_s)
    for number, draft in enumerate(drafts):
        before = shots[-1].moves[0].kind if shots else None
        camera = _camera(draft, brief, number, before)
        handheld, hand_used = _handheld(draft, brief, camera)
        framing = draft.framing if number > 0 else None
        shots.append(Shot(cuts[number], cuts[number + 1], camera.moves, framing, handheld))
        used += [*camera.used, *hand_used]
    return tuple(shots), tuple(used)


def several_drafts(passage: Passage, duration_s: float, seed: int) -> tuple[list[Draft], tuple[Span, ...]]:
    """Two or three shots for a prompt that lists none; a framing that it names becomes the second shot's."""
    count = 3 if duration_s >= THREE_SHOTS_FROM_S else 2
    named = passage.wording.framing
    framings: list[Framing | None] = [None, *_chosen(SEQUENCES, seed, "framings")]
    if named is not None:
        others = [framing for framing in framings if framing != named.framing]
        framings = [None, named.framing, *others[1:]]
    shares = _chosen(RHYTHMS, seed, "rhythm")[:count]
    drafts = [Draft(share, None, framing) for share, framing in zip(shares, framings, strict=False)]
    drafts[0] = replace(drafts[0], passage=passage)
    return drafts, (named.span,) if named is not None else ()


def refused_kinds(wishes: Iterable[Wish]) -> frozenset[MoveKind]:
    """The moves that these wishes name; a word without direction names both ("zoom")."""
    kinds: set[MoveKind] = set()
    for wish in wishes:
        if wish.kind == "any":
            kinds |= MOVE_KINDS - {"static"}
        else:
            kinds.add(wish.kind)
            if not wish.directed:
                kinds |= {kind for kind in AXES if opposed(kind, wish.kind)}
    return frozenset(kinds)


def _camera(draft: Draft, brief: Brief, number: int, before: MoveKind | None) -> Camera:
    """What the passage says, else what the overall line says, else a gentle choice of the seed, else nothing."""
    overall = brief.overall.wishes
    if draft.passage is not None:
        said = _said(draft.passage.wishes, brief) or _said(overall, brief)
    else:
        # A shot of our own goes its own way, but stands still in a clip that shall be still.
        said = _said([wish for wish in overall if wish.kind == "static"], brief)
    if said is not None and said.moves:
        return said
    gentle = [move for move in GENTLE if move.kind not in brief.refused and move.kind != before]
    if not gentle or (said is None and not brief.extend):
        return Camera((STATIC,))
    move = _chosen(gentle, brief.seed, f"move {number}")
    if said is None:
        return Camera((move,))
    return Camera((replace(move, strength=bounded_strength(move.strength * said.pace)),), said.used)


def _said(wishes: Sequence[Wish], brief: Brief) -> Camera | None:
    """The moves asked for, of opposites the first; static if only that is asked for; None if nothing is."""
    moves: list[Move] = []
    used: list[Span] = []
    for wish in wishes:
        if wish.kind == "any" or wish.kind == "static" or wish.refused or wish.kind in brief.refused:
            continue
        clash = any(move.kind == wish.kind or opposed(move.kind, wish.kind) for move in moves)
        if not clash and len(moves) < MOVES_PER_SHOT:
            moves.append(Move(wish.kind, bounded_strength(wish.strength)))
            used.append(wish.span)
    still = [wish.span for wish in wishes if wish.kind == "static" and "static" not in brief.refused]
    if moves:
        return Camera(tuple(moves), (*used, *still), still=bool(still))
    if still:
        return Camera((STATIC,), tuple(still), still=True)
    loose = [wish for wish in wishes if wish.kind == "any" and not wish.refused]
    if not loose:
        return None
    return Camera((), tuple(wish.span for wish in loose), pace=max(1.0, *(wish.strength for wish in loose)))


def _handheld(draft: Draft, brief: Brief, camera: Camera) -> tuple[float, tuple[Span, ...]]:
    if brief.steady:
        return 0.0, ()
    own = draft.passage.wording.hand if draft.passage is not None else None
    said = own or brief.overall.wording.hand
    if said is not None:
        return said.value, (said.span,)
    still = camera.still or STATIC in camera.moves
    return SLIGHT_HAND if brief.extend and not still else 0.0, ()


def _cuts(shares: Sequence[float], duration_s: float) -> list[float]:
    """Where shots begin and end; none much shorter than what an eye needs to read it."""
    least = min(SHORTEST_SHOT_S / duration_s, 1 / len(shares)) if duration_s > 0 else 0.0
    lengths = [max(share, least) for share in shares]
    total = sum(lengths)
    inner = [round(duration_s * reached / total, 6) for reached in accumulate(lengths)]
    return [0.0, *inner[:-1], duration_s]


def _chosen(options: Sequence[Choice], seed: int, name: str) -> Choice:
    """One option, by the seed alone; every choice has a name, so that they do not depend on each other."""
    digest = sha256(f"{name} {seed}".encode()).digest()
    return options[int.from_bytes(digest[:8], "big") % len(options)]
