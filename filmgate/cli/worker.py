"""`filmgate worker`: one worker, where it is wanted."""

from typing import Annotated

import typer

from filmgate.cli.roles import become_role
from filmgate.cli.settings import takes_settings
from filmgate.config import Settings

__all__ = ["worker"]


@takes_settings(
    "data", "models", "engines", "weights", "device", "profile", "substitutes", "device_memory_gb", "host_memory_gb",
    "frame_interpolation", "checkpoint_steps", "serve", "lease_s", "stall_s", "drain_s", "log_level",
)  # fmt: skip
def worker(
    name: Annotated[
        str | None,
        typer.Argument(help="Its name in the queue, unique among living workers. Default: host and process id."),
    ] = None,
    *,
    settings: Settings,
) -> None:
    """Start one worker.

    It runs requests, one at a time, with the engines that it has.
    """
    become_role("worker", settings, *([] if name is None else [name]))
