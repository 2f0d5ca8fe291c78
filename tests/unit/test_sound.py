"""The sound of a clip: the given one, cut or padded to length, never looped."""

import wave
from pathlib import Path

import numpy as np
import pytest

from filmgate.domain.errors import EngineFailure
from filmgate.encoding.sound import SAMPLE_RATE, clip_sound, silence


def tone(path: Path, seconds: float, *, rate: int = SAMPLE_RATE, channels: int = 2) -> Path:
    samples = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat((samples * 32767).astype("<i2"), channels).tobytes())
    return path


def test_a_longer_sound_is_cut_with_a_short_fade(tmp_path: Path) -> None:
    sound = clip_sound(tone(tmp_path / "sound.wav", 8.0), 5.0)

    assert sound.shape == (2, 5 * SAMPLE_RATE)
    assert np.abs(sound[:, : -SAMPLE_RATE // 10]).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(sound[:, -100:]).max() < 0.02


def test_a_shorter_sound_is_followed_by_silence(tmp_path: Path) -> None:
    sound = clip_sound(tone(tmp_path / "sound.wav", 3.0), 5.0)

    assert sound.shape == (2, 5 * SAMPLE_RATE)
    assert np.abs(sound[:, 3 * SAMPLE_RATE - 400 : 3 * SAMPLE_RATE]).max() > 0.4
    assert not sound[:, 3 * SAMPLE_RATE :].any()


def test_a_sound_of_the_clips_own_length_is_not_faded(tmp_path: Path) -> None:
    sound = clip_sound(tone(tmp_path / "sound.wav", 2.0), 2.0)

    assert np.abs(sound[:, -400:]).max() > 0.4


def test_another_rate_and_mono_become_48_khz_stereo(tmp_path: Path) -> None:
    sound = clip_sound(tone(tmp_path / "sound.wav", 2.0, rate=22_050, channels=1), 2.0)

    crossings = np.count_nonzero(np.diff(np.signbit(sound[0, :SAMPLE_RATE])))
    assert crossings == pytest.approx(880, abs=4)
    assert np.array_equal(sound[0], sound[1])


@pytest.mark.parametrize(("frames", "rate"), [(81, 16), (150, 30), (100, 7)])
def test_silence_has_the_length_of_the_clip(frames: int, rate: int) -> None:
    assert silence(frames / rate).shape == (2, round(frames / rate * SAMPLE_RATE))


@pytest.mark.parametrize("content", [b"", b"not a sound", b"RIFF\x00\x00\x00\x00WAVE"])
def test_an_unreadable_sound_ends_in_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(content)

    with pytest.raises(EngineFailure, match=r"sound\.wav cannot be read"):
        clip_sound(path, 1.0)


def test_an_absent_file_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineFailure):
        clip_sound(tmp_path / "absent.wav", 1.0)
