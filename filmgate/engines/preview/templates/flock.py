"""Many small things in the air: each with a time to appear, a path, a spin and a size of the seed's choosing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin

from numpy.random import Generator

from filmgate.encoding.picture import Picture
from filmgate.engines.preview.templates.recipe import Drawing, Prop
from filmgate.engines.preview.templates.sketch import Sprite, stamp
from filmgate.engines.preview.templates.stage import Stage, ramp

__all__ = ["Flock", "flying"]


@dataclass(frozen=True, slots=True)
class Flock:
    """How a kind of thing flies. Sizes and speeds are shares of the frame's shorter side, speeds per second.

    `speed` is downwards (negative rises), `sway` sideways around the path, `spin` in turns per second, `tumbles` says
    whether it shows its edge, `twinkles` whether it stays where it appears and flashes up.
    """

    name: str
    sprites: Callable[[], Sequence[Sprite]]
    count: int
    smallest: float
    largest: float
    speed: float = 0.25
    sway: float = 0.03
    spin: float = 0.0
    tumbles: bool = False
    twinkles: bool = False
    upright: bool = False
    opacity: float = 1.0
    from_s: float = 0.15


@dataclass(frozen=True, slots=True)
class Member:
    drawn: Sprite
    x: float
    y: float
    starts_s: float
    size: float
    speed: float
    sway: float
    sway_s: float
    spin: float
    tumble_s: float
    phase: float


def flying(flock: Flock) -> Prop:
    """The flock over one stage, the same for the same seed."""

    def prepare(stage: Stage) -> Drawing:
        chance, drawn = stage.chance(flock.name), flock.sprites()
        members = [member(stage, flock, drawn[number % len(drawn)], chance) for number in range(flock.count)]
        members.sort(key=lambda one: one.size)

        def draw(frame: Picture, time_s: float) -> None:
            for one in members:
                age = time_s - one.starts_s
                if age > 0:
                    place(frame, flock, one, age)

        return draw

    return prepare


def member(stage: Stage, flock: Flock, drawn: Sprite, chance: Generator) -> Member:
    share = [float(value) for value in chance.uniform(0, 1, 9)]
    unit = stage.unit
    size = (flock.smallest + (flock.largest - flock.smallest) * share[0] ** 1.6) * unit
    latest = max(0.6, 0.5 * stage.duration_s)
    return Member(
        drawn=drawn,
        x=share[1] * stage.width,
        y=share[2] * stage.height,
        starts_s=flock.from_s + share[3] * latest,
        size=size,
        # Larger ones are nearer, and pass faster.
        speed=flock.speed * unit * (0.7 + 0.5 * share[0] + 0.3 * share[4]),
        sway=flock.sway * unit * (0.5 + share[5]),
        sway_s=1.4 + 1.6 * share[6],
        spin=flock.spin * (share[7] - 0.5) * 2,
        tumble_s=0.7 + 0.9 * share[8],
        phase=2 * pi * share[4],
    )


def place(frame: Picture, flock: Flock, one: Member, age: float) -> None:
    height, width = frame.shape[:2]
    if flock.twinkles:
        light = max(0.0, sin(2 * pi * age / (one.sway_s * 1.3))) ** 2 * ramp(age, 0, 0.4)
        stamp(frame, one.drawn, one.x, one.y, one.size * (0.5 + 0.5 * light), angle=one.spin * age, opacity=light)
        return
    away = height + 1.6 * one.size
    travelled = (abs(one.speed) * age) % (away * 1.02)
    y = travelled - 0.8 * one.size if one.speed > 0 else height + 0.8 * one.size - travelled
    swing = 2 * pi * age / one.sway_s + one.phase
    x = (one.x + one.sway * sin(swing)) % width
    angle = 0.25 * cos(swing) if flock.upright else one.phase + 2 * pi * one.spin * age
    squeeze = cos(2 * pi * age / one.tumble_s) if flock.tumbles else 1.0
    stamp(frame, one.drawn, x, y, one.size, angle=angle, squeeze=squeeze, opacity=flock.opacity)
