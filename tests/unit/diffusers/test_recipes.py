import json
from pathlib import Path

import pytest

import filmgate
from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.catalog import load_catalog
from filmgate.engines.diffusers.recipes import load_recipes, recipe_for

MODEL = Path(filmgate.__file__).parent / "models/wan-ai/wan-2-2/image-to-video.json"


@pytest.mark.parametrize("recipe", load_recipes().values(), ids=load_recipes().keys())
def test_every_recipe_can_be_made_from_known_weights(recipe):
    assert recipe.template in json.loads(MODEL.read_text())["limits"]["template"]["one_of"]
    assert recipe.weights in load_catalog()
    assert recipe.trigger in recipe.prompt
    assert recipe.file.endswith(".safetensors")
    assert "/" not in recipe.file
    assert recipe.license
    assert 0 < recipe.strength <= 1.5
    assert recipe.shift > 0
    assert recipe.guidance > 1


def test_a_template_whose_pack_is_there_has_its_recipe(tmp_path):
    (tmp_path / "squish_18.safetensors").touch()
    recipe = recipe_for("squish", tmp_path)
    assert recipe.file == "squish_18.safetensors"
    assert recipe.weights == "wan2.1-i2v-14b-480p"


def test_a_missing_pack_is_named_with_its_source_beside_what_is_there(tmp_path):
    (tmp_path / "inflate_20_epochs.safetensors").touch()
    with pytest.raises(EngineFailure) as failure:
        recipe_for("squish", tmp_path)
    assert failure.value.code == "lora_missing"
    assert "squish_18.safetensors" in failure.value.sentence
    assert "Remade-AI/Squish" in failure.value.sentence
    assert "This worker has: inflate." in failure.value.sentence


def test_a_template_without_open_weights_names_those_that_this_worker_has(tmp_path):
    (tmp_path / "squish_18.safetensors").touch()
    (tmp_path / "rotate_20_epochs.safetensors").touch()
    with pytest.raises(EngineFailure) as failure:
        recipe_for("mermaid", tmp_path)
    assert failure.value.code == "template_unsupported"
    assert '"mermaid"' in failure.value.sentence
    assert "This worker has: rotation, squish." in failure.value.sentence


def test_a_worker_without_packs_says_so(tmp_path):
    with pytest.raises(EngineFailure, match="This worker has no templates"):
        recipe_for("mermaid", tmp_path / "absent")
