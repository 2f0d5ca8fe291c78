"""What the preview engine's tests share: photographs, analysed once per process, hand-made plans, a quiet report."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage import data

from filmgate.domain.errors import RequestStopped
from filmgate.domain.sizes import VideoTarget
from filmgate.encoding.picture import scale_picture
from filmgate.encoding.sound import Sound
from filmgate.engines.preview.analyse import analyse
from filmgate.engines.preview.clip import Clip, film
from filmgate.engines.preview.moves import Move, MoveKind
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.plan import Plan, Shot
from filmgate.engines.preview.scene import Scene
from filmgate.engines.preview.sound.envelope import Pulse

SIZES = {"astronaut": (320, 320), "coffee": (384, 256), "rocket": (384, 256), "chelsea": (384, 256)}


@dataclass
class Heard:
    """A report that remembers, and stops the engine after so many looks."""

    stop_after: int | None = None
    steps: list[tuple[float, str]] = field(default_factory=list)
    looks: int = 0

    def progress(self, fraction: float, stage: str) -> None:
        self.steps.append((fraction, stage))

    def log(self, line: str) -> None:
        del line

    def preview(self, path: Path) -> None:
        del path

    def checkpoint(self, path: Path) -> None:
        del path

    def stop_if_cancelled(self) -> None:
        self.looks += 1
        if self.stop_after is not None and self.looks > self.stop_after:
            raise RequestStopped("The request was told to stop.")


@cache
def nets() -> Nets:
    return Nets(threads=2)


def photograph(name: str) -> NDArray[np.uint8]:
    return np.asarray(getattr(data, name)(), np.uint8)


@cache
def scene_of(name: str) -> Scene:
    return analyse(scale_picture(photograph(name), *SIZES[name]), nets(), lambda _: None)


def one_shot(*kinds: MoveKind, seconds: float, handheld: float = 0.0) -> Plan:
    shot = Shot(0.0, seconds, tuple(Move(kind, 1.0) for kind in kinds), None, handheld)
    return Plan((shot,), breathing=False, grain=0.0, sharpen=0.0, applied=(), ignored=())


def filmed(
    scene: Scene,
    plan: Plan,
    path: Path,
    *,
    frames: int = 49,
    rate: int = 16,
    motion_rate: int | None = None,
    seed: int = 1,
    sound: Sound | None = None,
    pulse: Pulse | None = None,
    report: Heard | None = None,
) -> Path:
    """A finished clip of the scene at `path`."""
    target = VideoTarget(scene.canvas.frame_width, scene.canvas.frame_height, frames, rate)
    clip = Clip(target, motion_rate or rate, plan, seed, sound, '{"engine":"preview"}', pulse)
    film(scene, clip, path, report or Heard(), threads=2)
    return path
