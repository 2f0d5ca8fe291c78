"""Where a set is while it is not whole: beside its place, under a name that no engine looks at.

It goes to its place by renaming, so a set is there whole or not at all.
"""

import errno
import shutil
from pathlib import Path
from tempfile import TemporaryFile

from filmgate.engines.diffusers.weights.fault import WeightsFault

__all__ = ["disk_fault", "put_in_place", "require_room", "restore", "staging_folder"]


def staging_folder(final: Path, purpose: str) -> Path:
    """The folder beside `final` for what is to become it; `purpose` is a word such as `pulling`."""
    return final.with_name(f".{final.name}.{purpose}")


def put_in_place(staged: Path, final: Path) -> None:
    """Renames a finished folder to its place; what was there before is deleted after that."""
    restore(final)
    if final.exists():
        final.rename(staging_folder(final, "replaced"))
    try:
        staged.rename(final)
    finally:
        restore(final)


def restore(final: Path) -> None:
    """Ends a `put_in_place` that was cut short: what was replaced goes back, or away where its successor is there."""
    replaced = staging_folder(final, "replaced")
    if not replaced.exists():
        return
    if final.exists():
        shutil.rmtree(replaced)
    else:
        replaced.rename(final)


def require_room(folder: Path, needed_bytes: int, purpose: str) -> None:
    """Makes the folder. Raises WeightsFault: `folder_unwritable`, or `disk_full` when less than that is left on it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        raise disk_fault(error, purpose) from error
    if needed_bytes > free_bytes:
        raise WeightsFault(
            f"{purpose} needs {needed_bytes / 1e9:.1f} GB in {folder}, but its disk has {free_bytes / 1e9:.1f} GB "
            "left; free some space, or name a folder on another disk.",
            code="disk_full",
        )


def disk_fault(error: OSError, purpose: str) -> WeightsFault:
    """What to tell when a disk refuses: `disk_full` or `folder_unwritable`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WeightsFault(f"{purpose} ended as the disk is full: free some space and try again.", code="disk_full")
    place = f" at {error.filename}" if error.filename else ""
    return WeightsFault(f"{purpose} is not possible{place}: {error.strerror}.", code="folder_unwritable")
