"""The machine of a run: what it is, and its clocks at the time."""

import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import torch

from filmgate import __version__

__all__ = ["clocks", "machine_facts"]

_PACKAGES = ("torch", "triton", "diffusers", "transformers", "accelerate", "fa3-fwd", "numpy")
_CLOCKS = ("clocks.sm", "clocks.mem", "temperature.gpu", "power.draw", "utilization.gpu")


def machine_facts(device: torch.device) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python -m bench.gpu", *sys.argv[1:]]),
        "filmgate": __version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "device": str(device),
    }
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        facts |= {
            "card": card.name,
            "memory_gb": round(card.total_memory / 1e9, 1),
            "multiprocessors": card.multi_processor_count,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "driver": _ask_card(["driver_version"]).get("driver_version"),
        }
    return facts


def clocks(device: torch.device) -> dict[str, str]:
    """Clocks, temperature and power as the driver's tool tells them; empty without a card or the tool."""
    return _ask_card(_CLOCKS) if device.type == "cuda" else {}


def _ask_card(fields: Any) -> dict[str, str]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return {}
    asked = [tool, f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
    answer = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    lines = answer.stdout.strip().splitlines()
    return dict(zip(fields, (value.strip() for value in lines[0].split(",")), strict=False)) if lines else {}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
