"""Signatures by the Standard Webhooks specification: `v1` with a secret per account, `v1a` with key pairs of our own.

Everything that signs is derived from one master secret, which is never in the database: a copy of the database signs
nothing. An account's secret is derived by a salt that is new with each rotation, a key pair by its number. The public
keys of the current, the next and, for a while, the previous pair are published, so receivers that look now and then
know the next one before it signs.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from filmgate.domain.ports import Secrets
from filmgate.domain.request import AccountId
from filmgate.domain.webhook import WebhookSecret

__all__ = ["KEY_OVERLAP_S", "SECRET_OVERLAP_S", "PublicKey", "ShownSecret", "Signing", "sign_v1", "sign_v1a"]

SECRET_OVERLAP_S = 86_400
"""How long an account's secret goes on signing after it was replaced, if nothing else is asked for."""

KEY_OVERLAP_S = 7 * 86_400
"""How long a key pair of ours goes on signing after the next one began."""

HINT_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What verifies `v1a`: 32 bytes, and the id by which key sets name them."""

    id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class ShownSecret:
    """A secret as its account sees it: `text` once, when it is made, and only its end later."""

    hint: str
    created_at: float
    expires_at: float | None
    text: str | None = None


class Signing:
    """Makes secrets and signatures. `master` is the same in every process of one Filmgate."""

    def __init__(self, master: bytes, secrets_kept: Secrets, clock: Callable[[], float] = time.time) -> None:
        self._master = master
        self._secrets = secrets_kept
        self._clock = clock
        self._key_pair = lru_cache(maxsize=8)(self._derived_key_pair)

    async def replace_secret(self, account_id: AccountId, overlap_s: float = SECRET_OVERLAP_S) -> ShownSecret:
        """A new secret of the account, with its text; the one before it signs for `overlap_s` more."""
        made = await self._secrets.replace(account_id, secrets.token_hex(16), overlap_s)
        return self._shown(account_id, made, with_text=True)

    async def shown_secrets(self, account_id: AccountId) -> Sequence[ShownSecret]:
        """The account's valid secrets without their texts, latest first."""
        return [self._shown(account_id, one) for one in await self._secrets.of_account(account_id)]

    async def signatures(self, account_id: AccountId, event_id: str, timestamp: int, body: bytes) -> str:
        """The header's value: one signature for each secret and key pair that is valid now."""
        signed = b"%s.%d.%s" % (event_id.encode(), timestamp, body)
        valid = await self._secrets.of_account(account_id)
        keys = await self._secrets.signing_keys()
        numbers = [keys.current, keys.current - 1] if keys.previous_until > self._clock() else [keys.current]
        return " ".join(
            [
                *(sign_v1(self._derived_secret(account_id, one.salt), signed) for one in valid),
                *(sign_v1a(self._key_pair(number), signed) for number in numbers),
            ]
        )

    async def public_keys(self) -> Sequence[PublicKey]:
        """The current key, the next one, and the previous one while it still signs."""
        keys = await self._secrets.signing_keys()
        numbers = [keys.current, keys.current + 1]
        if keys.previous_until > self._clock():
            numbers.append(keys.current - 1)
        return [_public(self._key_pair(number)) for number in numbers]

    async def rotate_keys(self, overlap_s: float = KEY_OVERLAP_S) -> Sequence[PublicKey]:
        """Lets the next key pair sign. All published keys after it."""
        await self._secrets.rotate_signing_keys(overlap_s)
        return await self.public_keys()

    def _shown(self, account_id: AccountId, secret: WebhookSecret, *, with_text: bool = False) -> ShownSecret:
        text = f"whsec_{base64.b64encode(self._derived_secret(account_id, secret.salt)).decode()}"
        hint = f"whsec_…{text[-HINT_CHARACTERS:]}"
        return ShownSecret(hint, secret.created_at, secret.expires_at, text if with_text else None)

    def _derived_secret(self, account_id: AccountId, salt: str) -> bytes:
        return self._derive("secret", account_id, salt)

    def _derived_key_pair(self, number: int) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._derive("ed25519", str(number)))

    def _derive(self, *words: str) -> bytes:
        """32 bytes that only who has the master secret can know. NUL parts the words, as none contains it."""
        return hmac.digest(self._master, "\0".join(("filmgate webhooks", *words)).encode(), hashlib.sha256)


def sign_v1(secret: bytes, signed: bytes) -> str:
    """HMAC-SHA256, as one word of the signature header."""
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"


def sign_v1a(key: Ed25519PrivateKey, signed: bytes) -> str:
    """Ed25519, as one word of the signature header."""
    return f"v1a,{base64.b64encode(key.sign(signed)).decode()}"


def _public(key: Ed25519PrivateKey) -> PublicKey:
    raw = key.public_key().public_bytes_raw()
    return PublicKey(hashlib.sha256(raw).hexdigest()[:16], raw)
