"""A folder of tiny weights whose operator has approved low-rank packs."""

import json
import shutil
from pathlib import Path

from filmgate.engines.diffusers.catalog import LORAS
from filmgate.engines.diffusers.recipes import load_recipes

__all__ = ["APPROVED", "copy_with_approved"]

APPROVED = {
    "film": {
        "file": load_recipes()["squish"].file,
        "weights": ["wan2.1-i2v-14b-480p", "wan2.1-i2v-14b-720p", "wan2.2-i2v-a14b"],
        "trigger": "film look",
        "max_strength": 1.5,
    },
    "paint": {
        "file": "Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors",
        "weights": ["qwen-image-edit-2511"],
        "max_strength": 1.0,
    },
}


def copy_with_approved(weights: Path, folder: Path) -> Path:
    """A copy of `weights` at `folder` in which the packs of `APPROVED` may be named."""
    shutil.copytree(weights, folder)
    (folder / LORAS / "approved.json").write_text(json.dumps(APPROVED))
    return folder
