"""Jobs for the engine of the open weights, and what came of them."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from filmgate.domain.ports import Job, Result
from filmgate.domain.request import RequestId
from filmgate.domain.sizes import ImageTarget, VideoTarget, video_size
from filmgate.encoding.picture import read_picture
from filmgate.engines.diffusers.engine import DiffusersEngine
from filmgate.models import SHIPPED, load_catalog
from tests.finished_file import read_clip

MODELS = load_catalog([SHIPPED])
WAN_21 = "wan-ai/wan-2-1/image-to-video"
WAN_22 = "wan-ai/wan-2-2/image-to-video"
WAN_25 = "wan-ai/wan-2-5/image-to-video"
WAN_26 = "wan-ai/wan-2-6/flash/image-to-video"
EDIT = "wan-ai/wan-2-6/image-to-image"


def engine(weights: Path, **options: Any) -> DiffusersEngine:
    return DiffusersEngine(weights=weights, device="cpu", **options)


def job(model_id: str, folder: Path, **inputs: Any) -> Job:
    """A job for a 4:3 picture in 480P; `inputs` are fields of Job."""
    rows, columns = np.mgrid[0:240, 0:320]
    picture = folder / "picture.png"
    Image.fromarray(np.stack([columns // 2, rows, 255 - columns // 2], axis=-1).astype(np.uint8)).save(picture)
    scratch = folder / f"scratch-{len(list(folder.iterdir()))}"
    scratch.mkdir()
    frames, rate = (81, 16) if model_id == WAN_21 else (150, 30)
    target = ImageTarget(1280, 960) if model_id == EDIT else VideoTarget(*video_size(320, 240, "480P"), frames, rate)
    given = {
        "request_id": RequestId("r1"),
        "model_id": model_id,
        "prompt": "a boat drifts by",
        "images": (picture,),
        "target": target,
        "seed": 3,
        "scratch": scratch,
        "options": MODELS[model_id].engines["diffusers"],
    }
    return Job(**{**given, **inputs})


def pixels(result: Result) -> list[np.ndarray]:
    """Every tenth frame of a clip, or the picture."""
    path = result.files[0]
    return [read_picture(path)] if path.suffix == ".png" else read_clip(path, every=10).frames[::10]


def same(first: Result, second: Result) -> bool:
    return all(np.array_equal(before, after) for before, after in zip(pixels(first), pixels(second), strict=True))
