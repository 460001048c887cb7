"""GDPRBench's operations, twice: by the verbs of the keeper, and as statements on plain tables."""

from __future__ import annotations

from typing import Any, Protocol

from benchmarks.gdpr_data import (
    FIELDS,
    POLICY,
    PURPOSES,
    RECIPIENTS,
    Records,
    data_of,
    metadata_of,
    purpose_of,
    source_of,
)
from benchmarks.ground import Bare
from upheld.dates import Period, end_of
from upheld.engine.acts import HandlerId, Reader, ReaderKind, RequestId
from upheld.engine.state import HeldState
from upheld.keeper.inspecting import Inspection

SWEPT_EVERY = 1_000
"""Deletions between two sweeps, a few seconds here; what waits for the sweep can be read by nobody. A service sweeps
every minute."""
NEWEST = 100
"""Entries of the log that a supervisor asks for."""
Fields = tuple[str, ...]


class Side(Protocol):
    """The operations. A record is named by its number."""

    gone: set[int]
    """Records that were deleted."""

    def create(self, number: int) -> None:
        """A new record."""

    def delete(self, number: int) -> None:
        """A record goes."""

    def delete_user(self, number: int) -> None:
        """All records of its person go."""

    def change_purpose(self, number: int) -> None:
        """Metadata of everything under its purpose changes: who may read it."""

    def change_user(self, number: int) -> None:
        """Metadata of everything of its person changes: with whom it is shared."""

    def change_recipient(self, number: int) -> None:
        """Metadata of everything that its recipient got changes."""

    def change(self, number: int) -> None:
        """Metadata of one record changes: an objection."""

    def update(self, number: int) -> None:
        """Other data."""

    def read(self, number: int) -> str:
        """Its data, for its purpose."""

    def read_own(self, number: int) -> str:
        """Its data, for the person."""

    def read_purpose(self, number: int) -> int:
        """The data of everything under its purpose: how many."""

    def read_user(self, number: int) -> int:
        """The data of everything of its person, for its purpose: how many."""

    def read_own_all(self, number: int) -> int:
        """The data of everything of its person, for the person: how many."""

    def look(self, number: int) -> dict[int, Fields]:
        """The metadata of everything of its person."""

    def look_at(self, number: int) -> Fields:
        """The metadata of one record."""

    def log(self) -> int:
        """The newest entries of the log: how many."""

    def is_gone(self, number: int) -> bool:
        """Whether a record is deleted."""

    def settle(self) -> None:
        """What was put off is done."""


class Governed:
    """By the verbs of the keeper."""

    def __init__(self, records: Records, look: Inspection) -> None:
        self._records, self._look = records, look
        self._keeper = records.keeper
        self._application = self._keeper.application("crm")
        self._numbers = {value: number for number, value in records.values.items()}
        self._sources = {purpose_of(number): source_of(number) for number in range(PURPOSES)}
        self._roles: dict[int, HandlerId] = {}
        self._withdrawn: set[int] = set()
        self._stopped: set[int] = set()
        self._objected: dict[int, RequestId] = {}
        self._waiting = 0
        self.gone: set[int] = set()

    def create(self, number: int) -> None:
        metadata = metadata_of(number)
        got = self._keeper.collect(
            self._records.who(number), metadata[0], {metadata[8]: data_of(number)}, channel=metadata[7]
        )
        assert got.granted, got.reasons
        value = got.values[metadata[8]][0]
        self._records.values[number], self._numbers[value] = value, number

    def delete(self, number: int) -> None:
        self._erase(number, (number,))

    def delete_user(self, number: int) -> None:
        users = len(self._records.people)
        self._erase(number, tuple(one for one in range(number % users, users * 10, users) if one not in self.gone))

    def _erase(self, number: int, numbers: tuple[int, ...]) -> None:
        who, values = self._records.who(number), tuple(self._records.values[one] for one in numbers)
        with self._keeper.batch(about=(who,)):  # asked and answered in one commit
            asked = self._keeper.request(who, "erasure", channel=source_of(number), proved=True, values=values)
            done = self._keeper.answer(who, RequestId(asked.made or ""), "done")
        assert done.granted, done.reasons
        self.gone.update(numbers)
        self._waiting += 1
        if self._waiting >= SWEPT_EVERY:
            self.settle()

    def settle(self) -> None:
        if self._waiting:
            swept = self._keeper.sweep()
            assert swept.destroyed, swept
            self._waiting = 0

    def change_purpose(self, number: int) -> None:
        role = number % PURPOSES
        if role in self._roles:
            self._keeper.revoke(POLICY, self._roles.pop(role), f"acl{role}")
        else:
            self._roles[role], _ = self._keeper.grant(POLICY, f"acl{role}")

    def change_user(self, number: int) -> None:
        user = number % len(self._records.people)
        verb = self._keeper.consent if user in self._withdrawn else self._keeper.withdraw
        verb(self._records.people[user], f"provision/shr{user % RECIPIENTS}", channel=source_of(user))
        self._withdrawn ^= {user}

    def change_recipient(self, number: int) -> None:
        recipient = number % RECIPIENTS
        fact = "transfer-resumed" if recipient in self._stopped else "transfer-stopped"
        self._keeper.controller_fact(POLICY, fact, about=f"shr{recipient}")
        self._stopped ^= {recipient}

    def change(self, number: int) -> None:
        who, before = self._records.who(number), self._objected.pop(number, None)
        if before is not None:
            self._keeper.lift(who, before)
            return
        values = (self._records.values[number],)
        asked = self._keeper.request(who, "suspension", channel=source_of(number), proved=True, values=values)
        self._objected[number] = RequestId(asked.made or "")

    def update(self, number: int) -> None:
        old = self._records.values[number]
        got = self._keeper.correct(self._records.who(number), old, data_of(number))
        assert got.granted, got.reasons
        ((value,),) = got.values.values()
        self._records.values[number], self._numbers[value] = value, number

    def read(self, number: int) -> str:
        value = self._records.values[number]
        who, reader = self._records.who(number), self._application
        return self._keeper.read(who, purpose_of(number), reader=reader, values=(value,)).texts[value]

    def read_own(self, number: int) -> str:
        value = self._records.values[number]
        return str(self._own(number, (value,))[value])

    def _own(self, number: int, values: tuple[Any, ...]) -> Any:
        who = self._records.who(number)
        return self._keeper.show(who, reader=Reader(ReaderKind.SUBJECT, who), identity_proved=True, values=values).texts

    def read_purpose(self, number: int) -> int:
        found, after, purpose = 0, None, purpose_of(number)
        while True:
            page = self._keeper.read_purpose(POLICY, purpose, reader=self._application, after=after)
            found += len(page.texts)
            if page.next is None:
                return found
            after = page.next

    def read_user(self, number: int) -> int:
        item = f"cat{number % 10}"
        got = self._keeper.read(self._records.who(number), purpose_of(number), reader=self._application, items=(item,))
        return len(got.texts)

    def read_own_all(self, number: int) -> int:
        return len(self._own(number, ()))

    def look(self, number: int) -> dict[int, Fields]:
        return {
            self._numbers[one.value_id]: self._told(one, number) for one in self._look.of(self._records.who(number))
        }

    def _told(self, kept: Any, number: int) -> Fields:
        """What the answer says, and what the policy says of the purpose that it names."""
        purpose = kept.purposes[0]
        given = kept.given_to
        return (purpose, str(kept.until), given[0][0] if given else "", self._sources[purpose], kept.item)

    def look_at(self, number: int) -> Fields:
        return self.look(number)[number]

    def log(self) -> int:
        return len(self._look.latest(NEWEST))

    def is_gone(self, number: int) -> bool:
        return self._look.held(self._records.values[number]) is HeldState.DESTROYED


class Plain:
    """As statements on plain tables. With `logged`, each leaves a row in a log, in one durable commit with it."""

    def __init__(self, table: Bare, users: int, *, logged: bool) -> None:
        self._table, self._users, self._logged = table, users, logged
        self._run = table.execute
        self._spelled: dict[str, str] = {}
        self.gone: set[int] = set()
        self._turn = users * 10
        """The log has an entry for each record from the load."""

    def _do(self, operation: str, statement: str, *parameters: object) -> Any:
        known = self._spelled.get(statement)
        if known is None:
            known = self._spelled[statement] = self._table.spelled(statement)
        if not self._logged:
            return self._run(known, parameters)
        self._turn += 1
        self._run("BEGIN")
        rows = self._run(known, parameters)
        found = rows.fetchall() if operation.startswith("read") else []
        row = (self._turn, str(self._turn), operation, str(parameters[-1]), "crm")
        log = "INSERT INTO log(id, at, operation, about, reader) VALUES(?, ?, ?, ?, ?)"
        self._run(self._spelled.setdefault(log, self._table.spelled(log)), row)
        self._run("COMMIT")
        return _Fetched(found)

    def create(self, number: int) -> None:
        fields = metadata_of(number)
        marks = ", ".join("?" * (len(FIELDS) + 2))
        row = (number, *fields[:2], f"user{number % self._users}", *fields[3:], data_of(number))
        self._do("create", f"INSERT INTO record VALUES({marks})", *row)

    def delete(self, number: int) -> None:
        self._do("delete", "DELETE FROM record WHERE number = ?", number)
        self.gone.add(number)

    def delete_user(self, number: int) -> None:
        user = number % self._users
        self._do("delete", "DELETE FROM record WHERE usr = ?", f"user{user}")
        self.gone.update(range(user, self._users * 10, self._users))

    def settle(self) -> None:
        """Nothing was put off."""

    def change_purpose(self, number: int) -> None:
        self._turn += 1
        self._do("change", "UPDATE record SET acl = ? WHERE pur = ?", f"acl{self._turn % 7}", purpose_of(number))

    def change_user(self, number: int) -> None:
        self._turn += 1
        user = f"user{number % self._users}"
        self._do("change", "UPDATE record SET shr = ? WHERE usr = ?", f"shr{self._turn % RECIPIENTS}", user)

    def change_recipient(self, number: int) -> None:
        self._turn += 1
        recipient = f"shr{number % RECIPIENTS}"
        self._do("change", "UPDATE record SET dec = ? WHERE shr = ?", f"dec{self._turn % 2}", recipient)

    def change(self, number: int) -> None:
        self._turn += 1
        self._do("change", "UPDATE record SET obj = ? WHERE number = ?", f"obj{self._turn % 100}", number)

    def update(self, number: int) -> None:
        self._do("update", "UPDATE record SET data = ? WHERE number = ?", data_of(number), number)

    def read(self, number: int) -> str:
        return str(self._do("read", "SELECT data FROM record WHERE number = ?", number).fetchone()[0])

    read_own = read

    def read_purpose(self, number: int) -> int:
        statement = "SELECT number, data FROM record WHERE pur = ?"
        return len(self._do("read", statement, purpose_of(number)).fetchall())

    def read_user(self, number: int) -> int:
        statement = "SELECT number, data FROM record WHERE usr = ?"
        return len(self._do("read", statement, f"user{number % self._users}").fetchall())

    read_own_all = read_user

    def look(self, number: int) -> dict[int, Fields]:
        statement = "SELECT number, pur, ttl, usr, obj, dec, acl, shr, src, cat FROM record WHERE usr = ?"
        rows = self._do("read", statement, f"user{number % self._users}").fetchall()
        return {row[0]: (row[1], row[2], row[7], row[8], row[9]) for row in rows}

    def look_at(self, number: int) -> Fields:
        statement = "SELECT pur, ttl, usr, obj, dec, acl, shr, src, cat FROM record WHERE number = ?"
        row = self._do("read", statement, number).fetchone()
        return (row[0], row[1], row[6], row[7], row[8])

    def log(self) -> int:
        statement = "SELECT id, at, operation, about, reader FROM log ORDER BY id DESC LIMIT ?"
        return len(self._do("read", statement, NEWEST).fetchall())

    def is_gone(self, number: int) -> bool:
        return self._do("read", "SELECT number FROM record WHERE number = ?", number).fetchone() is None


class _Fetched:
    """Rows that were fetched before the transaction ended."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def fetchone(self) -> Any:
        """The first."""
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Any]:
        """All."""
        return self._rows


def told_alike(governed: dict[int, Fields], plain: dict[int, Fields], records: Records) -> bool:
    """Whether both say the same of a person's records; the plain table names a period, the keeper the end of it."""
    if governed.keys() != plain.keys():
        return False
    plan = records.keeper.views.line(POLICY).latest
    for number, fields in plain.items():
        seen = records.keeper.views.get(records.who(number), records.keeper.now())
        collected = seen.view.values[records.values[number]].collected_at
        ends = end_of(collected, Period.parse(fields[1]), plan.zone)
        if governed[number] != (fields[0], str(ends), *fields[2:]):
            return False
    return True
