import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.domain.errors import InputsInvalid
from filmgate.domain.schema import InputCheck
from filmgate.models import SHIPPED, load_catalog

CATALOG = load_catalog([SHIPPED])
FLASH = InputCheck(CATALOG["wan-ai/wan-2-6/flash/image-to-video"])
WAN22 = InputCheck(CATALOG["wan-ai/wan-2-2/image-to-video"])
WAN21 = InputCheck(CATALOG["wan-ai/wan-2-1/image-to-video"])
IMAGE = InputCheck(CATALOG["wan-ai/wan-2-6/image-to-image"])
BODY = {"prompt": "a", "img_url": "https://example.com/a.png"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def faults(check, body):
    with pytest.raises(InputsInvalid) as caught:
        check(body)
    return {".".join(map(str, fault.loc[1:])): fault.message for fault in caught.value.faults}


def test_omitted_inputs_take_their_defaults_and_required_ones_never_theirs():
    checked = WAN22(BODY)
    assert checked.values["seed"] == 58366538
    assert checked.values["resolution"] == "480P"
    assert set(faults(WAN22, {})) == {"prompt", "img_url"}


@pytest.mark.parametrize("absent", ["", None])
def test_empty_and_null_mean_absent_for_an_optional_input(absent):
    assert WAN22({**BODY, "template": absent, "seed": absent}).values["seed"] == 58366538
    assert FLASH({**BODY, "audio_url": absent}).media == (("img_url", BODY["img_url"]),)


def test_null_for_a_required_input_is_a_fault():
    assert "null" in faults(FLASH, {**BODY, "prompt": None})["prompt"]


def test_an_empty_required_prompt_is_welcome():
    assert FLASH({**BODY, "prompt": ""}).values["prompt"] == ""


def test_true_is_no_integer_and_a_whole_float_is_one():
    assert "true" in faults(FLASH, {**BODY, "duration": True})["duration"]
    duration = FLASH({**BODY, "duration": 5.0}).values["duration"]
    assert duration == 5
    assert isinstance(duration, int)


def test_enums_are_case_sensitive():
    assert "'720P'" in faults(FLASH, {**BODY, "resolution": "720p"})["resolution"]


def test_every_fault_is_told_at_once():
    body = {"prompt": "a" * 801, "img_url": 5, "duration": 7, "resolution": "480p", "seed": -1, "template": "zoom"}
    assert set(faults(WAN22, body)) == set(body)


def test_unknown_inputs_are_ignored_and_named():
    checked = FLASH({**BODY, "colour": 1})
    assert "colour" not in checked.values
    assert checked.warnings == ("'colour' is no input of this model.",)


@pytest.mark.parametrize(
    ("check", "longest"), [(WAN22, 800), (InputCheck(CATALOG["wan-ai/wan-2-5/image-to-video"]), 800), (FLASH, 1500)]
)
def test_prompt_length_counts_code_points(check, longest):
    assert check({**BODY, "prompt": "🎬" * longest}).values["prompt"] == "🎬" * longest
    assert str(longest + 1) in faults(check, {**BODY, "prompt": "🎬" * (longest + 1)})["prompt"]


def test_the_first_model_has_no_longest_prompt():
    assert WAN21({"prompt": "a" * 100_000, "image_url": "https://example.com/a.png"}).values["prompt"]


@pytest.mark.parametrize(("steps", "welcome"), [(0, False), (1, True), (100, True), (101, False)])
def test_steps_are_bounded(steps, welcome):
    body = {"prompt": "a", "image_url": "https://example.com/a.png", "num_inference_steps": steps}
    if welcome:
        assert WAN21(body).values["num_inference_steps"] == steps
    else:
        assert "1 to 100" in faults(WAN21, body)["num_inference_steps"]


def test_an_unknown_template_names_the_known_ones():
    assert "squish" in faults(WAN22, {**BODY, "template": "zoom"})["template"]


@pytest.mark.parametrize("text", ["a\0b", "half \ud800 pair"])
def test_text_that_is_no_text_is_refused(text):
    assert "prompt" in faults(FLASH, {**BODY, "prompt": text})
    assert "image_urls" in faults(IMAGE, {"prompt": "a", "image_urls": [text]})


@pytest.mark.parametrize(("count", "welcome"), [(0, False), (1, True), (3, True), (4, False)])
def test_one_to_three_references(count, welcome):
    body = {"prompt": "a", "image_urls": ["https://example.com/a.png"] * count}
    if welcome:
        assert len(IMAGE(body).media) == count
    else:
        assert "image_urls" in faults(IMAGE, body)


def test_a_long_value_is_shown_short():
    assert len(faults(FLASH, {**BODY, "resolution": "x" * 100_000})["resolution"]) < 300


def test_adapters_are_an_input_beside_the_published_ones():
    checked = FLASH({**BODY, "loras": [{"name": "film-grain", "strength": 0.5}, {"name": "slow"}]})

    assert checked.values["loras"] == [{"name": "film-grain", "strength": 0.5}, {"name": "slow"}]
    assert checked.warnings == ()


def test_every_fault_of_the_adapters_is_told_with_those_of_the_published_inputs():
    loras = [{"name": "../etc"}, {"name": "a" * 65}, {"strength": 2.5, "weight": 1}, {"name": "a", "strength": "1"}]

    told = faults(FLASH, {**BODY, "duration": 7, "loras": [*loras, {"name": "a"}]})

    assert set(told) == {
        "duration", "loras", "loras.0.name", "loras.1.name", "loras.2", "loras.2.name", "loras.2.strength",
        "loras.3.strength",
    }  # fmt: skip
    assert told["loras"] == "loras has 5 items, but at most 4 are allowed."
    assert told["loras.0.name"] == "loras.0.name is '../etc', but must match ^[A-Za-z0-9_.-]{1,64}$."
    assert told["loras.2"] == "loras.2 has 'weight', which it cannot have; remove it."
    assert told["loras.2.name"] == "loras.2.name is required; add it."


@pytest.mark.parametrize(
    "body", [{"loras": [{"name": "\ud800"}]}, {"loras": [{"\ud800": 1}]}, {"resolution": "\ud800"}, {"loras": "a\0"}]
)
def test_text_that_is_no_text_is_refused_wherever_it_stands(body):
    (name,) = body
    assert faults(FLASH, {**BODY, **body, "duration": 7}).keys() == {name, "duration"}


@given(st.dictionaries(st.sampled_from([*FLASH._known, "other"]), JSON))
def test_any_object_is_checked_or_refused_with_sentences(body):
    try:
        checked = FLASH(body)
    except InputsInvalid as error:
        assert all(fault.message.endswith(".") and len(fault.message) < 1000 for fault in error.faults)
    else:
        assert FLASH({**checked.values, **dict(checked.media)}).values == checked.values
