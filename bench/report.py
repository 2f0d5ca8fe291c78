"""The table: medians of the rounds with their extremes, the disk's limit beside them, and which figures are reached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.gateway_imports import GatewayImports
from bench.rounds import Figures
from bench.systems import SYSTEMS

__all__ = ["Outcome", "Verdict", "spread", "table", "verdicts"]

Rounds = Mapping[str, Sequence[Figures]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was measured. The keys of `rounds` are those of SYSTEMS."""

    rounds: Rounds
    fsyncs_per_s: Sequence[float]
    imports: GatewayImports | None


@dataclass(frozen=True, slots=True)
class Verdict:
    claim: str
    measured: str
    reached: bool


@dataclass(frozen=True, slots=True)
class _Row:
    title: str
    figure: str
    digits: int


_ROWS = (
    _Row("accepted submits/s, worker idle", "submits_per_s_parked", 0),
    _Row("accepted submits/s, worker busy", "submits_per_s_busy", 0),
    _Row("jobs finished/s meanwhile", "jobs_per_s", 0),
    _Row("jobs finished/s, no calls meanwhile", "jobs_per_s_alone", 0),
    _Row("status polls/s", "polls_per_s", 0),
    _Row("submit to start, ms, p50", "start_ms_p50", 2),
    _Row("submit to start, ms, p95", "start_ms_p95", 2),
    _Row("end to end, ms, p50", "end_ms_p50", 2),
    _Row("end to end, ms, p95", "end_ms_p95", 2),
    _Row("API process idle, MB RSS", "gateway_rss_mb_idle", 0),
    _Row("API process idle, MB PSS", "gateway_pss_mb_idle", 0),
    _Row("all processes idle, MB PSS", "tree_pss_mb_idle", 0),
    _Row("processes", "processes_idle", 0),
    _Row("answers again after kill -9, s", "ready_again_s", 2),
)


def table(rounds: Rounds) -> str:
    """Markdown: one column for each system, one row for each figure."""
    names = [name for name in SYSTEMS if rounds.get(name)]
    rows = [["", *(SYSTEMS[name].name for name in names)]]
    for row in _ROWS:
        rows.append([row.title, *(_cell(rounds[name], row) for name in names)])
    rows.append(["knows its finished job after it", *("yes" if _remembers(rounds[name]) else "no" for name in names)])
    rows.append(["an accepted submit survives", *(SYSTEMS[name].survives for name in names)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _cell(figures: Sequence[Figures], row: _Row) -> str:
    values = [one[row.figure] for one in figures if row.figure in one]
    return spread(values, row.digits) if values else "–"


def spread(values: Sequence[float], digits: int) -> str:
    """The median, and the extremes where there are any."""
    shown = f"{median(values):,.{digits}f}"
    if min(values) == max(values):
        return shown
    return f"{shown} [{min(values):,.{digits}f}–{max(values):,.{digits}f}]"


def _remembers(figures: Sequence[Figures]) -> bool:
    return all(one.get("remembers") for one in figures)


# ---------------------------------------------------------------------------------------------------------- verdicts


def verdicts(outcome: Outcome) -> Sequence[Verdict]:
    """The figures that Filmgate is to reach, each with what was measured; what was not measured is absent."""
    filmgate, celery = outcome.rounds.get("filmgate", ()), outcome.rounds.get("celery", ())
    found = []
    if filmgate:
        found += [
            _bound(filmgate, "submits/s on disk before the reply, worker idle", "submits_per_s_parked", ">=", 5000),
            _bound(filmgate, "status polls/s", "polls_per_s", ">=", 10000),
            _bound(filmgate, "submit to start, ms, p50", "start_ms_p50", "<=", 2),
            _bound(filmgate, "gateway idle, MB RSS", "gateway_rss_mb_idle", "<=", 60),
            _bound(filmgate, "answers again after kill -9, s", "ready_again_s", "<=", 1),
        ]
    if filmgate and celery:
        found += [_ratio(filmgate, celery, worker) for worker in ("parked", "busy")]
    if outcome.imports is not None:
        bad = outcome.imports.forbidden()
        measured = f"{', '.join(sorted(bad)) or 'none of them'} among {outcome.imports.modules} imports"
        found.append(Verdict("no torch, cv2, numpy or dbos in the gateway process", measured, not bad))
    return found


def _bound(figures: Sequence[Figures], claim: str, figure: str, sign: str, bound: float) -> Verdict:
    value = median(one[figure] for one in figures)
    within: Callable[[float, float], bool] = float.__ge__ if sign == ">=" else float.__le__
    return Verdict(f"{claim} {sign} {bound:,g}", f"{value:,.{2 if bound < 100 else 0}f}", within(value, float(bound)))


def _ratio(filmgate: Sequence[Figures], celery: Sequence[Figures], worker: str) -> Verdict:
    figure = f"submits_per_s_{worker}"
    times = median(one[figure] for one in filmgate) / median(one[figure] for one in celery)
    word = "idle" if worker == "parked" else "busy"
    return Verdict(f"submits/s >= 3x Celery + Redis (fsync every second), worker {word}", f"{times:.1f}x", times >= 3)
