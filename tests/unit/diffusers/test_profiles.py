"""Speed profiles: what they declare, and how they are found."""

import pytest

from filmgate.domain.errors import StartupError
from filmgate.engines.diffusers.profiles import EXACT, PROFILES, Profile, find_profile


def test_exact_changes_nothing() -> None:
    assert Profile("exact") == EXACT


@pytest.mark.parametrize("profile", [row for row in PROFILES.values() if row != EXACT], ids=lambda row: row.name)
def test_every_other_profile_says_in_sentences_what_it_changes(profile: Profile) -> None:
    assert profile.changes
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in profile.changes)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda row: row.name)
def test_a_list_of_kernels_ends_in_one_that_runs_everywhere(profile: Profile) -> None:
    assert profile.attention[-1:] in ((), ("sdpa",))


def test_only_the_cached_profile_reuses_steps() -> None:
    assert [profile.name for profile in PROFILES.values() if profile.step_cache] == ["balanced-cached"]


def test_a_profile_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(StartupError) as raised:
        find_profile("turbo")

    assert raised.value.code == "profile_unknown"
    assert all(name in raised.value.sentence for name in PROFILES)
