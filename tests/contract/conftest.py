"""Fixtures of the database's contract suites: each runs over every kind of database."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from tests.contract.stores import OPENERS, Clock, Place, Stores

T = TypeVar("T")


class Run(Protocol):
    def __call__(self, coroutine: Coroutine[Any, Any, T]) -> T: ...


@pytest.fixture
def run() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Runs a coroutine in the test's one event loop."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(params=sorted(OPENERS))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path, request.param)
    yield place
    place.close()


@pytest.fixture
def stores(place: Place) -> Stores:
    return place.stores


@pytest.fixture
def clock(place: Place) -> Clock:
    return place.clock
