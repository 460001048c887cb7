"""What somebody was told is done: said as it happens, looked for after whatever went wrong.

A life goes on with one person: read, collect, consent, provide, tell. Each act that was answered is one line, `act
what`; `missing` says which of them cannot be found in the home that is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.homes import column
from tests.trial_home import POLICY, House, at, member, readable, rows_in
from upheld.engine.acts import SubjectId, ValueId
from upheld.keeper.seeing import BatchOutcome
from upheld.keeper.telling import Message
from upheld.ledger.entries import Entry
from upheld.store import history

Say = Callable[[str], object]
PROVIDES_EVERY, TELLS_EVERY = 40, 24
"""A provision gives every name that is there, a letter is kept as a paper: not at every turn."""
MADE_AT, BEGUN_AT = at("2024-02-01"), at("2024-03-01")
RECORDED_AS = {"read": "read.granted", "provided": "value.provided", "told": "notice.queued"}
"""The entry without which an act was not answered."""

WITH_NEWS = (
    POLICY
    + """
contacts: {office: {clause: T-10, en: office, ko: 담당, phone: 000-0000, takes: questions}}
advertising: {email: {clause: T-11, for: offers, en: e-mail, ko: 이메일}}
"""
)
FIELDS = {
    "fact": "Example Ltd. merges.",
    "transferee": "Sample Ltd.",
    "contact": "office@example.org",
    "effective": "2024-05-01",
    "refusing": "write to us by 2024-04-20",
}


def tells(house: House, person: SubjectId, about: str = "merger-2024") -> Message:
    return house.keeper.tell(person, "business-transfer", "email", about=about, fields=FIELDS)


def entries(house: House, *kinds: str) -> list[Entry]:
    house.keeper.seal()
    return [one.entry for one in history.entries(house.keeper.places.sealer.connection, kinds=kinds)]


@dataclass(frozen=True)
class Life:
    """One person, what texts of hers begin with, and a value that is read again and again."""

    house: House
    person: SubjectId
    mark: str
    name: ValueId

    @classmethod
    def of(cls, house: House, person: SubjectId, mark: str) -> Life:
        """Raises StopIteration for somebody who gave no name."""
        held = (one for one, _, _ in house.keeper.holdings(person))
        return cls(house, person, mark, next(one.value_id for one in held if one.item == "name"))

    def read(self) -> bool:
        """One value; whether its text came."""
        desk = self.house.keeper.application("desk")
        return bool(self.house.keeper.read(self.person, "service", reader=desk, values=(self.name,)).texts)

    def read_batch(self) -> bool:
        """The same as a batch."""
        keeper = self.house.keeper
        done: BatchOutcome = keeper.read_batch("service", [(self.person, self.name)], reader=keeper.application("desk"))
        return bool(done.texts)

    def collect(self, item: str, text: str) -> bool:
        """One value; an `email` with what it is looked up by."""
        return self.house.keeper.collect(self.person, "service", {item: text}).granted

    def turn(self, turn: int, say: Say) -> None:
        """What a service does in a moment with one person. Raises what fails; what was said before that was done."""
        keeper, text = self.house.keeper, f"{self.mark}-{turn}@example.org"
        consent = keeper.consent if turn % 2 else keeper.withdraw
        consent(self.person, "purpose/offers", channel="website")
        if self.collect("name", text):
            say(f"text {text}")
        if self.collect("email", f"e-{text}"):
            say(f"text e-{text}")
        if self.read():
            say(f"read {self.mark}")
        if self.read_batch():
            say(f"read {self.mark}")
        if turn % PROVIDES_EVERY == 1 and keeper.provide(self.person, "mall", ("name",)).granted:
            say(f"provided {self.mark}")
        if turn % TELLS_EVERY == 1:
            say(f"told {tells(self.house, self.person, f'{self.mark}-{turn}').message_id}")


def peopled(house: House, names: Iterable[str], leavers: int = 0) -> list[SubjectId]:
    """Those who live on, in a home that is opened at `MADE_AT` and in use from `BEGUN_AT` on, and so many of whom
    everything is due then.
    """
    keeper = house.keeper
    keeper.publish(WITH_NEWS.encode(), as_of=at("2020-02-01").date(), evidence="trial")
    gone = [member(house, f"leaver-{number}") for number in range(leavers)]
    house.clock.set(at("2024-02-20"))
    for person in gone:
        keeper.fact(person, "closed")
    persons = [member(house, name) for name in names]
    for person in persons:
        keeper.consent(person, "provision/mall", channel="website")
    house.clock.set(BEGUN_AT)
    return persons


def texts_in(home: Path, *items: str) -> Counter[str]:
    """Every text of such items that can be read from what is stored, as often as it is stored."""
    rows = [row for row in rows_in(home) if row.item in items]
    return Counter(text for tiers in readable(home, rows).values() for text in tiers.values())


def records(house: House) -> Counter[str]:
    """How often each act is on record. Reads at the same time by one reader are one entry with all their values."""
    found: Counter[str] = Counter()
    for one in entries(house, *RECORDED_AS.values()):
        values = one.fields["values"] if one.kind == "read.granted" else ()
        found[one.kind] += len(values) if isinstance(values, tuple | list) and values else 1
    return found


def missing(home: Path, house: House, said: Iterable[str]) -> list[str]:
    """What was said to be done and is gone or double; what is readable without a record counts as disclosed. Every
    e-mail has its look-up token, also where a server fell over, which is not asked to wait for the disk with those.
    """
    acts: dict[str, Counter[str]] = {act: Counter() for act in ("text", *RECORDED_AS)}
    for line in said:
        act, _, what = line.partition(" ")
        acts[act][what] += 1
    kept = texts_in(home, "name", "email")
    wrong = [f"{one} was acknowledged and is gone" for one in acts["text"] if not kept[one]]
    wrong += [f"{one} is there {times} times" for one, times in kept.items() if times > 1]
    found_by = set(column(home / "keys.db", "SELECT value_id FROM token WHERE item = 'email'"))
    held = readable(home, [row for row in rows_in(home) if row.item == "email"])
    wrong += [f"{value} can't be looked up, its token is gone" for value in held if value not in found_by]
    found = records(house)
    for act, kind in RECORDED_AS.items():
        short = acts[act].total() - found[kind]
        what = "something was disclosed without a record" if act != "told" else "a message has no record"
        wrong += [f"{what}: {short} of `{act}`"] if short > 0 else []
    messages = Counter(one.message_id for one in house.keeper.messages("trial"))
    wrong += [f"message {one} was acknowledged and is gone" for one in acts["told"] if not messages[one]]
    return wrong


def not_ended(home: Path, house: House, leavers: int) -> list[str]:
    """A sweep that was disturbed goes on: what is wrong then with those of whom everything was due."""
    house.keeper.sweep()
    house.keeper.sweep()
    rows = rows_in(home)
    opens = readable(home, rows)
    wrong = [f"step {one} stays open" for one in column(home / "active.db", "SELECT value_id, kind, stage FROM step")]
    wrong += [f"two tiers serve {value}" for value, tiers in opens.items() if len(tiers) > 1]
    apart = sum(row.tier.value == "separated" and row.value_id in opens for row in rows)
    wrong += [f"{apart} values are kept apart instead of {2 * leavers}"] if apart != 2 * leavers else []
    destroyed = [row for row in rows if row.state == "destroyed"]
    wrong += [f"{row.value_id} opens after its destruction" for row in destroyed if row.value_id in opens]
    return wrong
