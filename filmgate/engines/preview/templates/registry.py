"""All templates by their published names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from filmgate.engines.preview.templates.dragon import dragon
from filmgate.engines.preview.templates.dressing import crystal, ice_cream, scaled
from filmgate.engines.preview.templates.figures import Figure, converge, danced, heartbeat, hover, swing, swum
from filmgate.engines.preview.templates.flock import Flock, flying
from filmgate.engines.preview.templates.hearts import big_heart, blooming, kisses, two_hearts
from filmgate.engines.preview.templates.lights import beams, caustics, mirror_ball, tint
from filmgate.engines.preview.templates.pupil import seen_in_a_pupil
from filmgate.engines.preview.templates.recipe import Recipe, Worn
from filmgate.engines.preview.templates.scenery import canopy, cloud_bank, dissolving, grains, poking, poles
from filmgate.engines.preview.templates.sketch import Colour, Sprite
from filmgate.engines.preview.templates.sprites import (
    banknote,
    bubble,
    cap,
    cherry,
    cloud,
    coin,
    confetti,
    drop,
    heart,
    jellyfish,
    note,
    petal,
    shard,
    soft_dot,
    sparkle,
    sprinkle,
)
from filmgate.engines.preview.templates.toys import drip, inflate, melt, poke, squish, turn, windblown

__all__ = ["TEMPLATES"]

BRIGHT = ((240, 70, 110), (70, 150, 240), (250, 200, 60), (90, 200, 120), (180, 100, 230))
HEARTS = ((232, 40, 74), (255, 120, 160), (250, 80, 120))
ROSE, LEAVES = (206, 24, 56), (54, 104, 52)
CRYSTAL, FROST = (150, 200, 255), (150, 190, 206)
SEA, DEEP = (70, 190, 200), (50, 84, 190)


def each(draw: Callable[[Colour], Sprite], colours: Sequence[Colour]) -> Callable[[], Sequence[Sprite]]:
    return lambda: tuple(draw(colour) for colour in colours)


RISING_HEARTS = Flock("hearts", each(heart, HEARTS), 26, 0.04, 0.15, speed=-0.28, sway=0.04, upright=True)
FAR_HEARTS = Flock("far hearts", each(heart, HEARTS), 14, 0.05, 0.13, speed=-0.20, sway=0.05, upright=True, opacity=0.8)
SOFT_HEARTS = Flock(
    "soft hearts", each(heart, ((255, 170, 190),)), 9, 0.05, 0.11, speed=-0.14, upright=True, opacity=0.7
)
GLITTER = Flock("glitter", each(sparkle, ((255, 246, 214),)), 26, 0.05, 0.14, twinkles=True)
GLOWING = Flock("glow", each(soft_dot, ((255, 206, 140),)), 22, 0.03, 0.09, twinkles=True)
ROSE_PETALS = Flock("petals", each(petal, (ROSE, (232, 60, 90))), 34, 0.03, 0.075, 0.24, 0.08, spin=0.5, tumbles=True)
ICE_PETALS = Flock(
    "ice petals", each(shard, (CRYSTAL, (240, 200, 240))), 20, 0.03, 0.06, 0.16, 0.07, spin=0.3, tumbles=True
)
NOTES = Flock("banknotes", lambda: (banknote(),), 34, 0.12, 0.24, speed=0.40, sway=0.07, spin=0.35, tumbles=True)
COINS = Flock("coins", lambda: (coin(),), 14, 0.04, 0.075, speed=0.62, sway=0.01, spin=0.2, tumbles=True)
CONFETTI = Flock("confetti", each(confetti, BRIGHT), 80, 0.02, 0.045, speed=0.34, sway=0.05, spin=1.2, tumbles=True)
CAPS = Flock("caps", lambda: (cap(),), 9, 0.10, 0.17, speed=-0.50, sway=0.05, spin=0.6, from_s=1.2)
BUBBLES = Flock("bubbles", lambda: (bubble(),), 30, 0.02, 0.085, speed=-0.28, sway=0.025)
MEDUSAE = Flock(
    "jellyfish",
    each(jellyfish, ((150, 120, 255), (90, 190, 255), (255, 140, 210))),
    9,
    0.14,
    0.30,
    -0.26,
    0.06,
    upright=True,
)
FAR_MEDUSAE = Flock(
    "far jellyfish",
    each(jellyfish, ((120, 130, 250), (90, 190, 255))),
    8,
    0.10,
    0.2,
    -0.18,
    0.05,
    upright=True,
    opacity=0.7,
)
MUSIC = Flock("music", each(note, BRIGHT), 16, 0.07, 0.13, speed=-0.30, sway=0.05, upright=True)
SPRINKLING = Flock("sprinkles", each(sprinkle, BRIGHT), 30, 0.016, 0.034, speed=0.30, sway=0.02, spin=0.8)
DROPS = Flock(
    "drops",
    each(drop, ((250, 176, 196), (255, 240, 206))),
    9,
    0.02,
    0.04,
    speed=0.5,
    sway=0.0,
    upright=True,
    from_s=1.6,
)
CLOUDS = Flock("clouds", lambda: (cloud(),), 8, 0.30, 0.62, speed=0.34, sway=0.05, upright=True, opacity=0.85)
NEAR_CLOUDS = Flock("near clouds", lambda: (cloud(),), 4, 0.26, 0.46, speed=0.62, sway=0.04, upright=True, opacity=0.6)
EMBERS = Flock("embers", each(soft_dot, ((255, 170, 70),)), 34, 0.015, 0.04, speed=-0.34, sway=0.05)


TEMPLATES: Mapping[str, Recipe] = {
    "squish": Recipe("is pressed flat and springs back", (squish,)),
    "rotation": Recipe("turns around its upright axis", (turn,), released=True, flips=True),
    "poke": Recipe("is poked from both sides and quivers", (poke,), front=(poking(),)),
    "inflate": Recipe("is blown up like a balloon", (inflate,)),
    "dissolve": Recipe("falls into grains that the wind takes", (windblown,), front=(grains(),), dressing=dissolving),
    "melt": Recipe("melts into a puddle", (melt,), released=True),
    "icecream": Recipe(
        "becomes ice cream and begins to drip",
        (drip,),
        front=(flying(SPRINKLING), flying(DROPS)),
        dressing=ice_cream,
        worn=(Worn(cherry, 0.75, 0.36, 1.8),),
    ),
    "carousel": Recipe(
        "rides on a merry-go-round",
        (danced(Figure(2.1, step=0.05, hop=0.06, sway=0.03)),),
        moves=(("orbit_left", 0.8),),
        behind=(poles(near=False),),
        front=(poles(near=True), canopy(), flying(GLOWING)),
    ),
    "singleheart": Recipe(
        "beats like the large heart behind it",
        (heartbeat(0.09, 1.1),),
        behind=(big_heart(1.1, near=False),),
        front=(big_heart(1.1, near=True), flying(RISING_HEARTS)),
    ),
    "dance1": Recipe(
        "sways its hips to music", (danced(Figure(1.2, sway=0.05, hips=0.045, crouch=0.03)),), front=(flying(MUSIC),)
    ),
    "dance2": Recipe(
        "hops from one side to the other in confetti",
        (danced(Figure(1.3, hop=0.09, crouch=0.10, sway=0.07)),),
        front=(flying(CONFETTI),),
    ),
    "dance3": Recipe(
        "twists under a mirror ball",
        (danced(Figure(1.0, twist=0.17, crouch=0.05)),),
        front=(tint((150, 120, 210), 0.35), mirror_ball(((255, 250, 230), (190, 210, 255), (255, 190, 230)), 0.5)),
    ),
    "dance4": Recipe(
        "makes a wave in stage light",
        (danced(Figure(1.5, wave=0.075)),),
        front=(tint((110, 100, 190), 0.4), beams(((255, 50, 150), (60, 150, 255), (150, 70, 255)), 0.38)),
    ),
    "dance5": Recipe(
        "steps and turns in a spotlight",
        (danced(Figure(1.7, step=0.07, yaw=0.75, hop=0.03)),),
        front=(tint((170, 130, 80), 0.25), beams(((255, 226, 150),), 0.6, period_s=3.4), flying(GLITTER)),
        released=True,
        flips=True,
    ),
    "mermaid": Recipe(
        "swims under water, with scales",
        (swum(0.0, 0.055, 1.9), hover(0.02, 0.02, 3.1)),
        front=(tint(SEA, 0.55), caustics((170, 255, 240), 0.42), flying(BUBBLES)),
        dressing=scaled,
    ),
    "graduation": Recipe(
        "gets a cap and hops for joy",
        (danced(Figure(1.9, hop=0.055, crouch=0.05)),),
        behind=(flying(CAPS),),
        front=(flying(CONFETTI),),
        worn=(Worn(cap, 1.35, 0.21, 0.3),),
    ),
    "dragon": Recipe(
        "leans after the dragon that flies around it",
        (swing(3.5, 3.1),),
        moves=(("push_in", 0.35),),
        behind=(tint((214, 130, 80), 0.3), dragon(near=False)),
        front=(dragon(near=True), flying(EMBERS)),
    ),
    "money": Recipe(
        "bounces in a rain of banknotes",
        (danced(Figure(0.9, hop=0.02, crouch=0.06, sway=0.015)),),
        behind=(flying(NOTES),),
        front=(flying(COINS), flying(replace(NOTES, name="near banknotes", count=12))),
    ),
    "jellyfish": Recipe(
        "opens and closes like a jellyfish in the deep",
        (swum(0.16, 0.012, 1.6), hover(0.03, 0.015, 3.7)),
        behind=(tint(DEEP, 0.75), flying(FAR_MEDUSAE)),
        front=(tint((110, 130, 235), 0.45), flying(MEDUSAE), flying(replace(BUBBLES, name="few bubbles", count=12))),
    ),
    "pupil": Recipe(
        "is seen in an eye that looks at it", (swing(2.0, 2.3), heartbeat(0.05, 1.9)), front=(seen_in_a_pupil,)
    ),
    "flying": Recipe(
        "rises and flies through clouds",
        (swing(7, 3.4, hold=0.5), hover(0.085, 0.05, 2.6, size=0.9)),
        moves=(("crane_up", 1.0),),
        behind=(flying(CLOUDS),),
        front=(flying(NEAR_CLOUDS), cloud_bank()),
        released=True,
    ),
    "rose": Recipe(
        "leans towards a rose that opens",
        (swing(5, 5.2, hold=0.7),),
        front=(flying(ROSE_PETALS), blooming(ROSE, LEAVES)),
    ),
    "crystalrose": Recipe(
        "turns to crystal beside a crystal rose",
        (danced(Figure(3.6, yaw=0.5)),),
        front=(
            tint((196, 214, 255), 0.2),
            flying(ICE_PETALS),
            blooming(CRYSTAL, FROST, shard, lambda: sparkle((255, 255, 255))),
            flying(GLITTER),
        ),
        dressing=crystal,
        released=True,
        flips=True,
    ),
    "hug": Recipe(
        "is squeezed as in a long hug",
        (converge(0.15, 2.3, hold=0.35, squeeze=0.05), swing(3.5, 3.4)),
        moves=(("push_in", 0.5),),
        front=(tint((255, 206, 160), 0.4), flying(SOFT_HEARTS), flying(GLOWING)),
        people=2,
    ),
    "frenchkiss": Recipe(
        "leans in for a kiss",
        (converge(0.06, 1.2, hold=0.75), swing(6, 2.4, hold=0.8)),
        moves=(("push_in", 0.7),),
        front=(tint((255, 150, 170), 0.3), kisses()),
        people=2,
    ),
    "coupleheart": Recipe(
        "bends together under two hearts that meet",
        (converge(0.05, 1.25, squeeze=0.05), danced(Figure(2.5, sway=0.035))),
        behind=(flying(FAR_HEARTS), two_hearts(1.25, near=False)),
        front=(two_hearts(1.25, near=True), flying(SOFT_HEARTS)),
        people=2,
    ),
}
"""The order is that of the published list."""
