"""The GPU bench with tiny models on a CPU: the code that a card runs, in seconds."""

import json
from pathlib import Path

import pytest

from bench.gpu.__main__ import PARTS, main


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_prints_its_tables_and_writes_its_figures(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.json"

    main(["--part", part, "--device", "cpu", "--tiny", "--rounds", "1", "--json", str(path)])

    report = json.loads(path.read_text())
    assert report["figures"] and report["machine"]["packages"]["torch"]
    assert "|" in capsys.readouterr().out


def test_ours_and_the_library_s_clip_are_compared_on_equal_terms(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"

    main(["--part", "480p", "--device", "cpu", "--tiny", "--rounds", "1", "--json", str(path)])

    figures = json.loads(path.read_text())["figures"]
    assert figures["guided"]["exact"]["latents_error"] == 0
    assert figures["guided"]["bf16"]["latents_error"] < 1e-5
    assert 0 < figures["guided"]["balanced"]["latents_error"] < 0.1


def test_variants_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"

    main(
        ["--part", "720p", "--device", "cpu", "--tiny", "--rounds", "1", "--only", "stock", "bf16", "--json", str(path)]
    )

    assert set(json.loads(path.read_text())["figures"]["guided"]) == {"stock", "bf16"}
