"""Signatures against the published vector, the reference library, RFC 8032, and through every rotation."""

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from filmgate.service.signing import KEY_OVERLAP_S, PublicKey, Signing, sign_v1, sign_v1a
from tests.contract.conftest import Run
from tests.contract.stores import OWNER, STRANGER, Place

BODY = b'{"status":"succeeded","prompt":"\\u00e9 \xf0\x9f\x8c\x8a"}'
Headers = dict[str, str]


@pytest.fixture
def signing(place: Place) -> Signing:
    return Signing(b"a master secret for tests", place.stores.secrets, place.clock)


def headers(run: Run, signing: Signing, event_id: str = "evt_1", at: int | None = None, body: bytes = BODY) -> Headers:
    timestamp = int(datetime.now(UTC).timestamp()) if at is None else at
    signature = run(signing.signatures(OWNER, event_id, timestamp, body))
    return {"webhook-id": event_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def accepts(secret: str | None, body: bytes, sent: Headers) -> bool:
    try:
        Verifier(secret or "").verify(body, sent, json_parse=False)
    except WebhookVerificationError:
        return False
    return True


def accepts_v1a(key: PublicKey, body: bytes, sent: Headers) -> bool:
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + body
    for word in sent["webhook-signature"].split():
        version, _, signature = word.partition(",")
        if version == "v1a":
            try:
                Ed25519PublicKey.from_public_bytes(key.raw).verify(base64.b64decode(signature), signed)
            except InvalidSignature:
                continue
            return True
    return False


def test_v1_is_the_published_vector() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'

    assert sign_v1(secret, signed) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_v1a_is_the_first_two_vectors_of_rfc_8032() -> None:
    first = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    second = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )

    assert base64.b64decode(sign_v1a(first, b"").removeprefix("v1a,")).hex().startswith("e5564300c360ac729086e2cc806e")
    assert (
        base64.b64decode(sign_v1a(second, b"r").removeprefix("v1a,")).hex().startswith("92a009a9f0d4cab8720e820b5f64")
    )


def test_the_reference_library_accepts_a_thousand_deliveries(run: Run, signing: Signing) -> None:
    secret = run(signing.replace_secret(OWNER)).text
    key = run(signing.public_keys())[0]

    for number in range(1000):
        body = BODY + secrets.token_hex(number % 50).encode()
        sent = headers(run, signing, f"evt_{number}", body=body)
        assert accepts(secret, body, sent)
        assert accepts_v1a(key, body, sent)


def swapped(sent: Headers, name: str, change: Callable[[str], str]) -> Headers:
    return {**sent, name: change(sent[name])}


TAMPERED: dict[str, Callable[[Headers], tuple[bytes, Headers]]] = {
    "a byte of the body": lambda sent: (BODY.replace(b"succeeded", b"succeedee"), sent),
    "a byte more": lambda sent: (BODY + b" ", sent),
    "an empty body": lambda sent: (b"", sent),
    "another id": lambda sent: (BODY, swapped(sent, "webhook-id", lambda value: value + "2")),
    "a later time": lambda sent: (BODY, swapped(sent, "webhook-timestamp", lambda value: str(int(value) + 1))),
    "no id": lambda sent: (BODY, {name: value for name, value in sent.items() if name != "webhook-id"}),
    "no time": lambda sent: (BODY, {name: value for name, value in sent.items() if name != "webhook-timestamp"}),
    "no signature": lambda sent: (BODY, {name: value for name, value in sent.items() if name != "webhook-signature"}),
    "another signature": lambda sent: (
        BODY,
        swapped(sent, "webhook-signature", lambda _: "v1," + base64.b64encode(bytes(32)).decode()),
    ),
    "another version": lambda sent: (
        BODY,
        swapped(sent, "webhook-signature", lambda value: value.replace("v1,", "v2,")),
    ),
}


@pytest.mark.parametrize("change", TAMPERED)
def test_the_reference_library_refuses_what_was_tampered_with(run: Run, signing: Signing, change: str) -> None:
    secret = run(signing.replace_secret(OWNER)).text

    body, sent = TAMPERED[change](headers(run, signing))

    assert not accepts(secret, body, sent)


@pytest.mark.parametrize("age_s", [301, -301])
def test_the_reference_library_refuses_what_is_sent_again_much_later(run: Run, signing: Signing, age_s: int) -> None:
    secret = run(signing.replace_secret(OWNER)).text
    at = int(datetime.now(UTC).timestamp()) - age_s

    assert not accepts(secret, BODY, headers(run, signing, at=at))


def test_another_accounts_secret_and_another_master_verify_nothing(run: Run, place: Place, signing: Signing) -> None:
    run(signing.replace_secret(OWNER))
    other_master = Signing(b"another master secret", place.stores.secrets, place.clock)

    sent = headers(run, signing)

    assert not accepts(run(signing.replace_secret(STRANGER)).text, BODY, sent)
    assert not accepts_v1a(run(other_master.public_keys())[0], BODY, sent)


def test_an_account_without_a_secret_has_v1a_signatures_alone(run: Run, signing: Signing) -> None:
    assert [word.partition(",")[0] for word in headers(run, signing)["webhook-signature"].split()] == ["v1a"]
    assert run(signing.shown_secrets(OWNER)) == []


def test_a_replaced_secret_signs_for_the_overlap_and_the_one_before_it_no_more(
    run: Run, place: Place, signing: Signing
) -> None:
    first, second, third = (run(signing.replace_secret(OWNER, 3600)).text for _ in range(3))

    assert [accepts(one, BODY, headers(run, signing)) for one in (first, second, third)] == [False, True, True]
    place.clock.advance(3601)
    assert [accepts(one, BODY, headers(run, signing)) for one in (second, third)] == [False, True]


def test_secrets_are_shown_once_and_are_not_in_the_database(run: Run, place: Place, signing: Signing) -> None:
    text = run(signing.replace_secret(OWNER)).text
    (shown,) = run(signing.shown_secrets(OWNER))
    place.close()

    assert text is not None
    assert shown.text is None
    assert text.endswith(shown.hint[-4:])
    on_disk = b"".join(path.read_bytes() for path in place.folder.iterdir() if path.is_file())
    assert text.removeprefix("whsec_").encode() not in on_disk
    assert base64.b64decode(text.removeprefix("whsec_")) not in on_disk


def test_the_next_key_is_published_before_it_signs_and_the_last_one_overlaps(
    run: Run, place: Place, signing: Signing
) -> None:
    old, following = run(signing.public_keys())

    current, *_ = run(signing.rotate_keys())

    sent = headers(run, signing)
    assert current == following
    assert len(run(signing.public_keys())) == 3
    assert accepts_v1a(old, BODY, sent)
    assert accepts_v1a(following, BODY, sent)
    place.clock.advance(KEY_OVERLAP_S + 1)
    assert old not in run(signing.public_keys())
    assert not accepts_v1a(old, BODY, headers(run, signing))
