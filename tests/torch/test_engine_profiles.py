"""The speed profiles, on whole jobs: what ran is said, and the same request still makes the same frames."""

from pathlib import Path

import numpy as np
import pytest

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.profiles import PROFILES
from tests.torch.jobs import EDIT, WAN_21, WAN_22, engine, job, pixels, same
from tests.torch.reports import Notebook


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("model_id", [WAN_21, WAN_22, EDIT])
def test_a_profile_says_what_ran_and_repeats_itself(
    model_id: str, profile: str, tiny_weights: Path, tmp_path: Path
) -> None:
    maker = engine(tiny_weights, profile=profile)

    first = maker.run(job(model_id, tmp_path, steps=4), Notebook())
    again = maker.run(job(model_id, tmp_path, steps=4), Notebook())

    assert first.details["profile"] == profile
    assert bool(first.details["ran"]) == (profile != "exact")
    assert same(first, again)


def test_8_bits_stay_close_to_the_exact_frames(tiny_weights: Path, tmp_path: Path) -> None:
    exact = engine(tiny_weights).run(job(WAN_22, tmp_path, steps=4), Notebook())
    balanced = engine(tiny_weights, profile="balanced").run(job(WAN_22, tmp_path, steps=4), Notebook())

    off = [np.abs(a.astype(float) - b).mean() for a, b in zip(pixels(exact), pixels(balanced), strict=True)]
    assert max(off) < 12
    assert not same(exact, balanced)


def test_the_fast_profile_takes_four_steps(tiny_weights: Path, tmp_path: Path) -> None:
    result = engine(tiny_weights, profile="fast").run(job(WAN_22, tmp_path, negative_prompt="fog"), Notebook())

    assert result.details["steps"] == 4
    assert any("negative prompt had no effect" in warning for warning in result.warnings)


def test_the_fast_profile_needs_its_adapter(tiny_weights: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "wan2.2-i2v-a14b").symlink_to(tiny_weights / "wan2.2-i2v-a14b")

    with pytest.raises(EngineFailure, match=r"high_noise_lora.* --distilled") as raised:
        engine(weights, profile="fast").run(job(WAN_22, tmp_path), Notebook())

    assert raised.value.code == "weights_missing"


def test_a_template_runs_on_top_of_every_profile(tiny_weights: Path, tmp_path: Path) -> None:
    for profile in PROFILES:
        maker = engine(tiny_weights, profile=profile)

        effect = maker.run(job(WAN_22, tmp_path, template="squish", steps=4), Notebook())
        plain = maker.run(job(WAN_21, tmp_path, steps=4), Notebook())

        assert effect.details["adapters"] == ["squish:1"]
        assert len(pixels(effect)) != len(pixels(plain))
