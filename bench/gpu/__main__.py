"""Measures one part and prints its tables:

    python -m bench.gpu --part kernels|480p|720p|service|image [--json numbers.json]

Each part takes at most nine minutes on one H200 class card and says when it ran out of time. `--device cpu --tiny` runs
the same code in seconds, with models of a few thousand numbers; its figures mean nothing.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench.gpu.clock import Session
from bench.gpu.image import bench_image
from bench.gpu.kernels import bench_kernels
from bench.gpu.machine import clocks, machine_facts
from bench.gpu.service import bench_service
from bench.gpu.table import tables
from bench.gpu.video import bench_video

PARTS = {
    "kernels": bench_kernels,
    "480p": partial(bench_video, tier="480p"),
    "720p": partial(bench_video, tier="720p"),
    "service": bench_service,
    "image": bench_image,
}


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    device = torch.device(chosen.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    session = Session(device, chosen.tiny, chosen.rounds, chosen.budget_s, frozenset(chosen.only))
    figures: dict[str, Any] = {}
    report: dict[str, Any] = {
        "part": chosen.part,
        "tiny": chosen.tiny,
        "machine": machine_facts(device),
        "clocks_before": clocks(device),
        "figures": figures,
    }
    try:
        PARTS[chosen.part](session, figures)
    finally:
        # A part that fails late leaves what it had measured: time on a card is dear.
        report["clocks_after"] = clocks(device)
        report["seconds"] = round(chosen.budget_s - session.left_s, 1)
        if chosen.json:
            chosen.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"\n{tables(chosen.part, figures)}")
    print(f"\n{report['machine'].get('card', device)}, {report['seconds']} s in all")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description="Time the open weights on a GPU.")
    parser.add_argument("--part", choices=PARTS, required=True)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--tiny", action="store_true", help="models of a few thousand numbers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--budget-s", type=float, default=500.0, help="no round of a comparison starts after this")
    parser.add_argument("--only", nargs="*", default=[], help="variants by name, as the tables have them")
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
