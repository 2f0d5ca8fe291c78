"""Which device a worker gets. Written for machines with and without CUDA devices."""

import pytest
import torch

from filmgate.domain.errors import StartupError
from filmgate.engines.diffusers.device import open_device

CARDS = torch.cuda.device_count() if torch.cuda.is_available() else 0


@pytest.mark.parametrize(("name", "number"), [("auto", 0), ("auto:0", 0), ("auto:1", 1), ("auto:5", 5)])
def test_the_workers_of_a_machine_are_spread_over_its_cards_or_share_the_cpu(name: str, number: int) -> None:
    wanted = torch.device("cuda", number % CARDS) if CARDS else torch.device("cpu")

    assert open_device(name) == wanted


def test_a_card_that_is_not_there_is_named() -> None:
    with pytest.raises(StartupError, match=f"The device cuda:{CARDS} is not there: .* sees {CARDS} CUDA devices"):
        open_device(f"cuda:{CARDS}")
