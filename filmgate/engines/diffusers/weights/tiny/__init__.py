"""Tiny sets of weights: the real architectures at a hundred-thousandth of their size, with random values.

They run the same code as the real ones in a second on a CPU, and make moving noise. Equal calls give equal bytes.
"""

from filmgate.engines.diffusers.weights.tiny.sets import ALL, make_tiny

__all__ = ["ALL", "make_tiny"]
