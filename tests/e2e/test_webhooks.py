"""Webhooks as a caller meets them: a real server, a real receiver, the verification that the documentation shows."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from standardwebhooks import Webhook

from tests.e2e.receiver import Receiver
from tests.e2e.server import ROOT, Server, finished, wait_for
from tests.model_folder import model_id, write_models

NULL = f"/v1/models/{model_id('null')}"
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "webhooks.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("webhooks")
    models = write_models(folder / "models", ["null"])
    engines = "null=tests.engines.null:Engine"
    running = Server(folder / "data", models=str(models), engines=engines, webhook_allow="127.0.0.1").start()
    yield running
    assert running.stop() == 0


def submit(client, receiver, intermediate=False, path=""):
    query = {"webhook": receiver.url + path, "webhook_intermediate_status": str(intermediate).lower()}
    return client.post(NULL, json={"prompt": "a"}, params=query).json()["request_id"]


def deliveries(client, request_id, tries=1):
    """The deliveries of a request, once the latest was tried this often."""

    def tried():
        found = client.get("/v1/webhooks/deliveries", params={"request_id": request_id}).json()["deliveries"]
        return found if found and len(found[0]["tries"]) >= tries else None

    return wait_for(tried, what=f"{tries} tries for {request_id}")


def test_the_documentations_ways_of_verifying_accept_what_arrives(server, client):
    with_secret, with_key_set = ({}, {})
    exec(SNIPPETS[0], with_secret)  # noqa: S102  the documentation is what is tested
    exec(SNIPPETS[1], with_key_set)  # noqa: S102
    secret = client.post("/v1/webhooks/secret").json()["secret"]
    with server.client(key="") as stranger:
        key_set = stranger.get("/.well-known/jwks.json").json()
    with Receiver() as receiver:
        request_id = submit(client, receiver, intermediate=True)
        wait_for(lambda: len(receiver.received) == 2)

    begun, ended = receiver.received
    assert with_secret["verified"](secret, ended.headers, ended.body) == finished(client, request_id)
    assert with_key_set["verified"](key_set, ended.headers, ended.body) == finished(client, request_id)
    assert with_secret["verified"](secret, begun.headers, begun.body)["status"] == "in_progress"
    assert len(key_set["keys"]) == 2
    with pytest.raises(ValueError, match="no signature fits"):
        with_key_set["verified"](key_set, ended.headers, ended.body + b" ")


def test_the_secret_is_shown_once(client):
    made = client.post("/v1/webhooks/secret").json()

    shown = client.get("/v1/webhooks/secret").json()["secrets"]

    assert made["secret"].startswith("whsec_")
    assert made["secret"][-4:] == shown[0]["hint"][-4:]
    assert not any("secret" in one for one in shown)
    replaced = client.post("/v1/webhooks/secret?overlap_s=0").json()
    assert [one["hint"] for one in client.get("/v1/webhooks/secret").json()["secrets"]] == [replaced["hint"]]


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://example.org/hook", "is not https"),
        ("https://10.0.0.1/hook", "is not at a public address"),
        ("https://localhost/hook", "is not at a public address"),
        ("https://example.org:8443/hook", "names port 8443"),
        ("not a url", "contains a space"),
    ],
)
def test_a_webhook_that_nothing_will_be_sent_to_is_refused_at_submit(client, url, rule):
    reply = client.post(NULL, json={"prompt": "a"}, params={"webhook": url})

    assert (reply.status_code, reply.json()["error_code"]) == (422, 422001)
    assert reply.json()["detail"][0]["loc"] == ["query", "webhook"]
    assert rule in reply.json()["message"]


def test_a_receiver_that_fails_once_is_told_again_under_the_same_id(client):
    statuses = [500, 200]
    with Receiver(lambda _: statuses.pop(0)) as receiver:
        request_id = submit(client, receiver)
        (delivery,) = deliveries(client, request_id, tries=2)

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["id"]
    assert first.body == second.body
    assert [one["status"] for one in delivery["tries"]] == [500, 200]
    assert delivery["state"] == "delivered"


def test_a_redirect_is_an_answer_and_not_followed(client):
    with Receiver() as elsewhere, Receiver(lambda _: (302, {"Location": elsewhere.url})) as receiver:
        (delivery,) = deliveries(client, submit(client, receiver))

    assert (delivery["state"], delivery["tries"][0]["status"]) == ("pending", 302)
    assert elsewhere.received == []


def test_410_ends_deliveries_until_one_is_resent(client):
    with Receiver(lambda _: 410) as receiver:
        first = submit(client, receiver)
        assert deliveries(client, first)[0]["state"] == "disabled"
        second = submit(client, receiver)
        assert "410" in finished(client, second)["warnings"][-1]
        (skipped,) = deliveries(client, second, tries=0)
        assert (skipped["state"], skipped["tries"]) == ("disabled", [])
        receiver.answer = lambda _: 200
        resent = client.post(f"/v1/webhooks/deliveries/{skipped['id']}/resend")
        assert (resent.status_code, resent.json()["state"]) == (202, "pending")
        assert deliveries(client, second)[0]["state"] == "delivered"
        third = submit(client, receiver)
        assert deliveries(client, third)[0]["state"] == "delivered"


def test_a_delivery_that_is_not_there_cannot_be_resent(client):
    reply = client.post("/v1/webhooks/deliveries/evt_none_1_result/resend")

    assert (reply.status_code, reply.json()["error_code"]) == (404, 404001)


def test_a_courier_that_is_killed_in_the_middle_delivers_again_with_the_same_id(server, client):
    def kill_the_first_time(_):
        if len(receiver.received) == 1:
            os.kill(server.pid_of("courier"), signal.SIGKILL)
        return 200

    with Receiver(kill_the_first_time) as receiver:
        request_id = submit(client, receiver)
        (delivery,) = deliveries(client, request_id)

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["id"]
    assert first.body == second.body
    assert delivery["state"] == "delivered"


def test_events_are_read_on_from_a_cursor_and_say_what_webhooks_are_told(client):
    cursor = client.get("/v1/events?limit=500").json()["cursor"]
    assert client.get("/v1/events", params={"after": cursor}).json() == {"events": [], "cursor": cursor}
    with Receiver() as receiver:
        told = submit(client, receiver)
        deliveries(client, told)
    silent = client.post(NULL, json={"prompt": "a"}).json()["request_id"]
    result = finished(client, silent)

    first = client.get("/v1/events", params={"after": cursor, "limit": 1}).json()
    second = client.get("/v1/events", params={"after": first["cursor"]}).json()

    assert [one["request_id"] for one in first["events"] + second["events"]] == [told, silent]
    assert first["events"][0]["id"] == receiver.received[0].headers["webhook-id"]
    assert first["events"][0]["data"] == json.loads(receiver.received[0].body)
    assert second["events"][0]["data"] == result


def command(server, *words):
    done = subprocess.run(
        [sys.executable, "-m", "filmgate", "webhooks", *words, "--data", str(server.data)],
        capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_command_line_does_for_the_owner_what_the_endpoints_do(server, client):
    secret = command(server, "secret")
    with Receiver() as receiver:
        (delivery,) = deliveries(client, submit(client, receiver))
        assert delivery["id"] in command(server, "deliveries")
        command(server, "rotate-keys")
        command(server, "resend", delivery["id"])
        wait_for(lambda: len(receiver.received) == 2)

    first, second = receiver.received
    Webhook(secret).verify(second.body, second.headers)
    assert [one.headers["webhook-signature"].count("v1a,") for one in (first, second)] == [1, 2]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize("query", ["events?after=!", "webhooks/deliveries?state=lost", "webhooks/deliveries?limit=0"])
def test_a_bad_query_is_refused(client, query):
    assert client.get(f"/v1/{query}").status_code == 422


def test_without_a_key_nothing_of_it_is_told(server):
    with server.client(key="") as stranger:
        for path in ("/v1/events", "/v1/webhooks/deliveries", "/v1/webhooks/secret"):
            assert stranger.get(path).status_code == 401
