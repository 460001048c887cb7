"""What the active place knows about one subject: rows to `SubjectState` and back. Statements stand still."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Protocol, cast

import msgspec

from upheld.dates import FOREVER, Instant
from upheld.engine.acts import ConsentId, DisclosureId, EngagementId, FactId, RequestId, SubjectId, ValueId
from upheld.engine.state import (
    About,
    AboutKind,
    Acting,
    ActingKind,
    Consent,
    Contract,
    ControllerState,
    Disclosure,
    Engagement,
    Fact,
    HeldState,
    Request,
    RequestState,
    SubjectState,
    Use,
    Value,
    stopped_by,
)
from upheld.store.engine import (
    Connection,
    Numbers,
    Overtaken,
    Proof,
    Question,
    Spots,
    Texts,
    answers,
    array,
    array_of_texts,
    asks_at_once,
    sent_late,
)
from upheld.store.ids import BUCKETS, IdTaken, bucket_of, bucket_of_value, placed_value
from upheld.store.place import Transaction

_encode = msgspec.json.Encoder().encode
_ids_decode = msgspec.json.Decoder(tuple[int, ...]).decode
_names_decode = msgspec.json.Decoder(tuple[str, ...]).decode
_row_decode = msgspec.json.Decoder(tuple[str | int | None, ...]).decode


_uses_decode = msgspec.json.Decoder(tuple[Use, ...]).decode
_HELD = {one.value: one for one in HeldState}
_ABOUT = {one.value: one for one in AboutKind}

_SUBJECT = (
    "SELECT policy, kind, entered_at, minor_until, epoch, last_at, (SELECT plan_epoch FROM guard) FROM subject "
    "WHERE bucket = ? AND subject_id = ?"
)
_ENGAGEMENTS = (
    "SELECT engagement_id, kind, organisation, begun_at, known_at FROM engagement WHERE bucket = ? AND subject_id = ?"
)
_FACTS = (
    "SELECT fact_id, code, engagement_id, about, value_ids, at, known_at FROM fact WHERE bucket = ? AND subject_id = ?"
)
_CONSENTS = (
    "SELECT consent_id, about_kind, about, version, channel, recorded_by, given, at, known_at FROM consent "
    "WHERE bucket = ? AND subject_id = ?"
)
_VALUES = (
    "SELECT item, state, uses, held_for, value_id, collected_at, known_at, replaced_at, replaced_known_at FROM value "
    "WHERE bucket = ? AND subject_id = ?"
)
_REQUESTS = (
    "SELECT request_id, own_right, received_at, known_at, proved_at, value_ids, purposes, state, settled_at, "
    "settled_known_at, lifted_at, freezes, channel, asked_by, acting_id, due_at, postponed_until, extended, "
    "answered_by, reason, passed_to, objects_to, for_child FROM request WHERE bucket = ? AND subject_id = ?"
)
_ACTING = (
    "SELECT acting_id, kind, from_at, known_at, until_at, rights, items, ended_at FROM acting "
    "WHERE bucket = ? AND subject_id = ?"
)
_DISCLOSURES = (
    "SELECT disclosure_id, recipient, value_ids, engagement_id, at, known_at FROM disclosure WHERE "
    "bucket = ? AND subject_id = ?"
)
# The subject first: who changes anything about it raises its epoch in the same commit, so rows that are newer than the
# epoch are found out when the view is used.
_OF_SUBJECT = (_SUBJECT, _ENGAGEMENTS, _FACTS, _CONSENTS, _VALUES, _REQUESTS, _DISCLOSURES, _ACTING)
_OF_SUBJECTS = tuple(
    statement.replace("SELECT ", "SELECT subject_id, ", 1).replace(
        " WHERE bucket = ? AND subject_id = ?",
        " JOIN unnest(CAST(? AS BIGINT[]), CAST(? AS TEXT[])) AS w(bucket, subject_id) USING(bucket, subject_id)",
    )
    for statement in _OF_SUBJECT
)
"""The same of many, on a server: each is found by its key."""
_TEXTS, _NUMBERS = 6, 5
_SHAPES = ((2, 5), (3, 2), (5, 2), (6, 3), (4, 5), None, (4, 2), None)
"""How many texts and, after them, numbers each of these has; None for few and wide rows, which come as one text."""


def _part(number: int, statement: str, shape: tuple[int, int] | None) -> str:
    """A statement with columns as all of them have: its number, texts, numbers."""
    columns, rest = statement.removeprefix("SELECT ").split(" FROM ", 1) if number else _SUBJECT_SPLIT
    if shape is None:
        return _padded(number, [f"CAST(json_build_array({columns}) AS TEXT)"], [], rest)
    own = columns.split(", ")
    return _padded(number, own[: shape[0]], own[shape[0] :], rest)


def _padded(number: int, texts: list[str], numbers: list[str], rest: str) -> str:
    columns = [str(number), *texts, *["NULL"] * (_TEXTS - len(texts)), *numbers, *["NULL"] * (_NUMBERS - len(numbers))]
    return f"SELECT {', '.join(columns)} FROM {rest}"  # noqa: S608 - words of ours


_SUBJECT_SPLIT = _SUBJECT.removeprefix("SELECT ").rsplit(" FROM ", 1)
_ALL_OF_SUBJECT = " UNION ALL ".join(
    _part(number, *one) for number, one in enumerate(zip(_OF_SUBJECT, _SHAPES, strict=True))
)
"""Everything about one subject in one statement of a server, and so as it was at one instant."""
FEW = 3
"""Subjects that are asked for one by one."""
_UNDER = (
    "SELECT subject_id FROM under_purpose WHERE bucket IN (SELECT CAST(value AS INTEGER) FROM json_each(?)) "
    "AND policy = ? AND purpose = ? ORDER BY bucket, subject_id LIMIT ?"
)
# A server would rather go along the whole index than look up what a subquery gives it.
_UNDER_AT_ONCE = _UNDER.replace("IN (SELECT CAST(value AS INTEGER) FROM json_each(?))", "= ANY(CAST(? AS BIGINT[]))")
_UNDER_FROM = (
    "SELECT subject_id FROM under_purpose WHERE bucket = ? AND policy = ? AND purpose = ? AND subject_id >= ? "
    "ORDER BY subject_id LIMIT ?"
)
_STANDS_UNDER = (
    "INSERT INTO under_purpose(bucket, policy, purpose, subject_id) VALUES(?, ?, ?, ?) "
    "ON CONFLICT(bucket, policy, purpose, subject_id) DO NOTHING"
)
_EPOCH = "SELECT epoch FROM subject WHERE bucket = ? AND subject_id = ?"
_PLAN_EPOCH = "SELECT plan_epoch FROM guard"
# Many rows of a server are asked for as pairs of arrays: each is found by its key, which begins with the bucket.
_NAMED_SUBJECTS = (
    "subject s JOIN unnest(CAST(? AS BIGINT[]), CAST(? AS TEXT[])) AS w(bucket, subject_id) "
    "ON s.bucket = w.bucket AND s.subject_id = w.subject_id"
)
_NAMED_VALUES = (
    "value v JOIN unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[])) AS w(bucket, value_id) "
    "ON v.bucket = w.bucket AND v.value_id = w.value_id"
)
_EPOCHS = f"SELECT '', plan_epoch FROM guard UNION ALL SELECT s.subject_id, s.epoch FROM {_NAMED_SUBJECTS}"  # noqa: S608 - words of ours
_EPOCHS_IN_A_ROW = "SELECT plan_epoch, (SELECT epoch FROM subject WHERE bucket = ? AND subject_id = ?) FROM guard"
_EPOCHS_OF_ONE = (
    "SELECT '', plan_epoch FROM guard UNION ALL SELECT subject_id, epoch FROM subject WHERE bucket = ? "
    "AND subject_id = ?"
)
_EPOCH_AND_VALUE = (
    "SELECT '', plan_epoch, CAST(NULL AS INTEGER), CAST(NULL AS BLOB) FROM guard "
    "UNION ALL SELECT subject_id, epoch, CAST(NULL AS INTEGER), CAST(NULL AS BLOB) FROM subject "
    "WHERE bucket = ? AND subject_id = ? "
    "UNION ALL SELECT NULL, value_id, key_id, sealed FROM value WHERE bucket = ? AND value_id = ? AND state = 'held'"
)
_EPOCHS_AND_VALUES = (
    "SELECT '', plan_epoch, CAST(NULL AS INTEGER), CAST(NULL AS BLOB) FROM guard "  # noqa: S608 - as above
    f"UNION ALL SELECT s.subject_id, s.epoch, CAST(NULL AS INTEGER), CAST(NULL AS BLOB) FROM {_NAMED_SUBJECTS} "
    f"UNION ALL SELECT NULL, v.value_id, v.key_id, v.sealed FROM {_NAMED_VALUES} WHERE v.state = 'held'"
)
_HELD_VALUE = "SELECT value_id, key_id, sealed FROM value WHERE bucket = ? AND value_id = ? AND state = 'held'"
_HELD_VALUES = "SELECT value_id, key_id, sealed FROM value WHERE value_id IN ({}) AND state = 'held'"
_HELD_VALUES_OF_ONE = (
    "SELECT value_id, key_id, sealed FROM value WHERE bucket = ? AND value_id = ANY(CAST(? AS BIGINT[])) "
    "AND state = 'held'"
)
_HELD_VALUES_AT_ONCE = f"SELECT v.value_id, v.key_id, v.sealed FROM {_NAMED_VALUES} WHERE v.state = 'held'"  # noqa: S608 - words of ours
_AT_ONCE = 500
"""Parameters of one statement."""
# What these are made on is taken for granted: where it is not so the server divides by zero, and the transaction fails.
_PROVED_VALUE = (
    "SELECT 1 / CAST(coalesce((SELECT plan_epoch FROM guard) = ? AND "
    "(SELECT epoch FROM subject WHERE bucket = ? AND subject_id = ?) = ?, FALSE) AS INT), "
    "CAST(NULL AS INTEGER), CAST(NULL AS BLOB) "
    "UNION ALL SELECT value_id, key_id, sealed FROM value WHERE bucket = ? AND value_id = ? AND state = 'held'"
)
_PROVED_VALUES_OF_ONE = _PROVED_VALUE.replace("value_id = ? AND", "value_id = ANY(CAST(? AS BIGINT[])) AND")
_PROVED_VALUES = (
    "SELECT 1 / CAST(coalesce((SELECT plan_epoch FROM guard) = ? AND "  # noqa: S608 - words of ours
    "(SELECT count(*) FROM subject s JOIN unnest(CAST(? AS BIGINT[]), CAST(? AS TEXT[]), CAST(? AS BIGINT[])) "
    "AS w(bucket, subject_id, epoch) ON s.bucket = w.bucket AND s.subject_id = w.subject_id AND s.epoch = w.epoch) "
    "= ?, FALSE) AS INT), CAST(NULL AS INTEGER), CAST(NULL AS BLOB) "
    f"UNION ALL SELECT v.value_id, v.key_id, v.sealed FROM {_NAMED_VALUES} WHERE v.state = 'held'"
)
# One value each of as many persons, or several of one: person and value are found by their keys, and where they lie is
# told; or they are looked for where they lay when somebody was told, and if they are elsewhere by now, all of it fails.
_PROVED_AND_LYING = (
    "SELECT w.value_id / CAST(coalesce((SELECT plan_epoch FROM guard) = ? AND s.epoch = w.epoch, FALSE) AS INT), "
    "v.key_id, v.sealed, s.ctid, v.ctid "
    "FROM unnest(CAST(? AS BIGINT[]), CAST(? AS TEXT[]), CAST(? AS BIGINT[]), CAST(? AS BIGINT[])) "
    "AS w(bucket, subject_id, epoch, value_id) "
    "LEFT JOIN subject s ON s.bucket = w.bucket AND s.subject_id = w.subject_id "
    "LEFT JOIN value v ON v.bucket = w.bucket AND v.value_id = w.value_id AND v.state = 'held'"
)
# A server goes through spots in the order in which they lie: in that order it has to meet exactly these.
_PROVED_WHERE_THEY_LAY = (
    "WITH v AS MATERIALIZED "
    "(SELECT value_id, key_id, sealed FROM value WHERE ctid = ANY(CAST(? AS TID[])) AND state = 'held') "
    "SELECT 1 / CAST(coalesce((SELECT array_agg(value_id) FROM v) = CAST(? AS BIGINT[]) "
    "AND (SELECT plan_epoch FROM guard) = ? "
    "AND (SELECT array_agg(subject_id) = CAST(? AS TEXT[]) AND array_agg(epoch) = CAST(? AS BIGINT[]) "
    "FROM subject WHERE ctid = ANY(CAST(? AS TID[]))), FALSE) AS INT), "
    "CAST(NULL AS INTEGER), CAST(NULL AS BLOB) "
    "UNION ALL SELECT value_id, key_id, sealed FROM v"
)
_TOUCH = (
    "UPDATE subject SET epoch = epoch + 1, last_at = max(last_at, ?) WHERE bucket = ? AND subject_id = ? AND epoch = ?"
)
_NEW_PLAN = "UPDATE guard SET plan_epoch = plan_epoch + 1"
_DIRTY = (
    "INSERT INTO dirty(bucket, subject_id, policy) VALUES(?, ?, ?) ON CONFLICT(bucket, subject_id) DO "
    "UPDATE SET policy = excluded.policy"
)
_ANCHOR = (
    "INSERT INTO anchor(policy, fact, day, bucket, subject_id) VALUES(?, ?, ?, ?, ?) "
    "ON CONFLICT(policy, fact, day, bucket, subject_id) DO NOTHING"
)
_INSERT_SUBJECT = (
    "INSERT INTO subject(bucket, subject_id, policy, kind, entered_at, minor_until, epoch, last_at) "
    "VALUES(?, ?, ?, ?, ?, ?, 1, ?)"
)
_INSERT_ENGAGEMENT = (
    "INSERT INTO engagement(bucket, subject_id, engagement_id, kind, begun_at, known_at, organisation) "
    "VALUES(?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_FACT = (
    "INSERT INTO fact(bucket, subject_id, fact_id, code, at, known_at, engagement_id, about, value_ids) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_CONSENT = (
    "INSERT INTO consent(bucket, subject_id, consent_id, about_kind, about, given, at, known_at, version, "
    "text_digest, locale, channel, "
    "recorded_by) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_VALUE = (
    "INSERT INTO value(bucket, value_id, subject_id, item, state, generation, key_id, sealed, collected_at, "
    "known_at, uses, held_for) VALUES(?, ?, ?, ?, 'held', 1, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_SET_USES = "UPDATE value SET uses = ? WHERE bucket = ? AND value_id = ? AND state = 'held'"
_REPLACE = (
    "UPDATE value SET replaced_at = ?, replaced_known_at = ? WHERE bucket = ? AND value_id = ? AND replaced_at IS NULL"
)
_INSERT_REQUEST = (
    "INSERT INTO request(bucket, subject_id, request_id, own_right, channel, received_at, known_at, "
    "proved_at, value_ids, purposes, "
    "state, freezes, due_at, asked_by, acting_id, objects_to, for_child) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_SET_REQUEST = (
    "UPDATE request SET proved_at = ?, state = ?, settled_at = ?, settled_known_at = ?, lifted_at = ?, freezes = ?, "
    "due_at = ?, postponed_until = ?, extended = ?, answered_by = ?, reason = ?, passed_to = ? "
    "WHERE bucket = ? AND subject_id = ? AND request_id = ?"
)
_INSERT_DISCLOSURE = (
    "INSERT INTO disclosure(bucket, subject_id, disclosure_id, kind, recipient, value_ids, at, known_at, "
    "engagement_id, until_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_ACTING = (
    "INSERT INTO acting(bucket, subject_id, acting_id, kind, from_at, known_at, until_at, rights, items, ended_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_END_ACTING = (
    "UPDATE acting SET ended_at = ? WHERE bucket = ? AND subject_id = ? AND acting_id = ? AND ended_at IS NULL"
)
_CONTROLLER_FACTS = "SELECT fact_id, code, at, known_at, about FROM controller_fact WHERE policy = ?"
_CONTRACTS = "SELECT contract_id, party, from_at, until_at, terms, sub_consent FROM contract WHERE policy = ?"
HOLIDAY = "holiday/"
"""Leads the name of a setting that is a day on which no answer falls due."""
_HOLIDAYS = "SELECT name FROM setting WHERE policy = ? AND name LIKE 'holiday/%'"


@dataclass(frozen=True, slots=True)
class Row:
    """A subject as the active place has it, with the epoch that guards reads of it."""

    state: SubjectState
    policy: str
    epoch: int
    last_at: Instant
    plan_epoch: int
    """That of the policies and the organisation's state when it was read."""

    @property
    def bucket(self) -> int:
        """The bucket that leads its rows."""
        return bucket_of(self.state.subject_id)


def packed_ids(values: Sequence[ValueId]) -> str:
    """Value ids as a column."""
    return _encode(values).decode()


def unpacked_ids(column: str) -> tuple[ValueId, ...]:
    """Value ids of a column."""
    return tuple(ValueId(one) for one in _ids_decode(column))


def packed_names(names: Iterable[str]) -> str:
    """Codes as a column, sorted."""
    return _encode(sorted(names)).decode()


def unpacked_names(column: str) -> tuple[str, ...]:
    """Codes of a column."""
    return _names_decode(column)


def packed_uses(uses: Sequence[Use]) -> str:
    """The uses of a value as a column."""
    rows = [
        (use.purpose, use.engagement, use.anchor_at, use.version, use.known_at, use.exception)
        if use.exception
        else (use.purpose, use.engagement, use.anchor_at, use.version, use.known_at)
        for use in uses
    ]
    return _encode(rows).decode()


def unpacked_uses(column: str) -> tuple[Use, ...]:
    """The uses of a value."""
    return _uses_decode(column)


def load(connection: Connection, subject_id: SubjectId) -> Row | None:
    """Everything the active place knows about a subject; None for one it does not know."""
    return load_each(connection, (subject_id,))[0]


def load_each(connection: Connection, subject_ids: Sequence[SubjectId]) -> list[Row | None]:
    """`load` for each of some subjects, in one message where that is quicker."""
    return load_each_with(connection, subject_ids, ())[0]


def load_each_with(
    connection: Connection, subject_ids: Sequence[SubjectId], also: Sequence[Question]
) -> tuple[list[Row | None], list[list[Any]]]:
    """`load_each`, and answers to what else is asked, in the same message."""
    if len(subject_ids) > FEW and asks_at_once(connection) is not None:
        keys = (array([bucket_of(one) for one in subject_ids]), array_of_texts(subject_ids))
        found = answers(connection, [*((statement, keys) for statement in _OF_SUBJECTS), *also])
        of = [_sorted(rows) for rows in found[: len(_OF_SUBJECTS)]]
        return [_row(one, [mine.get(one, []) for mine in of]) for one in subject_ids], found[len(of) :]
    named = [(bucket_of(one), one) for one in subject_ids]
    if asks_at_once(connection) is not None:
        asked = [*((_ALL_OF_SUBJECT, key * len(_OF_SUBJECT)) for key in named), *also]
        alone = len(asked) == 1  # one question by itself is less for both sides than a message of several
        found = [connection.execute(*asked[0]).fetchall()] if alone else answers(connection, asked)
        apart = [_row(one, _apart(rows)) for one, rows in zip(subject_ids, found, strict=False)]
        return apart, found[len(named) :]
    asked = [(statement, key) for key in named for statement in _OF_SUBJECT]
    found, each = answers(connection, [*asked, *also]), len(_OF_SUBJECT)
    rows = [_row(one, found[number * each : (number + 1) * each]) for number, one in enumerate(subject_ids)]
    return rows, found[len(asked) :]


def _apart(rows: Iterable[Any]) -> list[list[Any]]:
    """The rows of one statement as those of several."""
    of: list[list[Any]] = [[] for _ in _SHAPES]
    for row in rows:
        shape = _SHAPES[row[0]]
        if shape is None:
            of[row[0]].append(_row_decode(row[1]))
        else:
            texts, numbers = shape
            of[row[0]].append(row[1 : 1 + texts] + row[1 + _TEXTS : 1 + _TEXTS + numbers])
    return of


def _sorted(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """Rows by their first column, without it."""
    by: dict[str, list[Any]] = {}
    for row in rows:
        by.setdefault(row[0], []).append(row[1:])
    return by


def _row(subject_id: SubjectId, answered: Sequence[list[Any]]) -> Row | None:
    found, *rows = answered
    if not found:
        return None
    policy, kind, entered_at, minor_until, epoch, last_at, plan_epoch = found[0]
    engagements, facts, consents, values, requests, disclosures, acting = rows
    state = SubjectState(
        subject_id=subject_id,
        kind=kind,
        entered_at=Instant(entered_at),
        engagements={
            EngagementId(row[0]): Engagement(EngagementId(row[0]), row[1], Instant(row[3]), Instant(row[4]), row[2])
            for row in engagements
        },
        facts=tuple(map(_fact, facts)),
        consents=tuple(map(_consent, consents)),
        values=tuple(map(_value, values)),
        requests=tuple(map(_request, requests)),
        disclosures=tuple(map(_disclosure, disclosures)),
        acting=tuple(map(_acting, acting)),
        minor_until=minor_until,
    )
    return Row(state, policy, epoch, Instant(last_at), plan_epoch)


def under(connection: Connection, policy: str, purpose: str, since: SubjectId | None, count: int) -> list[SubjectId]:
    """So many persons who have, or had, values under a purpose, from one on, in the order of bucket and id.

    Bucket by bucket, since the bucket leads the key; more at once while they are sparse.
    """
    bucket, step = bucket_of(since) if since is not None else 0, 1
    found = [one for (one,) in connection.execute(_UNDER_FROM, (bucket, policy, purpose, since or "", count))]
    bucket += 1
    on_a_server = asks_at_once(connection) is not None
    while len(found) < count and bucket < BUCKETS:
        some = range(bucket, min(bucket + step, BUCKETS))
        statement, those = (_UNDER_AT_ONCE, array(some)) if on_a_server else (_UNDER, _encode(list(some)).decode())
        found += [one for (one,) in connection.execute(statement, (those, policy, purpose, count - len(found)))]
        bucket, step = bucket + step, step * 4
    return found


def _fact(row: tuple[str, str, str | None, str | None, str, int, int]) -> Fact:
    fact_id, code, engagement, about, values, at, known_at = row
    return Fact(
        FactId(fact_id),
        code,
        Instant(at),
        Instant(known_at),
        EngagementId(engagement) if engagement else None,
        about,
        unpacked_ids(values),
    )


def _consent(row: tuple[str, str, str, str, str, str, int, int, int]) -> Consent:
    consent_id, kind, about, version, channel, by, given, at, known_at = row
    return Consent(
        ConsentId(consent_id),
        About(_ABOUT[kind], about),
        bool(given),
        Instant(at),
        Instant(known_at),
        version,
        channel,
        by,
    )


def _value(
    row: tuple[str, str, str, str | None, ValueId, Instant, Instant, Instant | None, Instant | None],
) -> Value:
    item, state, uses, held_for, value_id, collected_at, known_at, replaced_at, replaced_known_at = row
    return Value(
        value_id,
        item,
        collected_at,
        known_at,
        _uses_decode(uses),
        _HELD[state],
        replaced_at,
        replaced_known_at,
        held_for,
    )


def _request(row: Sequence[Any]) -> Request:
    request_id, right, received, known, proved, values, purposes, state, settled, settled_known, lifted, *more = row
    freezes, channel, by, acting, due, postponed, extended, answered_by, reason, passed_to, objects_to, child = more
    return Request(
        RequestId(request_id),
        right,
        Instant(received),
        Instant(known),
        _maybe(proved),
        unpacked_ids(values),
        unpacked_names(purposes),
        RequestState(state),
        _maybe(settled),
        _maybe(settled_known),
        _maybe(lifted),
        bool(freezes),
        channel,
        by,
        acting,
        Instant(due),
        _maybe(postponed),
        extended,
        answered_by,
        reason,
        passed_to,
        RequestId(objects_to) if objects_to else None,
        bool(child),
    )


def _acting(row: tuple[str, str, int, int, int, str, str, int | None]) -> Acting:
    acting_id, kind, from_at, known_at, until_at, rights, items, ended_at = row
    return Acting(
        acting_id,
        ActingKind(kind),
        Instant(from_at),
        Instant(known_at),
        Instant(until_at),
        unpacked_names(rights),
        unpacked_names(items),
        _maybe(ended_at),
    )


def _maybe(at: int | None) -> Instant | None:
    return Instant(at) if at is not None else None


def _disclosure(row: tuple[str, str, str, str | None, int, int]) -> Disclosure:
    disclosure_id, recipient, values, engagement, at, known_at = row
    return Disclosure(
        DisclosureId(disclosure_id),
        recipient,
        unpacked_ids(values),
        Instant(at),
        Instant(known_at),
        EngagementId(engagement) if engagement else None,
    )


def load_controller(connection: Connection, policy: str) -> ControllerState:
    """What is known about the organisation under one policy."""
    return load_controllers(connection, (policy,))[policy]


def load_controllers(connection: Connection, policies: Sequence[str]) -> dict[str, ControllerState]:
    """What is known about the organisation under each of the policies, asked in one message."""
    parts = (_CONTROLLER_FACTS, _CONTRACTS)
    found = iter(answers(connection, [(statement, (policy,)) for policy in policies for statement in parts]))
    return {policy: _controller(next(found), next(found)) for policy in policies}


def _controller(known: Sequence[Any], agreed: Sequence[Any]) -> ControllerState:
    facts = tuple(
        Fact(FactId(fact_id), code, Instant(at), Instant(known_at), None, about)
        for fact_id, code, at, known_at, about in known
    )
    contracts = tuple(
        Contract(contract_id, party, Instant(from_at), Instant(until_at), frozenset(unpacked_names(terms)), bool(sub))
        for contract_id, party, from_at, until_at, terms, sub in agreed
    )
    return ControllerState(facts, contracts, stopped_by(facts, FOREVER))


def holidays_of(connection: Connection, policy: str) -> frozenset[date]:
    """Days that an officer added, on which no answer falls due either."""
    names = connection.execute(_HOLIDAYS, (policy,)).fetchall()
    return frozenset(date.fromisoformat(name.removeprefix(HOLIDAY)) for (name,) in names)


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_epoch(connection: Connection) -> int:
    """Raised by every publication and every change of the organisation's state."""
    return int(connection.execute(_PLAN_EPOCH).fetchone()[0])


def epoch_of(connection: Connection, subject_id: SubjectId) -> int | None:
    """The epoch of one subject; None for one that is not known."""
    row = connection.execute(_EPOCH, (bucket_of(subject_id), subject_id)).fetchone()
    return row[0] if row else None


def epochs_question(subject_ids: Sequence[str]) -> Question:
    """What asks for the epochs of the plan and of subjects: see `epochs_told`."""
    if len(subject_ids) == 1:
        return _EPOCHS_OF_ONE, (bucket_of(SubjectId(subject_ids[0])), subject_ids[0])
    return _EPOCHS, _placed_subjects(subject_ids)


def epochs_told(rows: Iterable[tuple[str, int]]) -> tuple[int, dict[str, int]]:
    """The epoch of the plan, and those of subjects that are known."""
    epochs = dict(rows)
    return epochs.pop(""), epochs


def epochs_of(connection: Connection, subject_ids: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Ask for the epoch of the plan, and those of subjects that are known."""
    return epochs_told(connection.execute(*epochs_question(subject_ids)).fetchall())


def epochs_question_of(subject_id: SubjectId) -> Question:
    """What asks for the epochs of the plan and of one subject: one row, None for a subject that is not known."""
    return _EPOCHS_IN_A_ROW, (bucket_of(subject_id), subject_id)


HeldRow = tuple[int, int, bytes]
"""Value, key, ciphertext."""


def epochs_and_values(
    connection: Connection, subject_ids: Sequence[str], values: Sequence[ValueId]
) -> tuple[int, dict[str, int], list[HeldRow]]:
    """`epochs_of`, and the rows of values that are held, in one statement: for engines where each is a message."""
    if len(subject_ids) == len(values) == 1:
        one = subject_ids[0]
        found = connection.execute(_EPOCH_AND_VALUE, (bucket_of(SubjectId(one)), one, *placed_value(values[0])))
    else:
        found = connection.execute(_EPOCHS_AND_VALUES, (*_placed_subjects(subject_ids), *_placed_values(values)))
    epochs: dict[str, int] = {}
    rows: list[HeldRow] = []
    for name, number, key_id, sealed in found.fetchall():
        if name is None:
            rows.append((number, key_id, sealed))
        else:
            epochs[name] = number
    return epochs.pop(""), epochs, rows


def proof_of_values(plan_epoch: int, epochs: Mapping[SubjectId, int], values: Sequence[ValueId]) -> Proof:
    """What asks for the rows of values that are held. Where the plan or one of these subjects has another epoch by the
    time that it is asked, or is not there, everything that is sent together fails with Overtaken.
    """
    asks: Question
    if len(epochs) == len(values) == 1:
        [(one, epoch)] = epochs.items()
        asks = _PROVED_VALUE, (plan_epoch, bucket_of(one), one, epoch, *placed_value(values[0]))
    elif len(epochs) == 1 and (bucket := _bucket_of_all(values)) is not None:
        [(one, epoch)] = epochs.items()
        asks = _PROVED_VALUES_OF_ONE, (plan_epoch, bucket_of(one), one, epoch, bucket, array(values))
    else:
        known = (*_placed_subjects(list(epochs)), array(list(epochs.values())), len(epochs))
        asks = _PROVED_VALUES, (plan_epoch, *known, *_placed_values(values))
    return Proof(asks, Overtaken("the plan or a person is not as it was"), _but_the_proof)


def _but_the_proof(found: list[Any]) -> list[HeldRow]:
    return [row for row in found if row[1] is not None]


def proved(connection: Connection, proof: Proof) -> Callable[[], list[HeldRow]]:
    """The rows of a proof, for who looks at them late."""
    found = connection.execute(*proof.asks)
    late = sent_late(found)
    assert late is not None
    late.proves(proof.otherwise)
    return lambda: proof.rows(found.fetchall())


class Wanted(Protocol):
    """A value that is wanted with a view of its owner."""

    lies: tuple[bytes, bytes] | None
    """Where the rows of owner and value lay when they were last read."""


def proof_of_owned(
    plan_epoch: int,
    owners: Sequence[SubjectId],
    epochs: Mapping[SubjectId, int],
    wanted: Mapping[ValueId, Wanted],
) -> Proof:
    """`proof_of_values` for values of which `owners` tells whose each is, nobody besides those being proved.

    A row is found by one look instead of four where it is known of every one where it lay; where one of them lies
    elsewhere by now that is Overtaken too.
    """
    otherwise = Overtaken("the plan or a person is not as it was, or lies elsewhere")
    told = [one.lies for one in wanted.values()]
    if None not in told:
        asked = _spots(plan_epoch, owners, epochs, wanted, told)
        if asked is None:
            raise otherwise
        return Proof((_PROVED_WHERE_THEY_LAY, asked), otherwise, lambda found: found[1:])  # the first is the proof
    buckets = array([bucket_of_value(value) for value in wanted])
    named = (buckets, Texts(owners), array(map(epochs.__getitem__, owners)), array(wanted))

    def rows(found: list[Any]) -> list[HeldRow]:
        there: list[HeldRow] = []
        for value, key_id, sealed, of_subject, of_value in found:
            if of_value is not None:
                wanted[value].lies = (of_subject, of_value)
                there.append((value, key_id, sealed))
        return there

    return Proof((_PROVED_AND_LYING, (plan_epoch, *named)), otherwise, rows)


def _spots(
    plan_epoch: int,
    owners: Sequence[SubjectId],
    epochs: Mapping[SubjectId, int],
    wanted: Collection[ValueId],
    lies: Iterable[tuple[bytes, bytes] | None],
) -> tuple[Spots, Numbers, int, Texts, Numbers, Spots] | None:
    """Where values and persons lay and what is there, each in the order of their spots; a person of several once. None
    where two lay in one spot, or one in two: not all of that is so any more.
    """
    of_subjects, of_values = zip(*cast("Iterable[tuple[bytes, bytes]]", lies), strict=True)
    persons, values = dict(zip(of_subjects, owners, strict=True)), dict(zip(of_values, wanted, strict=True))
    if len(persons) != len(epochs) or len(values) != len(wanted):
        return None
    of_persons, of_those = sorted(persons), sorted(values)
    names = list(map(persons.__getitem__, of_persons))
    found = array(map(values.__getitem__, of_those))
    return Spots(of_those), found, plan_epoch, Texts(names), array(map(epochs.__getitem__, names)), Spots(of_persons)


def held(connection: Connection, values: Sequence[ValueId]) -> list[HeldRow]:
    """The rows of values that are held."""
    if len(values) == 1:
        row = connection.execute(_HELD_VALUE, placed_value(values[0])).fetchone()
        return [row] if row else []
    if asks_at_once(connection) is not None:
        if (bucket := _bucket_of_all(values)) is not None:
            return connection.execute(_HELD_VALUES_OF_ONE, (bucket, array(values))).fetchall()
        return connection.execute(_HELD_VALUES_AT_ONCE, _placed_values(values)).fetchall()
    rows: list[HeldRow] = []
    for start in range(0, len(values), _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        rows += connection.execute(_held_values(len(some)), some).fetchall()
    return rows


@cache
def _held_values(count: int) -> str:
    return _HELD_VALUES.format(",".join("?" * count))


def _placed_subjects(subject_ids: Sequence[str]) -> tuple[Numbers, Texts]:
    return array([bucket_of(SubjectId(one)) for one in subject_ids]), array_of_texts(subject_ids)


def _bucket_of_all(values: Sequence[ValueId]) -> int | None:
    """The bucket of values of one person; None where they are of several buckets, or none are given."""
    buckets = {bucket_of_value(one) for one in values}
    return buckets.pop() if len(buckets) == 1 else None


def _placed_values(values: Sequence[ValueId]) -> tuple[Numbers, Numbers]:
    return array([one >> 53 for one in values]), array(values)


def touch(transaction: Transaction, subject_id: SubjectId, epoch: int, last_at: Instant) -> bool:
    """Lock the subject: raise its epoch. False when another writer was there first."""
    transaction.must_claim(subject_id)
    touched = transaction.execute(_TOUCH, (last_at, bucket_of(subject_id), subject_id, epoch))
    if transaction.epochs.get(subject_id) == epoch:  # and it stays that: nobody else may write to whom we claim
        transaction.epochs[subject_id] = epoch + 1
        return True
    return touched.rowcount == 1


def new_plan(transaction: Transaction) -> None:
    """Tell every process that the policies on file or the organisation's state have changed."""
    transaction.must_claim(None)
    transaction.execute(_NEW_PLAN)


def mark_dirty(transaction: Transaction, subject_id: SubjectId, policy: str) -> None:
    """The sweep must look at this subject: a fact came in."""
    transaction.must_claim(subject_id)
    transaction.execute(_DIRTY, (bucket_of(subject_id), subject_id, policy))


def add_anchor(transaction: Transaction, policy: str, fact: str, day: int, subject_id: SubjectId) -> None:
    """A day from which some period of this subject counts."""
    transaction.execute(_ANCHOR, (policy, fact, day, bucket_of(subject_id), subject_id))


def add_subject(transaction: Transaction, state: SubjectState, policy: str) -> None:
    """A new subject with epoch 1."""
    row = (
        bucket_of(state.subject_id),
        state.subject_id,
        policy,
        state.kind,
        state.entered_at,
        state.minor_until,
        state.entered_at,
    )
    transaction.execute(_INSERT_SUBJECT, row)


def add_engagement(transaction: Transaction, subject_id: SubjectId, one: Engagement) -> None:
    """A relation that begins."""
    key = (bucket_of(subject_id), subject_id)
    transaction.execute(
        _INSERT_ENGAGEMENT, (*key, one.engagement_id, one.kind, one.begun_at, one.known_at, one.organisation)
    )


def add_fact(transaction: Transaction, subject_id: SubjectId, fact: Fact) -> None:
    """An event of the world."""
    key = (bucket_of(subject_id), subject_id)
    row = (fact.fact_id, fact.code, fact.at, fact.known_at, fact.engagement, fact.about, packed_ids(fact.values))
    transaction.execute(_INSERT_FACT, (*key, *row))


def add_consent(
    transaction: Transaction, subject_id: SubjectId, one: Consent, text_digest: bytes | None, locale: str | None
) -> None:
    """A consent given or withdrawn."""
    key = (bucket_of(subject_id), subject_id)
    row = (one.consent_id, one.about.kind, one.about.name, int(one.given), one.at, one.known_at, one.version)
    transaction.execute(_INSERT_CONSENT, (*key, *row, text_digest, locale, one.channel, one.by))


def add_value(transaction: Transaction, subject_id: SubjectId, value: Value, key_id: int, sealed: bytes) -> None:
    """A value collected, held in the active tier. Raises IdTaken, here or where it is sent: draw another number."""
    whose = (bucket_of(subject_id), value.value_id, subject_id, value.item)
    kept = (key_id, sealed, value.collected_at, value.known_at, packed_uses(value.uses), value.held_for)
    transaction.changed(_INSERT_VALUE, (*whose, *kept), IdTaken())


def stands_under(transaction: Transaction, policy: str, subject_id: SubjectId, purpose: str) -> None:
    """A person has values under a purpose from now on. The row goes when the person is forgotten, as stubs do."""
    transaction.execute(_STANDS_UNDER, (bucket_of(subject_id), policy, purpose, subject_id))


def set_uses(transaction: Transaction, value_id: ValueId, uses: Sequence[Use]) -> None:
    """Another purpose for a value that is held. Raises StoreFailed when it is not held."""
    transaction.changed(_SET_USES, (packed_uses(uses), bucket_of_value(value_id), value_id))


def replace_value(transaction: Transaction, value_id: ValueId, at: Instant, known_at: Instant) -> None:
    """A value was corrected: another one took its place."""
    transaction.changed(_REPLACE, (at, known_at, bucket_of_value(value_id), value_id))


def add_request(transaction: Transaction, subject_id: SubjectId, request: Request) -> None:
    """A right exercised."""
    key = (bucket_of(subject_id), subject_id)
    row = (request.request_id, request.right, request.channel, request.received_at, request.known_at, request.proved_at)
    rest = (packed_ids(request.values), packed_names(request.purposes), request.state, int(request.freezes))
    who = (request.due_at, request.by, request.acting, request.objects_to, int(request.for_child))
    transaction.execute(_INSERT_REQUEST, (*key, *row, *rest, *who))


def add_acting(transaction: Transaction, subject_id: SubjectId, one: Acting) -> None:
    """Somebody acts for a person from now on."""
    row = (one.acting_id, one.kind, one.from_at, one.known_at, one.until_at)
    lists = (packed_names(one.rights), packed_names(one.items), one.ended_at)
    transaction.execute(_INSERT_ACTING, (bucket_of(subject_id), subject_id, *row, *lists))


def end_acting(transaction: Transaction, subject_id: SubjectId, acting_id: str, at: Instant) -> None:
    """Somebody acts for a person no longer."""
    transaction.changed(_END_ACTING, (at, bucket_of(subject_id), subject_id, acting_id))


def set_request(transaction: Transaction, subject_id: SubjectId, request: Request) -> None:
    """A request moves on."""
    row = (
        request.proved_at,
        request.state,
        request.settled_at,
        request.settled_known_at,
        request.lifted_at,
        int(request.freezes),
        request.due_at,
        request.postponed_until,
        request.extended,
        request.answered_by,
        request.reason,
        request.passed_to,
    )
    transaction.changed(_SET_REQUEST, (*row, bucket_of(subject_id), subject_id, request.request_id))


def add_disclosure(
    transaction: Transaction, subject_id: SubjectId, one: Disclosure, kind: str, until_at: Instant | None
) -> None:
    """Somebody got values."""
    key = (bucket_of(subject_id), subject_id)
    row = (
        one.disclosure_id,
        kind,
        one.recipient,
        packed_ids(one.values),
        one.at,
        one.known_at,
        one.engagement,
        until_at,
    )
    transaction.execute(_INSERT_DISCLOSURE, (*key, *row))
