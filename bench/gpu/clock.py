"""Times on the device, in rounds: the variants of a comparison run in turns, so that a drifting clock meets all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import torch

__all__ = ["Clock", "Rounds", "Session", "spread"]


class Clock:
    """Marks moments in the order of the device's work: CUDA events, or the wall clock where there is no CUDA."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._device = device

    def mark(self) -> Any:
        if not self._cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def seconds(self, start: Any, end: Any) -> float:
        if not self._cuda:
            return float(end - start)
        end.synchronize()
        return float(start.elapsed_time(end)) / 1000

    def time(self, work: Callable[[], object], repeats: int = 1) -> float:
        """Seconds that the work takes on the device, the mean of `repeats` in a row."""
        start = self.mark()
        for _ in range(repeats):
            work()
        return self.seconds(start, self.mark()) / repeats

    def settle(self) -> None:
        """Returns when the device is idle."""
        if self._cuda:
            torch.cuda.synchronize(self._device)


@dataclass(slots=True)
class Session:
    """One call of the bench. `rounds` are wanted of each comparison; none starts after `budget_s`."""

    device: torch.device
    tiny: bool
    rounds: int
    budget_s: float
    only: frozenset[str] = frozenset()
    clock: Clock = field(init=False)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.clock = Clock(self.device)

    @property
    def left_s(self) -> float:
        return self.budget_s - (time.monotonic() - self.started)

    def wants(self, name: str) -> bool:
        return not self.only or name in self.only

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self.started:6.1f} s] {line}", flush=True)

    def in_turns(self, works: Mapping[str, Callable[[], dict[str, float]]]) -> "Rounds":
        """Every work once to warm up, then all of them in turns; each returns its figures.

        A round is not begun when the slowest so far would not fit into what is left of the budget; the figures say how
        many there were.
        """
        chosen = {name: work for name, work in works.items() if self.wants(name)}
        warm_up = {name: self._timed(work)[1] for name, work in chosen.items()}
        figures: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
        slowest = 0.0
        for number in range(self.rounds):
            if number and self.left_s < slowest:
                self.say(f"out of time after {number} of {self.rounds} rounds")
                break
            began = time.monotonic()
            for name, work in chosen.items():
                figures[name].append(self._timed(work)[0])
            slowest = max(slowest, time.monotonic() - began)
        return Rounds(figures, warm_up)

    def _timed(self, work: Callable[[], dict[str, float]]) -> tuple[dict[str, float], float]:
        self.clock.settle()
        began = time.monotonic()
        figures = work()
        self.clock.settle()
        return figures, time.monotonic() - began


@dataclass(frozen=True, slots=True)
class Rounds:
    """The figures of each variant, round by round; `warm_up_s` is the wall time of the first run, which is in none."""

    figures: Mapping[str, Sequence[Mapping[str, float]]]
    warm_up_s: Mapping[str, float]

    def report(self) -> dict[str, Any]:
        return {
            name: {"warm_up_s": self.warm_up_s[name], "rounds": len(runs), **spreads(runs)}
            for name, runs in self.figures.items()
        }


def spreads(runs: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    return {name: spread([run[name] for run in runs]) for name in (runs[0] if runs else ())}


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Median and extremes, and the values themselves in their order."""
    return {"median": median(values), "min": min(values), "max": max(values), "values": list(values)}
