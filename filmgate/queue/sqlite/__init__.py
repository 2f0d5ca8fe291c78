"""One SQLite file as queue, accounts and files."""

from filmgate.queue.sqlite.accounts import SqliteAccounts
from filmgate.queue.sqlite.database import Database
from filmgate.queue.sqlite.files import SqliteFiles
from filmgate.queue.sqlite.queue import SqliteQueue

__all__ = ["Database", "SqliteAccounts", "SqliteFiles", "SqliteQueue"]
