"""Dies while it loads."""

import os


def engine() -> None:
    os._exit(7)
