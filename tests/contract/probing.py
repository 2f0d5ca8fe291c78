"""How the tests of the probe measure a file and look at what is left."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image, ImageDraw

from filmgate.courier.probe import Probe
from filmgate.domain.errors import MediaUnreadable
from filmgate.domain.media import MediaFacts, MediaKind

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)

T = TypeVar("T")


def run(scenario: Callable[[Probe], Awaitable[T]], **options: Any) -> T:
    """The result of `await scenario(probe)`, with a probe that is closed afterwards."""

    async def whole() -> T:
        probe = Probe(**options)
        try:
            return await scenario(probe)
        finally:
            await probe.close()

    return asyncio.run(whole())


class Prober:
    """Measures with children that last through many tests, or, where options are given, with one of its own."""

    def __init__(self, runner: asyncio.Runner, probe: Probe) -> None:
        self._runner = runner
        self._probe = probe

    def measure(self, source: Path, kind: MediaKind = "image", **options: Any) -> MediaFacts:
        clean = source.with_name("clean")
        if options:
            return run(lambda probe: probe.measure(source, kind, clean), **options)
        return self._runner.run(self._probe.measure(source, kind, clean))

    def unreadable(self, source: Path, kind: MediaKind = "image") -> str:
        """The sentence of the refusal, after which nothing but the source is left."""
        with pytest.raises(MediaUnreadable) as refused:
            self.measure(source, kind)
        assert names(source.parent) == [source.name]
        return refused.value.sentence


def lasting_prober() -> Iterator[Prober]:
    """For a fixture of a module."""
    with asyncio.Runner() as runner:
        probe = Probe()
        yield Prober(runner, probe)
        runner.run(probe.close())


def saved(folder: Path, picture: Image.Image, pillow_format: str, **options: Any) -> Path:
    source = folder / "source"
    picture.save(source, pillow_format, **options)
    return source


def written(folder: Path, content: bytes) -> Path:
    source = folder / "source"
    source.write_bytes(content)
    return source


def photo(width_px: int = 60, height_px: int = 40) -> Image.Image:
    """Red left of blue, with a green corner at the top left: every turn and flip of it differs."""
    picture = Image.new("RGB", (width_px, height_px), RED)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((width_px // 2, 0, width_px, height_px), fill=BLUE)
    draw.rectangle((0, 0, width_px // 4, height_px // 4), fill=GREEN)
    return picture


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
