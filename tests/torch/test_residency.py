"""Parts of models in a budget: who stays, who goes, and that what comes back is the same."""

import weakref
from typing import Any

import pytest
import torch
from torch import nn

from filmgate.domain.errors import EngineFailure
from filmgate.engines.diffusers.residency import Budget, Residency

CPU = torch.device("cpu")


def linear(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Linear(64, 64)


SIZE_BYTES = sum(tensor.nbytes for tensor in linear(0).parameters())


def residency(parts: float) -> Residency:
    room = int(parts * SIZE_BYTES)
    return Residency(CPU, Budget(room, room))


def test_a_part_in_memory_is_not_loaded_again() -> None:
    memory = residency(3)

    with memory.use(("a",), lambda: linear(1)) as first:
        pass
    with memory.use(("a",), lambda: linear(2)) as second:
        pass

    assert first is second
    assert memory.loads == 1


def test_the_part_that_was_used_longest_ago_makes_room() -> None:
    memory = residency(2)

    for name in ("a", "b", "a", "c"):
        with memory.use((name,), lambda: linear(1)):
            pass

    assert memory.resident == (("a",), ("c",))


def test_what_was_dropped_comes_back_from_disk_as_it_was() -> None:
    memory = residency(1)
    given = torch.ones(1, 64)

    with memory.use(("a",), lambda: linear(7)) as part:
        before = part(given)
    with memory.use(("b",), lambda: linear(8)):
        pass
    with memory.use(("a",), lambda: linear(7)) as part:
        after = part(given)

    assert torch.equal(before, after)
    assert memory.loads == 3


def test_a_part_in_use_is_never_dropped() -> None:
    memory = residency(1)

    with memory.use(("a",), lambda: linear(1)), memory.use(("b",), lambda: linear(2)):
        assert ("a",) in memory.resident

    assert memory.loads == 2


def test_a_part_larger_than_all_memory_is_refused_with_a_sentence() -> None:
    memory = residency(0.5)

    with pytest.raises(EngineFailure, match="host_memory_gb") as raised, memory.use(("set", "a"), lambda: linear(1)):
        pass

    assert raised.value.code == "out_of_memory"
    assert memory.resident == ()


def test_clearing_keeps_what_is_in_use() -> None:
    memory = residency(3)

    with memory.use(("a",), lambda: linear(1)):
        with memory.use(("b",), lambda: linear(2)):
            pass
        memory.clear()

    assert memory.resident == (("a",),)


class Ring(nn.Module):
    """Holds itself, as the library's hooks do with the model that they hang on."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = linear(1)
        self.hook = [self]


def test_what_was_dropped_or_cleared_away_is_out_of_memory_at_once() -> None:
    memory = residency(1)
    with memory.use(("a",), Ring) as part:
        dropped = weakref.ref(part)
    del part
    with memory.use(("b",), Ring) as part:
        assert dropped() is None
        cleared = weakref.ref(part)
    del part

    memory.clear()

    assert cleared() is None


@pytest.fixture
def full_device(monkeypatch: pytest.MonkeyPatch) -> Residency:
    """The memory of a device (in fact the host's) with no room for the second tensor that comes, and then for all."""
    device = torch.device("meta")
    full = iter([False, True])
    genuine = torch.Tensor.to

    def to(tensor: torch.Tensor, *given: Any, **named: Any) -> torch.Tensor:
        if given[:1] != (device,):
            return genuine(tensor, *given, **named)
        if next(full, False):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return tensor.clone()

    monkeypatch.setattr(torch.Tensor, "to", to)
    return Residency(device, Budget(10 * SIZE_BYTES, 10 * SIZE_BYTES))


def test_a_part_that_did_not_fit_the_device_is_moved_whole_when_it_does(full_device: Residency) -> None:
    loaded = linear(1)
    at_home = {tensor.data_ptr() for tensor in loaded.parameters()}
    with pytest.raises(torch.OutOfMemoryError), full_device.use(("a",), lambda: loaded):
        pass
    assert {tensor.data_ptr() for tensor in loaded.parameters()} == at_home

    with full_device.use(("a",), lambda: loaded) as part:
        assert at_home.isdisjoint(tensor.data_ptr() for tensor in part.parameters())
