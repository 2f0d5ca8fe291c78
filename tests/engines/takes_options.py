"""Tells with what it was made: its device is its options."""

import json
from typing import Any

from filmgate.domain.ports import Capabilities
from tests.engines import null


class Engine(null.Engine):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = options

    def capabilities(self) -> Capabilities:
        return Capabilities(engine="test", version="1", device=json.dumps(self._options), memory_bytes=0)
