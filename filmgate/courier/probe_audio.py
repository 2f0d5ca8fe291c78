"""Measures a sound and writes its clean copy; runs in the probe's child only.

Headers are not believed: files are known that claim half an hour and hold a fifth of a second. The length is that of
the samples that come out of the decoder.
"""

import os
import wave
from array import array
from collections import Counter
from collections.abc import Mapping
from tempfile import TemporaryFile
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from filmgate.courier.signatures import HEAD_BYTES, looks_like, sniff
from filmgate.domain.errors import MediaUnreadable
from filmgate.domain.media import AudioFacts

__all__ = ["measure_audio", "rehearse_sounds"]

FORMATS = frozenset({"wav", "mp3"})
CODECS = ("pcm_", "adpcm_ms", "adpcm_ima_wav", "mp3")
"""What may be inside, by the beginning of FFmpeg's names: a WAV can wrap almost any codec, old and obscure ones too."""
av.logging.set_level(None)

RATES_HZ = range(1_000, 768_001)
MAX_DECODED_S = 600
CLEAN_RATE_HZ = 48_000
CLEAN_S = 60

BROKEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    av.FFmpegError,
)
"""What PyAV was seen to raise over broken files. Anything else ends the child, which means the same to callers."""


def measure_audio(source: BinaryIO, clean: BinaryIO) -> AudioFacts:
    """Facts about the sound in `source`; its first minute goes to `clean` as 48 kHz stereo WAV.

    Decoding stops after 600 s, so a longer sound has just more than that. Raises MediaUnreadable.
    """
    name = sniff(source.read(HEAD_BYTES))
    source.seek(0)
    if name not in FORMATS:
        raise MediaUnreadable(f"The file is not a WAV or MP3 sound (it begins like {looks_like(name)}).")
    size_bytes = os.fstat(source.fileno()).st_size
    try:
        with wave.open(clean, "wb") as copy:
            copy.setparams((2, 2, CLEAN_RATE_HZ, 0, "NONE", "NONE"))
            duration_s = _decode(source, name, _Copy(copy))
    except BROKEN as error:
        raise MediaUnreadable(
            f"The file begins like {looks_like(name)} but cannot be decoded: it is broken or of an unusual make."
        ) from error
    if duration_s == 0:
        raise MediaUnreadable(f"The file begins like {looks_like(name)} but has no sound in it.")
    return AudioFacts(name, duration_s, size_bytes)


def rehearse_sounds() -> None:
    """Measure a short sound, so that all that PyAV imports at first use is there before lock-down."""
    with TemporaryFile() as source, TemporaryFile() as clean:
        with wave.open(source, "wb") as sound:
            sound.setparams((1, 2, 44_100, 0, "NONE", "NONE"))
            sound.writeframes(bytes(8_820))
        source.seek(0)
        measure_audio(source, clean)


class _Copy:
    """The first minute of a sound, brought to one rate and layout."""

    def __init__(self, target: wave.Wave_write) -> None:
        self._target = target
        self._missing = CLEAN_S * CLEAN_RATE_HZ
        self._resampler: AudioResampler | None = None
        self._shape: tuple[int, str, str] | None = None
        self._mono = False

    def add(self, frame: AudioFrame) -> None:
        if self._missing <= 0:
            return
        shape = (frame.sample_rate, frame.layout.name, frame.format.name)
        if shape != self._shape:
            # Rate and channels may change from one MP3 frame to the next.
            self.finish()
            self._shape, self._mono = shape, frame.layout.nb_channels == 1
            self._resampler = AudioResampler("s16", "mono" if self._mono else "stereo", CLEAN_RATE_HZ)
        self._write(frame)

    def finish(self) -> None:
        """Write what the resampler still holds back."""
        if self._resampler is not None:
            self._write(None)

    def _write(self, frame: AudioFrame | None) -> None:
        if self._resampler is None:
            return
        for resampled in self._resampler.resample(frame):
            samples = min(resampled.samples, self._missing)
            self._missing -= samples
            # Planes are padded beyond their samples.
            values = array("h", bytes(resampled.planes[0])[: samples * (2 if self._mono else 4)])
            self._target.writeframesraw(_doubled(values) if self._mono else values)


def _doubled(mono: "array[int]") -> "array[int]":
    """Both channels alike. FFmpeg's own way from mono to stereo takes 3 dB away."""
    stereo = array("h", bytes(len(mono) * 4))
    stereo[0::2] = stereo[1::2] = mono
    return stereo


def _decode(source: BinaryIO, name: str, copy: _Copy) -> float:
    """Seconds of sound that come out of the decoder. Broken packets are passed over, as every player does."""
    samples: Counter[int] = Counter()
    with av.open(source, "r", format=name, metadata_errors="ignore") as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None or not stream.codec_context.name.startswith(CODECS):
            raise ValueError("no stream of a codec that is read here")
        for packet in container.demux(stream):
            for frame in _frames(packet):
                if frame.sample_rate not in RATES_HZ:
                    raise ValueError("a sampling rate that no sound has")
                samples[frame.sample_rate] += frame.samples
                copy.add(frame)
            if _seconds(samples) > MAX_DECODED_S:
                break
    copy.finish()
    return _seconds(samples)


def _frames(packet: "av.Packet[AudioStream]") -> list[AudioFrame]:
    try:
        return packet.decode()
    except av.InvalidDataError:
        return []


def _seconds(samples: Mapping[int, int]) -> float:
    """Divided once per rate: a sum of many small quotients would make 30 s a little more than 30."""
    return sum(count / rate_hz for rate_hz, count in samples.items())
