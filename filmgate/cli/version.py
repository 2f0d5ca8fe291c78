"""`filmgate version`."""

from filmgate import __version__
from filmgate.cli.terminal import show

__all__ = ["version"]


def version() -> None:
    """Show the version of Filmgate."""
    show(__version__)
