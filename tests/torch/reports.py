"""A report that remembers what an engine says, and stops it when a test wants that."""

from collections.abc import Callable
from pathlib import Path

from filmgate.domain.errors import RequestStopped

__all__ = ["Notebook"]


class Notebook:
    """Keeps every progress, preview and checkpoint. `stop` is asked at each chance to stop the job."""

    def __init__(self, stop: Callable[["Notebook"], bool] = lambda _: False) -> None:
        self.heard: list[tuple[float, str]] = []
        self.previews: list[bytes] = []
        self.checkpoints: list[bytes] = []
        self.lines: list[str] = []
        self.chances = 0
        self._stop = stop

    def progress(self, fraction: float, stage: str) -> None:
        self.heard.append((fraction, stage))

    def log(self, line: str) -> None:
        self.lines.append(line)

    def preview(self, path: Path) -> None:
        self.previews.append(path.read_bytes())

    def checkpoint(self, path: Path) -> None:
        self.checkpoints.append(path.read_bytes())

    def stop_if_cancelled(self) -> None:
        self.chances += 1
        if self._stop(self):
            raise RequestStopped("The request was told to stop.")

    @property
    def stages(self) -> list[str]:
        """The stages in their order, each once in a row."""
        return [stage for place, (_, stage) in enumerate(self.heard) if place == 0 or self.heard[place - 1][1] != stage]
