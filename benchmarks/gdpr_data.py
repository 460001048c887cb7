"""GDPRBench's records, and the same data as persons under a policy. Re-implemented: no code of it runs here.

Its record is a key, a hundred bytes of data and nine metadata fields, each a function of the key's number. With ten
records a person (100,000 of 10,000) all of a person's records have the same metadata, so a policy says them once:

PUR  the purpose a value is collected for, one of 25, consented to once by each person
TTL  the period of that purpose, in the policy
USR  the person
OBJ  a consent taken back, or a suspension asked for, once for each person
DEC  a right exercised, once for each person (not loaded; nobody decides by machine here)
ACL  the handlers of a purpose, in the policy, and who holds that role, in the register of the house
SHR  the disclosure by which a recipient got it, once for each person
SRC  the channel by which the purpose collects, in the policy
CAT  the item, one of ten
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import upheld
from benchmarks.ground import Bare, Ground, bare, opened
from benchmarks.loader import analyse, load_like
from upheld.engine.acts import HandlerId, Reader, SubjectId, ValueId

PURPOSES, PERIODS, OBJECTIONS, DECISIONS, RECIPIENTS, SOURCES, CATEGORIES = 25, 10, 100, 2, 10, 10, 10
LIKE = 50
"""After so many persons purpose and category come round again."""
FIELDS = ("pur", "ttl", "usr", "obj", "dec", "acl", "shr", "src", "cat")
POLICY = "gdprbench"
COLUMNS = f"record(number INTEGER PRIMARY KEY, {', '.join(f'{field} TEXT' for field in FIELDS)}, data TEXT)"


def data_of(number: int) -> str:
    """A hundred bytes of a record's own."""
    return (f"{number}:" + f"{number * 2_654_435_761 % 2**32:010d}" * 10)[:100]


def metadata_of(number: int) -> tuple[str, ...]:
    """The nine fields of a record, in the order of `FIELDS`."""
    return (
        f"purpose{number % PURPOSES}", f"P{1 + number % PURPOSES % PERIODS}Y", f"user{number % 10_000}",
        f"obj{number % OBJECTIONS}", f"dec{number % DECISIONS}", f"acl{number % PURPOSES}",
        f"shr{number % RECIPIENTS}", f"src{number % PURPOSES % SOURCES}", f"cat{number % CATEGORIES}",
    )  # fmt: skip


def document() -> bytes:
    """A policy with 25 purposes for ten items, ten recipients and a role for each purpose."""
    purposes = "\n".join(
        f"    purpose{p}: {{clause: G-3, en: purpose {p}, whose: user, items: [cat{p % 5}, cat{p % 5 + 5}], "
        f"via: src{p % SOURCES}, until: collected + P{1 + p % PERIODS}Y}}"
        for p in range(PURPOSES)
    )
    items = "\n".join(f"  cat{c}: category {c}" for c in range(CATEGORIES))
    channels = "\n".join(f"  src{s}: source {s}" for s in range(SOURCES))
    parties = "\n".join(f"  shr{r}: recipient {r}" for r in range(RECIPIENTS))
    every = ", ".join(f"cat{c}" for c in range(CATEGORIES))
    given = "\n".join(
        f"  shr{r}: {{en: recipient {r}, consent: own, whose: user, items: [{every}], use-until: collected + P1Y, "
        f"until: collected + P1Y, at-end: return-or-destroy, their-use: {{en: research}}, refused: {{en: nothing}}}}"
        for r in range(RECIPIENTS)
    )
    roles = "\n".join(f"  acl{p}: {{for: purpose{p}, en: readers of purpose {p}}}" for p in range(PURPOSES))
    return f"""
upheld: 1
policy: {POLICY}
controller: {{clause: G-0, en: Example Ltd.}}
locales: [en]
time-zone: Asia/Seoul
announced: {{clause: G-0, date: 2018-01-01}}
effective: {{clause: G-0, date: 2018-02-01}}
subjects: {{user: {{clause: G-1, en: user}}}}
items:
  every: {{clause: G-2}}
{items}
channels:
  every: {{clause: G-2}}
{channels}
purposes:
  every: {{basis: consent}}
  optional:
{purposes}
parties:
  every: {{clause: G-4}}
{parties}
provisions:
  every: {{clause: G-4}}
{given}
handlers:
  every: {{clause: G-5}}
  supervisor: {{duties: [audit, requests], en: supervisor}}
{roles}
destruction:
  every: {{clause: G-6, starts: at-once}}
  at-expiry: {{within: P5D}}
rights:
  every: {{clause: G-7, within: P10D}}
  access: {{}}
  rectification: {{}}
  suspension: {{covers: [person, purpose], until: lifted}}
  erasure: {{leaves: unread}}
""".encode()


@dataclass
class Records:
    """Our records by their number: whose, and which value. Persons are numbered as GDPRBench numbers its users."""

    home: Path
    keeper: upheld.Keeper
    people: list[SubjectId]
    values: dict[int, ValueId]
    supervisor: Reader

    def who(self, number: int) -> SubjectId:
        """Whose record it is."""
        return self.people[number % len(self.people)]


def loaded(ground: Ground, records: int) -> Records:
    """A home with so many records; one person of each kind by the verbs of the keeper, the others like them."""
    home = ground.home("gdpr", document=document())
    keeper = opened(home)
    people: list[SubjectId] = [SubjectId("")] * (records // 10)
    values: dict[int, ValueId] = {}
    for kind in range(LIKE):
        mine = range(kind, len(people), LIKE)
        first = _one(keeper, kind, len(people))
        texts = [data_of(number + step * len(people)) for number in mine[1:] for step in range(10)]
        copies = load_like(home, keeper, len(mine) - 1, first, iter(texts), analysed=False)
        for number, (who, ids) in zip(mine, [first, *copies], strict=True):
            people[number] = who
            values.update({number + step * len(people): value for step, value in enumerate(ids)})
    analyse(home)
    handler, granted = keeper.grant(POLICY, "supervisor")
    assert granted.granted, granted.reasons
    keeper.seal()
    return Records(home, keeper, people, values, keeper.reader(POLICY, HandlerId(handler)))


def _one(keeper: upheld.Keeper, kind: int, users: int) -> tuple[SubjectId, list[ValueId]]:
    """A person of a kind: agreed to one purpose and one recipient, gave ten values, and one was provided."""
    purpose, item, recipient = f"purpose{kind % PURPOSES}", f"cat{kind % CATEGORIES}", f"shr{kind % RECIPIENTS}"
    source = f"src{kind % PURPOSES % SOURCES}"
    subject = keeper.enter(POLICY, "user")
    for about in (f"purpose/{purpose}", f"provision/{recipient}"):
        assert keeper.consent(subject, about, channel=source).granted
    made: list[ValueId] = []
    for step in range(10):
        got = keeper.collect(subject, purpose, {item: data_of(kind + step * users)}, channel=source)
        assert got.granted, got.reasons
        made.append(got.values[item][0])
    given = keeper.provide(subject, recipient, items=(item,))
    assert given.granted, given.reasons
    return subject, made


def purpose_of(number: int) -> str:
    """The purpose of a record."""
    return f"purpose{number % PURPOSES}"


def source_of(number: int) -> str:
    """The channel by which it came."""
    return f"src{number % PURPOSES % SOURCES}"


def plain(ground: Ground, records: int, *, indexed: bool) -> Bare:
    """The same records in one table, bare, with its key alone or with an index on each metadata field too."""
    table = bare(ground.database("records"))
    table.execute(table.spelled(f"CREATE TABLE {COLUMNS}"))
    marks = ", ".join("?" * (len(FIELDS) + 2))
    table.many(table.spelled(f"INSERT INTO record VALUES({marks})"), _rows(records))
    for field in FIELDS if indexed else ():
        table.execute(f"CREATE INDEX record_{field} ON record({field})")
    table.execute(
        table.spelled("CREATE TABLE log(id INTEGER PRIMARY KEY, at TEXT, operation TEXT, about TEXT, reader TEXT)")
    )
    # Each record came by an operation: there is a log to be read, as there is a ledger.
    logged = ((number, str(number), "create", str(number), "crm") for number in range(records))
    table.many(table.spelled("INSERT INTO log VALUES(?, ?, ?, ?, ?)"), logged)
    table.execute("ANALYZE")
    return table


def _rows(records: int) -> Iterator[tuple[Any, ...]]:
    users = records // 10
    for number in range(records):
        fields = metadata_of(number)
        yield (number, *fields[:2], f"user{number % users}", *fields[3:], data_of(number))
