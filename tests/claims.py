"""Every test of the suite runs under this watch: a statement of work that says what it is about touches nothing else.

On PostgreSQL that is what keeps writers apart; on SQLite nothing would go wrong, and nothing would be noticed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from typing import Any, Final

from upheld.dates import Instant
from upheld.engine.acts import SubjectId, ValueId
from upheld.store import place, schema, straight
from upheld.store.engine import Claim, Connection, Numbers, Proof, Rows, Underway
from upheld.store.ids import bucket_of, bucket_of_value
from upheld.store.postgres import PostgresPlace

_TABLE: Final = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)")
_MADE: Final = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)\s*\((.*)\)", re.DOTALL)
_CONTROL: Final = ("SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")
_BY_VALUE: Final = re.compile(r"\bvalue_id (?:= \?|IN \()")
_BY_BUCKET: Final = re.compile(r"\bbucket (?:= \?|IN \()|\(bucket, \w+\) IN \(|INTO \w+\([^)]*\bbucket\b")
_WRITES: Final = ("INSERT", "UPDATE", "DELETE")
_ASKS: Final = "(SELECT plan_epoch FROM guard)"
"""What a change may look at besides: it is as the transaction took it to be, or nothing happens."""
ANYBODY_WRITES: Final = frozenset({"journal", "shown_text", "active_key", "separated_key", "paper_key"})
"""Rows of nobody in particular, each written once under a number or digest that nobody else makes."""
BY_ID: Final = frozenset({"paper", "message"})
"""Found by an id that only their owner's rows name."""
NAMED: Final = frozenset(
    {
        "session", "session_look", "sign_in_code", "sign_in_flow", "attempt", "given_answer", "cookie_choice",
        "account", "recovery_code", "application_token", "invitation", "background", "figure",
    }
)  # fmt: skip
"""Rows that go by a name of their own, or by whose they are: one of them is claimed."""


class Strayed(AssertionError):
    """A statement that the claim of its transaction does not cover."""


@cache
def owned() -> frozenset[str]:
    """Tables whose rows belong to a subject or another owner: those with a bucket."""
    made = (_MADE.match(statement) for statements in schema.PLACES.values() for statement in statements)
    return frozenset(one[1] for one in made if one and re.search(r"\bbucket INTEGER", one[2])) - ANYBODY_WRITES


@cache
def tables_of(statement: str) -> frozenset[str]:
    """Tables that a statement names."""
    return frozenset(_TABLE.findall(statement)) - {"json_each", "unnest", "SET"}


def strayed(statement: str, parameters: Sequence[Any], about: Collection[str]) -> str | None:
    """What is wrong with a statement of work that is about these; None where it keeps to them."""
    if statement.lstrip().startswith(_CONTROL):
        return None
    tables = tables_of(statement.replace(_ASKS, ""))
    writes = statement.lstrip().startswith(_WRITES)
    if writes and tables <= NAMED:
        names = {one.hex() if isinstance(one, bytes) else one for one in parameters}
        return None if names & set(about) else f"names none of {sorted(about)[:3]}"
    if writes and (shared := tables - owned() - ANYBODY_WRITES):
        return f"writes to what is everybody's: {', '.join(sorted(shared))}"
    if not tables & owned():
        return None
    buckets = {bucket_of(SubjectId(one)) for one in about}
    if _BY_BUCKET.search(statement):
        named = buckets & {one for one in parameters if isinstance(one, int)}
        listed = any(
            isinstance(one, Numbers) or (isinstance(one, str) and one.startswith(("[", "{"))) for one in parameters
        )
        return None if named or listed else f"is not about {sorted(about)[:3]}"
    if _BY_VALUE.search(statement):
        values = [one for one in parameters if isinstance(one, int) and one >= 1 << 41]
        strange = [one for one in values if bucket_of_value(ValueId(one)) not in buckets and one > 1 << 53]
        return f"names values of others: {strange[:3]}" if strange else None
    if tables <= BY_ID or "FROM guard UNION" in statement:
        return None
    return "names neither bucket nor value"


class Watched(place.Transaction):
    """A transaction that looks at every statement."""

    def __init__(self, connection: Connection, taken: Callable[[], Instant], claim: Claim | None = None) -> None:
        super().__init__(connection, taken, claim)
        plain, plain_many = self.execute, self.executemany

        def execute(statement: str, parameters: Sequence[Any] = (), /) -> Rows:
            self._look(statement, parameters)
            return plain(statement, parameters)

        def executemany(statement: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
            rows = list(parameters)
            for row in rows:
                self._look(statement, row)
            return plain_many(statement, rows)

        self.execute, self.executemany = execute, executemany

    def claims(self, statement: str, parameters: Sequence[Any]) -> None:
        self._look(statement, parameters)
        super().claims(statement, parameters)

    def changed(self, statement: str, parameters: Sequence[Any], otherwise: Exception | None = None) -> None:
        if self.gathers is not None:
            self._look(statement, parameters)
        super().changed(statement, parameters, otherwise)

    def _look(self, statement: str, parameters: Sequence[Any]) -> None:
        if self.about is None:
            return
        wrong = strayed(statement, parameters, self.about)
        if wrong is not None:
            raise Strayed(f"work about {sorted(self.about)[:3]} {wrong}: {statement[:120]}")


unwatched = PostgresPlace.recorded
"""For tests that want to see several go straight, whose proof names them by arrays."""


def watch() -> None:
    """From now on every transaction of a place is looked at, and what is asked without one."""
    place.Transaction = straight.Transaction = Watched  # type: ignore[misc, attr-defined]  # planted
    plain = unwatched

    def recorded(
        self: PostgresPlace,
        connection: Connection,
        reads: Collection[str],
        asks: Callable[[], Proof],
        records: Any,
        meanwhile: Any,
    ) -> list[Any] | None:
        proof = asks()
        wrong = strayed(*proof.asks, reads)
        if wrong is not None:  # also of proofs by arrays, which go the long way here: see `unwatched`
            raise Strayed(f"a read about {sorted(reads)[:3]} {wrong}: {proof.asks[0][:120]}")
        return plain(self, connection, reads, lambda: proof, records, meanwhile)

    PostgresPlace.recorded = recorded  # type: ignore[method-assign]  # planted
    sent = PostgresPlace.launched

    def launched(
        self: PostgresPlace, connection: Connection, reads: Collection[str], proof: Proof, records: Any, meanwhile: Any
    ) -> Underway | None:
        wrong = strayed(*proof.asks, reads) if len(reads) == 1 else None  # several are named by arrays
        if wrong is not None:
            raise Strayed(f"a read about {sorted(reads)[:3]} {wrong}: {proof.asks[0][:120]}")
        return sent(self, connection, reads, proof, records, meanwhile)

    PostgresPlace.launched = launched  # type: ignore[method-assign]  # planted
