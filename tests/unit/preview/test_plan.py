"""Prompts become plans: what is asked for is filmed, nothing else is, and the plan says so."""

import json
import sys
from itertools import pairwise
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import filmgate
from filmgate.engines.preview.moves import AXES, MOVE_KINDS, STRONGEST, WEAKEST, Move, opposed
from filmgate.engines.preview.plan import Plan, plan_prompt

MANIFESTS = sorted((Path(filmgate.__file__).parent / "models").rglob("*.json"))
LISTED = "A calm room. Shot 1 [0–3s]: the dog waits. Shot 2 [3–6s]: close-up, pan left. Shot 3 [6–10s]: zoom out fast."


def plan(
    prompt: str,
    *,
    negative: str = "",
    duration_s: float = 10.0,
    shot_type: str | None = None,
    extend: bool = False,
    seed: int = 0,
) -> Plan:
    return plan_prompt(
        prompt, negative_prompt=negative, duration_s=duration_s, shot_type=shot_type, extend=extend, seed=seed
    )


def kinds(prompt: str, *, negative: str = "", extend: bool = False) -> str:
    (shot,) = plan(prompt, negative=negative, extend=extend).shots
    return " ".join(move.kind for move in shot.moves)


def strength(prompt: str) -> float:
    return plan(prompt).shots[0].moves[0].strength


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Slow push-in on her face", "push_in"),
        ("A woman in red, slow push in", "push_in"),
        ("The camera moves closer", "push_in"),
        ("A girl smiles as the camera slowly pushes in", "push_in"),
        ("A girl smiles with the camera slowly pushing in", "push_in"),
        ("camera glides forward through the forest", "push_in"),
        ("dolly in", "push_in"),
        ("Pull back to reveal the city", "pull_out"),
        ("the camera slowly and smoothly pulls away", "pull_out"),
        ("zooming in on the clock", "zoom_in"),
        ("Zooms out slowly", "zoom_out"),
        ("a dolly zoom", "dolly_zoom"),
        ("The camera pans left", "pan_left"),
        ("camera slowly pans to the right", "pan_right"),
        ("pans from left to right", "pan_right"),
        ("the camera pans right to left", "pan_left"),
        ("pan across the room", "pan_right"),
        ("The shot begins with a slow tilt up", "tilt_up"),
        ("Tilt down to her shoes", "tilt_down"),
        ("truck left", "truck_left"),
        ("tracking shot to the left", "truck_left"),
        ("the camera follows a man moving left", "truck_left"),
        ("the camera rises above the trees", "pedestal_up"),
        ("the camera descends", "pedestal_down"),
        ("crane up over the roofs", "crane_up"),
        ("aerial shot of a bay", "crane_up"),
        ("crane down", "crane_down"),
        ("The camera orbits around her", "orbit_left"),
        ("a gentle orbit to the right", "orbit_right"),
        ("360 degree rotation around the car", "orbit_left"),
        ("The camera rolls", "roll"),
        ("Static camera.", "static"),
        ("locked-off shot", "static"),
        ("Camera holds steady as the water moves", "static"),
        ("no camera movement", "static"),
        ("the camera does not move", "static"),
        ("The camera pans left and tilts up", "pan_left tilt_up"),
        ("Whip pan right, then zoom in", "pan_right zoom_in"),
        ("镜头缓缓推进", "push_in"),
        ("镜头慢慢拉远", "pull_out"),
        ("镜头向左摇", "pan_left"),
        ("镜头向右平移，跟拍人物", "truck_right"),
        ("镜头环绕主体旋转", "orbit_left roll"),
        ("固定镜头", "static"),
        ("希区柯克变焦", "dolly_zoom"),
    ],
)
def test_camera_language_names_its_moves(prompt: str, expected: str) -> None:
    assert kinds(prompt) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "The car drives left",
        "She makes a pancake and a panda watches the panorama",
        "An egg sizzles in a pan left on the stove",
        "She puts the pan right next to the sink",
        "oil in a hot pan",
        "The man looks at the camera and moves closer",
        "A man holding a camera moves closer",
        "she tilts her head up",
        "The truck left the station",
        "Tracks left in the snow",
        "A crane flies over the lake",
        "Dust orbits around the lamp",
        "static electricity crackles",
        "The girl finishes, lowers the soap, then suddenly laughs",
        "cars zoom past",
        "The crowd moves back, rolls over and turns left",
        "the boat drifts to the right",
        "no zoom, without panning",
        "老师向左走，推进项目",
    ],
)
def test_what_people_and_things_do_moves_no_camera(prompt: str) -> None:
    assert kinds(prompt) == "static"


def test_of_opposites_the_first_named_wins_and_two_moves_are_the_most() -> None:
    made = plan("Pan left, pan right, tilt up, zoom in")

    assert [move.kind for move in made.shots[0].moves] == ["pan_left", "tilt_up"]
    assert made.applied == ("Pan left", "tilt up")
    assert made.ignored == ("pan right", "zoom in")


def test_speed_words_scale_their_own_move_only() -> None:
    assert strength("very slow push in") < strength("slow push in") < strength("push in") < strength("fast push in")
    assert [move.strength for move in plan("slowly pan left and quickly zoom in").shots[0].moves] == [0.7, 1.5]
    assert strength("A slow, sweeping tracking shot") == strength("tracking shot slowly")
    assert strength("The camera pans left as the car races quickly past") == strength("pan left")


def test_a_shot_list_is_stretched_to_the_clip() -> None:
    made = plan(LISTED, duration_s=5.0)

    assert [(shot.start_s, shot.end_s) for shot in made.shots] == [(0.0, 1.5), (1.5, 3.0), (3.0, 5.0)]
    assert [shot.framing for shot in made.shots] == [None, "close_up", None]
    assert [shot.moves for shot in made.shots] == [
        (Move("static", 1.0),),
        (Move("pan_left", 1.0),),
        (Move("zoom_out", 1.5),),
    ]


@pytest.mark.parametrize(
    ("prompt", "cuts"),
    [
        ("Shot 1 [0-5s] a. Shot 2 [5-10s] b", [5.0]),
        ("Shot 1 [0—5s] a. Shot 2 [5—10s] b", [5.0]),
        ("shot 1 (0 to 2 s): a\nshot 2 (2 to 8 s): b", [2.5]),
        ("Shot 1: 0:00-0:05 s a\nShot 2: 0:05-0:20 s b", [2.5]),
        ("Shot 1 0–4s: a\nShot 2 4–10s: b", [4.0]),
        ("Scene 1: a. Scene 2: b.", [5.0]),
        ("**Shot one** – a\n**Shot two** – b\n**Shot three** - c", [3.333333, 6.666667]),
        ("Shot 1 (2s): a\nShot 2 (8 seconds): b", [2.0]),
        ("镜头一：女孩。镜头二：男孩。", [5.0]),
        ("第1个镜头[0-3秒]夜。第2个镜头[3-6秒]晨。", [5.0]),
        ("Shot 1 [5-0s] a. Shot 2 [9-2s] b", [5.0]),
        ("Shot 1 [0-0s] a. Shot 2 [0-0s] b", [5.0]),
        ("Seen as in shot 1 and shot 2 of the film", []),
        ("Shot 1: only this", []),
    ],
)
def test_shot_lists_are_found_in_the_forms_that_people_write(prompt: str, cuts: list[float]) -> None:
    assert [shot.start_s for shot in plan(prompt).shots[1:]] == cuts


def test_the_overall_line_speaks_for_shots_that_say_nothing() -> None:
    made = plan("Slow zoom in, handheld. Shot 1: a dog. Shot 2: a static cat, pan right.")

    assert [[move.kind for move in shot.moves] for shot in made.shots] == [["zoom_in"], ["pan_right"]]
    assert all(shot.handheld > 1 for shot in made.shots)


def test_more_shots_than_the_clip_has_room_for_are_left_out_openly() -> None:
    made = plan(" ".join(f"Shot {number}: thing {number}." for number in range(1, 11)), duration_s=2.0)

    assert len(made.shots) == 4
    assert made.applied == ("Shot 1", "Shot 2", "Shot 3", "Shot 4")
    assert made.ignored[-1] == "thing 10"


@pytest.mark.parametrize(
    ("prompt", "shot_type", "extend", "duration_s", "shots"),
    [
        (LISTED, "single", True, 10.0, 1),
        (LISTED, "multi", True, 10.0, 3),
        (LISTED, None, True, 10.0, 3),
        (LISTED, "single", False, 10.0, 3),
        ("A dog", "multi", True, 10.0, 3),
        ("A dog", "multi", True, 5.0, 2),
        ("A dog", "multi", True, 3.0, 1),
        ("A dog", "multi", False, 10.0, 1),
        ("A dog", None, True, 10.0, 1),
    ],
)
def test_shot_type_beats_the_prompt_while_the_prompt_is_extended(
    prompt: str, shot_type: str | None, extend: bool, duration_s: float, shots: int
) -> None:
    assert len(plan(prompt, shot_type=shot_type, extend=extend, duration_s=duration_s).shots) == shots


def test_a_clip_of_our_own_shots_starts_with_the_prompts_move_and_varies_the_view() -> None:
    made = plan("Pan left over the bay, low angle", shot_type="multi", extend=True)

    assert made.shots[0].moves == (Move("pan_left", 1.0),)
    assert made.shots[1].framing == "low_angle"
    assert len({shot.framing for shot in made.shots}) == 3


def test_extension_fills_in_what_is_missing_and_its_absence_adds_nothing() -> None:
    extended, exact = plan("A dog on a hill", extend=True), plan("A dog on a hill")

    assert extended.shots[0].moves[0].kind != "static"
    assert extended.shots[0].moves[0].strength < 1
    assert (extended.breathing, exact.breathing) == (True, False)
    assert extended.grain > exact.grain == 0
    assert extended.shots[0].handheld > exact.shots[0].handheld == 0
    assert exact.shots[0].moves == (Move("static", 1.0),)


def test_extension_leaves_a_locked_camera_alone() -> None:
    made = plan("Locked-off shot of a dog", extend=True)

    assert made.shots[0].moves == (Move("static", 1.0),)
    assert made.shots[0].handheld == 0


def test_the_seed_chooses_the_gentle_move() -> None:
    chosen = {plan("A dog", extend=True, seed=seed).shots[0].moves[0].kind for seed in range(40)}

    assert len(chosen) >= 4


def test_camera_movement_without_a_name_is_a_wish_of_its_own() -> None:
    made = plan("Gentle camera movement")

    assert made.shots[0].moves[0].kind != "static"
    assert made.applied == ("Gentle camera movement",)


@pytest.mark.parametrize(
    ("prompt", "negative", "expected"),
    [
        ("zoom in, pan left", "zoom", "pan_left"),
        ("zoom in, pan left", "zoom out", "zoom_in pan_left"),
        ("zoom in", "zoom", "static"),
        ("pan left", "camera movement", "static"),
        ("pan left", "blurry, motion blur, panic, pancake", "pan_left"),
        ("pan left", "镜头移动", "static"),
    ],
)
def test_the_negative_prompt_removes_the_moves_that_it_names(prompt: str, negative: str, expected: str) -> None:
    assert kinds(prompt, negative=negative) == expected


def test_what_the_negative_prompt_names_is_not_filled_in_either() -> None:
    for seed in range(20):
        made = plan("A dog", negative="orbit, tracking shot, shaky, grain, breathing", extend=True, seed=seed)

        assert made.shots[0].moves[0].kind == "push_in"
        assert (made.shots[0].handheld, made.grain, made.breathing) == (0, 0, False)


def test_complaints_about_quality_sharpen_and_take_the_grain() -> None:
    made = plan("A dog", negative="blurry, low quality", extend=True)

    assert made.sharpen > 0
    assert made.grain == 0


def test_words_for_hand_and_look_act() -> None:
    made = plan("Handheld, film grain, crisp, she is breathing")

    assert made.shots[0].handheld > 1
    assert made.grain > 0.1
    assert made.sharpen > 0
    assert made.breathing
    assert made.ignored == ()
    assert plan("Slightly handheld").shots[0].handheld < made.shots[0].handheld
    assert plan("no camera shake", extend=True).shots[0].handheld == 0


def test_reports_are_short_and_name_each_thing_once() -> None:
    made = plan("Pan left. The dog barks. The dog barks. " + "The very long tale of a dog goes on " * 20)

    assert made.applied == ("Pan left",)
    assert made.ignored[0] == "The dog barks"
    assert len(made.ignored) == 2
    assert made.ignored[1].endswith("…")
    assert len(made.ignored[1]) <= 81


def test_a_long_prompt_is_quoted_in_part_and_says_how_much_more_there_is() -> None:
    made = plan(". ".join(f"Fact number {number}" for number in range(100)))

    assert len(made.ignored) == 25
    assert made.ignored[-1] == "and 76 more"


EXAMPLES: dict[str, tuple[list[list[tuple[str, float]]], tuple[str, ...], int]] = {
    "wan-ai/wan-2-1/image-to-video": ([[]], (), 2),
    "wan-ai/wan-2-2/image-to-video": (
        [[("truck_right", 0.63), ("push_in", 0.7)]],
        ("sweeping tracking shot moves through", "old film"),
        4,
    ),
    "wan-ai/wan-2-5/image-to-video": ([[]], (), 0),
    "wan-ai/wan-2-6/flash/image-to-video": (
        [[], [("push_in", 0.7)]],
        (
            "gentle camera movement",
            "Shot 1 [0–5s]",
            "Shot 2 [5–10s]",
            "Slow push-in",
            "side angle",
            "Camera holds steady",
        ),
        16,
    ),
    "wan-ai/wan-2-6/image-to-image": ([[]], (), 2),
}
"""Per published example: the named moves of each shot (none: the seed chooses), what applied, how much was ignored."""


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_published_example_prompts_become_these_plans(manifest: Path) -> None:
    model = json.loads(manifest.read_text())
    moves, applied, ignored = EXAMPLES[model["id"]]

    made = plan(model["example"]["prompt"], extend=True)

    assert len(made.shots) == len(moves)
    for shot, named in zip(made.shots, moves, strict=True):
        assert [(move.kind, move.strength) for move in shot.moves] == named or (not named and len(shot.moves) == 1)
    assert made.applied == applied
    assert len(made.ignored) == ignored


FRAGMENTS = st.sampled_from(
    [
        "Shot 1 [0-3s]", "Shot 2 [3-9s]", "scene 3:", "镜头2", "the camera", "pans", "left", "to the", "zoom in", "and",
        "slowly", "no", "without", "push-in", "close-up", "static", "a man", ",", ". ", "\n", "handheld", "推进", "or",
    ]
)  # fmt: skip
PROMPTS = st.one_of(
    st.text(st.characters(), max_size=300), st.lists(FRAGMENTS, max_size=40).map(" ".join), st.just(LISTED)
)


@settings(deadline=None)
@given(
    prompt=PROMPTS,
    negative=PROMPTS,
    duration_s=st.floats(0.05, 60, allow_nan=False),
    shot_type=st.sampled_from([None, "single", "multi"]),
    extend=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
)
def test_any_text_becomes_a_plan_that_can_be_filmed(
    prompt: str, negative: str, duration_s: float, shot_type: str | None, extend: bool, seed: int
) -> None:
    made = plan(prompt, negative=negative, duration_s=duration_s, shot_type=shot_type, extend=extend, seed=seed)

    assert made.shots[0].start_s == 0
    assert made.shots[-1].end_s == duration_s
    assert all(before.end_s == after.start_s for before, after in pairwise(made.shots))
    assert all(shot.start_s < shot.end_s for shot in made.shots)
    assert made.shots[0].framing is None
    assert 0 <= made.grain <= 1
    assert 0 <= made.sharpen <= 1
    for shot in made.shots:
        assert 1 <= len(shot.moves) <= 2
        assert all(move.kind in MOVE_KINDS and WEAKEST <= move.strength <= STRONGEST for move in shot.moves)
        assert not opposed(shot.moves[0].kind, shot.moves[-1].kind)
        assert 0 <= shot.handheld <= 3
    phrases = [*made.applied, *made.ignored]
    assert all(phrase.strip() and "\n" not in phrase and len(phrase) <= 81 for phrase in phrases)
    assert len({phrase.casefold() for phrase in made.ignored}) == len(made.ignored)
    assert made == plan(prompt, negative=negative, duration_s=duration_s, shot_type=shot_type, extend=extend, seed=seed)


@given(st.sampled_from(sorted(AXES)), st.sampled_from(sorted(MOVE_KINDS)))
def test_opposition_is_mutual_and_nothing_opposes_itself(first: str, second: str) -> None:
    one = next(kind for kind in MOVE_KINDS if kind == first)
    other = next(kind for kind in MOVE_KINDS if kind == second)

    assert opposed(one, other) == opposed(other, one)
    assert not opposed(one, one)


def calls_made(prompt: str) -> int:
    """How many Python and C functions planning calls: its work, without a clock."""
    count = 0

    def tally(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(tally)
    try:
        plan(prompt, negative=prompt, shot_type="multi", extend=True)
    finally:
        sys.setprofile(None)
    return count


HOSTILE = [
    "a",
    "camera ",
    "no ",
    "or ",
    "push-",
    "shot 1 ",
    "shot 1 [0",
    "(",
    "\n",
    " ",
    "-",
    "镜头推进",
    "pan left. ",
    "1.",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_work_grows_no_faster_than_the_prompt(unit: str) -> None:
    short, long = unit * (4_000 // len(unit)), unit * (16_000 // len(unit))

    assert calls_made(long) <= 4.5 * calls_made(short) + 1_000


@pytest.mark.parametrize("unit", HOSTILE)
def test_prompts_of_a_hundred_kilobytes_are_planned(unit: str) -> None:
    """Patterns that backtrack would need hours for these; the suite's own time limit is the judge."""
    made = plan(unit * (100_000 // len(unit)))

    assert made.shots[-1].end_s == 10.0


def test_what_lies_beyond_the_readable_length_is_reported_unread() -> None:
    made = plan("a dog. " * 40_000 + "Zoom in.")

    assert made.shots[0].moves == (Move("static", 1.0),)
    assert made.ignored[-1] == "everything after the first 200000 characters"
