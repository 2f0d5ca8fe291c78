"""Load: one request, over and over, on many connections at once. wrk where it is installed, else processes of our own,
which take more of the machine for themselves."""

import json
import multiprocessing
import os
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from bench.connection import request_bytes, whole_reply

__all__ = ["Call", "Load", "generator", "put_load"]

WRK = shutil.which("wrk")
MARGIN_S = 30.0

_SCRIPT = """
wrk.method = "{method}"
wrk.body = {body}
{headers}
done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('\\n{{"replies": %d, "refused": %d, "broken": %d, "duration_s": %f}}\\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1000000))
end
"""


@dataclass(frozen=True, slots=True)
class Call:
    """The request that is repeated."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: replies with 2xx or 3xx per second, and how many others there were."""

    accepted_per_s: float
    refused: int
    broken: int


def generator() -> str:
    """What makes the load, for the report."""
    return (
        "Load from wrk, 1 thread"
        if WRK
        else f"Own load generator, processes: {_processes()} (wrk is not installed: apt install wrk)"
    )


def put_load(port: int, call: Call, *, connections: int, seconds: int, folder: Path) -> Load:
    """Repeats `call` for `seconds`, whole ones as wrk wants them. `folder` is for files of its own."""
    if WRK is not None:
        return _with_wrk(WRK, port, call, connections, seconds, folder)
    return _with_processes(port, call, connections, seconds)


def _with_wrk(wrk: str, port: int, call: Call, connections: int, seconds: int, folder: Path) -> Load:
    headers = dict(call.headers) | ({"Content-Type": "application/json"} if call.body else {})
    script = folder / "load.lua"
    script.write_text(
        _SCRIPT.format(
            method=call.method,
            body=f"[==[{call.body.decode()}]==]" if call.body else "nil",
            headers="\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()),
        )
    )
    # wrk's connections hold several seconds' silence, as a server may need that is drowned in work.
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{call.path}"],
        capture_output=True, text=True, timeout=seconds + MARGIN_S, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    accepted = told["replies"] - told["refused"]
    return Load(accepted / told["duration_s"], told["refused"], told["broken"])


# ------------------------------------------------------------------------------------------------------ without wrk


def _processes() -> int:
    return max(1, (os.cpu_count() or 1) // 2)


def _with_processes(port: int, call: Call, connections: int, seconds: int) -> Load:
    fork = multiprocessing.get_context("fork")
    request = request_bytes(call.method, call.path, call.headers, call.body)
    each = max(1, connections // _processes())
    running = []
    for _ in range(_processes()):
        ours, theirs = fork.Pipe()
        process = fork.Process(target=_repeat, args=(theirs, port, request, each, seconds), daemon=True)
        process.start()
        theirs.close()
        running.append((process, ours))
    accepted, refused, broken = 0, 0, 0
    for process, ours in running:
        if ours.poll(seconds + MARGIN_S):
            counts = ours.recv()
            accepted, refused, broken = accepted + counts[0], refused + counts[1], broken + counts[2]
        process.join(1)
        process.kill()
    return Load(accepted / seconds, refused, broken)


def _repeat(result: Pipe, port: int, request: bytes, connections: int, seconds: int) -> None:
    """On every connection, as soon as a reply is whole the next request goes out."""
    accepted, refused, broken = 0, 0, 0
    selector = selectors.DefaultSelector()
    received: dict[socket.socket, bytes] = {}
    for _ in range(connections):
        one = socket.create_connection(("127.0.0.1", port), timeout=MARGIN_S)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received[one] = b""
        selector.register(one, selectors.EVENT_READ)
        one.sendall(request)
    deadline = time.monotonic() + seconds
    while received and time.monotonic() < deadline:
        for key, _ in selector.select(0.1):
            one = key.fileobj
            if not isinstance(one, socket.socket):
                continue
            chunk = one.recv(65536)
            if not chunk:
                broken += 1
                selector.unregister(one)
                del received[one]
                continue
            received[one] += chunk
            if (size := whole_reply(received[one])) is not None:
                good = received[one][9:10] in (b"2", b"3")
                accepted, refused = accepted + good, refused + (not good)
                received[one] = received[one][size:]
                one.sendall(request)
    result.send((accepted, refused, broken))
