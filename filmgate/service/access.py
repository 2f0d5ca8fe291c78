"""Who may call: accounts, keys, and the device login of command-line clients."""

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from filmgate.domain.errors import KeyRefused
from filmgate.domain.ports import Accounts
from filmgate.domain.records import Account, Device, Key
from filmgate.domain.request import AccountId

__all__ = ["OWNER", "Access", "DeviceLogin", "new_secret"]

OWNER = AccountId("owner")
"""The account of the first start: on one machine it is the only one."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants only: no code spells a word, none holds letters that look like digits."""

_CACHE_S = 5.0
"""A revoked key is refused everywhere after this long."""

_CACHE_KEYS = 10_000

_DEVICE_S = 900
_POLL_S = 2


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """What a command-line client is told when it starts a login."""

    device_code: str
    user_code: str
    expires_in_s: int
    poll_interval_s: int


class Access:
    """Keys are known by the sha256 of their secret; the secret itself is never kept."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.time) -> None:
        self._accounts = accounts
        self._clock = clock
        self._seen: dict[str, tuple[float, Key]] = {}

    async def authenticate(self, secret: str) -> Key:
        """The key of a secret. Raises KeyRefused when it is unknown, expired or revoked: one sentence for all."""
        now = self._clock()
        digest = _digest(secret)
        cached = self._seen.get(digest)
        if cached is not None and cached[0] > now:
            return cached[1]
        key = await self._accounts.key(digest)
        if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
            self._seen.pop(digest, None)
            raise KeyRefused("This key is not known here, or no longer valid. Make one with `filmgate keys create`.")
        if len(self._seen) >= _CACHE_KEYS:
            self._seen.clear()
        self._seen[digest] = (now + _CACHE_S, key)
        return key

    async def account(self, key: Key) -> Account:
        account = await self._accounts.account(key.account_id)
        if account is None:
            raise KeyRefused("The account of this key is gone.")
        return account

    async def first_start(self, preset_secret: str | None) -> str | None:
        """Makes the owner's account and its first key; the secret to show once, or None when there is none to show."""
        await self._accounts.add_account(Account(OWNER, "owner@localhost", "Owner", "owner", 0))
        if preset_secret is not None:
            await self._accounts.add_key(self._new_key("bootstrap", OWNER, preset_secret), _digest(preset_secret))
            return None
        if await self._accounts.any_key():
            return None
        _, secret = await self.create_key("first")
        return secret

    async def create_key(self, name: str, account_id: AccountId = OWNER) -> tuple[Key, str]:
        """A new key and its secret, which is shown this once."""
        secret = new_secret()
        key = self._new_key(name, account_id, secret)
        await self._accounts.add_key(key, _digest(secret))
        return key, secret

    async def keys(self) -> Sequence[Key]:
        return await self._accounts.keys()

    async def revoke_key(self, key_id: str) -> bool:
        """False when no key in use has this id."""
        return await self._accounts.revoke_key(key_id)

    async def start_device(self) -> DeviceLogin:
        device_code = secrets.token_urlsafe(32)
        letters = "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(8))
        user_code = f"{letters[:4]}-{letters[4:]}"
        await self._accounts.start_device(_digest(device_code), user_code, self._clock() + _DEVICE_S)
        return DeviceLogin(device_code, user_code, _DEVICE_S, _POLL_S)

    async def decide_device(self, user_code: str, account_id: AccountId, *, approved: bool) -> bool:
        """False when no login waits for this code."""
        return await self._accounts.decide_device(user_code.strip().upper(), account_id, approved=approved)

    async def poll_device(self, device_code: str) -> tuple[Device | None, str | None]:
        """Where the login is; with the new key's secret the one time that it is approved."""
        secret = new_secret()
        device = await self._accounts.poll_device(
            _digest(device_code),
            lambda account_id: (self._new_key("device login", account_id, secret), _digest(secret)),
        )
        return device, secret if device is not None and device.state == "approved" else None

    def _new_key(self, name: str, account_id: AccountId, secret: str) -> Key:
        return Key(secrets.token_hex(8), account_id, name, f"{secret[:6]}…{secret[-4:]}", self._clock())


def new_secret() -> str:
    """A key's secret: `fg_` and 43 characters, more than 256 random bits."""
    return "fg_" + "".join(secrets.choice(_ALPHABET) for _ in range(43))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()
