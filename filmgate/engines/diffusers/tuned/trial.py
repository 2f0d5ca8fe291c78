"""Trial runs: a part of the tuned path is used only where it first gave the right result on the device."""

import torch

__all__ = ["first_line", "relative_error"]

_LONGEST = 160


def relative_error(made: torch.Tensor, expected: torch.Tensor) -> float:
    """The length of the difference, relative to that of what was expected."""
    made, expected = made.detach().double(), expected.detach().double()
    return float((made - expected).norm() / expected.norm())


def first_line(error: Exception) -> str:
    """What a foreign error says, as far as it fits into a sentence."""
    lines = str(error).strip().splitlines()
    return lines[0][:_LONGEST] if lines else type(error).__name__
