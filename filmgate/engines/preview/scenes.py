"""The last analysed scenes, so that a second clip of the same picture and size starts at once."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from filmgate.domain.errors import EngineFailure
from filmgate.encoding.picture import read_picture, scale_picture
from filmgate.engines.preview.analyse import analyse
from filmgate.engines.preview.nets import Nets
from filmgate.engines.preview.scene import Scene

__all__ = ["Scenes"]

KEPT = 2
"""A scene of 1080P takes about 50 MB."""


class Scenes:
    """Scenes by content of the picture and size of the clip."""

    def __init__(self, nets: Nets) -> None:
        self._nets = nets
        self._kept: OrderedDict[tuple[str, int, int], Scene] = OrderedDict()

    def scene(self, path: Path, width: int, height: int, step_done: Callable[[float], None]) -> tuple[Scene, bool]:
        """The scene of a picture file for clips of this size, and whether it was known already.

        The picture is scaled whole, without crop or bars, before anything else: a large one is not kept in memory.
        `step_done` is as in `analyse`.
        """
        key = (content_hash(path), width, height)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key], True
        frame = scale_picture(read_picture(path), width, height)
        scene = analyse(frame, self._nets, step_done)
        self._kept[key] = scene
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return scene, False


def content_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EngineFailure(f"The input picture {path.name} cannot be read.", code="input_unreadable") from error
