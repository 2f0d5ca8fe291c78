"""What prompts say of references: who is the background, who stands where, in which look."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filmgate.engines.preview.prompt.arrangement import read_arrangement, report


@pytest.mark.parametrize(
    ("prompt", "background"),
    [
        ("Put the astronaut from image 1 into image 2", 1),
        ("Use image 2 as the background, woman on the right", 1),
        ("image 1 on the left, background of image 2", 1),
        ("the robot of image 2 in front of the background of image 1", 0),
        ("Place the woman of image 1 in image 2", 1),
        ("the second image is the backdrop", 1),
        ("the cat with image 2 behind it", 1),
        ("图2作为背景", 1),
        ("image 1 on the left, image 2 on the right", None),
        ("two friends at a party", None),
    ],
)
def test_the_background_is_the_reference_that_the_prompt_makes_the_place(prompt: str, background: int | None) -> None:
    assert read_arrangement(prompt, 2).background == background


@pytest.mark.parametrize(
    ("prompt", "sides"),
    [
        ("image 1 on the left, image 2 on the right", {0: "left", 1: "right"}),
        ("On the left, image 2; on the right, image 1", {1: "left", 0: "right"}),
        ("the cat from image 2 on the left and the man from image 1 on the right side", {1: "left", 0: "right"}),
        ("image 3 as backdrop with image 1 centre and image 2 far left", {0: "centre", 1: "left"}),
        ("图1在左边，图2在右边", {0: "left", 1: "right"}),
        ("image 1 raises her right hand", {}),
    ],
)
def test_sides_belong_to_the_reference_that_they_are_said_of(prompt: str, sides: dict[int, str]) -> None:
    assert {image: side for image, side, _ in read_arrangement(prompt, 3).sides} == sides


def test_sides_without_a_reference_keep_their_order() -> None:
    found = read_arrangement("On the right sits a monster, and on the left sits another monster", 2)

    assert [side for side, _ in found.loose_sides] == ["right", "left"]


def test_right_hands_and_left_rooms_are_no_sides() -> None:
    found = read_arrangement("she raises her right hand, left the room, right now", 2)

    assert found.loose_sides == ()


def test_looks_moods_and_scenes_are_found_by_their_words() -> None:
    found = read_arrangement("a watercolor of friends in a snowy park, warm light", 2)

    assert (found.look, found.mood, found.scene) == ("watercolour", "warm", "snow")


def test_a_style_reference_and_a_missing_one_are_named() -> None:
    found = read_arrangement("image 1 in the style of image 2, next to image 5", 2)

    assert found.style_of == 1
    assert found.missing == (4,)


def test_the_report_quotes_what_acted_and_lists_what_did_not() -> None:
    applied, ignored = report("On the left a cat, wearing headphones, wearing headphones", [(0, 11)])

    assert applied == ("On the left",)
    assert ignored == ("wearing headphones",)


WORDS = st.sampled_from(
    ["image", "1", "2", "on the left", "right", ",", "as the background", "style of", "。", "图1", "\n"]
)


@settings(deadline=None)
@given(st.one_of(st.text(st.characters(), max_size=200), st.lists(WORDS, max_size=40).map(" ".join)), st.integers(1, 3))
def test_any_text_can_be_read(prompt: str, images: int) -> None:
    found = read_arrangement(prompt, images)

    assert found.background is None or 0 <= found.background < images
    assert all(0 <= image < images for image, _, _ in found.sides)
    assert found == read_arrangement(prompt, images)


@pytest.mark.parametrize("unit", ["image 1 ", "replace ", "with a ", "left ", "in front of ", "(", " ", "图1左边"])
def test_a_hundred_kilobytes_are_read_within_the_time_of_the_suite(unit: str) -> None:
    prompt = unit * (100_000 // len(unit))

    assert read_arrangement(prompt, 3) == read_arrangement(prompt, 3)
    report(prompt, [])
