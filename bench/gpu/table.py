"""A run's figures for people: medians with their extremes, the floor, the best that others published, and the goals."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.gpu.floor import GOALS, PUBLISHED

__all__ = ["tables"]

Row = Sequence[str]


def tables(part: str, report: Mapping[str, Any]) -> str:
    """The tables of one part, as Markdown."""
    return "\n\n".join(_PARTS[part](part, report))


def _video(tier: str, report: Mapping[str, Any]) -> Iterator[str]:
    published, goals = PUBLISHED[tier], GOALS[tier]
    floors = report["forward_floors_s"]
    guided = report["guided"]
    rows = [[name, _figure(row["step_s"]), _error(row), _memory(report, name, row)] for name, row in guided.items()]
    rows += [[f"floor, {name}", f"{2 * seconds:.2f}", "", ""] for name, seconds in floors.items()]
    rows.append(["published: stock", published.get("stock step, s", "–"), "", ""])
    rows.append(["published: best", published["step, s"], "", ""])
    rows.append(["goal", _goal(goals, "step, s"), "", ""])
    yield _table(f"{tier}: a guided step (two passes)", ["", "s", "error of latents", "GB with activations"], rows)

    distilled = report["distilled"]
    titles = ["", "encode s", "4 steps s", "decode s", "end to end s", "PSNR to stock, dB"]
    rows = [[name, *_stages(row), _db(row)] for name, row in distilled.items()]
    rows += [[f"floor, {name}", "", f"{4 * seconds:.2f}", "", "", ""] for name, seconds in floors.items()]
    rows.append(["published: best", "", "", "", published["4 steps end to end, s"], ""])
    rows.append(["goal", "", "", "", _goal(goals, "4 steps end to end, s"), ""])
    yield _table(f"{tier}: four steps without guidance, picture to frames", titles, rows)
    yield _words(report["what_runs"])


def _stages(row: Mapping[str, Any]) -> Row:
    return [_figure(row[name]) for name in ("encode_s", "denoise_s", "decode_s", "end_to_end_s")]


def _kernels(_part: str, report: Mapping[str, Any]) -> Iterator[str]:
    for tier, products in report["products"].items():
        rows = [
            [f"{shape}, {name}", _figure(row["ms"]), f"{row['tflop_per_s']:.0f}", f"{row['relative_error']:.1e}"]
            for shape, variants in products.items()
            for name, row in variants.items()
        ]
        yield _table(f"Products, {tier}", ["", "ms", "TFLOP/s", "error"], rows)
    for tier, kernels in report["attention"].items():
        rows = [
            [name, _figure(row["ms"]), f"{row['tflop_per_s']:.0f}", f"{row['relative_error']:.1e}"]
            for name, row in kernels.items()
            if name != "refused"
        ]
        rows += [[name, "–", "–", reason] for name, reason in kernels["refused"].items()]
        yield _table(f"Self-attention, {tier}", ["", "ms", "TFLOP/s", "error"], rows)
    rows = [
        [f"{name}, {variant}", _figure(row["ms"]), f"{row['gb_per_s']:.0f}"]
        for name, variants in report["element-wise"]["480p"].items()
        for variant, row in variants.items()
    ]
    yield _table("Element-wise passes, 480p", ["", "ms", "GB/s"], rows)
    rows = [
        [
            name,
            _figure(row["encode_s"]),
            _figure(row["decode_s"]),
            f"{row['decode_tflop_per_s']:.0f}",
            f"{row['encode_error']:.1e}",
            f"{row['decode_error']:.1e}",
            f"{row['warm_up_s']:.1f}",
        ]
        for name, row in report["vae"]["480p"].items()
    ]
    titles = ["", "encode s", "decode s", "decode TFLOP/s", "encode error", "decode error", "warm-up s"]
    yield _table("VAE, 480p", titles, rows)


def _service(_part: str, report: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        [name, f"{row['gb']:.1f}", f"{row['first_s']:.2f}", _figure(row["in_s"]), _figure(row["out_s"])]
        for name, row in report["swap"].items()
    ]
    yield _table("An expert between host and device", ["", "GB", "first s", "in s", "out s"], rows)
    cancel, clips = report["cancel"], report["clips"]
    latency = cancel["latency_s"]
    rows = [
        ["stop to idle, s", "–" if latency is None else _figure(latency), f"below a step: {cancel['step_s']:.2f}", ""],
        [
            "clips per GPU-hour, 480p",
            f"{clips['clips_per_hour']:.0f}",
            _goal(GOALS["480p"], "clips per GPU-hour"),
            PUBLISHED["480p"]["clips per GPU-hour"],
        ],
    ]
    yield _table("In service, profile fast", ["", "ours", "goal", "published"], rows)
    yield _words({"fast": report["what_runs"]})


def _image(_part: str, report: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for name, figures in report.items():
        if not name.endswith("references"):
            continue
        for variant in ("stock", "balanced"):
            row = figures.get(variant)
            if row is not None:
                error = f"{figures['balanced_error']:.1e}" if variant == "balanced" else "0"
                rows.append([f"{name}, {variant}", _figure(row["pass_s"]), f"{row['eight_passes_s']:.2f}", error])
    yield _table("Image editing, one pass", ["", "s", "eight passes s", "error"], rows)
    yield _words({"balanced": report["what_runs"]})


_PARTS = {"kernels": _kernels, "480p": _video, "720p": _video, "service": _service, "image": _image}


# --------------------------------------------------------------------------------------------------------------- cells


def _figure(spread: Mapping[str, Any]) -> str:
    """Median, and the extremes where there were several rounds."""
    digits = 3 if spread["median"] < 1 else 2
    middle = f"{spread['median']:.{digits}f}"
    if len(spread["values"]) < 2:
        return middle
    return f"{middle} [{spread['min']:.{digits}f}–{spread['max']:.{digits}f}]"


def _error(row: Mapping[str, Any]) -> str:
    return f"{row['latents_error']:.1e}" if "latents_error" in row else "–"


def _db(row: Mapping[str, Any]) -> str:
    if "psnr_db" not in row:
        return "–"
    return "equal" if row["psnr_db"] is None else f"{row['psnr_db']:.1f}"


def _memory(report: Mapping[str, Any], name: str, row: Mapping[str, Any]) -> str:
    if "activations_gb" not in row:
        return "–"
    return f"{report['weights_gb'][name] + row['activations_gb']['median']:.1f}"


def _goal(goals: Mapping[str, float], name: str) -> str:
    return f"{goals[name]:g}" if name in goals else "–"


def _words(what_runs: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"- {name}: {'; '.join(words) or 'as the library has it'}" for name, words in what_runs.items())


def _table(title: str, titles: Row, rows: Sequence[Row]) -> str:
    widths = [max(len(row[column]) for row in [titles, *rows]) for column in range(len(titles))]

    def line(cells: Row) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    ruler = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([f"**{title}**", "", line(titles), ruler, *(line(row) for row in rows)])
