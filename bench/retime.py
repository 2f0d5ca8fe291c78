"""How true the frames are that re-timing from 16 to 30 frames per second puts in between, and what each costs.

Every clip is known at every moment (bench/motions.py), at 832 × 480. It is taken at 16 frames per second, re-timed by
each method, and compared with the same clip taken at 30, output frames that are source frames left out. Beside ours is
FFmpeg's motion-compensated `minterpolate` over the same frames:

    python -m bench.retime [--motions 8]
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import mean, median

import av
import av.filter
import cv2
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from bench.motions import MOTIONS, SECONDS, SIZE, Film
from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.retime import INTERPOLATIONS, Interpolation, retimed

SOURCE_RATE, OUTPUT_RATE = 16, 30
LEFT_OUT = 0.1
"""Seconds at the end that are not compared: FFmpeg ends a little earlier than its source."""
PEER = "FFmpeg mci"

Shown = Mapping[int, Picture]
"""Output frames by their number."""


@dataclass(frozen=True, slots=True)
class Score:
    """Means over the frames in between, `ssim` of their luma; and milliseconds for a frame."""

    psnr_db: float
    ssim: float
    wall_ms: float
    cpu_ms: float


def main() -> int:
    arguments = argparse.ArgumentParser(description="Compare ways of re-timing clips.")
    arguments.add_argument("--motions", type=int, default=len(MOTIONS), help="only so many clips")
    chosen = list(MOTIONS)[: arguments.parse_args().motions]
    print(f"{SIZE[0]} × {SIZE[1]}, {SOURCE_RATE} to {OUTPUT_RATE} frames per second, dB PSNR / SSIM\n")
    methods = [*INTERPOLATIONS, PEER]
    print("| clip | " + " | ".join(methods) + " |")
    print("|---|" + "---|" * len(methods))
    scores = []
    for name in chosen:
        scores.append(scored(MOTIONS[name]()))
        row(name, [f"{score.psnr_db:.1f} / {score.ssim:.3f}" for score in scores[-1]])
    by_method = list(zip(*scores, strict=True))
    row("mean", [f"{mean(s.psnr_db for s in of):.1f} / {mean(s.ssim for s in of):.3f}" for of in by_method])
    row("wall ms for a frame", [f"{median(s.wall_ms for s in of):.1f}" for of in by_method])
    row("CPU ms for a frame", [f"{median(s.cpu_ms for s in of):.1f}" for of in by_method])
    return 0


def row(name: str, cells: Sequence[str]) -> None:
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def scored(film: Film) -> list[Score]:
    """One score for each method."""
    last = round((SECONDS - LEFT_OUT) * OUTPUT_RATE)
    source = [film(number / SOURCE_RATE) for number in range(round(SECONDS * SOURCE_RATE))]
    between = [number for number in range(last) if (number * SOURCE_RATE) % OUTPUT_RATE]
    truth = {number: film(number / OUTPUT_RATE) for number in between}
    methods: list[Callable[[], Shown]] = [
        *(lambda method=method: ours(source, last, method) for method in INTERPOLATIONS),
        lambda: ffmpegs(source),
    ]
    return [compared(method, truth) for method in methods]


def compared(method: Callable[[], Shown], truth: Shown) -> Score:
    wall, cpu = time.perf_counter(), time.process_time()
    shown = method()
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    pairs = [(frame, shown[number]) for number, frame in truth.items()]
    return Score(
        mean(float(peak_signal_noise_ratio(right, made)) for right, made in pairs),
        mean(float(structural_similarity(luma(right), luma(made))) for right, made in pairs),
        1000 * wall_s / len(shown),
        1000 * cpu_s / len(shown),
    )


def luma(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def ours(source: Sequence[Picture], count: int, method: Interpolation) -> Shown:
    positions = [Fraction(number * SOURCE_RATE, OUTPUT_RATE) for number in range(count)]
    return dict(enumerate(retimed(source, positions, method)))


def ffmpegs(source: Sequence[Picture]) -> Shown:
    """In YUV without subsampling, which costs less than half a level of brightness."""
    graph = av.filter.Graph()
    entry = graph.add_buffer(
        width=SIZE[0], height=SIZE[1], format=av.VideoFormat("yuv444p"), time_base=Fraction(1, SOURCE_RATE)
    )
    filtered = graph.add("minterpolate", f"fps={OUTPUT_RATE}:mi_mode=mci")
    end = graph.add("buffersink")
    entry.link_to(filtered)
    filtered.link_to(end)
    graph.configure()
    shown: dict[int, Picture] = {}
    for number, picture in enumerate([*source, None]):
        frame = None
        if picture is not None:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv444p")
            frame.pts, frame.time_base = number, Fraction(1, SOURCE_RATE)
        graph.push(frame)
        shown |= pulled(graph)
    return shown


def pulled(graph: av.filter.Graph) -> dict[int, Picture]:
    """The frames that the graph has ready."""
    ready: dict[int, Picture] = {}
    while True:
        try:
            frame = graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return ready
        if frame.pts is None or frame.time_base is None:
            raise RuntimeError("FFmpeg gave a frame without a time")
        ready[round(frame.pts * frame.time_base * OUTPUT_RATE)] = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
