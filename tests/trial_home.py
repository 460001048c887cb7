"""A small home in which everything that can happen to a value is due at once, and what must be true of it whole.

Used by the tests of crashes, power loss, scrubbing and recovery. Time is 2024 in Seoul; nobody in it is real.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import upheld
from tests.homes import column, connection_to, engine_of
from upheld.dates import Instant
from upheld.engine.acts import SubjectId, ValueId
from upheld.errors import StoreFailed
from upheld.keeper import Keeper
from upheld.store import history
from upheld.store.journal import JournalWriter
from upheld.store.key_files import KeySource
from upheld.store.place import Place
from upheld.store.ring import Ring, mark_of
from upheld.store.vault import KeyMissing, Sealed, Tier, Vault
from upheld.store.verifying import check_certificate, verify_copy

POLICY = """
upheld: 1
policy: trial
controller: {clause: T-1, en: Example Ltd., ko: 예시 주식회사}
locales: [en, ko]
time-zone: Asia/Seoul
announced: {clause: T-1, date: 2020-01-01}
effective: {clause: T-1, date: 2020-02-01}
subjects: {member: {clause: T-1, en: member, ko: 회원}}
engagements: {membership: {clause: T-1, ends: closed, en: membership, ko: 가입}}
facts: {closed: {clause: T-1, en: closed, ko: 해지}}
parties: {mall: {clause: T-1, en: Mall Ltd., ko: 몰}}
items:
  every: {clause: T-2}
  name: {en: name, ko: 성명}
  email: {en: e-mail, ko: 이메일}
  phone: {en: phone, ko: 전화}
purposes:
  every: {clause: {all: T-3, until: T-4}, whose: member, per: membership, until: closed}
  required:
    service: {en: the service, ko: 서비스, items: [name, email], basis: contract}
  optional:
    offers: {en: offers, ko: 안내, items: phone}
retention:
  disputes: {clause: T-5, of: service, basis: legitimate-interest, until: closed + P6M, en: disputes, ko: 분쟁 대비}
destruction:
  every: {clause: T-6, starts: at-once}
  at-expiry: {within: P5D}
separation: {electronic: {clause: T-7, needs: live-ground}}
provisions:
  mall: {clause: T-8, consent: own, whose: member, per: membership, use-until: closed, until: closed, items: name,
         at-end: return-or-destroy, their-use: {en: shopping, ko: 쇼핑}, refused: {en: nothing, ko: 없음}}
rights:
  every: {clause: T-9, within: P10D}
  rectification: {freeze: {from: received, until: settled}}
  suspension: {covers: [person, purpose], until: lifted}
  erasure: {leaves: unread}
"""
SEOUL = ZoneInfo("Asia/Seoul")
PLACES = ("active", "separated", "keys", "ledger")


def at(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=SEOUL)


SWEEP_DAY = at("2024-09-05")


@dataclass
class House:
    """An open home with the persons of the trial."""

    keeper: Keeper
    clock: upheld.SetClock
    persons: dict[str, SubjectId] = field(default_factory=dict)


@contextmanager
def opened(home: Path, when: datetime = SWEEP_DAY) -> Iterator[House]:
    clock = upheld.SetClock(when)
    keeper = upheld.open(home, upheld.Options(clock=clock, light_hashing=True, look_up={"trial": ["email", "phone"]}))
    try:
        yield House(keeper, clock)
    finally:
        keeper.close()


def member(house: House, who: str, *, offers: bool = True) -> SubjectId:
    """Somebody joins and gives name and e-mail, and the telephone number for offers."""
    keeper = house.keeper
    person = house.persons[who] = keeper.enter("trial", "member")
    keeper.begin(person, "membership")
    taken = keeper.collect(person, "service", {"name": text_of(who, "name"), "email": text_of(who, "email")})
    assert taken.granted, taken.reasons
    if offers:
        keeper.consent(person, "purpose/offers", channel="website")
        assert keeper.collect(person, "offers", {"phone": text_of(who, "phone")}).granted
    return person


def text_of(who: str, item: str) -> str:
    """Long and unlike anything else, so that it is found wherever it lies."""
    return f"{item}-of-{who}-{'x' * 40}@example.org"


def furnished(home: Path, policy: str = POLICY) -> dict[str, SubjectId]:
    """A home on the eve of a sweep with work of every kind.

    gone: forgotten by the sweep. old: two values kept apart that are due. leaver: two to keep apart, one to destroy.
    refuser: one to destroy. stayer: nothing.
    """
    clock_start = at("2020-03-01")
    with opened(home, clock_start) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish(policy.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        gone = member(house, "gone")
        clock.set(at("2020-06-01"))
        keeper.fact(gone, "closed")
        clock.set(at("2020-06-03"))
        keeper.sweep()
        clock.set(at("2021-06-01"))
        keeper.sweep()
        clock.set(at("2024-02-27"))
        old = member(house, "old", offers=False)
        clock.set(at("2024-03-01"))
        keeper.fact(old, "closed")
        clock.set(at("2024-03-03"))
        keeper.sweep()
        clock.set(at("2024-08-20"))
        for who in ("leaver", "refuser", "stayer"):
            member(house, who)
        keeper.consent(house.persons["leaver"], "provision/mall", channel="website")
        assert keeper.provide(house.persons["leaver"], "mall", ("name",)).granted
        clock.set(at("2024-08-30"))
        keeper.fact(house.persons["leaver"], "closed")
        keeper.withdraw(house.persons["refuser"], "purpose/offers", channel="website")
        clock.set(SWEEP_DAY)
        return dict(house.persons)


# ── what is there ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Row:
    """A stored value as it lies in a file: `key_id` and ciphertext may be gone."""

    tier: Tier
    value_id: ValueId
    subject_id: SubjectId
    item: str
    state: str
    key_id: int | None
    sealed: bytes | None


def rows_in(home: Path) -> list[Row]:
    """Every value row of both tiers, whatever its state."""
    found: list[Row] = []
    for tier, state in ((Tier.ACTIVE, "state"), (Tier.SEPARATED, "stage")):
        with closing(connection_to(home / f"{tier.value}.db")) as connection:
            statement = f"SELECT value_id, subject_id, item, {state}, key_id, sealed FROM value"
            found += [Row(tier, *row) for row in connection.execute(statement)]
    return found


def wrapped_keys(home: Path) -> dict[tuple[Tier, int], bytes]:
    """Every value key as it lies in the key store."""
    with closing(connection_to(home / "keys.db")) as connection:
        return {
            (tier, key_id): wrapped
            for tier in Tier
            for key_id, wrapped in connection.execute(f"SELECT key_id, wrapped FROM {tier.value}_key")
        }


def vault_of(home: Path) -> tuple[Place, Vault]:
    """The key store by itself, without a keeper who would go on with anything."""
    source = KeySource(home / "secrets", {})
    rings = {tier: Ring(tier.value, partial(source.roots, f"{tier.value}.key")) for tier in Tier}
    writer = JournalWriter("keys", "z" * 20, bytes(32), bytes)
    place = Place(engine_of(home / "keys.db"), "keys", writer, lambda: Instant(0))
    return place, Vault(place, rings, bytes, lambda: 0.0, lambda: 0)


def readable(home: Path, rows: list[Row]) -> dict[ValueId, dict[Tier, str]]:
    """What the key store that lies there opens of these rows, whatever the rules say."""
    place, vault = vault_of(home)
    try:
        return _opened_rows(vault, rows)
    finally:
        place.close()


def _opened_rows(vault: Vault, rows: list[Row]) -> dict[ValueId, dict[Tier, str]]:
    found: dict[ValueId, dict[Tier, str]] = {}
    for row in rows:
        if row.sealed is None or row.key_id is None:
            continue
        sealed = Sealed(row.key_id, row.sealed)
        try:
            content = _opened_row(vault, row, sealed)
        except KeyMissing:
            continue
        found.setdefault(row.value_id, {})[row.tier] = content.decode()
    return found


def _opened_row(vault: Vault, row: Row, sealed: Sealed) -> bytes:
    """A value of the policy; or one of a rehearsal, which is bound to a code of its own."""
    try:
        return vault.open(row.tier, "trial", row.subject_id, row.value_id, row.item, sealed)
    except KeyMissing:
        raise
    except StoreFailed:
        return vault.open(row.tier, "rehearsal.trial", row.subject_id, row.value_id, row.item, sealed)


MOVES = ("separation.opened", "value.separated", "destruction.ordered", "key.destroyed", "value.destroyed")


def whole_state(home: Path, keeper: Keeper) -> dict[str, Any]:
    """What must come out the same whether or not something was interrupted: by value, by person, by evidence."""
    keeper.seal()
    rows = rows_in(home)
    opened_now = readable(home, rows)
    moves: Counter[tuple[str, int]] = Counter()
    kinds: Counter[str] = Counter()
    for recorded in history.entries(keeper.places.sealer.connection):
        kinds[recorded.entry.kind] += 1
        if recorded.entry.kind in MOVES:
            moves.update((recorded.entry.kind, value) for value in recorded.entry.fields["values"])  # type: ignore[union-attr,misc]  # an entry's list
    return {
        "values": {
            (row.value_id, row.tier.value): (row.item, row.state, row.key_id is not None, row.sealed is not None)
            for row in rows
        },
        "open": {value: sorted(tier.value for tier in tiers) for value, tiers in opened_now.items()},
        "texts": {value: sorted(set(tiers.values())) for value, tiers in opened_now.items()},
        "steps": column(home / "active.db", "SELECT value_id, kind, stage FROM step"),
        "tokens": sorted(map(str, column(home / "keys.db", "SELECT tier, item, value_id FROM token"))),
        "persons": sorted(map(str, column(home / "active.db", "SELECT subject_id FROM subject"))),
        "aliases": sorted(map(str, column(home / "keys.db", "SELECT subject_id FROM alias"))),
        "moves": dict(moves),
        "certificates": len(keeper.certificates("trial")),
        "forgotten": kinds["subject.forgotten"],
        "consents": sorted(map(str, column(home / "active.db", "SELECT subject_id, about, given FROM consent"))),
        "facts": sorted(map(str, column(home / "active.db", "SELECT subject_id, code FROM fact"))),
        "requests": sorted(map(str, column(home / "active.db", "SELECT subject_id, own_right, state FROM request"))),
    }


def proved(home: Path, keeper: Keeper, *, certified: bool = True) -> None:
    """The ledger verifies, and every certificate against it, but where it is an older one that holds none of them."""
    certificates = [keeper.certificate(one) for one in keeper.certificates("trial") if certified]
    key = (home / "public.pem").read_text()
    mac_key = bytes.fromhex((home / "secrets" / "mac.key").read_text().split()[-1])
    first = not column(home / "active.db", "SELECT value FROM meta WHERE key = 'mac-key'")
    with keeper.places.ledger_copy() as ledger:
        found = verify_copy(ledger, public_key=key, mac_keys={b"" if first else mark_of(mac_key): mac_key})
        assert found.ok, found.problems
        for one in certificates:
            assert check_certificate(one, ledger, key).in_ledger
