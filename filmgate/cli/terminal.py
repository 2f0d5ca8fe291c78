"""What the commands say: sentences for people on stderr, in colour only on a terminal; results on stdout."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, TextIO

__all__ = [
    "BAD_INPUT",
    "FAILED",
    "INTERRUPTED",
    "say",
    "say_error",
    "say_warning",
    "show",
    "show_json",
    "show_table",
    "styled",
]

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

_STYLES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """`text` in a colour or weight where `stream` (stdout) is a terminal, else as it is. NO_COLOR is respected."""
    stream = sys.stdout if stream is None else stream
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def say_error(sentence: str) -> None:
    say(styled(f"Error: {sentence}", "red", sys.stderr))


def say_warning(sentence: str) -> None:
    say(styled(f"Warning: {sentence}", "yellow", sys.stderr))


def say(line: str) -> None:
    """A line for the person at the terminal."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  # this is where the program speaks


def show(line: str = "") -> None:
    """A line of the command's result."""
    print(line, flush=True)  # noqa: T201  # this is where the program speaks


def show_json(value: Any) -> None:
    """The command's result for a program."""
    show(json.dumps(value, ensure_ascii=False, indent=2))


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Aligned columns; on a terminal the last one wraps within itself, elsewhere every row is one line."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    room = max(20, shutil.get_terminal_size().columns - sum(widths[:-1]) - 2 * (len(heads) - 1))
    for number, row in enumerate((heads, *rows)):
        last = textwrap.wrap(row[-1], room) if sys.stdout.isatty() else [row[-1]]
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        line = "  ".join([*cells, last[0] if last else ""]).rstrip()
        show(styled(line, "dim") if number == 0 else line)
        indent = " " * (sum(widths[:-1]) + 2 * (len(heads) - 1))
        for further in last[1:]:
            show(f"{indent}{further}")
