"""Which failures of a device mean what."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from filmgate.domain.errors import EngineBroken

__all__ = ["device_faults"]

logger = logging.getLogger(__name__)

_STICKY = ("CUDA error", "CUBLAS_STATUS", "CUDNN_STATUS", "cuDNN error")
"""After one of these every later call on the device fails too, until the process ends."""


@contextmanager
def device_faults() -> Iterator[None]:
    """Inside, a device that cannot be used any more raises EngineBroken. Running out of memory is not such a case."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except torch.AcceleratorError as error:
        raise _broken(error) from error
    except RuntimeError as error:
        if any(sign in str(error) for sign in _STICKY):
            raise _broken(error) from error
        raise


def _broken(error: Exception) -> EngineBroken:
    logger.error("the device failed: %s", str(error).splitlines()[0])
    return EngineBroken("The graphics device failed and must be opened anew.")
