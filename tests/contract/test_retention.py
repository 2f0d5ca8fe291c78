"""What was kept long enough is forgotten: bytes, names, checkpoints, then requests; what it used stays booked."""

from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from filmgate.courier.retention import Retention
from filmgate.domain.errors import FileUnknown
from filmgate.domain.ports import Storage
from filmgate.domain.records import NewRequest, Output, Step, checkpoint_key
from filmgate.storage.objects import ObjectStorage
from tests.contract.conftest import Run
from tests.contract.stores import MODELS, Place, new_account, new_output, new_request, success, upload

DAY_S = 86_400


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return ObjectStorage(tmp_path / "storage")


@pytest.fixture
def retention(place: Place, storage: Storage) -> Retention:
    return Retention(place.stores.queue, place.stores.files, storage, 7 * DAY_S, place.clock)


async def finish(place: Place, storage: Storage, source: Path, output: Output) -> NewRequest:
    source.write_bytes(b"clip")
    request = new_request()
    await place.stores.accounts.add_account(new_account())
    await place.stores.queue.put(request)
    async with aclosing(place.stores.queue.leases(Step.RUN, MODELS, "worker")) as leases:
        lease = await anext(leases)
    await storage.put(output.key, source)
    assert await place.stores.queue.settle(lease, success(outputs=(output,)))
    return request


async def read(storage: Storage, key: str) -> bytes:
    return b"".join([chunk async for chunk in storage.stream(key, 0, 4)])


def test_a_finished_request_and_its_files_are_forgotten_when_they_are_old(
    place: Place, storage: Storage, retention: Retention, run: Run, tmp_path: Path
) -> None:
    output = new_output()
    request = run(finish(place, storage, tmp_path / "clip", output))
    place.clock.advance(6 * DAY_S)
    assert run(retention.sweep()) == (0, 0)
    assert run(read(storage, output.key)) == b"clip"

    place.clock.advance(2 * DAY_S)

    assert run(retention.sweep()) == (1, 1)
    assert run(place.stores.queue.find(request.id, request.account_id)) is None
    assert run(place.stores.files.public(output.token)) is None
    with pytest.raises(FileUnknown):
        run(read(storage, output.key))
    assert place.stores.usage() == [(request.id, 250_000)]


def test_a_checkpoint_that_a_request_left_goes_with_it(
    place: Place, storage: Storage, retention: Retention, run: Run, tmp_path: Path
) -> None:
    request = new_request()
    run(place.stores.queue.put(request))
    (tmp_path / "state").write_bytes(b"kept")
    run(storage.put(checkpoint_key(request.id), tmp_path / "state"))
    run(place.stores.queue.cancel(request.id, request.account_id, force=False))
    assert run(retention.sweep()) == (0, 0)
    assert run(read(storage, checkpoint_key(request.id))) == b"kept"

    place.clock.advance(8 * DAY_S)

    assert run(retention.sweep()) == (0, 1)
    with pytest.raises(FileUnknown):
        run(read(storage, checkpoint_key(request.id)))


def test_what_waits_is_never_forgotten(place: Place, retention: Retention, run: Run) -> None:
    request = new_request()
    run(place.stores.queue.put(request))
    place.clock.advance(100 * DAY_S)

    assert run(retention.sweep()) == (0, 0)
    assert run(place.stores.queue.find(request.id, request.account_id)) is not None


def test_old_uploads_are_forgotten_and_new_ones_kept(place: Place, retention: Retention, run: Run) -> None:
    run(place.stores.files.publish(upload("old")))
    place.clock.advance(8 * DAY_S)
    run(place.stores.files.publish(replace(upload("new"), key="uploads/new")))

    assert run(retention.sweep()) == (1, 0)
    assert run(place.stores.files.public("old")) is None
    assert run(place.stores.files.public("new")) is not None


def test_a_sweep_that_was_killed_is_finished_by_the_next(
    place: Place, storage: Storage, retention: Retention, run: Run, tmp_path: Path
) -> None:
    output = new_output()
    run(finish(place, storage, tmp_path / "clip", output))
    place.clock.advance(8 * DAY_S)
    run(storage.delete([output.key]))

    assert run(retention.sweep()) == (1, 1)
