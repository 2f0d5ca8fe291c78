"""What is known of files, on SQLite: those behind public names, and the frozen forms of inputs."""

import sqlite3
from collections.abc import Sequence

from filmgate.domain.records import Blob, PublicFile
from filmgate.queue.rows import MICROSECONDS, blob_from_json, blob_to_json
from filmgate.queue.sqlite.database import Database
from filmgate.queue.statements import FOLDER, named_statements

__all__ = ["SqliteFiles"]


class SqliteFiles:
    """The port `Files`. Outputs come into the same table when their request is closed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = named_statements(FOLDER / "sqlite" / "files.sql")

    async def publish(self, file: PublicFile) -> None:
        parameters = {
            "token": file.token,
            "name": file.name,
            "storage_key": file.key,
            "content_type": file.content_type,
            "size_bytes": file.size_bytes,
            "digest": file.digest,
            "account": file.account_id,
            "now": self._database.now(),
        }
        await self._database.execute(self._sql["publish"], parameters)

    async def public(self, token: str) -> PublicFile | None:
        rows = self._database.read(self._sql["public"], {"token": token})
        return _file(rows[0]) if rows else None

    async def expired(self, before: float, limit: int) -> Sequence[PublicFile]:
        parameters = {"before": round(before * MICROSECONDS), "limit": limit}
        return [_file(row) for row in self._database.read(self._sql["expired"], parameters)]

    async def forget(self, token: str) -> None:
        await self._database.execute(self._sql["forget"], {"token": token})

    async def blob(self, digest: str) -> Blob | None:
        rows = self._database.read(self._sql["blob"], {"digest": digest})
        return blob_from_json(rows[0]["blob"]) if rows else None

    async def add_blob(self, digest: str, blob: Blob) -> None:
        parameters = {"digest": digest, "blob": blob_to_json(blob)}
        await self._database.execute(self._sql["add_blob"], parameters)


def _file(row: sqlite3.Row) -> PublicFile:
    return PublicFile(
        token=row["token"],
        name=row["name"],
        key=row["storage_key"],
        content_type=row["content_type"],
        size_bytes=row["size_bytes"],
        digest=row["digest"],
        account_id=row["account"],
    )
