"""The probe's children: kept, replaced, stopped, killed, and locked down."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from filmgate.courier.probe import Probe, lockdown_level
from filmgate.courier.probe_wire import Order
from filmgate.domain.errors import MediaUnreadable, StartupError
from filmgate.domain.media import ImageFacts
from tests.contract.probing import names, photo, run, saved

DEADLINE_S = 30


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if holds():
                return
            await asyncio.sleep(0.002)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def child_of(probe: Probe) -> int:
    [child] = probe._idle
    return child.process.pid


async def measured_again(probe: Probe, source: Path) -> int:
    """The pid of the child that measured `source` without complaint."""
    facts = await probe.measure(source, "image", source.with_name("clean"))
    assert isinstance(facts, ImageFacts)
    return child_of(probe)


def test_a_child_serves_one_file_after_the_other(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")

    async def scenario(probe: Probe) -> set[int]:
        return {await measured_again(probe, source) for _ in range(5)}

    assert len(run(scenario)) == 1


def test_a_child_is_replaced_after_a_number_of_files(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")

    async def scenario(probe: Probe) -> list[bool]:
        alone = []
        for _ in range(4):
            await probe.measure(source, "image", tmp_path / "clean")
            alone.append(bool(probe._idle))
        return alone

    assert run(scenario, recycle_after=2) == [True, False, True, False]


def test_a_refused_file_does_not_cost_the_child(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")

    async def scenario(probe: Probe) -> set[int]:
        before = await measured_again(probe, source)
        with pytest.raises(MediaUnreadable):
            await probe.measure(broken, "image", tmp_path / "clean")
        return {before, await measured_again(probe, source)}

    assert len(run(scenario)) == 1


def test_a_child_that_died_idle_is_not_charged_to_the_next_file(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")

    async def scenario(probe: Probe) -> tuple[int, int]:
        first = await measured_again(probe, source)
        os.kill(first, signal.SIGKILL)
        await probe._idle[0].process.wait()
        return first, await measured_again(probe, source)

    first, second = run(scenario)

    assert first != second


def test_a_child_that_hangs_ends_in_a_sentence_and_the_next_file_is_fine(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")

    async def scenario(probe: Probe) -> tuple[str, int, int]:
        first = await measured_again(probe, source)
        (tmp_path / "clean").unlink()
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(MediaUnreadable) as refused:
            await probe.measure(source, "image", tmp_path / "clean")
        assert names(tmp_path) == ["source"]
        return refused.value.sentence, first, await measured_again(probe, source)

    sentence, first, second = run(scenario, timeout_s=1)

    assert sentence == "The file takes longer than 1 s to decode."
    assert first != second
    assert not is_running(first)


def test_a_child_that_is_killed_over_a_file_ends_in_a_sentence_and_the_next_file_is_fine(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    source = saved(tmp_path, Image.fromarray(np.tile(noise, (10, 10, 1))), "PNG", compress_level=1)
    part = tmp_path / "clean.part"

    async def scenario(probe: Probe) -> tuple[str, int, int]:
        first = await measured_again(probe, source)
        (tmp_path / "clean").unlink()
        measuring = asyncio.create_task(probe.measure(source, "image", tmp_path / "clean"))
        await until(lambda: part.exists() and part.stat().st_size > 0)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(MediaUnreadable) as refused:
            await measuring
        assert names(tmp_path) == ["source"]
        return refused.value.sentence, first, await measured_again(probe, source)

    sentence, first, second = run(scenario)

    assert sentence == "The file made its decoder fail."
    assert first != second


def test_a_child_that_dies_before_it_reads_its_order_is_not_charged_to_the_file(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")

    async def scenario(probe: Probe) -> tuple[int, int]:
        first = await measured_again(probe, source)
        os.kill(first, signal.SIGSTOP)
        measuring = asyncio.create_task(probe.measure(source, "image", tmp_path / "clean"))
        # The order goes out in the same step that opens the part file.
        await until(lambda: "clean.part" in names(tmp_path))
        os.kill(first, signal.SIGKILL)
        await measuring
        return first, child_of(probe)

    first, second = run(scenario)

    assert first != second


def test_a_cancelled_measurement_takes_its_child_along(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")

    async def scenario(probe: Probe) -> int:
        child = await measured_again(probe, source)
        (tmp_path / "clean").unlink()
        os.kill(child, signal.SIGSTOP)
        measuring = asyncio.create_task(probe.measure(source, "image", tmp_path / "clean"))
        await until(lambda: "clean.part" in names(tmp_path))
        measuring.cancel()
        await asyncio.wait([measuring])
        assert measuring.cancelled()
        return child

    child = run(scenario)

    assert not is_running(child)
    assert names(tmp_path) == ["source"]


def test_a_file_that_needs_too_much_processor_time_ends_in_a_sentence(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8)
    source = saved(tmp_path, Image.fromarray(np.tile(noise, (20, 20, 1))), "PNG", compress_level=1)

    async def scenario(probe: Probe) -> str:
        probe._orders["image"] = Order("image", 64_000_000, 0.001)
        with pytest.raises(MediaUnreadable) as refused:
            await probe.measure(source, "image", tmp_path / "clean")
        return refused.value.sentence

    assert run(scenario) == "The file made its decoder fail."


def test_files_are_measured_side_by_side(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")

    async def scenario(probe: Probe) -> int:
        stopped = await measured_again(probe, source)
        os.kill(stopped, signal.SIGSTOP)
        held = asyncio.create_task(probe.measure(source, "image", tmp_path / "held"))
        await until(lambda: "held.part" in names(tmp_path))
        await probe.measure(source, "image", tmp_path / "clean")
        assert not held.done()
        os.kill(stopped, signal.SIGCONT)
        await held
        return len(probe._idle)

    assert run(scenario, children=2) == 2


def test_closing_ends_every_child(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")

    child = run(lambda probe: measured_again(probe, source))

    assert not is_running(child)


def test_children_die_with_their_parent(tmp_path: Path) -> None:
    source = saved(tmp_path, photo(), "PNG")
    program = (
        "import asyncio, os, pathlib, signal, sys\n"
        "from filmgate.courier.probe import Probe\n"
        "async def main():\n"
        "    probe = Probe()\n"
        "    source = pathlib.Path(sys.argv[1])\n"
        "    await probe.measure(source, 'image', source.with_name('clean'))\n"
        "    print(probe._idle[0].process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.run([sys.executable, "-c", program, source], capture_output=True, check=False)

    assert parent.returncode == -signal.SIGKILL
    asyncio.run(until(lambda: not is_running(int(parent.stdout))))


def test_a_missing_file_is_our_own_fault(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(lambda probe: probe.measure(tmp_path / "nothing", "image", tmp_path / "clean"))

    assert names(tmp_path) == []


def test_a_child_that_cannot_start_is_our_own_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filmgate.courier.probe.CHILD", (sys.executable, "-c", "pass"))

    with pytest.raises(StartupError):
        run(lambda probe: measured_again(probe, saved(tmp_path, photo(), "PNG")))


def test_the_parent_loads_no_media_library() -> None:
    program = "import sys, filmgate.courier.probe; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout.decode().split()

    assert not {"PIL", "av", "numpy", "cv2", "aiohttp"} & set(modules)


def test_a_child_gets_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILMGATE_SECRET", "secret")
    monkeypatch.setattr(
        "filmgate.courier.probe.CHILD", (sys.executable, "-c", "import os; print(*os.environ.values())")
    )

    assert "secret" not in lockdown_level()


# --------------------------------------------------------------------------------------------------------- lock-down

LANDLOCKED = "landlock" in lockdown_level()


def locked_down(program: str) -> str:
    """What `program` prints after it was locked down like a child."""
    prelude = "import os, socket, sys\nfrom filmgate.courier.lockdown import lock_down\nlevel = lock_down()\n"
    return subprocess.run([sys.executable, "-c", prelude + program], capture_output=True, check=True).stdout.decode()


def refused_by_lockdown(call: str) -> str:
    return locked_down(
        f"try:\n    {call}\nexcept (OSError, MemoryError) as error:\n    print(type(error).__name__)\n"
    ).strip()


def test_doctor_is_told_how_far_the_lock_down_goes() -> None:
    assert "limits" in lockdown_level()
    assert lockdown_level() == locked_down("sys.stdout.write(level)")


@pytest.mark.skipif(not LANDLOCKED, reason="this kernel has no Landlock")
@pytest.mark.parametrize(
    "call",
    [
        "open('/etc/passwd')",
        "open(sys.executable)",
        "os.listdir('/')",
        "open('/tmp/filmgate-lockdown', 'w')",
        "os.mkdir('/tmp/filmgate-lockdown')",
        "os.execv('/bin/sh', ['sh', '-c', 'echo out'])",
        "os.setuid(0) or os.chroot('/')",
    ],
)
def test_a_locked_down_process_opens_and_starts_nothing(call: str) -> None:
    assert refused_by_lockdown(call) == "PermissionError"


@pytest.mark.skipif(not LANDLOCKED, reason="this kernel has no Landlock")
def test_a_locked_down_process_connects_nowhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        refusal = refused_by_lockdown(f"socket.create_connection({listener.getsockname()}, 5)")

    assert refusal in ("PermissionError", "OSError")


def test_a_locked_down_process_gets_no_more_than_its_memory() -> None:
    assert refused_by_lockdown("bytearray(3 << 30)") == "MemoryError"
