"""What the catalog says of each set, and whether a set is installed."""

import json

import pytest

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.catalog import Distilled, installed, load_catalog
from filmgate.engines.diffusers.weights.record import Record, read_record, write_record
from filmgate.models import SHIPPED
from tests.unit.diffusers.small_set import SHARDS, small_set

NAME = "wan2.2-i2v-a14b"
CATALOG = load_catalog()


def with_header(text: str) -> bytes:
    return len(text).to_bytes(8, "little") + text.encode()


def test_every_set_that_a_manifest_names_is_in_the_catalog_and_the_other_way_round():
    manifests = [json.loads(path.read_text()) for path in SHIPPED.rglob("*.json")]

    named = {name for manifest in manifests for names in manifest["engines"]["diffusers"]["weights"].values()
             for name in names}  # fmt: skip

    assert named == set(CATALOG)


@pytest.mark.parametrize("name", CATALOG)
def test_the_figures_of_a_set_fit_together(name):
    row = CATALOG[name]

    assert row.url.endswith(row.repository)
    assert row.memory_bytes > 2 * row.parameters
    assert row.download_bytes >= row.memory_bytes
    assert row.segment_frames % 4 == 1
    assert all(scale > 1 for scale in row.guidance)
    assert row.distilled is None or len(row.distilled.files) == len(row.guidance)


@pytest.mark.parametrize(("width", "height", "shift"), [(832, 480, 3.0), (480, 832, 3.0), (1280, 720, 5.0)])
def test_the_flow_shift_goes_by_the_area(width, height, shift):
    assert CATALOG[NAME].shift(width * height) == shift


def test_packs_lie_flat_in_one_folder(tmp_path):
    pack = Distilled("a/b", ("one.safetensors", "sub/two.safetensors"), 4, 5.0, "MIT")

    assert pack.paths(tmp_path) == (tmp_path / "loras" / "one.safetensors", tmp_path / "loras" / "two.safetensors")


@pytest.mark.parametrize("recorded", [True, False])
def test_a_whole_set_is_installed_in_the_format_that_its_tensors_have(recorded, tmp_path):
    small_set(tmp_path / NAME, recorded=recorded)

    found = installed(tmp_path, NAME)

    assert found.weights == CATALOG[NAME]
    assert found.folder == tmp_path / NAME
    assert found.format == ("bf16" if recorded else "fp32")


def test_a_record_overrides_facts_of_the_catalog(tmp_path):
    folder = small_set(tmp_path / NAME, recorded=False)
    write_record(folder, Record(title="Tiny", repository="nowhere", max_area_px=7168, steps=4))

    found = installed(tmp_path, NAME).weights

    assert (found.title, found.repository, found.max_area_px, found.steps) == ("Tiny", "nowhere", 7168, 4)
    assert found.guidance == CATALOG[NAME].guidance


def test_an_absent_set_is_refused_with_where_to_get_it(tmp_path):
    with pytest.raises(EngineFailure) as raised:
        installed(tmp_path, NAME)

    assert raised.value.code == "weights_missing"
    assert f"`filmgate weights pull {NAME}`" in raised.value.sentence
    assert "Wan-AI/Wan2.2-I2V-A14B-Diffusers" in raised.value.sentence


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        *SHARDS,
        "text_encoder/model.safetensors",
        "vae/config.json",
        "tokenizer/tokenizer.json",
        "scheduler/scheduler_config.json",
        "model_index.json",
    ],
)
def test_every_absent_file_is_named(name, recorded, tmp_path):
    folder = small_set(tmp_path / NAME, recorded=recorded)
    (folder / name).unlink()

    with pytest.raises(EngineFailure) as raised:
        installed(tmp_path, NAME)

    assert raised.value.code == "weights_incomplete"
    assert name.removesuffix("/model.safetensors") in raised.value.sentence


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_of_another_length_is_named_with_both_lengths(change, recorded, tmp_path):
    folder = small_set(tmp_path / NAME, recorded=recorded)
    path = folder / SHARDS[1]
    content = path.read_bytes()
    path.write_bytes(content[:-1] if change < 0 else content + b"x")

    with pytest.raises(EngineFailure, match=f"{SHARDS[1]} has {len(content) + change} bytes instead of {len(content)}"):
        installed(tmp_path, NAME)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        with_header("{not json at all"),
        with_header("[]"),
        with_header('{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}') + bytes(4),
        with_header('{"a": {"dtype": "F12", "shape": [2], "data_offsets": [0, 8]}}') + bytes(8),
    ],
    ids=["empty", "endless header", "no JSON", "no object", "wrong offsets", "unknown numbers"],
)
def test_a_file_that_is_no_safetensors_is_named(content, tmp_path):
    folder = small_set(tmp_path / NAME, recorded=False)
    (folder / SHARDS[0]).write_bytes(content)

    with pytest.raises(EngineFailure, match=SHARDS[0]):
        installed(tmp_path, NAME)


@pytest.mark.parametrize("index", ["{", "[]", "{}", '{"../vae": ["diffusers", "AutoencoderKLWan"]}'])
def test_a_model_index_that_is_damaged_or_no_list_of_folders_makes_no_set(index, tmp_path):
    folder = small_set(tmp_path / NAME, recorded=False)
    (folder / "model_index.json").write_text(index)

    with pytest.raises(EngineFailure, match=r"model_index\.json"):
        installed(tmp_path, NAME)


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    folder = small_set(tmp_path / NAME, recorded=True)
    (folder / "filmgate.json").write_text('{"files": 5}')

    with pytest.raises(EngineFailure, match=r"filmgate.json cannot be read .* Delete that file") as raised:
        installed(tmp_path, NAME)
    assert raised.value.code == "weights_incomplete"


@pytest.mark.parametrize(
    ("made_by", "remedy"), [("convert", "convert it to fp8 again"), ("make-tiny", "make-tiny` again")]
)
def test_a_set_that_was_made_here_is_not_to_be_fetched(made_by, remedy, tmp_path):
    folder = small_set(tmp_path / NAME, recorded=True)
    files = read_record(folder).files
    write_record(folder, Record(made_by=made_by, format="fp8", files=files))
    (folder / SHARDS[0]).unlink()

    with pytest.raises(EngineFailure, match=f"delete the folder.*{remedy}"):
        installed(tmp_path, NAME)
