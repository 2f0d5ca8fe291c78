"""A request followed live: every listener sees it begin and end, and no listener keeps the server from stopping."""

import json
import threading
from contextlib import contextmanager

import pytest

from tests.e2e.server import Server, finished
from tests.model_folder import model_id, write_models

SLOW = f"/v1/models/{model_id('slow_steps')}"


@pytest.fixture
def server(tmp_path):
    models = write_models(tmp_path / "models", ["slow_steps"])
    engines = "slow_steps=tests.engines.slow_steps:Engine"
    running = Server(tmp_path / "data", models=str(models), engines=engines).start()
    yield running
    running.kill()


@contextmanager
def stream(client, request_id):
    """The lines of the stream as they come."""
    with client.stream("GET", f"/v1/requests/{request_id}/events") as reply:
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield reply.iter_lines()


def messages(lines):
    """(event, data) for each message until the stream ends."""
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_a_stream_tells_changes_in_order_and_ends_with_the_result(server):
    with server.client() as client:
        request_id = client.post(SLOW, json={"prompt": "misbehave"}).json()["request_id"]
        with stream(client, request_id) as lines:
            told = list(messages(lines))

        *statuses, (last, result) = told
        assert last == "result"
        assert result == finished(client, request_id)
        assert {name for name, _ in statuses} == {"status"}
        progress = [status.get("progress", 0.0) for _, status in statuses]
        assert progress == sorted(progress)
        assert any(0 < fraction < 1 for fraction in progress)
        with stream(client, request_id) as lines:
            assert list(messages(lines)) == [("result", result)]


def test_fifty_listeners_all_see_the_end(server):
    ends = []

    def listen(request_id):
        with server.client() as client, stream(client, request_id) as lines:
            ends.append(list(messages(lines))[-1][1]["status"])

    with server.client() as client:
        request_id = client.post(SLOW, json={"prompt": "misbehave"}).json()["request_id"]
        threads = [threading.Thread(target=listen, args=(request_id,)) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

    assert ends == ["succeeded"] * 50


def test_a_request_that_is_not_there_has_no_stream(server):
    with server.client() as client:
        reply = client.get("/v1/requests/nothing/events")

    assert (reply.status_code, reply.json()["error_code"]) == (404, 404001)


def test_a_listener_does_not_keep_the_server_from_stopping(server):
    with server.client() as client:
        request_id = client.post(SLOW, json={"prompt": "misbehave"}).json()["request_id"]
        with stream(client, request_id) as lines:
            next(lines)
            ended = threading.Event()
            threading.Thread(target=lambda: [list(lines), ended.set()], daemon=True).start()
            server.process.terminate()
            assert ended.wait(60)
    assert server.process.wait(60) == 0
