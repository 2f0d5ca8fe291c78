"""The guarded POST: what a receiver sees of it, where it never goes, and what each answer becomes."""

import asyncio
import socket
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any

import pytest

from filmgate.courier.post import Poster
from filmgate.domain.webhook import Try
from tests.contract.fetching import TRUST, http, listening, redirect
from tests.contract.receiving import OK, Receiver, receiving

BODY = b'{"status":"succeeded"}'


async def post(url: str, **options: Any) -> Try:
    async with Poster(**{"ssl_context": TRUST, "allow": ["127.0.0.1"], **options}) as poster:
        return await poster.post(url, BODY, {"webhook-id": "evt_1"})


def tried(*answers: bytes | None, **options: Any) -> tuple[Try, Receiver]:
    async def scenario() -> tuple[Try, Receiver]:
        async with receiving(*answers) as receiver:
            return await post(receiver.url, **options), receiver

    return asyncio.run(scenario())


def test_the_body_arrives_whole_with_its_headers_and_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")

    outcome, receiver = tried(OK)

    (received,) = receiver.received
    assert (outcome.status, outcome.error) == (200, None)
    assert (received.body, received.path) == (BODY, "/hook")
    assert received.headers["webhook-id"] == "evt_1"
    assert received.headers["content-type"] == "application/json"
    assert not received.headers.keys() & {"authorization", "cookie", "referer"}


@pytest.mark.parametrize("status", ["204 No Content", "410 Gone", "500 Oh", "302 Found"])
def test_each_status_is_told_as_it_is(status: str) -> None:
    assert tried(http(b"", status))[0].status == int(status[:3])


def test_a_redirect_is_not_followed() -> None:
    async def scenario() -> tuple[Try, Receiver, Receiver]:
        async with receiving(OK) as elsewhere, receiving(redirect(elsewhere.url, 307)) as receiver:
            return await post(receiver.url), receiver, elsewhere

    outcome, receiver, elsewhere = asyncio.run(scenario())

    assert outcome.status == 307
    assert (len(receiver.received), len(elsewhere.received)) == (1, 0)


def test_a_receiver_that_never_answers_ends_at_the_deadline() -> None:
    outcome, _ = tried(None, timeout_s=0.2)

    assert (outcome.status, outcome.error) == (None, "The receiver took longer than 0.2 s.")


def test_an_endless_answer_counts_by_its_status() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"a" * 65536)
            await writer.drain()

    async def scenario() -> Try:
        async with listening(endless) as (_, port):
            return await post(f"http://127.0.0.1:{port}/")

    assert asyncio.run(scenario()).status == 200


def test_an_answer_that_breaks_off_after_its_status_counts() -> None:
    assert tried(http(b"1234", "200 OK")[:-2])[0].status == 200


@pytest.mark.parametrize("answer", [b"", b"<html>no head at all", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"])
def test_what_is_no_answer_is_an_error_in_our_words(answer: bytes) -> None:
    outcome, _ = tried(answer)

    assert outcome.status is None
    assert outcome.error is not None
    assert outcome.error.startswith("The URL at 127.0.0.1 ")


def test_nobody_there_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        outcome = asyncio.run(post(f"http://127.0.0.1:{taken.getsockname()[1]}/"))

    assert outcome.error == "The URL at 127.0.0.1 accepts no connection."


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", 0), (formatdate(1090, usegmt=True), 90), (formatdate(10, usegmt=True), 0), ("soon", None)],
)
def test_retry_after_is_read_in_both_its_forms(header: str, seconds: float | None) -> None:
    outcome, _ = tried(http(b"", "503 Busy", f"Retry-After: {header}"), clock=lambda: 1000.0)

    assert outcome.retry_after_s == seconds


# ------------------------------------------------------------------------------------------------ where it never goes


def answering(*answers: str) -> Any:
    async def resolve(_: str) -> Sequence[str]:
        return answers

    return resolve


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::ffff:100.100.100.200"], ["93.184.216.34", "127.0.0.1"]],
)
def test_a_name_that_leads_inside_by_now_is_not_connected_to(answers: list[str]) -> None:
    async def scenario() -> tuple[Try, int]:
        async with listening(OK) as (server, _):
            outcome = await post("https://receiver.example/", allow=[], resolve=answering(*answers))
            return outcome, server.connections

    outcome, connections = asyncio.run(scenario())

    assert outcome.error == "The URL at receiver.example is not at a public address."
    assert connections == 0


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://[::1]:{}/", "http://2130706433:{}/"]
)
def test_a_host_that_is_not_allowed_by_name_is_not_connected_to(url: str) -> None:
    async def scenario() -> tuple[Try, int]:
        async with listening(OK) as (server, port):
            return await post(url.format(port), allow=["receiver.example"]), server.connections

    outcome, connections = asyncio.run(scenario())

    assert outcome.status is None
    assert outcome.error is not None
    assert connections == 0
