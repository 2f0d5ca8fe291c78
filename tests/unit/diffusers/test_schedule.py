"""Steps, guidance and shift of a job."""

from dataclasses import replace
from pathlib import Path

import pytest

from filmgate.domain.errors import EngineFailure
from filmgate.domain.ports import Job
from filmgate.domain.request import RequestId
from filmgate.domain.sizes import VideoTarget
from filmgate.engines.diffusers.catalog import load_catalog
from filmgate.engines.diffusers.profiles import BALANCED, EXACT, FAST
from filmgate.engines.diffusers.recipes import load_recipes
from filmgate.engines.diffusers.schedule import schedule_for

SETS = load_catalog()
AREA_480P, AREA_720P = 832 * 464, 1280 * 720
JOB = Job(RequestId("r"), "m", "", (), VideoTarget(832, 464, 81, 16), 1, Path())


@pytest.mark.parametrize("profile", [EXACT, BALANCED])
def test_the_weights_own_numbers_are_the_default(profile) -> None:
    schedule = schedule_for(JOB, SETS["wan2.2-i2v-a14b"], profile, AREA_480P, None)

    assert (schedule.steps, schedule.guidance, schedule.warnings) == (40, (3.5, 3.5), ())


def test_the_manifest_may_say_another_number_of_steps_and_the_request_has_the_last_word() -> None:
    weights = SETS["wan2.1-i2v-14b-480p"]
    by_manifest = replace(JOB, options={"steps": 30})

    assert schedule_for(by_manifest, weights, EXACT, AREA_480P, None).steps == 30
    assert schedule_for(replace(by_manifest, steps=7), weights, EXACT, AREA_480P, None).steps == 7


def test_the_shift_grows_with_the_area() -> None:
    weights = SETS["wan2.2-i2v-a14b"]

    assert schedule_for(JOB, weights, EXACT, AREA_480P, None).shift == 3.0
    assert schedule_for(JOB, weights, EXACT, AREA_720P, None).shift == 5.0


def test_a_template_brings_its_own_guidance_and_shift() -> None:
    recipe = load_recipes()["squish"]

    schedule = schedule_for(JOB, SETS["wan2.1-i2v-14b-480p"], EXACT, AREA_480P, recipe)

    assert (schedule.guidance, schedule.shift) == ((6.0,), 5.0)


def test_the_fast_profile_takes_few_steps_without_guidance_and_says_what_that_costs() -> None:
    schedule = schedule_for(replace(JOB, negative_prompt="fog"), SETS["wan2.2-i2v-a14b"], FAST, AREA_480P, None)

    assert (schedule.steps, schedule.guidance) == (4, (1.0, 1.0))
    assert "negative prompt had no effect" in schedule.warnings[0]


def test_the_fast_profile_keeps_the_steps_that_were_asked_for() -> None:
    assert schedule_for(replace(JOB, steps=9), SETS["wan2.2-i2v-a14b"], FAST, AREA_480P, None).steps == 9


def test_the_fast_profile_needs_a_distilled_adapter() -> None:
    with pytest.raises(EngineFailure, match="exact or balanced") as raised:
        schedule_for(JOB, SETS["wan2.2-ti2v-5b"], FAST, AREA_480P, None)

    assert raised.value.code == "profile_unsupported"
