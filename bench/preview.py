"""How long the preview engine takes for a clip of 5 s at 30 frames per second, beside encoding the very same frames.

Every figure is the median of three fresh processes. `first` is a process's first clip (networks are loaded), `next` its
second, of another picture. `encode` writes the frames of the second clip again, nothing else. Run it on an idle
machine:

    python -m bench.preview [--sizes 480P 720P 1080P] [--runs 3] [--threads 2]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from filmgate.domain.ports import Job
from filmgate.domain.request import RequestId
from filmgate.domain.sizes import VideoTarget, video_size
from filmgate.encoding.clip import ClipFormat, ClipWriter
from filmgate.encoding.picture import read_picture, scale_picture
from filmgate.encoding.sound import silence
from filmgate.engines.preview.analyse import analyse
from filmgate.engines.preview.direction import direct
from filmgate.engines.preview.engine import PreviewEngine
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.plan import plan_prompt
from filmgate.engines.preview.render import Look, Renderer

SIZES = ("480P", "720P", "1080P")
SECONDS, RATE = 5, 30
PROMPT = "Slow push-in on the astronaut, handheld camera."
COLUMNS = (
    ("first_s", "first wall s"),
    ("next_s", "next wall s"),
    ("next_cpu_s", "next CPU s"),
    ("encode_s", "encode wall s"),
    ("encode_cpu_s", "encode CPU s"),
    ("peak_mb", "peak RSS MB"),
    ("file_mb", "file MB"),
)


class Silent:
    """A report that nobody reads."""

    def progress(self, fraction: float, stage: str) -> None: ...

    def log(self, line: str) -> None: ...

    def preview(self, path: Path) -> None: ...

    def checkpoint(self, path: Path) -> None: ...

    def stop_if_cancelled(self) -> None: ...


def main() -> int:
    arguments = argparse.ArgumentParser(description="Time the preview engine.")
    arguments.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--one", choices=SIZES, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.one:
        print(json.dumps(measured(chosen.one, chosen.threads)))
        return 0
    print(f"{SECONDS} s at {RATE} frames per second, {chosen.threads} threads, median of {chosen.runs}")
    print("size   " + "".join(f"{title:>15}" for _, title in COLUMNS))
    for size in chosen.sizes:
        runs = [fresh_process(size, chosen.threads) for _ in range(chosen.runs)]
        row = "".join(f"{median(run[name] for run in runs):15.2f}" for name, _ in COLUMNS)
        print(f"{size:7}{row}", flush=True)
    return 0


def fresh_process(size: str, threads: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.preview", "--one", size, "--threads", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    return dict(json.loads(done.stdout))


def measured(size: str, threads: int) -> dict[str, float]:
    width, height = video_size(1280, 720, size)
    target = VideoTarget(width, height, SECONDS * RATE, RATE)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        pictures = written_pictures(scratch)
        engine = PreviewEngine(threads=threads)
        first_s, _ = timed(lambda: engine.run(job(pictures[0], target, scratch), Silent()))
        next_s, next_cpu_s = timed(lambda: engine.run(job(pictures[1], target, scratch), Silent()))
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        file_mb = (scratch / "clip.mp4").stat().st_size / 1e6
        frames = np.memmap(scratch / "frames", np.uint8, "w+", shape=(target.frames, height, width, 3))
        draw(pictures[1], target, threads, frames)
        encode_s, encode_cpu_s = timed(lambda: encode(frames, target, scratch, threads))
        return {
            "first_s": first_s,
            "next_s": next_s,
            "next_cpu_s": next_cpu_s,
            "encode_s": encode_s,
            "encode_cpu_s": encode_cpu_s,
            "peak_mb": peak_mb,
            "file_mb": file_mb,
        }


def written_pictures(folder: Path) -> tuple[Path, Path]:
    """A photograph of the tiers' own shape whose subject the frame cuts (the costlier case), and its mirror image."""
    wide = cv2.resize(np.asarray(data.astronaut())[:288], (1280, 720), interpolation=cv2.INTER_CUBIC)
    paths = folder / "picture.png", folder / "mirrored.png"
    for path, picture in zip(paths, (wide, wide[:, ::-1]), strict=True):
        cv2.imwrite(str(path), picture[..., ::-1])
    return paths


def job(picture: Path, target: VideoTarget, scratch: Path) -> Job:
    return Job(RequestId("bench"), "bench", PROMPT, (picture,), target, seed=1, scratch=scratch, sound=True)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of the work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def draw(picture: Path, target: VideoTarget, threads: int, frames: NDArray[np.uint8]) -> None:
    """The frames of the clip as the engine draws them, kept in `frames`."""
    frame = scale_picture(read_picture(picture), target.width, target.height)
    scene = analyse(frame, Nets(threads=threads), lambda _: None)
    plan = plan_prompt(PROMPT, negative_prompt="", duration_s=SECONDS, shot_type=None, extend=True, seed=1)
    direction = direct(scene, plan, frames=target.frames, rate=target.frame_rate, seed=1)
    renderer = Renderer(scene, Look(plan.grain, plan.sharpen, plan.breathing), 1)
    for index in range(target.frames):
        frames[index] = renderer.frame(direction.pose(index), index / target.frame_rate)


def encode(frames: NDArray[np.uint8], target: VideoTarget, scratch: Path, threads: int) -> None:
    clip = ClipFormat(target.width, target.height, target.frame_rate, "{}")
    with ClipWriter(scratch / "encoded.mp4", clip, silence(SECONDS), threads=threads) as writer:
        for frame in frames:
            writer.write(frame)


if __name__ == "__main__":
    sys.exit(main())
