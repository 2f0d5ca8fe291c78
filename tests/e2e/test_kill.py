"""kill -9 of everything, at any moment: what was acknowledged is finished after the next start, and no status lies."""

import os
import signal
import threading
from pathlib import Path

import httpx2
import pytest

from tests.e2e.server import Server, finished, wait_for
from tests.model_folder import model_id, write_models

NULL = f"/v1/models/{model_id('null')}"
SLOW = f"/v1/models/{model_id('slow_steps')}"


@pytest.fixture
def server(tmp_path):
    models = write_models(tmp_path / "models", ["null", "slow_steps"])
    engines = "null=tests.engines.null:Engine,slow_steps=tests.engines.slow_steps:Engine"
    running = Server(tmp_path / "data", models=str(models), engines=engines).start()
    yield running
    running.kill()


def keep_submitting(server, acknowledged, stop):
    with server.client() as client:
        while not stop.is_set():
            try:
                reply = client.post(NULL, json={"prompt": "a"})
            except httpx2.TransportError:
                return
            if reply.status_code == 200:
                acknowledged.append(reply.json()["request_id"])


@pytest.mark.parametrize("moment", [5, 60, 200])
def test_all_acknowledged_requests_finish_after_kill_9_of_every_process(server, moment):
    acknowledged, stop = [], threading.Event()
    threads = [threading.Thread(target=keep_submitting, args=(server, acknowledged, stop)) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) >= moment, what="the first submits")
    server.kill()
    stop.set()
    for thread in threads:
        thread.join()
    server.start()
    with server.client() as client:
        ends = {request_id: finished(client, request_id)["status"] for request_id in acknowledged}
    assert set(ends.values()) == {"succeeded"}, ends


@pytest.mark.parametrize("victim", ["gateway", "courier", "worker"])
def test_a_role_that_is_killed_comes_back_and_loses_nothing(server, victim):
    with server.client() as client:
        before = [client.post(NULL, json={"prompt": "a"}).json()["request_id"] for _ in range(5)]
        os.kill(server.pid_of(victim), signal.SIGKILL)
        after = wait_for(lambda: submitted(client), what="a submit after the kill")
        assert {finished(client, request_id)["status"] for request_id in [*before, after]} == {"succeeded"}


def submitted(client):
    try:
        return client.post(NULL, json={"prompt": "a"}).json()["request_id"]
    except httpx2.TransportError:
        return None


def test_a_request_that_ran_when_all_was_killed_runs_again(server):
    with server.client() as client:
        request_id = client.post(SLOW, json={"prompt": "misbehave"}).json()["request_id"]
        wait_for(lambda: client.get(f"/v1/requests/{request_id}/status").json()["status"] == "in_progress")
    server.kill()
    server.start()
    with server.client() as client:
        assert client.get(f"/v1/requests/{request_id}/status").json()["status"] in ("in_queue", "in_progress")
        wait_for(lambda: client.get(f"/v1/requests/{request_id}/status").json()["status"] == "in_progress")
        assert client.post(f"/v1/requests/{request_id}/cancel?force=true").status_code == 202
        assert finished(client, request_id)["status"] == "cancelled"


def test_a_clean_stop_hands_back_what_it_cannot_finish(server, tmp_path):
    server.stop()
    brief = Server(tmp_path / "data", **{**server._settings, "drain_s": "0"}).start()
    with brief.client() as client:
        request_id = client.post(SLOW, json={"prompt": "misbehave"}).json()["request_id"]
        wait_for(lambda: client.get(f"/v1/requests/{request_id}/status").json()["status"] == "in_progress")
    assert brief.stop() == 0
    server.start()
    with server.client() as client:
        wait_for(lambda: client.get(f"/v1/requests/{request_id}/status").json()["status"] == "in_progress")


def test_no_process_is_left_after_the_supervisor_is_killed(server):
    family = server.family()
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert wait_for(lambda: not any(alive(pid) for pid in family), what="the end of all processes")


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
