"""All five models, with their published example bodies and real photographs, from HTTP to a file that is checked."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from skimage import data
from skimage.metrics import structural_similarity

from filmgate.domain.sizes import video_size
from filmgate.models import SHIPPED, load_catalog
from tests.e2e.server import finished
from tests.finished_file import read_clip
from tests.sounds import tone_wav

CATALOG = load_catalog([SHIPPED])

SHORT = {
    "wan-ai/wan-2-1/image-to-video": {"resolution": "480p"},
    "wan-ai/wan-2-2/image-to-video": {},
    "wan-ai/wan-2-5/image-to-video": {},
    "wan-ai/wan-2-6/flash/image-to-video": {"resolution": "720P"},
}
"""What is changed in a published example to keep the test short."""


def data_uri(picture, kind="png"):
    stream = io.BytesIO()
    picture.save(stream, kind)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"


@pytest.fixture(scope="module")
def photograph():
    return Image.fromarray(data.astronaut())


@pytest.fixture(scope="module")
def other_photograph():
    return Image.fromarray(data.coffee())


def run(client, model_id, body):
    reply = client.post(f"/v1/models/{model_id}", json=body)
    assert reply.status_code == 200, reply.text
    result = finished(client, reply.json()["request_id"])
    assert result["status"] == "succeeded", result
    assert result["engine"] == "preview"
    return result


def download(client, url, path):
    reply = client.get(url)
    assert reply.status_code == 200
    path.write_bytes(reply.content)
    return path


@pytest.mark.parametrize("model_id", SHORT)
def test_a_published_example_becomes_a_true_clip(client, model_id, photograph, tmp_path):
    manifest = CATALOG[model_id]
    picture_input = manifest.roles["images"]
    body = {**manifest.example, picture_input: data_uri(photograph), **SHORT[model_id]}
    result = run(client, model_id, body)
    clip = read_clip(download(client, result["output"]["video"], tmp_path / "clip.mp4"), every=30)

    tier = body.get("resolution") or manifest.properties["resolution"]["default"]
    assert (clip.width, clip.height) == video_size(*photograph.size, tier)
    wanted = (81, 16) if model_id == "wan-ai/wan-2-1/image-to-video" else (150, 30)
    assert (len(clip.frames), clip.frame_rate) == wanted
    assert clip.video_s == pytest.approx(wanted[0] / wanted[1], abs=1e-3)
    assert (clip.codec, clip.pixel_format, clip.fast_start) == ("h264", "yuv420p", True)
    has_sound = "audio" in manifest.roles
    assert (clip.sound is not None) is has_sound
    if has_sound:
        assert (clip.sound_codec, clip.sound_rate) == ("aac", 48000)
        assert clip.sound_s == pytest.approx(clip.video_s, abs=1 / wanted[1])
        assert -45 < 20 * np.log10(np.sqrt(np.mean(np.square(clip.sound)))) < -20
    first = np.asarray(photograph.resize((clip.width, clip.height), Image.Resampling.LANCZOS))
    assert structural_similarity(first, clip.frames[0], channel_axis=2) >= 0.9


def test_a_given_sound_is_padded_with_silence_and_no_sound_is_no_stream(client, photograph, tmp_path):
    model_id = "wan-ai/wan-2-6/flash/image-to-video"
    sound = f"data:audio/wav;base64,{base64.b64encode(tone_wav(3.0)).decode()}"
    body = {"prompt": "static shot", "img_url": data_uri(photograph), "audio_url": sound, "shot_type": "single"}
    heard = run(client, model_id, body)
    clip = read_clip(download(client, heard["output"]["video"], tmp_path / "heard.mp4"), every=200)
    loudness = np.abs(clip.sound).max(axis=1)
    assert loudness[: int(2.9 * 48000)].max() > 0.1
    assert loudness[int(3.1 * 48000) :].max() < 0.01
    assert clip.sound_s == pytest.approx(5.0, abs=1 / 30)
    mute = run(client, model_id, {**body, "audio": False})
    assert read_clip(download(client, mute["output"]["video"], tmp_path / "mute.mp4"), every=200).sound is None


def test_the_published_example_of_image_to_image(client, photograph, other_photograph, tmp_path):
    model_id = "wan-ai/wan-2-6/image-to-image"
    pictures = [data_uri(photograph), data_uri(other_photograph, "jpeg")]
    body = {**CATALOG[model_id].example, "image_urls": pictures, "image_size": "1280*720 (16:9)"}
    result = run(client, model_id, body)
    picture = Image.open(download(client, result["output"]["image"], tmp_path / "picture.png"))
    assert (picture.format, picture.size) == ("PNG", (1280, 720))
    assert result["output"]["images"] == [result["output"]["image"]]
    swapped = run(client, model_id, {**body, "image_urls": pictures[::-1]})
    other = Image.open(download(client, swapped["output"]["image"], tmp_path / "other.png"))
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(other)).mean() > 2


def test_the_same_request_makes_the_same_file_and_another_seed_another(client, photograph):
    body = {"prompt": "", "image_url": data_uri(photograph), "resolution": "480p", "seed": 1}
    etags = [
        client.head(run(client, "wan-ai/wan-2-1/image-to-video", {**body, "seed": seed})["output"]["video"]).headers[
            "etag"
        ]
        for seed in (1, 1, 2)
    ]
    assert etags[0] == etags[1] != etags[2]


def test_frame_rate_is_playback_only(client, photograph, tmp_path):
    body = {"prompt": "push in", "image_url": data_uri(photograph), "resolution": "480p", "seed": 3}
    clips = []
    for rate in (8, 16):
        result = run(client, "wan-ai/wan-2-1/image-to-video", {**body, "frames_per_second": rate})
        clips.append(read_clip(download(client, result["output"]["video"], tmp_path / f"{rate}.mp4"), every=40))
    assert [clip.video_s for clip in clips] == [pytest.approx(81 / 8), pytest.approx(81 / 16)]
    assert np.abs(clips[0].frames[80].astype(int) - clips[1].frames[80]).mean() < 3
