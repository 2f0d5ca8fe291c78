"""The probe over sounds: their length is that of their samples, whatever their headers claim."""

import io
import struct
import wave
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from filmgate.courier.signatures import sniff
from filmgate.domain.media import AudioFacts
from tests.contract.probing import Prober, lasting_prober, written


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    yield from lasting_prober()


def tone(seconds: float, rate_hz: int = 44_100, channels: int = 1) -> np.ndarray:
    samples = np.sin(np.arange(round(seconds * rate_hz)) * 2 * np.pi * 440 / rate_hz) * 16_000
    return np.repeat(samples.astype(np.int16)[:, None], channels, axis=1)


def wav(seconds: float, rate_hz: int = 44_100, channels: int = 1) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setparams((channels, 2, rate_hz, 0, "NONE", "NONE"))
        sound.writeframes(tone(seconds, rate_hz, channels).tobytes())
    return content.getvalue()


def mp3(seconds: float, rate_hz: int = 44_100, **options: str) -> bytes:
    content = io.BytesIO()
    with av.open(content, "w", format="mp3", options=options) as container:
        stream = container.add_stream("mp3", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(seconds, rate_hz).T.copy(), format="s16", layout="mono")
        frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return content.getvalue()


def measured_sound(prober: Prober, source: Path) -> tuple[AudioFacts, np.ndarray]:
    """Facts, and the samples of the clean copy, one row each."""
    facts = prober.measure(source, "audio")
    assert isinstance(facts, AudioFacts)
    assert facts.size_bytes == source.stat().st_size
    with wave.open(str(source.with_name("clean"))) as clean:
        assert (clean.getnchannels(), clean.getsampwidth(), clean.getframerate()) == (2, 2, 48_000)
        return facts, np.frombuffer(clean.readframes(clean.getnframes()), np.int16).reshape(-1, 2)


@pytest.mark.parametrize("seconds", [2.9, 3.0, 3.1])
@pytest.mark.parametrize(("name", "make"), [("wav", wav), ("mp3", mp3)])
def test_a_sound_is_as_long_as_its_samples(
    prober: Prober, tmp_path: Path, name: str, make: Callable[[float], bytes], seconds: float
) -> None:
    facts, clean = measured_sound(prober, written(tmp_path, make(seconds)))

    assert facts.format == name
    assert facts.duration_s == pytest.approx(seconds, abs=0.001)
    assert len(clean) == pytest.approx(seconds * 48_000, abs=48)
    assert np.abs(clean.astype(int)).mean() == pytest.approx(np.abs(tone(seconds).astype(int)).mean(), rel=0.1)


def test_thirty_seconds_are_not_a_little_more_than_thirty(prober: Prober, tmp_path: Path) -> None:
    facts, _ = measured_sound(prober, written(tmp_path, wav(30, 44_100)))

    assert facts.duration_s == 30


@pytest.mark.parametrize("claimed", [0, 100, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_forged_length_in_a_wav_header_is_not_believed(prober: Prober, tmp_path: Path, claimed: int) -> None:
    forged = bytearray(wav(2))
    struct.pack_into("<I", forged, 4, claimed)
    if claimed > 100:
        struct.pack_into("<I", forged, 40, claimed)

    facts, _ = measured_sound(prober, written(tmp_path, bytes(forged)))

    assert facts.duration_s == pytest.approx(2, abs=0.001)


def test_an_mp3_whose_header_claims_half_an_hour_is_as_long_as_its_samples(prober: Prober, tmp_path: Path) -> None:
    forged = bytearray(mp3(2))
    at = next(forged.find(word) for word in (b"Xing", b"Info") if word in forged)
    struct.pack_into(">I", forged, at + 8, 72_000)

    facts, _ = measured_sound(prober, written(tmp_path, bytes(forged)))

    assert facts.duration_s == pytest.approx(2, abs=0.1)


def test_an_mp3_without_a_header_frame_or_tags_is_as_long_as_its_samples(prober: Prober, tmp_path: Path) -> None:
    bare = mp3(3, write_xing="0", id3v2_version="0")
    assert b"Xing" not in bare
    assert sniff(bare) == "mp3"
    assert not bare.startswith(b"ID3")

    facts, _ = measured_sound(prober, written(tmp_path, bare))

    assert facts.duration_s == pytest.approx(3, abs=0.1)


def test_of_a_long_sound_the_first_minute_is_copied(prober: Prober, tmp_path: Path) -> None:
    facts, clean = measured_sound(prober, written(tmp_path, wav(75, 8_000)))

    assert facts.duration_s == 75
    assert len(clean) == 60 * 48_000


def test_decoding_ends_after_ten_minutes(prober: Prober, tmp_path: Path) -> None:
    facts, _ = measured_sound(prober, written(tmp_path, wav(700, 2_000)))

    assert 600 < facts.duration_s < 605


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate_hz", [8_000, 48_000, 96_000])
def test_every_rate_and_number_of_channels_becomes_48_khz_stereo(
    prober: Prober, tmp_path: Path, channels: int, rate_hz: int
) -> None:
    facts, clean = measured_sound(prober, written(tmp_path, wav(1, rate_hz, channels)))

    assert facts.duration_s == 1
    assert len(clean) == pytest.approx(48_000, abs=2)


def test_a_stereo_sound_at_48_khz_is_copied_sample_by_sample(prober: Prober, tmp_path: Path) -> None:
    _, clean = measured_sound(prober, written(tmp_path, wav(1, 48_000, 2)))

    assert np.array_equal(clean, tone(1, 48_000, 2))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"<html>", "a web page"),
        (b"OggS\0\2", "an Ogg sound"),
        (b"fLaC\0\0\0\x22", "a FLAC sound"),
        (b"\0\0\0\x20ftypM4A ", "an M4A sound"),
        (b"\xff\xf1\x50\x80", "an AAC sound"),
        (b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\nhttp://127.0.0.1/\n", "plain text"),
        (b"RIFX\0\0\0\0WAVEfmt ", "no kind of file known here"),
    ],
)
def test_a_file_that_is_no_sound_is_refused_by_what_it_looks_like(
    prober: Prober, tmp_path: Path, content: bytes, words: str
) -> None:
    sentence = prober.unreadable(written(tmp_path, content), "audio")

    assert sentence == f"The file is not a WAV or MP3 sound (it begins like {words})."


@pytest.mark.parametrize("bits", [36, 45, 53, 0, 65535])
def test_a_wav_of_absurd_sample_width_is_refused(prober: Prober, tmp_path: Path, bits: int) -> None:
    forged = bytearray(wav(1))
    struct.pack_into("<H", forged, 34, bits)

    assert "broken" in prober.unreadable(written(tmp_path, bytes(forged)), "audio")


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (wav(1)[:44], "has no sound in it."),
        (wav(1)[:30], "it is broken or of an unusual make."),
        (b"ID3" + bytes(500), "it is broken or of an unusual make."),
        (b"RIFF\xff\xff\xff\xffWAVE" + b"\xff" * 500, "it is broken or of an unusual make."),
    ],
)
def test_a_sound_without_samples_is_refused(prober: Prober, tmp_path: Path, content: bytes, ending: str) -> None:
    assert prober.unreadable(written(tmp_path, content), "audio").endswith(ending)


def test_a_wav_around_an_obscure_codec_is_refused(prober: Prober, tmp_path: Path) -> None:
    forged = bytearray(wav(1))
    struct.pack_into("<H", forged, 20, 0x0161)

    assert "broken" in prober.unreadable(written(tmp_path, bytes(forged)), "audio")
