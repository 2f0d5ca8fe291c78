"""From a plan to the camera's pose at every frame: shots, cuts, framing, hand-held motion, a given sound's pulse.

Each shot's moves are made as large as their strength says, or as large as the canvas allows: no pose ever looks past
what was imagined around the frame. With a given sound each move keeps its path, but goes along it as fast as the sound
is loud; and the picture comes a touch closer with the sound, which shows where the camera stands still.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from filmgate.engines.preview.camera import Pose, combined_pose, eased, focus_point
from filmgate.engines.preview.chance import generator, wander
from filmgate.engines.preview.framing import FULL_VIEW, View, choose_view
from filmgate.engines.preview.moves import Move
from filmgate.engines.preview.pixels import Plane
from filmgate.engines.preview.plan import Plan, Shot
from filmgate.engines.preview.scene import Scene
from filmgate.engines.preview.sound.envelope import Pulse
from filmgate.engines.preview.warp import covers

__all__ = ["Direction", "Take", "direct"]

HAND_PERIOD_S = 1.1
HAND_PAN, HAND_SHIFT, HAND_ROLL = 0.002, 0.0025, 0.002
HAND_RAMP_S = 0.6
"""The first shot begins exactly at the input picture, so the hand begins still."""
DRIFT_X, DRIFT_Y = 0.025, 0.012
SPARE = 0.006
"""Share of the frame left over at the canvas's edge for the hand."""
BISECTIONS = 5
FOLLOWING = 0.85
"""How much of a move's speed is the sound's: some motion goes on while it is silent."""
PULSE_ZOOM, PULSE_APPROACH = 0.006, 0.010
QUIET = 0.02
"""The mean level below which a shot follows nothing: the sound has ended."""
MOVING_PULSE = 0.2
"""Share of the pulse that is left where the camera moves anyway."""


@dataclass(frozen=True, slots=True)
class Take:
    """One shot as it will be filmed: frames [first, last), its view, and the share of its moves that fits."""

    shot: Shot
    first: int
    last: int
    view: View
    reach: float
    drift_x: float
    drift_y: float


@dataclass(frozen=True, slots=True)
class Direction:
    """The poses of a clip.

    Per frame: `shares` is how much of its take has passed, `hand` is hand-held motion (sideways, up and down, roll),
    `pulse` is how much closer a given sound brings the picture, 0 to 1.
    """

    takes: tuple[Take, ...]
    rate: int
    focus: tuple[float, float]
    nearness: float
    shares: Plane
    hand: tuple[Plane, Plane, Plane]
    pulse: Plane

    def pose(self, index: int) -> Pose:
        """The pose of one frame."""
        take = next(take for take in self.takes if index < take.last)
        pose = staged(take, eased(float(self.shares[index])), self.focus, self.nearness)
        ramp = 1.0 if take.first > 0 else min(1.0, index / self.rate / HAND_RAMP_S)
        pulse = float(self.pulse[index]) * ramp
        grip = take.shot.handheld * ramp * take.view.scale
        x, y, turn = (float(wave[index]) * grip for wave in self.hand)
        return replace(
            pose,
            shift_x=pose.shift_x + x * HAND_SHIFT,
            shift_y=pose.shift_y + y * HAND_SHIFT,
            pan_x=pose.pan_x + x * HAND_PAN,
            pan_y=pose.pan_y + y * HAND_PAN,
            roll=pose.roll + turn * HAND_ROLL,
            zoom=pose.zoom * (1 + PULSE_ZOOM * pulse),
            approach=pose.approach + PULSE_APPROACH * pulse,
        )


def direct(scene: Scene, plan: Plan, *, frames: int, rate: int, seed: int, pulse: Pulse | None = None) -> Direction:
    """The direction of a clip of `frames` frames at `rate` frames per second, which follows `pulse` if there is one."""
    focus, nearness = focus_point(scene), scene.nearness
    times = np.arange(frames, dtype=np.float32) / np.float32(rate)
    hand = (
        wander(seed, "hand x", times, HAND_PERIOD_S),
        wander(seed, "hand y", times, HAND_PERIOD_S),
        wander(seed, "hand roll", times, HAND_PERIOD_S),
    )
    takes: list[Take] = []
    seen = FULL_VIEW
    for number, (shot, (first, last)) in enumerate(
        zip(plan.shots, frame_ranges(plan.shots, frames, rate), strict=True)
    ):
        if number > 0:
            seen = choose_view(scene, shot.framing, seen, seed=seed, shot=number)
        take = fitted(scene, drifting(Take(shot, first, last, seen, 1.0, 0.0, 0.0), seed, number), focus)
        takes.append(take)
        seen = final_view(staged(take, 1.0, focus, nearness), nearness)
    shares = np.concatenate([elapsed(take, pulse) for take in takes])
    closer = np.concatenate([nearing(take, pulse) for take in takes])
    return Direction(tuple(takes), rate, focus, nearness, shares, hand, closer)


def elapsed(take: Take, pulse: Pulse | None) -> Plane:
    """How much of the take has passed at each of its frames: evenly, or as fast as the sound is loud."""
    count = take.last - take.first
    level = np.zeros(count, np.float32) if pulse is None else pulse.level[take.first : take.last]
    mean = float(level.mean())
    speed = np.ones(count) if mean < QUIET else 1 - FOLLOWING + FOLLOWING * level / mean
    passed = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    return np.asarray(passed / max(1e-9, passed[-1]), np.float32)


def nearing(take: Take, pulse: Pulse | None) -> Plane:
    """How much closer the sound brings the picture at each frame of the take."""
    if pulse is None:
        return np.zeros(take.last - take.first, np.float32)
    still = all(move.kind == "static" for move in take.shot.moves)
    return pulse.level[take.first : take.last] * np.float32(1.0 if still else MOVING_PULSE)


def frame_ranges(shots: Sequence[Shot], frames: int, rate: int) -> list[tuple[int, int]]:
    """The frames of each shot, tiling the clip; every shot has at least one where there are enough."""
    starts = [0]
    for number, shot in enumerate(shots[1:], start=1):
        latest = frames - (len(shots) - number)
        starts.append(max(starts[-1] + 1, min(round(shot.start_s * rate), latest)))
    return list(pairwise([*starts, frames]))


def drifting(take: Take, seed: int, number: int) -> Take:
    """A slight sideways travel of the seed's choosing under every move, so that no two seeds film alike."""
    if all(move.kind == "static" for move in take.shot.moves):
        return take
    x, y = (float(value) for value in generator(seed, f"drift {number}").uniform(-1, 1, 2))
    return replace(take, drift_x=x * DRIFT_X, drift_y=y * DRIFT_Y)


def staged(take: Take, progress: float, focus: tuple[float, float], nearness: float) -> Pose:
    """The take's pose after this share of its moves, without the hand."""
    moves = tuple(Move(move.kind, move.strength * take.reach) for move in take.shot.moves)
    pose = combined_pose(moves, progress, focus=focus, nearness=nearness, view=take.view)
    travel = progress * take.reach * take.view.scale
    return replace(pose, shift_x=pose.shift_x + take.drift_x * travel, shift_y=pose.shift_y + take.drift_y * travel)


def fitted(scene: Scene, take: Take, focus: tuple[float, float]) -> Take:
    """The take with its moves made small enough that both layers always fill the frame."""

    def fits(reach: float) -> bool:
        trial = replace(take, reach=reach)
        poses = [staged(trial, progress, focus, scene.nearness) for progress in (0.5, 1.0)]
        return all(fills(scene, pose) for pose in poses)

    if fits(1.0):
        return take
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return replace(take, reach=low)


def fills(scene: Scene, pose: Pose) -> bool:
    """Whether plate and subject both reach as far as the frame does."""
    if not covers(pose, scene.canvas, scene.plate_disparity, spare=SPARE):
        return False
    subject = scene.subject
    return subject is None or covers(pose, scene.canvas, subject.disparity, spare=SPARE, box=subject.box)


def final_view(pose: Pose, nearness: float) -> View:
    """The view that a viewer remembers of a shot: what part of the frame its last pose shows at the subject's depth."""
    scale = pose.view.scale / (pose.zoom * (1 + pose.approach * nearness))
    near = nearness - pose.pivot
    return View(
        scale,
        pose.view.centre_x - pose.pan_x - pose.shift_x * near,
        pose.view.centre_y - pose.pan_y - pose.shift_y * near,
    )
