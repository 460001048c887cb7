"""Checks of the running system: each looks at the databases, the key store or the ledger as they are now.

A check answers `kept`, `broken` with since when and for whom, or that there was nothing to look at. What it found is
put into the ledger by the audit, so that a later report knows what an earlier one saw.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from upheld.dates import Instant
from upheld.engine.acts import SubjectId, ValueId
from upheld.engine.plan import PolicyLine
from upheld.errors import StoreFailed
from upheld.keeper.door import Places
from upheld.ledger.entries import Entry, entry_of
from upheld.policy.vocabulary import Nature
from upheld.store import history, schema
from upheld.store.ring import MARKED, UNMARKED
from upheld.store.sqlite import declared_columns
from upheld.store.vault import Sealed, Tier
from upheld.store.verifying import verify_copy

T = TypeVar("T")
SAMPLE: Final = 400
"""How many rows are opened; the rest is checked by shape."""
_NONCE, _TAG = 12, 16
_SHORTEST: Final = _NONCE + _TAG


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found. `kept` None: there was nothing to look at. `persons` are subject ids."""

    kept: bool | None
    what: str = ""
    since: Instant | None = None
    persons: frozenset[str] = frozenset()
    detail: str = ""


NOTHING: Final = Answer(None)
FINE: Final = Answer(True)


@dataclass(frozen=True)
class House:
    """What the checks look at."""

    places: Places
    line: PolicyLine
    now: Instant

    @property
    def policy(self) -> str:
        """The policy whose values are looked at."""
        return self.line.policy

    def rows(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        """Rows of the active place."""
        with self.places.active.reading() as connection:
            return connection.execute(statement, parameters).fetchall()

    def apart(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        """Rows of the separated place that belong to subjects of the policy; the first column is the subject."""
        with self.places.separated.reading() as connection:
            rows = connection.execute(statement, parameters).fetchall()
        subjects = sorted({str(row[0]) for row in rows})
        own = {row[0] for some in _chunks(subjects) for row in self.rows(_SUBJECTS_OF, self.policy, json.dumps(some))}
        return [row for row in rows if row[0] in own]


def _broken(what: str, rows: Iterable[tuple[object, ...]], detail: str = "") -> Answer:
    """Rows of (subject, since)."""
    found = [(str(one), _int(at)) for one, at in rows]
    return Answer(False, what, Instant(min(at for _, at in found)), frozenset(one for one, _ in found), detail)


def _none(wrong: Sequence[tuple[object, ...]], what: str, looked_at: Callable[[], object]) -> Answer:
    """Fine where nothing is wrong, and something was there to be looked at."""
    if wrong:
        return _broken(what, wrong)
    return FINE if looked_at() else NOTHING


# ── Safeguards ────────────────────────────────────────────────────────────────────────────────────────────────────────


def encrypted_at_rest(house: House) -> Answer:
    """Every row has the shape of ciphertext with a key; a sample opens, and its text is not in what is stored."""
    misshapen = [
        (subject, at)
        for subject, at in house.rows(_MISSHAPEN, house.policy, _SHORTEST) + house.apart(_MISSHAPEN_APART, _SHORTEST)
    ]
    if misshapen:
        return _broken("plain-at-rest", misshapen)
    sampled = _sampled(house)
    if not sampled:
        return NOTHING
    plain = [(one.subject, one.at) for one in sampled if not _is_ciphertext(house, one)]
    if plain:
        return _broken("plain-at-rest", plain)
    return Answer(False, "plain-at-rest", house.now, detail="keys") if _bare_keys(house) else FINE


@dataclass(frozen=True, slots=True)
class _Row:
    tier: Tier
    subject: str
    value: int
    item: str
    sealed: Sealed
    at: int


def _sampled(house: House) -> list[_Row]:
    rows = [_row(Tier.ACTIVE, each) for each in house.rows(_SAMPLE_ACTIVE, house.policy, SAMPLE)]
    return rows + [_row(Tier.SEPARATED, each) for each in house.apart(_SAMPLE_APART, SAMPLE)]


def _row(tier: Tier, row: tuple[object, ...]) -> _Row:
    subject, value, item, key_id, blob, at = row
    return _Row(tier, str(subject), _int(value), str(item), Sealed(_int(key_id), _bytes(blob)), _int(at))


def _is_ciphertext(house: House, one: _Row) -> bool:
    text = _opened(house, one)
    return text is not None and len(one.sealed.blob) == _SHORTEST + len(text) and not _shows(one.sealed.blob, text)


def _opened(house: House, one: _Row) -> bytes | None:
    try:
        return house.places.vault.open(
            one.tier, house.policy, SubjectId(one.subject), ValueId(one.value), one.item, one.sealed
        )
    except StoreFailed:
        return None


def _shows(blob: bytes, text: bytes) -> bool:
    """Four bytes and more do not come about by chance."""
    return len(text) >= 4 and text in blob


def _bare_keys(house: House) -> bool:
    """A key that stands in the key store unwrapped has the length of a key; a wrapped one also has nonce and tag."""
    with house.places.keys.reading() as connection:
        return any(connection.execute(statement, (UNMARKED, MARKED)).fetchone() for statement in _BARE_KEYS)


def encrypted_in_transit(house: House) -> Answer:
    """No place is asked over a line in the clear, and the service that people come to lately was one over TLS.

    Where nobody came over a line at all (a home of files, a service of this machine only) there is nothing to look at.
    """
    for name in schema.PLACES:
        place = {"active": house.places.active, "separated": house.places.separated, "keys": house.places.keys}[name]
        with place.reading() as connection:
            if place.engine.in_the_clear(connection):
                return Answer(False, "in-the-clear", house.now, detail=name)
    served = house.rows(_SERVED, OVER_TLS, house.now - LATELY)
    return FINE if served else NOTHING


OVER_TLS: Final = "served/tls"
"""The row that a service keeps fresh while people come to it over TLS; one that they would reach in the clear does not
start."""
LATELY: Final = 2 * 86_400_000_000
_SERVED = "SELECT 1 FROM background WHERE name = ? AND ran_at >= ?"


def passwords_one_way(house: House) -> Answer:
    """Every stored password opens to an argon2id hash and to nothing that could be read."""
    items = {name for plan in house.line.plans for name, one in plan.items.items() if one.nature is Nature.PASSWORD}
    rows = [_row(Tier.ACTIVE, each) for item in items for each in house.rows(_SAMPLE_ITEM, house.policy, item, SAMPLE)]
    if not rows:
        return NOTHING
    readable = [(one.subject, one.at) for one in rows if not (_opened(house, one) or b"").startswith(b"$argon2id$")]
    return _broken("password-readable", readable) if readable else FINE


def ledger_unbroken(house: House) -> Answer:
    """The sealed ledger verifies from the first batch to the last, with the counts that are drawn from it."""
    with house.places.ledger_copy() as path:
        found = verify_copy(path)
    return FINE if found.ok else Answer(False, "ledger-broken", house.now, detail=str(len(found.problems)))


def grants_recorded(house: House) -> Answer:
    """Every role that a handler has stands in the ledger."""
    rows = house.rows(_GRANTS, house.policy)
    if not rows:
        return NOTHING
    recorded = {(one.fields.get("handler"), one.fields.get("duty")) for one in _entries(house, "handler.granted")}
    missing = [(str(handler), _int(at)) for handler, duty, at in rows if (handler, duty) not in recorded]
    return Answer(False, "grant-unrecorded", Instant(min(at for _, at in missing))) if missing else FINE


def _entries(house: House, kind: str) -> Iterator[Entry]:
    for _, _, row in history.rows(house.places.sealer.connection, [kind], house.policy):
        yield entry_of(row)


# ── Values and places ─────────────────────────────────────────────────────────────────────────────────────────────────


def places_agree(house: House) -> Answer:
    """A separated value has nothing left in the active place, and nothing apart is still held there."""
    both = house.rows(_LEFT_IN_ACTIVE, house.policy)
    if both:
        return _broken("wrong-place", both)
    apart = house.apart(_HELD_APART)
    twice = [
        (subject, at)
        for some in _chunks([_int(value) for _, value in apart])
        for subject, at in house.rows(_HELD_ACTIVE, json.dumps(some))
    ]
    return _none(twice, "wrong-place", lambda: apart)


def nothing_left(house: House) -> Answer:
    """Of destroyed values there is no ciphertext and no key any more."""
    return _none(house.rows(_LEFT_OVER, house.policy), "left-over", lambda: house.rows(_ANY_DESTROYED, house.policy))


def ground_for_each(house: House) -> Answer:
    """Whatever is kept apart names the ground that keeps it."""
    return _none(house.apart(_GROUNDLESS), "without-ground", lambda: house.apart(_HELD_APART))


def items_declared(house: House) -> Answer:
    """Every value is of an item that the purpose lists in the version under which it was taken."""
    wrong: list[tuple[object, ...]] = []
    groups = house.rows(_BY_USE, house.policy)
    for item, purpose, version, since in groups:
        plan = house.line.version(str(version)) or house.line.latest
        declared = plan.purposes.get(str(purpose))
        if str(item) not in plan.items or declared is None or str(item) not in declared.items:
            rows = house.rows(_OF_USE, house.policy, str(item), str(purpose))
            wrong += rows or [("", since)]
    return _none(wrong, "item-undeclared", lambda: groups)


def recipients_listed(house: House) -> Answer:
    """Whoever got something stands in a version of the policy."""
    known = {name for plan in house.line.plans for name in (*plan.provisions, *plan.entrustments, *plan.exceptions)}
    rows = house.rows(_RECIPIENTS, house.policy)
    wrong = [(subject, at) for recipient, subject, at in rows if recipient not in known]
    return _none(wrong, "recipient-unlisted", lambda: rows)


def sensitive_agreed(house: House) -> Answer:
    """Every sensitive or identifying value was agreed to apart, or rests on a law."""
    apart = (Nature.SENSITIVE, Nature.UNIQUE_ID)
    items = [
        name
        for name, one in house.line.latest.items.items()
        if one.nature in apart and not one.law
        and not any(row.law for row in house.line.latest.purposes.values() if name in row.items)
    ]  # fmt: skip
    wrong = [(one, at) for item in items for one, at in house.rows(_WITHOUT_OWN_CONSENT, house.policy, item, item)]
    return _none(wrong, "consent-missing", lambda: any(house.rows(_ANY_OF_ITEM, house.policy, item) for item in items))


def children_represented(house: House) -> Answer:
    """Nothing but the representative's contact was taken of a child before a representative agreed."""
    return _none(
        house.rows(_CHILD_ALONE, house.policy), "child-unconsented", lambda: house.rows(_ANY_CHILD, house.policy)
    )


# ── Texts, documents, the schema ──────────────────────────────────────────────────────────────────────────────────────


def texts_kept(house: House) -> Answer:
    """Every consent is bound to a text shown that is still on file."""
    return _none(house.rows(_TEXTLESS, house.policy), "text-missing", lambda: house.rows(_ANY_CONSENT, house.policy))


def sources_unchanged(house: House) -> Answer:
    """The document on file is the one whose digest was published."""
    published = {str(one.fields["version"]): one.fields["digest"] for one in _entries(house, "policy.published")}
    rows = house.rows(_SOURCES, house.policy)
    wrong = [
        _int(at)
        for version, source, at in rows
        if published.get(str(version)) != hashlib.sha256(_bytes(source)).digest()
    ]
    return Answer(False, "source-changed", Instant(min(wrong))) if wrong else FINE if rows else NOTHING


def columns_classified(house: House) -> Answer:
    """The databases have the tables and columns of the schema, each of which is classified, and no other."""
    unknown: list[str] = []
    held = house.rows(_ANY_VALUE, house.policy)
    for name in schema.PLACES:
        place = {"active": house.places.active, "separated": house.places.separated, "keys": house.places.keys}[name]
        with place.reading() as connection:
            known = declared_columns(schema.PLACES[name])
            unknown += sorted(place.engine.columns(connection) - known)
    if unknown:
        return Answer(False, "schema-unknown", house.now, detail=unknown[0])
    return FINE if held else NOTHING


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CHECKS: Final[Mapping[str, Callable[[House], Answer]]] = {
    "encrypted-at-rest": encrypted_at_rest,
    "encrypted-in-transit": encrypted_in_transit,
    "passwords-one-way": passwords_one_way,
    "ledger-unbroken": ledger_unbroken,
    "every-grant-recorded": grants_recorded,
    "places-agree": places_agree,
    "nothing-left": nothing_left,
    "ground-for-each": ground_for_each,
    "items-declared": items_declared,
    "recipients-listed": recipients_listed,
    "sensitive-agreed": sensitive_agreed,
    "children-represented": children_represented,
    "texts-kept": texts_kept,
    "sources-unchanged": sources_unchanged,
    "columns-classified": columns_classified,
}
"""Every check of the running system by its code."""


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _chunks(values: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(values), 5000):
        yield values[start : start + 5000]


_MISSHAPEN = (
    "SELECT v.subject_id, v.collected_at FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state IN ('held', 'moving') "
    "AND (v.key_id IS NULL OR typeof(v.sealed) <> 'blob' OR length(v.sealed) < ?)"
)
_MISSHAPEN_APART = (
    "SELECT subject_id, since FROM value WHERE stage = 'held' "
    "AND (key_id IS NULL OR typeof(sealed) <> 'blob' OR length(sealed) < ?)"
)
_SAMPLE_ACTIVE = (
    "SELECT v.subject_id, v.value_id, v.item, v.key_id, v.sealed, v.collected_at FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state = 'held' LIMIT ?"
)
_SAMPLE_APART = "SELECT subject_id, value_id, item, key_id, sealed, since FROM value WHERE stage = 'held' LIMIT ?"
_SAMPLE_ITEM = (
    "SELECT v.subject_id, v.value_id, v.item, v.key_id, v.sealed, v.collected_at FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state = 'held' AND v.item = ? LIMIT ?"
)
_BARE_KEYS = (
    "SELECT 1 FROM active_key WHERE length(wrapped) NOT IN (?, ?) LIMIT 1",
    "SELECT 1 FROM separated_key WHERE length(wrapped) NOT IN (?, ?) LIMIT 1",
)
_GRANTS = "SELECT handler_id, duty, granted_at FROM handler WHERE policy = ?"
_LEFT_IN_ACTIVE = (
    "SELECT v.subject_id, v.collected_at FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state = 'separated' AND (v.sealed IS NOT NULL OR v.key_id IS NOT NULL)"
)
_HELD_ACTIVE = (
    "WITH w(id) AS (SELECT CAST(value AS INTEGER) FROM json_each(?)) SELECT v.subject_id, v.collected_at "
    "FROM w JOIN value v ON v.bucket = w.id >> 53 AND v.value_id = w.id WHERE v.state = 'held'"
)
_HELD_APART = "SELECT subject_id, value_id FROM value WHERE stage = 'held'"
_SUBJECTS_OF = "SELECT subject_id FROM subject WHERE policy = ? AND subject_id IN (SELECT value FROM json_each(?))"
_LEFT_OVER = (
    "SELECT v.subject_id, v.collected_at FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state = 'destroyed' AND (v.sealed IS NOT NULL OR v.key_id IS NOT NULL)"
)
_ANY_DESTROYED = (
    "SELECT 1 FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state = 'destroyed' LIMIT 1"
)
_GROUNDLESS = "SELECT subject_id, since FROM value WHERE stage = 'held' AND grounds = '[]'"
_BY_USE = (
    "SELECT v.item, json_extract(u.value, '$[0]'), json_extract(u.value, '$[3]'), min(v.collected_at) "
    "FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ?, "
    "json_each(v.uses) u WHERE v.state IN ('held', 'moving') GROUP BY 1, 2, 3"
)
_OF_USE = (
    "SELECT v.subject_id, v.collected_at "
    "FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ?, "
    "json_each(v.uses) u WHERE v.state IN ('held', 'moving') AND v.item = ? AND json_extract(u.value, '$[0]') = ?"
)
_RECIPIENTS = (
    "SELECT d.recipient, d.subject_id, d.at FROM disclosure d "
    "JOIN subject s ON s.bucket = d.bucket AND s.subject_id = d.subject_id AND s.policy = ?"
)
_WITHOUT_OWN_CONSENT = (
    "SELECT v.subject_id, v.collected_at FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state IN ('held', 'moving') AND v.item = ? AND json_extract(v.uses, '$[0][5]') IS NULL AND NOT EXISTS ("
    "SELECT 1 FROM consent c WHERE c.bucket = v.bucket AND c.subject_id = v.subject_id AND c.about_kind = 'item' "
    "AND c.about = ? AND c.given = 1 AND c.at <= v.collected_at)"
)
_ANY_OF_ITEM = (
    "SELECT 1 FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state IN ('held', 'moving') AND v.item = ? LIMIT 1"
)
_CHILD_ALONE = (
    "SELECT v.subject_id, v.collected_at FROM value v "
    "JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "WHERE v.state IN ('held', 'moving') AND s.minor_until > v.collected_at "
    "AND json_extract(v.uses, '$[0][0]') <> 'representative-contact' AND NOT EXISTS ("
    "SELECT 1 FROM consent c WHERE c.bucket = v.bucket AND c.subject_id = v.subject_id "
    "AND c.about_kind = 'representative' AND c.given = 1 AND c.at <= v.collected_at)"
)
_ANY_CHILD = "SELECT 1 FROM subject WHERE policy = ? AND minor_until IS NOT NULL LIMIT 1"
_TEXTLESS = (
    "SELECT c.subject_id, c.at FROM consent c "
    "JOIN subject s ON s.bucket = c.bucket AND s.subject_id = c.subject_id AND s.policy = ? "
    "WHERE c.given = 1 AND NOT EXISTS (SELECT 1 FROM shown_text t WHERE t.digest = c.text_digest)"
)
_ANY_CONSENT = (
    "SELECT 1 FROM consent c JOIN subject s ON s.bucket = c.bucket AND s.subject_id = c.subject_id AND s.policy = ? "
    "WHERE c.given = 1 LIMIT 1"
)
_SOURCES = "SELECT version, source, published_at FROM policy_version WHERE policy = ?"
_ANY_VALUE = (
    "SELECT 1 FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id AND s.policy = ? "
    "LIMIT 1"
)
