"""How fast, how light and how hard to kill the queue is, beside peers that do the same job in the same run.

    python -m bench.queue [--quick] [--peer-python PATH] [--json FILE]

Each round measures every system once, on a fresh folder: memory when idle; latency of jobs strictly one after another;
status polls of a finished job; submits that no worker takes; submits while a worker works; kill -9 of every process and
the time until it answers again. All systems run the same thin job for the same body. Peers check no key, keep no
files and validate four fields; Filmgate does what it always does.
"""

import sys
from pathlib import Path

# Run as a script, Python would look into this folder first, and find this file for the standard library's `queue`.
sys.path.sort(key=lambda entry: entry == str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import argparse
import json
import os
import platform
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from types import FrameType
from typing import Any, NoReturn

from bench.disk import filesystem, fsyncs_per_s
from bench.gateway_imports import GatewayImports, gateway_imports
from bench.load import generator
from bench.report import Outcome, Verdict, spread, table, verdicts
from bench.rounds import Effort, Figures, measure
from bench.systems import SYSTEMS, System

__all__ = ["main"]

FULL = Effort(seconds=4, jobs=200, connections=64)
QUICK = Effort(seconds=1, jobs=40, connections=64)


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _end)
    effort, rounds = (QUICK, 1) if arguments.quick else (FULL, arguments.rounds)
    systems = _installed(arguments.systems, arguments.peer_python)
    if not systems:
        return 1
    outcome = _measure_all(systems, effort, rounds, arguments.data, arguments.peer_python)
    judged = verdicts(outcome)
    print(_text(outcome, judged, effort, rounds, arguments.data))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(_record(outcome, judged, effort), indent=1) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round: does it run, roughly how fast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers installed")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()), help="folder on the disk to measure")
    parser.add_argument("--json", type=Path, help="also write all numbers to this file")
    return parser.parse_args()


def _end(_: int, __: FrameType | None) -> NoReturn:
    sys.exit("Told to end; every process that was started is ended.")


def _installed(names: Sequence[str], peer_python: str) -> dict[str, System]:
    found = {}
    for name in names:
        if (missing := SYSTEMS[name].missing(peer_python)) is None:
            found[name] = SYSTEMS[name]
        else:
            print(f"Skipped: {SYSTEMS[name].name}: {missing}.")
    return found


def _measure_all(systems: dict[str, System], effort: Effort, rounds: int, data: Path, peer_python: str) -> Outcome:
    measured: dict[str, list[Figures]] = {name: [] for name in systems}
    fsyncs: list[float] = []
    imports: GatewayImports | None = None
    for number in range(1, rounds + 1):
        for name, system in systems.items():
            _say(f"round {number} of {rounds}: {system.name}")
            with tempfile.TemporaryDirectory(prefix="filmgate-bench-", dir=data) as folder:
                if name == next(iter(systems)):
                    fsyncs.append(fsyncs_per_s(Path(folder), effort.seconds))
                try:
                    measured[name].append(measure(system, effort, Path(folder), peer_python))
                except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                    _say(f"left out of this round: {error}")
                    continue
                if name == "filmgate" and imports is None:
                    imports = gateway_imports(Path(folder))
    return Outcome(measured, fsyncs, imports)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# ----------------------------------------------------------------------------------------------------------- showing


def _text(outcome: Outcome, judged: Sequence[Verdict], effort: Effort, rounds: int, data: Path) -> str:
    disk = f"{spread(outcome.fsyncs_per_s, 0)} fsyncs/s of 4 KiB each, one after another, on {filesystem(data)}"
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load average at the end {load}. {generator()}, "
        f"{effort.connections} connections, windows of {effort.seconds:g} s, {effort.jobs} jobs for the latencies; "
        f"median of {rounds} [min–max].",
        "",
        table(outcome.rounds),
        "",
        "Worker idle: the worker runs, but nothing that it serves is submitted. API process: what speaks HTTP.",
        f"The disk's limit: {disk}.",
    ]
    for name, figures in outcome.rounds.items():
        if failed := sum(one.get(f"submits_failed_{worker}", 0) for one in figures for worker in ("parked", "busy")):
            lines.append(f"{SYSTEMS[name].name} refused or dropped {failed:,.0f} submits; they are not counted.")
    if outcome.imports is not None:
        mapped = ", ".join(sorted(outcome.imports.mapped))
        lines.append(f"Shared objects in the gateway process, beside Python's own, come from: {mapped}.")
    lines += ["", *(f"{'reached' if v.reached else 'MISSED '}  {v.claim}: {v.measured}" for v in judged)]
    return "\n".join(lines)


def _record(outcome: Outcome, judged: Sequence[Verdict], effort: Effort) -> dict[str, Any]:
    imports = outcome.imports
    return {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg(),
        "generator": generator(),
        "effort": asdict(effort),
        "rounds": outcome.rounds,
        "fsyncs_per_s": outcome.fsyncs_per_s,
        "gateway": None
        if imports is None
        else {"modules": imports.modules, "packages": sorted(imports.packages), "mapped": sorted(imports.mapped)},
        "verdicts": [asdict(verdict) for verdict in judged],
    }


if __name__ == "__main__":
    sys.exit(main())
