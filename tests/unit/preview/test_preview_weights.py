"""The shipped weights are the ones that are listed; others stop the start."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from filmgate.domain.errors import WeightsInvalid
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.weights import FOLDER, check_weights


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of weights of the test's own."""
    folder = tmp_path / "weights"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return folder


def test_the_shipped_weights_are_whole_and_permissively_licensed() -> None:
    rows = check_weights()

    assert {row.name for row in rows} == {"fastdepth", "u2netp", "migan", "yunet"}
    assert {row.licence for row in rows} <= {"MIT", "Apache-2.0", "BSD-2-Clause"}
    assert all("@" in row.source_package or "==" in row.source_package for row in rows)


def test_the_notice_names_every_file_with_its_hashes() -> None:
    notice = (FOLDER / "NOTICE").read_text(encoding="utf-8")

    assert all(word in notice for row in check_weights() for word in (row.file, row.sha256, row.source_sha256))


@pytest.mark.parametrize("name", [row["file"] for row in json.loads((FOLDER / "weights.json").read_text())])
def test_a_missing_file_stops_the_start_by_name(name: str, copy: Path) -> None:
    (copy / name).unlink()

    with pytest.raises(WeightsInvalid, match=f"{name}.*cannot be read"):
        Nets(folder=copy)


def test_an_altered_file_stops_the_start_by_name(copy: Path) -> None:
    content = bytearray((copy / "yunet.onnx").read_bytes())
    content[1000] ^= 1
    (copy / "yunet.onnx").write_bytes(content)

    with pytest.raises(WeightsInvalid, match=r"yunet\.onnx.*was altered.*rebuild_weights"):
        Nets(folder=copy)


def test_a_cut_file_stops_the_start_by_name(copy: Path) -> None:
    (copy / "migan.onnx").write_bytes((copy / "migan.onnx").read_bytes()[:-1])

    with pytest.raises(WeightsInvalid, match=r"migan\.onnx.*bytes instead of"):
        Nets(folder=copy)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"name": "x"}]', "\ud800"])
def test_an_unreadable_list_stops_the_start(content: str, copy: Path) -> None:
    (copy / "weights.json").write_text(content, encoding="utf-8", errors="surrogatepass")

    with pytest.raises(WeightsInvalid, match=r"weights\.json"):
        check_weights(copy)


def test_yunet_is_shipped_unchanged() -> None:
    row = next(row for row in check_weights() if row.name == "yunet")

    assert hashlib.sha256((FOLDER / row.file).read_bytes()).hexdigest() == row.source_sha256
