import hashlib
import json
from pathlib import Path, PurePosixPath

import pytest

from filmgate.domain.errors import ManifestInvalid
from filmgate.domain.manifest import parse_manifest
from filmgate.domain.schema import InputCheck
from filmgate.models import SHIPPED, load_catalog

CATALOG = load_catalog([SHIPPED])
CONTRACT = Path(__file__).parents[3] / "shared" / "contract" / "models"
BAD = sorted((Path(__file__).parents[1] / "bad_manifests").glob("*.json"))

PUBLISHED = {
    "wan-ai/wan-2-1/image-to-video": "bae54448a1eb54bbb6860db5017d20c02a416c4fd041e2e0e9829dfabbabe2a9",
    "wan-ai/wan-2-2/image-to-video": "37719c9cefd733c431bdc7c00b60b49abc6b007dc6ebdeb19696d8a19ffea95b",
    "wan-ai/wan-2-5/image-to-video": "066c7478e57a182fcd23fd321ef4cfdf94123a5cccf9501a7bcce901430169a8",
    "wan-ai/wan-2-6/flash/image-to-video": "d715c2c4575cfad8e8754c742f25c60288ec8f9edbed2265f5dd50ec7a5d5d8e",
    "wan-ai/wan-2-6/image-to-image": "aa216dc1513c7e2b23486122b281abfa5a2fb024ae4d20f4c3fdbe02aa62b869",
}
"""The sha256 of each published input schema, as JSON with sorted keys."""


def digest(schema):
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()


def test_the_shipped_models_are_the_published_ones():
    assert {model_id: digest(manifest.input_schema) for model_id, manifest in CATALOG.items()} == PUBLISHED


@pytest.mark.skipif(not CONTRACT.is_dir(), reason="the published schemas do not lie beside this checkout")
@pytest.mark.parametrize("model_id", PUBLISHED)
def test_the_schema_and_example_are_those_of_the_contract(model_id):
    stem = model_id.replace("/", "__")
    assert CATALOG[model_id].input_schema == json.loads((CONTRACT / f"{stem}.input.json").read_text())
    assert CATALOG[model_id].example == json.loads((CONTRACT / f"{stem}.example.json").read_text())


@pytest.mark.parametrize("model_id", PUBLISHED)
def test_every_published_validation_is_enforced_with_its_own_sentence(model_id):
    manifest = CATALOG[model_id]
    for name, schema in manifest.properties.items():
        for validation in schema.get("validations", []):
            assert validation["validation_error"] in {rule.sentence for rule in manifest.media[name].rules}


@pytest.mark.parametrize("model_id", PUBLISHED)
def test_every_shipped_model_takes_adapters_and_its_published_schema_does_not_say_so(model_id):
    manifest = CATALOG[model_id]
    assert manifest.roles["loras"] == "loras"
    assert "loras" in manifest.full_schema["properties"]
    assert "loras" not in manifest.input_schema["properties"]


@pytest.mark.parametrize("model_id", PUBLISHED)
def test_the_published_example_is_welcome(model_id):
    manifest = CATALOG[model_id]
    pictures = {name: "https://example.com/a.png" for name in manifest.media if manifest.example.get(name) == ""}
    assert InputCheck(manifest)({**manifest.example, **pictures}).warnings == ()


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.stem)
def test_a_bad_manifest_is_refused_by_file_field_and_sentence(case):
    told = json.loads(case.read_text())
    document = json.loads((SHIPPED / "wan-ai/wan-2-2/image-to-video.json").read_text())
    for path, value in told["change"].items():
        place, steps = document, path.split(".")
        for step in steps[:-1]:
            place = place[step]
        place[steps[-1]] = value
    with pytest.raises(ManifestInvalid) as caught:
        parse_manifest(json.dumps(document).encode(), PurePosixPath("wan-ai/wan-2-2/image-to-video.json"))
    assert told["expected"] in caught.value.sentence
    assert caught.value.sentence.startswith("wan-ai/wan-2-2/image-to-video.json: ")


def test_there_are_bad_manifests():
    assert len(BAD) >= 10


def test_a_manifest_that_is_no_json_is_refused():
    with pytest.raises(ManifestInvalid, match=r"a/b\.json: .*truncated"):
        parse_manifest(b"{", PurePosixPath("a/b.json"))


def test_two_folders_with_the_same_model_are_refused():
    with pytest.raises(ManifestInvalid, match="another folder has a model"):
        load_catalog([SHIPPED, SHIPPED])


def test_a_folder_without_manifests_is_refused(tmp_path):
    with pytest.raises(ManifestInvalid, match="no manifest"):
        load_catalog([tmp_path])
