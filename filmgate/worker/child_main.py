"""The child process: holds one engine and does what the worker on the other end of its socket says.

The main thread runs the engine. A second thread listens: it sets the flag at which `stop_if_cancelled` looks, passes on
that a checkpoint was looked after, and when the worker is gone it ends this process at once, whatever the engine is
doing. Nothing is kept from job to job but the engine itself.

Started by `filmgate.worker.child` as `python -m filmgate.worker.child_main DESCRIPTOR NAME MODULE:CALLABLE OPTIONS`,
the options being the engine's keyword arguments as a JSON object.
"""

import ctypes
import errno
import faulthandler
import importlib
import io
import json
import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec

from filmgate.domain.errors import EngineBroken, RequestFailure, RequestStopped, StartupError
from filmgate.domain.ports import Capabilities, Engine, Job, Result
from filmgate.worker.messages import (
    Broke,
    Finished,
    Frames,
    FromChild,
    Halted,
    Kept,
    Raised,
    Ready,
    Refused,
    Run,
    Stop,
    Unready,
    frame,
    from_child,
    sendable_text,
    to_child,
)
from filmgate.worker.report import ChildReport, Orders

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1

logger = logging.getLogger(__name__)

Calls = queue.SimpleQueue[tuple[Run, Orders]]


class Channel:
    """This side of the socket."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, message: FromChild) -> None:
        self.send_framed(frame(message))

    def send_framed(self, data: bytes) -> None:
        with self._lock:
            self._stream.sendall(data)

    def listen(self, calls: Calls) -> None:
        """Takes orders until the worker is gone, then ends this process."""
        orders = Orders()
        frames = Frames()
        try:
            while data := self._stream.recv(1 << 16):
                for body in frames.feed(data):
                    match to_child(body):
                        case Run() as run:
                            # Of its own for each job, so that a stop that comes late cannot meet the next one.
                            orders = Orders()
                            calls.put((run, orders))
                        case Stop():
                            orders.stop.set()
                        case Kept():
                            orders.kept.release()
        finally:
            _end_group()


def main(arguments: list[str]) -> int:
    """Loads the engine, then runs jobs until the worker is gone. Returns only when the engine cannot be loaded."""
    descriptor, name, target, options = arguments
    _prepare_process()
    stream = socket.socket(fileno=int(descriptor))
    stream.set_inheritable(False)
    channel = Channel(stream)
    calls: Calls = queue.SimpleQueue()
    threading.Thread(target=channel.listen, args=(calls,), name="listen", daemon=True).start()
    try:
        engine, capabilities = _load(target, json.loads(options))
    except StartupError as error:
        channel.send(Unready(error.code, sendable_text(error.sentence)))
        return 1
    except Exception as error:
        logger.exception("The engine %s cannot be loaded.", name)
        reason = sendable_text(f"{type(error).__name__}: {error}")
        channel.send(Unready(StartupError.code, f"The engine {name} ({target}) cannot be loaded: {reason}."))
        return 1
    channel.send(Ready(capabilities))
    while True:
        run, orders = calls.get()
        report = ChildReport(channel.send, orders)
        ending = _perform(engine, name, run.unpacked(), report)
        report.end()
        channel.send_framed(ending)


def _prepare_process() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    faulthandler.enable()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    if sys.platform == "linux":
        # The listening thread cannot act while native code holds the interpreter's lock; the kernel can.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # When memory runs out, this process is the one to go: the queue gives its request another try.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500")


def _load(target: str, options: Mapping[str, Any]) -> tuple[Engine, Capabilities]:
    module, _, factory = target.partition(":")
    engine = cast("Engine", getattr(importlib.import_module(module), factory)(**options))
    return engine, engine.capabilities()


def _perform(engine: Engine, name: str, job: Job, report: ChildReport) -> bytes:
    """Runs one job; returns its ending, framed. Whatever an engine does wrong ends here as a message."""
    try:
        result = engine.run(job, report)
    except RequestStopped:
        return frame(Halted())
    except RequestFailure as error:
        return frame(Refused(error.code, sendable_text(error.sentence), error.retryable))
    except EngineBroken as error:
        logger.exception("The engine %s broke at request %s.", name, job.request_id)
        return frame(Broke(sendable_text(error.sentence)))
    except Exception as error:
        logger.exception("The engine %s failed at request %s.", name, job.request_id)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            sentence = "The worker's disk is full; send the request again later."
            return frame(Raised("storage_full", sentence, retryable=True))
        return frame(Raised("engine_failed", f"The engine {name} failed: {type(error).__name__}."))
    return _finished(name, result)


def _finished(name: str, result: object) -> bytes:
    """The framed result, once it is certain that the worker can read it."""
    if not isinstance(result, Result):
        return frame(Refused("engine_returned_nothing", f"The engine {name} returned no result."))
    try:
        framed = frame(Finished(result))
        for body in Frames().feed(framed):
            from_child(body)
    except (msgspec.MsgspecError, NotImplementedError, TypeError, ValueError, OverflowError) as error:
        sentence = f"The engine {name} returned a result that cannot be read: {error}."
        return frame(Refused("engine_output_invalid", sendable_text(sentence)))
    return framed


def _end_group() -> None:
    """Ends this process and all that the engine started."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
