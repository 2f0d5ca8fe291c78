"""Fetching weights from a hub, with everything that can go wrong on the way."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from filmgate.engines.diffusers.catalog import LORAS, installed, load_catalog
from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.hub import Hub
from filmgate.engines.diffusers.weights.listing import list_sets
from filmgate.engines.diffusers.weights.pull import pull_pack, pull_set
from filmgate.engines.diffusers.weights.record import read_record
from filmgate.engines.diffusers.weights.verify import verify_packs, verify_set
from tests.torch.fake_hub import COMMIT, FakeHub, Shelf, fake_hub

WEIGHTS = load_catalog()["wan2.2-i2v-a14b"]
TENSORS = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with fake_hub() as hub:
        yield hub


@pytest.fixture
def shelf(hub: FakeHub, tiny_weights: Path) -> Shelf:
    """The repository of the set, with the files that such repositories also have."""
    folder = tiny_weights / WEIGHTS.name
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    del files["filmgate.json"]
    extras = {"README.md": b"# Wan", ".gitattributes": b"", "assets/x.png": b"png", "vae/old.bin": b"pickle" * 1000}
    hub.shelves[WEIGHTS.repository] = Shelf({**files, **extras})
    return hub.shelves[WEIGHTS.repository]


def quiet(*_: object) -> None:
    pass


def test_a_set_is_fetched_whole_with_its_checksums_and_nothing_else(hub, shelf, tmp_path):
    seen = []

    new = pull_set(Hub(hub.url), tmp_path, WEIGHTS, lambda *progress: seen.append(progress))

    folder = tmp_path / WEIGHTS.name
    record = read_record(folder)
    assert new
    assert installed(tmp_path, WEIGHTS.name).format == "fp32"
    assert (record.made_by, record.revision) == ("pull", COMMIT)
    assert list(verify_set(folder, quiet)) == []
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".safetensors"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [WEIGHTS.name]
    assert seen[-1][1] == seen[-1][2] == sum(file.bytes for file in record.files.values())


def test_a_set_that_is_here_is_not_fetched_again(hub, shelf, tmp_path):
    pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)
    hub.fetched.clear()

    assert not pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)
    assert hub.fetched == []


def test_a_connection_that_breaks_inside_a_file_goes_on_from_there(hub, shelf, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    shelf.broken_after[TENSORS] = [5500]

    pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)

    assert [start for name, start in hub.fetched if name == TENSORS] == [0, 5000]
    assert list(verify_set(tmp_path / WEIGHTS.name, quiet)) == []


def test_a_run_that_was_ended_inside_a_file_goes_on_from_there(hub, shelf, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    tensors = len(shelf.files[TENSORS])

    def end_inside(name: str, *_: object) -> None:
        partial = tmp_path / f".{WEIGHTS.name}.pulling" / f"{TENSORS}.partial"
        if name == TENSORS and partial.exists() and partial.stat().st_size > tensors // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull_set(Hub(hub.url), tmp_path, WEIGHTS, end_inside)
    (state,) = [found for found in list_sets(tmp_path) if found.weights.name == WEIGHTS.name]
    hub.fetched.clear()
    pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)

    assert state.state == "partial"
    (start,) = [start for name, start in hub.fetched if name == TENSORS]
    assert start > tensors // 2
    assert list(verify_set(tmp_path / WEIGHTS.name, quiet)) == []


def test_what_is_there_of_a_set_is_kept_and_what_is_damaged_fetched_anew(hub, shelf, tmp_path):
    pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)
    folder = tmp_path / WEIGHTS.name
    (folder / "filmgate.json").unlink()
    (folder / TENSORS).unlink()
    vae = folder / "vae" / "diffusion_pytorch_model.safetensors"
    vae.write_bytes(vae.read_bytes()[:-1] + b"!")
    hub.fetched.clear()

    assert pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)

    large = {name for name in hub.fetched_names() if name.endswith(".safetensors")}
    assert large == {TENSORS, "vae/diffusion_pytorch_model.safetensors"}
    assert list(verify_set(folder, quiet)) == []


def test_a_repository_with_pickles_only_is_refused_and_leaves_nothing(hub, shelf, tmp_path):
    shelf.files = {name.replace("vae/diffusion_pytorch_model.safetensors", "vae/x.bin"): content
                   for name, content in shelf.files.items()}  # fmt: skip

    with pytest.raises(WeightsFault, match=r"offers its vae only as a pickle \(vae/x.bin\)") as raised:
        pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)

    assert raised.value.code == "only_pickles"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_arrives_damaged_is_deleted(hub, shelf, tmp_path):
    shelf.told_sha256[TENSORS] = "0" * 64

    with pytest.raises(WeightsFault, match=f"{TENSORS} of .* arrived damaged") as raised:
        pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)

    assert raised.value.code == "file_damaged"
    assert not list(tmp_path.rglob("transformer/*.safetensors*"))


def test_a_disk_without_room_is_seen_before_anything_is_fetched(hub, shelf, tmp_path):
    shelf.told_bytes[TENSORS] = 10**18

    with pytest.raises(WeightsFault, match="needs 1000000000") as raised:
        pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)

    assert raised.value.code == "disk_full"
    assert hub.fetched_names() == {"model_index.json"}


def test_a_gated_repository_says_where_its_conditions_are(hub, shelf, tmp_path):
    shelf.gated = True

    with pytest.raises(WeightsFault, match=f"accept its conditions: do so at {hub.url}/{WEIGHTS.repository}") as raised:
        pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)
    assert raised.value.code == "repository_gated"


def test_a_repository_that_is_not_there_is_named(hub, tmp_path):
    with pytest.raises(WeightsFault, match=f"no repository {WEIGHTS.repository} at {hub.url}") as raised:
        pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)
    assert raised.value.code == "repository_unknown"


def test_without_a_connection_a_sentence_says_so_and_a_partial_set_stays(tmp_path):
    (tmp_path / WEIGHTS.name).mkdir()

    with pytest.raises(WeightsFault, match=r"http://127\.0\.0\.1:1 cannot be reached") as raised:
        pull_set(Hub("http://127.0.0.1:1"), tmp_path, WEIGHTS, quiet)

    assert raised.value.code == "hub_unreachable"
    assert (tmp_path / WEIGHTS.name).is_dir()


def test_what_was_made_here_is_not_mixed_with_what_the_hub_has(hub, shelf, tmp_path, tiny_weights):
    shutil.copytree(tiny_weights / WEIGHTS.name, tmp_path / WEIGHTS.name)
    (tmp_path / WEIGHTS.name / TENSORS).unlink()

    with pytest.raises(WeightsFault, match="make-tiny") as raised:
        pull_set(Hub(hub.url), tmp_path, WEIGHTS, quiet)

    assert raised.value.code == "weights_present"
    assert hub.fetched == []


def test_a_pack_is_fetched_and_checked_like_a_set(hub, tmp_path, tiny_weights):
    content = (tiny_weights / LORAS / "squish_18.safetensors").read_bytes()
    hub.shelves["Remade-AI/Squish"] = Shelf({"squish_18.safetensors": content, "README.md": b""})

    assert pull_pack(Hub(hub.url), tmp_path, "Remade-AI/Squish", "squish_18.safetensors", quiet)
    assert not pull_pack(Hub(hub.url), tmp_path, "Remade-AI/Squish", "squish_18.safetensors", quiet)

    folder = tmp_path / LORAS
    assert list(verify_packs(folder, quiet)) == []
    (folder / "squish_18.safetensors").write_bytes(content[:-1] + b"!")
    (fault,) = verify_packs(folder, quiet)
    assert str(fault).startswith("squish_18.safetensors has changed")


def test_the_command_fetches_from_the_mirror_that_the_environment_names(hub, shelf, tmp_path):
    done = pull_command(tmp_path, HF_ENDPOINT=hub.url)

    assert done.returncode == 0, done.stderr
    assert f"from {WEIGHTS.repository} (Apache-2.0)" in done.stderr
    assert installed(tmp_path, WEIGHTS.name).format == "fp32"


def test_the_command_says_that_it_is_offline(hub, shelf, tmp_path):
    done = pull_command(tmp_path, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: Nothing is fetched while HF_HUB_OFFLINE is set")


def pull_command(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "FILMGATE_"))}
    command = [sys.executable, "-m", "filmgate", "weights", "pull", WEIGHTS.name, "--weights", str(folder)]
    return subprocess.run(command, env={**environment, **variables}, capture_output=True, text=True, timeout=60)
