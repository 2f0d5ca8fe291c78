"""Wan 2.5 and 2.6 flash over HTTP: made with other weights, which is said; shots, lengths, sound and every input."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tests.sounds import tone_wav
from tests.torch.follows import Check, enlarged, film_look, not_rewritten, other_frames, other_seed
from tests.torch.promises import SEEDED_25, check_clip, check_first_frame, manifest_of
from tests.torch.service import COFFEE, OTHER_PHOTO, PHOTO, MadeClip, Service, data_uri, png

WAN_25 = "wan-ai/wan-2-5/image-to-video"
WAN_26 = "wan-ai/wan-2-6/flash/image-to-video"
TONE_S = 3.0
TONE = data_uri(tone_wav(TONE_S), "audio/wav")
FILM = [{"name": "film", "strength": 0.8}]
SHOTS = "A day at sea. Shot 1 [0-5s] a boat drifts by. Shot 2 [5-10s] gulls circle the mast."
NO_SOUND_MADE = "These weights make no sound"

BASE: Mapping[str, dict[str, Any]] = {
    SEEDED_25: {"prompt": "a boat drifts by", "img_url": PHOTO, "seed": 1},
    WAN_26: {"prompt": SHOTS, "img_url": PHOTO, "seed": 1},
}


def two_segments(made: MadeClip, base: MadeClip) -> None:
    """One take that goes on from its own last frame."""
    assert (made.details["segments"], made.details["cuts"]) == ([81, 81], [])
    assert made.clip.video_s == 2 * base.clip.video_s == 10


def three_segments(made: MadeClip, base: MadeClip) -> None:
    assert len(made.details["segments"]) == 3
    assert made.clip.video_s == 3 * base.clip.video_s == 15


def given_sound(made: MadeClip, base: MadeClip) -> None:
    """The sound as long as it lasts, then silence; without one it is all silence."""
    loudness = np.abs(made.clip.sound).max(axis=1)
    assert loudness[: int((TONE_S - 0.1) * 48000)].max() > 0.1
    assert loudness[int((TONE_S + 0.1) * 48000) :].max() < 0.01
    assert made.warns("the motion does not follow it")
    assert np.abs(base.clip.sound).max() == 0
    assert base.warns(NO_SOUND_MADE)


def no_sound(made: MadeClip, base: MadeClip) -> None:
    assert (made.clip.sound is None, base.clip.sound is None) == (True, False)
    assert not made.warns(NO_SOUND_MADE)


def one_take(made: MadeClip, base: MadeClip) -> None:
    assert (made.details["cuts"], base.details["cuts"]) == ([], [75])
    check_first_frame(base.clip.frames[75], COFFEE)
    assert np.abs(made.clip.frames[75].astype(float) - base.clip.frames[75]).mean() > 5


def two_shots(made: MadeClip, _: MadeClip) -> None:
    """While prompts are not extended, the list in the prompt decides, whatever shot_type says."""
    assert made.details["cuts"] == [75]


def own_shots(made: MadeClip, base: MadeClip) -> None:
    """A prompt without a list is cut all the same."""
    assert made.details["cuts"] == [75]
    other_frames(made, base)


CHANGES: list[tuple[str, dict[str, Any], tuple[Check, ...]]] = [
    (SEEDED_25, {"prompt": "a dog runs"}, (other_frames,)),
    (SEEDED_25, {"negative_prompt": "fog"}, (other_frames,)),
    (SEEDED_25, {"loras": FILM}, (film_look,)),
    (SEEDED_25, {"img_url": OTHER_PHOTO, "resolution": "720P"}, (enlarged,)),
    (SEEDED_25, {"resolution": "1080P"}, (enlarged,)),
    (SEEDED_25, {"duration": 10, "audio_url": TONE}, (two_segments, given_sound)),
    (WAN_26, {"prompt": "a dog runs"}, (own_shots,)),
    (WAN_26, {"negative_prompt": "fog"}, (other_frames,)),
    (WAN_26, {"seed": 2}, (other_seed,)),
    (WAN_26, {"shot_type": "single", "audio": False}, (one_take, no_sound)),
    (WAN_26, {"shot_type": "single", "prompt_extend": False}, (two_shots, not_rewritten)),
    (WAN_26, {"duration": 10, "shot_type": "single", "audio_url": TONE}, (two_segments, given_sound)),
    (WAN_26, {"duration": 15, "shot_type": "single", "loras": FILM}, (three_segments, film_look)),
    (WAN_26, {"img_url": OTHER_PHOTO, "resolution": "1080P"}, (enlarged,)),
]
"""The model, how the request differs from its `BASE`, and what must follow."""


@pytest.mark.parametrize(
    ("model_id", "change", "checks"), CHANGES, ids=[f"{model}-{'+'.join(change)}" for model, change, _ in CHANGES]
)
def test_every_input_acts_or_its_loss_is_declared(
    model_id: str, change: dict[str, Any], checks: tuple[Check, ...], service: Service
) -> None:
    base = service.clip(model_id, **BASE[model_id])
    inputs = {**BASE[model_id], **change}

    made = service.clip(model_id, **inputs)

    check_clip(model_id, made, inputs)
    for follows in checks:
        follows(made, base)


@pytest.mark.parametrize("model_id", BASE)
def test_no_input_is_left_out_above(model_id: str) -> None:
    changed = {name for model, change, _ in CHANGES if model == model_id for name in change}

    assert changed == set(manifest_of(model_id).properties)


@pytest.mark.parametrize(("model_id", "version"), [(SEEDED_25, "2.5"), (WAN_26, "2.6")])
def test_the_result_says_that_other_weights_stood_in(model_id: str, version: str, service: Service) -> None:
    made = service.clip(model_id, **BASE[model_id])

    check_clip(model_id, made, BASE[model_id])
    assert made.warns(f"Wan {version} has no open weights: this was made with Wan 2.2 I2V A14B")
    assert made.result["served_by"] == ("tiny random weights in the shape of Wan-AI/Wan2.2-I2V-A14B-Diffusers (fp32)")
    assert made.details["profile"] == "exact"


def test_the_published_wan_2_5_takes_an_uploaded_sound_and_all_its_inputs(service: Service) -> None:
    inputs = {
        "prompt": "a boat drifts by",
        "img_url": service.upload("photo.png", png(COFFEE)),
        "audio_url": service.upload("tone.wav", tone_wav(TONE_S)),
        "resolution": "480P",
        "duration": 5,
        "negative_prompt": "fog",
        "loras": [{"name": "film"}],
    }

    made = service.clip(WAN_25, **inputs)

    check_clip(WAN_25, made, inputs, COFFEE)
    assert set(inputs) == set(manifest_of(WAN_25).properties)
    assert np.abs(made.clip.sound[: 2 * 48000]).max() > 0.1
