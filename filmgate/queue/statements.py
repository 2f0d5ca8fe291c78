"""Reads the SQL files: numbered migrations, and statements that each have a name and a sentence."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

__all__ = ["FOLDER", "Statement", "migration_scripts", "named_statements", "split_script"]

FOLDER = Path(__file__).parent / "sql"

Statement = str

_HEADER = re.compile(r"^-- name: (?P<name>\w+)\n(?P<comment>(?:--.*\n)+)", re.MULTILINE)


def named_statements(path: Path) -> Mapping[str, Statement]:
    """The statements of one file by name, without their comments."""
    text = path.read_text(encoding="utf-8")
    headers = list(_HEADER.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    return {
        header["name"]: text[header.end() : end].strip().removesuffix(";")
        for header, end in zip(headers, ends, strict=True)
    }


def migration_scripts(folder: Path) -> Sequence[str]:
    """The scripts of the numbered files in a folder; the first one makes version 1."""
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))]


def split_script(script: str) -> Iterator[Statement]:
    """The single statements of a script, for databases that commit before a script of several."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
