"""The yardstick: what an afternoon gives. FastAPI, a dict and a thread; everything is gone with the process."""

import os
import threading
import uuid
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from bench.peers import null_job

FOLDER = Path(os.environ["BENCH_FOLDER"])


class Inputs(BaseModel):
    prompt: str
    size: str = "64*64 (1:1)"
    seed: int | None = None


class Worker:
    """One thread that takes one request at a time."""

    def __init__(self) -> None:
        self.requests: dict[str, dict[str, Any]] = {}
        self.waiting: SimpleQueue[str] = SimpleQueue()
        self.parked: list[str] = []
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            request = self.requests[self.waiting.get()]
            request["status"] = "in_progress"
            request["result"] = null_job.run(FOLDER)
            request["status"] = "completed"


app = FastAPI()
worker = Worker()


@app.post("/submit")
async def submit(inputs: Inputs, parked: bool = False) -> dict[str, str]:
    request_id = uuid.uuid4().hex
    worker.requests[request_id] = {"status": "in_queue", "inputs": inputs}
    if parked:
        worker.parked.append(request_id)
    else:
        worker.waiting.put(request_id)
    return {"id": request_id}


@app.get("/status/{request_id}")
async def status(request_id: str) -> dict[str, str]:
    return {"id": request_id, "status": _find(request_id)["status"]}


@app.get("/result/{request_id}")
async def result(request_id: str) -> dict[str, Any]:
    request = _find(request_id)
    return {"id": request_id, "status": request["status"], "result": request.get("result")}


def _find(request_id: str) -> dict[str, Any]:
    try:
        return worker.requests[request_id]
    except KeyError:
        raise HTTPException(404, "There is no such request.") from None
