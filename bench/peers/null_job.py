"""The one job that every system runs: write a tiny picture, say when it began, and leave a mark that it ran."""

import os
import time
from pathlib import Path
from typing import Any

__all__ = ["MARKS", "run"]

MARKS = "BENCH_MARKS"
"""The variable that names the file in which every finished job leaves one byte: its size is the truth about work done,
whatever a system says."""

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


def run(folder: Path) -> dict[str, Any]:
    """Leaves `image.png` in `folder`; `started` is in seconds since the epoch."""
    started = time.time()
    (folder / "image.png").write_bytes(PNG)
    marks = os.open(os.environ[MARKS], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(marks, b".")
    finally:
        os.close(marks)
    return {"file": "image.png", "started": started}
