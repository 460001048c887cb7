"""Keys in memory and on the disk: how long an unwrapped key serves, and what a ciphertext is bound to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.homes import engine_of
from tests.trial_home import opened
from upheld.dates import Instant
from upheld.engine.acts import SubjectId, ValueId
from upheld.errors import StoreFailed
from upheld.store.journal import JournalWriter
from upheld.store.place import Place
from upheld.store.ring import Ring
from upheld.store.vault import CACHE_SECONDS, KeyMissing, Opener, Sealed, Tier, Vault, bound

WHO, OTHER = SubjectId("a" * 20), SubjectId("b" * 20)
VALUE = ValueId(7)


class Seconds:
    """A clock of seconds that a test moves."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed


@contextmanager
def vault_in(home: Path, seconds: Seconds, *, each: int = 1) -> Iterator[tuple[Place, Vault]]:
    """The key store of a home by itself; the home is closed. What is drawn at random comes `each` times in a row."""
    numbers = iter(range(each, 1 << 20))

    def counted(size: int) -> bytes:
        return (next(numbers) // each).to_bytes(size, "big")

    place = Place(
        engine_of(home / "keys.db"), "keys", JournalWriter("keys", "z" * 20, bytes(32), counted), lambda: Instant(0)
    )
    try:
        yield (
            place,
            Vault(place, {tier: Ring(tier.value, lambda: (bytes(32),)) for tier in Tier}, counted, seconds, lambda: 1),
        )
    finally:
        place.close()


def opened_alone(vault: Vault, sealed: Sealed) -> str | None:
    try:
        return vault.open(Tier.ACTIVE, "trial", WHO, VALUE, "name", sealed).decode()
    except KeyMissing:
        return None


def opened_in_a_batch(vault: Vault, sealed: Sealed) -> str | None:
    def binding(value: ValueId, key_id: int) -> bytes:
        return bound(Tier.ACTIVE, "trial", WHO, value, "name", key_id)

    return vault.open_rows(Tier.ACTIVE, [(VALUE, sealed.key_id, sealed.blob)], {VALUE: READY}, binding).get(VALUE)


@dataclass
class Kept:
    """What a batch keeps of a value from one reading to the next."""

    opener: Opener | None = None


READY = Kept()


def test_a_key_that_was_destroyed_here_opens_nothing_whoever_still_remembers_it(tmp_path: Path) -> None:
    with opened(tmp_path / "home"):
        pass
    with vault_in(tmp_path / "home", Seconds()) as (place, vault):
        sealed = vault.seal(Tier.ACTIVE, "trial", WHO, VALUE, "name", b"Made Up")
        assert opened_in_a_batch(vault, sealed) == "Made Up"
        remembered = READY.opener
        assert remembered is not None
        with place.transaction() as transaction:
            assert Vault.destroy(transaction, [(Tier.ACTIVE, sealed.key_id, VALUE)]) == {VALUE}
        vault.forget(Tier.ACTIVE, [sealed.key_id])
        assert remembered.cipher is None, "the key is in nobody's memory"
        assert opened_in_a_batch(vault, sealed) is None


@pytest.mark.parametrize("way", [opened_alone, opened_in_a_batch])
def test_a_key_destroyed_by_another_process_opens_nothing_once_its_minute_is_over(
    tmp_path: Path, way: Callable[[Vault, Sealed], str | None]
) -> None:
    with opened(tmp_path / "home"):
        pass
    seconds = Seconds()
    with vault_in(tmp_path / "home", seconds) as (place, vault):
        sealed = vault.seal(Tier.ACTIVE, "trial", WHO, VALUE, "name", b"Made Up")
        seconds.passed = CACHE_SECONDS + 1
        assert way(vault, sealed) == "Made Up", "the key is still in the store"
        with place.transaction() as transaction:  # as another process does it: this one's memory is not told
            assert Vault.destroy(transaction, [(Tier.ACTIVE, sealed.key_id, VALUE)]) == {VALUE}
        seconds.passed += CACHE_SECONDS + 1
        assert way(vault, sealed) is None


@pytest.mark.parametrize(
    ("policy", "who", "value", "item"),
    [
        ("other", WHO, VALUE, "name"),
        ("trial", OTHER, VALUE, "name"),
        ("trial", WHO, ValueId(8), "name"),
        ("trial", WHO, VALUE, "email"),
    ],
)
def test_a_ciphertext_cannot_be_passed_off_as_that_of_another_row(
    tmp_path: Path, policy: str, who: SubjectId, value: ValueId, item: str
) -> None:
    with opened(tmp_path / "home"):
        pass
    with vault_in(tmp_path / "home", Seconds()) as (_, vault):
        sealed = vault.seal(Tier.ACTIVE, "trial", WHO, VALUE, "name", b"Made Up")
        assert vault.open(Tier.ACTIVE, "trial", WHO, VALUE, "name", sealed) == b"Made Up"
        with pytest.raises(StoreFailed):
            vault.open(Tier.ACTIVE, policy, who, value, item, sealed)


def test_keys_of_a_large_block_have_numbers_of_their_own_whatever_is_drawn(tmp_path: Path) -> None:
    with opened(tmp_path / "home"):
        pass
    with vault_in(tmp_path / "home", Seconds(), each=2) as (_, vault):
        vault.ahead(Tier.ACTIVE, 300)
        assert len({vault.take(Tier.ACTIVE, 0)[0] for _ in range(300)}) == 300
