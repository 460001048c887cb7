"""Places the system cannot reach: a paper file, a medium, a search index. Falling due makes a work order for each.

A certificate says *partly* until every place has its evidence: method, when, by which role, witness where promised.
What a processor or recipient has of the values is such a place too (`processor.NAME`, `recipient.NAME`): its order is
done by nobody here, but by the answer that the copy was returned or destroyed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from upheld.dates import Instant
from upheld.engine.acts import SubjectId, ValueId
from upheld.engine.plan import PolicyLine
from upheld.engine.state import HeldState
from upheld.errors import InputRefused
from upheld.keeper.door import Door
from upheld.ledger.certificate import Certificate, Named, PlaceCleared
from upheld.ledger.entries import Entry, entry
from upheld.store import subjects
from upheld.store.ids import bucket_of
from upheld.store.place import Transaction
from upheld.store.subjects import packed_ids, unpacked_ids
from upheld.store.views import Seen

KINDS_OF_PLACE = {
    "paper-file": Named("paper-file", "paper file", "종이 문서"),
    "medium": Named("medium", "storage medium", "저장매체"),
    "search-index": Named("search-index", "search index", "검색 색인"),
    "queue": Named("queue", "message queue", "발송 대기열"),
    "export": Named("export", "exported file", "내보낸 파일"),
    "recording": Named("recording", "recording", "녹취"),
}
METHODS = {
    "erase": Named("erase", "erased beyond recovery", "복구할 수 없게 삭제"),
    "shred": Named("shred", "shredded", "파쇄"),
    "incinerate": Named("incinerate", "incinerated", "소각"),
    "return": Named("return", "returned", "반환"),
}


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """What people must destroy with their hands, and by when."""

    order_id: str
    subject_id: SubjectId
    place: str
    values: tuple[ValueId, ...]
    due_at: Instant
    opened_at: Instant


class Elsewhere(Door):
    """Copies outside the databases, and what shows that they are gone."""

    def also_in(self, subject_id: SubjectId, value: ValueId, place: str) -> None:
        """A value also lies in a place out of the system's reach. Raises InputRefused for a place unknown to us."""
        if place not in KINDS_OF_PLACE:
            raise InputRefused(
                "place-unknown", f"`{place}` is no kind of place; there are: {', '.join(KINDS_OF_PLACE)}"
            )

        def work(transaction: Transaction, seen: Seen, now: Instant) -> None:
            self.views.prove(transaction, seen)
            known = seen.view.values.get(value)
            if known is None or known.held in (HeldState.CONDEMNED, HeldState.DESTROYED):
                raise InputRefused("value-unknown", "this person has no such value any more; destroy what you found")
            key = (bucket_of(subject_id), subject_id, value, place)
            if transaction.execute(_SELECT_PLACE, key).fetchone() is None:
                transaction.execute(_INSERT_PLACE, (*key, transaction.at))
                transaction.journal(self._entry(seen, now, "value.copied", values=(value,), place=place))

        self._attempt(subject_id, work)

    def _held_elsewhere(
        self, policy: str, gone: Sequence[ValueId], places: list[Any], copies: list[Any]
    ) -> tuple[str, ...]:
        """The places elsewhere that hold any of these values; whoever has a copy that is asked back is one too.

        `places` and `copies`: answers to `PLACES_OF` and `COPIES`.
        """
        line, values = self.views.line(policy), set(gone)
        found = dict.fromkeys(place for value, place in places if value in values)
        asked = {name for plan in line.plans for name, row in plan.provisions.items() if row.returned}
        for recipient, kind, packed in copies:
            if set(unpacked_ids(packed)) & values and (kind == "entrustment" or recipient in asked):
                found[copy_at(kind, recipient)] = None
        return tuple(found)

    def _order_work(
        self,
        transaction: Transaction,
        subject_id: SubjectId,
        policy: str,
        alias: str,
        values: tuple[ValueId, ...],
        places: Sequence[str],
        due_at: Instant,
        certificate_id: str,
    ) -> None:
        """One work order for each place, due with the values."""
        for place in places:
            order_id = self.new_id()
            row = (
                bucket_of(subject_id),
                subject_id,
                order_id,
                policy,
                place,
                packed_ids(values),
                due_at,
                transaction.at,
            )
            transaction.execute(_INSERT_ORDER, (*row, certificate_id))
            transaction.journal(
                entry(
                    "work-order.opened",
                    transaction.at,
                    policy,
                    alias or None,
                    _elements(place),
                    order=order_id,
                    place=place,
                    due_at=due_at,
                    values=values,
                )
            )

    def work_orders(self, policy: str) -> list[WorkOrder]:
        """Work orders that wait for our own hands, the earliest due first."""
        with self.places.active.reading() as connection:
            rows = connection.execute(_OPEN_ORDERS, (policy,)).fetchall()
        return [
            WorkOrder(order, SubjectId(subject), place, unpacked_ids(values), Instant(due), Instant(opened))
            for order, subject, place, values, due, opened in rows
        ]

    def _witnessed(self, policy: str, place: str, at: int, witness: str | None) -> bool:
        return is_witnessed(self.views.line(policy), place, at, witness)

    def work_done(self, order_id: str, *, method: str, by: str, witness: str | None = None) -> None:
        """People did it: by which method, in which role, before which witness (roles, never names).

        When every place of a certificate has its evidence the certificate becomes complete. Paper without the witness
        that the policy promises has not.
        """
        if method not in METHODS:
            raise InputRefused("method-unknown", f"`{method}` is no method; there are: {', '.join(METHODS)}")

        def work(transaction: Transaction) -> None:
            row = transaction.execute(_ORDER, (order_id,)).fetchone()
            if row is None:
                raise InputRefused("order-unknown", "no work order with this id waits")
            subject, policy, place, values, certificate_id = row
            key = (bucket_of(SubjectId(subject)), subject)
            transaction.changed(_DONE, (transaction.at, *key, order_id))
            alias = self.views.alias(SubjectId(subject))
            transaction.journal(
                entry(
                    "work-order.done",
                    transaction.at,
                    policy,
                    alias or None,
                    _elements(place),
                    order=order_id,
                    place=place,
                    values=unpacked_ids(values),
                    method=method,
                    by=by,
                    witness=witness,
                )
            )
            at = transaction.at if self._witnessed(policy, place, transaction.at, witness) else None
            complete(transaction, key, policy, alias, certificate_id, place, METHODS[method], by, witness, at)
            subjects.mark_dirty(transaction, SubjectId(subject), policy)

        self.places.active.submit(work)


def copies_back(transaction: Transaction, subject_id: SubjectId, alias: str, kind: str, recipient: str) -> None:
    """An answer came in: certificates that waited for this copy alone have its evidence, if no other copy is left."""
    key, place = (bucket_of(subject_id), subject_id), copy_at(kind, recipient)
    left = transaction.execute(COPIES, key).fetchall()
    still = {value for name, of, packed in left if (of, name) == (kind, recipient) for value in unpacked_ids(packed)}
    for order_id, policy, packed, certificate_id in transaction.execute(_WAITING, (*key, place)).fetchall():
        values = unpacked_ids(packed)
        if still & set(values):
            continue
        transaction.changed(_DONE, (transaction.at, *key, order_id))
        role = place.partition(".")[0]
        fields = {"order": order_id, "place": place, "values": values, "method": "return", "by": role}
        transaction.journal(entry("work-order.done", transaction.at, policy, alias or None, _elements(place), **fields))
        complete(transaction, key, policy, alias, certificate_id, place, METHODS["return"], role, None, transaction.at)


def returned_under(
    transaction: Transaction, policy: str, contract_id: str, paths: Sequence[str], at: Instant
) -> list[tuple[SubjectId, str]]:
    """Everything given under a contract came back: each disclosure says so. Gives whose certificates waited for it."""
    since, until = transaction.execute(_CONTRACT, (policy, contract_id)).fetchone()
    waited: list[tuple[SubjectId, str]] = []
    for section, _, processor in (path.partition(".") for path in paths):
        if section == "entrustments":
            transaction.execute(_RETURNED, (at, at, processor, since, until, policy))
            rows = transaction.execute(_WAITED, (policy, copy_at("entrustment", processor))).fetchall()
            waited += [(SubjectId(row[0]), processor) for row in rows]
    return waited


def complete(
    transaction: Transaction,
    key: tuple[int, str],
    policy: str,
    alias: str,
    certificate_id: str,
    place: str,
    method: Named,
    by: str,
    witness: str | None,
    at: int | None,
) -> None:
    """Put the evidence of one place into a certificate and issue it anew. `at`: None where it falls short of what was
    promised.
    """
    body = transaction.execute(_BODY, (*key, certificate_id)).fetchone()[0]
    certificate = msgspec.json.decode(body, type=Certificate)
    cleared = PlaceCleared(named_place(place), method, at, by, witness)
    places = tuple(cleared if one.place.code == place and one.at is None else one for one in certificate.places)
    after = msgspec.structs.replace(certificate, places=places)
    encoded = msgspec.json.encode(after)
    transaction.changed(_SET_BODY, (encoded, transaction.at, *key, certificate_id))
    transaction.journal(
        entry(
            "certificate.issued",
            transaction.at,
            policy,
            alias or None,
            ("destruction.at-expiry",),
            certificate=certificate_id,
            digest=hashlib.sha256(encoded).digest(),
            state=after.state,
        )
    )


def copy_at(kind: str, recipient: str) -> str:
    """The place where a processor's or recipient's copy lies."""
    return f"{'processor' if kind == 'entrustment' else 'recipient'}.{recipient}"


def named_place(place: str) -> Named:
    """A place with its public names."""
    role, _, name = place.partition(".")
    if name:
        ko = "수탁자" if role == "processor" else "제공받는 자"
        return Named(place, f"copy of the {role} {name}", f"{ko} {name}의 사본")
    return KINDS_OF_PLACE[place]


def awaited(place: str) -> PlaceCleared:
    """A place whose evidence is awaited."""
    role, _, name = place.partition(".")
    if name:
        return PlaceCleared(named_place(place), METHODS["return"], None, role)
    method = METHODS["shred" if place == "paper-file" else "erase"]
    return PlaceCleared(named_place(place), method, None, "handler")


def is_witnessed(line: PolicyLine, place: str, at: int, witness: str | None) -> bool:
    """Whether the witness is there whom the version in force then promises for paper."""
    plan = line.at(Instant(at)) or line.plans[0]
    return place != "paper-file" or witness is not None or not plan.destruction.paper_witnessed


def cleared_elsewhere(
    about: Sequence[Entry], values: Sequence[int], by: int, line: PolicyLine
) -> tuple[PlaceCleared, ...]:
    """The places elsewhere of values destroyed together, and the evidence that came in up to an instant."""
    orders = [one for one in about if one.kind == "work-order.opened" and one.fields["values"] == tuple(values)]
    done = {one.fields["order"]: one for one in about if one.kind == "work-order.done" and one.at <= by}
    return tuple(_cleared(cast(str, one.fields["place"]), done.get(one.fields["order"]), line) for one in orders)


def _cleared(place: str, done: Entry | None, line: PolicyLine) -> PlaceCleared:
    if done is None:
        return awaited(place)
    method, witness = METHODS[cast(str, done.fields["method"])], cast(str | None, done.fields.get("witness"))
    at = done.at if is_witnessed(line, place, done.at, witness) else None
    return PlaceCleared(named_place(place), method, at, cast(str, done.fields["by"]), witness)


def _elements(place: str) -> tuple[str, ...]:
    """The element that a work order of that place is about."""
    role, _, name = place.partition(".")
    if name:
        return (f"{'entrustments' if role == 'processor' else 'provisions'}.{name}",)
    return ("destruction.paper",) if place == "paper-file" else ("destruction.electronic",)


_SELECT_PLACE = "SELECT 1 FROM value_place WHERE bucket = ? AND subject_id = ? AND value_id = ? AND place = ?"
_INSERT_PLACE = "INSERT INTO value_place(bucket, subject_id, value_id, place, known_at) VALUES(?, ?, ?, ?, ?)"
PLACES_OF = "SELECT value_id, place FROM value_place WHERE bucket = ? AND subject_id = ? ORDER BY place"
_INSERT_ORDER = (
    "INSERT INTO work_order(bucket, subject_id, order_id, policy, place, value_ids, due_at, opened_at, certificate_id) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OPEN_ORDERS = (
    "SELECT order_id, subject_id, place, value_ids, due_at, opened_at FROM work_order "
    "WHERE policy = ? AND done_at IS NULL AND place NOT LIKE '%.%' ORDER BY due_at, order_id"
)
_ORDER = (
    "SELECT subject_id, policy, place, value_ids, certificate_id FROM work_order "
    "WHERE order_id = ? AND done_at IS NULL AND place NOT LIKE '%.%'"
)
COPIES = (
    "SELECT recipient, kind, value_ids FROM disclosure WHERE bucket = ? AND subject_id = ? "
    "AND kind IN ('provision', 'entrustment') AND acknowledged_at IS NULL ORDER BY recipient"
)
WORK_WAITS = (
    "SELECT 1 FROM work_order WHERE bucket = ? AND subject_id = ? AND done_at IS NULL AND place NOT LIKE '%.%' LIMIT 1"
)
_CONTRACT = "SELECT from_at, until_at FROM contract WHERE policy = ? AND contract_id = ?"
_RETURNED = (
    "UPDATE disclosure SET recalled_at = coalesce(recalled_at, ?), acknowledged_at = ? WHERE kind = 'entrustment' "
    "AND recipient = ? AND acknowledged_at IS NULL AND at >= ? AND at < ? AND EXISTS (SELECT 1 FROM subject "
    "WHERE subject.bucket = disclosure.bucket AND subject.subject_id = disclosure.subject_id AND subject.policy = ?)"
)
_WAITED = "SELECT DISTINCT subject_id FROM work_order WHERE policy = ? AND place = ? AND done_at IS NULL"
_WAITING = (
    "SELECT order_id, policy, value_ids, certificate_id FROM work_order "
    "WHERE bucket = ? AND subject_id = ? AND place = ? AND done_at IS NULL"
)
_DONE = "UPDATE work_order SET done_at = ? WHERE bucket = ? AND subject_id = ? AND order_id = ?"
_BODY = "SELECT body FROM certificate WHERE bucket = ? AND subject_id = ? AND certificate_id = ?"
_SET_BODY = "UPDATE certificate SET body = ?, issued_at = ? WHERE bucket = ? AND subject_id = ? AND certificate_id = ?"
