"""What a template is made of: a table entry, no code of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.moves import MoveKind
from filmgate.engines.preview.pixels import Layer, Plane
from filmgate.engines.preview.templates.sketch import Sprite
from filmgate.engines.preview.templates.stage import Stage

__all__ = ["Drawing", "Dressing", "LayerAt", "Prop", "Recipe", "Warp", "Worn"]

Warp = Callable[[Stage, float, float, Plane, Plane], tuple[Plane, Plane]]
"""(stage, time in seconds, gain 0..1, x, y) to where the seen positions come from; nothing moves at time 0 or gain 0.

All but the turns begin their motion at rest.
"""

Drawing = Callable[[Picture, float], None]
"""Draws on a frame, in place, at a time in seconds."""

Prop = Callable[[Stage], Drawing]
"""Prepares something drawn for one stage."""

LayerAt = Callable[[float], Layer]

Dressing = Callable[[Stage], LayerAt]
"""Prepares another look of the subject's layer over time; at time 0 it is the layer itself."""


@dataclass(frozen=True, slots=True)
class Worn:
    """A thing that sits on the subject's head and moves with it: its size and rise in head widths.

    It comes down from above after `from_s`.
    """

    drawn: Callable[[], Sprite]
    size: float
    rise: float
    from_s: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """One template. `made` completes the sentence "The subject …".

    `released` says that the subject comes off the frame's edges where they cut it: it fades there; else it stays fixed
    to them. `flips` says that its back may show. `behind` is drawn between plate and subject, `front` over both.
    `people` is how many it was meant for.
    """

    made: str
    warps: tuple[Warp, ...]
    moves: tuple[tuple[MoveKind, float], ...] = (("static", 1.0),)
    behind: tuple[Prop, ...] = ()
    front: tuple[Prop, ...] = ()
    dressing: Dressing | None = None
    worn: tuple["Worn", ...] = ()
    released: bool = False
    flips: bool = False
    people: int = 1
