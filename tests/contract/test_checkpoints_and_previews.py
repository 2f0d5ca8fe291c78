"""What a running request keeps and shows before it ends: checkpoints, previews, and what is told of it afterwards."""

from dataclasses import replace
from pathlib import Path

import pytest

from filmgate.domain.errors import Unavailable
from filmgate.domain.request import State
from tests.contract.worker_world import LIMITS, Meddling, World, in_world, running, until
from tests.engines import shows_previews


def test_an_attempt_goes_on_from_what_the_one_before_it_kept_last(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("keeps_checkpoint:Engine")):
            record = await world.ended(await world.submit("misbehave"))

        assert record.success is not None
        assert (record.attempt, record.success.details) == (2, {"found": "10 steps"})
        assert world.stored("checkpoints") == []

    in_world(tmp_path, scenario)


@pytest.mark.parametrize("ending", ["stopped by its caller", "handed back"])
def test_a_checkpoint_stays_as_long_as_there_may_be_another_attempt(ending: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("keeps_and_goes_on:Engine", replace(LIMITS, drain_s=0))) as end:
            request_id = await world.submit("misbehave")
            await until(lambda: world.stored("checkpoints") == [f"checkpoints/{request_id}"])
            if ending == "handed back":
                end.set()
                record = await world.when(request_id, lambda record: record.state is State.READY)
            else:
                await world.stop(request_id)
                record = await world.ended(request_id)
                await until(lambda: world.scratch_files() == [])

        kept = [f"checkpoints/{request_id}"] if record.state is State.READY else []
        assert world.stored("checkpoints") == kept

    in_world(tmp_path, scenario)


def test_a_storage_that_takes_no_checkpoint_costs_no_more_than_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter(["The disk is full."] * 2)

    async def full() -> None:
        for sentence in failures:
            raise Unavailable(sentence)

    async def scenario(world: World) -> None:
        async with running(world.worker("keeps_checkpoint:Engine", storage=Meddling(world.storage, full))):
            record = await world.ended(await world.submit("misbehave"))

        assert record.state is State.SUCCEEDED

    in_world(tmp_path, scenario)
    assert caplog.text.count("its checkpoint was not stored: The disk is full.") == 2


def test_a_preview_is_a_public_file_that_the_next_one_replaces_and_that_goes_with_the_attempt(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("shows_previews:Engine")):
            request_id = await world.submit("misbehave")
            first = await world.when(request_id, lambda record: record.progress.preview != "")
            early = await world.files.public(first.progress.preview)
            assert early is not None
            assert (tmp_path / "storage" / early.key).read_bytes() == shows_previews.EARLY
            assert early.key == f"previews/{request_id}/1-1.webp"

            second = await world.when(request_id, lambda record: record.progress.preview != first.progress.preview)
            late = await world.files.public(second.progress.preview)
            assert late is not None
            assert (tmp_path / "storage" / late.key).read_bytes() == shows_previews.LATE
            assert late.key == f"previews/{request_id}/1-2.webp"
            assert (late.name, late.content_type, late.size_bytes) == ("preview.webp", "image/webp", 38)
            await until(lambda: world.stored("previews") == [late.key])

            await world.stop(request_id)
            ended = await world.ended(request_id)

        assert ended.progress.preview == ""
        assert [await world.files.public(file.token) for file in (early, late)] == [None, None]
        assert world.stored("previews") == []

    in_world(tmp_path, scenario)


def test_a_storage_that_takes_no_preview_costs_no_more_than_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def full() -> None:
        raise Unavailable("The disk is full.")

    async def scenario(world: World) -> None:
        async with running(world.worker("shows_previews:Engine", storage=Meddling(world.storage, full))):
            request_id = await world.submit("misbehave")
            await until(lambda: "a preview was not stored: The disk is full." in caplog.text)
            record = await world.find(request_id)
            await world.stop(request_id)
            await world.ended(request_id)

        assert (record.state, record.progress.preview) == (State.RUNNING, "")
        assert world.stored("previews") == []

    in_world(tmp_path, scenario)


def test_what_served_a_request_and_its_adapters_go_all_the_way(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("names_maker:Engine")):
            record = await world.ended(await world.submit("misbehave", loras=[{"name": "film", "strength": 0.5}]))

        assert record.success is not None
        assert record.success.served_by == "Wan 2.2 I2V A14B"
        assert record.success.details == {"loras": {"film": 0.5}}

    in_world(tmp_path, scenario)
