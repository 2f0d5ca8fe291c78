"""Processes of a system under test: started, weighed, killed. Only what was started here is ever signalled."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Memory", "Program", "Started", "free_port", "memory_of"]

END_S = 10.0
LOOK_S = 0.02
MB = 1e6


@dataclass(frozen=True, slots=True)
class Program:
    """One command of a system, with what it needs in its environment."""

    argv: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Memory:
    """RSS counts what processes share in each of them; PSS divides it, so PSS of a tree adds up to the truth."""

    rss_mb: float
    pss_mb: float


class Started:
    """Running programs with all that they started. `log` takes what they print."""

    def __init__(self, programs: Sequence[Program], folder: Path, log: Path) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        for program in programs:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    program.argv, env=dict(program.environment), cwd=folder, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=output, start_new_session=True,
                )  # fmt: skip
            self._processes.append(process)

    def ended(self) -> bool:
        """Whether one of the programs is gone."""
        return any(process.poll() is not None for process in self._processes)

    def family(self) -> Mapping[int, str]:
        """The process ids of the programs and of all their descendants, each with its start time."""
        children: dict[int, list[int]] = {}
        born: dict[int, str] = {}
        for pid in [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]:
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(pid)
                born[pid] = fields[19]
        found: dict[int, str] = {}
        waiting = [process.pid for process in self._processes]
        while waiting:
            pid = waiting.pop()
            waiting += children.get(pid, [])
            if pid in born:
                found[pid] = born[pid]
        return found

    def pid_of(self, words: str) -> int | None:
        """The first process whose command line holds `words`."""
        for pid in sorted(self.family()):
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if words in command:
                    return pid
        return None

    def kill(self) -> None:
        """kill -9 of every process at once."""
        _kill(self.family())
        for process in self._processes:
            process.wait(END_S)

    def end(self) -> None:
        """Asks the programs to end, and kills what is left of their family then."""
        family = dict(self.family())
        for process in self._processes:
            process.terminate()
        deadline = time.monotonic() + END_S
        while time.monotonic() < deadline and not all(process.poll() is not None for process in self._processes):
            time.sleep(LOOK_S)
        _kill(family | dict(self.family()))
        for process in self._processes:
            process.wait(END_S)


def _kill(family: Mapping[int, str]) -> None:
    for pid, born in family.items():
        with suppress(OSError):
            # The id may be another's by now.
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19] == born:
                os.kill(pid, signal.SIGKILL)


def memory_of(pids: Sequence[int]) -> Memory:
    rss_kb, pss_kb = 0, 0
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, value = line.partition(":")
                if name == "Rss":
                    rss_kb += int(value.split()[0])
                elif name == "Pss":
                    pss_kb += int(value.split()[0])
    return Memory(rss_kb * 1024 / MB, pss_kb * 1024 / MB)


def free_port() -> int:
    """A port of the loopback that nobody uses just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
