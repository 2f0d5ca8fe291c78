"""How each shot hears the scene. A camera that comes closer hears more of it; one that turns hears it wander.

Every cut changes level and colour, so that it is heard as well as seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from filmgate.engines.preview.moves import MoveKind
from filmgate.engines.preview.plan import Framing, Shot

__all__ = ["Take", "hear_takes"]

MOVE_DB: Mapping[MoveKind, float] = {
    "push_in": 3.0,
    "zoom_in": 2.0,
    "dolly_zoom": 2.0,
    "crane_down": 1.0,
    "pull_out": -3.0,
    "zoom_out": -2.0,
    "crane_up": -2.0,
}
"""How much louder the scene is at the end of a move at full strength than at its beginning."""
MOVE_LEAN: Mapping[MoveKind, float] = {
    "pan_left": 0.25,
    "truck_left": 0.2,
    "orbit_left": 0.15,
    "pan_right": -0.25,
    "truck_right": -0.2,
    "orbit_right": -0.15,
}
"""Sound moves against the camera as the picture does: to the right when it turns left."""
FRAMING_DB: Mapping[Framing | None, float] = {
    None: 0.0,
    "wide": -2.0,
    "high_angle": -1.0,
    "side": -0.5,
    "low_angle": 0.5,
    "medium": 0.5,
    "close_up": 1.5,
    "extreme_close_up": 2.5,
}
LEAST_CUT_DB = 3.0
MOST_LEAN = 0.4
DULL = 0.45
"""How much of their brightness every second shot's sounds lose: as after turning around, or a step behind a corner."""


@dataclass(frozen=True, slots=True)
class Take:
    """One shot's ear: level at its first and last moment, how far the sound has wandered aside at its end (-1 … 1), and
    how dull it is (0 … 1)."""

    start_s: float
    end_s: float
    first_db: float
    last_db: float
    last_lean: float
    dull: float


def hear_takes(shots: Sequence[Shot]) -> tuple[Take, ...]:
    """A take for each shot."""
    takes: list[Take] = []
    for number, shot in enumerate(shots):
        rise = sum(MOVE_DB.get(move.kind, 0.0) * move.strength for move in shot.moves)
        lean = sum(MOVE_LEAN.get(move.kind, 0.0) * move.strength for move in shot.moves)
        first = FRAMING_DB[shot.framing] - rise / 2
        if takes and abs(first - takes[-1].last_db) < LEAST_CUT_DB:
            first = takes[-1].last_db + (-LEAST_CUT_DB if first < takes[-1].last_db else LEAST_CUT_DB)
        dull = DULL if number % 2 else 0.0
        lean = min(max(lean, -MOST_LEAN), MOST_LEAN)
        takes.append(Take(shot.start_s, shot.end_s, first, first + rise, lean, dull))
    return tuple(takes)
