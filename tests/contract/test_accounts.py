"""What every database does with accounts, keys and logins of devices."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from filmgate.domain.errors import Unavailable
from filmgate.domain.ports import Accounts
from filmgate.domain.records import Device, Key
from filmgate.domain.request import AccountId
from tests.contract.conftest import Run
from tests.contract.stores import OWNER, STRANGER, Clock, Place, Stores, new_account

LOGIN_S = 900

KeyFor = Callable[[AccountId], tuple[Key, str]]


def new_key(key_id: str = "k1", account_id: AccountId = OWNER, created_at: float = 1_800_000_000.125) -> Key:
    return Key(key_id, account_id, "laptop", "fg_abc…wxyz", created_at, expires_at=created_at + 60)


def key_for(account_id: AccountId) -> tuple[Key, str]:
    return new_key("from-login", account_id), "digest-from-login"


def no_key(account_id: AccountId) -> tuple[Key, str]:
    raise LookupError(f"{account_id} was to get no key")


@pytest.fixture
def accounts(stores: Stores) -> Accounts:
    return stores.accounts


# ------------------------------------------------------------------------------------------------------ accounts


def test_an_account_is_told_as_it_was_added(accounts: Accounts, run: Run) -> None:
    assert run(accounts.add_account(new_account()))

    assert run(accounts.account(OWNER)) == new_account()
    assert run(accounts.account(STRANGER)) is None


def test_an_account_that_is_there_stays_as_it_is(accounts: Accounts, run: Run) -> None:
    run(accounts.add_account(new_account(balance_microdollars=5)))

    assert not run(accounts.add_account(new_account(balance_microdollars=0)))

    assert run(accounts.account(OWNER)) == new_account(balance_microdollars=5)


# ---------------------------------------------------------------------------------------------------------- keys


def test_a_key_is_found_by_the_digest_of_its_secret(accounts: Accounts, run: Run) -> None:
    assert run(accounts.add_key(new_key(), "digest"))

    assert run(accounts.key("digest")) == new_key()
    assert run(accounts.key("another digest")) is None


def test_a_secret_has_one_key(accounts: Accounts, run: Run) -> None:
    run(accounts.add_key(new_key("k1"), "digest"))

    assert not run(accounts.add_key(new_key("k2"), "digest"))

    assert run(accounts.keys()) == [new_key("k1")]


def test_keys_are_listed_oldest_first(accounts: Accounts, run: Run) -> None:
    younger, older = new_key("k1", created_at=1_800_000_002.0), new_key("k2", created_at=1_800_000_001.0)
    run(accounts.add_key(younger, "d1"))
    run(accounts.add_key(older, "d2"))

    assert run(accounts.keys()) == [older, younger]


def test_a_revoked_key_is_told_as_revoked(accounts: Accounts, run: Run, clock: Clock) -> None:
    run(accounts.add_key(new_key(), "digest"))

    assert run(accounts.revoke_key("k1"))
    assert not run(accounts.revoke_key("k1"))
    assert not run(accounts.revoke_key("k2"))

    assert run(accounts.key("digest")) == replace(new_key(), revoked_at=clock.now)


def test_a_revoked_key_was_still_made(accounts: Accounts, run: Run) -> None:
    assert not run(accounts.any_key())

    run(accounts.add_key(new_key(), "digest"))
    run(accounts.revoke_key("k1"))

    assert run(accounts.any_key())


def test_keys_and_revocations_survive_a_restart(place: Place, run: Run) -> None:
    run(place.stores.accounts.add_key(new_key("k1"), "d1"))
    run(place.stores.accounts.add_key(new_key("k2"), "d2"))
    run(place.stores.accounts.revoke_key("k1"))

    accounts = place.restart().accounts

    assert [key.revoked_at for key in run(accounts.keys())] == [place.clock.now, None]


# ------------------------------------------------------------------------------------------------ device logins


@pytest.fixture
def expires_at(accounts: Accounts, run: Run, clock: Clock) -> float:
    """When the login of `device` with the code BCDF-GHJK ends."""
    ends_at = clock.now + LOGIN_S
    run(accounts.start_device("device", "BCDF-GHJK", ends_at))
    return ends_at


def test_a_login_is_pending_until_somebody_decides(accounts: Accounts, run: Run, expires_at: float) -> None:
    assert run(accounts.poll_device("device", no_key)) == Device("BCDF-GHJK", "pending", None, expires_at)
    assert run(accounts.poll_device("another device", no_key)) is None


def test_an_approved_login_gets_one_key_once(accounts: Accounts, run: Run, expires_at: float) -> None:
    assert run(accounts.decide_device("BCDF-GHJK", OWNER, approved=True))

    assert run(accounts.poll_device("device", key_for)) == Device("BCDF-GHJK", "approved", OWNER, expires_at)
    assert run(accounts.poll_device("device", no_key)) == Device("BCDF-GHJK", "consumed", OWNER, expires_at)

    assert run(accounts.key("digest-from-login")) == key_for(OWNER)[0]


def test_a_login_whose_key_cannot_be_made_stays_approved(accounts: Accounts, run: Run, expires_at: float) -> None:
    run(accounts.decide_device("BCDF-GHJK", OWNER, approved=True))

    with pytest.raises(LookupError):
        run(accounts.poll_device("device", no_key))

    assert run(accounts.poll_device("device", key_for)) == Device("BCDF-GHJK", "approved", OWNER, expires_at)


def test_a_denied_login_gets_no_key(accounts: Accounts, run: Run, expires_at: float) -> None:
    assert run(accounts.decide_device("BCDF-GHJK", OWNER, approved=False))

    assert run(accounts.poll_device("device", no_key)) == Device("BCDF-GHJK", "denied", OWNER, expires_at)


def test_a_login_is_decided_once(accounts: Accounts, run: Run, expires_at: float) -> None:
    run(accounts.decide_device("BCDF-GHJK", OWNER, approved=False))

    assert not run(accounts.decide_device("BCDF-GHJK", OWNER, approved=True))
    assert not run(accounts.decide_device("ZZZZ-ZZZZ", OWNER, approved=True))

    assert run(accounts.poll_device("device", no_key)) == Device("BCDF-GHJK", "denied", OWNER, expires_at)


@pytest.mark.parametrize("approved", [False, True])
def test_a_login_that_took_too_long_is_expired(
    accounts: Accounts, run: Run, clock: Clock, expires_at: float, approved: bool
) -> None:
    if approved:
        run(accounts.decide_device("BCDF-GHJK", OWNER, approved=True))
    clock.advance(LOGIN_S)

    assert not run(accounts.decide_device("BCDF-GHJK", OWNER, approved=True))
    device = run(accounts.poll_device("device", no_key))

    assert device is not None
    assert device.state == "expired"


def test_two_pending_logins_never_share_a_code(accounts: Accounts, run: Run, clock: Clock, expires_at: float) -> None:
    with pytest.raises(Unavailable, match="start the login again"):
        run(accounts.start_device("device 2", "BCDF-GHJK", expires_at))
    clock.advance(LOGIN_S)

    run(accounts.start_device("device 2", "BCDF-GHJK", expires_at + LOGIN_S))

    device = run(accounts.poll_device("device 2", no_key))
    assert device is not None
    assert device.state == "pending"


def test_a_login_of_long_ago_is_forgotten(accounts: Accounts, run: Run, clock: Clock, expires_at: float) -> None:
    clock.advance(2 * 24 * 3600)

    run(accounts.start_device("device 2", "BCDF-GHJL", clock.now + LOGIN_S))

    assert run(accounts.poll_device("device", no_key)) is None
