"""Which weights make a job."""

from dataclasses import replace
from pathlib import Path

import pytest

from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Job
from filmgate.domain.request import RequestId
from filmgate.domain.sizes import TIER_AREAS_PX, ImageTarget, VideoTarget, video_size
from filmgate.engines.diffusers.catalog import load_catalog as load_sets
from filmgate.engines.diffusers.route import choose_weights, sets_for, tier_of
from filmgate.models import SHIPPED, load_catalog

MODELS = load_catalog([SHIPPED])


def job(model_id: str, tier: str = "480P", picture: tuple[int, int] = (1280, 720)) -> Job:
    clip = VideoTarget(*video_size(*picture, tier), 81, 16)
    target = ImageTarget(1280, 1280) if model_id.endswith("image-to-image") else clip
    options = MODELS[model_id].engines["diffusers"]
    return Job(RequestId("r"), model_id, "", (), target, 1, Path(), options=options)


@pytest.mark.parametrize("tier", TIER_AREAS_PX)
@pytest.mark.parametrize("picture", [(1280, 720), (720, 1280), (1000, 1000), (1344, 576), (500, 1000), (360, 2000)])
def test_a_tier_is_known_by_its_area_whatever_the_aspect(tier: str, picture: tuple[int, int]) -> None:
    assert tier_of(VideoTarget(*video_size(*picture, tier), 81, 16)) == tier


def test_wan_2_1_has_weights_for_each_of_its_tiers() -> None:
    model = "wan-ai/wan-2-1/image-to-video"

    assert sets_for(job(model, "480P")) == ["wan2.1-i2v-14b-480p"]
    assert sets_for(job(model, "720P")) == ["wan2.1-i2v-14b-720p"]


def test_the_small_set_serves_where_the_large_one_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "wan2.2-ti2v-5b").mkdir()

    with pytest.raises(EngineFailure, match=r"wan2\.2-ti2v-5b .*model_index\.json") as raised:
        choose_weights(job("wan-ai/wan-2-2/image-to-video"), tmp_path, substitutes=True)

    assert raised.value.code == "weights_incomplete"


def test_the_preferred_set_is_named_where_none_is_installed(tmp_path: Path) -> None:
    with pytest.raises(EngineFailure, match=r"weights pull wan2\.2-i2v-a14b") as raised:
        choose_weights(job("wan-ai/wan-2-2/image-to-video"), tmp_path, substitutes=True)

    assert raised.value.code == "weights_missing"


def test_only_models_without_open_weights_count_as_substituted(tmp_path: Path) -> None:
    forbidden = set()
    for model_id in MODELS:
        with pytest.raises(EngineFailure) as raised:
            choose_weights(job(model_id), tmp_path, substitutes=False)
        if raised.value.code == "substitute_forbidden":
            forbidden.add(model_id)

    assert forbidden == {model_id for model_id in MODELS if "2-5" in model_id or "2-6" in model_id}


def test_every_set_that_a_manifest_names_is_in_the_catalog() -> None:
    named = {
        name
        for manifest in MODELS.values()
        for names in manifest.engines["diffusers"]["weights"].values()
        for name in names
    }
    assert named == set(load_sets())


def test_a_tier_without_a_row_of_its_own_takes_the_common_one() -> None:
    base = job("wan-ai/wan-2-2/image-to-video")
    options = {"weights": {"*": ["a"], "1080P": ["b"]}}

    assert sets_for(replace(base, options=options)) == ["a"]
    assert sets_for(replace(job("wan-ai/wan-2-2/image-to-video", "1080P"), options=options)) == ["b"]
