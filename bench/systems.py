"""What is measured: how each system is started, called and read. A row of the table at the end is a system to be."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.peers import null_job
from bench.processes import Program
from tests.model_folder import model_id, write_models

__all__ = ["BODY", "KEY", "SYSTEMS", "Place", "System"]

ROOT = Path(__file__).parents[1]
KEY = "fg_for-the-bench-only-0123456789"

BODY: Mapping[str, Any] = {
    "prompt": (
        "A lighthouse on a rocky coast at dusk, waves breaking below, the camera slowly pushes in while gulls cross "
        "the frame from left to right."
    ),
    "size": "64*64 (1:1)",
    "seed": 7,
}
"""The body of every submit, to every system."""

REDIS_SERVER = shutil.which("redis-server")
INSTALL = "pip install 'filmgate[bench]' (or: pip install fastapi uvicorn[standard] bentoml 'celery[redis]')"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a system runs: its data and the ports it may take. `python` is the peers' interpreter."""

    folder: Path
    port: int
    spare_port: int
    python: str


@dataclass(frozen=True, slots=True)
class System:
    """`survives` says what an acknowledged submit outlives. `parked_path` takes requests that no worker will run; None
    where a system has no such thing. In `status_path` and `result_path` stands `{id}`."""

    name: str
    survives: str
    programs: Callable[[Place], Sequence[Program]]
    gateway: str
    submit_path: str
    parked_path: str | None
    status_path: str
    result_path: str
    id_field: str
    done_word: str
    started_at: Callable[[Any], float]
    modules: tuple[str, ...] = ()
    needs_redis: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    def missing(self, python: str) -> str | None:
        """How to get what this system needs and is not installed; None when all is there."""
        if self.needs_redis and REDIS_SERVER is None:
            return "redis-server is not installed: apt install redis-server"
        imports = "; ".join(f"import {module}" for module in self.modules)
        if imports and subprocess.run([python, "-c", imports], capture_output=True, check=False).returncode:
            return f"{python} lacks one of {', '.join(self.modules)}: {INSTALL}, or name another with --peer-python"
        return None


def _environment(place: Place, **variables: str) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FILMGATE_", "BENCH_"))}
    folder = str(place.folder)
    # What a system leaves behind when it is killed goes with the folder.
    own = {"PYTHONPATH": str(ROOT), "TMPDIR": folder, "BENCH_FOLDER": folder}
    return kept | own | {null_job.MARKS: str(place.folder / "marks")} | variables


def _filmgate(place: Place) -> Sequence[Program]:
    models = place.folder / "models"
    if not models.exists():
        write_models(models, ["null", "parked"])
    environment = _environment(
        place,
        FILMGATE_BOOTSTRAP_KEY=KEY,
        FILMGATE_MODELS=str(models),
        FILMGATE_ENGINES="null=bench.peers.null_engine:NullEngine",
        FILMGATE_LOG_LEVEL="warning",
        FILMGATE_PORT=str(place.port),
        FILMGATE_DATA=str(place.folder / "data"),
    )
    return [Program((sys.executable, "-P", "-m", "filmgate", "serve"), environment)]


def _uvicorn(place: Place, service: str) -> tuple[str, ...]:
    return (
        place.python, "-P", "-m", "uvicorn", f"bench.peers.{service}:app", "--port", str(place.port),
        "--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning",
    )  # fmt: skip


def _naive(place: Place) -> Sequence[Program]:
    return [Program(_uvicorn(place, "naive_fastapi"), _environment(place))]


def _bentoml(place: Place) -> Sequence[Program]:
    environment = _environment(
        place, BENTOML_HOME=str(place.folder / "bentoml"), BENTOML_DO_NOT_TRACK="True", BENTOML_QUIET="True"
    )
    service = ("bench.peers.bentoml_task:NullTask", "--working-dir", str(ROOT))
    where = ("--host", "127.0.0.1", "--port", str(place.port))
    return [Program((place.python, "-P", "-m", "bentoml", "serve", *service, *where), environment)]


def _celery(place: Place, *, appendfsync: str) -> Sequence[Program]:
    port = str(place.spare_port)
    environment = _environment(place, BENCH_REDIS=f"redis://127.0.0.1:{port}/0")
    redis = (
        REDIS_SERVER or "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", str(place.folder),
        "--save", "", "--appendonly", "yes", "--appendfsync", appendfsync, "--loglevel", "warning",
    )  # fmt: skip
    worker = (
        place.python, "-P", "-m", "celery", "-A", "bench.peers.celery_redis:tasks", "worker", "--concurrency", "1",
        "--loglevel", "warning", "--without-gossip", "--without-mingle",
    )  # fmt: skip
    return [
        Program(redis, environment),
        Program(_uvicorn(place, "celery_redis"), environment),
        Program(worker, environment),
    ]


def _celery_system(appendfsync: str, survives: str, submit_path: str) -> System:
    return System(
        name=f"Celery + Redis, fsync {appendfsync}",
        survives=survives,
        programs=partial(_celery, appendfsync=appendfsync),
        gateway="uvicorn",
        submit_path=submit_path,
        parked_path=f"{submit_path}?parked=true",
        status_path="/status/{id}",
        result_path="/result/{id}",
        id_field="id",
        done_word="SUCCESS",
        started_at=lambda result: result["result"]["started"],
        modules=("celery", "redis", "fastapi", "uvicorn", "httptools", "uvloop"),
        needs_redis=True,
    )


SYSTEMS: Mapping[str, System] = {
    "filmgate": System(
        name="Filmgate",
        survives="power cut",
        programs=_filmgate,
        gateway="-m filmgate gateway",
        submit_path=f"/v1/models/{model_id('null')}",
        parked_path=f"/v1/models/{model_id('parked')}",
        status_path="/v1/requests/{id}/status",
        result_path="/v1/requests/{id}/result",
        id_field="request_id",
        done_word="completed",
        started_at=lambda result: result["details"]["started"],
        headers={"Authorization": f"Bearer {KEY}"},
    ),
    "naive": System(
        name="FastAPI, dict, thread",
        survives="nothing",
        programs=_naive,
        gateway="uvicorn",
        submit_path="/submit",
        parked_path="/submit?parked=true",
        status_path="/status/{id}",
        result_path="/result/{id}",
        id_field="id",
        done_word="completed",
        started_at=lambda result: result["result"]["started"],
        modules=("fastapi", "uvicorn", "httptools", "uvloop"),
    ),
    "bentoml": System(
        name="BentoML task",
        survives="nothing",
        programs=_bentoml,
        gateway="_bentoml_impl.worker.service",
        submit_path="/run/submit",
        parked_path=None,
        status_path="/run/status?task_id={id}",
        result_path="/run/get?task_id={id}",
        id_field="task_id",
        done_word="completed",
        started_at=lambda result: result["started"],
        modules=("bentoml",),
    ),
    "celery": _celery_system("everysec", "kill -9, no power cut", "/submit"),
    "celery-always": _celery_system("always", "power cut", "/threads/submit"),
}


def body_bytes() -> bytes:
    return json.dumps(BODY).encode()
