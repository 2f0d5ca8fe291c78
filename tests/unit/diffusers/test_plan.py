"""Whatever is asked for, the segments feed every output frame once, in order, from frames that are rendered."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.domain.sizes import VideoTarget
from filmgate.engines.diffusers.plan import LONGEST_FREE_SEGMENT, plan_clip

LISTED = "A calm room. Shot 1 [0–3s]: the dog waits. Shot 2 [3–6s]: the cat comes. Shot 3 [6–10s]: both sleep."


def planned(
    frames=150,
    *,
    prompt="A cat.",
    rate=30,
    frame_rate=16,
    segment_frames=81,
    seed=7,
    shot_type=None,
    extend=None,
    motion=None,
):
    return plan_clip(
        VideoTarget(832, 464, frames, rate),
        frame_rate,
        segment_frames,
        prompt=prompt,
        seed=seed,
        shot_type=shot_type,
        extend=extend,
        motion_frame_rate=motion,
    )


def counts(plan):
    return [(segment.frames, segment.end - segment.first) for segment in plan.segments]


def prompts(plan):
    return [segment.prompt for segment in plan.segments]


# ------------------------------------------------------------------------------------------------------ properties

TEXTS = st.sampled_from(["A cat.", "", LISTED, "Shot 1 [0-1s]: a. Shot 2 [1-9s]: b.", "镜头1：猫。镜头2：狗。"])
REQUESTS = st.fixed_dictionaries(
    {
        "frames": st.integers(1, 500),
        "prompt": TEXTS,
        "rate": st.sampled_from([5, 8, 16, 24, 30]),
        "frame_rate": st.sampled_from([16, 24]),
        "segment_frames": st.sampled_from([5, 9, 81, 121]),
        "seed": st.integers(0, 2**31 - 1),
        "shot_type": st.sampled_from([None, "single", "multi"]),
        "extend": st.sampled_from([None, True, False]),
        "motion": st.sampled_from([None, 16]),
    }
)
PLANS = REQUESTS.map(lambda request: planned(**request))


@settings(deadline=None)
@given(REQUESTS)
def test_every_output_frame_is_fed_by_exactly_one_segment_in_order(request):
    plan = planned(**request)
    fed = [frame for segment in plan.segments for frame in range(segment.first, segment.end)]
    assert fed == list(range(request["frames"]))


@settings(deadline=None)
@given(PLANS)
def test_every_position_lies_on_the_segments_own_frames_and_they_never_turn_back(plan):
    for segment in plan.segments:
        positions = segment.positions
        assert len(positions) == segment.end - segment.first
        assert all(0 <= position <= segment.frames - 1 for position in positions)
        assert all(earlier < later for earlier, later in pairwise(positions))


@settings(deadline=None)
@given(PLANS)
def test_every_segment_is_4n_plus_1_frames_long(plan):
    assert all(segment.frames % 4 == 1 and segment.frames >= 5 for segment in plan.segments)


@settings(deadline=None)
@given(REQUESTS)
def test_no_segment_is_longer_than_the_model_can(request):
    longest = max(request["segment_frames"], LONGEST_FREE_SEGMENT if request["motion"] else 0)
    assert all(segment.frames <= longest for segment in planned(**request).segments)


@settings(deadline=None)
@given(PLANS)
def test_the_picture_cuts_where_a_segment_starts_anew_from_the_input(plan):
    starts = [segment for segment in plan.segments if segment.starts_from == "input"]
    assert plan.cuts == tuple(segment.first for segment in starts[1:])
    assert all(segment.start == 0 for segment in starts)
    assert plan.segments[0].first == 0


@settings(deadline=None)
@given(PLANS)
def test_a_chained_segment_goes_on_one_step_after_the_frame_before(plan):
    for before, after in pairwise(plan.segments):
        if after.starts_from == "previous" and before.end > before.first:
            assert after.start > 0
            assert before.positions[-1] + before.step == after.start + before.frames - 1


@settings(deadline=None)
@given(PLANS)
def test_no_two_segments_share_a_seed(plan):
    seeds = [segment.seed for segment in plan.segments]
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert len(set(seeds)) == len(seeds)


def test_a_plan_is_a_function_of_the_request():
    assert planned(450, prompt=LISTED) == planned(450, prompt=LISTED)
    assert planned(450, seed=1) != planned(450, seed=2)


# ---------------------------------------------------------------------------------------------------------- lengths


@pytest.mark.parametrize(
    ("frames", "frame_rate", "segment_frames", "expected"),
    [
        (150, 16, 81, [(81, 150)]),
        (300, 16, 81, [(81, 151), (81, 149)]),
        (450, 16, 81, [(81, 151), (81, 150), (81, 149)]),
        (150, 24, 121, [(121, 150)]),
        (300, 24, 121, [(121, 151), (121, 149)]),
        (90, 16, 81, [(49, 90)]),
        (180, 16, 81, [(49, 91), (49, 89)]),
        (1, 16, 81, [(5, 1)]),
    ],
)
def test_clips_at_30_frames_per_second_are_fed_by_the_fewest_equal_segments(
    frames, frame_rate, segment_frames, expected
):
    assert counts(planned(frames, frame_rate=frame_rate, segment_frames=segment_frames)) == expected


def test_the_last_moment_is_rendered_but_not_much_more():
    (segment,) = planned(150).segments
    assert segment.positions[-1] == Fraction(149 * 16, 30)
    assert segment.frames - 1 - segment.positions[-1] < 4


@pytest.mark.parametrize("rate", [5, 16, 24])
def test_a_free_playback_rate_gives_exactly_the_models_own_frames(rate):
    (segment,) = planned(100, rate=rate, motion=16).segments
    assert segment.frames == 101
    assert list(segment.positions) == list(range(100))


def test_81_frames_at_a_free_rate_are_one_segment_without_a_tail():
    assert counts(planned(81, rate=16, motion=16)) == [(81, 81)]


def test_a_model_of_another_rate_keeps_the_pace_of_a_free_playback_rate():
    (segment,) = planned(81, rate=8, motion=16, frame_rate=24, segment_frames=121).segments
    assert segment.step == Fraction(3, 2)
    assert segment.frames == 121


def test_the_first_segment_has_the_seed_of_the_request():
    assert planned(450, seed=2147483647).segments[0].seed == 2147483647
    assert planned(450, seed=0).segments[0].seed == 0


@pytest.mark.parametrize("segment_frames", [1, 4, 80, 0])
def test_a_segment_that_no_vae_decodes_is_refused(segment_frames):
    with pytest.raises(ValueError, match="5, 9, 13"):
        planned(segment_frames=segment_frames)


# ------------------------------------------------------------------------------------------------------------ shots


def test_listed_shots_begin_anew_at_their_frames_with_the_overall_text_and_their_own():
    plan = planned(300, prompt=LISTED)
    assert plan.cuts == (90, 180)
    assert counts(plan) == [(49, 90), (49, 90), (65, 120)]
    assert prompts(plan) == [
        "A calm room. the dog waits.",
        "A calm room. the cat comes.",
        "A calm room. both sleep.",
    ]


def test_a_shot_longer_than_a_segment_is_chained_inside():
    plan = planned(450, prompt="Shot 1 [0-5s]: a dog. Shot 2 [5-15s]: a cat.")
    assert plan.cuts == (150,)
    assert [segment.starts_from for segment in plan.segments] == ["input", "input", "previous"]
    assert prompts(plan) == ["a dog.", "a cat.", "a cat."]


@pytest.mark.parametrize("extend", [True, None])
def test_single_makes_one_take_of_a_list_and_tells_it_in_order(extend):
    plan = planned(300, prompt=LISTED, shot_type="single", extend=extend)
    assert plan.cuts == ()
    assert [segment.starts_from for segment in plan.segments] == ["input", "previous"]
    assert prompts(plan) == ["A calm room. the dog waits. the cat comes.", "A calm room. both sleep."]


@settings(deadline=None)
@given(st.integers(1, 450), st.integers(2, 12))
def test_single_tells_every_listed_text(frames, shots):
    listed = " ".join(f"Shot {number}: text {number} of it." for number in range(1, shots + 1))
    told = " ".join(prompts(planned(frames, prompt=listed, shot_type="single", extend=True)))
    assert all(f"text {number} of it." in told for number in range(1, shots + 1))


@pytest.mark.parametrize("shot_type", ["single", "multi"])
def test_without_extension_the_prompt_alone_decides(shot_type):
    assert planned(300, prompt=LISTED, shot_type=shot_type, extend=False).cuts == (90, 180)
    assert planned(300, shot_type=shot_type, extend=False).cuts == ()


@pytest.mark.parametrize(("frames", "cuts"), [(150, (75,)), (300, (150,)), (450, (150, 300))])
def test_multi_makes_equal_shots_of_a_prompt_that_lists_none(frames, cuts):
    plan = planned(frames, shot_type="multi", extend=True)
    assert plan.cuts == cuts
    assert plan.segments[0].prompt == "A cat."
    assert len(set(prompts(plan))) == len(cuts) + 1
    assert all(prompt.startswith("A cat.") for prompt in prompts(plan))


def test_what_multi_adds_is_in_the_language_of_the_prompt():
    assert prompts(planned(150, prompt="一只猫", shot_type="multi", extend=True))[1] == "一只猫。 镜头平稳地推近主体。"


def test_a_clip_too_short_for_several_shots_says_so():
    plan = planned(90, shot_type="multi", extend=True)
    assert plan.cuts == ()
    assert plan.warnings == ("A clip of 3 s is too short for several shots, so it is one take.",)


def test_shots_that_have_no_room_are_left_out_and_told():
    listed = " ".join(f"Shot {number}: text {number}." for number in range(1, 21))
    plan = planned(150, prompt=listed)
    assert len(plan.cuts) == 9
    assert plan.warnings == ("The prompt lists 20 shots, but the clip has room for only the first 10.",)


def test_a_prompt_without_shots_is_used_to_the_letter():
    prompt = "  two words,\n and more  "
    assert prompts(planned(300, prompt=prompt)) == [prompt, prompt]


def test_what_dresses_up_a_header_does_not_get_into_the_texts():
    plan = planned(300, prompt="A room.\n\n**Shot 1 (0-5s)**: the dog waits\n\n**Shot 2 (5-10s)** - the cat runs")
    assert prompts(plan) == ["A room. the dog waits", "A room. the cat runs"]
