"""Subjects of a composed picture get places inside it, on the thirds, in their own proportions."""

from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.preview.layout import MOST_ENLARGED, Shape, arrange, places_of

SIZES = st.sampled_from([(1024, 1024), (800, 1200), (1200, 800), (720, 1280), (1344, 576)])
SHAPES = st.builds(
    Shape,
    st.integers(8, 2048),
    st.integers(8, 2048),
    st.frozensets(st.sampled_from(["left", "right", "top", "bottom"])),
)


@given(size=SIZES, shapes=st.lists(SHAPES, min_size=1, max_size=3), nudge=st.floats(-0.02, 0.02), data=st.data())
def test_nobody_is_stretched_or_leaves_the_picture(
    size: tuple[int, int], shapes: list[Shape], nudge: float, data: st.DataObject
) -> None:
    width, height = size
    sides = data.draw(st.dictionaries(st.integers(0, 2), st.sampled_from(["left", "centre", "right"])))
    centres = places_of(sides, len(shapes))

    places = arrange(shapes, centres, width, height, 0.92, [(nudge, nudge)] * len(shapes))

    for shape, place in zip(shapes, places, strict=True):
        assert place.left >= 0
        assert place.right <= width
        assert place.top >= 0
        assert place.bottom == height or "bottom" not in shape.cut
        assert place.bottom == height or 0.8 * height < place.bottom <= 0.92 * height + 1
        scale = place.width / shape.width
        assert place.width <= MOST_ENLARGED * shape.width + 1
        assert abs(place.height - scale * shape.height) <= 1 + shape.height / shape.width


def test_subjects_without_a_side_stand_from_left_to_right_in_their_order() -> None:
    assert places_of({}, 2) == [0.28, 0.72]
    assert places_of({}, 3) == [0.19, 0.5, 0.81]
    assert places_of({}, 1, lone=0.37) == [0.37]


def test_a_named_side_is_kept_and_the_others_take_what_is_left() -> None:
    assert places_of({0: "right"}, 2) == [0.72, 0.28]
    assert places_of({2: "left"}, 3) == [0.5, 0.81, 0.19]
    assert places_of({0: "right", 1: "left"}, 2) == [0.72, 0.28]


def test_a_subject_cut_by_a_side_moves_to_that_side() -> None:
    cut = Shape(300, 300, frozenset({"left", "bottom"}))

    (place,) = arrange([cut], [0.28], 1200, 800, 0.92, [(0.0, 0.0)])

    assert place.left == 0
    assert place.bottom == 800
