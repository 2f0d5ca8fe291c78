"""Which parts of which models are in memory, and where.

A part is one module of one set of weights: a text encoder, an expert, a VAE. It is loaded when it is first needed and
stays: on the device while there is room, else in the host's memory (pinned, so that it comes back at the speed of the
bus), else on disk. The part that was used longest ago makes room. Weights never change, so what leaves the device is
not copied back: its tensors point at the host's copy again. A part that is larger than the whole device is streamed
through it block by block. On a CPU there is one memory, and leaving it is forgetting.
"""

import gc
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from filmgate.domain.errors import EngineFailure

__all__ = ["Budget", "Residency"]

logger = logging.getLogger(__name__)

PartKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Budget:
    """How many bytes of weights may be on the device, and in the host's memory."""

    device_bytes: int
    host_bytes: int


class _Part:
    """A loaded module and where its tensors are."""

    def __init__(self, module: nn.Module, device: torch.device) -> None:
        self.module = module
        self.size_bytes = sum(tensor.nbytes for tensor in tensors(module))
        self.users = 0
        self.streamed = False
        self._device = device
        self._host: list[tuple[torch.Tensor, torch.Tensor]] = []

    @property
    def on_device(self) -> bool:
        return self._device.type == "cpu" or bool(self._host) or self.streamed

    @property
    def takes_device(self) -> bool:
        return bool(self._host)

    def to_device(self) -> None:
        """All of it, or nothing when the device runs out of memory."""
        try:
            for tensor in tensors(self.module):
                # One by one: a pinned copy of all beside the original would take the host's memory twice.
                kept = pinned(tensor.data)
                self._host.append((tensor, kept))
                tensor.data = kept.to(self._device, non_blocking=True)
        except BaseException:
            self.to_host()
            raise

    def stream(self) -> None:
        """From now on only the blocks at work are on the device."""
        from diffusers.hooks import apply_group_offloading

        blocks = hasattr(self.module, "blocks") or hasattr(self.module, "transformer_blocks")
        apply_group_offloading(
            self.module,
            onload_device=self._device,
            offload_type="block_level" if blocks else "leaf_level",
            num_blocks_per_group=1,
            use_stream=True,
        )
        self.streamed = True

    def to_host(self) -> None:
        for tensor, kept in self._host:
            tensor.data = kept
        self._host = []


class Residency:
    """The parts in the memory of one device. One thread at a time."""

    def __init__(self, device: torch.device, budget: Budget) -> None:
        self._device = device
        self._budget = budget
        self._parts: OrderedDict[PartKey, _Part] = OrderedDict()
        self.loads = 0
        """How often a part came from disk."""
        self.loading: Callable[[], AbstractContextManager[None]] = nullcontext
        """Entered while a part comes from disk: that may take minutes."""

    @property
    def resident(self) -> tuple[PartKey, ...]:
        """The parts in memory, the one that was used longest ago first."""
        return tuple(self._parts)

    @contextmanager
    def use(self, key: PartKey, load: Callable[[], nn.Module]) -> Iterator[nn.Module]:
        """The part on the device, where it stays at least until the block ends; `load` brings it from disk.

        Raises EngineFailure (`out_of_memory`) when the part alone is larger than the host's memory.
        """
        part = self._parts.get(key)
        if part is None:
            part = self._loaded(key, load)
        self._parts.move_to_end(key)
        part.users += 1
        try:
            self._bring(part)
            yield part.module
        finally:
            part.users -= 1

    def clear(self) -> None:
        """Drops every part that is not in use."""
        self._drop([key for key, part in self._parts.items() if not part.users])

    def _bring(self, part: _Part) -> None:
        if part.on_device:
            return
        if part.size_bytes > self._budget.device_bytes:
            part.stream()
        else:
            self._make_room(part.size_bytes, self._budget.device_bytes, on_host=False)
            part.to_device()

    def _loaded(self, key: PartKey, load: Callable[[], nn.Module]) -> _Part:
        with self.loading():
            module = load()
        self.loads += 1
        part = _Part(module, self._device)
        if part.size_bytes > self._budget.host_bytes:
            raise EngineFailure(
                f"{'/'.join(key[-2:])} takes {part.size_bytes / 1e9:.2f} GB, but models may take "
                f"{self._budget.host_bytes / 1e9:.2f} GB of this machine's memory; raise host_memory_gb, or convert "
                "the weights to a smaller format with `filmgate weights convert`.",
                code="out_of_memory",
            )
        self._make_room(part.size_bytes, self._budget.host_bytes, on_host=True)
        self._parts[key] = part
        logger.info("loaded %s, %.1f MB", "/".join(key[-2:]), part.size_bytes / 1e6)
        return part

    def _make_room(self, size_bytes: int, budget_bytes: int, *, on_host: bool) -> None:
        leaving = self._oldest(size_bytes, budget_bytes, on_host=on_host)
        if on_host:
            self._drop(leaving)
        else:
            for key in leaving:
                self._parts[key].to_host()

    def _oldest(self, size_bytes: int, budget_bytes: int, *, on_host: bool) -> Sequence[PartKey]:
        """The parts that have to leave so that so many bytes more are within the budget."""
        held = {key: part for key, part in self._parts.items() if on_host or part.takes_device}
        total = sum(part.size_bytes for part in held.values())
        leaving = []
        for key, part in held.items():
            if total + size_bytes <= budget_bytes:
                break
            if not part.users:
                total -= part.size_bytes
                leaving.append(key)
        return leaving

    def _drop(self, keys: Sequence[PartKey]) -> None:
        if not keys:
            return
        for key in keys:
            self._parts.pop(key).to_host()
            logger.info("dropped %s", "/".join(key[-2:]))
        # A model that ran holds itself, by way of the library's hooks on it: only the collector lets go of such a ring.
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
            # Else torch keeps the pinned memory for itself, and the next part takes as much again. Before 2.13 it may
            # have no way to give it back.
            if hasattr(torch.accelerator, "empty_host_cache"):
                torch.accelerator.empty_host_cache()


def tensors(module: nn.Module) -> Iterator[torch.Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def pinned(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor in page-locked memory; where the system refuses more of that, the tensor itself."""
    try:
        return tensor.pin_memory()
    except RuntimeError:
        return tensor
