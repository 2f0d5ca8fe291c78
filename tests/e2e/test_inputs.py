"""Pictures and sounds that are wrong in every way: the right refusal at submit, or the right failed sentence after."""

import base64
import io
import socketserver
import threading
import time
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image

from tests.e2e.server import finished
from tests.sounds import tone_wav

FLASH = "/v1/models/wan-ai/wan-2-6/flash/image-to-video"
WAN22 = "/v1/models/wan-ai/wan-2-2/image-to-video"
NULL = "/v1/models/test/null/image-to-image"


def encoded(picture, kind="png", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def data_uri(data, kind="image/png"):
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def plain(width, height, mode="RGB", colour="teal"):
    return Image.new(mode, (width, height), colour)


def animated():
    return encoded(plain(400, 400), "webp", save_all=True, append_images=[plain(400, 400, colour="red")])


def turned(width, height):
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(plain(width, height), "jpeg", exif=exif)


def bomb(side=30_000):
    """A PNG of a hundred kilobytes that says it has 900 million pixels."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def transparent():
    return encoded(Image.new("RGBA", (400, 400), (255, 0, 0, 128)))


REFUSED = [
    ("html", FLASH, lambda: b"<!doctype html><title>no</title>", "picture"),
    ("truncated", FLASH, lambda: encoded(plain(400, 400), "jpeg")[:900], ""),
    ("one_short", FLASH, lambda: encoded(plain(360, 500)), "must exceed 360 pixels"),
    ("one_over", FLASH, lambda: encoded(plain(2001, 500)), "must not exceed 2000 pixels"),
    ("under_at_least", WAN22, lambda: encoded(plain(359, 500)), "at least 360 pixels"),
    ("turned_under", WAN22, lambda: turned(500, 359), "at least 360 pixels"),
    ("alpha", WAN22, transparent, "no alpha"),
    ("gif", FLASH, lambda: encoded(plain(400, 400), "gif"), "picture"),
    ("bomb", FLASH, bomb, "must not exceed 2000 pixels"),
    ("empty", FLASH, lambda: b"", ""),
]

WELCOME = [
    ("exactly_360", WAN22, lambda: encoded(plain(360, 360))),
    ("exactly_2000", FLASH, lambda: encoded(plain(2000, 400))),
    ("alpha_is_laid_on_white", FLASH, transparent),
    ("opaque_alpha", WAN22, lambda: encoded(Image.new("RGBA", (400, 400), (255, 0, 0, 255)))),
    ("turned", WAN22, lambda: turned(400, 500)),
    ("animated", FLASH, animated),
    ("multi_picture", FLASH, lambda: encoded(plain(400, 400), "MPO", save_all=True, append_images=[plain(400, 400)])),
    ("bmp", FLASH, lambda: encoded(plain(400, 400), "bmp")),
]


def body_of(picture):
    return {"prompt": "static shot", "img_url": data_uri(picture)}


@pytest.mark.parametrize(("model", "make", "told"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_bad_picture_in_the_body_is_refused_at_submit(client, model, make, told):
    reply = client.post(model, json=body_of(make()))
    assert reply.status_code == 422, reply.text
    assert told in reply.json()["message"]
    assert reply.json()["detail"][0]["loc"] == ["body", "img_url"]


@pytest.mark.parametrize(("model", "make"), [case[1:] for case in WELCOME], ids=[case[0] for case in WELCOME])
def test_a_good_picture_is_welcome(client, model, make):
    reply = client.post(model, json=body_of(make()))
    assert reply.status_code == 200, reply.text
    client.post(f"/v1/requests/{reply.json()['request_id']}/cancel?force=true")


def test_all_pictures_are_judged_and_each_fault_has_its_place(client):
    body = {"prompt": "a", "image_urls": [data_uri(b"no"), data_uri(encoded(plain(400, 400))), "ftp://example.com/a"]}
    reply = client.post("/v1/models/wan-ai/wan-2-6/image-to-image", json=body)
    assert reply.status_code == 422
    assert [fault["loc"] for fault in reply.json()["detail"]] == [["body", "image_urls", 0], ["body", "image_urls", 2]]


@pytest.mark.parametrize(
    "url",
    ["", "photo.jpg", "file:///etc/passwd", "http://example.com/a.png", "https://127.1/a.png", "https://user:pw@x.com/a",
     "https://[::1]/a.png", "https://169.254.169.254/latest", "https://localhost/a.png", "data:image/png;base64"],
)  # fmt: skip
def test_a_url_that_is_never_fetched_is_refused_at_submit(client, url):
    reply = client.post(FLASH, json={"prompt": "a", "img_url": url})
    assert reply.status_code == 422, reply.text
    assert reply.json()["detail"][0]["loc"] == ["body", "img_url"]


@pytest.mark.parametrize(("seconds", "welcome"), [(2.9, False), (3.1, True), (30.2, False)])
def test_a_sound_lasts_3_to_30_seconds(client, seconds, welcome):
    body = {**body_of(encoded(plain(400, 400))), "audio_url": data_uri(tone_wav(seconds), "audio/wav")}
    reply = client.post(FLASH, json=body)
    assert (reply.status_code == 200) is welcome, reply.text
    if welcome:
        client.post(f"/v1/requests/{reply.json()['request_id']}/cancel?force=true")
    else:
        assert "between 3s and 30s" in reply.json()["message"]


@pytest.mark.parametrize("form", [True, False])
def test_an_upload_is_used_by_its_url(client, form):
    picture = encoded(plain(400, 400))
    if form:
        reply = client.post("/v1/files", files={"file": ("My photo (1).png", picture)})
    else:
        reply = client.post("/v1/files?name=photo.png", content=picture)
    assert reply.status_code == 200, reply.text
    file = reply.json()
    assert (file["content_type"], file["size_bytes"]) == ("image/png", len(picture))
    assert client.get(file["url"]).content == picture
    submitted = client.post(NULL, json={"prompt": "a", "image_urls": [file["url"]]})
    assert finished(client, submitted.json()["request_id"])["status"] == "succeeded"


def test_an_upload_that_is_no_picture_is_refused(client):
    reply = client.post("/v1/files", files={"file": ("photo.png", b"<html>")})
    assert (reply.status_code, reply.json()["error_code"]) == (422, 422001)


def test_an_uploaded_file_that_is_not_there_is_refused(client, server):
    reply = client.post(NULL, json={"prompt": "a", "image_urls": [f"{server.url}/files/none/photo.png"]})
    assert reply.status_code == 422
    assert "upload it again" in reply.json()["message"]


# ------------------------------------------------------------------------------------------------------- fetched URLs


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """A server on loopback, which the operator allowed by name, that answers each path in its own way."""
    picture = encoded(plain(400, 400))
    answers = {
        b"/good.png": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(picture) + picture,
        b"/small.png": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + encoded(plain(100, 100)),
        b"/page.html": b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n<html>no</html>",
        b"/missing.png": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"/inward.png": b"HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
    }  # fmt: skip

    class Answer(socketserver.StreamRequestHandler):
        def handle(self):
            path = self.rfile.readline().split(b" ")[1]
            if path == b"/slow.png":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                time.sleep(5)
            else:
                self.wfile.write(answers[path])

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()


@pytest.mark.parametrize(
    ("path", "model", "told"),
    [
        ("missing.png", FLASH, "404"),
        ("page.html", FLASH, "picture"),
        ("small.png", FLASH, "must exceed 360 pixels"),
        ("inward.png", FLASH, "public address"),
        ("slow.png", FLASH, "longer than 2 s"),
    ],
)
def test_a_fetched_file_that_breaks_a_rule_ends_the_request_failed(client, upstream, path, model, told):
    reply = client.post(model, json={"prompt": "a", "img_url": f"{upstream}/{path}"})
    assert reply.status_code == 200, reply.text
    result = finished(client, reply.json()["request_id"])
    assert result["status"] == "failed"
    assert told in result["error"]
    assert "169.254" not in result["error"]


def test_a_fetched_picture_is_used(client, upstream):
    body = {"prompt": "a", "image_urls": [f"{upstream}/good.png", data_uri(encoded(plain(500, 400)))]}
    result = finished(client, client.post(NULL, json=body).json()["request_id"])
    assert result["status"] == "succeeded", result
    assert result["timings"]["fetching"] > 0
