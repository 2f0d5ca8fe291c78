"""A courier's work on one request at a time: real queue, real probe, and a folder of files in place of the network."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from filmgate.courier.fetch import FetchedFile, Fetcher
from filmgate.courier.intake import Intake
from filmgate.courier.probe import Probe
from filmgate.domain.errors import InputUnreachable, Unavailable
from filmgate.domain.records import Input, RequestRecord
from filmgate.domain.request import State
from filmgate.models import SHIPPED, load_catalog
from filmgate.service.inputs import InputFreezer, sha256_of
from filmgate.storage.objects import ObjectStorage
from tests.contract.conftest import Run
from tests.contract.stores import OWNER, Place, new_request

MODEL = "wan-ai/wan-2-6/flash/image-to-video"
PATIENCE_S = 30


class Web(Fetcher):
    """Answers URLs from memory: bytes, or an error to raise."""

    def __init__(self, pages: dict[str, bytes | Exception]) -> None:
        super().__init__()
        self.pages = pages
        self.asked: list[str] = []

    async def fetch(self, url: str, target: Path, max_bytes: int) -> FetchedFile:
        self.asked.append(url)
        page = self.pages[url]
        if isinstance(page, Exception):
            raise page
        if len(page) > max_bytes:
            raise InputUnreachable("The URL at web is larger than that.", code="url_too_large")
        target.write_bytes(page)
        return FetchedFile(len(page), sha256_of(target))


class FullStorage(ObjectStorage):
    """Has no room at first."""

    full = 1

    async def put(self, key: str, source: Path) -> None:
        if self.full:
            self.full -= 1
            raise Unavailable("The storage is full.", retry_after_s=0)
        await super().put(key, source)


def png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(stream, "png")
    return stream.getvalue()


@pytest.fixture
def bring_in(place: Place, tmp_path: Path, run: Run) -> Callable[..., tuple[RequestRecord, Web]]:
    """Runs a courier until the one request has left its hands."""

    def bring(
        pages: dict[str, Any], urls: list[str], storage: ObjectStorage | None = None
    ) -> tuple[RequestRecord, Web]:
        web = Web(pages)
        request = new_request(tuple(Input("img_url", url=url) for url in urls), MODEL)
        (tmp_path / "scratch").mkdir()
        files = ObjectStorage(tmp_path / "storage") if storage is None else storage
        probe = Probe()
        freezer = InputFreezer(place.stores.files, probe, files, tmp_path / "scratch")
        intake = Intake(load_catalog([SHIPPED]), place.stores.queue, web, freezer, "courier")

        async def work() -> RequestRecord:
            await place.stores.queue.put(request)
            working = asyncio.ensure_future(intake.run())
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    record = await place.stores.queue.find(request.id, OWNER)
                    assert record is not None
                    if record.state not in (State.ACCEPTED, State.FETCHING):
                        break
                    await asyncio.sleep(0.01)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await probe.close()
            return record

        record = run(work())
        assert not list((tmp_path / "scratch").iterdir())
        return record, web

    return bring


def test_a_good_picture_makes_the_request_ready(bring_in: Callable[..., tuple[RequestRecord, Web]]) -> None:
    record, web = bring_in({"https://web/a": png(400, 500)}, ["https://web/a"])

    assert record.state is State.READY
    assert web.asked == ["https://web/a"]


def test_a_picture_that_breaks_a_rule_ends_it_with_the_rules_sentence(
    bring_in: Callable[..., tuple[RequestRecord, Web]],
) -> None:
    record, _ = bring_in({"https://web/a": png(100, 100)}, ["https://web/a"])

    assert record.failure is not None
    assert record.failure.code == "input_rejected"
    assert record.failure.sentence == "The uploaded image width and height must exceed 360 pixels."


def test_a_file_that_is_too_large_is_refused_with_the_sentence_of_its_size(
    bring_in: Callable[..., tuple[RequestRecord, Web]],
) -> None:
    record, _ = bring_in({"https://web/a": bytes(10_000_001)}, ["https://web/a"])

    assert record.failure is not None
    assert record.failure.sentence == "File size should be less than 10 MB."


def test_a_url_that_does_not_answer_ends_it_with_the_reason(
    bring_in: Callable[..., tuple[RequestRecord, Web]],
) -> None:
    refusal = InputUnreachable("The URL at web answered 503.", code="url_status", retryable=True)

    record, _ = bring_in({"https://web/a": refusal}, ["https://web/a"])

    assert record.failure is not None
    assert (record.failure.code, record.failure.retryable) == ("url_status", True)


def test_a_full_storage_delays_a_request_and_does_not_end_it(
    bring_in: Callable[..., tuple[RequestRecord, Web]], tmp_path: Path
) -> None:
    record, web = bring_in({"https://web/a": png(400, 500)}, ["https://web/a"], FullStorage(tmp_path / "full"))

    assert record.state is State.READY
    assert len(web.asked) == 2


def test_a_fault_of_ours_is_tried_again_and_then_ends_it(bring_in: Callable[..., tuple[RequestRecord, Web]]) -> None:
    record, web = bring_in({"https://web/a": RuntimeError("a bug")}, ["https://web/a"])

    assert record.failure is not None
    assert record.failure.code == "worker_lost"
    assert len(web.asked) == 3
