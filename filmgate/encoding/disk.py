"""What a caller can do about a finished file that could not be written."""

import errno
from typing import TYPE_CHECKING

from filmgate.domain.errors import EngineFailure

if TYPE_CHECKING:
    import av

__all__ = ["unwritable"]


def unwritable(error: "OSError | av.FFmpegError") -> EngineFailure:
    """What a caller can do about a file that could not be written."""
    if error.errno == errno.ENOSPC:
        return EngineFailure(
            "The disk of the worker is full; free some space and send the request again.",
            code="disk_full",
            retryable=True,
        )
    return EngineFailure(
        f"The finished file could not be written ({error.strerror or error}).", code="output_unwritable"
    )
