"""The physical limit: a reply that promises durability cannot leave before the disk has answered."""

import os
import time
from pathlib import Path

__all__ = ["filesystem", "fsyncs_per_s"]

PAGE = bytes(4096)


def fsyncs_per_s(folder: Path, seconds: float) -> float:
    """How often a second one writer can append 4 KiB and have them on disk."""
    path = folder / "fsync"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        count, began = 0, time.monotonic()
        while (took_s := time.monotonic() - began) < seconds:
            os.write(descriptor, PAGE)
            os.fsync(descriptor)
            count += 1
        return count / took_s
    finally:
        os.close(descriptor)
        path.unlink()


def filesystem(folder: Path) -> str:
    """The kind of file system that holds `folder`; on tmpfs an fsync costs nothing and proves nothing."""
    kinds: dict[Path, str] = {}
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mounted_at, kind, *_ = line.split()
        kinds[Path(mounted_at)] = kind
    real = folder.resolve()
    return next((kinds[place] for place in (real, *real.parents) if place in kinds), "unknown")
