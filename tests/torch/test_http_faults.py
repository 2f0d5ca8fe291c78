"""What can go wrong with weights and engines: each ends in a sentence that says what to do, under its code."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.torch.service import PHOTO, Service, serving

WAN_21 = "wan-ai/wan-2-1/image-to-video"
WAN_22 = "wan-ai/wan-2-2/image-to-video"
IN_480P: dict[str, Any] = {
    "prompt": "a boat drifts by", "image_url": PHOTO, "resolution": "480p", "num_inference_steps": 2,
}  # fmt: skip
BY_WAN_22 = {"prompt": "a boat drifts by", "img_url": PHOTO}
NAN = b"\x00\x00\xc0\x7f"
"""No number, as a little-endian float32."""
STALL_S = 8


def fill(shard: Path, value: bytes) -> None:
    """Every number of a float32 shard becomes this one; the shard's length and header stay as they are."""
    content = shard.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    shard.write_bytes(content[:start] + value * ((len(content) - start) // 4))


@pytest.fixture(scope="module")
def spoilt(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server with weights that are whole but no numbers, truncated, or whole but dead; and without substitutes."""
    folder = tmp_path_factory.mktemp("spoilt")
    for name in ("wan2.1-i2v-14b-480p", "wan2.1-i2v-14b-720p", "wan2.2-ti2v-5b"):
        shutil.copytree(tiny_weights / name, folder / "weights" / name)
    no_numbers, truncated, dead = sorted((folder / "weights").iterdir())
    fill(next(no_numbers.glob("transformer/*.safetensors")), NAN)
    shard = next(truncated.glob("transformer/*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:-100])
    fill(next(dead.glob("vae/*.safetensors")), bytes(4))
    with serving(folder, folder / "weights", substitutes="false") as running:
        yield running


def test_frames_that_are_no_numbers_are_refused(spoilt: Service) -> None:
    code, sentence = spoilt.failure(WAN_21, **IN_480P)

    assert code == "frames_invalid"
    assert "it is not made of numbers. Send the request again with another seed" in sentence


def test_frames_of_one_colour_are_refused(spoilt: Service) -> None:
    code, sentence = spoilt.failure(WAN_22, **BY_WAN_22)

    assert code == "frames_invalid"
    assert "every pixel of it is the same" in sentence


def test_a_truncated_shard_is_named(spoilt: Service) -> None:
    code, sentence = spoilt.failure(WAN_21, **{**IN_480P, "resolution": "720p"})

    assert code == "weights_incomplete"
    assert "wan2.1-i2v-14b-720p" in sentence
    assert "transformer/diffusion_pytorch_model.safetensors has" in sentence


@pytest.mark.parametrize(
    ("model_id", "inputs"),
    [
        ("wan-ai/wan-2-5/image-to-video", BY_WAN_22),
        ("wan-ai/wan-2-6/flash/image-to-video", BY_WAN_22),
        ("wan-ai/wan-2-6/image-to-image", {"prompt": "at night", "image_urls": [PHOTO]}),
    ],
    ids=["2.5", "2.6 flash", "2.6 image-to-image"],
)
def test_substitutes_can_be_forbidden(model_id: str, inputs: dict[str, Any], spoilt: Service) -> None:
    code, sentence = spoilt.failure(model_id, **inputs)

    assert code == "substitute_forbidden"
    assert "has no open weights, and this server is set to make nothing with other weights" in sentence


@pytest.fixture(scope="module")
def hanging(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server with one set of weights, whose engine can be told to hang."""
    folder = tmp_path_factory.mktemp("hanging")
    shutil.copytree(tiny_weights / "wan2.1-i2v-14b-480p", folder / "weights" / "wan2.1-i2v-14b-480p")
    engine = "diffusers=tests.torch.hanging:Engine"
    with serving(folder, folder / "weights", engines=engine, stall_s=str(STALL_S)) as running:
        yield running


def test_an_engine_that_hangs_in_a_step_is_ended_and_the_next_request_is_served(hanging: Service) -> None:
    code, sentence = hanging.failure(WAN_21, **{**IN_480P, "prompt": "misbehave"})

    assert code == "engine_hung"
    assert f"gave no sign of life for {STALL_S} s and was ended" in sentence
    assert hanging.clip(WAN_21, **IN_480P).result["status"] == "succeeded"


def test_missing_weights_are_named_with_the_command_that_gets_them(hanging: Service) -> None:
    code, sentence = hanging.failure(WAN_22, **BY_WAN_22)

    assert code == "weights_missing"
    assert "The weights wan2.2-i2v-a14b (Wan 2.2 I2V A14B) are not in" in sentence
    assert "run `filmgate weights pull wan2.2-i2v-a14b`" in sentence


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--weights", "nothing"], "There are no weights in"),
        (["--weights", "weights", "--device", "cuda:7"], "cuda:7"),
    ],
    ids=["no weights", "no such device"],
)
def test_a_worker_that_cannot_work_does_not_start(
    arguments: list[str], words: str, tiny_weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "weights").symlink_to(tiny_weights)
    command = [sys.executable, "-m", "filmgate", "worker", "--engines", "diffusers", "--data", "data", *arguments]

    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)

    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
