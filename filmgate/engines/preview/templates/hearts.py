"""Large single things that come with affection: a beating heart, two that meet, kisses, a rose that opens."""

from collections.abc import Callable
from math import cos, pi, sin

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.templates.figures import beat
from filmgate.engines.preview.templates.recipe import Drawing, Prop
from filmgate.engines.preview.templates.sketch import Colour, Sketch, Sprite, stamp
from filmgate.engines.preview.templates.sprites import heart, lips, petal
from filmgate.engines.preview.templates.stage import Stage, ramp

__all__ = ["big_heart", "blooming", "kisses", "two_hearts"]

RED: Colour = (232, 40, 74)
PINK: Colour = (255, 128, 168)


def big_heart(period_s: float, *, near: bool) -> Prop:
    """One large heart that grows in behind the subject and beats; a smaller one where that has no room behind."""

    def prepare(stage: Stage) -> Drawing:
        drawn = heart(RED)
        x = min(max(stage.box.centre_x, -0.2 * stage.width), 0.2 * stage.width) + stage.width / 2
        y = 0.46 * stage.height
        size = min(1.15 * max(stage.box.width, 0.62 * stage.unit), 0.96 * stage.unit)
        if near:
            x, y, size = (0.5 + 0.3 * stage.lead) * stage.width, 0.68 * stage.height, 0.42 * stage.unit

        def draw(frame: Picture, time_s: float) -> None:
            if stage.filled != near:
                return
            grown = ramp(time_s, 0.3, 1.0) * (1 + 0.09 * beat(time_s * stage.tempo, period_s))
            stamp(frame, drawn, x, y, size * grown, opacity=0.86 * ramp(time_s, 0.3, 0.5))

        return draw

    return prepare


def two_hearts(period_s: float, *, near: bool) -> Prop:
    """Two hearts that fly in from both sides, meet behind the subject, or small above it, and beat as one."""

    def prepare(stage: Stage) -> Drawing:
        left, right = heart(RED), heart(PINK)
        size = (0.28 if near else 0.52) * stage.unit
        x = min(max(stage.apart, -0.25 * stage.width), 0.25 * stage.width) + stage.width / 2
        y = min(max(stage.head.top + stage.height / 2 + 0.1 * stage.unit, 0.26 * stage.unit), 0.5 * stage.height)
        y = 0.18 * stage.unit if near else y

        def draw(frame: Picture, time_s: float) -> None:
            if stage.filled != near:
                return
            met = ramp(time_s, 0.3, 1.9)
            throb = 1 + 0.13 * beat(time_s * stage.tempo, period_s) * met
            for drawn, side in ((right, 1.0), (left, -1.0)):
                off = side * (0.30 * size + (1 - met) * 0.75 * stage.width)
                arc = 0.16 * stage.height * sin(pi * met) - 0.02 * size * side
                stamp(frame, drawn, x + off, y + arc, size * throb, angle=side * 0.22)

        return draw

    return prepare


def kisses() -> Prop:
    """Prints of lips that are pressed on the picture one after the other, and fade."""

    def prepare(stage: Stage) -> Drawing:
        drawn, chance = lips(), stage.chance("kisses")
        count = 7
        places = chance.uniform(0, 1, (count, 4))
        head_x, head_y = stage.head.x + stage.width / 2, stage.head.top + stage.height / 2

        def draw(frame: Picture, time_s: float) -> None:
            for number, (around, far, turn, size) in enumerate(places):
                since = time_s - 0.6 - 0.55 * number
                if since <= 0:
                    continue
                angle = 2 * pi * (number / count + 0.1 * around)
                reach = stage.unit * (0.26 + 0.14 * far)
                x = min(max(head_x + 1.35 * reach * cos(angle), 0.08 * stage.width), 0.92 * stage.width)
                y = min(max(head_y + 0.2 * stage.unit + reach * sin(angle), 0.1 * stage.height), 0.9 * stage.height)
                press = 1.25 - 0.25 * ramp(since, 0, 0.15)
                shown = ramp(since, 0, 0.12) * (1 - 0.55 * ramp(since, 1.2, 1.5))
                width = stage.unit * (0.13 + 0.07 * size)
                stamp(frame, drawn, x, y, width * press, angle=0.9 * (turn - 0.5), opacity=0.92 * shown)

        return draw

    return prepare


def blooming(
    colour: Colour, leaves: Colour, cut: Callable[[Colour], Sprite] = petal, glint: Callable[[], Sprite] | None = None
) -> Prop:
    """A rose that rises from the lower edge at the lead's side and opens, petal by petal."""

    def prepare(stage: Stage) -> Drawing:
        outer, inner = cut(colour), cut(shaded(colour, 0.72))
        stem, shine = stalk(leaves), glint() if glint is not None else None
        side = stage.lead
        x, low = stage.width / 2 + side * 0.30 * stage.width, 0.70 * stage.height
        size = 0.30 * stage.unit

        def draw(frame: Picture, time_s: float) -> None:
            up = ramp(time_s, 0.2, 1.5)
            opened = ramp(time_s, 0.9, 2.6)
            lean = 0.06 * sin(2 * pi * time_s / 2.6 + stage.phase)
            at_x = x + 0.5 * lean * size
            at_y = low + (1 - up) * 0.75 * stage.height
            stamp(frame, stem, at_x - 0.1 * lean * size, at_y + 0.82 * size, 1.9 * size, angle=-lean)
            rose_head(frame, (outer, inner), at_x, at_y, size, opened, lean)
            if shine is not None:
                for number in range(4):
                    flash = max(0.0, sin(2 * pi * (time_s / 1.3 + number / 4))) ** 6 * opened
                    angle = 1.7 * number + stage.phase
                    stamp(
                        frame,
                        shine,
                        at_x + 0.4 * size * cos(angle),
                        at_y + 0.35 * size * sin(angle),
                        0.5 * size,
                        opacity=flash,
                    )

        return draw

    return prepare


def rose_head(
    frame: Picture, petals: tuple[Sprite, Sprite], x: float, y: float, size: float, opened: float, lean: float
) -> None:
    """Rings of petals from the outermost to the bud; each ring spreads as the rose opens."""
    outer, inner = petals
    for ring, (count, reach, big) in enumerate(((7, 0.40, 0.62), (6, 0.29, 0.54), (5, 0.18, 0.44), (4, 0.09, 0.32))):
        spread = reach * (0.35 + 0.65 * opened)
        for number in range(count):
            angle = 2 * pi * (number / count) + 0.5 * ring + lean
            drawn = outer if (number + ring) % 2 == 0 else inner
            at_x, at_y = x + spread * size * sin(angle), y - 0.86 * spread * size * cos(angle)
            stamp(frame, drawn, at_x, at_y, big * size * (0.75 + 0.25 * opened), angle=angle)
    stamp(frame, inner, x, y, 0.2 * size, angle=2.1 + lean)


def stalk(colour: Colour) -> Sprite:
    sketch = Sketch().line([(0, -0.95), (0.05, -0.2), (-0.04, 0.98)], 0.07, colour)
    for side, low in ((-1, -0.05), (1, 0.3)):
        leaf = [(0, low), (side * 0.22, low - 0.26), (side * 0.56, low - 0.3), (side * 0.34, low - 0.04), (0, low)]
        sketch.polygon(leaf, colour)
    return sketch.sprite(0.35)


def shaded(colour: Colour, share: float) -> Colour:
    return round(colour[0] * share), round(colour[1] * share), round(colour[2] * share)
