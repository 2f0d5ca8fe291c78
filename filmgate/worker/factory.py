"""Where an engine comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["EngineFactory"]


@dataclass(frozen=True, slots=True)
class EngineFactory:
    """A callable that makes an engine, as `package.module:Callable`, and the keyword arguments that it gets (JSON)."""

    target: str
    options: Mapping[str, Any] = field(default_factory=dict)
