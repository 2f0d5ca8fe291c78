"""One SQLite file as queue, accounts, files, events, outbox and secrets."""

from filmgate.queue.sqlite.accounts import SqliteAccounts
from filmgate.queue.sqlite.database import Database
from filmgate.queue.sqlite.events import SqliteEvents
from filmgate.queue.sqlite.files import SqliteFiles
from filmgate.queue.sqlite.outbox import SqliteOutbox
from filmgate.queue.sqlite.queue import SqliteQueue
from filmgate.queue.sqlite.secrets import SqliteSecrets

__all__ = ["Database", "SqliteAccounts", "SqliteEvents", "SqliteFiles", "SqliteOutbox", "SqliteQueue", "SqliteSecrets"]
