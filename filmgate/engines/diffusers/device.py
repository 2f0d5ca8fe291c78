"""The device that the models run on, and how much memory they may take there and on the host."""

import os
import resource

import torch

from filmgate.domain.errors import StartupError
from filmgate.engines.diffusers.residency import Budget

__all__ = ["budget", "device_memory_bytes", "open_device", "peak_bytes"]

_GIGABYTE = 1e9
_WEIGHTS_SHARE = 0.85
"""Of the device's memory; what is left holds activations, frames and the libraries' own buffers."""
_HOST_SHARE = 0.7


def open_device(name: str) -> torch.device:
    """The device of this name. Raises StartupError when it is not there.

    `auto` is the first CUDA device or the CPU; `auto:2` is for the third of a machine's workers, which are spread over
    its CUDA devices.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind, _, number = name.partition(":")
    index = int(number or 0)
    if kind == "auto":
        kind, index = ("cuda", index % count) if count else ("cpu", 0)
    if kind != "cuda":
        return torch.device(kind)
    if index >= count:
        raise StartupError(
            f"The device {name} is not there: torch {torch.__version__} sees {count} CUDA devices. "
            "Set device to one that is, or to cpu.",
            code="device_missing",
        )
    device = torch.device(kind, index)
    torch.cuda.set_device(device)
    return device


def device_memory_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def budget(device: torch.device, device_memory_gb: float, host_memory_gb: float) -> Budget:
    """The operator's limits in gigabytes; 0 means what there is, less what work needs."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Budget(
        device_bytes=int(device_memory_gb * _GIGABYTE or device_memory_bytes(device) * _WEIGHTS_SHARE),
        host_bytes=int(host_memory_gb * _GIGABYTE or machine * _HOST_SHARE),
    )


def peak_bytes(device: torch.device) -> int:
    """The most memory that this process had on the device; on a CPU, of all."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
