"""A worker's handle on the process that holds one engine, so that what breaks there breaks no more than that process.

The handle starts the process, gives it one job at a time, and ends it with all that it started when the engine hangs,
will not stop, or fails in a way it did not foresee: after that nobody knows its state. The next start is a fresh one.
"""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filmgate.domain.errors import StartupError
from filmgate.domain.ports import Capabilities, Job
from filmgate.worker.factory import EngineFactory
from filmgate.worker.limits import WorkerLimits
from filmgate.worker.messages import (
    Broke,
    Checkpointed,
    Finished,
    Frames,
    FromChild,
    Halted,
    Kept,
    Previewed,
    Raised,
    Ready,
    Refused,
    Reported,
    Run,
    Stop,
    ToChild,
    Unready,
    frame,
    from_child,
)

__all__ = ["Died", "Ending", "EngineChild", "Hear", "Hung", "Keep"]

logger = logging.getLogger(__name__)

_STDERR = 2
_LAST_BREATH_S = 1.0
"""A process that closed its socket is about to exit; so long its own exit status is waited for."""
_LAST_WORDS_S = 0.1
"""What a process sent before it exited is read by then."""


@dataclass(frozen=True, slots=True)
class Died:
    """The process ended during the job; `how` reads on after "it", such as `exited with status 3`."""

    how: str


@dataclass(frozen=True, slots=True)
class Hung:
    """The engine gave no sign of life for `silent_s` seconds and was killed."""

    silent_s: float


Ending = Finished | Refused | Raised | Halted | Broke | Died | Hung

Hear = Callable[[Reported | Previewed], None]
Keep = Callable[[Path], Awaitable[None]]


async def _keep_nothing(_: Path) -> None:
    pass


class EngineChild:
    """One engine in a process of its own."""

    def __init__(self, name: str, factory: EngineFactory, limits: WorkerLimits) -> None:
        self._name = name
        self._factory = factory
        self._limits = limits
        self._living: _Living | None = None
        self._keeping: list[asyncio.Task[None]] = []
        self._capabilities: Capabilities | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def alive(self) -> bool:
        return self._living is not None and not self._living.link.lost

    @property
    def pid(self) -> int | None:
        return None if self._living is None else self._living.process.pid

    async def start(self) -> Capabilities:
        """Loads the engine unless it is loaded. Raises StartupError with a sentence when it cannot be."""
        if self.alive and self._capabilities is not None:
            return self._capabilities
        await self.close()
        self._living = await _spawn(self._name, self._factory)
        try:
            self._capabilities = await self._first_words(self._living)
        except BaseException:
            await self.close()
            raise
        logger.info(
            "The engine %s is ready: %s %s on %s.",
            self._name,
            self._capabilities.engine,
            self._capabilities.version,
            self._capabilities.device,
        )
        return self._capabilities

    async def run(self, job: Job, heard: Hear, keep: Keep = _keep_nothing) -> Ending:
        """Runs one job in the started engine; `keep` stores a checkpoint, and the engine waits for it.

        Cancelling this call stops the job: by asking, after the grace by killing. No `keep` is under way afterwards.
        """
        living = self._living
        if living is None:
            raise RuntimeError(f"the engine {self._name} was not started")
        living.link.send(Run.of(job))
        try:
            ending = await self._ending(living, heard, keep)
            if isinstance(ending, Raised | Broke | Hung):
                await self.close()
        except asyncio.CancelledError:
            await self._stop(living, keep)
            raise
        finally:
            keeping, self._keeping = self._keeping, []
            await asyncio.gather(*keeping)
        return ending

    async def close(self) -> None:
        """Ends the process and all that it started."""
        living, self._living = self._living, None
        if living is not None:
            await living.end()

    async def _first_words(self, living: "_Living") -> Capabilities:
        try:
            async with asyncio.timeout(self._limits.start_s):
                message = await living.link.receive()
        except TimeoutError as error:
            sentence = f"The engine {self._name} was not ready within {self._limits.start_s:g} s."
            raise StartupError(sentence) from error
        if isinstance(message, Ready):
            return message.capabilities
        if isinstance(message, Unready):
            raise StartupError(message.sentence, code=message.code)
        how = await living.how_it_ended()
        raise StartupError(f"The engine {self._name} ({self._factory.target}) {how} while it loaded.")

    async def _ending(self, living: "_Living", heard: Hear, keep: Keep) -> Ending:
        while True:
            try:
                async with asyncio.timeout(self._limits.stall_s):
                    message = await living.link.receive()
            except TimeoutError:
                if all(keeping.done() for keeping in self._keeping):
                    return Hung(self._limits.stall_s)
                continue  # the engine waits for its checkpoint to be stored
            if message is None:
                how = await living.how_it_ended()
                await self.close()
                return Died(how)
            match message:
                case Reported() | Previewed():
                    heard(message)
                case Checkpointed():
                    # Beside the listening, so that a stop, a death and other threads' reports are heard meanwhile.
                    self._keeping.append(asyncio.create_task(_answered(living.link, keep(Path(message.path)))))
                case Finished() | Refused() | Raised() | Halted() | Broke():
                    return message

    async def _stop(self, living: "_Living", keep: Keep) -> None:
        """Leaves the child idle where it obeys, and ended where it does not."""
        idle = False
        living.link.send(Stop())
        try:
            async with asyncio.timeout(self._limits.stop_grace_s):
                ending = await self._ending(living, _unheard, keep)
                idle = not isinstance(ending, Raised | Broke | Died | Hung)
        except TimeoutError:
            logger.warning("The engine %s did not stop within %g s.", self._name, self._limits.stop_grace_s)
        finally:
            if not idle:
                await self.close()


def _unheard(_: Reported | Previewed) -> None:
    pass


async def _answered(link: "_Link", keeping: Awaitable[None]) -> None:
    """Tells the waiting engine when its checkpoint was looked after, whatever came of it."""
    try:
        await keeping
    finally:
        link.send(Kept())


class _Link(asyncio.Protocol):
    """The worker's side of the socket."""

    def __init__(self) -> None:
        self.lost = False
        self._frames = Frames()
        self._inbox: asyncio.Queue[FromChild | None] = asyncio.Queue()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        for body in self._frames.feed(data):
            self._inbox.put_nowait(from_child(body))

    def connection_lost(self, _exc: Exception | None) -> None:
        self.lost = True
        self._inbox.put_nowait(None)

    def send(self, message: ToChild) -> None:
        if self._transport is not None:
            self._transport.write(frame(message))

    async def receive(self) -> FromChild | None:
        """The next message, or None once the child has closed its end."""
        if self.lost and self._inbox.empty():
            return None
        return await self._inbox.get()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


@dataclass(frozen=True, slots=True)
class _Living:
    """A started process and the link to it."""

    process: asyncio.subprocess.Process
    link: _Link
    watch: asyncio.Task[None]

    async def how_it_ended(self) -> str:
        """Waits for the end of a process that closed its link."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_BREATH_S):
                await self.process.wait()
        await self.end()
        status = self.process.returncode
        if status is not None and status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"exited with status {status}"

    async def end(self) -> None:
        # The group outlives its leader where the engine started processes of its own.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.link.close()
        await self.process.wait()
        self.watch.cancel()


async def _spawn(name: str, factory: EngineFactory) -> _Living:
    loop = asyncio.get_running_loop()
    command = (sys.executable, "-P", "-m", "filmgate.worker.child_main")
    ours, theirs = socket.socketpair()
    with theirs:
        _, link = await loop.create_unix_connection(_Link, sock=ours)
        descriptor = theirs.fileno()
        try:
            process = await asyncio.create_subprocess_exec(
                *(*command, str(descriptor), name, factory.target, json.dumps(dict(factory.options))),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=_STDERR,
                pass_fds=(descriptor,),
                # A group of its own: Ctrl-C in a terminal must not reach the engine before the worker decides.
                start_new_session=True,
                # The engine sees the packages that the worker sees, and the current folder only if the worker does.
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        except BaseException:
            link.close()
            raise
    return _Living(process, link, asyncio.create_task(_close_after(process, link)))


async def _close_after(process: asyncio.subprocess.Process, link: _Link) -> None:
    """A process that the engine forked keeps the link open when the engine's own is long gone."""
    await process.wait()
    await asyncio.sleep(_LAST_WORDS_S)
    link.close()
