import json

import pytest

from filmgate.domain.errors import EngineFailure, StartupError, WeightsInvalid
from filmgate.domain.ports import Lora
from filmgate.engines.diffusers.loras import approved_loras, lora_named

BASE, TWO_EXPERTS = "wan2.1-i2v-14b-480p", "wan2.2-i2v-a14b"
ROW = {"file": "one.safetensors", "weights": [BASE], "max_strength": 1.2, "trigger": "m4g1c"}
PAIR = {
    "file": "one.safetensors",
    "low_noise_file": "two.safetensors",
    "weights": [TWO_EXPERTS],
    "max_strength": 1.0,
}


@pytest.fixture
def folder(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.safetensors").touch()
    return tmp_path


def approve(folder, document):
    (folder / "approved.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return approved_loras(folder)


def test_without_a_list_nothing_is_approved(folder):
    assert approved_loras(folder) == {}


def test_an_approved_pack_has_its_files_bases_trigger_and_strength(folder):
    approved = approve(folder, {"magic": ROW, "pair": PAIR})
    magic, pair = approved["magic"], approved["pair"]
    assert magic.files == (folder / "one.safetensors",)
    assert (magic.weights, magic.trigger, magic.max_strength) == ((BASE,), "m4g1c", 1.2)
    assert pair.files == (folder / "one.safetensors", folder / "two.safetensors")
    assert pair.trigger == ""


@pytest.mark.parametrize(
    ("row", "field", "fault"),
    [
        ({**ROW, "file": "absent.safetensors"}, "file", "no file absent.safetensors"),
        ({**ROW, "file": "../one.safetensors"}, "file", "in this folder"),
        ({**ROW, "file": "one.ckpt"}, "file", ".safetensors"),
        ({**ROW, "file": 1}, "file", "Expected `str`"),
        ({**ROW, "weights": []}, "weights", "at least one"),
        ({**ROW, "weights": ["wan3"]}, "weights", "'wan3' is not known"),
        ({**ROW, "max_strength": 0}, "max_strength", "above 0"),
        ({**ROW, "max_strength": "1"}, "max_strength", "Expected `float`"),
        ({**ROW, "strenght": 1.0}, "strenght", "unknown field"),
        ({"file": "one.safetensors", "max_strength": 1.0}, "weights", "missing required field"),
        ({**ROW, "low_noise_file": "two.safetensors"}, "low_noise_file", "second expert"),
        ({**PAIR, "low_noise_file": "three.safetensors"}, "low_noise_file", "no file three.safetensors"),
    ],
)
def test_a_fault_in_the_list_is_named_by_file_name_and_field(folder, row, field, fault):
    with pytest.raises(WeightsInvalid) as error:
        approve(folder, {"magic": row})
    assert isinstance(error.value, StartupError)
    assert error.value.code == "loras_invalid"
    assert str(folder / "approved.json") in error.value.sentence
    assert "magic" in error.value.sentence
    assert field in error.value.sentence
    assert fault in error.value.sentence


@pytest.mark.parametrize("document", ["", "{", "[]", '"magic"', '{"magic": null}'])
def test_a_list_of_another_shape_is_refused_by_its_name(folder, document):
    with pytest.raises(WeightsInvalid, match=r"approved\.json"):
        approve(folder, document)


def test_all_faults_are_told_at_once(folder):
    with pytest.raises(WeightsInvalid) as error:
        approve(folder, {"a b": ROW, "magic": {**ROW, "max_strength": -1, "weights": []}, "pair": {"file": 1}})
    assert len(error.value.sentence.splitlines()) == 4


def test_a_request_gets_the_pack_that_it_names(folder):
    approved = approve(folder, {"magic": ROW})
    assert lora_named(approved, Lora("magic", 1.2), BASE) is approved["magic"]
    assert lora_named(approved, Lora("magic", -0.5), BASE) is approved["magic"]


@pytest.mark.parametrize(
    ("lora", "base", "code", "told"),
    [
        (Lora("magik"), BASE, "lora_unknown", "Name one of: magic."),
        (Lora("magik"), "wan2.2-ti2v-5b", "lora_unknown", "None is approved for this model."),
        (Lora("pair"), BASE, "lora_wrong_base", TWO_EXPERTS),
        (Lora("magic", 1.3), BASE, "lora_too_strong", "1.2"),
        (Lora("magic", -1.3), BASE, "lora_too_strong", "1.2"),
    ],
)
def test_what_may_not_act_is_refused_before_any_work(folder, lora, base, code, told):
    approved = approve(folder, {"magic": ROW, "pair": PAIR})
    with pytest.raises(EngineFailure) as failure:
        lora_named(approved, lora, base)
    assert failure.value.code == code
    assert told in failure.value.sentence


def test_the_trigger_is_put_before_a_prompt_that_lacks_it(folder):
    approved = approve(folder, {"magic": ROW, "pair": PAIR})
    assert approved["magic"].called("A cat.") == "m4g1c. A cat."
    assert approved["magic"].called("A m4g1c cat.") == "A m4g1c cat."
    assert approved["pair"].called("A cat.") == "A cat."
