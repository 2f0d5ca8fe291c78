"""Accounts, their keys, and logins of devices on SQLite."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from filmgate.domain.errors import Unavailable
from filmgate.domain.records import Account, Device, Key
from filmgate.domain.request import AccountId
from filmgate.queue.rows import MICROSECONDS, seconds
from filmgate.queue.sqlite.database import Database
from filmgate.queue.statements import FOLDER, named_statements

__all__ = ["SqliteAccounts"]

DEVICES_KEPT_S = 24 * 3600


class SqliteAccounts:
    """The port `Accounts`. Secrets never come here: keys and device codes are known by their sha256."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = named_statements(FOLDER / "sqlite" / "accounts.sql")

    async def account(self, account_id: AccountId) -> Account | None:
        rows = self._database.read(self._sql["account"], {"id": account_id})
        return Account(*rows[0]) if rows else None

    async def add_account(self, account: Account) -> bool:
        return await self._changes(
            "add_account",
            {
                "id": account.id,
                "email": account.email,
                "display_name": account.display_name,
                "username": account.username,
                "balance_microdollars": account.balance_microdollars,
            },
        )

    async def any_key(self) -> bool:
        return bool(self._database.read(self._sql["any_key"], {})[0][0])

    async def key(self, digest: str) -> Key | None:
        rows = self._database.read(self._sql["key"], {"digest": digest})
        return _key(rows[0]) if rows else None

    async def keys(self) -> Sequence[Key]:
        return [_key(row) for row in self._database.read(self._sql["keys"], {})]

    async def add_key(self, key: Key, digest: str) -> bool:
        return await self._changes("add_key", _key_row(key, digest))

    async def revoke_key(self, key_id: str) -> bool:
        return await self._changes("revoke_key", {"id": key_id, "now": self._database.now()})

    async def start_device(self, device_digest: str, user_code: str, expires_at: float) -> None:
        """Raises Unavailable when another login under way has the same user code: start again with a new one."""
        ends_at = round(expires_at * MICROSECONDS)
        if not await self._database.write(lambda tx: self._start_device_in(tx, device_digest, user_code, ends_at)):
            raise Unavailable("Another login has this code just now; start the login again.")

    def _start_device_in(self, tx: sqlite3.Connection, digest: str, user_code: str, expires_at: int) -> bool:
        now = self._database.now()
        tx.execute(self._sql["forget_devices"], {"before": now - DEVICES_KEPT_S * MICROSECONDS})
        tx.execute(self._sql["expire_devices"], {"now": now})
        device = {"digest": digest, "user_code": user_code, "expires_at": expires_at}
        return tx.execute(self._sql["start_device"], device).rowcount == 1

    async def decide_device(self, user_code: str, account_id: AccountId, *, approved: bool) -> bool:
        return await self._changes(
            "decide_device",
            {
                "user_code": user_code,
                "account": account_id,
                "state": "approved" if approved else "denied",
                "now": self._database.now(),
            },
        )

    async def poll_device(self, device_digest: str, key: Callable[[AccountId], tuple[Key, str]]) -> Device | None:
        """The one poll that consumes an approved login returns it as `approved`, later ones as `consumed`."""
        rows = self._database.read(self._sql["device"], {"digest": device_digest})
        if not rows:
            return None
        device = _device(rows[0], self._database.now())
        if device.state != "approved":
            return device
        return await self._database.write(lambda tx: self._consume_in(tx, device_digest, key))

    def _consume_in(
        self, tx: sqlite3.Connection, device_digest: str, key: Callable[[AccountId], tuple[Key, str]]
    ) -> Device:
        now = self._database.now()
        row = tx.execute(self._sql["device"], {"digest": device_digest}).fetchone()
        device = _device(row, now)
        consumed = tx.execute(self._sql["consume_device"], {"digest": device_digest, "now": now}).fetchone()
        if consumed is not None:
            tx.execute(self._sql["add_key"], _key_row(*key(consumed["account"])))
        return device

    async def _changes(self, name: str, parameters: dict[str, Any]) -> bool:
        return await self._database.execute(self._sql[name], parameters) == 1


def _key(row: sqlite3.Row) -> Key:
    return Key(
        id=row["id"],
        account_id=row["account"],
        name=row["name"],
        hint=row["hint"],
        created_at=row["created_at"] / MICROSECONDS,
        expires_at=seconds(row["expires_at"]),
        revoked_at=seconds(row["revoked_at"]),
        last_used_at=seconds(row["last_used_at"]),
    )


def _key_row(key: Key, digest: str) -> dict[str, Any]:
    return {
        "id": key.id,
        "digest": digest,
        "account": key.account_id,
        "name": key.name,
        "hint": key.hint,
        "created_at": _microseconds(key.created_at),
        "expires_at": _microseconds(key.expires_at),
        "revoked_at": _microseconds(key.revoked_at),
        "last_used_at": _microseconds(key.last_used_at),
    }


def _microseconds(time_s: float | None) -> int | None:
    return None if time_s is None else round(time_s * MICROSECONDS)


def _device(row: sqlite3.Row, now: int) -> Device:
    device = Device(row["user_code"], row["state"], row["account"], row["expires_at"] / MICROSECONDS)
    undelivered = device.state in ("pending", "approved")
    return replace(device, state="expired") if undelivered and row["expires_at"] <= now else device
