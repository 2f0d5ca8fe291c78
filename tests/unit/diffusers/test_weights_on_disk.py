"""Listing and verifying what a folder of weights has."""

from pathlib import Path

import pytest

from filmgate.engines.diffusers.catalog import LORAS
from filmgate.engines.diffusers.weights.checksums import recorded_files
from filmgate.engines.diffusers.weights.fault import WeightsFault
from filmgate.engines.diffusers.weights.listing import list_packs, list_sets
from filmgate.engines.diffusers.weights.record import Record, write_record
from filmgate.engines.diffusers.weights.staging import put_in_place, require_room, restore, staging_folder
from filmgate.engines.diffusers.weights.verify import verify_packs, verify_set
from tests.unit.diffusers.small_set import SHARDS, small_set, tensors_file

NAME = "wan2.2-i2v-a14b"


def quiet(*_: object) -> None:
    pass


def state_of(folder: Path):
    return next(found for found in list_sets(folder) if found.weights.name == NAME)


def test_an_empty_folder_has_nothing(tmp_path):
    assert {found.state for found in list_sets(tmp_path / "none")} == {"absent"}
    assert not any(pack.present for pack in list_packs(tmp_path / "none"))


def test_a_whole_set_is_listed_with_its_format_and_size(tmp_path):
    folder = small_set(tmp_path / NAME, recorded=True)

    found = state_of(tmp_path)

    assert (found.state, found.format, found.fault) == ("installed", "bf16", "")
    assert found.disk_bytes == sum(file.bytes for file in recorded_files(folder).values())


def test_a_set_that_lacks_a_file_is_partial(tmp_path):
    (small_set(tmp_path / NAME, recorded=False) / SHARDS[0]).unlink()

    found = state_of(tmp_path)

    assert found.state == "partial"
    assert SHARDS[0] in found.fault


def test_a_set_on_its_way_is_partial(tmp_path):
    small_set(staging_folder(tmp_path / NAME, "pulling"), recorded=False)

    found = state_of(tmp_path)

    assert found.state == "partial"
    assert "goes on with it" in found.fault


def test_packs_are_listed_by_what_they_are_for(tmp_path):
    (tmp_path / LORAS).mkdir()
    (tmp_path / LORAS / "squish_18.safetensors").write_bytes(tensors_file({"a": (2,)}))

    packs = {(pack.file, pack.purpose): pack for pack in list_packs(tmp_path)}

    assert packs["squish_18.safetensors", "template squish"].present
    assert sum(pack.present for pack in packs.values()) == 1
    assert sum("4 steps instead of 40" in purpose for _, purpose in packs) == 4


def test_an_unchanged_set_verifies_and_reports_how_far_it_is(tmp_path):
    folder = small_set(tmp_path / NAME, recorded=True)
    heard = []

    assert list(verify_set(folder, lambda *progress: heard.append(progress))) == []

    done = [done for _, done, _ in heard]
    assert done == sorted(done)
    assert done[-1] == heard[-1][2] > 0


def test_a_changed_byte_is_found_by_its_checksum(tmp_path):
    folder = small_set(tmp_path / NAME, recorded=True)
    content = (folder / SHARDS[1]).read_bytes()
    (folder / SHARDS[1]).write_bytes(content[:-1] + b"\x01")

    (fault,) = verify_set(folder, quiet)

    assert fault.file == SHARDS[1]
    assert "has changed: its sha256 is " in fault.fault


def test_every_fault_is_told_once(tmp_path):
    folder = small_set(tmp_path / NAME, recorded=True)
    (folder / SHARDS[0]).unlink()
    (folder / "vae" / "config.json").write_text("{ }")

    assert sorted(fault.file for fault in verify_set(folder, quiet)) == [SHARDS[0], "vae/config.json"]


def test_without_checksums_lengths_are_verified(tmp_path):
    folder = small_set(tmp_path / NAME, recorded=False)
    assert list(verify_set(folder, quiet)) == []

    (folder / SHARDS[0]).write_bytes((folder / SHARDS[0]).read_bytes()[:-3])

    assert [fault.file for fault in verify_set(folder, quiet)] == [SHARDS[0]]


def test_packs_verify_by_header_and_by_what_was_recorded(tmp_path):
    (tmp_path / "good.safetensors").write_bytes(tensors_file({"a": (2,)}))
    (tmp_path / "lost.safetensors").write_bytes(tensors_file({"a": (2,)}))
    write_record(tmp_path, Record(files=recorded_files(tmp_path)))
    (tmp_path / "lost.safetensors").unlink()
    (tmp_path / "short.safetensors").write_bytes(tensors_file({"a": (2,)})[:-1])

    assert sorted(fault.file for fault in verify_packs(tmp_path, quiet)) == ["lost.safetensors", "short.safetensors"]


def test_a_finished_folder_takes_the_place_of_the_old_one(tmp_path):
    old, new = tmp_path / "set", staging_folder(tmp_path / "set", "pulling")
    old.mkdir(), new.mkdir()
    (old / "old").touch(), (new / "new").touch()

    put_in_place(new, old)

    assert [path.name for path in old.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("successor", [True, False])
def test_a_replacement_that_was_cut_short_is_ended(successor, tmp_path):
    final, replaced = tmp_path / "set", staging_folder(tmp_path / "set", "replaced")
    replaced.mkdir()
    (replaced / "old").touch()
    if successor:
        final.mkdir()

    restore(final)

    assert [path.name for path in final.iterdir()] == ([] if successor else ["old"])
    assert not replaced.exists()


def test_a_folder_that_cannot_be_is_refused_with_the_reason(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(WeightsFault, match=r"Fetching x is not possible at .*file") as raised:
        require_room(tmp_path / "file" / "weights", 1, "Fetching x")
    assert raised.value.code == "folder_unwritable"


def test_a_disk_without_room_is_refused_with_both_figures(tmp_path):
    with pytest.raises(
        WeightsFault, match=r"Fetching x needs 1000000000\.0 GB in .*, but its disk has .* GB left"
    ) as raised:
        require_room(tmp_path, 10**18, "Fetching x")
    assert raised.value.code == "disk_full"
