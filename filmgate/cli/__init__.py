"""The command line: one file per command.

Only what a command needs is imported, and only when it runs: `filmgate --help` loads nothing but the parser, and the
roles, which run for weeks, not even that.
"""

import sys
from collections.abc import Sequence

__all__ = ["main", "run_command"]


def main() -> None:
    """The entry point of the `filmgate` program."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: Sequence[str]) -> int:
    """Runs one command; its exit code."""
    from filmgate.cli.roles import ROLES, run_role

    # Without flags there is nothing to parse: a role's process starts faster and stays smaller without the parser.
    if arguments and arguments[0] in ROLES and not any(argument.startswith("-") for argument in arguments):
        return run_role(*arguments)
    from filmgate.cli.app import run_app

    return run_app(arguments)
