"""What the ledger has of people and of the house is in the places too, as it was written, and nothing beside it.

Whoever deletes, changes or adds rows past the keeper makes promises look kept: a record that a law wants is gone, a
withdrawal or an end is not known any more, evidence is there that nobody filed. The ledger knows better; this is the
comparison, once an audit, in one pass over the entries that make rows. It costs what the ledger holds of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from upheld.dates import Instant
from upheld.keeper.checking import House
from upheld.ledger.entries import Entry, entry_of, place_of
from upheld.ledger.report import Exhibit
from upheld.store import history
from upheld.store.subjects import unpacked_uses

AS_RECORDED: Final = "as-recorded"
"""The name under which the outcome stands in the ledger, as of any other check of the system."""

Signature = tuple[object, ...]


class Deviation(NamedTuple):
    """One thing that is not as recorded. `paths` are the elements whose promise it breaks, `alias` whose it is."""

    what: str
    key: str
    at: Instant
    paths: tuple[str, ...]
    alias: str = ""
    shown: tuple[Exhibit, ...] = ()


class _Made(NamedTuple):
    """A row that an entry made."""

    said: Signature
    entry: Entry
    shown: Exhibit

    @property
    def alias(self) -> str:
        return self.entry.persons[0] if self.entry.persons else ""


@dataclass
class _Recorded:
    """What the sealed ledger says must be there."""

    rows: dict[str, dict[object, _Made]] = field(default_factory=dict)
    """By table, then by the id or key of the row."""
    values: dict[int, _Made] = field(default_factory=dict)
    apart: dict[int, _Made] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    """Values that were destroyed or lost."""
    papers: dict[str, _Made] = field(default_factory=dict)
    persons: dict[str, _Made] = field(default_factory=dict)
    """By alias, those who were forgotten left out in the end."""
    forgotten: set[str] = field(default_factory=set)
    left: dict[frozenset[object], list[Exhibit]] = field(default_factory=dict)
    """Roles that were taken away, and places in a register that were left, by both names."""
    incident: bool = False
    """The officer went on from an old ledger: what it lost is on record as lost, and shows here as unrecorded."""

    def row(self, table: str, key: object, made: _Made) -> None:
        self.rows.setdefault(table, {})[key] = made


def deviations(house: House) -> dict[tuple[str, str], Deviation]:
    """What is not as recorded at this moment, by what and key.

    Others may write meanwhile: what counts is what two looks have, with the ledger sealed between them.
    """
    recorded = _recorded(house)
    found = [
        *_persons(house, recorded),
        *_rows(house, recorded),
        *_values(house, recorded),
        *_papers(house, recorded),
    ]
    return {(one.what, one.key): one for one in found}


# ── What the ledger says ──────────────────────────────────────────────────────────────────────────────────────────────


def _recorded(house: House) -> _Recorded:
    recorded = _Recorded()
    for leaf, number, row in history.rows(house.places.sealer.connection, _KINDS, house.policy):
        kind = cast(str, row[0])
        if kind == "control.evidenced" and (len(row) <= _ABOUT or row[_ABOUT] is None):
            continue  # what a check of the system found stands in the ledger alone
        one = entry_of(row)
        _READ[kind](recorded, one, Exhibit(f"{leaf}:{number}", kind, Instant(one.at)))
    for alias in recorded.forgotten:
        recorded.persons.pop(alias, None)
    return recorded


_ABOUT: Final = place_of("control.evidenced", "about")


def _text(one: Entry, name: str) -> str:
    return str(one.fields.get(name) or "")


def _ids(one: Entry) -> tuple[int, ...]:
    return cast(tuple[int, ...], one.fields.get("values") or ())


def _entered(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.persons[one.persons[0]] = _Made((one.fields["kind"],), one, shown)


def _forgotten(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.forgotten.update(one.persons)


def _begun(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    said = (one.fields["kind"], one.fields.get("begun_at", one.at))
    recorded.row("engagement", one.fields["engagement"], _Made(said, one, shown))


def _fact(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    if "id" in one.fields:
        table = "fact" if one.persons else "controller_fact"
        recorded.row(table, one.fields["id"], _Made((one.fields["fact"], one.at), one, shown))


def _consent(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    said = (int(one.kind == "consent.given"), one.fields["about_kind"], one.fields["about"], one.at)
    recorded.row("consent", one.fields["consent"], _Made(said, one, shown))


def _request(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.row("request", one.fields["request"], _Made((one.fields["right"],), one, shown))


def _given(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    if "disclosure" in one.fields:
        recorded.row("disclosure", one.fields["disclosure"], _Made((), one, shown))


def _certified(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    """The last issue of a certificate is the one that is kept."""
    recorded.row("certificate", one.fields["certificate"], _Made((one.fields["digest"],), one, shown))


def _evidenced(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    key = (_text(one, "control"), _text(one, "evidence"), _text(one, "named"), one.at)
    recorded.row("evidence", key, _Made((), one, shown))


def _contract(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.row("contract", one.fields["contract"], _Made((one.fields["party"], one.at), one, shown))


def _granted(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.row("handler", (one.fields["handler"], one.fields["duty"], one.at), _Made((), one, shown))


def _revoked(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.left.setdefault(frozenset((one.fields["handler"], one.fields["duty"])), []).append(shown)


def _registered(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    if one.fields.get("left"):
        recorded.left.setdefault(frozenset((one.fields["register"], one.fields["name"])), []).append(shown)
    else:
        key = (one.fields["register"], one.fields["name"], one.at)
        recorded.row("register", key, _Made((), one, shown))


def _collected(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    for value, item in zip(_ids(one), cast(tuple[str, ...], one.fields["items"]), strict=True):
        recorded.values[value] = _Made((item,), one, shown)


def _corrected(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.values[cast(int, one.fields["new"])] = _Made((), one, shown)


def _apart(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.apart.update(dict.fromkeys(_ids(one), _Made((), one, shown)))


def _gone(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.gone.update(_ids(one))


def _filed(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.papers[_text(one, "paper")] = _Made((one.fields["kind"],), one, shown)


def _paper_gone(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    for paper in cast(tuple[str, ...], one.fields["papers"]):
        recorded.papers.pop(paper, None)


def _recovered(recorded: _Recorded, one: Entry, shown: Exhibit) -> None:
    recorded.incident |= "incident" in one.fields


_READ: Final[Mapping[str, Callable[[_Recorded, Entry, Exhibit], None]]] = {
    "subject.entered": _entered, "subject.forgotten": _forgotten, "engagement.begun": _begun, "fact.recorded": _fact,
    "consent.given": _consent, "consent.withdrawn": _consent, "request.received": _request, "value.provided": _given,
    "value.entrusted": _given, "value.disclosed": _given, "certificate.issued": _certified,
    "control.evidenced": _evidenced, "contract.recorded": _contract, "handler.granted": _granted,
    "handler.revoked": _revoked, "register.entered": _registered, "value.collected": _collected,
    "value.corrected": _corrected, "value.separated": _apart, "value.destroyed": _gone, "value.lost": _gone,
    "paper.filed": _filed, "paper.destroyed": _paper_gone, "paper.lost": _paper_gone, "recovered": _recovered,
}  # fmt: skip
_KINDS: Final = tuple(_READ)


# ── Persons ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _persons(house: House, recorded: _Recorded) -> Iterator[Deviation]:
    with house.places.keys.reading() as connection:
        behind = {alias: subject for subject, alias in connection.execute(_ALIASES, (house.policy,))}
    here = {str(subject): f"subjects.{kind}" for subject, kind in house.rows(_SUBJECTS, house.policy)}
    for alias, made in recorded.persons.items():
        if behind.get(alias) not in here:
            yield _missing("subject", alias, made)
    if not recorded.incident:
        known = {subject for alias, subject in behind.items() if alias in recorded.persons}
        for subject in sorted(here.keys() - known):
            yield Deviation("record-unrecorded", f"subject/{subject}", house.now, (here[subject],))
    destruction = house.line.latest.destruction.at_expiry.path
    for nobody, count in house.rows(_NOBODYS_DAYS, house.policy):
        yield Deviation("left-over", f"anchor/{nobody}/{count}", house.now, (destruction,))


def _missing(table: str, key: object, made: _Made, *more: str) -> Deviation:
    paths = tuple(dict.fromkeys((*made.entry.elements, *more)))
    return Deviation("record-missing", f"{table}/{key}", made.shown.at, paths, made.alias, (made.shown,))


# ── Rows: facts, consents, requests, what was given away, certificates, what the house put on record ──────────────────


def _rows(house: House, recorded: _Recorded) -> Iterator[Deviation]:
    for table, (statement, path_of) in _TABLES.items():
        expected = recorded.rows.get(table, {})
        here: dict[object, Signature] = {}
        for key, said, owned in map(_SPLIT[table], house.rows(statement, house.policy)):
            here[key] = said
            if owned and key not in expected and not recorded.incident:
                paths = tuple(path_of(house, key, said))
                yield Deviation("record-unrecorded", f"{table}/{key}", house.now, paths)
        for key, made in expected.items():
            if made.alias in recorded.forgotten:
                if key in here:
                    yield Deviation("left-over", f"{table}/{key}", made.shown.at, made.entry.elements)
            elif key not in here:
                yield _missing(table, key, made, *path_of(house, key, made.said))
            elif made.said and here[key][: len(made.said)] != made.said:
                missing = _missing(table, key, made, *path_of(house, key, made.said))
                yield missing._replace(what="record-changed")
    yield from _not_left(house, recorded)


def _not_left(house: House, recorded: _Recorded) -> Iterator[Deviation]:
    """Roles that were taken away and places that were left are not open again."""
    for kind, name, since, table in house.rows(_OPEN, house.policy, house.policy):
        key: tuple[object, object, object] = (name, kind, since) if table == "handler" else (kind, name, since)
        made = recorded.rows.get(str(table), {}).get(key)
        ended = [one for one in recorded.left.get(frozenset((kind, name)), ()) if made and _after(one, made.shown)]
        if ended:
            paths = (f"handlers.{kind}",) if table == "handler" else tuple(_owed_per(house, str(kind)))
            yield Deviation("record-changed", f"{table}/{key}", ended[0].at, paths, "", (ended[0],))


def _after(one: Exhibit, other: Exhibit) -> bool:
    """Sealed later: what happened at one instant, or was entered afterwards, is told apart by that."""
    return tuple(map(int, one.reference.split(":"))) > tuple(map(int, other.reference.split(":")))


def _owed_per(house: House, register: str) -> Iterator[str]:
    """The safeguards that are owed for each name of a register."""
    for control in house.line.latest.controls.values():
        if control.per is not None and str(control.per) == register:
            yield control.rule.path


Row = tuple[object, ...]
_Split = Callable[[Row], tuple[object, Signature, bool]]


def _of_a_person(row: Row) -> tuple[object, Signature, bool]:
    """Of a person: the policy is the last column, nothing where nobody of that id is there any more."""
    return row[0], row[1:-1], row[-1] is not None


def _of_the_house(row: Row) -> tuple[object, Signature, bool]:
    return row[0], row[1:], True


def _certificate(row: Row) -> tuple[object, Signature, bool]:
    return row[0], (hashlib.sha256(cast(bytes, row[1])).digest(),), True


def _filed_row(row: Row) -> tuple[object, Signature, bool]:
    return tuple(row), (), True


_SPLIT: Final[Mapping[str, _Split]] = {
    "engagement": _of_a_person, "fact": _of_a_person, "consent": _of_a_person, "request": _of_a_person,
    "disclosure": _of_a_person, "certificate": _certificate, "controller_fact": _of_the_house,
    "contract": _of_the_house, "handler": _filed_row, "register": _filed_row, "evidence": _filed_row,
}  # fmt: skip

_PathsOf = Callable[[House, object, Signature], Iterable[str]]


def _first(section: str) -> _PathsOf:
    """The element that the first column names."""
    return lambda house, key, said: (f"{section}.{said[0]}",) if said else ()


def _agreed(house: House, key: object, said: Signature) -> Iterable[str]:
    plan = house.line.latest
    purpose = plan.purposes.get(str(said[2]))
    return (purpose.rule.path,) if said[1] == "purpose" and purpose else ()


def _got(house: House, key: object, said: Signature) -> Iterable[str]:
    plan, name = house.line.latest, str(said[0]) if said else ""
    row = plan.provisions.get(name) or plan.entrustments.get(name)
    return (row.rule.path,) if row else ()


def _party(house: House, key: object, said: Signature) -> Iterable[str]:
    plan, name = house.line.latest, said[0] if said else None
    found = [row.rule.path for row in plan.entrustments.values() if row.party == name]
    return found + [row.rule.path for row in plan.provisions.values() if row.party == name]


def _destroyed_so(house: House, key: object, said: Signature) -> Iterable[str]:
    return (house.line.latest.destruction.at_expiry.path,)


def _duty(house: House, key: object, said: Signature) -> Iterable[str]:
    _, duty, _ = cast(tuple[str, str, int], key)
    return (f"handlers.{duty}", *_owed_per(house, "handler"))


def _entry_in(house: House, key: object, said: Signature) -> Iterable[str]:
    return _owed_per(house, cast(tuple[str, ...], key)[0])


def _evidence_for(house: House, key: object, said: Signature) -> Iterable[str]:
    name = cast(tuple[str, ...], key)[0]
    control = house.line.latest.controls.get(name)
    return (control.rule.path if control else name,)


def _of_people(table: str, columns: str, only: str = "1 = 1") -> str:
    """Rows of a table of persons, those whose person is not there too, with the policy of the person."""
    return (
        f"SELECT {columns}, s.policy FROM {table} t "  # noqa: S608 - words of ours
        f"LEFT JOIN subject s ON s.bucket = t.bucket AND s.subject_id = t.subject_id "
        f"WHERE {only} AND (s.policy = ? OR s.policy IS NULL)"
    )


_TABLES: Final[Mapping[str, tuple[str, _PathsOf]]] = {
    "engagement": (_of_people("engagement", "t.engagement_id, t.kind, t.begun_at"), _first("engagements")),
    "fact": (_of_people("fact", "t.fact_id, t.code, t.at"), _first("facts")),
    "consent": (_of_people("consent", "t.consent_id, t.given, t.about_kind, t.about, t.at"), _agreed),
    "request": (_of_people("request", "t.request_id, t.own_right"), _first("rights")),
    "disclosure": (_of_people("disclosure", "t.disclosure_id, t.recipient", "t.kind <> 'handover'"), _got),
    "certificate": ("SELECT certificate_id, body FROM certificate WHERE policy = ?", _destroyed_so),
    "controller_fact": ("SELECT fact_id, code, at FROM controller_fact WHERE policy = ?", _first("facts")),
    "contract": ("SELECT contract_id, party, from_at FROM contract WHERE policy = ?", _party),
    "handler": ("SELECT handler_id, duty, granted_at FROM handler WHERE policy = ?", _duty),
    "register": ("SELECT register, name, from_at FROM register WHERE policy = ?", _entry_in),
    "evidence": ("SELECT control, kind, about, at FROM evidence WHERE policy = ?", _evidence_for),
}
"""By table: its rows, and the elements that rest on one of them besides those that its entry names."""


# ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Kept(NamedTuple):
    """A value as the active place has it."""

    subject: str
    item: str
    state: str
    key_id: int | None
    uses: str
    policy: str | None


def _values(house: House, recorded: _Recorded) -> Iterator[Deviation]:
    here = {cast(int, value): _Kept(*rest) for value, *rest in house.rows(_VALUES, house.policy)}  # type: ignore[arg-type]  # columns as the schema has them
    with house.places.separated.reading() as connection:
        apart = dict(connection.execute(_APART).fetchall())
    with house.places.keys.reading() as connection:
        keys, apart_keys = ({one for (one,) in connection.execute(each)} for each in _KEY_IDS)
        tokens = {one for (one,) in connection.execute(_TOKENS, (house.policy,))}
    for value, made in recorded.values.items():
        kept, moved = here.get(value), recorded.apart.get(value)
        paths = tuple(dict.fromkeys((*made.entry.elements, *(moved.entry.elements if moved else ()))))
        shown = (made.shown, moved.shown) if moved else (made.shown,)
        own = Deviation("", f"value/{value}", made.shown.at, paths, made.alias, shown)
        if value in recorded.gone or made.alias in recorded.forgotten:
            if value in apart or value in tokens or (kept is not None and _still(kept, made, recorded)):
                yield own._replace(what="left-over")
        elif kept is None or kept.state == "destroyed" or (kept.state == "separated" and value not in apart):
            yield own._replace(what="record-missing")
        elif _unreadable(kept, apart.get(value), keys, apart_keys):
            yield own._replace(what="key-missing")
    if not recorded.incident:
        for value in sorted(here.keys() - recorded.values.keys()):
            kept = here[value]
            if kept.policy is not None:
                paths = (f"items.{kept.item}", *_purposes(house, kept.uses))
                yield Deviation("record-unrecorded", f"value/{value}", house.now, paths)


def _still(kept: _Kept, made: _Made, recorded: _Recorded) -> bool:
    """Of a destroyed value a stub stays until its person is forgotten."""
    return made.alias in recorded.forgotten or kept.state != "destroyed" or kept.key_id is not None


def _unreadable(kept: _Kept, apart: int | None, keys: set[int], apart_keys: set[int]) -> bool:
    """What is held can be decrypted somewhere. Whose destruction was ordered is nobody's to read."""
    match kept.state:
        case "held" | "moving":
            return kept.key_id not in keys
        case "separated":
            return apart not in apart_keys
        case _:
            return False


def _purposes(house: House, uses: str) -> list[str]:
    names = {use.purpose for use in unpacked_uses(uses)}
    return [row.rule.path for name, row in sorted(house.line.latest.purposes.items()) if name in names]


# ── Papers ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _papers(house: House, recorded: _Recorded) -> Iterator[Deviation]:
    here = {str(paper): str(state) for paper, state in house.rows(_PAPERS, house.policy)}
    known = house.places.papers.known()
    for paper, made in recorded.papers.items():
        if paper not in here:
            yield _missing("paper", paper, made)
        elif here[paper] == "held" and paper not in known:
            yield _missing("paper", paper, made)._replace(what="key-missing")


_ALIASES = "SELECT subject_id, alias FROM alias WHERE policy = ?"
_SUBJECTS = "SELECT subject_id, kind FROM subject WHERE policy = ?"
_NOBODYS_DAYS = (
    "SELECT a.subject_id, count(*) FROM anchor a WHERE a.policy = ? AND NOT EXISTS (SELECT 1 FROM subject s "
    "WHERE s.bucket = a.bucket AND s.subject_id = a.subject_id) GROUP BY a.subject_id"
)
_OPEN = (
    "SELECT duty, handler_id, granted_at, 'handler' FROM handler WHERE policy = ? AND revoked_at IS NULL UNION ALL "
    "SELECT register, name, from_at, 'register' FROM register WHERE policy = ? AND until_at > 4102444800000000"
)
_VALUES = _of_people("value", "t.value_id, t.subject_id, t.item, t.state, t.key_id, t.uses")
_APART = "SELECT value_id, key_id FROM value"
_KEY_IDS = ("SELECT key_id FROM active_key", "SELECT key_id FROM separated_key")
_TOKENS = "SELECT value_id FROM token WHERE policy = ?"
_PAPERS = "SELECT paper_id, state FROM paper WHERE policy = ?"
