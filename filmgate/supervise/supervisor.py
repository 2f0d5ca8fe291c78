"""Keeps roles running, and ends them in order.

A role that dies is started again: at once, then after growing pauses. One that says at its first start that it cannot
(exit code 2, its sentence is on stderr) stops the whole. On SIGTERM, SIGINT or SIGHUP the roles that do the work are
told to end first and the gateway last, so that clients can still read results; a second signal ends the patience.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from filmgate.domain.errors import StartupError
from filmgate.supervise.health import HealthCall
from filmgate.supervise.inheritance import LIFELINE_VARIABLE, LISTEN_VARIABLE, reachable_address

__all__ = ["CANNOT_START", "Role", "Supervisor"]

CANNOT_START = 2
"""The exit code of a role that raised StartupError."""

RETRY_DELAYS_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
HEALTHY_S = 60.0
"""A role that lived this long starts again at once when it dies."""

DRAIN_MARGIN_S = 5.0
KILL_WAIT_S = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Role:
    """A process to keep running. The `front` one answers clients: it gets the listening socket and ends last."""

    name: str
    command: tuple[str, ...]
    front: bool = False


class _Child:
    """One role's process, from start to start."""

    def __init__(self, role: Role, environment: Mapping[str, str], descriptors: Sequence[int]) -> None:
        self.role = role
        self._environment = environment
        self._descriptors = tuple(descriptors)
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.deaths = 0
        self.started_at = 0.0
        self.due_at = 0.0

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, and what the role starts can be ended with it.
        self.process = subprocess.Popen(  # noqa: S603  # our own command
            self.role.command,
            env=dict(self._environment),
            pass_fds=self._descriptors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.starts += 1
        self.started_at = time.monotonic()

    def reap(self) -> int | None:
        """The exit code, once, when the process has ended; whatever it started ends with it."""
        if self.process is None:
            return None
        code = self.process.poll()
        if code is not None:
            self._signal_group(signal.SIGKILL)
            self.process = None
        return code

    def tell(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def kill(self) -> None:
        if self.process is not None:
            self._signal_group(signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):  # only in an uninterruptible system call
                self.process.wait(KILL_WAIT_S)
            self.process = None

    def _signal_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # gone; macOS says so in its own way
                os.killpg(self.process.pid, number)


class Supervisor:
    """Keeps `roles` running until a signal, with `environment` and nothing more of this process's.

    `lock` is the descriptor of `hold_folder`; `ready` is called once, when the front role answers. Roles that were told
    to end have `drain_s` for their requests and `margin_s` for themselves before they are killed.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        *,
        environment: Mapping[str, str],
        listener: socket.socket,
        lock: int,
        drain_s: float,
        ready: Callable[[], None],
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
        margin_s: float = DRAIN_MARGIN_S,
    ) -> None:
        self._listener = listener
        self._ready = ready
        self._drain_s = drain_s
        self._margin_s = margin_s
        self._retry_delays_s = retry_delays_s
        self._told = 0
        self._lifeline, self._lifeline_end = os.pipe()
        variables = {**environment, LIFELINE_VARIABLE: str(self._lifeline)}
        front_variables = {**variables, LISTEN_VARIABLE: str(listener.fileno())}
        inherited = (self._lifeline, lock)
        self._children = [
            _Child(role, front_variables, (*inherited, listener.fileno()))
            if role.front
            else _Child(role, variables, inherited)
            for role in roles
        ]

    def run(self) -> bool:
        """Returns after a signal, when all roles have ended: False when one of them had to be killed.

        Raises StartupError when a role cannot start.
        """
        with self._signals() as wake:
            try:
                for child in self._children:
                    child.start()
                with HealthCall(reachable_address(self._listener)) as call:
                    while not self._told:
                        self._wait(wake, call)
                        self._tend()
                        if not call.answered and call.read():
                            self._ready()
                return self._drain(wake)
            finally:
                self._listener.close()
                for child in self._children:
                    child.kill()
                os.close(self._lifeline)
                os.close(self._lifeline_end)

    def _wait(self, wake: socket.socket, call: "HealthCall | None" = None, until: float | None = None) -> None:
        """Returns when a child died, a signal came, the call was answered, a start is due, or at `until`."""
        moments = [child.due_at for child in self._children if child.process is None] if call is not None else []
        if until is not None:
            moments.append(until)
        if call is not None and call.retry_at is not None:
            moments.append(call.retry_at)
        timeout_s = max(0.0, min(moments) - time.monotonic()) if moments else None
        waiting = [wake] if call is None or call.connection is None else [wake, call.connection]
        readable, _, _ = select.select(waiting, [], [], timeout_s)
        if wake in readable:
            wake.recv(4096)

    def _tend(self) -> None:
        for child in self._children:
            code = child.reap()
            if code == CANNOT_START and child.starts == 1:
                raise StartupError(f"{child.role.name} cannot start; its own message says why.")
            if code is not None:
                self._schedule(child, code)
            elif child.process is None and child.due_at <= time.monotonic():
                self._start_again(child)

    def _schedule(self, child: _Child, code: int) -> None:
        now = time.monotonic()
        child.deaths = 0 if now - child.started_at >= HEALTHY_S else child.deaths
        delay_s = self._retry_delays_s[min(child.deaths, len(self._retry_delays_s) - 1)]
        child.deaths += 1
        child.due_at = now + delay_s
        logger.warning("%s %s; starting it again in %g s.", child.role.name, _ending(code), delay_s)

    def _start_again(self, child: _Child) -> None:
        try:
            child.start()
        except OSError as error:  # no memory or no process to be had now; what runs goes on
            child.due_at = time.monotonic() + self._retry_delays_s[-1]
            logger.warning("%s cannot be started now: %s.", child.role.name, error.strerror or error)

    def _drain(self, wake: socket.socket) -> bool:
        logger.info("Ending; running requests have %g s. Signal again to end at once.", self._drain_s)
        deadline = time.monotonic() + self._drain_s + self._margin_s
        back = [child for child in self._children if not child.role.front]
        front = [child for child in self._children if child.role.front]
        clean = self._end(back, wake, deadline)
        self._listener.close()
        return self._end(front, wake, max(deadline, time.monotonic() + DRAIN_MARGIN_S)) and clean

    def _end(self, children: Sequence[_Child], wake: socket.socket, deadline: float) -> bool:
        for child in children:
            child.tell()
        while self._told < 2 and time.monotonic() < deadline:
            for child in children:
                child.reap()
            if all(child.process is None for child in children):
                return True
            self._wait(wake, until=deadline)
        for child in children:
            if child.reap() is None and child.process is not None:
                logger.warning("%s did not end in time and is killed.", child.role.name)
                child.kill()
        return False

    @contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """A socket that is readable after a signal or the death of a child, and the handlers that make it so."""
        wake, waker = socket.socketpair()
        wake.setblocking(False)
        waker.setblocking(False)
        numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGCHLD]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # ignored under nohup, which is meant to last
            numbers.append(signal.SIGHUP)
        earlier_descriptor = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        earlier = {number: signal.signal(number, self._note) for number in numbers}
        try:
            yield wake
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(earlier_descriptor)
            wake.close()
            waker.close()

    def _note(self, number: int, _: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self._told += 1


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
