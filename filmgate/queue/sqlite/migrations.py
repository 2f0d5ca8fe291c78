"""Brings a database up to this program's version, one numbered script after another."""

import sqlite3
from pathlib import Path

from filmgate.domain.errors import StartupError
from filmgate.queue.sqlite.writer import patiently
from filmgate.queue.statements import FOLDER, migration_scripts, split_script

__all__ = ["migrate"]


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Applies the scripts that are missing, all of them or none. Raises StartupError for a newer database."""
    scripts = migration_scripts(FOLDER / "sqlite")
    # Processes that start together meet here; the lock lets the first do the work and the others find it done.
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(scripts):
            raise StartupError(
                f"The database {path} has version {version}, this program knows up to {len(scripts)}; "
                "start the newer Filmgate that wrote it, or name another data folder."
            )
        for number, script in enumerate(scripts[version:], start=version + 1):
            for statement in split_script(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
