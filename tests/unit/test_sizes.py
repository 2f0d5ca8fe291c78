import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.sizes import TIER_AREAS_PX, image_size, next_4n_plus_1, video_size

PUBLISHED = [
    ((1280, 720), (832, 464), (1280, 720), (1920, 1072)),
    ((720, 1280), (464, 832), (720, 1280), (1072, 1920)),
    ((500, 500), (624, 624), (960, 960), (1440, 1440)),
    ((1024, 768), (720, 544), (1104, 816), (1648, 1232)),
    ((750, 1000), (544, 720), (816, 1104), (1232, 1648)),
    ((1200, 800), (768, 512), (1168, 768), (1760, 1168)),
    ((1344, 576), (960, 400), (1456, 624), (2192, 928)),
    ((500, 1000), (432, 880), (672, 1344), (1008, 2032)),
    ((832, 480), (832, 480), (1248, 720), (1888, 1088)),
]

SIDES = st.integers(64, 8000)


@pytest.mark.parametrize(("picture", "small", "medium", "large"), PUBLISHED)
def test_published_sizes(picture, small, medium, large):
    assert video_size(*picture, "480P") == small
    assert video_size(*picture, "720p") == medium
    assert video_size(*picture, "1080P") == large


@given(SIDES, SIDES, st.sampled_from(sorted(TIER_AREAS_PX)))
def test_sides_are_multiples_of_16_and_stay_within_the_area(width, height, tier):
    out_width, out_height = video_size(width, height, tier)
    assert out_width % 16 == 0
    assert out_height % 16 == 0
    assert out_width * out_height <= TIER_AREAS_PX[tier]


@given(SIDES, SIDES, st.sampled_from(sorted(TIER_AREAS_PX)))
def test_turning_the_picture_turns_the_clip(width, height, tier):
    assert video_size(height, width, tier) == video_size(width, height, tier)[::-1]


@pytest.mark.parametrize(("label", "size"), [("1024*1024 (1:1)", (1024, 1024)), ("1344*576 (21:9)", (1344, 576))])
def test_image_size_is_what_stands_before_the_space(label, size):
    assert image_size(label) == size


@given(st.integers(1, 1000))
def test_next_4n_plus_1_is_the_smallest_count_that_decodes(frames):
    count = next_4n_plus_1(frames)
    assert count % 4 == 1
    assert frames <= count < frames + 4
