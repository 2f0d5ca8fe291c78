"""The client against a server of a few lines that answers as the contract says, or wrongly."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from filmgate.client import (
    ArgumentInvalid,
    Client,
    ClientError,
    CreditMissing,
    InputsInvalid,
    KeyRefused,
    ModelUnknown,
    ReplyUnreadable,
    RequestFailed,
    RequestUnknown,
    ServerFailed,
    ServerUnreachable,
    TooManyCalls,
    Unavailable,
    WaitExpired,
)

KEY = "fg_for-tests-only-0123456789"


class FakeServer(ThreadingHTTPServer):
    """Answers every path with what was set for it, the last answer again and again; keeps the calls."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.calls = {}, []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, path, *answers):
        self.answers[path] = list(answers)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.calls.append((self.command, self.path, dict(self.headers), body))
        answers = self.server.answers[self.path.partition("?")[0]]
        status, body, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = "Connection" in headers

    do_POST = do_GET  # noqa: N815  # the library's name

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with FakeServer() as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        fake.shutdown()
        thread.join()


@pytest.fixture
def client(server):
    with Client(server.url, KEY) as client:
        yield client


def ok(body, **headers):
    return 200, body, headers


def status(word, **more):
    return ok({"request_id": "r1", "status": word, **more})


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_both_base_conventions_work_and_the_key_is_sent(server, suffix):
    server.answer("/v1/requests/r1/status", status("in_queue", queue_position=0))

    with Client(server.url + suffix, KEY) as client:
        found = client.status("r1")

    assert (found.word, found.queue_position, found.finished) == ("in_queue", 0, False)
    assert server.calls[0][2]["Authorization"] == f"Bearer {KEY}"


def test_submit_sends_the_inputs_as_the_body(server, client):
    server.answer("/v1/models/a/b/c", ok({"request_id": "r1"}))

    assert client.submit("a/b/c", {"prompt": "ü", "n": 1}) == "r1"
    method, _, headers, body = server.calls[0]
    assert (method, json.loads(body)) == ("POST", {"prompt": "ü", "n": 1})
    assert headers["Content-Type"] == "application/json"


def test_wait_hears_every_status_and_ends_with_the_result(server, client):
    server.answer(
        "/v1/requests/r1/status",
        status("in_queue", queue_position=1),
        status("in_progress", progress=0.5, stage="rendering", eta_s=2, preview="u0"),
        status("completed"),
    )
    output = {"videos": ["u1", "u2"]}
    server.answer("/v1/requests/r1/result", status("succeeded", model_id="a/b", output=output, served_by="Wan 2.2"))
    heard = []

    result = client.wait("r1", on_status=heard.append)

    assert [s.word for s in heard] == ["in_queue", "in_progress", "completed"]
    assert (heard[1].progress, heard[1].stage, heard[1].eta_s) == (0.5, "rendering", 2.0)
    assert [s.preview for s in heard] == [None, "u0", None]
    assert (result.word, result.outputs, result.served_by) == ("succeeded", ("u1", "u2"), "Wan 2.2")


def test_wait_raises_with_the_sentence_of_a_request_that_failed(server, client):
    server.answer("/v1/requests/r1/status", status("completed"))
    server.answer("/v1/requests/r1/result", status("failed", error="The picture is too small."))

    with pytest.raises(RequestFailed, match=r"^The picture is too small\.$"):
        client.wait("r1")


def test_wait_gives_a_cancelled_request_as_it_is(server, client):
    server.answer("/v1/requests/r1/status", status("cancelled"))
    server.answer("/v1/requests/r1/result", status("cancelled"))

    assert client.wait("r1").word == "cancelled"


def test_wait_is_patient_with_a_server_that_cannot_answer_now(server, client):
    server.answer(
        "/v1/requests/r1/status",
        (503, {"error_message": "Draining."}, {"Retry-After": "0"}), (429, {}, {"Retry-After": "0"}),
        (502, b"<html>", {}), status("cancelled"),
    )  # fmt: skip
    server.answer("/v1/requests/r1/result", status("cancelled"))

    assert client.wait("r1").word == "cancelled"


def test_the_patience_of_wait_ends(server, client):
    server.answer("/v1/requests/r1/status", (503, {"error_message": "Draining."}, {}))

    with pytest.raises(Unavailable, match="Draining"):
        client.wait("r1", patience_s=0.1)


def test_wait_ends_after_its_time(server, client):
    server.answer("/v1/requests/r1/status", status("in_queue"))

    with pytest.raises(WaitExpired, match=r"has not finished within 0\.1 s; it goes on"):
        client.wait("r1", timeout_s=0.1)


@pytest.mark.parametrize(
    ("code", "number", "kind"),
    [
        (400, 400000, InputsInvalid), (401, 400004, KeyRefused), (402, 400002, CreditMissing),
        (403, 403001, KeyRefused), (404, 400001, ModelUnknown), (404, 404001, RequestUnknown),
        (413, 413001, InputsInvalid), (422, 422001, InputsInvalid), (429, 429001, TooManyCalls),
        (503, 503001, Unavailable), (500, 500000, ServerFailed),
    ],
)  # fmt: skip
def test_every_refusal_has_its_error_with_the_servers_sentence(server, client, code, number, kind):
    body = {"error_code": number, "error_message": "Do this.", "message": "Do this.", "detail": []}
    server.answer("/v1/models/a/b", (code, body, {"Retry-After": "7"}))

    with pytest.raises(kind) as caught:
        client.submit("a/b", {})

    assert type(caught.value) is kind
    assert (caught.value.sentence, caught.value.status, caught.value.number) == ("Do this.", code, number)
    assert caught.value.retry_after_s == 7


def test_every_fault_of_invalid_inputs_is_there(server, client):
    detail = [
        {"loc": ["body", "a"], "msg": "a is wrong.", "type": "x"},
        {"loc": ["body"], "msg": "b too.", "type": "x"},
    ]
    server.answer("/v1/models/a/b", (422, {"error_code": 422001, "error_message": "Both.", "detail": detail}, {}))

    with pytest.raises(InputsInvalid) as caught:
        client.submit("a/b", {})

    assert caught.value.faults == ("a is wrong.", "b too.")


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[]", {"status": "in_queue"}, {"request_id": 5}])
def test_what_is_not_of_this_api_is_said(server, client, body):
    server.answer("/v1/requests/r1/status", ok(body))

    with pytest.raises(ReplyUnreadable, match="Model API"):
        client.status("r1")


def test_a_redirect_is_not_followed_with_the_key(server, client):
    server.answer("/v1/requests/r1/status", (302, {}, {"Location": "http://127.0.0.1:1/"}))

    with pytest.raises(ClientError):
        client.status("r1")
    assert len(server.calls) == 1


def test_an_unreachable_server_is_named():
    with Client("http://127.0.0.1:1", KEY) as client, pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:1"):
        client.status("r1")


@pytest.mark.parametrize("url", ["", "example.org", "ftp://example.org", "http://", "http://a b", "http://h:x"])
def test_a_url_that_cannot_be_one_is_refused(url):
    with pytest.raises(ArgumentInvalid, match="is not a server's URL"):
        Client(url, KEY)


@pytest.mark.parametrize("key", ["", " ", "schlüssel", "a\nb"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(key):
    with pytest.raises(ArgumentInvalid, match="visible ASCII"):
        Client("http://127.0.0.1:1", key)


def test_all_pages_of_the_catalog_are_read(server, client):
    page = [{"model_id": f"a/{n}", "categories": ["image-to-video"]} for n in range(500)]
    server.answer("/v1/models", ok({"models": page, "total": 501}), ok({"models": page[:1], "total": 501}))

    found = client.models()

    assert len(found) == 501
    assert "offset=500" in server.calls[1][1]


def test_an_upload_is_a_form_with_the_files_name(server, client, tmp_path):
    server.answer("/v1/files", ok({"url": "http://x/f"}))
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8pixels")

    assert client.upload(photo) == "http://x/f"
    _, _, headers, body = server.calls[0]
    assert headers["Content-Type"].startswith("multipart/form-data")
    assert b'name="file"; filename="photo.jpg"' in body
    assert b"\xff\xd8pixels" in body


def test_a_download_is_whole_and_goes_without_the_key(server, client, tmp_path):
    server.answer("/files/t/out.mp4", ok(b"film" * 100_000))

    path = client.download(f"{server.url}/files/t/out.mp4", tmp_path / "out.mp4")

    assert path.read_bytes() == b"film" * 100_000
    assert "Authorization" not in server.calls[0][2]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((404, {"error_code": 404001, "error_message": "Gone."}, {}), RequestUnknown),
        ((200, b"half", {"Content-Length": "8", "Connection": "close"}), ServerUnreachable),
    ],
)
def test_a_download_that_fails_leaves_what_was_there(server, client, tmp_path, answer, kind):
    server.answer("/files/t/out.mp4", answer)
    target = tmp_path / "out.mp4"
    target.write_bytes(b"earlier")

    with pytest.raises(kind):
        client.download("/files/t/out.mp4", target)

    assert target.read_bytes() == b"earlier"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def test_cancel_says_what_it_did(server, client):
    server.answer(
        "/v1/requests/r1/cancel", (202, {"request_id": "r1", "status": "in_progress", "outcome": "stopping"}, {})
    )

    cancelled = client.cancel("r1", force=True)

    assert (cancelled.word, cancelled.outcome) == ("in_progress", "stopping")
    assert server.calls[0][:2] == ("POST", "/v1/requests/r1/cancel?force=true")
