"""Salts of webhook secrets and the numbers of signing keys, on SQLite: nothing here signs anything by itself."""

import sqlite3
from collections.abc import Sequence

from filmgate.domain.request import AccountId
from filmgate.domain.webhook import SigningKeys, WebhookSecret
from filmgate.queue.rows import MICROSECONDS, seconds
from filmgate.queue.sqlite.database import Database
from filmgate.queue.statements import FOLDER, named_statements

__all__ = ["SqliteSecrets"]


class SqliteSecrets:
    """The port `Secrets`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = named_statements(FOLDER / "sqlite" / "secrets.sql")

    async def of_account(self, account_id: AccountId) -> Sequence[WebhookSecret]:
        parameters = {"account": account_id, "now": self._database.now()}
        return [_secret(row) for row in self._database.read(self._sql["of_account"], parameters)]

    async def replace(self, account_id: AccountId, salt: str, overlap_s: float) -> WebhookSecret:
        now = self._database.now()

        def work(tx: sqlite3.Connection) -> None:
            tx.execute(self._sql["drop_replaced"], {"account": account_id})
            expires_at = now + round(overlap_s * MICROSECONDS)
            tx.execute(self._sql["expire_current"], {"account": account_id, "expires_at": expires_at})
            tx.execute(self._sql["add_secret"], {"account": account_id, "salt": salt, "now": now})

        await self._database.write(work)
        return WebhookSecret(salt, now / MICROSECONDS, None)

    async def signing_keys(self) -> SigningKeys:
        return _keys(self._database.read(self._sql["signing_keys"], {})[0])

    async def rotate_signing_keys(self, overlap_s: float) -> SigningKeys:
        parameters = {"previous_until": self._database.now() + round(overlap_s * MICROSECONDS)}
        return await self._database.write(lambda tx: _keys(tx.execute(self._sql["rotate"], parameters).fetchone()))


def _secret(row: sqlite3.Row) -> WebhookSecret:
    return WebhookSecret(row["salt"], row["created_at"] / MICROSECONDS, seconds(row["expires_at"]))


def _keys(row: sqlite3.Row) -> SigningKeys:
    return SigningKeys(row["current"], row["previous_until"] / MICROSECONDS)
