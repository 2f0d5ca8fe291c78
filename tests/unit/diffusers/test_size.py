import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.diffusers.size import render_size

AREA_480P, AREA_720P, AREA_5B = 832 * 480, 1280 * 720, 1280 * 704

SIDES = st.integers(1, 250).map(lambda blocks: 16 * blocks)
MULTIPLES = st.sampled_from([16, 32])
AREAS = st.integers(32 * 32, 2_000_000)


@pytest.mark.parametrize(
    ("target", "max_area_px", "multiple", "size"),
    [
        ((832, 464), AREA_480P, 16, (832, 464)),
        ((1280, 720), AREA_720P, 16, (1280, 720)),
        ((1920, 1072), AREA_720P, 16, (1264, 704)),
        ((1072, 1920), AREA_720P, 16, (704, 1264)),
        ((1280, 720), AREA_5B, 32, (1248, 704)),
        ((832, 464), AREA_5B, 32, (864, 480)),
        ((624, 624), AREA_5B, 32, (640, 640)),
        ((832, 464), 7168, 16, (112, 64)),
        ((4000, 16), 1024, 16, (64, 16)),
    ],
)
def test_known_sizes(target, max_area_px, multiple, size):
    assert render_size(*target, max_area_px, multiple) == size


@given(SIDES, SIDES, AREAS, MULTIPLES)
def test_a_model_gets_sides_and_areas_that_it_can_render(width, height, max_area_px, multiple):
    sides = render_size(width, height, max_area_px, multiple)
    assert all(side > 0 and side % multiple == 0 for side in sides)
    assert sides[0] * sides[1] <= max_area_px


@given(SIDES, SIDES, AREAS)
def test_a_target_that_fits_is_rendered_as_it_is(width, height, max_area_px):
    if width * height <= max_area_px:
        assert render_size(width, height, max_area_px, 16) == (width, height)


@given(SIDES, SIDES, AREAS, MULTIPLES)
def test_turning_the_target_turns_the_size(width, height, max_area_px, multiple):
    assert render_size(height, width, max_area_px, multiple) == render_size(width, height, max_area_px, multiple)[::-1]


@given(SIDES, SIDES, AREAS, MULTIPLES)
def test_the_aspect_is_off_by_less_than_one_block_of_the_shorter_side(width, height, max_area_px, multiple):
    rendered = render_size(width, height, max_area_px, multiple)
    off = abs(rendered[0] / rendered[1] / (width / height) - 1)
    if min(rendered) > multiple:
        assert off <= multiple / min(rendered)


def test_an_area_smaller_than_one_block_is_refused():
    with pytest.raises(ValueError, match="16 × 16"):
        render_size(832, 464, 255, 16)
