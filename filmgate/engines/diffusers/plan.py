"""What a model renders for a clip: segment after segment, and which output frames each of them feeds. Pure.

A model makes frames at a rate of its own and so many in one segment, always 4n + 1. Output frame k of a take shows the
moment k · step on the line of its source frames, where step is the model's rate over the clip's rate of motion. A take
that is longer than a segment is a chain: each segment begins with the last frame of the one before, which stands there
already, so it feeds only what comes after that frame. What is left over at the end of a take is dropped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from math import ceil, floor
from typing import Literal

from filmgate.domain.sizes import VideoTarget
from filmgate.engines.diffusers.script import Take, read_script

__all__ = ["ClipPlan", "PlannedSegment", "plan_clip"]

LONGEST_FREE_SEGMENT = 101
"""Frames in one segment of a model whose caller asks for a number of frames: the most that one may ask for is 100, and
20 frames in a segment of their own would cost more and restart the motion."""
SEED_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class PlannedSegment:
    """One run of the model: `frames` are rendered (4n + 1), the output frames [first, end) of the clip are fed.

    `starts_from` is the input picture, or the previous segment's last frame, which then takes the place of this one's
    own first frame. Output frame `first` shows the position `start` on the line of this segment's source frames (whole
    numbers are frames, 0 is the first), each following one `step` more; none is beyond its last frame.
    """

    prompt: str
    seed: int
    frames: int
    starts_from: Literal["input", "previous"]
    first: int
    end: int
    start: Fraction
    step: Fraction

    @property
    def positions(self) -> Sequence[Fraction]:
        """The position of each output frame, in order."""
        return [self.start + number * self.step for number in range(self.end - self.first)]


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """The segments in the order in which they are rendered and shown; together they feed every output frame once.

    `cuts` are the output frames at which a new shot begins. `warnings` are sentences for the caller.
    """

    segments: tuple[PlannedSegment, ...]
    cuts: tuple[int, ...]
    warnings: tuple[str, ...]


def plan_clip(
    target: VideoTarget,
    frame_rate: int,
    segment_frames: int,
    *,
    prompt: str,
    seed: int,
    shot_type: str | None = None,
    extend: bool | None = None,
    motion_frame_rate: int | None = None,
) -> ClipPlan:
    """The plan of a clip for a model that makes `frame_rate` frames a second, `segment_frames` (4n + 1) in one go.

    `motion_frame_rate` is given where the target's rate is one of playback only: so many output frames are a second of
    motion then, whatever the file says. The first segment has the request's seed, the others have seeds drawn from it.
    Raises ValueError for a segment that is not 4n + 1 frames long, at least 5.
    """
    if segment_frames % 4 != 1 or segment_frames < 5:
        raise ValueError(f"a segment has 5, 9, 13 … frames, not {segment_frames}")
    longest = segment_frames if motion_frame_rate is None else max(segment_frames, LONGEST_FREE_SEGMENT)
    motion_rate = motion_frame_rate or target.frame_rate
    script = read_script(prompt, frames=target.frames, frame_rate=motion_rate, shot_type=shot_type, extend=extend)
    step = Fraction(frame_rate, motion_rate)
    links = [(take, link) for take in script.takes for link in _chain(take.end - take.first, step, longest)]
    segments = [_segment(take, link, step, segment_seed(seed, number)) for number, (take, link) in enumerate(links)]
    return ClipPlan(tuple(segments), tuple(take.first for take in script.takes[1:]), script.warnings)


def segment_seed(seed: int, number: int) -> int:
    """The seed of a segment: that of the request for the first, else one that depends on it and the number alone."""
    if number == 0:
        return seed
    digest = sha256(f"segment {number} {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SEED_LIMIT


@dataclass(frozen=True, slots=True)
class Link:
    """A segment of a take: `frames` source frames from `offset` on, for the take's output frames [first, end)."""

    offset: int
    frames: int
    first: int
    end: int


def _chain(length: int, step: Fraction, longest: int) -> Iterator[Link]:
    """The fewest segments of nearly equal length whose source frames reach `length` output frames `step` apart."""
    blocks = max(1, ceil((length - 1) * step / 4))
    count = ceil(blocks / ((longest - 1) // 4))
    offset = first = 0
    for number in range(count):
        frames = 4 * (blocks // count + (number < blocks % count)) + 1
        reach = offset + frames - 1
        end = min(length, floor(reach / step) + 1)
        yield Link(offset, frames, first, end)
        offset, first = reach, end


def _segment(take: Take, link: Link, step: Fraction, seed: int) -> PlannedSegment:
    first, end = take.first + link.first, take.first + link.end
    return PlannedSegment(
        # A segment of very few frames may only lead to the next one; it is told what is then.
        prompt=take.prompt(first, max(end, first + 1)),
        seed=seed,
        frames=link.frames,
        starts_from="previous" if link.offset else "input",
        first=first,
        end=end,
        start=link.first * step - link.offset,
        step=step,
    )
