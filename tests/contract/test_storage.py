"""What every storage does with bytes."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from filmgate.domain.errors import FileUnknown, Unavailable
from filmgate.domain.ports import Storage
from filmgate.storage import ObjectStorage
from tests.contract.conftest import Run

KEY = "outputs/0123/1/video.mp4"
CONTENT = bytes(range(256)) * 20_000

OPENERS: Mapping[str, Callable[[Path], Storage]] = {"folder": ObjectStorage}


@pytest.fixture(params=sorted(OPENERS))
def open_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Storage]:
    return lambda: OPENERS[request.param](tmp_path / "storage")


@pytest.fixture
def storage(open_storage: Callable[[], Storage]) -> Storage:
    return open_storage()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(CONTENT)
    return path


def read(storage: Storage, run: Run, key: str, start: int = 0, end: int = len(CONTENT)) -> bytes:
    async def collect() -> bytes:
        return b"".join([chunk async for chunk in storage.stream(key, start, end)])

    return run(collect())


def test_a_stored_file_comes_back_whole(storage: Storage, run: Run, source: Path, tmp_path: Path) -> None:
    run(storage.put(KEY, source))

    run(storage.fetch(KEY, tmp_path / "copy.bin"))

    assert (tmp_path / "copy.bin").read_bytes() == CONTENT
    assert read(storage, run, KEY) == CONTENT
    assert source.exists()


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (0, 1), (5, 5), (1_000_000, 3_500_001), (len(CONTENT) - 1, len(CONTENT))]
)
def test_a_range_has_its_bytes(storage: Storage, run: Run, source: Path, start: int, end: int) -> None:
    run(storage.put(KEY, source))

    assert read(storage, run, KEY, start, end) == CONTENT[start:end]


def test_an_empty_file_is_a_file(storage: Storage, run: Run, source: Path, tmp_path: Path) -> None:
    source.write_bytes(b"")

    run(storage.put(KEY, source))
    run(storage.fetch(KEY, tmp_path / "copy.bin"))

    assert (tmp_path / "copy.bin").read_bytes() == b""


def test_files_survive_a_restart(open_storage: Callable[[], Storage], run: Run, source: Path) -> None:
    run(open_storage().put(KEY, source))

    assert read(open_storage(), run, KEY) == CONTENT


def test_storing_again_replaces(storage: Storage, run: Run, source: Path) -> None:
    run(storage.put(KEY, source))
    source.write_bytes(b"new")

    run(storage.put(KEY, source))

    assert read(storage, run, KEY, 0, 3) == b"new"


def test_an_absent_key_is_unknown(storage: Storage, run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileUnknown):
        run(storage.fetch(KEY, tmp_path / "copy.bin"))
    with pytest.raises(FileUnknown):
        read(storage, run, KEY, 0, 1)


def test_a_source_that_is_not_there_stores_nothing(storage: Storage, run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(storage.put(KEY, tmp_path / "absent.bin"))

    with pytest.raises(FileUnknown):
        read(storage, run, KEY, 0, 1)


def test_deleted_keys_are_gone_and_absent_ones_no_error(storage: Storage, run: Run, source: Path) -> None:
    run(storage.put(KEY, source))
    run(storage.put("inputs/kept", source))

    run(storage.delete(["inputs/absent", KEY, KEY]))

    with pytest.raises(FileUnknown):
        read(storage, run, KEY, 0, 1)
    assert read(storage, run, "inputs/kept") == CONTENT


@pytest.mark.parametrize("key", ["../outside", "inputs/../../outside", "..", "inputs//x", ""])
def test_no_key_leads_out_of_the_storage(storage: Storage, run: Run, source: Path, tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="no storage key"):
        run(storage.put(key, source))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.bin", "storage"]


def test_many_files_move_at_once(storage: Storage, run: Run, source: Path, tmp_path: Path) -> None:
    keys = [f"inputs/{number}" for number in range(24)]

    async def move() -> None:
        await asyncio.gather(*[storage.put(key, source) for key in keys])
        await asyncio.gather(*[storage.fetch(key, tmp_path / key.replace("/", "-")) for key in keys])

    run(move())

    assert all((tmp_path / key.replace("/", "-")).read_bytes() == CONTENT for key in keys)


def test_a_file_replaced_while_it_is_read_is_no_mixture(storage: Storage, run: Run, source: Path) -> None:
    """Readers of a key that is stored anew see the old bytes or the new ones."""
    run(storage.put(KEY, source))
    other, other_source = bytes(reversed(CONTENT)), source.with_name("other.bin")
    other_source.write_bytes(other)

    async def read_while_replacing() -> bytes:
        chunks = storage.stream(KEY, 0, len(CONTENT))
        first = await anext(chunks)
        await storage.put(KEY, other_source)
        return first + b"".join([chunk async for chunk in chunks])

    assert run(read_while_replacing()) == CONTENT
    assert read(storage, run, KEY) == other


# ------------------------------------------------------------------------------------------------ a folder only


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 1 MiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_stores_nothing_and_leaves_nothing(tiny_disk: Path, run: Run, source: Path) -> None:
    storage = ObjectStorage(tiny_disk)

    with pytest.raises(Unavailable):
        run(storage.put(KEY, source))
    assert [path for path in tiny_disk.rglob("*") if path.is_file()] == []

    source.write_bytes(b"small")
    run(storage.put(KEY, source))
    assert read(storage, run, KEY, 0, 5) == b"small"


def test_a_failed_put_leaves_the_stored_file_as_it_was(tiny_disk: Path, run: Run, source: Path) -> None:
    storage = ObjectStorage(tiny_disk)
    source.write_bytes(b"small")
    run(storage.put(KEY, source))

    source.write_bytes(CONTENT)
    with pytest.raises(Unavailable):
        run(storage.put(KEY, source))

    assert read(storage, run, KEY, 0, 5) == b"small"
    assert [path.name for path in (tiny_disk / "outputs/0123/1").iterdir()] == ["video.mp4"]
