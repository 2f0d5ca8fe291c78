"""The sound of a job's clip, and what of it moves the picture: a given sound, or one made from the prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from filmgate.domain.ports import Job
from filmgate.domain.shots import find_shots
from filmgate.domain.sizes import VideoTarget
from filmgate.encoding.sound import Sound, clip_sound
from filmgate.engines.preview.pixels import Plane
from filmgate.engines.preview.plan import Plan, Shot
from filmgate.engines.preview.sound.envelope import Pulse, pulse_of
from filmgate.engines.preview.sound.mix import make_sound, with_speech
from filmgate.engines.preview.sound.plan import SoundPlan, plan_sound
from filmgate.engines.preview.sound.speech import Line, Speech, find_speech
from filmgate.engines.preview.sound.voice import Voice

__all__ = ["Soundtrack", "soundtrack"]

REMEDY = "filmgate[voice] brings a voice for English ones"


@dataclass(frozen=True, slots=True)
class Soundtrack:
    """A clip's sound, what it moves, and what is to be said of it.

    `sound` is None for a clip without audio stream. `pulse` moves camera and light, `lips` a mouth. `details` is JSON.
    """

    sound: Sound | None
    pulse: Pulse | None = None
    lips: Plane | None = None
    warnings: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)


def soundtrack(job: Job, target: VideoTarget, plan: Plan, voice: Voice | None) -> Soundtrack:
    """The job's sound, exactly as long as its clip. Raises EngineFailure when a given sound cannot be read."""
    if not job.sound:
        return Soundtrack(None)
    speech = find_speech(job.prompt, job.negative_prompt)
    if job.audio is not None:
        return _given(job.audio, target, speech)
    return _made(job, target, plan, speech, voice)


def _given(audio: Path, target: VideoTarget, speech: Speech) -> Soundtrack:
    """The given sound. Camera and light follow it; a mouth does where the prompt says that somebody talks or sings."""
    sound = clip_sound(audio, target.duration_s)
    pulse = pulse_of(sound, frames=target.frames, frame_rate=target.frame_rate)
    lips = pulse.lips if pulse is not None and speech.talks else None
    return Soundtrack(sound, pulse, lips, details={"given": True, "motion_follows": pulse is not None})


def _made(job: Job, target: VideoTarget, plan: Plan, speech: Speech, voice: Voice | None) -> Soundtrack:
    """Ambience and music by the prompt's words and, with a voice, its lines, which a mouth follows."""
    wanted = plan_sound(
        job.prompt,
        negative_prompt=job.negative_prompt,
        shots=plan.shots,
        duration_s=target.duration_s,
        seed=job.seed,
        extend=job.extend is not False,
    )
    sound = make_sound(wanted, job.seed)
    lines = speech.lines if wanted.loudness_lufs is not None else ()
    english = tuple(line for line in lines if line.is_english) if voice is not None else ()
    unsaid, lips = _unsaid(lines, english), None
    if voice is not None and english:
        spoken = voice.speak(_placed(english, job.prompt, plan.shots), duration_s=target.duration_s, seed=job.seed)
        sound = with_speech(sound, spoken.sound)
        pulse = pulse_of(spoken.sound, frames=target.frames, frame_rate=target.frame_rate)
        lips = pulse.lips if pulse is not None and speech.talks else None
        if spoken.left_out:
            unsaid = (*unsaid, f"The clip has no time for spoken lines: {_quoted(spoken.left_out)}.")
    if wanted.ignored:
        unsaid = (*unsaid, f"Not heard in the sound that was made: {', '.join(wanted.ignored)}.")
    return Soundtrack(sound, lips=lips, warnings=unsaid, details=_described(wanted))


def _placed(lines: Sequence[Line], prompt: str, shots: Sequence[Shot]) -> list[tuple[Line, float, float]]:
    """Each line with the time it has: its own shot where the prompt lists shots, else the whole clip."""
    listed = find_shots(prompt) if len(shots) > 1 else None
    if listed is None:
        return [(line, 0.0, shots[-1].end_s) for line in lines]
    placed: list[tuple[Line, float, float]] = []
    for line in lines:
        inside = [number for number, shot in enumerate(listed.shots) if shot.text[0] <= line.span[0] < shot.text[1]]
        if not inside:
            placed.append((line, 0.0, shots[-1].end_s))
        elif inside[0] < len(shots):
            placed.append((line, shots[inside[0]].start_s, shots[inside[0]].end_s))
    return placed


def _unsaid(lines: Sequence[Line], english: Sequence[Line]) -> tuple[str, ...]:
    """The sentence about lines that nobody speaks."""
    silent = [line for line in lines if line not in english]
    if not silent:
        return ()
    remedy = "the voice speaks English only" if english else REMEDY
    return (f"Spoken lines are not voiced: {_quoted(silent)} ({remedy}).",)


def _quoted(lines: Sequence[Line]) -> str:
    return ", ".join(f'"{line.text if len(line.text) <= 60 else line.text[:57] + "…"}"' for line in lines)


def _described(wanted: SoundPlan) -> dict[str, object]:
    return {
        "given": False,
        "sources": list(dict.fromkeys(layer.source for layer in wanted.layers)),
        "music": wanted.score.mood if wanted.score is not None else None,
        "loudness_lufs": wanted.loudness_lufs,
        "applied": list(wanted.applied),
        "ignored": list(wanted.ignored),
    }
