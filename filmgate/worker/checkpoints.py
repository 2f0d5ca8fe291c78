"""What an engine keeps of a request for a later attempt, in storage under the request's name."""

import logging
from pathlib import Path

from filmgate.domain.errors import FileUnknown, Unavailable
from filmgate.domain.ports import Storage
from filmgate.domain.records import Lease, checkpoint_key

__all__ = ["Checkpoints"]

logger = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoint of one request. A storage that fails costs work that is done again, never the request."""

    def __init__(self, lease: Lease, storage: Storage) -> None:
        self._request_id = lease.request_id
        self._key = checkpoint_key(lease.request_id)
        self._storage = storage
        self._may_be_there = lease.attempt > 1

    async def latest(self, target: Path) -> Path | None:
        """What an earlier attempt kept, copied to `target`; None when there is nothing."""
        if not self._may_be_there:
            return None
        try:
            await self._storage.fetch(self._key, target)
        except FileUnknown:
            return None
        except Unavailable as error:
            logger.warning("Request %s: it starts from the beginning: %s", self._request_id, error.sentence)
            return None
        return target

    async def keep(self, path: Path) -> None:
        """Stores the file in place of the one before."""
        self._may_be_there = True
        try:
            await self._storage.put(self._key, path)
        except (Unavailable, OSError) as error:
            logger.warning("Request %s: its checkpoint was not stored: %s", self._request_id, error)

    async def forget(self) -> None:
        """For a request that has ended: nobody will ask for it again."""
        if not self._may_be_there:
            return
        try:
            await self._storage.delete([self._key])
        except Unavailable as error:
            # It goes with the request when that is forgotten.
            logger.warning("Request %s: its checkpoint was not deleted: %s", self._request_id, error.sentence)
