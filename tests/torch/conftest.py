"""Tiny weights, made once for a test run, and a server that runs them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from filmgate.encoding.picture import Picture
from filmgate.engines.diffusers.weights.tiny import make_tiny
from tests.torch.approved import copy_with_approved
from tests.torch.service import Service, serving
from tests.torch.twins import write_twins

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder with the five tiny sets and their adapters, shared by the processes of a parallel run."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    folder = shared / "tiny-weights"
    with FileLock(shared / "tiny-weights.lock"):
        if not folder.is_dir():
            make_tiny(folder)
    return folder


@pytest.fixture
def picture() -> Picture:
    """64 wide, 48 high: colours that tell left from right and top from bottom."""
    rows, columns = np.mgrid[0:48, 0:64]
    return np.stack([columns * 4, rows * 5, 255 - columns * 2], axis=-1).astype(np.uint8)


@pytest.fixture(scope="session")
def service(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One server for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("service")
    weights = copy_with_approved(tiny_weights, folder / "weights")
    with serving(folder, weights, models=str(write_twins(folder / "models"))) as running:
        yield running
