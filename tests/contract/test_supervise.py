"""The supervisor over tiny roles, each a real process: restarts, drains, refusals, and nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from filmgate.domain.errors import StartupError
from filmgate.supervise.health import HealthCall
from filmgate.supervise.inheritance import bind_socket, folder_is_free, hold_folder, http_url, reachable_address

ROOT = Path(__file__).parents[2]


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> object:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.005)
    raise TimeoutError(f"not met within {seconds} s")


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Supervised:
    """A supervisor process over some of the roles in `tests.contract.supervised`."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.names = names
        folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.supervised", str(folder), *names],
            cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().split() if path.exists() else []

    def pids(self, name: str, count: int = 1) -> list[int]:
        """The process ids of a role's starts, once there are `count`."""
        wait_for(lambda: len(self.lines(f"{name}.starts")) >= count)
        return [int(line) for line in self.lines(f"{name}.starts")]

    def url(self) -> str:
        wait_for(lambda: self.lines("ready"))
        return self.lines("ready")[0]

    def all_pids(self) -> list[int]:
        return [int(line) for name in self.names for line in self.lines(f"{name}.starts")]

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """The exit code and what was said on stderr, after a signal."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


@pytest.fixture
def start(tmp_path):
    started = []

    def start_supervised(*names: str) -> Supervised:
        started.append(Supervised(tmp_path / "data", *names))
        return started[-1]

    yield start_supervised
    for supervised in started:
        if supervised.process.poll() is None:
            supervised.process.kill()
        supervised.process.communicate()
    for supervised in started:
        wait_for(lambda supervised=supervised: not any(map(runs, supervised.all_pids())))


def call(url: str) -> str:
    reply = httpx2.get(url, timeout=20, trust_env=False)
    return reply.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_all_roles_in_order_the_front_one_last(start, number):
    supervised = start("front", "one", "two")
    supervised.url()
    supervised.pids("one"), supervised.pids("two")
    wait_for(lambda: all(is_ready(pid) for pid in supervised.all_pids()))

    code, _ = supervised.end(number)

    assert code == 0
    *first, last = supervised.lines("ends")
    assert (sorted(first), last) == (["one", "two"], "front")
    assert not any(map(runs, supervised.all_pids()))


def is_ready(pid: int) -> bool:
    """Whether a role has installed its handler for SIGTERM."""
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_a_role_that_dies_is_started_again(start):
    supervised = start("front", "one")

    for count in (1, 2, 3):
        os.kill(supervised.pids("one", count)[-1], signal.SIGKILL)

    assert len(set(supervised.pids("one", 4))) == 4
    assert len(supervised.pids("front")) == 1
    code, said = supervised.end()
    assert code == 0
    assert "one was ended by SIGKILL; starting it again" in said


def test_while_the_front_role_starts_anew_callers_wait_and_the_port_stays(start):
    supervised = start("front")
    url = supervised.url()
    before = call(url)

    with pytest.raises(httpx2.TransportError):
        call(f"{url}/die")

    after = call(url)
    assert after != before
    assert after == str(supervised.pids("front", 2)[-1])


def test_ready_is_said_once_and_only_when_the_front_role_answers(start):
    supervised = start("front_slow", "one")
    supervised.pids("one")
    assert supervised.lines("ready") == []

    (supervised.folder / "open").touch()

    url = supervised.url()
    os.kill(supervised.pids("front_slow")[0], signal.SIGKILL)
    assert call(url) == str(supervised.pids("front_slow", 2)[-1])
    supervised.end()
    assert supervised.lines("ready") == [url]


def test_a_role_that_cannot_start_stops_the_whole_with_its_sentence(start):
    supervised = start("front", "refuses", "one")

    code, said = supervised.ended()

    assert code == 2
    assert "The cupboard is bare; fill it." in said
    assert "refuses cannot start" in said
    assert not any(map(runs, supervised.all_pids()))


def test_a_role_that_cannot_start_again_later_is_tried_until_it_can(start):
    supervised = start("front", "refuses_later")
    supervised.url()

    (supervised.folder / "now").touch()

    assert runs(supervised.pids("refuses_later", 4)[-1])
    assert supervised.end()[0] == 0


def test_a_role_that_does_not_end_is_killed_after_the_drain(start):
    supervised = start("front", "stubborn")
    supervised.url()
    [pid] = supervised.pids("stubborn")
    wait_for(lambda: is_deaf(pid))

    code, said = supervised.end()

    assert code == 1
    assert "stubborn did not end in time" in said
    assert not runs(pid)


def test_a_second_signal_ends_the_patience(start):
    supervised = start("front", "stubborn", "one")
    supervised.url()
    [pid] = supervised.pids("stubborn")
    wait_for(lambda: is_deaf(pid) and is_ready(supervised.pids("one")[0]))
    supervised.process.send_signal(signal.SIGINT)
    wait_for(lambda: "one" in supervised.lines("ends"))

    code, _ = supervised.end(signal.SIGINT)

    assert code == 1
    assert not runs(pid)


def is_deaf(pid: int) -> bool:
    ignored = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigIgn"))
    return bool(int(ignored.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_when_the_supervisor_is_killed_everything_is_gone(start):
    supervised = start("front", "stubborn", "parent")
    supervised.url()
    [grandchild] = wait_for(lambda: supervised.lines("grandchild"))
    pids = [*supervised.pids("front"), *supervised.pids("stubborn"), *supervised.pids("parent"), int(grandchild)]
    assert all(map(runs, pids))

    supervised.process.kill()

    wait_for(lambda: not any(map(runs, pids)))


def test_what_a_dead_role_had_started_is_gone_too(start):
    supervised = start("front", "parent")
    [grandchild] = wait_for(lambda: supervised.lines("grandchild"))

    os.kill(supervised.pids("parent")[0], signal.SIGKILL)

    wait_for(lambda: not runs(int(grandchild)))
    assert len(supervised.pids("parent", 2)) == 2


def test_a_data_folder_has_one_supervisor(start):
    first = start("front")
    first.url()

    code, said = start("front").ended()

    assert code == 2
    assert f"is in use by another `filmgate serve` (process {first.process.pid})" in said
    assert len(first.pids("front")) == 1


def test_after_a_kill_the_next_supervisor_waits_for_the_last_role_to_be_gone(start):
    first = start("front", "stubborn")
    first.url()
    [pid] = first.pids("stubborn")
    first.process.kill()

    second = start("front", "one")

    second.pids("one")
    assert not runs(pid)


def test_a_folder_is_held_until_the_last_descriptor_is_closed(tmp_path):
    with hold_folder(tmp_path) as lock:
        assert not folder_is_free(tmp_path)
        of_a_role = os.dup(lock)
    assert not folder_is_free(tmp_path)

    os.close(of_a_role)

    assert folder_is_free(tmp_path)


def test_a_port_in_use_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartupError, match=f"Port {port} of 127.0.0.1 is in use by another program; .*--port"):
            bind_socket("127.0.0.1", port)


def test_a_host_that_is_not_ours_is_said():
    with pytest.raises(StartupError, match=r"Port 0 of 192\.0\.2\.1 cannot be opened"):
        bind_socket("192.0.2.1", 0)


@pytest.mark.parametrize(("host", "url"), [("0.0.0.0", "http://127.0.0.1:"), ("localhost", "http://127.0.0.1:")])
def test_the_url_is_one_that_this_machine_reaches(host, url):
    with bind_socket(host, 0) as listener:
        assert http_url(listener) == f"{url}{listener.getsockname()[1]}"


def test_a_health_call_is_made_again_until_the_answer_is_200():
    answers = [b"", b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]
    with bind_socket("127.0.0.1", 0) as listener, HealthCall(reachable_address(listener)) as health:
        for answer in answers:
            wait_for(lambda: health.read() or health.connection is not None)
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)
            wait_for(lambda: health.read() or health.answered or health.connection is None)

        assert health.answered
