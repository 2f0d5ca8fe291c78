"""`filmgate weights` where no library of models is installed, or none is needed."""

import json
import subprocess
import sys

import pytest

from filmgate.cli import run_command
from filmgate.config import SETTINGS
from filmgate.engines.diffusers.catalog import load_catalog
from tests.unit.diffusers.small_set import SHARDS, small_set

NAME = "wan2.2-i2v-a14b"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in [*(setting.variable for setting in SETTINGS), "FILMGATE_CONFIG"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def weights(*arguments: str) -> int:
    return run_command(["weights", *arguments])


def test_the_list_says_what_each_model_needs_and_what_is_here(tmp_path, capsys):
    small_set(tmp_path / NAME, recorded=True)

    assert weights("list", "--weights", str(tmp_path)) == 0

    told = capsys.readouterr().out
    assert f"wan-ai/wan-2-2/image-to-video        all   {NAME} (installed), wan2.2-ti2v-5b (absent)" in told
    assert "Wan 2.5 has no open weights" in told
    assert "installed (bf16)" in told
    assert "squish_18.safetensors" in told
    assert "\x1b" not in told


def test_the_list_names_what_a_partial_set_lacks(tmp_path, capsys):
    (small_set(tmp_path / NAME, recorded=True) / SHARDS[0]).unlink()

    assert weights("list", "--weights", str(tmp_path)) == 0

    assert f"{SHARDS[0]} is absent" in capsys.readouterr().out


def test_the_list_is_there_for_programs(tmp_path, capsys):
    small_set(tmp_path / "filmgate-weights" / NAME, recorded=True)

    assert weights("list", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    sets = {found["name"]: found for found in told["sets"]}
    assert sets.keys() == load_catalog().keys()
    assert (sets[NAME]["state"], sets[NAME]["license"]) == ("installed", "Apache-2.0")
    assert "wan-ai/wan-2-5/image-to-video" in sets[NAME]["models"]
    assert len(told["models"]) == 5
    assert all(pack["repository"] for pack in told["packs"])


def test_verify_reads_all_sets_that_are_here(tmp_path, capsys):
    small_set(tmp_path / NAME, recorded=True)
    small_set(tmp_path / "wan2.2-ti2v-5b", recorded=False)

    assert weights("verify", "--weights", str(tmp_path)) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"ok   {NAME}", "ok   wan2.2-ti2v-5b (no filmgate.json: lengths were compared, contents not)"]


def test_verify_names_the_file_and_the_remedy_and_fails(tmp_path, capsys):
    folder = small_set(tmp_path / NAME, recorded=True)
    (folder / "vae" / "config.json").write_text("  ")

    assert weights("verify", NAME, "--weights", str(tmp_path)) == 1
    told = capsys.readouterr().out
    assert weights("verify", NAME, "--weights", str(tmp_path), "--json") == 1
    (verdict,) = json.loads(capsys.readouterr().out)

    assert f"bad  {NAME}\n       vae/config.json has changed" in told
    assert f"To mend it, run `filmgate weights pull {NAME}`" in told
    assert not verdict["ok"]
    assert verdict["faults"][0].startswith("vae/config.json has changed")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pull", "wan3"], "There are no weights 'wan3'. There are wan2.1-i2v-14b-480p, "),
        (["pull", "wan3"], "rotation"),
        (["verify", "wan3"], "There are no weights 'wan3'."),
        (["verify", NAME], f"{NAME} is not in "),
        (["verify"], "There are no weights in "),
        (["convert", NAME, "--format", "int4"], "int4"),
        (["convert", "wan3", "--format", "bf16"], "There are no weights 'wan3'."),
        (["make-tiny"], "Missing option '--to'"),
        (["make-tiny", "wan3", "--to", "x"], "There are no weights 'wan3'."),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(arguments, said, capsys):
    assert weights(*arguments) == 2

    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["pull", NAME], ["convert", NAME, "--format", "bf16"], ["make-tiny", "--to", "here"]]
)
def test_a_library_that_is_not_installed_is_named_with_how_to_get_it(arguments, monkeypatch, capsys):
    absent = {"huggingface_hub": ("no_such_library",), "torch": ("torch", "no_such_library")}
    monkeypatch.setattr("filmgate.cli.weights._NEEDED", absent)

    assert weights(*arguments) == 1

    told = capsys.readouterr().err
    assert "no_such_library" in told
    assert "pip install 'filmgate[gpu]'" in told


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["verify", NAME]])
def test_listing_and_verifying_load_no_library_of_models(arguments, tmp_path):
    small_set(tmp_path / "filmgate-weights" / NAME, recorded=True)
    code = "import sys; from filmgate.cli import run_command; run_command(sys.argv[1:]); print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code, "weights", *arguments], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )

    loaded = set(done.stdout.splitlines()[-1].split())
    assert "filmgate.cli.weights" in loaded
    assert loaded & {"torch", "diffusers", "transformers", "huggingface_hub", "safetensors", "numpy"} == set()
