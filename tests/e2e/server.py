"""A real `filmgate serve` on a free port, with a folder of its own, driven as a stranger would."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[2]
KEY = "fg_for-tests-only-0123456789"


def wait_for(condition: Callable[[], object], seconds: float = 30.0, what: str = "the condition") -> object:
    """What `condition` returns once it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise TimeoutError(f"{what} was not met within {seconds} s")


class Server:
    """`settings` become FILMGATE_* variables."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self._settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> "Server":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FILMGATE_")}
        environment |= {"FILMGATE_BOOTSTRAP_KEY": KEY, "PYTHONPATH": str(ROOT)}
        environment |= {f"FILMGATE_{name.upper()}": value for name, value in self._settings.items()}
        address = self.data / "gateway.url"
        address.unlink(missing_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "filmgate", "serve", "--port", "0", "--data", str(self.data)],
                env=environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_for(lambda: self._answers(address), what=f"the start of the server ({self.log()[-2000:]})")
        return self

    def _answers(self, address: Path) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"the server ended with {self.process.returncode}: {self.log()[-2000:]}")
        if not address.exists() or not (url := address.read_text().strip()):
            return False
        try:
            httpx2.get(f"{url}/healthz", timeout=1)
        except httpx2.TransportError:
            return False
        self.url = url
        return True

    def log(self) -> str:
        path = self.data / "serve.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def family(self) -> list[int]:
        """The process ids of the server and all its descendants."""
        children: dict[int, list[int]] = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid, _, rest = status.read_text().partition(" ")
            except OSError:
                continue
            children.setdefault(int(rest.rpartition(")")[2].split()[1]), []).append(int(pid))
        found, waiting = [], [self.process.pid] if self.process else []
        while waiting:
            found.append(pid := waiting.pop())
            waiting += children.get(pid, [])
        return found

    def pid_of(self, word: str) -> int:
        """The first process of the family with this word among its arguments, such as a role's name."""
        for pid in self.family():
            try:
                arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if word.encode() in arguments:
                return pid
        raise LookupError(word)

    def kill(self) -> None:
        """kill -9 of every process at once."""
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.process is not None:
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and what the server says to it."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def client(self, key: str = KEY) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60)


def finished(client: httpx2.Client, request_id: str, seconds: float = 100) -> dict:
    """The result of a request, once it has one."""

    def ended() -> dict | None:
        status = client.get(f"/v1/requests/{request_id}/status").json()
        if status["status"] not in ("completed", "cancelled"):
            return None
        return client.get(f"/v1/requests/{request_id}/result").json()

    return wait_for(ended, seconds, f"the end of request {request_id}")
