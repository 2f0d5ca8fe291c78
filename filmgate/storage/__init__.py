"""Keeps the bytes of inputs and outputs."""

from filmgate.storage.objects import ObjectStorage

__all__ = ["ObjectStorage"]
