"""Models that do not fit into memory together take turns."""

from pathlib import Path
from typing import Any

from tests.torch.service import PHOTO, serving

WAN_21 = "wan-ai/wan-2-1/image-to-video"
WAN_22 = "wan-ai/wan-2-2/image-to-video"
INPUTS: dict[str, dict[str, Any]] = {
    WAN_21: {"prompt": "a boat", "image_url": PHOTO, "resolution": "480p", "seed": 1, "num_inference_steps": 2},
    WAN_22: {"prompt": "a boat", "img_url": PHOTO, "seed": 1},
}


def size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def test_two_models_that_do_not_fit_together_are_served_in_turn(tiny_weights: Path, tmp_path: Path) -> None:
    sizes = [size_bytes(tiny_weights / name) for name in ("wan2.1-i2v-14b-480p", "wan2.2-i2v-a14b")]
    room = 0.75 * sum(sizes)
    assert room > max(sizes)

    with serving(tmp_path, tiny_weights, host_memory_gb=f"{room / 1e9:.9f}") as service:
        made = [service.finished_clip(service.submit(one, **INPUTS[one])) for one in (WAN_21, WAN_22) * 2]

    assert made[0].frames_sha256 == made[2].frames_sha256
    assert made[1].frames_sha256 == made[3].frames_sha256
    assert all(one.details["metrics"]["loaded_parts"] > 0 for one in made[2:])
