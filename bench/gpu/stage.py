"""Models in place of files: the engine's own path, fed with weights that were made on the device."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.gpu.floor import Case
from filmgate.domain.errors import RequestStopped
from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.catalog import Installed, installed
from filmgate.engines.diffusers.loading import load_scheduler
from filmgate.engines.diffusers.wan import Segment
from filmgate.engines.diffusers.weights.tiny import make_tiny

__all__ = ["SET", "Silent", "Stage", "embeddings", "installed_form", "picture", "segment"]

SET = "wan2.2-i2v-a14b"
_TEXT_TOKENS = 512


class Stage:
    """What `Suite` is to an engine's model: its parts by name, all on the device already."""

    def __init__(
        self, form: Installed, parts: Mapping[str, nn.Module], texts: Mapping[str, torch.Tensor], device: torch.device
    ) -> None:
        self.installed = form
        self.device = device
        self.dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        self._parts = parts
        self._texts = texts

    @contextmanager
    def use(self, part: str) -> Iterator[Any]:
        yield self._parts[part]

    def scheduler(self, **changes: Any) -> Any:
        return load_scheduler(self.installed, **changes)

    def embedding(self, text: str, embed: Callable[[], torch.Tensor]) -> torch.Tensor:
        del embed
        return self._texts[text]


class Silent:
    """A report that nobody reads. `stopped` is asked at each chance to stop."""

    def __init__(self, stopped: Callable[[], bool] = lambda: False) -> None:
        self._stopped = stopped

    def progress(self, fraction: float, stage: str) -> None: ...

    def log(self, line: str) -> None: ...

    def preview(self, path: Path) -> None: ...

    def checkpoint(self, path: Path) -> None: ...

    def stop_if_cancelled(self) -> None:
        if self._stopped():
            raise RequestStopped("The bench stops this job.")


@contextmanager
def installed_form() -> Iterator[Installed]:
    """The settings of the set in its own layout: those of tiny weights, which are the real ones' but for sizes."""
    with tempfile.TemporaryDirectory() as folder:
        make_tiny(Path(folder), [SET])
        yield installed(Path(folder), SET)


def embeddings(device: torch.device, width: int) -> dict[str, torch.Tensor]:
    """Random embeddings of a prompt and a negative prompt, of the spread that the text encoder's have."""
    numbers = torch.Generator(device).manual_seed(7)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    drawn = torch.empty(2, 1, _TEXT_TOKENS, width, device=device).normal_(0, 0.2, generator=numbers).to(dtype)
    return {"wanted": drawn[0], "unwanted": drawn[1]}


def picture(case: Case) -> Picture:
    """Colours that run over the picture, with some noise."""
    rows, columns = np.mgrid[0 : case.height, 0 : case.width]
    noise = np.random.default_rng(0).integers(0, 32, (case.height, case.width))
    channels = [rows * 223 // case.height, columns * 223 // case.width, (rows + columns) % 224]
    return np.stack([channel + noise for channel in channels], axis=-1).astype(np.uint8)


def segment(case: Case, *, steps: int, guided: bool, seed: int = 1) -> Segment:
    guidance = (3.5, 3.5) if guided else (1.0, 1.0)
    return Segment("wanted", "unwanted", picture(case), case.frames, steps, guidance, 5.0, seed)
