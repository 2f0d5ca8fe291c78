"""Never finishes loading."""

import time


def engine() -> None:
    time.sleep(3600)
