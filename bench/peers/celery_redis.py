"""FastAPI in front of Celery with Redis as broker and result store: what teams usually build.

Set to lose as little as Celery can: late acknowledgement, and a job goes back when its worker dies.
"""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.result import AsyncResult
from fastapi import FastAPI
from pydantic import BaseModel

from bench.peers import null_job

REDIS = os.environ["BENCH_REDIS"]
FOLDER = Path(os.environ["BENCH_FOLDER"])

tasks = Celery("bench", broker=REDIS, backend=REDIS)
tasks.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_connect_timeout": 2},
)


class Inputs(BaseModel):
    prompt: str
    size: str = "64*64 (1:1)"
    seed: int | None = None


@tasks.task
def null(_: dict[str, Any]) -> dict[str, Any]:
    return null_job.run(FOLDER)


app = FastAPI()


@app.post("/submit")
async def submit(inputs: Inputs, parked: bool = False) -> dict[str, str]:
    """In the event loop: on loopback that is faster than FastAPI's thread pool."""
    return _submit(inputs, parked)


@app.post("/threads/submit")
def submit_in_thread(inputs: Inputs, parked: bool = False) -> dict[str, str]:
    """In the thread pool: faster where Redis waits for the disk, because several then share an fsync."""
    return _submit(inputs, parked)


def _submit(inputs: Inputs, parked: bool) -> dict[str, str]:
    task = null.apply_async((inputs.model_dump(),), queue="parked" if parked else "celery")
    return {"id": task.id}


@app.get("/status/{request_id}")
async def status(request_id: str) -> dict[str, str]:
    return {"id": request_id, "status": AsyncResult(request_id, app=tasks).state}


@app.get("/result/{request_id}")
async def result(request_id: str) -> dict[str, Any]:
    found = AsyncResult(request_id, app=tasks)
    return {"id": request_id, "status": found.state, "result": found.result if found.successful() else None}
