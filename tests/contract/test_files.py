"""What every database knows of files."""

from dataclasses import replace

import pytest

from filmgate.domain.ports import Files
from filmgate.domain.records import Blob
from tests.contract.conftest import Run
from tests.contract.stores import PICTURE, SOUND, Place, Stores, upload


@pytest.fixture
def files(stores: Stores) -> Files:
    return stores.files


def test_a_published_file_is_behind_its_token(files: Files, run: Run) -> None:
    file = upload("t1")

    run(files.publish(file))

    assert run(files.public("t1")) == file
    assert run(files.public("t2")) is None


def test_published_files_survive_a_restart(place: Place, run: Run) -> None:
    run(place.stores.files.publish(upload("t1")))

    assert run(place.restart().files.public("t1")) == upload("t1")


@pytest.mark.parametrize("blob", [PICTURE, SOUND], ids=["picture", "sound"])
def test_a_blob_is_found_by_the_digest_of_what_was_sent(files: Files, run: Run, blob: Blob) -> None:
    run(files.add_blob("digest", blob))

    assert run(files.blob("digest")) == blob
    assert run(files.blob("another digest")) is None


def test_the_latest_frozen_form_counts(files: Files, run: Run) -> None:
    later = replace(PICTURE, key="inputs/cleaned-anew")

    run(files.add_blob("digest", PICTURE))
    run(files.add_blob("digest", later))

    assert run(files.blob("digest")) == later
