"""Shows how a request gets on: a bar on a terminal, a line for every new stage elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filmgate.cli.terminal import say

if TYPE_CHECKING:
    from filmgate.client import Status

__all__ = ["shown_progress", "stage_of"]

Show = Callable[["Status"], None]


@contextmanager
def shown_progress(quiet: bool) -> Iterator[Show]:
    """What `Client.wait` calls at every look."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[eta]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sending", total=1.0, eta="")

        def show(status: "Status") -> None:
            eta = "" if status.eta_s is None else f"about {status.eta_s:.0f} s left"
            progress.update(task, completed=status.progress or 0.0, description=stage_of(status), eta=eta)

        yield show


def _lines() -> Show:
    last = ""

    def show(status: "Status") -> None:
        nonlocal last
        stage = stage_of(status)
        if stage != last:
            last = stage
            say(stage)

    return show


def stage_of(status: "Status") -> str:
    """Where a request is, in a few words."""
    match status.word:
        case "in_queue" if status.queue_position:
            return f"in the queue, {status.queue_position} before it"
        case "in_queue":
            return "in the queue, next"
        case "in_progress":
            return status.stage or "running"
        case word:
            return word
