"""What `filmgate doctor` says of the engine where it is set up."""

import shutil
from pathlib import Path

from filmgate.cli.doctor_diffusers import examine_diffusers
from filmgate.cli.finding import Finding
from filmgate.config import Settings

QWEN = "weights of wan-ai/wan-2-6/image-to-image"


def findings(weights: Path, **given: str) -> dict[str, Finding]:
    settings = Settings(engines=("diffusers",), weights=weights, **given)
    return {finding.name: finding for finding in examine_diffusers(settings)}


def test_a_machine_with_all_weights_misses_nothing(tiny_weights: Path) -> None:
    found = findings(tiny_weights)

    assert [name for name, finding in found.items() if not finding.ok] == []
    assert "torch" in found["device"].detail
    assert "torch" in found["optional parts"].detail
    assert found["weights of wan-ai/wan-2-1/image-to-video"].detail == (
        "wan2.1-i2v-14b-480p (fp32); wan2.1-i2v-14b-720p (fp32)"
    )


def test_weights_that_are_absent_or_incomplete_are_named_with_what_gets_them(
    tiny_weights: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "qwen-image-edit-2511"
    shutil.copytree(tiny_weights / damaged.name, damaged)
    lost = next((damaged / "transformer").glob("*.safetensors"))
    lost.unlink()

    found = findings(tmp_path)

    assert not found[QWEN].ok
    assert f"transformer/{lost.name} is absent" in found[QWEN].detail
    assert found[QWEN].remedy == "Get them: filmgate weights pull qwen-image-edit-2511"
    assert "wan2.2-i2v-a14b is not there" in found["weights of wan-ai/wan-2-2/image-to-video"].detail


def test_a_card_that_is_set_but_not_there_is_missing(tiny_weights: Path) -> None:
    assert not findings(tiny_weights, device="cuda:999")["device"].ok
