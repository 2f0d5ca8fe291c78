"""How a process of this program starts another one of it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from filmgate.config import PREFIX, Settings

__all__ = ["role_command", "role_environment"]


def role_command(*arguments: str) -> tuple[str, ...]:
    """How a process of this program is started: with the import path of this one."""
    # Without -P a module in the working directory would shadow the library's in the child, but not here.
    safe = () if {"", str(Path.cwd())} & set(sys.path) else ("-P",)
    return (sys.executable, *safe, "-m", "filmgate", *arguments)


def role_environment(settings: Settings) -> Mapping[str, str]:
    """This process's environment with exactly these settings."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**others, **settings.environment()}
