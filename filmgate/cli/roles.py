"""The process of one role: its logs, its lifeline, its end on SIGTERM.

A role runs for weeks, so it does not carry the parser, which weighs 25 MB. Where flags were given, the process that
parsed them becomes the role by exec, with the settings in its environment; without flags nothing is parsed at all.
"""

import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import NoReturn

from filmgate.cli.processes import role_command, role_environment
from filmgate.cli.terminal import BAD_INPUT, say_error, show
from filmgate.config import Settings, load_settings
from filmgate.domain.errors import StartupError
from filmgate.supervise.inheritance import LIFELINE_VARIABLE, LISTEN_VARIABLE, watch_lifeline

__all__ = ["ROLES", "become_role", "run_role"]

NAMED = frozenset({"gateway", "courier", "worker"})
"""Roles of which several may live at a time. Who starts under a name takes over what its last bearer left."""


def become_role(role: str, settings: Settings, *names: str) -> NoReturn:
    """Replaces this process, which has parsed its flags, by the role's."""
    inherited = {name: os.environ[name] for name in (LIFELINE_VARIABLE, LISTEN_VARIABLE) if name in os.environ}
    command = role_command(role, *names)
    sys.stdout.flush()
    os.execve(command[0], command, {**role_environment(settings), **inherited})  # noqa: S606  # our own command


def run_role(role: str, *names: str) -> int:
    """Runs a role whose settings are all in the environment, until SIGTERM or SIGINT; its exit code."""
    if len(names) > (role in NAMED):
        say_error(f"`filmgate {role}` takes no argument {names[-1]!r}; see `filmgate {role} --help`.")
        return BAD_INPUT
    try:
        settings = load_settings()
        watch_lifeline()
        name = names[0] if names else f"{role}-{socket.gethostname()}-{os.getpid()}"
        start_logging(settings, name)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        ROLES[role](settings, name)
    except StartupError as error:
        say_error(error.sentence)
        return BAD_INPUT
    return 0


def start_logging(settings: Settings, name: str) -> None:
    """Logs to stderr, every line with the time and the process's name."""
    logging.basicConfig(
        level=settings.log_level.upper(), format=f"%(asctime)s {name} %(levelname)s %(message)s", stream=sys.stderr
    )


def _end(_: int, __: FrameType | None) -> NoReturn:
    # Outside of a role's own handling, such as while it imports: an orderly end that runs every clean-up.
    sys.exit(0)


def _serve(settings: Settings, _: str) -> None:
    from filmgate.cli.machine import run_machine

    run_machine(settings)


def _gateway(settings: Settings, name: str) -> None:
    from filmgate.wiring import run_gateway

    run_gateway(settings, name)


def _courier(settings: Settings, name: str) -> None:
    from filmgate.wiring import run_courier

    run_courier(settings, name)


def _worker(settings: Settings, name: str) -> None:
    from filmgate.wiring import run_worker

    run_worker(settings, name)


def _prepare(settings: Settings, _: str) -> None:
    """Makes the database and the first account, judges the manifests, and says on stdout what a first call needs.

    A process of its own, so that the supervisor, which lives for weeks, loads neither database nor schemas.
    """
    from filmgate.wiring import first_start, load_manifests, served_manifests

    manifests = load_manifests(settings)
    served_manifests(settings)
    secret = first_start(settings)
    example = None
    for manifest in manifests.values():
        name = manifest.roles["images"]
        if manifest.category == "image-to-video" and isinstance(manifest.example.get(name), str):
            example = {"model_id": manifest.id, "input": name}
    show(json.dumps({"secret": secret, "example": example}))


ROLES: Mapping[str, Callable[[Settings, str], None]] = {
    "serve": _serve,
    "gateway": _gateway,
    "courier": _courier,
    "worker": _worker,
    "prepare": _prepare,
}
