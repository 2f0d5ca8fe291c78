"""Sound plans: each shot hears what its words say, cameras and cuts are heard, and the plan says what acted."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import filmgate
from filmgate.engines.preview.moves import Move, MoveKind
from filmgate.engines.preview.plan import Shot, plan_prompt
from filmgate.engines.preview.sound.plan import Layer, SoundPlan, plan_sound
from filmgate.engines.preview.sound.takes import LEAST_CUT_DB, hear_takes

MANIFESTS = sorted((Path(filmgate.__file__).parent / "models").rglob("*.json"))
LISTED = "Rain. Shot 1 [0–3s]: waves crash. Shot 2 [3–6s]: close-up, a campfire. Shot 3 [6–10s]: birds sing."


def plan(
    prompt: str, *, negative: str = "", duration_s: float = 10.0, extend: bool = False, shot_type: str | None = None
) -> SoundPlan:
    filmed = plan_prompt(
        prompt, negative_prompt=negative, duration_s=duration_s, shot_type=shot_type, extend=extend, seed=1
    )
    return plan_sound(
        prompt, negative_prompt=negative, shots=filmed.shots, duration_s=duration_s, seed=1, extend=extend
    )


def shot(start_s: float, end_s: float, *kinds: MoveKind) -> Shot:
    return Shot(start_s, end_s, tuple(Move(kind, 1.0) for kind in kinds), None, 0.0)


def layer(made: SoundPlan, source: str) -> Layer:
    (found,) = (layer for layer in made.layers if layer.source == source)
    return found


def sources(made: SoundPlan) -> set[str]:
    return {layer.source for layer in made.layers}


def test_what_is_named_is_heard_over_the_air_of_the_place() -> None:
    made = plan("Rain falls on a lake")

    assert sources(made) == {"rain", "water", "open_air"}
    assert made.loudness_lufs == -35.0
    assert made.applied == ("Rain", "lake")


def test_a_place_is_quieter_than_a_name() -> None:
    assert layer(plan("a forest"), "birds").level_db < layer(plan("a forest, birds sing"), "birds").level_db


@pytest.mark.parametrize("prompt", ["", "a cup of coffee", "Slow push-in"])
def test_without_words_of_sound_there_is_the_tone_of_a_room(prompt: str) -> None:
    made = plan(prompt)

    assert sources(made) == {"room"}
    assert made.score is None
    assert made.loudness_lufs == -41.0


def test_extension_adds_a_little_music_where_nothing_is_heard() -> None:
    made = plan("a cup of coffee", extend=True)

    assert made.score is not None
    assert made.score.mood == "calm"
    assert plan("rain", extend=True).score is None


def test_a_mood_brings_music_only_with_extension_and_music_is_always_made() -> None:
    assert plan("an epic battle").score is None
    assert plan("an epic battle", extend=True).score is not None
    asked = plan("sad piano music")
    assert asked.score is not None
    assert (asked.score.mood, asked.score.instrument) == ("sad", "struck")
    assert asked.score_db > plan("a melancholy man, rain", extend=True).score_db


def test_each_listed_shot_hears_its_own_words_and_the_overall_line() -> None:
    made = plan(LISTED)

    assert (layer(made, "sea").start_s, layer(made, "sea").end_s) == (0.0, 3.0)
    assert (layer(made, "fire").start_s, layer(made, "fire").end_s) == (3.0, 6.0)
    assert (layer(made, "birds").start_s, layer(made, "birds").end_s) == (6.0, 10.0)
    assert (layer(made, "rain").start_s, layer(made, "rain").end_s) == (0.0, 10.0)


def test_a_single_shot_hears_the_whole_prompt() -> None:
    made = plan(LISTED, shot_type="single", extend=True)

    assert {"sea", "fire", "birds", "rain"} <= sources(made)
    assert {layer.end_s for layer in made.layers} == {10.0}


@pytest.mark.parametrize(("negative", "gone"), [("rain", "rain"), ("birds", "birds"), ("鸟鸣", "birds")])
def test_the_negative_prompt_takes_sounds_away(negative: str, gone: str) -> None:
    made = plan("rain, birds sing", negative=negative)

    assert gone not in sources(made)
    assert len(sources(made) & {"rain", "birds"}) == 1
    assert made.ignored == ()


def test_music_can_be_taken_away() -> None:
    assert plan("sad piano music", negative="music").score is None
    assert plan("an epic battle, no music", extend=True).score is None


@pytest.mark.parametrize(
    ("prompt", "negative"), [("rain, no sound", ""), ("静音，下雨", ""), ("rain", "sound"), ("rain", "blurry, audio")]
)
def test_silence_on_request(prompt: str, negative: str) -> None:
    made = plan(prompt, negative=negative, extend=True)

    assert made.loudness_lufs is None
    assert made.layers == ()


def test_a_negative_prompt_against_bad_sound_is_no_wish_for_silence() -> None:
    assert plan("rain", negative="distorted audio, noise").loudness_lufs is not None


def test_quiet_words_lower_and_loud_sources_raise_the_loudness() -> None:
    assert plan("a quiet street").loudness_lufs == -39.0
    assert plan("loud applause").loudness_lufs == -31.0
    assert plan("distant thunder").loudness_lufs == -35.0


def test_walls_keep_out_what_a_place_outside_would_bring() -> None:
    made = plan("A cozy bedroom in the city, rain on the window")

    assert sources(made) == {"room", "rain"}
    assert layer(made, "rain").far
    assert made.indoors


def test_a_wood_has_birds_by_day_and_crickets_by_night() -> None:
    assert "birds" in sources(plan("a forest"))
    assert sources(plan("a forest at night")) >= {"insects"}
    assert "birds" not in sources(plan("a forest at night"))


def test_what_comes_suddenly_comes_later() -> None:
    made = plan("A calm lake, suddenly thunder")

    assert layer(made, "thunder").start_s == pytest.approx(4.5)
    assert layer(made, "water").start_s == 0.0


def test_too_many_sounds_are_listed_as_ignored() -> None:
    made = plan("rain, thunder, wind, a waterfall, a campfire, church bells and applause")

    assert len(made.layers) == 6
    assert len(made.ignored) == 2


def test_what_cannot_be_made_is_ignored_by_name() -> None:
    assert plan("She laughs, a dog barks, rain falls").ignored == ("laughs", "barks")


def test_a_camera_that_comes_closer_makes_the_scene_louder() -> None:
    (push,), (pull,), (still,) = (hear_takes([shot(0, 5, kind)]) for kind in ("push_in", "pull_out", "static"))

    assert push.last_db > push.first_db
    assert pull.last_db < pull.first_db
    assert still.last_db == still.first_db


def test_sound_wanders_against_a_camera_that_turns() -> None:
    (left,), (right,) = hear_takes([shot(0, 5, "pan_left")]), hear_takes([shot(0, 5, "pan_right")])

    assert right.last_lean < 0 < left.last_lean


def test_every_cut_changes_level_and_colour() -> None:
    takes = hear_takes([shot(at, at + 2, "push_in") for at in (0, 2, 4, 6)])

    for before, after in pairwise(takes):
        assert abs(after.first_db - before.last_db) >= LEAST_CUT_DB - 1e-9
        assert after.dull != before.dull


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: "/".join(path.parts[-3:]))
def test_published_examples_have_a_sound(manifest: Path) -> None:
    prompt = json.loads(manifest.read_text(encoding="utf-8"))["example"]["prompt"]

    made = plan(prompt, extend=True)

    assert made.layers
    assert made.loudness_lufs is not None


@given(st.text(max_size=300), st.text(max_size=80), st.floats(0.5, 15), st.booleans())
def test_any_prompt_has_a_plan_within_its_clip(prompt: str, negative: str, duration_s: float, extend: bool) -> None:
    made = plan(prompt, negative=negative, duration_s=duration_s, extend=extend)

    assert all(0 <= layer.start_s < layer.end_s <= duration_s for layer in made.layers)
    assert made.loudness_lufs is None or -45 <= made.loudness_lufs <= -31


def test_a_prompt_of_any_length_is_read_to_a_limit() -> None:
    made = plan("rain " * 20_000)

    assert made.ignored == ("everything after the first 20000 characters",)
