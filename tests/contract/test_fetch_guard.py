"""Where the guarded GET goes and where it never goes: redirects, names, spellings, certificates.

A canary on loopback that is not allowed must never be connected to.
"""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import pytest

from filmgate.courier.addresses import parse_address
from filmgate.courier.fetch import FetchedFile
from filmgate.courier.outbound import _Guard
from filmgate.domain.errors import InputUnreachable
from tests.contract.fetching import (
    BODY,
    TRUST,
    Server,
    fetch,
    http,
    listening,
    redirect,
    refusal,
    refusal_of,
    silence,
)

# --------------------------------------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_three_redirects_are_followed_and_cookies_are_not_carried(tmp_path: Path, status: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hop, cookie = next(hops), "Set-Cookie: secret=1"
        writer.write(http() if hop == 4 else http(b"", f"{status} Found", f"Location: ../{hop}?x=y", cookie))

    async def scenario() -> tuple[FetchedFile, Server]:
        async with listening(answer) as (server, port):
            return await fetch(f"http://127.0.0.1:{port}/a/b", tmp_path, allow=["127.0.0.1"]), server

    hops = count(1)
    fetched, server = asyncio.run(scenario())

    assert fetched.size_bytes == len(BODY)
    assert [head.split()[1] for head in server.asked] == [b"/a/b", b"/1?x=y", b"/2?x=y", b"/3?x=y"]
    assert not any(b"ookie" in head for head in server.asked)


def test_a_fourth_redirect_is_refused(tmp_path: Path) -> None:
    async def scenario() -> tuple[InputUnreachable, int]:
        async with listening(redirect("/again")) as (server, port):
            refused = await refusal(f"http://127.0.0.1:{port}/", tmp_path, allow=["127.0.0.1"])
            return refused, server.connections

    refused, connections = asyncio.run(scenario())

    assert (refused.code, connections) == ("url_redirects", 4)
    assert refused.sentence == "The URL at 127.0.0.1 redirects more than 3 times."


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("file:///etc/passwd", "url_not_https"),
        ("gopher://127.0.0.1:1/_", "url_not_https"),
        ("data:image/png;base64,AAAA", "url_invalid"),
        ("https://user:secret@example.com/", "url_invalid"),
        ("https://169.254.169.254/latest/", "url_not_public"),
        ("https://[::ffff:169.254.169.254]/", "url_not_public"),
        ("//metadata.google.internal/", "url_not_public"),
        ("https://[half/", "url_redirects"),
        ("http:\\\\127.0.0.1\\", "url_invalid"),
        ("http://0x7f.1/", "url_invalid"),
    ],
)
def test_a_redirect_is_judged_like_the_first_url_and_its_target_is_never_named(
    tmp_path: Path, location: str, code: str
) -> None:
    refused = asyncio.run(refusal_of(redirect(location), tmp_path))

    assert refused.code == code
    assert refused.sentence.startswith("The URL at 127.0.0.1 redirects to")
    assert not any(word in refused.sentence for word in ("169", "metadata", "passwd", "secret", "gopher", "0x7f"))


def test_a_redirect_without_a_location_goes_nowhere_twice(tmp_path: Path) -> None:
    refused = asyncio.run(refusal_of(http(b"", "302 Found"), tmp_path))

    assert refused.code == "url_redirects"


# ------------------------------------------------------------------------------------------------------------ canary


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "127.0.0.2",
        "0.0.0.0",
        "0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
        "example.com\\@127.0.0.1",
        "127.0.0.1\\@example.com",
        "127%2e0%2e0%2e1",
        "１２７.0.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "lead.example",
        "mixed.example",
    ],
)
def test_no_spelling_of_a_private_host_is_ever_connected_to(tmp_path: Path, host: str) -> None:
    """Directly and through a redirect; the canary listens on all of loopback and must not be met once."""

    async def resolve(name: str) -> Sequence[str]:
        return {"lead.example": ["127.0.0.1"], "mixed.example": ["1.1.1.1", "127.0.0.1"]}.get(name, ["127.0.0.1"])

    async def scenario() -> int:
        async with listening(http(), host="") as (canary, port):
            for scheme in ("http", "https"):
                url = f"{scheme}://{host}:{port}/"
                options = {"allow_http": True, "resolve": resolve}
                await refusal(url, tmp_path, **options)
                await refusal(url.replace(f":{port}", ""), tmp_path, **options)
                async with listening(redirect(url.replace(f":{port}", ""))) as (_, door):
                    allow = [f"127.0.0.1:{door}"]
                    await refusal(f"http://127.0.0.1:{door}/", tmp_path, allow=allow, **options)
            return canary.connections

    assert asyncio.run(scenario()) == 0


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["::1"],
        ["1.1.1.1", "127.0.0.1"],
        ["127.0.0.1", "1.1.1.1"],
        ["1.1.1.1", "2606:4700::1111", "::ffff:127.0.0.1"],
        ["1.1.1.1", "64:ff9b::7f00:1"],
        ["1.1.1.1", "fe80::1%lo"],
        ["1.1.1.1", "nonsense"],
        ["169.254.169.254"],
    ],
)
def test_a_name_is_refused_when_any_answer_is_not_public_and_no_answer_is_named(
    tmp_path: Path, answers: list[str]
) -> None:
    async def resolve(name: str) -> Sequence[str]:
        return answers

    refused = asyncio.run(refusal("https://photos.example.com/a", tmp_path, resolve=resolve))

    assert refused.code == "url_not_public"
    assert refused.sentence == "The URL at photos.example.com is not at a public address."


def test_a_name_is_looked_up_once_per_hop_so_that_it_cannot_change_its_mind(tmp_path: Path) -> None:
    asked: list[str] = []

    async def resolve(name: str) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.99"]

    async def scenario() -> Server:
        async with listening(http()) as (server, port):
            await fetch(f"http://photos.example.com:{port}/", tmp_path, allow=["photos.example.com"], resolve=resolve)
            return server

    server = asyncio.run(scenario())

    assert asked == ["photos.example.com"]
    assert b"\r\nHost: photos.example.com:" in server.asked[0]


def test_a_listed_host_is_reached_by_the_system_look_up(tmp_path: Path) -> None:
    async def scenario() -> FetchedFile:
        async with listening(http(), host="localhost") as (_, port):
            return await fetch(f"http://localhost:{port}/", tmp_path, allow=[f"localhost:{port}"])

    assert asyncio.run(scenario()).size_bytes == len(BODY)


def test_a_redirect_from_a_listed_host_to_another_port_of_it_is_refused(tmp_path: Path) -> None:
    async def scenario() -> tuple[InputUnreachable, int]:
        async with listening(http()) as (canary, private), listening(redirect(f"http://127.0.0.1:{private}/")) as door:
            allow = [f"127.0.0.1:{door[1]}"]
            return await refusal(f"http://127.0.0.1:{door[1]}/", tmp_path, allow=allow), canary.connections

    refused, connections = asyncio.run(scenario())

    assert (refused.code, connections) == ("url_not_public", 0)


@pytest.mark.parametrize(
    ("failure", "retryable"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no such host"), False),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), True),
        (None, False),
    ],
)
def test_a_name_that_leads_nowhere_is_unresolved(tmp_path: Path, failure: OSError | None, retryable: bool) -> None:
    async def resolve(name: str) -> Sequence[str]:
        if failure is not None:
            raise failure
        return []

    refused = asyncio.run(refusal("https://photos.example.com/", tmp_path, resolve=resolve))

    assert (refused.code, refused.retryable) == ("url_unresolved", retryable)


def test_a_look_up_that_hangs_is_given_up(tmp_path: Path) -> None:
    async def resolve(name: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    refused = asyncio.run(refusal("https://photos.example.com/", tmp_path, resolve=resolve, connect_timeout_s=0.1))

    assert (refused.code, refused.retryable) == ("url_unresolved", True)


def test_the_guard_at_the_socket_opens_none_to_an_unchecked_address_and_knows_a_wrong_peer() -> None:
    address = parse_address("1.1.1.1")
    assert address is not None
    guard = _Guard(frozenset({address}))
    tcp = (socket.AF_INET, socket.SOCK_STREAM, 0, "")

    with pytest.raises(PermissionError):
        guard.open_socket((*tcp, ("127.0.0.1", 443)))
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, guard.open_socket((*tcp, ("1.1.1.1", 443))) as opened:
        opened.connect(elsewhere.getsockname())
        assert not guard.peers_are_checked()


# --------------------------------------------------------------------------------------------------------------- TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate of `localhost` in one file."""
    pem = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", pem, "-out", f"{pem}.crt"], check=True, capture_output=True)
    pem.write_text(pem.read_text() + Path(f"{pem}.crt").read_text())
    return pem


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def client_side(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


def test_a_file_is_fetched_over_tls_from_the_checked_address(tmp_path: Path, certificate: Path) -> None:
    async def scenario() -> FetchedFile:
        async with listening(http(), tls=server_side(certificate)) as (_, port):
            url, trust = f"https://localhost:{port}/", client_side(certificate)
            return await fetch(url, tmp_path, allow=["localhost"], ssl_context=trust)

    assert asyncio.run(scenario()).size_bytes == len(BODY)


@pytest.mark.parametrize("flaw", ["nobody trusts it", "it is of another host"])
def test_a_certificate_that_proves_nothing_is_refused(tmp_path: Path, certificate: Path, flaw: str) -> None:
    async def scenario() -> InputUnreachable:
        async with listening(http(), tls=server_side(certificate)) as (_, port):
            host = "localhost" if flaw == "nobody trusts it" else "127.0.0.1"
            trust = client_side(certificate) if host == "127.0.0.1" else TRUST
            return await refusal(f"https://{host}:{port}/", tmp_path, allow=[host], ssl_context=trust)

    refused = asyncio.run(scenario())

    assert refused.code == "url_unreachable"
    assert refused.sentence.endswith("has no valid certificate.")


def test_a_redirect_from_https_to_http_is_refused_even_to_a_listed_host(tmp_path: Path, certificate: Path) -> None:
    async def scenario() -> tuple[InputUnreachable, int]:
        async with listening(http()) as (plain, plain_port):
            answer = redirect(f"http://localhost:{plain_port}/")
            async with listening(answer, tls=server_side(certificate)) as (_, port):
                trust = client_side(certificate)
                url = f"https://localhost:{port}/"
                return await refusal(url, tmp_path, allow=["localhost"], ssl_context=trust), plain.connections

    refused, connections = asyncio.run(scenario())

    assert (refused.code, connections) == ("url_not_https", 0)


def test_a_server_that_stalls_in_the_handshake_is_given_up(tmp_path: Path) -> None:
    async def scenario() -> InputUnreachable:
        async with listening(silence) as (_, port):
            url = f"https://127.0.0.1:{port}/"
            return await refusal(url, tmp_path, allow=["127.0.0.1"], connect_timeout_s=0.2)

    refused = asyncio.run(scenario())

    assert (refused.code, refused.retryable) == ("url_timeout", True)
