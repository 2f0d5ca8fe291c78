"""From a plan to the samples of a clip: every source is played, set in its place, mixed, and brought to loudness."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import sqrt

import numpy as np

from filmgate.encoding.sound import Sound, silence
from filmgate.engines.preview.sound.air import leaves, open_air, room, wind
from filmgate.engines.preview.sound.bells import bell, chimes
from filmgate.engines.preview.sound.fire import fire
from filmgate.engines.preview.sound.loudness import SILENT_LUFS, integrated_loudness, true_peak
from filmgate.engines.preview.sound.music import music
from filmgate.engines.preview.sound.people import applause, cheer, crowd
from filmgate.engines.preview.sound.plan import Layer, SoundPlan
from filmgate.engines.preview.sound.signal import (
    SAMPLE_RATE,
    Mono,
    Part,
    Stereo,
    band,
    filtered,
    smooth_size,
    stereo_noise,
)
from filmgate.engines.preview.sound.steps import footsteps, snow_steps
from filmgate.engines.preview.sound.street import engine, traffic
from filmgate.engines.preview.sound.takes import Take
from filmgate.engines.preview.sound.vocabulary import Source
from filmgate.engines.preview.sound.water import river, sea, water, waterfall
from filmgate.engines.preview.sound.weather import rain, thunder
from filmgate.engines.preview.sound.wildlife import birds, insects

__all__ = ["PEAK_CEILING_DBTP", "make_sound", "with_speech"]

PEAK_CEILING_DBTP = -3.0
"""No wave rises above this; EBU R 128 asks for -1 in the finished file, and coding raises peaks a little."""
FADE_IN_S, FADE_OUT_S = 0.25, 0.6
JOIN_S, LATE_RISE_S = 0.09, 0.5
"""How long a layer takes to come and go at a cut: too short to hear as a fade, too long to click. And elsewhere."""
SWELL_S, SWELL_DB = 0.32, -5.0
"""The breath of air that leads into a cut."""
BLOCK_S = 0.1
FAR_HZ = 1_500.0
DULL_HZ = 1_300.0
ROOM_ECHO_S, OPEN_ECHO_S = 0.45, 0.9
LOOK_AHEAD_S = 0.01

SOURCES: Mapping[Source, Callable[[Part], Stereo]] = {
    "room": room,
    "open_air": open_air,
    "wind": wind,
    "leaves": leaves,
    "water": water,
    "river": river,
    "waterfall": waterfall,
    "sea": sea,
    "rain": rain,
    "thunder": thunder,
    "fire": fire,
    "traffic": traffic,
    "engine": engine,
    "birds": birds,
    "insects": insects,
    "crowd": crowd,
    "cheer": cheer,
    "applause": applause,
    "footsteps": footsteps,
    "snow_steps": snow_steps,
    "bell": bell,
    "chimes": chimes,
}
ECHO: Mapping[Source, float] = {
    "birds": 0.35,
    "bell": 0.4,
    "chimes": 0.3,
    "thunder": 0.25,
    "footsteps": 0.3,
    "applause": 0.2,
    "cheer": 0.25,
    "crowd": 0.2,
    "water": 0.2,
}
"""How much of a source's sound comes back from around; what has none is all around already."""
FAR_ECHO = 0.5


def make_sound(plan: SoundPlan, seed: int) -> Sound:
    """The sound of the plan: 2 × samples, exactly as long as the clip. Same plan and seed, same samples."""
    track = silence(plan.duration_s)
    if plan.loudness_lufs is None or not track.shape[1]:
        return track
    sent = np.zeros_like(track)
    cuts = {take.start_s for take in plan.takes}
    for layer in plan.layers:
        lay_in(track, sent, layer, seed, rise_s=JOIN_S if layer.start_s in cuts else LATE_RISE_S)
    if sent.any():
        track += echoed(sent, seed, ROOM_ECHO_S if plan.indoors else OPEN_ECHO_S)
    track = taken(track, plan.takes, seed)
    if plan.score is not None:
        bed = music(Part("music", seed, track.shape[1]), plan.score)
        track += levelled(bed) * np.float32(10 ** (plan.score_db / 20))
    return finished(track, plan.loudness_lufs)


def with_speech(sound: Sound, speech: Sound) -> Sound:
    """Speech over the sound, neither of them changed but where both together would rise too high."""
    return limited(sound + speech)


def lay_in(track: Stereo, sent: Stereo, layer: Layer, seed: int, *, rise_s: float) -> None:
    """Play one layer into the track, and what of it comes back as echo into `sent`."""
    count = track.shape[1]
    start, stop = (min(count, round(at_s * SAMPLE_RATE)) for at_s in (layer.start_s, layer.end_s))
    # A layer that ends at a cut still sounds while the next one comes.
    stop = min(count, stop + round(JOIN_S * SAMPLE_RATE))
    if stop <= start:
        return
    sound = levelled(SOURCES[layer.source](Part(layer.source, seed, stop - start, layer.force, layer.place)))
    if layer.far:
        sound = filtered(sound, band(60, FAR_HZ))
    fall_s = JOIN_S if stop < count else 0.0
    sound *= np.float32(10 ** (layer.level_db / 20)) * joins(stop - start, rise_s if start > 0 else 0.0, fall_s)
    echo = max(ECHO.get(layer.source, 0.0), FAR_ECHO if layer.far else 0.0)
    track[:, start:stop] += sound
    if echo > 0:
        sent[:, start:stop] += np.float32(echo) * sound


def levelled(sound: Stereo) -> Stereo:
    """The sound with unit deviation where it is loud; its pauses do not count."""
    size = min(sound.shape[1], round(BLOCK_S * SAMPLE_RATE))
    whole = sound[:, : sound.shape[1] // size * size]
    energy = np.square(whole).reshape(2, -1, size).mean(axis=(0, 2))
    loud = energy[energy >= 0.1 * energy.mean()]
    return sound / np.float32(max(1e-9, sqrt(float(loud.mean()))))


def joins(count: int, rise_s: float, fall_s: float) -> Mono:
    """Gains that come in and go out in this time, of constant power where two layers meet."""
    gains = np.ones(count, np.float32)
    rise, fall = (min(count, round(length_s * SAMPLE_RATE)) for length_s in (rise_s, fall_s))
    gains[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise, dtype=np.float32))
    gains[count - fall :] *= np.cos(np.linspace(0, np.pi / 2, fall, dtype=np.float32))
    return gains


def echoed(sent: Stereo, seed: int, fall_s: float) -> Stereo:
    """What comes back from around: the sound through a decaying cloud of noise, darker than itself."""
    chance = Part("echo", seed, round(1.6 * fall_s * SAMPLE_RATE))
    cloud = stereo_noise(chance.chance("cloud"), chance.count, band(150, 3_500, -2))
    cloud *= np.exp(-chance.times() / np.float32(fall_s / 3))
    cloud *= np.float32(1 / sqrt(float(np.square(cloud).sum() / 2)))
    size = smooth_size(sent.shape[1] + chance.count)
    spectrum = np.fft.rfft(sent, size) * np.fft.rfft(cloud, size)
    return np.fft.irfft(spectrum, size)[:, : sent.shape[1]].astype(np.float32)


def taken(track: Stereo, takes: tuple[Take, ...], seed: int) -> Stereo:
    """The scene as the shots hear it: louder as the camera comes closer, wandering as it turns, changed at cuts."""
    count = track.shape[1]
    times = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
    points, levels, leans, dulls = [0.0], [takes[0].first_db], [0.0], [takes[0].dull]
    for take, following in pairwise(takes):
        half = min(JOIN_S, (take.end_s - take.start_s) / 3, (following.end_s - following.start_s) / 3) / 2
        points += [take.end_s - half, take.end_s + half]
        levels += [take.last_db, following.first_db]
        leans += [take.last_lean, 0.0]
        dulls += [take.dull, following.dull]
    points.append(takes[-1].end_s)
    levels.append(takes[-1].last_db)
    leans.append(takes[-1].last_lean)
    dulls.append(takes[-1].dull)
    if any(dulls):
        dull = np.interp(times, points, dulls).astype(np.float32)
        track = track + dull * (filtered(track, band(20, DULL_HZ, 0, steep=1)) - track)
    gain = (10 ** (np.interp(times, points, levels) / 20)).astype(np.float32)
    lean = np.interp(times, points, leans).astype(np.float32)
    track = track * gain * np.stack([1 - lean, 1 + lean])
    for take in takes[1:]:
        swell(track, take.start_s, seed)
    return track


def swell(track: Stereo, cut_s: float, seed: int) -> None:
    """A breath of air that rises into a cut and falls off behind it."""
    before, after = round(SWELL_S * SAMPLE_RATE), round(SWELL_S * SAMPLE_RATE / 2)
    part = Part(f"swell {cut_s:.3f}", seed, before + after)
    breath = stereo_noise(part.chance("air"), part.count, band(180, 2_600, -3), width=0.6)
    shape = np.concatenate([np.linspace(0, 1, before) ** 2, np.linspace(1, 0, after) ** 2]).astype(np.float32)
    start = round(cut_s * SAMPLE_RATE) - before
    first, last = max(0, start), min(track.shape[1], start + part.count)
    local = float(np.sqrt(np.mean(np.square(track[:, first:last])))) if last > first else 0.0
    gain = np.float32(local * 10 ** (SWELL_DB / 20))
    track[:, first:last] += gain * (breath * shape)[:, first - start : last - start]


def finished(track: Stereo, loudness_lufs: float) -> Sound:
    """The track faded in and out, at this loudness, and nowhere above the ceiling."""
    count = track.shape[1]
    fade_in, fade_out = (max(1, min(count // 4, round(length_s * SAMPLE_RATE))) for length_s in (FADE_IN_S, FADE_OUT_S))
    track[:, :fade_in] *= np.linspace(0, 1, fade_in, dtype=np.float32)
    track[:, count - fade_out :] *= np.linspace(1, 0, fade_out, dtype=np.float32) ** 2
    measured = integrated_loudness(track)
    if measured <= SILENT_LUFS:
        return track
    track *= np.float32(10 ** ((loudness_lufs - measured) / 20))
    return limited(track)


def limited(track: Stereo) -> Stereo:
    """The track with the few peaks above the ceiling turned down smoothly for a moment."""
    ceiling = 10 ** (PEAK_CEILING_DBTP / 20)
    # Between samples a wave hardly ever rises to twice their height: most tracks need no closer look.
    if float(np.abs(track).max()) <= ceiling / 2 or true_peak(track) <= PEAK_CEILING_DBTP:
        return track
    size = round(LOOK_AHEAD_S / 2 * SAMPLE_RATE)
    blocks = -(-track.shape[1] // size)
    padded = np.pad(np.abs(track).max(axis=0), (0, blocks * size - track.shape[1]))
    needed = np.minimum(1, 0.9 * ceiling / np.maximum(padded.reshape(blocks, size).max(axis=1), 1e-9))
    around = np.pad(needed, 2, mode="edge")
    held = np.min([around[at : at + blocks] for at in range(5)], axis=0)
    gain = np.interp(np.arange(track.shape[1]) / size, np.arange(blocks) + 0.5, held).astype(np.float32)
    track = track * gain
    return track * np.float32(min(1.0, 10 ** ((PEAK_CEILING_DBTP - true_peak(track)) / 20)))
