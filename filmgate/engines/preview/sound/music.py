"""A bed of music: four chords that go round, held by soft strings, a few notes over them, a drum where it helps.

The mood chooses chords, pace and instruments; the seed chooses key and notes. It is a bed, not a song: nothing in it
asks to be listened to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Generator

from filmgate.engines.preview.sound.signal import (
    SAMPLE_RATE,
    Mono,
    Part,
    Stereo,
    add_grain,
    band,
    decay,
    noise,
    partials,
    smooth_size,
)

__all__ = ["Instrument", "Mood", "Score", "music"]

Mood = Literal["calm", "epic", "cheerful", "sad", "dark"]
Instrument = Literal["plucked", "struck"]
Chord = tuple[int, ...]
"""Semitones above the key's lowest tonic."""

KEYS_HZ = (98.0, 103.83, 110.0, 116.54, 123.47, 130.81)
BEATS_PER_CHORD = 4
TONES_PER_STRING = 7
ASKED_SHARE = 0.75
"""How often a note is played at least where its instrument is asked for."""
BEND_OCTAVES = 0.006
"""How far the players of one string section are apart in pitch."""


@dataclass(frozen=True, slots=True)
class Score:
    """What is to be played, beyond what the mood has of itself. `pace` is a factor on the mood's own tempo."""

    mood: Mood
    pace: float = 1.0
    beats_per_minute: float | None = None
    instrument: Instrument | None = None
    drum: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """How a mood plays: chords, pace, brightness of the strings (dB per overtone), notes per beat and how often."""

    chords: tuple[Chord, ...]
    beats_per_minute: float
    overtones_db: float
    octave: float
    notes_per_beat: int
    notes_share: float
    instrument: Instrument
    drum: bool = False
    strings: float = 1.0


STYLES: Mapping[Mood, Style] = {
    "calm": Style(((0, 7, 14, 16), (-3, 4, 12, 16), (-7, 0, 9, 16), (-5, 2, 12, 14)), 66, -9, 1.0, 1, 0.45, "struck"),
    "epic": Style(
        ((0, 7, 12, 15), (-4, 3, 8, 15), (-9, 3, 10, 15), (-2, 5, 10, 14)), 92, -5, 1.0, 2, 0.6, "plucked", drum=True
    ),
    "cheerful": Style(
        ((0, 7, 12, 16), (-5, 2, 11, 14), (-3, 4, 12, 16), (-7, 0, 9, 12)),
        112,
        -8,
        2.0,
        2,
        0.75,
        "plucked",
        strings=0.5,
    ),
    "sad": Style(((0, 7, 12, 15), (-4, 3, 8, 15), (-7, 0, 8, 12), (-5, 2, 10, 14)), 58, -8, 1.0, 1, 0.4, "struck"),
    "dark": Style(((0, 7, 12), (0, 6, 12), (-4, 3, 8), (1, 8, 13)), 54, -6, 0.5, 1, 0.0, "struck", drum=True),
}


def music(part: Part, score: Score) -> Stereo:
    """The bed, as long as the part; it begins on its first chord."""
    style = STYLES[score.mood]
    if score.instrument is not None:
        style = replace(
            style, instrument=score.instrument, notes_share=max(style.notes_share, ASKED_SHARE), strings=0.5
        )
    key_hz = KEYS_HZ[int(part.chance("key").integers(len(KEYS_HZ)))]
    beat_s = 60 / (score.beats_per_minute or style.beats_per_minute * score.pace)
    track = np.zeros((2, part.count), np.float32)
    chord_s = beat_s * BEATS_PER_CHORD
    for number in range(int(part.duration_s / chord_s) + 1):
        chord = style.chords[number % len(style.chords)]
        lay_strings(track, part, style, number, [key_hz * style.octave * 2 ** (tone / 12) for tone in chord], chord_s)
    lay_notes(track, part, style, key_hz, beat_s)
    if score.drum or style.drum:
        lay_drum(track, part, beat_s)
    return track


def lay_strings(track: Stereo, part: Part, style: Style, number: int, tones_hz: list[float], chord_s: float) -> None:
    """One chord, faded into its neighbours."""
    attack_s, release_s = min(0.7, chord_s / 3), min(1.1, chord_s / 2)
    at = int(number * chord_s * SAMPLE_RATE)
    count = min(int((chord_s + release_s) * SAMPLE_RATE), part.count - at)
    if count <= 0:
        return
    times = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    rise = np.clip(times / np.float32(attack_s), 0, 1) ** 1.5
    fall = np.clip((np.float32(chord_s + release_s) - times) / np.float32(release_s), 0, 1)
    for side in (0, 1):
        chance = part.chance(f"strings {number} {side}")
        track[side, at : at + count] += (
            np.float32(0.35 * style.strings) * ensemble(chance, count, tones_hz, style) * rise * fall
        )


def ensemble(chance: Generator, count: int, tones_hz: list[float], style: Style) -> Mono:
    """Many players on each tone: narrow bands of noise at its overtones (Nasca's "PADsynth"), one transform for all."""
    size = smooth_size(count)
    spectrum = np.zeros(size // 2 + 1, np.complex64)
    step_hz = SAMPLE_RATE / size
    for tone_hz in tones_hz:
        for overtone in range(1, TONES_PER_STRING + 1):
            centre, width = tone_hz * overtone / step_hz, max(1.2, tone_hz * overtone * BEND_OCTAVES / step_hz)
            first, last = max(1, int(centre - 4 * width)), min(len(spectrum) - 1, int(centre + 4 * width) + 1)
            bins = np.arange(first, last)
            height = 10 ** (style.overtones_db * (overtone - 1) / 20) * (110 / tone_hz) ** 0.35
            bell = np.exp(-0.5 * ((bins - centre) / width) ** 2) * height / np.sqrt(width)
            turn = np.exp(2j * np.pi * chance.random(len(bins)))
            spectrum[first:last] += (bell * turn).astype(np.complex64)
    sound = np.fft.irfft(spectrum, size)[:count].astype(np.float32)
    return np.asarray(sound / max(1e-9, float(np.sqrt(np.mean(np.square(sound))))), np.float32)


def lay_notes(track: Stereo, part: Part, style: Style, key_hz: float, beat_s: float) -> None:
    """Notes of the chord that sounds, an octave or two up, on the beat or between."""
    chance = part.chance("notes")
    slot_s = beat_s / style.notes_per_beat
    played: dict[int, Mono] = {}
    for slot in range(int(part.duration_s / slot_s) + 1):
        chord = style.chords[int(slot / style.notes_per_beat / BEATS_PER_CHORD) % len(style.chords)]
        tone = chord[int(chance.integers(len(chord)))] % 12 + 24 + 12 * int(chance.random() < 0.3)
        loud, place, wanted = chance.uniform(0.5, 1.0), chance.uniform(-0.45, 0.45), chance.random()
        strong = slot % (style.notes_per_beat * BEATS_PER_CHORD) == 0
        if wanted > style.notes_share and not (strong and style.notes_share > 0):
            continue
        if tone not in played:
            played[tone] = tuned(style.instrument, key_hz * 2 ** (tone / 12))
        add_grain(track, played[tone], int(slot * slot_s * SAMPLE_RATE), gain=0.5 * loud, place=place)


def tuned(instrument: Instrument, hz: float) -> Mono:
    """One note: a string that is plucked, or one that a felt hammer strikes."""
    if instrument == "plucked":
        tones = [(hz * over, 0.9 / over**1.3, 0.5 / over**0.7) for over in range(1, 9) if hz * over < 12_000]
        return partials(int(1.1 * SAMPLE_RATE), tones)
    # Stiff strings: overtones lie a little too high.
    stretched = [(over * np.sqrt(1 + 4e-4 * over * over), over) for over in range(1, 7)]
    tones = [(hz * ratio, 0.9 / over**2, 1.1 / over**0.8) for ratio, over in stretched if hz * ratio < 12_000]
    return partials(int(2.2 * SAMPLE_RATE), tones)


def lay_drum(track: Stereo, part: Part, beat_s: float) -> None:
    """A large soft drum on the first beat of each chord, fainter on the third."""
    count = int(0.9 * SAMPLE_RATE)
    times = np.arange(count) / SAMPLE_RATE
    skin = np.sin(2 * np.pi * (52 * times + 34 * 0.06 * (1 - np.exp(-times / 0.06)))) * decay(count, fall_s=0.22)
    felt = noise(part.chance("drum"), count, band(90, 900, -5)) * decay(count, fall_s=0.03)
    boom = np.asarray(1.3 * skin + 0.12 * felt, np.float32)
    for beat in range(0, int(part.duration_s / beat_s) + 1, 2):
        add_grain(
            track, boom, int(beat * beat_s * SAMPLE_RATE), gain=1.0 if beat % BEATS_PER_CHORD == 0 else 0.55, place=0
        )
