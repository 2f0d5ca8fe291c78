"""A process that puts requests and tells of each as soon as it is acknowledged: `putter.py DATABASE COUNT AT_ONCE`."""

import asyncio
import sys
from pathlib import Path

from filmgate.queue.sqlite import Database, SqliteQueue
from tests.contract.stores import new_request


async def put_all(path: Path, count: int, at_once: int) -> None:
    database = Database(path)
    queue = SqliteQueue(database)

    async def put_some() -> None:
        for _ in range(count // at_once):
            request = new_request()
            await queue.put(request)
            sys.stdout.write(f"{request.id}\n")
            sys.stdout.flush()

    await asyncio.gather(*[put_some() for _ in range(at_once)])
    database.close()


if __name__ == "__main__":
    asyncio.run(put_all(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
