"""The SQL files: every statement has a sentence, and the states that they spell are those of the transition table."""

import re
from pathlib import Path

import pytest

from filmgate.domain.request import HELD, TRANSITIONS, WAITING, Event, next_state
from filmgate.queue.statements import FOLDER, migration_scripts, named_statements, split_script

DIALECTS = sorted(path for path in FOLDER.iterdir() if path.is_dir())
STATEMENT_FILES = sorted(path for folder in DIALECTS for path in folder.glob("[a-z]*.sql"))
REQUEST_FILES = [folder / "requests.sql" for folder in DIALECTS]

_STATES = re.compile(r"state IN \(([^)]*)\)")
_ASSIGNED = re.compile(r"SET (?:.*, )?state = ('\w+'|:\w+)")
_GUARD = re.compile(r"WHERE (?:.* AND )?state = ('\w+'|:\w+)")


def short(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", STATEMENT_FILES, ids=short)
def test_every_statement_has_a_name_and_a_sentence(path: Path) -> None:
    blocks = path.read_text().split("-- name: ")[1:]

    assert len(named_statements(path)) == len(blocks)
    for block in blocks:
        comments = [line for line in block.splitlines()[1:] if line.startswith("-- ") and ": " not in line[:10]]
        assert comments, block
        assert comments[-1].endswith("."), block


@pytest.mark.parametrize("path", REQUEST_FILES, ids=short)
def test_states_change_only_as_the_table_says(path: Path) -> None:
    events = dict(re.findall(r"-- name: (\w+)\n-- event: (\w+)\n", path.read_text()))
    changing = {name: sql for name, sql in named_statements(path).items() if _ASSIGNED.search(sql)}

    assert changing
    for name, sql in changing.items():
        assigned, guards = _ASSIGNED.findall(sql), _GUARD.findall(sql)
        if name in events:
            event = Event(events[name])
            (source,) = {state for state, happening in TRANSITIONS if happening is event}
            assert set(guards) == {f"'{source}'"}
            assert assigned == [f"'{next_state(source, event)}'"]
        else:
            # Asked of the table when it runs; the guard is what the answer was given for.
            assert assigned == [":next"], name
            assert guards == [":state"], name


@pytest.mark.parametrize("folder", DIALECTS, ids=lambda folder: folder.name)
def test_groups_of_states_are_those_of_the_domain(folder: Path) -> None:
    texts = [*migration_scripts(folder), (folder / "requests.sql").read_text()]

    groups = {frozenset(re.findall(r"'(\w+)'", group)) for text in texts for group in _STATES.findall(text)}

    assert groups == {frozenset(map(str, WAITING)), frozenset(map(str, HELD))}


def test_a_script_is_split_into_its_statements() -> None:
    script = "-- one; with a semicolon\nCREATE TABLE a (b TEXT);  -- trailing\nCREATE TABLE c (d TEXT DEFAULT ';');\n"

    first, second = split_script(script)

    assert "TABLE a" in first
    assert "TABLE c" in second
