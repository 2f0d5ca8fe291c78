"""What `filmgate doctor` reports: one thing that was looked at, and how bytes read."""

from dataclasses import dataclass

__all__ = ["Finding", "shown_size"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` is empty where all is well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def shown_size(size_bytes: int) -> str:
    if size_bytes < 2**20:
        return f"{size_bytes / 2**10:.0f} KiB"
    return f"{size_bytes / 2**20:.0f} MiB" if size_bytes < 2**30 else f"{size_bytes / 2**30:.1f} GiB"
