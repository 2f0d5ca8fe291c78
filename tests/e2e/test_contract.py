import re

import httpx2
import pytest

from tests.e2e.server import KEY, finished, wait_for
from tests.engines.shows_previews import EARLY, LATE
from tests.model_folder import model_id

NULL = f"/v1/models/{model_id('null')}"
FLASH = "/v1/models/wan-ai/wan-2-6/flash/image-to-video"

MISBEHAVE = {"prompt": "misbehave"}
"""At this prompt a test engine does what it is named for."""

REFUSED = [
    ("not_json", {"content": b"prompt=hello"}, 400, 400000),
    ("array", {"content": b"[1]"}, 400, 400000),
    ("empty", {"content": b""}, 400, 400000),
    ("nan", {"content": b'{"seed": NaN}'}, 400, 400000),
    ("infinite", {"content": b'{"seed": 1e999}'}, 400, 400000),
    ("duplicate", {"content": b'{"prompt": "a", "prompt": "b"}'}, 400, 400000),
    ("deep", {"content": b'{"a":' * 100_000 + b"1" + b"}" * 100_000}, 400, 400000),
    ("not_utf8", {"content": b'{"prompt": "\xff"}'}, 400, 400000),
    ("utf16", {"content": '{"prompt": "a"}'.encode("utf-16")}, 400, 400000),
    ("huge_number", {"content": b'{"seed": ' + b"9" * 10_000 + b"}"}, 400, 400000),
    ("gzip", {"content": b"{}", "headers": {"Content-Encoding": "gzip"}}, 415, 415001),
    ("form", {"data": {"prompt": "a"}}, 415, 415001),
    ("surrogate", {"content": b'{"prompt": "\\ud800"}'}, 422, 422001),
    ("nul", {"content": b'{"prompt": "a\\u0000b"}'}, 422, 422001),
    ("true_for_integer", {"json": {"prompt": "a", "seed": True}}, 422, 422001),
    ("wrong_case", {"json": {"prompt": "a", "size": "64*64 (1:1)".upper() + "x"}}, 422, 422001),
    ("missing", {"json": {}}, 422, 422001),
]


def submit(client, body=None, model=NULL):
    reply = client.post(model, json=body or {"prompt": "a"})
    assert reply.status_code == 200, reply.text
    return reply.json()


def check_problem(reply, status, number):
    assert (reply.status_code, reply.json()["error_code"]) == (status, number), reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["error_message"] == reply.json()["message"] != ""
    assert isinstance(reply.json()["detail"], list)


def test_a_request_from_submit_to_result(client, server):
    links = submit(client)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,128}", links["request_id"])
    for kind in ("status", "result", "cancel"):
        assert links[f"{kind}_url"] == f"{server.url}/v1/requests/{links['request_id']}/{kind}"
    result = finished(client, links["request_id"])
    assert result["status"] == "succeeded"
    assert result["model_id"] == model_id("null")
    assert result["output"] == {"image": result["output"]["image"], "images": [result["output"]["image"]]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", result["created_at"])
    assert result["created_at"] < result["finished_at"]
    assert "error" not in result
    assert "error_code" not in result
    status = client.get(links["status_url"]).json()
    assert status["status"] == "completed"
    assert {"request_id", "status_url", "result_url"} <= status.keys()


def test_both_base_conventions_reach_the_same_endpoint(client, server):
    for base in (server.url, f"{server.url}/v1"):
        path = "/v1/models" if base == server.url else "/models"
        assert client.get(base + path).status_code == 200


def test_a_failed_request_says_why_in_one_sentence_and_is_no_failed_call(client):
    request_id = submit(client, MISBEHAVE, f"/v1/models/{model_id('fails_typed')}")["request_id"]
    result = finished(client, request_id)
    assert result["status"] == "failed"
    assert result["error"].endswith(".")
    assert result["error_info"]["error_type"]
    assert not {"error_code", "output"} & result.keys()
    assert client.get(f"/v1/requests/{request_id}/status").json()["status"] == "completed"


def test_a_running_request_shows_a_preview_that_is_gone_when_it_ends(client, server):
    request_id = submit(client, MISBEHAVE, f"/v1/models/{model_id('shows_previews')}")["request_id"]
    path = f"/v1/requests/{request_id}/status"

    def shown():
        url = client.get(path).json().get("preview")
        try:
            reply = url and stranger.get(url)  # the next preview may have replaced it in between
        except httpx2.TransportError:  # or while it was sent
            return None
        return reply if reply and reply.status_code == 200 else None

    with server.client(key="") as stranger:
        preview = wait_for(shown, what="a preview")
    assert re.fullmatch(re.escape(server.url) + r"/files/[A-Za-z0-9_-]{32}/preview\.webp", str(preview.url))
    assert (preview.headers["content-type"], preview.content in (EARLY, LATE)) == ("image/webp", True)

    client.post(f"/v1/requests/{request_id}/cancel?force=true")
    finished(client, request_id)
    assert "preview" not in client.get(path).json()
    wait_for(lambda: client.get(str(preview.url)).status_code == 404, what="the end of the preview")


def test_a_result_says_what_served_it_where_that_is_not_the_engine_itself(client):
    made = submit(client, MISBEHAVE, f"/v1/models/{model_id('names_maker')}")["request_id"]
    plain = submit(client)["request_id"]
    assert finished(client, made)["served_by"] == "Wan 2.2 I2V A14B"
    assert "served_by" not in finished(client, plain)


def test_adapters_reach_the_engine_and_bad_ones_are_refused_with_all_other_faults(client):
    body = {"prompt": "misbehave", "loras": [{"name": "film"}, {"name": "slow", "strength": 0.5}]}
    request_id = submit(client, body, f"/v1/models/{model_id('names_maker')}")["request_id"]
    result = finished(client, request_id)
    assert (result["details"], result["warnings"]) == ({"loras": {"film": 1.0, "slow": 0.5}}, [])

    reply = client.post(FLASH, json={"prompt": "a", "loras": [{"name": "no such/name"}, {"strength": 3}]})
    check_problem(reply, 422, 422001)
    assert {tuple(fault["loc"]) for fault in reply.json()["detail"]} == {
        ("body", "img_url"), ("body", "loras", 0, "name"), ("body", "loras", 1, "name"),
        ("body", "loras", 1, "strength"),
    }  # fmt: skip


def test_cost_is_told_only_when_asked_for_and_failure_is_free(client):
    succeeded = submit(client)["request_id"]
    failed = submit(client, MISBEHAVE, f"/v1/models/{model_id('raises')}")["request_id"]
    assert "cost" not in finished(client, succeeded)
    finished(client, failed)
    assert client.get(f"/v1/requests/{succeeded}/result?include_cost=true").json()["cost"] == 0.25
    assert client.get(f"/v1/requests/{failed}/result?include_cost=true").json()["cost"] == 0


def test_a_waiting_request_has_a_position_and_is_cancelled_for_good(client):
    ahead = submit(client, MISBEHAVE, f"/v1/models/{model_id('slow_steps')}")["request_id"]
    waiting = submit(client)["request_id"]
    status = client.get(f"/v1/requests/{waiting}/status").json()
    assert (status["status"], type(status["queue_position"])) == ("in_queue", int)
    reply = client.post(f"/v1/requests/{waiting}/cancel", headers={"Content-Type": "application/json"})
    assert reply.status_code == 202
    assert reply.json() == {"request_id": waiting, "status": "cancelled", "outcome": "cancelled"}
    assert finished(client, waiting)["status"] == "cancelled"
    forced = client.post(f"/v1/requests/{ahead}/cancel?force=true")
    assert forced.json()["outcome"] in ("stopping", "cancelled")
    assert finished(client, ahead)["status"] == "cancelled"


def test_what_runs_or_ended_is_not_cancellable(client):
    request_id = submit(client)["request_id"]
    finished(client, request_id)
    reply = client.post(f"/v1/requests/{request_id}/cancel")
    assert reply.status_code == 202
    assert reply.json() == {"request_id": request_id, "status": "completed", "outcome": "not_cancellable"}


@pytest.mark.parametrize(
    ("body", "status", "number"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_bad_body_is_refused(client, body, status, number):
    body = {"headers": {"Content-Type": "application/json"}, **body} if "content" in body else body
    headers = {"Content-Type": "application/json", **body.pop("headers", {})} if "content" in body else {}
    check_problem(client.post(NULL, headers=headers, **body), status, number)


def test_every_fault_of_a_body_is_told_at_once(client):
    reply = client.post(FLASH, json={"duration": 7, "resolution": "720p"})
    check_problem(reply, 422, 422001)
    assert {tuple(fault["loc"]) for fault in reply.json()["detail"]} == {
        ("body", "prompt"), ("body", "img_url"), ("body", "duration"), ("body", "resolution"),
    }  # fmt: skip


def test_a_body_over_64_mib_is_refused(client):
    check_problem(client.post(NULL, json={"prompt": "a" * (64 * 1024 * 1024)}), 413, 413001)
    assert client.get("/v1/models").status_code == 200


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc", f"Token {KEY}", "Bearer wrong", "Bearer \xff\xfe"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/requests/x/status", "/prod/v2/balance", "/api/auth/me"])
def test_without_a_good_key_nothing_is_told(server, header, path):
    with server.client(key="") as stranger:
        reply = stranger.get(path, headers={} if header is None else {"Authorization": header.encode("latin-1")})
    check_problem(reply, 401, 400004)
    assert reply.headers["www-authenticate"] == "Bearer"


def test_unknown_things_are_404(client):
    check_problem(client.post("/v1/models/wan-ai/none", json={}), 404, 400001)
    check_problem(client.get("/v1/models/wan-ai/none"), 404, 400001)
    for verb in ("status", "result"):
        check_problem(client.get(f"/v1/requests/none/{verb}"), 404, 404001)
    check_problem(client.post("/v1/requests/none/cancel"), 404, 404001)
    check_problem(client.get("/v1/nothing"), 404, 404000)
    check_problem(client.get("/files/none/none.png"), 404, 404001)


@pytest.mark.parametrize("path", ["/v1/models/", "/v1/requests/x/status/", "/v1//models", "/prod/v2/balance/"])
def test_a_slash_too_many_is_never_redirected(client, path):
    reply = client.get(path, follow_redirects=False)
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/json"


def test_a_wrong_method_is_405_in_json(client):
    check_problem(client.delete("/v1/models"), 405, 405000)


def test_the_catalog(client):
    everything = client.get("/v1/models").json()
    assert everything["total"] == len(everything["models"]) == 11
    entry = next(m for m in everything["models"] if m["model_id"] == "wan-ai/wan-2-6/flash/image-to-video")
    assert entry["kind"] == "model"
    assert entry["required_inputs"] == ["prompt", "img_url"]
    assert entry["price_unit"] == "second"
    assert isinstance(entry["base_price_usd"], float)
    assert "input_schema" not in entry
    found = client.get("/v1/models", params={"search": "flash", "include_schema": "true"}).json()
    assert [m["model_id"] for m in found["models"]] == ["wan-ai/wan-2-6/flash/image-to-video"]
    assert found["models"][0]["input_schema"]["properties"]["duration"]["enum"] == [5, 10, 15]
    page = client.get("/v1/models", params={"limit": 2, "offset": 1, "category": "image-to-video"}).json()
    assert (page["total"], len(page["models"])) == (4, 2)
    check_problem(client.get("/v1/models", params={"limit": 501}), 422, 422001)
    check_problem(client.get("/v1/models", params={"offset": "x"}), 422, 422001)


def test_categories_and_one_model(client):
    assert client.get("/v1/models/categories").json() == {"categories": ["image-to-image", "image-to-video"]}
    model = client.get("/v1/models/wan-ai/wan-2-1/image-to-video").json()
    assert model["input_schema"]["required"] == ["prompt", "image_url"]
    assert "loras" not in model["inputs"]
    assert model["extra_inputs"]["loras"]["maxItems"] == 4
    assert model["output_schema"]["output"]["properties"]["video"]["format"] == "uri"
    assert model["price_unit"] == "second"


def test_balance_and_me(client):
    balance = client.get("/prod/v2/balance").json()
    assert balance["currency"] == "USD"
    assert balance["balance_usd"] == balance["balance_microdollars"] / 1_000_000
    me = client.get("/api/auth/me").json()
    assert {"id", "email", "display_name", "username", "token_type", "token_created_at"} == me.keys()


def test_device_login(client, server):
    with server.client(key="") as device:
        started = device.post("/api/cli-auth/start").json()
        assert {"device_code", "user_code", "verify_url", "expires_in", "poll_interval"} == started.keys()
        code = {"device_code": started["device_code"]}
        assert device.post("/api/cli-auth/poll", json=code).json() == {"status": "pending"}
        page = device.get(started["verify_url"])
        assert "Let a device in" in page.text
        assert "unsafe-inline" not in page.headers["content-security-policy"]
        decision = {"user_code": started["user_code"].lower(), "approve": True}
        check_problem(device.post("/api/cli-auth/decide", json=decision), 401, 400004)
        assert client.post("/api/cli-auth/decide", json=decision).json() == {"status": "approved"}
        answer = device.post("/api/cli-auth/poll", json=code).json()
        assert answer["status"] == "authorized"
        assert device.post("/api/cli-auth/poll", json=code).json() == {"status": "expired"}
    with server.client(key=answer["access_token"]) as let_in:
        assert let_in.get("/api/auth/me").status_code == 200


def test_a_refused_device_gets_no_key(client, server):
    with server.client(key="") as device:
        started = device.post("/api/cli-auth/start").json()
        decision = {"user_code": started["user_code"], "approve": False}
        assert client.post("/api/cli-auth/decide", json=decision).json() == {"status": "denied"}
        code = {"device_code": started["device_code"]}
        assert device.post("/api/cli-auth/poll", json=code).json() == {"status": "denied"}
    check_problem(client.post("/api/cli-auth/decide", json=decision), 422, 422001)


def test_output_files_need_no_key_and_come_in_ranges(client, server):
    url = finished(client, submit(client)["request_id"])["output"]["image"]
    with server.client(key="") as stranger:
        whole = stranger.get(url)
        assert whole.status_code == 200
        assert whole.headers["content-type"] == "image/png"
        assert int(whole.headers["content-length"]) == len(whole.content)
        assert url.endswith(".png")
        part = stranger.get(url, headers={"Range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, whole.content[1:4])
        assert part.headers["content-range"] == f"bytes 1-3/{len(whole.content)}"
        assert stranger.get(url, headers={"Range": "bytes=-2"}).content == whole.content[-2:]
        assert stranger.get(url, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
        assert stranger.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
        assert stranger.head(url).headers["content-length"] == whole.headers["content-length"]
        assert stranger.get(url + "x").status_code == 404


def test_another_accounts_request_and_an_absent_one_are_one_answer(client):
    absent, malformed = (client.get(f"/v1/requests/{name}/status") for name in ("0" * 32, "not%20an%20id"))
    assert absent.status_code == malformed.status_code == 404
    assert absent.json()["error_code"] == malformed.json()["error_code"] == 404001
