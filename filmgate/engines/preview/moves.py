"""The camera moves that the preview engine can make, and what is known of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["AXES", "MOVE_KINDS", "STRONGEST", "WEAKEST", "Move", "MoveKind", "opposed"]

MoveKind = Literal[
    "push_in",
    "pull_out",
    "zoom_in",
    "zoom_out",
    "dolly_zoom",
    "pan_left",
    "pan_right",
    "tilt_up",
    "tilt_down",
    "truck_left",
    "truck_right",
    "pedestal_up",
    "pedestal_down",
    "orbit_left",
    "orbit_right",
    "crane_up",
    "crane_down",
    "roll",
    "static",
]

MOVE_KINDS: frozenset[MoveKind] = frozenset(get_args(MoveKind))

WEAKEST, STRONGEST = 0.2, 2.0

AXES: Mapping[MoveKind, tuple[str, int]] = {
    "push_in": ("approach", 1),
    "pull_out": ("approach", -1),
    "zoom_in": ("lens", 1),
    "zoom_out": ("lens", -1),
    "pan_left": ("turn", -1),
    "pan_right": ("turn", 1),
    "tilt_up": ("nod", 1),
    "tilt_down": ("nod", -1),
    "truck_left": ("sideways", -1),
    "truck_right": ("sideways", 1),
    "orbit_left": ("around", -1),
    "orbit_right": ("around", 1),
    "pedestal_up": ("height", 1),
    "pedestal_down": ("height", -1),
    "crane_up": ("height", 1),
    "crane_down": ("height", -1),
}
"""The axis of each move that has a direction, and which way it goes along it."""


@dataclass(frozen=True, slots=True)
class Move:
    """One camera move; at strength 1 it goes as far as the word alone asks for (0.2 barely, 2 as fast as it goes)."""

    kind: MoveKind
    strength: float


def opposed(first: MoveKind, second: MoveKind) -> bool:
    """Whether the second undoes the first: both on one axis, in opposite directions."""
    here, there = AXES.get(first), AXES.get(second)
    return here is not None and there is not None and here[0] == there[0] and here[1] != there[1]
