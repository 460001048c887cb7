"""New keys in place of old ones, while a home is in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from upheld.errors import HomeUnusable
from upheld.keeper import Keeper
from upheld.keeper.tokens_anew import make_tokens_anew
from upheld.store.journal_keys import NAME as JOURNAL_KEY
from upheld.store.key_files import ROOTS, KeySource
from upheld.store.ring import mark_of
from upheld.store.rotation import Rotation, exchange_journal_key
from upheld.store.sealing import JOURNALS
from upheld.store.token_rotation import begun_in, store_of
from upheld.store.vault import Tier
from upheld.system import key_source, new_root, settings_of

LOOK_UP: Final = "look-up"
"""What stands for the roots of look-up tokens beside the names of key files: they lie in the key store."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What came of the rotation of one key. `kept`: files of old keys, for old copies.

    `store` is a tier, or the tokens of one: then `keys` are tokens; or that of the journals: there none are wrapped.
    """

    store: str
    keys: int
    mark: str
    kept: tuple[Path, ...]


def rotate_roots(
    home: Path,
    keeper: Keeper,
    told: Callable[[str, int], None] = lambda *_: None,
    names: Sequence[str] = (*ROOTS, LOOK_UP),
) -> Iterator[Rotated]:
    """Put new keys in place of the roots of both tiers, of those of look-up tokens and of the one that guards journals,
    while other processes go on; again after a crash goes on. `names` says of which, where not all.

    Keys in files are made here; keys that the environment or a command gives must be two: the old and the new.
    Raises HomeUnusable, StoreFailed, TailBroken.
    """
    source = key_source(home, settings_of(home))
    # One that was interrupted is finished; only then another begins.
    wanted = [name for name in names if _begun(source, keeper, name)]
    # The key of the journals may be given from elsewhere: then it is rotated where somebody gives the next or asks.
    wanted = wanted or [one for one in names if one != JOURNAL_KEY or len(names) == 1 or source.in_files(one)]
    for name in (one for one in wanted if one != LOOK_UP):
        if len(source.roots(name)) == 1:
            if not source.in_files(name):
                raise HomeUnusable(
                    f"{name} does not come from a file: let its source give the old key and after it a new one, start "
                    "every process once with both, and rotate then"
                )
            source.add(name, new_root())
    if LOOK_UP in wanted:
        # Before the rings: what is left of the old root in a page of the key store is under a root that goes too.
        for tier in _begun_tiers(keeper) or Tier:
            made, newest = make_tokens_anew(keeper.places, tier, partial(told, store_of(tier)))
            yield Rotated(store_of(tier), made, newest.hex(), ())
    for tier in (one for one in Tier if f"{one.value}.key" in wanted):
        name = f"{tier.value}.key"
        rotation = Rotation(keeper.places.vault, keeper.places.papers, tier)
        rotation.ring.reload()
        keys = rotation.run(partial(told, tier.value))
        newest = rotation.ring.roots[-1]
        kept = source.retire(name, newest) if source.in_files(name) else []
        rotation.ring.reload()
        yield Rotated(tier.value, keys, mark_of(newest).hex(), tuple(kept))
    if wanted != [JOURNAL_KEY]:
        keeper.places.keys.scrub(whole=True)
    if JOURNAL_KEY in wanted:
        yield _rotate_journal_key(source, keeper)


def _begun(source: KeySource, keeper: Keeper, name: str) -> bool:
    """Whether a rotation of this was begun and is not over."""
    return bool(_begun_tiers(keeper)) if name == LOOK_UP else len(source.roots(name)) > 1


def _begun_tiers(keeper: Keeper) -> list[Tier]:
    """Of which tiers tokens are being made anew."""
    with keeper.places.keys.reading() as connection:
        return [tier for tier in Tier if begun_in(connection, tier)]


def _rotate_journal_key(source: KeySource, keeper: Keeper) -> Rotated:
    places = keeper.places
    mark = exchange_journal_key((places.active, places.separated, places.keys), places.sealer, keeper.seal, keeper.now)
    newest = source.roots(JOURNAL_KEY)[-1]
    kept = source.retire(JOURNAL_KEY, newest) if source.in_files(JOURNAL_KEY) else []
    return Rotated(JOURNALS, 0, mark.hex(), tuple(kept))


def rotate_signing(home: Path, keeper: Keeper) -> str:
    """Hand the signing key over to a fresh one; the old signs for it. Returns the newest checkpoint.

    Killed at any point it is run again. Raises HomeUnusable.
    """
    source = key_source(home, settings_of(home))
    keeper.seal()
    note = keeper.places.sealer.hand_over(source.next_signing(), keeper.now())
    source.take_next_signing()
    return note
