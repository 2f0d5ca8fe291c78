"""The guarded GET against servers that lie, stall and flood: over loopback, allowed by name."""

import asyncio
import gzip
import hashlib
import socket
from pathlib import Path

import pytest

from filmgate.courier.fetch import FetchedFile
from filmgate.domain.errors import InputUnreachable
from tests.contract.fetching import BODY, Answer, Server, fetch, http, listening, names, refusal, refusal_of, silence


def test_a_file_is_stored_as_it_was_sent_with_its_size_and_digest(tmp_path: Path) -> None:
    async def scenario() -> tuple[FetchedFile, Server]:
        async with listening(http()) as (server, port):
            return await fetch(f"http://127.0.0.1:{port}/a%2Fb?c=d#e", tmp_path, allow=["127.0.0.1"]), server

    fetched, server = asyncio.run(scenario())

    assert fetched == FetchedFile(len(BODY), hashlib.sha256(BODY).hexdigest())
    assert (tmp_path / "file").read_bytes() == BODY
    assert names(tmp_path) == ["file"]
    assert server.asked[0].startswith(b"GET /a%2Fb?c=d HTTP/1.1\r\n")


def test_the_request_asks_for_plain_bytes_and_carries_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login secret password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")

    async def scenario() -> Server:
        async with listening(http()) as (server, port):
            await fetch(f"http://127.0.0.1:{port}/", tmp_path, allow=["127.0.0.1"])
            return server

    head = asyncio.run(scenario()).asked[0].lower()

    assert b"accept-encoding: identity\r\n" in head
    assert not any(word in head for word in (b"authorization", b"cookie", b"referer", b"gzip"))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http(),
        http(BODY, "200 OK", "Content-Encoding: identity"),
    ],
    ids=["until-close", "http-1.0", "chunked", "early-hints", "identity"],
)
def test_every_ordinary_way_to_send_a_file_is_read(tmp_path: Path, answer: bytes) -> None:
    async def scenario() -> FetchedFile:
        async with listening(answer) as (_, port):
            return await fetch(f"http://127.0.0.1:{port}/", tmp_path, allow=["127.0.0.1"])

    assert asyncio.run(scenario()).sha256 == hashlib.sha256(BODY).hexdigest()


def test_a_file_of_exactly_the_largest_size_is_welcome_and_one_byte_more_is_not(tmp_path: Path) -> None:
    async def scenario() -> tuple[FetchedFile, InputUnreachable]:
        async with listening(b"HTTP/1.1 200 OK\r\n\r\n" + BODY) as (_, port):
            url, allow = f"http://127.0.0.1:{port}/", ["127.0.0.1"]
            refused = await refusal(url, tmp_path, allow=allow, max_bytes=len(BODY) - 1)
            return await fetch(url, tmp_path, allow=allow, max_bytes=len(BODY)), refused

    fetched, refused = asyncio.run(scenario())

    assert fetched.size_bytes == len(BODY)
    assert refused.code == "url_too_large"


def test_an_earlier_file_at_the_target_survives_a_failed_fetch(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"earlier")

    async def scenario() -> None:
        async with listening(http(b"short", "200 OK", "Connection: close")[:-1]) as (_, port):
            with pytest.raises(InputUnreachable):
                await fetch(f"http://127.0.0.1:{port}/", tmp_path, allow=["127.0.0.1"])

    asyncio.run(scenario())

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"earlier"]


# ---------------------------------------------------------------------------------------------------- hostile servers


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        ("404 Not Found", False),
        ("403 Ha ha", False),
        ("204 No Content", False),
        ("206 Partial Content", False),
        ("304 Not Modified", False),
        ("429 Slow", True),
        ("500 Oh", True),
        ("503 Busy", True),
    ],
)
def test_another_status_than_200_is_named_without_the_words_of_the_server(
    tmp_path: Path, status: str, retryable: bool
) -> None:
    refused = asyncio.run(refusal_of(http(b"", status), tmp_path))

    assert (refused.code, refused.retryable) == ("url_status", retryable)
    assert refused.sentence == f"The URL at 127.0.0.1 answered {status[:3]}."


def endless(start: bytes, piece: bytes, pause_s: float = 0) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


async def stall_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(http()[:-1])
    await reader.read()


async def reset_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(http()[:-1])
    await writer.drain()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (silence, "url_timeout"),
        (stall_in_the_body, "url_timeout"),
        (endless(OK, b"a", 0.01), "url_timeout"),
        (endless(OK + b"\r\n", b"a", 0.01), "url_timeout"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "url_timeout"),
        (endless(OK + b"\r\n", b"a" * 65536), "url_too_large"),
        (endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 1000), "url_too_large"),
        (OK + b"Content-Length: 20001\r\n\r\n", "url_too_large"),
        (endless(OK, b"X: " + b"a" * 1000 + b"\r\n"), "url_unreachable"),
        (endless(OK, b"a" * 1000), "url_unreachable"),
        (endless(b"", b"a" * 1000), "url_unreachable"),
        (endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"a" * 1000), "url_timeout"),
        (endless(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: " + b"a" * 1000 + b"\r\n"), "url_unreachable"),
        (reset_in_the_body, "url_unreachable"),
        (b"", "url_unreachable"),
        (b"\x16\x03\x01\x02\x00", "url_unreachable"),
        (b"<html>no head at all", "url_unreachable"),
        (http()[:-1], "url_unreachable"),
        (OK + b"Content-Length: -1\r\n\r\n" + BODY, "url_unreachable"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456", "url_unreachable"),
        (OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "url_unreachable"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "url_unreachable"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", "url_unreachable"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", "url_status"),
        (http(gzip.compress(bytes(1_000_000)), "200 OK", "Content-Encoding: gzip"), "url_encoded"),
        (http(BODY, "200 OK", "Content-Encoding: identity", "Content-Encoding: br"), "url_encoded"),
        (http(BODY, "200 OK", "Content-Encoding: " + ", ".join(["gzip"] * 20)), "url_encoded"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "url_encoded"),
    ],
)
def test_a_hostile_answer_ends_in_a_sentence_and_leaves_no_file(
    tmp_path: Path, answer: bytes | Answer, code: str
) -> None:
    refused = asyncio.run(refusal_of(answer, tmp_path, timeout_s=1, stall_timeout_s=0.2, max_bytes=20_000))

    assert refused.code == code


def test_a_fetch_that_takes_too_long_says_how_long_and_may_be_tried_again(tmp_path: Path) -> None:
    refused = asyncio.run(refusal_of(silence, tmp_path, timeout_s=0.2))

    assert refused.sentence == "The URL at 127.0.0.1 took longer than 0.2 s."
    assert refused.retryable


def test_a_file_that_is_too_large_is_refused_with_the_limit(tmp_path: Path) -> None:
    refused = asyncio.run(refusal_of(http(), tmp_path, max_bytes=2_500))

    assert refused.sentence == "The URL at 127.0.0.1 is larger than 0.0025 MB."


def test_a_port_where_nobody_listens_is_unreachable_and_may_be_tried_again(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        refused = asyncio.run(refusal(f"http://127.0.0.1:{port}/", tmp_path, allow=["127.0.0.1"]))

    assert (refused.code, refused.retryable) == ("url_unreachable", True)


def test_a_cancelled_fetch_leaves_no_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with listening(stall_in_the_body) as (server, port):
            fetching = asyncio.create_task(fetch(f"http://127.0.0.1:{port}/", tmp_path, allow=["127.0.0.1"]))
            await asyncio.wait_for(server.was_asked.wait(), 10)
            fetching.cancel()
            await asyncio.wait([fetching])
            assert fetching.cancelled()

    asyncio.run(scenario())

    assert names(tmp_path) == []
