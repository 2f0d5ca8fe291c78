"""The sound of finished clips, and what a given sound does to the picture; measured on the files."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from filmgate.domain.ports import Job
from filmgate.domain.request import RequestId
from filmgate.domain.sizes import VideoTarget
from filmgate.encoding.sound import clip_sound
from filmgate.engines.preview.engine import PreviewEngine
from filmgate.engines.preview.sound.envelope import pulse_of
from filmgate.engines.preview.sound.loudness import integrated_loudness, true_peak
from filmgate.engines.preview.sound.speech import find_speech
from filmgate.engines.preview.sound.voice import Voice, voice_installed
from tests.footage import find_cuts, read_footage, read_frames
from tests.preview_set import Heard, filmed, one_shot, photograph, scene_of
from tests.sounds import band_share, beat_wav, tone_wav

RATE = 48_000


@pytest.fixture(scope="module")
def engine() -> PreviewEngine:
    return PreviewEngine(threads=2)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Three seconds of a photograph, with sound."""
    (tmp_path / "scratch").mkdir()
    cv2.imwrite(str(tmp_path / "coffee.png"), photograph("coffee")[..., ::-1])
    return Job(
        request_id=RequestId("r1"),
        model_id="wan-ai/wan-2-6/flash/image-to-video",
        prompt="Rain falls on the terrace. Static camera.",
        images=(tmp_path / "coffee.png",),
        target=VideoTarget(192, 128, 36, 12),
        seed=3,
        scratch=tmp_path / "scratch",
        sound=True,
        extend=False,
    )


def sound_of(engine: PreviewEngine, job: Job) -> NDArray[np.float32]:
    footage = read_footage(engine.run(job, Heard()).files[0])
    assert footage.sound is not None
    assert footage.audio_s == pytest.approx(footage.video_s, abs=1 / 12)
    assert (footage.audio_codec, footage.audio_rate) == ("aac", RATE)
    return footage.sound


def test_a_clip_has_a_sound_of_its_own_length_loudness_and_peak(engine: PreviewEngine, job: Job) -> None:
    result = engine.run(job, Heard())

    footage = read_footage(result.files[0])
    assert footage.sound is not None
    assert footage.audio_s == pytest.approx(3.0, abs=1 / 12)
    assert integrated_loudness(footage.sound) == pytest.approx(-35, abs=1.5)
    assert true_peak(footage.sound) < -1
    assert result.warnings == ()
    assert result.details["sound"]["sources"] == ["rain", "open_air"]
    assert result.details["sound"]["applied"] == ["Rain"]


def test_without_sound_there_is_no_stream(engine: PreviewEngine, job: Job) -> None:
    result = engine.run(replace(job, sound=False), Heard())

    assert read_footage(result.files[0]).audio_s is None
    assert "sound" not in result.details


def test_a_prompt_for_silence_gets_a_silent_stream(engine: PreviewEngine, job: Job) -> None:
    sound = sound_of(engine, replace(job, prompt="Rain falls, no sound"))

    assert np.abs(sound).max() < 0.001


def test_two_prompts_are_heard_in_their_own_bands(engine: PreviewEngine, job: Job) -> None:
    rain = sound_of(engine, replace(job, prompt="Heavy rain"))
    birds = sound_of(engine, replace(job, prompt="Birds sing"))

    assert band_share(rain, 200, 1_800) > 2 * band_share(birds, 200, 1_800)
    assert band_share(birds, 2_000, 6_500) > 2 * band_share(rain, 2_000, 6_500)


def test_the_same_seed_sounds_the_same_and_another_does_not(engine: PreviewEngine, job: Job) -> None:
    first, again, other = (sound_of(engine, replace(job, seed=seed)) for seed in (3, 3, 4))

    assert np.array_equal(first, again)
    assert np.corrcoef(first[0], other[0])[0, 1] < 0.5


def test_cuts_are_heard_where_they_are_seen(engine: PreviewEngine, job: Job) -> None:
    prompt = "Shot 1 [0-1.5s]: a motorcycle, static camera. Shot 2 [1.5-3s]: close-up, a waterfall, static camera."

    result = engine.run(replace(job, prompt=prompt, target=VideoTarget(384, 256, 36, 12)), Heard())

    footage, frames = read_footage(result.files[0]), read_frames(result.files[0])
    assert footage.sound is not None
    assert find_cuts(frames) == [18]
    shares = [band_share(part, 3_000, 9_000) for part in np.array_split(footage.sound[:, : 3 * RATE], 30, axis=1)]
    assert min(shares[16:26]) > 3 * max(shares[5:14])


def test_a_shorter_given_sound_is_followed_by_silence(engine: PreviewEngine, job: Job, tmp_path: Path) -> None:
    (tmp_path / "tone.wav").write_bytes(tone_wav(3.0))

    sound = sound_of(engine, replace(job, audio=tmp_path / "tone.wav", target=VideoTarget(192, 128, 60, 12)))

    heard = np.flatnonzero(np.abs(sound).max(axis=0) > 0.02)
    assert heard[-1] / RATE == pytest.approx(3.0, abs=0.1)
    assert sound.shape[1] >= 5 * RATE - 1_024


def test_a_given_sound_is_the_one_in_the_file(engine: PreviewEngine, job: Job, tmp_path: Path) -> None:
    (tmp_path / "beats.wav").write_bytes(beat_wav(3.0))

    result = engine.run(replace(job, audio=tmp_path / "beats.wav"), Heard())

    footage = read_footage(result.files[0])
    given = clip_sound(tmp_path / "beats.wav", 3.0)
    assert footage.sound is not None
    length = min(given.shape[1], footage.sound.shape[1])
    assert np.corrcoef(given[0, :length], footage.sound[0, :length])[0, 1] > 0.9
    assert result.warnings == ()
    assert result.details["sound"] == {"given": True, "motion_follows": True, "lips_move": False}


def frame_changes(path: Path) -> NDArray[np.float64]:
    frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in read_frames(path)]
    return np.array([np.abs(after - before).mean() for before, after in pairwise(frames)])


@pytest.mark.parametrize("photograph_name", ["coffee", "astronaut"])
@pytest.mark.parametrize("kind", ["push_in", "pan_left", "truck_left"])
def test_the_motion_follows_the_beats_of_a_given_sound(kind: Any, photograph_name: str, tmp_path: Path) -> None:
    (tmp_path / "beats.wav").write_bytes(beat_wav(5.0))
    sound = clip_sound(tmp_path / "beats.wav", 5.0)
    pulse = pulse_of(sound, frames=120, frame_rate=24)
    assert pulse is not None

    def correlation(**following: Any) -> float:
        path = filmed(
            scene_of(photograph_name), one_shot(kind, seconds=5.0), tmp_path / "clip.mp4", frames=120, rate=24,
            sound=sound, **following,
        )  # fmt: skip
        changes = frame_changes(path)
        assert changes[1:].max() < 12
        return float(np.corrcoef(changes[6:-6], pulse.level[7:-6])[0, 1])

    assert correlation(pulse=pulse) > 0.35
    assert abs(correlation()) < 0.2


def test_a_still_shot_breathes_and_glows_with_the_beats(tmp_path: Path) -> None:
    (tmp_path / "beats.wav").write_bytes(beat_wav(5.0))
    pulse = pulse_of(clip_sound(tmp_path / "beats.wav", 5.0), frames=120, frame_rate=24)
    assert pulse is not None

    path = filmed(
        scene_of("coffee"), one_shot("static", seconds=5.0), tmp_path / "clip.mp4", frames=120, rate=24, pulse=pulse
    )

    changes = frame_changes(path)
    assert np.corrcoef(changes[6:-6], np.abs(np.diff(pulse.level))[6:-6])[0, 1] > 0.6
    assert find_cuts(read_frames(path)) == []
    light = [float(frame.mean()) for frame in read_frames(path)]
    assert max(light) < 1.08 * min(light)


@pytest.mark.parametrize("talks", [True, False])
def test_a_mouth_follows_a_given_sound_where_somebody_talks(
    talks: bool, engine: PreviewEngine, job: Job, tmp_path: Path
) -> None:
    (tmp_path / "beats.wav").write_bytes(beat_wav(3.0))
    cv2.imwrite(str(tmp_path / "face.png"), photograph("astronaut")[..., ::-1])
    portrait = replace(
        job,
        prompt="The astronaut talks. Static camera." if talks else "The astronaut waits. Static camera.",
        images=(tmp_path / "face.png",),
        target=VideoTarget(512, 512, 72, 24),
        audio=tmp_path / "beats.wav",
    )

    result = engine.run(portrait, Heard())

    assert result.details["sound"]["lips_move"] is talks
    pulse = pulse_of(clip_sound(tmp_path / "beats.wav", 3.0), frames=72, frame_rate=24)
    assert pulse is not None
    mouths = [frame[140:166, 205:243].astype(np.float32).mean(axis=2) for frame in read_frames(result.files[0])]
    dark = np.array([(mouth < 70).mean() for mouth in mouths])
    if talks:
        assert np.corrcoef(dark[12:], pulse.lips[12:])[0, 1] > 0.5
    else:
        assert dark.max() < 0.05


def test_spoken_lines_that_nobody_voices_are_named(engine: PreviewEngine, job: Job) -> None:
    prompt = 'She says "Hello there." Then: 他说：“你好。”'

    warnings = engine.run(replace(job, prompt=prompt), Heard()).warnings

    assert len(warnings) == 1
    assert "Spoken lines are not voiced" in warnings[0]
    assert "你好。" in warnings[0]
    assert ("Hello there." in warnings[0]) is not voice_installed()


@pytest.mark.skipif(not voice_installed(), reason="the extra voice is not installed")
def test_english_lines_are_spoken_in_their_shots() -> None:
    lines = find_speech('A woman says "Hello there." The man replies "Good morning to you."').lines
    placed = [(lines[0], 0.0, 2.5), (lines[1], 2.5, 5.0)]

    spoken, again = (Voice().speak(placed, duration_s=5.0, seed=1) for _ in range(2))

    assert spoken.sound.shape == (2, 5 * RATE)
    assert np.array_equal(spoken.sound, again.sound)
    assert spoken.left_out == ()
    assert integrated_loudness(spoken.sound) == pytest.approx(-24, abs=0.5)
    loud = [float(np.abs(part).max()) for part in np.array_split(spoken.sound[0], 50)]
    assert max(loud[4:12]) > 0.05
    assert max(loud[28:40]) > 0.05
    assert max(loud[:3]) < 0.01


@pytest.mark.skipif(not voice_installed(), reason="the extra voice is not installed")
def test_a_line_without_room_is_left_out() -> None:
    (line,) = find_speech('She says "This is a rather long line that takes some seconds to be spoken."').lines

    assert Voice().speak([(line, 0.0, 1.0)], duration_s=5.0, seed=1).left_out == (line,)
