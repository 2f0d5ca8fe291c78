"""How long a worker waits for what."""

from dataclasses import dataclass

__all__ = ["WorkerLimits"]


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """All in seconds."""

    beat_s: float = 0.25
    """Between two beats: how stale progress may be, and how late a stop is heard."""
    start_s: float = 900.0
    """Until an engine must have loaded its models."""
    stall_s: float = 300.0
    """An engine that reports nothing for so long hangs."""
    stop_grace_s: float = 5.0
    """From telling an engine to stop to killing its process."""
    drain_s: float = 30.0
    """What a running request gets when the worker is to end."""
