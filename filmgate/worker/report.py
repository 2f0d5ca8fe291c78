"""How an engine's reports leave the child process: at once while they are few, bundled when they are a flood."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from filmgate.domain.errors import RequestStopped
from filmgate.domain.ports import Report
from filmgate.worker.messages import Checkpointed, Previewed, Reported, sendable_text

__all__ = ["LINES_KEPT", "PREVIEW_EVERY_S", "ChildReport", "Orders"]

LINES_KEPT = 100
_LINE_LENGTH = 2000
_REPORTS_PER_S = 20.0

PREVIEW_EVERY_S = 2.0
"""Previews that come sooner after another are dropped."""
_PREVIEW_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Orders:
    """What the worker says while one job runs: `stop` is set once, `kept` is released for each answered checkpoint."""

    stop: threading.Event = field(default_factory=threading.Event)
    kept: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class ChildReport(Report):
    """The report of one job. May be called from any thread of the engine."""

    def __init__(self, send: Callable[[Reported | Previewed | Checkpointed], None], orders: Orders) -> None:
        self._send = send
        self._orders = orders
        self._lock = threading.Lock()
        self._checkpointing = threading.Lock()
        self._fraction = 0.0
        self._stage = ""
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._allowance = _REPORTS_PER_S
        self._counted_at = time.monotonic()
        self._previewed_at = -PREVIEW_EVERY_S
        self._over = False

    def progress(self, fraction: float, stage: str) -> None:
        with self._lock:
            # In this order a NaN leaves the fraction as it is.
            self._fraction = max(self._fraction, min(float(fraction), 1.0))
            self._stage = sendable_text(stage)
            self._send_within_allowance()

    def log(self, line: str) -> None:
        with self._lock:
            self._note(line)

    def preview(self, path: Path) -> None:
        with self._lock:
            now = time.monotonic()
            if self._over or now - self._previewed_at < PREVIEW_EVERY_S:
                return
            self._previewed_at = now
            size_bytes = path.stat().st_size
            if size_bytes > _PREVIEW_BYTES:
                self._note(f"A preview of {size_bytes} bytes was not shown: {_PREVIEW_BYTES} are the most.")
            else:
                self._send(Previewed(path.read_bytes()))

    def checkpoint(self, path: Path) -> None:
        # One at a time: an answer says no more than that the last one was looked after.
        with self._checkpointing:
            with self._lock:
                if self._over:
                    return
                self._send(Checkpointed(str(path)))
            # Always answered, also after a stop; and when the worker dies, so does this process.
            self._orders.kept.acquire()

    def stop_if_cancelled(self) -> None:
        if self._orders.stop.is_set():
            raise RequestStopped("The request was told to stop.")

    def end(self) -> None:
        """Sends the lines that a flood held back. A thread that reports later is not heard in the next job."""
        with self._lock:
            if self._lines:
                self._send_now()
            self._over = True

    def _note(self, line: str) -> None:
        self._lines.append(sendable_text(line)[:_LINE_LENGTH])
        self._send_within_allowance()

    def _send_within_allowance(self) -> None:
        now = time.monotonic()
        self._allowance = min(self._allowance + (now - self._counted_at) * _REPORTS_PER_S, _REPORTS_PER_S)
        self._counted_at = now
        if self._allowance >= 1 and not self._over:
            self._allowance -= 1
            self._send_now()

    def _send_now(self) -> None:
        self._send(Reported(self._fraction, self._stage, tuple(self._lines)))
        self._lines.clear()
