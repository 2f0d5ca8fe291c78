import pytest

from filmgate.domain.media import AudioFacts, ImageFacts, judge
from filmgate.models import SHIPPED, load_catalog

CATALOG = load_catalog([SHIPPED])
MB = 1_000_000

SIDE_BOUNDS = [
    ("wan-ai/wan-2-2/image-to-video", "img_url", 359, False),
    ("wan-ai/wan-2-2/image-to-video", "img_url", 360, True),
    ("wan-ai/wan-2-2/image-to-video", "img_url", 2000, True),
    ("wan-ai/wan-2-2/image-to-video", "img_url", 2001, False),
    ("wan-ai/wan-2-5/image-to-video", "img_url", 360, False),
    ("wan-ai/wan-2-5/image-to-video", "img_url", 361, True),
    ("wan-ai/wan-2-5/image-to-video", "img_url", 2000, True),
    ("wan-ai/wan-2-5/image-to-video", "img_url", 2001, False),
    ("wan-ai/wan-2-6/flash/image-to-video", "img_url", 360, False),
    ("wan-ai/wan-2-6/flash/image-to-video", "img_url", 361, True),
    ("wan-ai/wan-2-6/flash/image-to-video", "img_url", 2000, True),
    ("wan-ai/wan-2-6/image-to-image", "image_urls", 383, False),
    ("wan-ai/wan-2-6/image-to-image", "image_urls", 384, True),
    ("wan-ai/wan-2-6/image-to-image", "image_urls", 5000, True),
    ("wan-ai/wan-2-6/image-to-image", "image_urls", 5001, False),
    ("wan-ai/wan-2-1/image-to-video", "image_url", 63, False),
    ("wan-ai/wan-2-1/image-to-video", "image_url", 8000, True),
]


@pytest.mark.parametrize(("model", "name", "side", "welcome"), SIDE_BOUNDS)
@pytest.mark.parametrize("turned", [False, True])
def test_a_side_on_the_bound_is_judged_by_its_sentence(model, name, side, welcome, turned):
    width, height = (side, 500) if not turned else (500, side)
    broken = judge(ImageFacts("png", width, height, 1000), CATALOG[model].media[name])
    assert (broken == []) is welcome
    if not welcome:
        assert "pixels" in broken[0]


@pytest.mark.parametrize("model", ["wan-ai/wan-2-2/image-to-video", "wan-ai/wan-2-6/flash/image-to-video"])
def test_less_than_10_mb_refuses_10_mb_exactly(model):
    limits = CATALOG[model].media["img_url"]
    assert judge(ImageFacts("jpeg", 800, 800, 10 * MB - 1), limits) == []
    assert "less than 10 MB" in judge(ImageFacts("jpeg", 800, 800, 10 * MB), limits)[0]


def test_alpha_in_use_is_refused_only_where_the_sentence_says_so():
    transparent = ImageFacts("png", 800, 800, 1000, alpha_in_use=True)
    assert "no alpha" in judge(transparent, CATALOG["wan-ai/wan-2-2/image-to-video"].media["img_url"])[0]
    assert judge(transparent, CATALOG["wan-ai/wan-2-5/image-to-video"].media["img_url"]) == []


@pytest.mark.parametrize(("seconds", "welcome"), [(2.99, False), (3.0, True), (30.0, True), (30.01, False)])
def test_a_sound_lasts_3_to_30_seconds(seconds, welcome):
    limits = CATALOG["wan-ai/wan-2-5/image-to-video"].media["audio_url"]
    assert (judge(AudioFacts("wav", seconds, 1000), limits) == []) is welcome


def test_one_sentence_for_both_sides_is_told_once():
    broken = judge(ImageFacts("png", 100, 100, 1000), CATALOG["wan-ai/wan-2-2/image-to-video"].media["img_url"])
    assert broken == ["The uploaded image width and height must be at least 360 pixels."]


def test_another_format_is_the_only_thing_told():
    broken = judge(ImageFacts("gif", 10, 10, 1000), CATALOG["wan-ai/wan-2-5/image-to-video"].media["img_url"])
    assert broken == ["Image format must be: jpg, jpeg, png, bmp, webp."]


def test_a_picture_too_large_to_decode_breaks_its_own_rule_first():
    bomb = ImageFacts("png", 30_000, 30_000, 109_000, decoded=False)
    assert "must not exceed 2000" in judge(bomb, CATALOG["wan-ai/wan-2-2/image-to-video"].media["img_url"])[0]
