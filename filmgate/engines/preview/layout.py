"""Where cut-out subjects stand in a picture: pure geometry in pixels.

Subjects stand on one base line on the thirds of the picture. One that was cut by the bottom edge of its own picture
sits on the bottom edge of this one, and one that was cut by a side is moved to that side where it stands there anyway:
a straight cut in the open is what gives a collage away. Nobody is stretched, nobody leaves the picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Place", "Shape", "arrange", "places_of"]

STANDING, CUT_OFF = 0.64, 0.84
"""Heights of subjects that show their feet and of those cut by the bottom edge, as shares of the picture's."""
WIDEST: Mapping[int, float] = {1: 0.80, 2: 0.57, 3: 0.46}
"""The most of the picture's width that one subject takes, by how many there are."""
WIDEST_IN_TALL: Mapping[int, float] = {1: 0.86, 2: 0.68, 3: 0.58}
"""The same in a tall picture, where subjects beside each other would be tiny: there they overlap."""
TALL = 0.85
"""Pictures narrower than this share of their height are tall."""
STEP_BACK = 0.07
"""How much higher those with feet stand in a tall group, behind those cut by the bottom edge."""
GROUP: Mapping[int, float] = {1: 1.0, 2: 0.98, 3: 0.90}
"""How much smaller each one of a group is."""
MOST_ENLARGED = 3.0
"""Beyond this an enlarged cut-out is only a blur: it stays smaller."""
POSITIONS: Mapping[int, tuple[float, ...]] = {1: (0.5,), 2: (0.28, 0.72), 3: (0.19, 0.81, 0.5)}
SIDES: Mapping[str, float] = {"left": 0.28, "centre": 0.5, "right": 0.72}
SIDES_OF_THREE: Mapping[str, float] = {"left": 0.19, "centre": 0.5, "right": 0.81}


@dataclass(frozen=True, slots=True)
class Shape:
    """A cut-out as layout sees it: its size in pixels and the edges of its own picture that cut it."""

    width: int
    height: int
    cut: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cut-out goes, in whole pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height


def arrange(
    shapes: Sequence[Shape],
    centres: Sequence[float],
    width: int,
    height: int,
    base: float,
    nudges: Sequence[tuple[float, float]],
) -> list[Place]:
    """A place for each shape. `centres` and `base` are shares of the picture; nudges are shares of shift and size."""
    return [
        _place(shape, centre, (width, height), base, nudge, len(shapes))
        for shape, centre, nudge in zip(shapes, centres, nudges, strict=True)
    ]


def places_of(named: Mapping[int, str], count: int, *, lone: float = 0.5) -> list[float]:
    """The centre of each of `count` subjects: the sides that are named, the free ones in order for the rest.

    `lone` is where a single subject stands if nobody says.
    """
    table = SIDES_OF_THREE if count > 2 else SIDES
    centres = {index: table[side] for index, side in named.items() if index < count}
    ordered = sorted(POSITIONS.get(count, POSITIONS[3])) if count != 1 else [lone]
    free = [centre for centre in ordered if all(abs(centre - taken) > 0.1 for taken in centres.values())]
    for index in range(count):
        if index not in centres:
            centres[index] = free.pop(0) if free else 0.5
    return [centres[index] for index in range(count)]


def _place(
    shape: Shape, centre: float, size: tuple[int, int], base: float, nudge: tuple[float, float], count: int
) -> Place:
    width, height = size
    cut_off = "bottom" in shape.cut
    tallest = (CUT_OFF if cut_off else STANDING) * GROUP.get(count, 0.8) * height * (1 + nudge[1])
    tall = width < TALL * height
    step_back = STEP_BACK if tall and count > 1 else 0.0
    floor = height if cut_off else round((base - step_back) * height)
    widest = (WIDEST_IN_TALL if tall else WIDEST).get(count, 0.4) * width
    scale = min(tallest / shape.height, widest / shape.width, MOST_ENLARGED)
    scale = min(scale, width / shape.width, floor / shape.height)
    own_width, own_height = max(1, round(shape.width * scale)), max(1, round(shape.height * scale))
    own_width, own_height = min(own_width, width), min(own_height, floor)
    left = round((centre + nudge[0]) * width - own_width / 2)
    if "left" in shape.cut and centre < 0.45:
        left = 0
    elif "right" in shape.cut and centre > 0.55:
        left = width - own_width
    return Place(min(max(left, 0), width - own_width), floor - own_height, own_width, own_height)
