"""What a model's manifest promises of a finished clip, checked on the file itself."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from filmgate.domain.sizes import video_size
from tests.torch.service import ASTRONAUT, COFFEE, OTHER_PHOTO, PHOTO, MadeClip
from tests.torch.twins import MANIFESTS

__all__ = ["check_clip", "check_first_frame"]

_PHOTOS = {PHOTO: COFFEE, OTHER_PHOTO: ASTRONAUT}


def check_clip(model_id: str, made: MadeClip, inputs: Mapping[str, Any], picture: Image.Image | None = None) -> None:
    """Size, length, rate, sound, first frame and motion of a clip that was asked for with `inputs`.

    `picture` is what it was made of, where that is none of the two known photographs.
    """
    manifest, clip = MANIFESTS[model_id], made.clip
    defaults = {name: schema["default"] for name, schema in manifest.properties.items() if "default" in schema}
    asked = {**defaults, **inputs}
    picture = picture or _PHOTOS[asked[manifest.roles["images"]]]
    rate = manifest.value("frame_rate", asked, manifest.frame_rate)
    frames = manifest.value("frames", asked) or manifest.value("duration", asked) * rate
    assert (clip.width, clip.height) == video_size(*picture.size, manifest.value("tier", asked))
    assert (len(clip.frames), clip.frame_rate) == (frames, rate)
    assert clip.video_s == pytest.approx(frames / rate, abs=1e-3)
    assert (clip.codec, clip.pixel_format, clip.fast_start) == ("h264", "yuv420p", True)
    assert (clip.sound is not None) is ("audio" in manifest.roles and manifest.value("sound", asked, True))
    if clip.sound is not None:
        assert (clip.sound_codec, clip.sound_rate) == ("aac", 48000)
        assert clip.sound_s == pytest.approx(clip.video_s, abs=1 / rate)
    check_first_frame(clip.frames[0], picture)
    kept = [frame for frame in clip.frames if frame is not None]
    assert min(frame.std() for frame in kept) > 5
    assert np.abs(kept[0].astype(float) - kept[-1]).mean() > 5


def check_first_frame(frame: np.ndarray, picture: Image.Image) -> None:
    """It is the given picture, scaled."""
    shown = Image.fromarray(frame)
    given = picture.resize(shown.size, Image.Resampling.LANCZOS)
    assert structural_similarity(np.asarray(given.convert("L")), np.asarray(shown.convert("L"))) >= 0.9
