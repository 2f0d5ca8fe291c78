"""Optional parts of this engine: which are installed, and which the device can use.

Looking up a version imports nothing. Whether the device has what a part needs takes torch; ask for that only where
torch is loaded anyway or its seconds do not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

__all__ = ["Part", "optional_parts"]

_PACKAGES = (
    ("torch", "runs every model"),
    ("triton", "fused kernels of balanced and fast; comes with torch for CUDA"),
    ("fa3-fwd", "FlashAttention 3, in 16 and 8 bits, for balanced and fast on Hopper cards"),
    ("flash-attn", "not used: FlashAttention 3 or torch's own flash kernel take its place"),
    ("kernels", "not used: it would download programs while serving"),
    ("torchao", "not used: torch multiplies 8-bit numbers by itself"),
    ("cache-dit", "not used: diffusers' own first-block cache serves balanced-cached"),
)
_NOT_ASKED = "not looked at: that takes torch"
FP8_CAPABILITY = (8, 9)
HOPPER_CAPABILITY = (9, 0)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `detail` is its version, or why it is not available; `use` is what it is for here."""

    name: str
    available: bool
    detail: str
    use: str


def optional_parts(*, device: bool = False) -> Sequence[Part]:
    """One row for each part. With `device`, torch is imported and the first CUDA device asked what it can do."""
    rows = [_package(name, use) for name, use in _PACKAGES]
    return [*rows, *_device_parts(asked=device)]


def _package(name: str, use: str) -> Part:
    try:
        return Part(name, True, metadata.version(name), use)
    except metadata.PackageNotFoundError:
        return Part(name, False, "not installed", use)


def _device_parts(*, asked: bool) -> Sequence[Part]:
    units, cudnn = "8-bit matrix units", "cuDNN attention"
    uses = {units: "8-bit linear layers of balanced and fast", cudnn: "attention of balanced and fast without fa3-fwd"}
    if find_spec("torch") is None:
        return [Part(name, False, "torch is not installed", use) for name, use in uses.items()]
    if not asked:
        return [Part(name, False, _NOT_ASKED, use) for name, use in uses.items()]
    import torch

    if not torch.cuda.is_available():
        reason = f"torch {torch.__version__} sees no CUDA device"
        return [Part(name, False, reason, use) for name, use in uses.items()]
    capability = torch.cuda.get_device_capability()
    version = torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None
    card = f"{torch.cuda.get_device_name()}, compute capability {capability[0]}.{capability[1]}"
    return [
        Part(units, capability >= FP8_CAPABILITY, card, uses[units]),
        Part(cudnn, version is not None, f"cuDNN {version}" if version else "torch has no cuDNN", uses[cudnn]),
    ]
