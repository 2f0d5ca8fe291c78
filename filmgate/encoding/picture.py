"""Single pictures: read, scaled whole, written as PNG. A Picture is height × width × 3 uint8 RGB."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from filmgate.domain.errors import EngineFailure
from filmgate.encoding.disk import unwritable

__all__ = ["Picture", "read_picture", "resize_picture", "scale_picture", "write_png"]

Picture = NDArray[np.uint8]


def read_picture(path: Path) -> Picture:
    """The picture in a file, as RGB. Raises EngineFailure if the file cannot be read."""
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise EngineFailure(f"The input picture {path.name} cannot be read.", code="input_unreadable")
    return np.asarray(pixels, np.uint8)


def scale_picture(picture: Picture, width: int, height: int) -> Picture:
    """The whole picture at exactly this size, without crop or bars; averages when it shrinks."""
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    return resize_picture(picture, width, height, cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def resize_picture(picture: Picture, width: int, height: int, interpolation: int = cv2.INTER_AREA) -> Picture:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=interpolation), np.uint8)


def write_png(path: Path, picture: Picture, comment: str) -> None:
    """One finished picture with its comment (JSON) as text. Raises EngineFailure when it cannot be written."""
    notes = PngInfo()
    notes.add_text("Comment", comment)
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    try:
        Image.fromarray(picture).save(part, format="PNG", pnginfo=notes)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise unwritable(error) from error
