"""One system, measured once, from its first start to its death and return."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.connection import Connection, Reply, request_bytes
from bench.load import Call, put_load
from bench.processes import Started, free_port, memory_of
from bench.systems import Place, System, body_bytes

__all__ = ["Effort", "Figures", "measure"]

START_S = 60.0
JOB_S = 60.0
LOOK_S = 0.002
SETTLE_S = 1.0
STILL_S = 0.5
"""When no job ended for so long, there is none left."""

Figures = dict[str, float]
"""By name; what a system does not have is absent."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how hard is measured."""

    seconds: int
    jobs: int
    connections: int


def measure(system: System, effort: Effort, folder: Path, python: str) -> Figures:
    """Raises RuntimeError with the end of the system's log when it does not start or answer."""
    figures: Figures = {}
    with _running(system, folder, python) as (started, port):
        finished = _run_job(system, port)
        time.sleep(SETTLE_S)
        _weigh(system, started, figures, "idle")
        _latencies(system, port, effort, figures)
        call = Call("GET", system.status_path.format(id=finished), system.headers)
        polls = put_load(port, call, connections=effort.connections, seconds=effort.seconds, folder=folder)
        figures["polls_per_s"] = polls.accepted_per_s
        if system.parked_path is not None:
            _submits(system, system.parked_path, port, effort, folder, figures, "parked")
        _submits(system, system.submit_path, port, effort, folder, figures, "busy")
        figures["jobs_per_s_alone"] = _drained_per_s(folder / "marks", effort.seconds)
        _weigh(system, started, figures, "loaded")
        started.kill()
    began = time.monotonic()
    with _running(system, folder, python) as (_, port):
        figures["ready_again_s"] = time.monotonic() - began
        figures["remembers"] = float(_is_done(system, _get(system, port, system.status_path, finished)))
    return figures


# --------------------------------------------------------------------------------------------------------- up, down


@contextmanager
def _running(system: System, folder: Path, python: str) -> Iterator[tuple[Started, int]]:
    """The system once it answers, and its port; ended afterwards with all that it started."""
    place = Place(folder, free_port(), free_port(), python)
    log = folder / "log"
    started = Started(system.programs(place), folder, log)
    try:
        _await_answer(system, started, place.port, log)
        yield started, place.port
    finally:
        started.end()


def _await_answer(system: System, started: Started, port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and not started.ended():
        try:
            if _get(system, port, system.status_path, "none").status < 500:
                return
        except OSError:
            pass
        time.sleep(LOOK_S)
    tail = log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{system.name} does not answer. Its log ends with:\n{tail}")


# ----------------------------------------------------------------------------------------------------------- figures


def _weigh(system: System, started: Started, figures: Figures, when: str) -> None:
    gateway = started.pid_of(system.gateway)
    own = memory_of([] if gateway is None else [gateway])
    figures[f"gateway_rss_mb_{when}"], figures[f"gateway_pss_mb_{when}"] = own.rss_mb, own.pss_mb
    figures[f"tree_pss_mb_{when}"] = memory_of(list(started.family())).pss_mb
    figures[f"processes_{when}"] = float(len(started.family()))


def _latencies(system: System, port: int, effort: Effort, figures: Figures) -> None:
    """Strictly one job after another: from sending the submit to the job's first line, and to its result in hand."""
    to_start, to_end = [], []
    with Connection(port) as connection:
        for _ in range(effort.jobs):
            _, result, sent_at, ended_at = _job(system, connection)
            to_start.append((system.started_at(result) - sent_at) * 1000)
            to_end.append((ended_at - sent_at) * 1000)
    figures["start_ms_p50"], figures["start_ms_p95"] = median(to_start), quantiles(to_start, n=20)[-1]
    figures["end_ms_p50"], figures["end_ms_p95"] = median(to_end), quantiles(to_end, n=20)[-1]


def _submits(system: System, path: str, port: int, effort: Effort, folder: Path, figures: Figures, worker: str) -> None:
    """Submits without pause. Jobs are counted by the marks that they leave."""
    marks = folder / "marks"
    call = Call("POST", path, system.headers, body_bytes())
    before, began = marks.stat().st_size, time.monotonic()
    load = put_load(port, call, connections=effort.connections, seconds=effort.seconds, folder=folder)
    ran, took_s = marks.stat().st_size - before, time.monotonic() - began
    figures[f"submits_per_s_{worker}"] = load.accepted_per_s
    figures[f"submits_failed_{worker}"] = float(load.refused + load.broken)
    if worker == "busy":
        figures["jobs_per_s"] = ran / took_s


def _drained_per_s(marks: Path, seconds: int) -> float:
    """How fast the backlog of the test before is worked off while nobody calls; it may be shorter than `seconds`."""
    before, began = marks.stat().st_size, time.monotonic()
    ran, took_s = 0, 0.0
    while (now_s := time.monotonic() - began) < seconds and now_s - took_s < STILL_S:
        time.sleep(LOOK_S)
        if (size := marks.stat().st_size - before) > ran:
            ran, took_s = size, time.monotonic() - began
    return ran / took_s if took_s else 0.0


# -------------------------------------------------------------------------------------------------------------- jobs


def _run_job(system: System, port: int) -> str:
    with Connection(port) as connection:
        return _job(system, connection)[0]


def _job(system: System, connection: Connection) -> tuple[str, Any, float, float]:
    """Submits, asks without pause until it is done, and fetches the result: id, result, and the wall-clock seconds of
    sending the submit and of having the result."""
    submit = request_bytes("POST", system.submit_path, system.headers, body_bytes())
    sent_at = time.time()
    reply = connection.call(submit)
    if reply.status >= 300:
        raise RuntimeError(f"{system.name} refused a submit with {reply.status}: {reply.body}")
    request_id = reply.body[system.id_field]
    status = request_bytes("GET", system.status_path.format(id=request_id), system.headers)
    _until(lambda: _is_done(system, connection.call(status)), system.name)
    result = connection.call(request_bytes("GET", system.result_path.format(id=request_id), system.headers))
    return request_id, result.body, sent_at, time.time()


def _until(condition: Callable[[], bool], name: str) -> None:
    deadline = time.monotonic() + JOB_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not finish a job within {JOB_S:g} s.")


def _is_done(system: System, reply: Reply) -> bool:
    return isinstance(reply.body, Mapping) and reply.body.get("status") == system.done_word


def _get(system: System, port: int, path: str, request_id: str) -> Reply:
    with Connection(port, timeout_s=10) as connection:
        return connection.call(request_bytes("GET", path.format(id=request_id), system.headers))
