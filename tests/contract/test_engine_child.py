"""The process that holds an engine, and everything an engine can do to it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from filmgate.domain.errors import StartupError
from filmgate.domain.ports import Job, Lora
from filmgate.domain.request import RequestId
from filmgate.domain.sizes import ImageTarget, VideoTarget
from filmgate.worker.child import Died, Ending, EngineChild, Hung
from filmgate.worker.factory import EngineFactory
from filmgate.worker.limits import WorkerLimits
from filmgate.worker.messages import Broke, Finished, Frames, Raised, Refused, Reported, Run, frame, to_child

LIMITS = WorkerLimits(stall_s=0.6, stop_grace_s=0.3)
PATIENCE_S = 20.0


def job_in(folder: Path, prompt: str = "a lighthouse at dusk") -> Job:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return Job(
        request_id=RequestId("r1"),
        model_id="test/model",
        prompt=prompt,
        images=(folder / "input-0.png",),
        target=VideoTarget(1280, 720, 150, 30),
        seed=7,
        scratch=scratch,
    )


def with_child(
    engine: str, scenario: Callable[[EngineChild], Coroutine[Any, Any, None]], options: Mapping[str, Any] | None = None
) -> None:
    """Runs `scenario` on a started child that holds the test engine of this name."""

    async def run() -> None:
        child = EngineChild("test", EngineFactory(f"tests.engines.{engine}:Engine", options or {}), LIMITS)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await child.start()
                await scenario(child)
        finally:
            await child.close()

    asyncio.run(run())


def unheard(_: Reported) -> None:
    pass


def process_lives(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(pid, 0)
        return " Z " not in Path(f"/proc/{pid}/stat").read_text() if sys.platform == "linux" else True
    return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


ENDINGS: dict[str, Ending] = {
    "raises": Raised("engine_failed", "The engine test failed: KeyError."),
    "fails_typed": Refused("prompt_empty", "The prompt asks for nothing.", retryable=True),
    "breaks": Broke("The device does not answer any more."),
    "disk_full": Raised("storage_full", "The worker's disk is full; send the request again later.", retryable=True),
    "hangs": Hung(LIMITS.stall_s),
    "exits": Died("exited with status 3"),
    "kills_itself": Died("was killed by SIGKILL"),
    "leaves_process": Died("was killed by SIGKILL"),
    "leaves_fork": Died("was killed by SIGKILL"),
    "returns_none": Refused("engine_returned_nothing", "The engine test returned no result."),
    "returns_objects": Refused(
        "engine_output_invalid", "The engine test returned a result that cannot be read: a object is no plain value."
    ),
}


@pytest.mark.parametrize("engine", ENDINGS)
def test_an_engine_that_misbehaves_has_its_own_ending_and_the_next_job_finishes(engine: str, tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        ending = await child.run(job_in(tmp_path, "misbehave"), unheard)
        assert ending == ENDINGS[engine]

        await child.start()
        assert isinstance(await child.run(job_in(tmp_path), unheard), Finished)

    with_child(engine, scenario)


@pytest.mark.parametrize(("engine", "fresh"), [("raises", True), ("breaks", True), ("fails_typed", False)])
def test_only_after_a_failure_that_it_did_not_foresee_an_engine_is_loaded_afresh(
    engine: str, fresh: bool, tmp_path: Path
) -> None:
    async def scenario(child: EngineChild) -> None:
        pid = child.pid
        await child.run(job_in(tmp_path, "misbehave"), unheard)
        await child.start()
        assert (child.pid != pid) is fresh

    with_child(engine, scenario)


def test_an_engine_is_made_with_its_options(tmp_path: Path) -> None:
    options = {"weights": "/weights", "device": "auto:1", "checkpoint_steps": 5, "substitutes": True}

    async def scenario(child: EngineChild) -> None:
        capabilities = await child.start()
        assert json.loads(capabilities.device) == options

    with_child("takes_options", scenario, options)


def test_an_engine_that_says_that_it_loads_is_not_taken_to_hang(tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        assert isinstance(await child.run(job_in(tmp_path, "misbehave"), unheard), Finished)

    with_child("loads_long", scenario)


def test_the_log_tells_why_an_engine_broke(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario(child: EngineChild) -> None:
        await child.run(job_in(tmp_path, "misbehave"), unheard)

    with_child("breaks", scenario)

    assert "EngineBroken: The device does not answer any more." in capfd.readouterr().err


def test_a_traceback_is_in_the_log_and_in_no_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def scenario(child: EngineChild) -> None:
        ending = await child.run(job_in(tmp_path, "misbehave"), unheard)
        assert isinstance(ending, Raised)
        assert "stranger" not in ending.sentence

    with_child("raises", scenario)

    assert "Traceback" in capfd.readouterr().err


def test_the_result_comes_back_as_the_engine_gave_it(tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        ending = await child.run(job_in(tmp_path), unheard)
        assert isinstance(ending, Finished)
        assert ending.result.files == (tmp_path / "scratch" / "video.mp4",)
        assert (ending.result.seed, ending.result.actual_prompt) == (7, "a lighthouse at dusk")

    with_child("null", scenario)


@pytest.mark.parametrize("target", [VideoTarget(832, 480, 81, 16), ImageTarget(1280, 960)])
def test_a_job_arrives_as_it_was_sent(target: VideoTarget | ImageTarget, tmp_path: Path) -> None:
    job = replace(
        job_in(tmp_path),
        target=target,
        audio=tmp_path / "sound.wav",
        shot_type="multi",
        steps=30,
        screen=False,
        loras=(Lora("film-grain", 0.5), Lora("slow")),
        checkpoint=tmp_path / "checkpoint",
        inputs={"prompt": "日本", "seed": 7, "nested": [1, None, {"a": 0.5}]},
        options={"weights": "small"},
    )

    (body,) = Frames().feed(frame(Run.of(job)))
    message = to_child(body)

    assert isinstance(message, Run)
    assert message.unpacked() == job


def test_frames_are_cut_right_wherever_the_stream_is_cut(tmp_path: Path) -> None:
    stream = frame(Run.of(job_in(tmp_path))) * 3
    frames = Frames()

    bodies = [body for position in range(len(stream)) for body in frames.feed(stream[position : position + 1])]

    assert bodies == list(Frames().feed(stream))
    assert len(bodies) == 3


def test_a_cancelled_job_ends_between_two_steps_and_the_same_process_does_the_next(tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        pid = child.pid
        for _ in range(2):
            reports: asyncio.Queue[Reported] = asyncio.Queue()
            run = asyncio.create_task(child.run(job_in(tmp_path, "misbehave"), reports.put_nowait))
            for _ in range(3):
                await reports.get()

            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run

            assert child.alive
            assert child.pid == pid

    with_child("slow_steps", scenario)


def test_a_stop_that_comes_while_a_checkpoint_is_stored_waits_for_it_and_keeps_the_process(tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        pid, asked, stored = child.pid, asyncio.Event(), asyncio.Event()

        async def keep(_: Path) -> None:
            asked.set()
            await stored.wait()

        run = asyncio.create_task(child.run(job_in(tmp_path, "misbehave"), unheard, keep))
        await asked.wait()
        run.cancel()
        asyncio.get_running_loop().call_later(0.1, stored.set)
        with pytest.raises(asyncio.CancelledError):
            await run

        assert stored.is_set()
        assert (child.alive, child.pid) == (True, pid)
        assert isinstance(await child.run(job_in(tmp_path), unheard), Finished)

    with_child("keeps_and_goes_on", scenario)


def test_a_checkpoint_that_takes_longer_to_store_than_any_silence_is_no_hang(tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        async def keep(_: Path) -> None:
            await asyncio.sleep(2.5 * LIMITS.stall_s)

        ending = await child.run(job_in(tmp_path, "misbehave"), unheard, keep)

        assert ending == Died("exited with status 3")

    with_child("keeps_checkpoint", scenario)


@pytest.mark.parametrize("engine", ["ignores_cancel", "hangs"])
def test_an_engine_that_does_not_heed_a_cancel_is_killed_after_the_grace(engine: str, tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        pid = child.pid
        run = asyncio.create_task(child.run(job_in(tmp_path, "misbehave"), unheard))
        await asyncio.sleep(0)  # the job is sent

        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

        assert not child.alive
        assert pid is not None
        assert not process_lives(pid)
        await child.start()
        assert isinstance(await child.run(job_in(tmp_path), unheard), Finished)

    with_child(engine, scenario)


def test_a_flood_of_reports_is_thinned_and_never_goes_backwards(tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        heard: list[Reported] = []
        ending = await child.run(job_in(tmp_path, "misbehave"), heard.append)

        fractions = [report.fraction for report in heard]
        assert isinstance(ending, Finished)
        assert fractions == sorted(fractions)
        assert len(heard) < 200
        assert heard[-1].lines[-1] == "line 4999"

    with_child("floods", scenario)


def test_a_thread_that_reports_late_is_not_heard_in_the_next_job(tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        await child.run(job_in(tmp_path, "misbehave"), unheard)
        heard: list[Reported] = []

        for _ in range(20):
            await child.run(job_in(tmp_path), heard.append)

        assert heard == []

    with_child("reports_late", scenario)


def test_what_an_engine_prints_goes_to_the_log_and_disturbs_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario(child: EngineChild) -> None:
        assert isinstance(await child.run(job_in(tmp_path, "misbehave"), unheard), Finished)

    with_child("prints", scenario)

    printed = capfd.readouterr()
    assert printed.out == ""
    for line in ("to the output", "to the errors", "to the descriptor"):
        assert line in printed.err


def test_what_a_dead_engine_had_started_ends_with_it(tmp_path: Path) -> None:
    async def scenario(child: EngineChild) -> None:
        lines: list[str] = []
        ending = await child.run(job_in(tmp_path, "misbehave"), lambda report: lines.extend(report.lines))
        assert isinstance(ending, Died)
        wait_until(lambda: not process_lives(int(lines[0])))

    with_child("leaves_process", scenario)


STARTUP_ERRORS = {
    "broken_constructor:engine": "The weight file depth.onnx was altered; install the package again.",
    "exits_in_constructor:engine": (
        "The engine test (tests.engines.exits_in_constructor:engine) exited with status 7 while it loaded."
    ),
    "hangs_in_constructor:engine": "The engine test was not ready within 2 s.",
    "no_such_module:Engine": (
        "The engine test (tests.engines.no_such_module:Engine) cannot be loaded: "
        "ModuleNotFoundError: No module named 'tests.engines.no_such_module'."
    ),
    "null:NoSuchName": (
        "The engine test (tests.engines.null:NoSuchName) cannot be loaded: "
        "AttributeError: module 'tests.engines.null' has no attribute 'NoSuchName'."
    ),
}


@pytest.mark.parametrize("target", STARTUP_ERRORS)
def test_an_engine_that_cannot_be_loaded_stops_the_start_with_a_sentence(target: str) -> None:
    child = EngineChild("test", EngineFactory(f"tests.engines.{target}"), replace(LIMITS, start_s=2.0))

    with pytest.raises(StartupError) as caught:
        asyncio.run(child.start())

    assert caught.value.sentence == STARTUP_ERRORS[target]
    assert not child.alive


PARENT = """
import asyncio, sys
from pathlib import Path
from filmgate.worker.child import EngineChild
from filmgate.worker.factory import EngineFactory
from filmgate.worker.limits import WorkerLimits
from tests.contract.test_engine_child import job_in, unheard

async def main():
    child = EngineChild("test", EngineFactory(f"tests.engines.{sys.argv[2]}:Engine"), WorkerLimits())

    async def keep(_):
        print(child.pid, flush=True)
        await asyncio.Event().wait()

    await child.start()
    run = asyncio.create_task(child.run(job_in(Path(sys.argv[1]), "misbehave"), unheard, keep))
    await asyncio.sleep(0)
    if sys.argv[2] == "hangs":
        print(child.pid, flush=True)
    await run

asyncio.run(main())
"""


@pytest.mark.parametrize("engine", ["hangs", "keeps_and_goes_on"])
def test_a_killed_worker_leaves_no_process_even_inside_native_code_or_a_checkpoint(engine: str, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", PARENT, str(tmp_path), engine]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())

        parent.send_signal(signal.SIGKILL)
        parent.wait()

        wait_until(lambda: not process_lives(pid))
