"""What English says of a camera, as tables: verbs with the move for each direction, and set phrases.

`needs_camera` marks verbs that people and things do too ("she moves closer"): they count only where the camera does
them, or where the sentence orders them ("Move closer.").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from filmgate.engines.preview.moves import MoveKind

__all__ = [
    "ADVERBS",
    "ARTICLES",
    "AUXILIARIES",
    "CAMERA",
    "CAMERA_ADJECTIVES",
    "DIRECTIONS",
    "FORMS",
    "IN",
    "KITCHEN",
    "LEFT",
    "NEGATIONS",
    "NOUN_FORMS",
    "PHRASES",
    "RIGHT",
    "SPEEDS",
    "STILL",
    "STILL_VERBS",
    "Form",
    "Meaning",
    "Verb",
    "Wanted",
]

Wanted = MoveKind | Literal["any"]
"""A move, or "any": some camera movement, of no named kind."""
Form = Literal["base", "s", "ing"]


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


IN, OUT, LEFT, RIGHT, UP, DOWN = "in", "out", "left", "right", "up", "down"
AROUND, ACROSS = "around", "across"

DIRECTIONS: Mapping[str, str] = {
    **dict.fromkeys(("in", "into", "inward", "inwards", "forward", "forwards", "closer", "nearer", "ahead"), IN),
    **dict.fromkeys(("toward", "towards", "through", "onto"), IN),
    **dict.fromkeys(("out", "back", "backward", "backwards", "away", "outward", "outwards"), OUT),
    **dict.fromkeys(("left", "leftward", "leftwards"), LEFT),
    **dict.fromkeys(("right", "rightward", "rightwards"), RIGHT),
    **dict.fromkeys(("up", "upward", "upwards", "skyward", "above"), UP),
    **dict.fromkeys(("down", "downward", "downwards"), DOWN),
    **dict.fromkeys(("around", "round"), AROUND),
    **dict.fromkeys(("across", "along", "alongside", "past", "sideways"), ACROSS),
}


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb of the camera: what it means with each direction, and alone (None: nothing)."""

    toward: Mapping[str, Wanted] = field(default_factory=dict)
    alone: Wanted | None = None
    needs_camera: bool = True
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a set phrase asks for. `sides` lets a direction named later choose left or right."""

    kind: Wanted
    strength: float = 1.0
    sides: Mapping[str, Wanted] = field(default_factory=dict)


TRUCK: Mapping[str, Wanted] = {LEFT: "truck_left", RIGHT: "truck_right", ACROSS: "truck_right"}
PAN: Mapping[str, Wanted] = {LEFT: "pan_left", RIGHT: "pan_right", UP: "tilt_up", DOWN: "tilt_down"}
TILT: Mapping[str, Wanted] = {UP: "tilt_up", DOWN: "tilt_down", LEFT: "roll", RIGHT: "roll"}
ORBIT: Mapping[str, Wanted] = {LEFT: "orbit_left", RIGHT: "orbit_right", AROUND: "orbit_left"}
CRANE: Mapping[str, Wanted] = {UP: "crane_up", DOWN: "crane_down"}
ALONG: Mapping[str, Wanted] = {IN: "push_in", OUT: "pull_out"}
PEDESTAL: Mapping[str, Wanted] = {UP: "pedestal_up", DOWN: "pedestal_down"}
TRAVEL: Mapping[str, Wanted] = {**ALONG, **TRUCK, **PEDESTAL, AROUND: "orbit_left"}

VERBS: Mapping[str, Verb] = {
    "zoom": Verb({IN: "zoom_in", OUT: "zoom_out"}, "zoom_in", needs_camera=False),
    "dolly": Verb({**ALONG, **TRUCK}, "push_in", needs_camera=False),
    "pan": Verb(PAN, "pan_right", needs_camera=False),
    "push": Verb({IN: "push_in"}),
    "pull": Verb({OUT: "pull_out"}),
    "tilt": Verb(TILT, "tilt_up"),
    "truck": Verb(TRUCK, "truck_right"),
    "track": Verb({**ALONG, **TRUCK}, "truck_right", factor=0.9),
    "slide": Verb({**ALONG, **TRUCK}, "truck_right"),
    "orbit": Verb(ORBIT, "orbit_left"),
    "circle": Verb(ORBIT, "orbit_left"),
    "arc": Verb(ORBIT, "orbit_left"),
    "revolve": Verb(ORBIT, "orbit_left"),
    "rotate": Verb(ORBIT, "orbit_left"),
    "roll": Verb({LEFT: "roll", RIGHT: "roll"}, "roll"),
    "crane": Verb(CRANE, "crane_up"),
    "jib": Verb(CRANE, "crane_up"),
    "boom": Verb(CRANE, "crane_up"),
    "pedestal": Verb(PEDESTAL, "pedestal_up"),
    "rise": Verb({UP: "pedestal_up"}, "pedestal_up"),
    "ascend": Verb({}, "pedestal_up"),
    "descend": Verb({}, "pedestal_down"),
    "lower": Verb({}, "pedestal_down"),
    "lift": Verb({UP: "crane_up"}, "crane_up"),
    "soar": Verb({**ALONG, UP: "crane_up"}, "crane_up"),
    "approach": Verb({}, "push_in"),
    "advance": Verb({IN: "push_in"}, "push_in"),
    "retreat": Verb({OUT: "pull_out"}, "pull_out"),
    "close": Verb({IN: "push_in"}),
    "follow": Verb(TRUCK, "truck_right", factor=0.9),
    "sweep": Verb({**PAN, IN: "push_in", AROUND: "orbit_left"}, "pan_right"),
    "swing": Verb({**PAN, AROUND: "orbit_left"}, "pan_right"),
    "turn": Verb({LEFT: "pan_left", RIGHT: "pan_right"}),
    "move": Verb(TRAVEL, "any"),
    "drift": Verb(TRAVEL, "any", factor=0.7),
    "glide": Verb(TRAVEL, "any", factor=0.9),
    "float": Verb(TRAVEL, "any", factor=0.7),
    "travel": Verb(TRAVEL, "any"),
    "fly": Verb({**TRAVEL, UP: "crane_up"}, "push_in"),
    "creep": Verb(TRAVEL, "push_in", factor=0.6),
    "inch": Verb(TRAVEL, "push_in", factor=0.5),
    "ease": Verb(TRAVEL, None, factor=0.6),
}

NOUN_FORMS = frozenset({"tracks", "trucks", "slides", "rolls", "arcs", "cranes", "orbits", "circles", "jibs", "booms"})
"""Forms in -s that open a sentence as plural nouns far more often than as what a camera does."""


def _conjugated(verb: str) -> tuple[str, str, str]:
    if verb in {"pan", "jib"}:
        return verb, verb + "s", verb + verb[-1] + "ing"
    if verb.endswith("e"):
        return verb, verb + "s", verb[:-1] + "ing"
    if verb.endswith("y"):
        return verb, verb[:-1] + "ies", verb + "ing"
    return verb, verb + ("es" if verb.endswith(("sh", "ch")) else "s"), verb + "ing"


def _forms() -> dict[str, tuple[Verb, Form]]:
    forms: dict[str, tuple[Verb, Form]] = {}
    for verb, meaning in VERBS.items():
        base, third, participle = _conjugated(verb)
        forms[base], forms[participle] = (meaning, "base"), (meaning, "ing")
        forms[third] = (meaning, "s")
    return forms


FORMS: Mapping[str, tuple[Verb, Form]] = _forms()
"""Every form of every verb."""


STILL_VERBS = frozenset({"is", "stays", "stay", "remains", "remain", "holds", "hold", "holding", "keeps", "keep"})
STILL = frozenset({"static", "still", "steady", "fixed", "locked", "stationary", "motionless", "unmoving", "stable"})
"""After one of the verbs these say that the camera does not move."""


SET_PHRASES: Mapping[str, Meaning] = {
    "dolly zoom": Meaning("dolly_zoom"),
    "dolly zooms": Meaning("dolly_zoom"),
    "vertigo effect": Meaning("dolly_zoom"),
    "vertigo shot": Meaning("dolly_zoom"),
    "hitchcock zoom": Meaning("dolly_zoom"),
    "crash zoom": Meaning("zoom_in", 1.8),
    "snap zoom": Meaning("zoom_in", 1.8),
    "bullet time": Meaning("orbit_left", 1.3, ORBIT),
    "dutch roll": Meaning("roll", 0.8),
    "barrel roll": Meaning("roll", 1.5),
    "fly through": Meaning("push_in", 1.3),
    "flythrough": Meaning("push_in", 1.2),
    "fly over": Meaning("push_in", 1.1),
    "flyover": Meaning("push_in", 1.2),
    "close in on": Meaning("push_in"),
    "on a tripod": Meaning("static"),
    "tripod shot": Meaning("static"),
    "locked off": Meaning("static"),
    "locked down": Meaning("static"),
}
NAMED_SHOTS: Mapping[str, Meaning] = {
    "tracking": Meaning("truck_right", 0.9, TRUCK),
    "trucking": Meaning("truck_right", 1.0, TRUCK),
    "truck": Meaning("truck_right", 1.0, TRUCK),
    "follow": Meaning("truck_right", 0.9, TRUCK),
    "dolly": Meaning("push_in"),
    "crane": Meaning("crane_up", 1.0, CRANE),
    "jib": Meaning("crane_up", 1.0, CRANE),
    "boom": Meaning("crane_up", 1.0, CRANE),
    "pedestal": Meaning("pedestal_up", 1.0, PEDESTAL),
    "orbit": Meaning("orbit_left", 1.0, ORBIT),
    "orbiting": Meaning("orbit_left", 1.0, ORBIT),
    "orbital": Meaning("orbit_left", 1.0, ORBIT),
    "arc": Meaning("orbit_left", 1.0, ORBIT),
    "pan": Meaning("pan_right", 1.0, PAN),
    "panning": Meaning("pan_right", 1.0, PAN),
    "tilt": Meaning("tilt_up", 1.0, TILT),
    "zoom": Meaning("zoom_in"),
    "roll": Meaning("roll"),
}
"""What a shot or a movement of this name is: "tracking shot", "crane movement"."""


def _phrases() -> dict[tuple[str, ...], Meaning]:
    table = {tuple(phrase.split()): meaning for phrase, meaning in SET_PHRASES.items()}
    for noun in ("shot", "shots", "move", "movement", "motion"):
        table |= {(name, noun): meaning for name, meaning in NAMED_SHOTS.items()}
    for noun in ("movement", "movements", "motion", "work"):
        table["camera", noun] = Meaning("any")
    for noun in ("shot", "view", "footage"):
        table["drone", noun] = table["aerial", noun] = Meaning("crane_up", 0.8, CRANE)
    for noun in ("orbit", "rotation", "spin", "turn", "shot", "view", "around"):
        table["360", noun] = table["360", "degree", noun] = Meaning("orbit_left", 1.2, ORBIT)
    for still in STILL - {"steady", "stable"}:
        for noun in ("camera", "shot", "frame", "angle", "framing"):
            table[still, noun] = Meaning("static")
    return table


PHRASES: Mapping[tuple[str, ...], Meaning] = _phrases()
"""Set phrases; the longest that fits counts."""

CAMERA = _words(
    "camera cam shot lens view viewpoint perspective frame drone pov steadicam gimbal footage cinematography we"
)
CAMERA_ADJECTIVES = _words(
    "slow slowly gentle smooth steady subtle slight quick fast rapid swift dramatic dynamic sudden soft gradual very"
    " extremely sweeping tracking wide medium close low high overhead aerial static handheld hand held cinematic long"
    " single continuous first opening final next last whole virtual floating moving drone camera smoothly gently"
    " graceful elegant fluid lateral sideways vertical horizontal short brief small tiny big large full epic"
)
ARTICLES = frozenset({"the", "a", "an", "our", "its", "this", "one", "another"})
ADVERBS = _words(
    "now also again still just next first finally slightly very so too almost barely ever even only here suddenly"
    " together once more little bit or nor any about"
)
AUXILIARIES = _words(
    "is are will would should can may to begins begin starts start starting beginning continues continue continuing"
    " keeps keep does do be being let lets it which that by"
)
NEGATIONS = frozenset(
    {"no", "not", "never", "without", "avoid", "don't", "doesn't", "isn't", "won't", "cannot", "dont"}
)
KITCHEN = frozenset({"frying", "sauce", "hot", "cake", "roasting", "baking", "iron", "sauté", "cooking", "drip"})
"""What stands before a pan that food is made in."""

SPEEDS: Mapping[str, float] = {
    **dict.fromkeys(_words("barely imperceptibly imperceptible"), 0.4),
    **dict.fromkeys(_words("subtle subtly slight slightly little bit"), 0.5),
    **dict.fromkeys(_words("slow slowly gentle gently soft softly gradual gradually calm calmly leisurely lazy"), 0.7),
    **dict.fromkeys(_words("fast quick quickly rapid rapidly swift swiftly dynamic dynamically dramatic"), 1.5),
    **dict.fromkeys(_words("dramatically energetic sudden suddenly sharply briskly speedy"), 1.5),
    **dict.fromkeys(_words("whip whips crash snap frantic violently"), 1.8),
}
