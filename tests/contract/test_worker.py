"""The worker against a real queue and a real storage: each way a request can end, and that the next one runs."""

import asyncio
import hashlib
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from filmgate.domain.errors import StartupError, Unavailable
from filmgate.domain.records import Blob, Failed
from filmgate.domain.request import State
from filmgate.queue.sqlite import Database, SqliteQueue
from filmgate.worker.factory import EngineFactory
from filmgate.worker.loop import Worker
from tests.contract.worker_world import IMAGE, LIMITS, VIDEO, Meddling, World, in_world, manifests_for, running, until
from tests.engines import null

# ------------------------------------------------------------------------------------------------------- success


def test_a_request_ends_succeeded_with_its_file_stored_under_its_attempt(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("null:Engine")):
            record = await world.ended(await world.submit("a lighthouse"))

        assert record.success is not None
        (output,) = record.success.outputs
        stored = (tmp_path / "storage" / output.key).read_bytes()
        assert output.key == f"outputs/{record.id}/1/video.mp4"
        assert (output.name, output.content_type, output.size_bytes) == ("video.mp4", "video/mp4", len(null.MP4))
        assert output.digest == hashlib.sha256(stored).hexdigest()
        assert len(output.token) == 32
        assert (record.success.engine, record.success.engine_version) == ("test", "1")
        assert (record.success.seed, record.success.actual_prompt) == (7, "a lighthouse")
        assert world.scratch_files() == []

    in_world(tmp_path, scenario)


def test_an_image_model_ends_with_a_png(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("null:Engine")):
            record = await world.ended(await world.submit(model=IMAGE))

        assert record.success is not None
        assert [(o.name, o.content_type) for o in record.success.outputs] == [("image.png", "image/png")]

    in_world(tmp_path, scenario)


# ------------------------------------------------------------------------------------------ engines that misbehave

FAILURES = {
    "raises": Failed("engine_failed", "The engine test failed: KeyError."),
    "fails_typed": Failed("prompt_empty", "The prompt asks for nothing.", retryable=True),
    "disk_full": Failed("storage_full", "The worker's disk is full; send the request again later.", retryable=True),
    "hangs": Failed("engine_hung", "The engine test gave no sign of life for 0.6 s and was ended.", retryable=True),
    "returns_none": Failed("engine_returned_nothing", "The engine test returned no result."),
    "returns_nothing": Failed("engine_returned_nothing", "The engine test returned no file."),
    "returns_garbage": Failed(
        "engine_output_invalid", "The engine test returned video.mp4, which does not begin like its kind."
    ),
    "returns_outside": Failed(
        "engine_output_invalid", "The engine test returned video.mp4, which lies outside the request's folder."
    ),
    "returns_missing": Failed("engine_output_invalid", "The engine test returned video.mp4, which is not there."),
    "returns_empty": Failed("engine_output_invalid", "The engine test returned video.mp4, which is empty."),
    "returns_picture": Failed(
        "engine_output_invalid",
        "The engine test returned image.png, which is no .mp4 file, which is what the model makes.",
    ),
    "returns_objects": Failed(
        "engine_output_invalid", "The engine test returned a result that cannot be read: a object is no plain value."
    ),
}


@pytest.mark.parametrize("engine", FAILURES)
def test_an_engine_that_misbehaves_fails_its_request_and_the_next_one_succeeds(engine: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker(f"{engine}:Engine")):
            bad = await world.ended(await world.submit("misbehave"))
            good = await world.ended(await world.submit())

        assert (bad.state, bad.failure, bad.attempt) == (State.FAILED, FAILURES[engine], 1)
        assert good.state == State.SUCCEEDED
        assert world.stored_outputs() == [f"outputs/{good.id}/1/video.mp4"]
        assert world.scratch_files() == []

    in_world(tmp_path, scenario)


@pytest.mark.parametrize(
    ("engine", "how"),
    [
        ("exits", "exited with status 3"),
        ("kills_itself", "was killed by SIGKILL"),
        ("breaks", "could not go on: The device does not answer any more"),
    ],
)
def test_a_request_that_kills_its_engine_is_given_up_after_three_attempts(
    engine: str, how: str, tmp_path: Path
) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker(f"{engine}:Engine")):
            bad = await world.ended(await world.submit("misbehave"))
            good = await world.ended(await world.submit())

        assert bad.failure is not None
        assert (bad.failure.code, bad.attempt) == ("worker_lost", 3)
        assert f"the engine test {how}" in bad.failure.sentence
        assert good.state == State.SUCCEEDED

    in_world(tmp_path, scenario)


def test_an_engine_that_dies_between_requests_is_replaced_and_the_next_one_is_not_blamed(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        worker = world.worker("exits_soon:Engine")
        async with running(worker):
            await world.ended(await world.submit("misbehave"))
            await until(lambda: not worker._children["test"].alive)
            record = await world.ended(await world.submit())

        assert record.state == State.SUCCEEDED
        (row,) = world.database.read("SELECT losses FROM requests WHERE id = :id", {"id": record.id})
        assert row["losses"] == 0

    in_world(tmp_path, scenario)


def test_the_last_lines_of_a_request_that_fails_at_once_can_be_read(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("fails_typed:Engine", replace(LIMITS, beat_s=3600))):
            record = await world.ended(await world.submit("misbehave"))

        assert record.progress.logs == ("looked at the prompt",)

    in_world(tmp_path, scenario)


# ------------------------------------------------------------------------------------------- engines that do not load


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("broken_constructor:engine", "The weight file depth.onnx was altered; install the package again."),
        (
            "no_such_module:Engine",
            "The engine test (tests.engines.no_such_module:Engine) cannot be loaded: "
            "ModuleNotFoundError: No module named 'tests.engines.no_such_module'.",
        ),
    ],
)
def test_an_engine_that_does_not_load_ends_the_worker_and_claims_nothing(
    target: str, sentence: str, tmp_path: Path
) -> None:
    async def scenario(world: World) -> None:
        request_id = await world.submit()

        with pytest.raises(StartupError) as caught:
            await world.worker(target).run(asyncio.Event())

        assert caught.value.sentence == sentence
        record = await world.find(request_id)
        assert (record.state, record.attempt) == (State.READY, 0)

    in_world(tmp_path, scenario)


def test_a_worker_whose_engines_serve_no_model_does_not_start(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        engines = {"other": EngineFactory("tests.engines.null:Engine")}
        worker = Worker(
            world.queue, world.files, world.storage, manifests_for("test"), engines, "worker-1", tmp_path, LIMITS
        )

        with pytest.raises(StartupError, match=r"No model is served by the engines of this worker \(other\)"):
            await worker.run(asyncio.Event())

    in_world(tmp_path, scenario)


# ------------------------------------------------------------------------------------------------ stop and cancel


@pytest.mark.parametrize("engine", ["slow_steps", "ignores_cancel"])
def test_a_running_request_that_is_told_to_stop_ends_cancelled(engine: str, tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker(f"{engine}:Engine")):
            bad = await world.submit("misbehave")
            await world.when(bad, lambda record: record.progress.stage == "rendering")
            await world.stop(bad)
            record = await world.ended(bad)
            good = await world.ended(await world.submit())

        assert (record.state, record.attempt, record.failure) == (State.CANCELLED, 1, None)
        assert good.state == State.SUCCEEDED
        assert world.stored_outputs() == [f"outputs/{good.id}/1/video.mp4"]

    in_world(tmp_path, scenario)


def test_progress_stage_and_lines_are_seen_while_a_request_runs(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("slow_steps:Engine")):
            request_id = await world.submit("misbehave")
            early = await world.when(request_id, lambda record: record.progress.fraction > 0)
            late = await world.when(request_id, lambda record: record.progress.fraction > early.progress.fraction)

        assert late.progress.stage == "rendering"
        assert late.progress.logs[0] == "step 0"

    in_world(tmp_path, scenario)


def test_a_worker_that_is_told_to_end_finishes_its_request_first(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("slow_steps:Engine")) as stop:
            request_id = await world.submit("misbehave")
            await world.when(request_id, lambda record: record.progress.stage == "rendering")
            stop.set()
            waiting = await world.submit()

        assert (await world.find(request_id)).state == State.SUCCEEDED
        assert (await world.find(waiting)).state == State.READY

    in_world(tmp_path, scenario)


def test_a_worker_that_is_told_to_end_while_its_engine_loads_ends(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with asyncio.timeout(20), running(world.worker("hangs_in_constructor:engine")):
            await asyncio.sleep(0.05)

    in_world(tmp_path, scenario)


def test_a_request_that_outlasts_the_drain_goes_back_to_the_queue(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("slow_steps:Engine", replace(LIMITS, drain_s=0.1))) as stop:
            request_id = await world.submit("misbehave")
            await world.when(request_id, lambda record: record.progress.stage == "rendering")
            stop.set()

        assert (await world.find(request_id)).state == State.READY
        assert world.scratch_files() == []
        async with running(world.worker("null:Engine")):
            record = await world.ended(request_id)
        assert (record.state, record.attempt) == (State.SUCCEEDED, 2)

    in_world(tmp_path, scenario)


# ------------------------------------------------------------------------------------------- leases, storage, crashes


def test_a_result_that_comes_after_the_lease_was_lost_is_deleted(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        clocks: Sequence[float] = [3600.0, 0.0]
        ahead = iter(clocks)

        async def lose_lease_once() -> None:
            shift = next(ahead, 0.0)
            database = Database(tmp_path / "filmgate.db", clock=lambda: time.time() + shift)
            await SqliteQueue(database).recover()
            database.close()

        storage = Meddling(world.storage, lose_lease_once)
        async with running(world.worker("null:Engine", storage=storage)):
            record = await world.ended(await world.submit())

        assert (record.state, record.attempt) == (State.SUCCEEDED, 2)
        assert world.stored_outputs() == [f"outputs/{record.id}/2/video.mp4"]

    in_world(tmp_path, scenario)


def test_a_full_storage_fails_the_request_and_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filmgate.worker.attempt._STORAGE_DELAYS_S", (0.01, 0.01))

    async def full() -> None:
        raise Unavailable("The disk is full.")

    async def scenario(world: World) -> None:
        async with running(world.worker("null:Engine", storage=Meddling(world.storage, full))):
            record = await world.ended(await world.submit())

        assert record.failure is not None
        assert (record.failure.code, record.failure.retryable) == ("storage_unavailable", True)
        assert world.stored_outputs() == []
        assert world.scratch_files() == []

    in_world(tmp_path, scenario)


def test_an_input_that_is_gone_fails_the_request(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        async with running(world.worker("null:Engine")):
            gone = Blob("inputs/gone", world.picture.facts)
            record = await world.ended(await world.submit(picture=gone))

        assert record.failure is not None
        assert record.failure.code == "input_lost"

    in_world(tmp_path, scenario)


def test_a_mistake_of_the_worker_itself_is_logged_and_does_not_end_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mistakes = iter([ZeroDivisionError("a mistake")])

    async def mistake() -> None:
        for error in mistakes:
            raise error

    async def scenario(world: World) -> None:
        async with running(world.worker("null:Engine", storage=Meddling(world.storage, mistake))):
            record = await world.ended(await world.submit())

        assert (record.state, record.attempt) == (State.SUCCEEDED, 2)
        assert world.stored_outputs() == [f"outputs/{record.id}/2/video.mp4"]

    with caplog.at_level(logging.ERROR):
        in_world(tmp_path, scenario)
    assert "a mistake" in caplog.text


WORKER = """
import asyncio, sys
from pathlib import Path
from tests.contract.worker_world import open_world

async def main():
    async with open_world(Path(sys.argv[1])) as world:
        await world.worker(sys.argv[2]).run(asyncio.Event())

asyncio.run(main())
"""


def test_a_killed_worker_that_starts_again_runs_its_request_again_at_once(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    async def scenario(world: World) -> None:
        command = [sys.executable, "-c", WORKER, str(tmp_path), "hangs:Engine"]
        worker = await asyncio.create_subprocess_exec(*command, env=environment)
        request_id = await world.submit("misbehave")
        await world.when(request_id, lambda record: record.progress.stage == "preparing")
        leftovers = world.scratch_files()
        worker.kill()
        await worker.wait()
        async with running(world.worker("null:Engine")):
            record = await world.ended(request_id)

        assert len(leftovers) == 1
        assert (record.state, record.attempt) == (State.SUCCEEDED, 2)
        assert world.scratch_files() == []

    in_world(tmp_path, scenario)


def test_a_killed_worker_that_starts_again_goes_on_from_the_checkpoint(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    async def scenario(world: World) -> None:
        command = [sys.executable, "-c", WORKER, str(tmp_path), "keeps_and_goes_on:Engine"]
        worker = await asyncio.create_subprocess_exec(*command, env=environment)
        request_id = await world.submit("misbehave")
        await until(lambda: world.stored("checkpoints") == [f"checkpoints/{request_id}"])
        worker.kill()
        await worker.wait()
        async with running(world.worker("keeps_checkpoint:Engine")):
            record = await world.ended(request_id)

        assert record.success is not None
        assert (record.attempt, record.success.details) == (2, {"found": "some steps"})

    in_world(tmp_path, scenario)


def test_a_worker_keeps_its_models_after_the_order_of_its_engines(tmp_path: Path) -> None:
    async def scenario(world: World) -> None:
        engines = {
            "second": EngineFactory("tests.engines.null:Engine"),
            "first": EngineFactory("tests.engines.broken_constructor:engine"),
        }
        manifests = manifests_for("first", "second")
        worker = Worker(
            world.queue, world.files, world.storage, manifests, engines, "worker-1", tmp_path / "scratch", LIMITS
        )
        async with running(worker):
            record = await world.ended(await world.submit(model=VIDEO))

        assert record.state == State.SUCCEEDED

    in_world(tmp_path, scenario)
