"""What was handed to others, replayed from the entries that name one recipient: consents, contracts, answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from upheld.dates import FOREVER, Instant, end_of
from upheld.engine.plan import Atom, atoms_of
from upheld.keeper.looking import MENDED, Looked, shown_of
from upheld.keeper.unasked import PAPERS
from upheld.ledger.report import Breach
from upheld.policy.model import CollectionException, ProvisionException, Row
from upheld.store import history
from upheld.store.history import Recorded

_OUT = frozenset({"value.provided", "value.entrusted", "value.disclosed", "transfer.recorded"})


def party_of(look: Looked, path: str) -> str:
    """The party that a provision or entrustment names."""
    name = path.split(".")[1]
    row = look.plan.entrustments.get(name) or look.plan.provisions.get(name)
    return row.party if row else name


def standing_for(look: Looked, path: str) -> str:
    """The path of the row that a transfer abroad stands for."""
    row = look.plan.transfers[path.split(".")[1]]
    rows = look.plan.entrustments if row.standing_for == "entrustment" else look.plan.provisions
    return next((one.rule.path for one in rows.values() if one.party == row.party), path)


def entrusted_to(look: Looked, path: str) -> frozenset[str]:
    """The aliases of everybody whose data went to a processor."""
    return frozenset(
        alias for one in look.entries_of(path) if one.entry.kind == "value.entrusted" for alias in one.entry.persons
    )


def given_without_consent(look: Looked, path: str) -> tuple[Breach, ...]:
    """What went to a recipient, or to a processor with a consent of its own, while none to it stood."""
    entrusted = path.startswith("entrustments.")
    return tuple(_without_consent(look, path, "value.entrusted" if entrusted else "value.provided"))


def transferred_without_consent(look: Looked, path: str) -> tuple[Breach, ...]:
    """What left the country without the consent on which it rests."""
    if look.plan.transfers[path.split(".")[1]].basis != "consent":
        return look.against(path)
    return (*look.against(path), *_without_consent(look, path, "transfer.recorded"))


def _without_consent(look: Looked, path: str, kind: str) -> Iterator[Breach]:
    """By what was known at each instant; a withdrawal known later leaves a gap until it was known."""
    standing: dict[str, bool] = {}
    given: dict[str, list[Recorded]] = {}
    mended = _mended(look, path)
    known = known_too_late(look, path)
    yield from known.values()
    for one in sorted(look.entries_of(path), key=_known_at):
        alias = one.entry.persons[0] if one.entry.persons else ""
        match one.entry.kind:
            case "consent.given":
                standing[alias] = True
            case "consent.withdrawn":
                standing[alias] = False
                noted = (each for each in given.get(alias, ()) if _disclosure(each) not in known)
                yield from _too_late(one, noted, path)
            case other if other == kind:
                given.setdefault(alias, []).append(one)
                if not standing.get(alias):
                    yield _act(one, "consent-missing", path, mended)
            case _:
                pass


def known_too_late(look: Looked, path: str) -> Mapping[str, Breach]:
    """By disclosure: what was given away and should have stayed by what was known later. A gap until it was known."""
    given = {_disclosure(one): one for one in reversed(look.entries_of(path)) if one.entry.kind in _OUT}
    late = [one for one in look.entries_of(path) if one.entry.kind == "exception.late" and _disclosure(one) in given]
    return {
        _disclosure(one): Breach(
            "too-late-to-prevent",
            path,
            Instant(given[_disclosure(one)].entry.at),
            Instant(one.entry.at),
            frozenset(one.entry.persons),
            str(one.entry.fields.get("fact", "")),
            (shown_of(one),),
        )
        for one in reversed(late)
    }


def _disclosure(one: Recorded) -> str:
    return str(one.entry.fields.get("disclosure") or "")


def _values(one: Recorded) -> tuple[int, ...]:
    return cast(tuple[int, ...], one.entry.fields.get("values") or ())


def _known_at(one: Recorded) -> tuple[int, int, int]:
    known = one.entry.fields.get("known_at")
    return (known if type(known) is int else one.entry.at, one.leaf, one.number)


def _too_late(withdrawal: Recorded, given: Iterable[Recorded], path: str) -> Iterator[Breach]:
    for one in given:
        if one.entry.at > withdrawal.entry.at:
            since, until = Instant(one.entry.at), Instant(_known_at(withdrawal)[0])
            shown = (shown_of(withdrawal),)
            yield Breach("too-late-to-prevent", path, since, until, frozenset(one.entry.persons), shown=shown)


def _mended(look: Looked, path: str) -> list[Instant]:
    return look.filed_for(path, MENDED)


def _act(one: Recorded, what: str, path: str, mended: list[Instant]) -> Breach:
    at = Instant(one.entry.at)
    until = next((each for each in mended if each > at), None)
    return Breach(what, path, at, until, frozenset(one.entry.persons), shown=(shown_of(one),))


def disclosed_without_law(look: Looked, row: Row) -> tuple[Breach, ...]:
    """Disclosures under an exception that names laws, without one of them."""
    assert isinstance(row, ProvisionException)
    laws = {one.law for one in row.law}
    wrong = [
        one
        for one in look.entries_of(row.path)
        if one.entry.kind == "value.disclosed" and laws and one.entry.fields.get("law") not in laws
    ]
    mended = _mended(look, row.path)
    late = known_too_late(look, row.path).values()
    return (*look.against(row.path), *late, *(_act(one, "law-missing", row.path, mended) for one in wrong))


def taken_unasked(look: Looked, row: Row) -> tuple[Breach, ...]:
    """Data taken under an exception without what it needs on record: a law of its list, a difficulty, the papers."""
    assert isinstance(row, CollectionException)
    laws = {one.law for one in row.law}
    needs = {str(need) for need in row.needs}
    mended = _mended(look, row.path)
    wrong = [
        one
        for one in look.entries_of(row.path)
        if one.entry.kind in ("value.collected", "value.reused")
        and (
            (laws and one.entry.fields.get("law") not in laws)
            or any(one.entry.fields.get(need) is None for need in needs & {"article", "difficulty", "approver"})
            or (needs & PAPERS and one.entry.fields.get("papers") is None)
        )
    ]
    return (*look.against(row.path), *(_act(one, "unasked-incomplete", row.path, mended) for one in wrong))


def entrusted_without_contract(look: Looked, path: str) -> tuple[Breach, ...]:
    """What was handed to a processor when no contract with it was in force."""
    party, mended, late = party_of(look, path), _mended(look, path), known_too_late(look, path)
    spans = [(one.from_at, one.until_at) for one in look.contracts if one.party == party]
    wrong = [
        one
        for one in look.entries_of(path)
        if one.entry.kind == "value.entrusted"
        and _disclosure(one) not in late
        and not any(since <= one.entry.at < until for since, until in spans)
    ]
    return (*look.against(path), *late.values(), *(_act(one, "contract-missing", path, mended) for one in wrong))


@dataclass(slots=True)
class _Recall:
    told: Recorded
    acknowledged: Instant = FOREVER


def unacknowledged(look: Looked, path: str) -> tuple[Breach, ...]:
    """Recipients that were told to correct, return or destroy and did not answer within the grace."""
    recalls: list[_Recall] = []
    for one in look.entries_of(path):
        disclosure = one.entry.fields.get("disclosure")
        if one.entry.kind == "recipient.told":
            recalls.append(_Recall(one))
        elif one.entry.kind == "recipient.acknowledged":
            for each in recalls:
                ours = disclosure is None or each.told.entry.fields.get("disclosure") == disclosure
                if each.acknowledged == FOREVER and ours:  # without a disclosure: everything came back with a contract
                    each.acknowledged = Instant(one.entry.at)
    breaches: list[Breach] = []
    for each in recalls:
        limit = end_of(Instant(each.told.entry.at), look.plan.destruction.within, look.plan.zone)
        if limit <= look.now and each.acknowledged > limit:
            until = each.acknowledged if each.acknowledged < FOREVER else None
            persons = frozenset(each.told.entry.persons)
            breaches.append(Breach("return-overdue", path, limit, until, persons, shown=(shown_of(each.told),)))
    return tuple(breaches)


def abroad_too_long(look: Looked, path: str) -> tuple[Breach, ...]:
    """Copies abroad whose own end has come without a return shown. It counts from the consent to the transfer or from
    that to collecting what went, whichever came first.
    """
    row = look.plan.transfers[path.split(".")[1]]
    periods = [period for fact, _, period in _atoms(look, path) if fact == "consented"]
    if not periods:
        return ()
    agreed = _consents(look.entries_of(path))
    back = _Returned.shown_by(look.entries_of(standing_for(look, path)))
    breaches: list[Breach] = []
    for alias, sent in _by_person(one for one in look.entries_of(path) if one.entry.kind == "transfer.recorded"):
        came = _Came.of(history.entries_about(look.connection, alias), _task(look, path))
        for one in sent:
            at = Instant(one.entry.at)
            given = max((each for each in agreed.get(alias, ()) if each <= at), default=at)
            end = end_of(min(given, came.agreed_by(one)), periods[0], look.plan.zone)
            limit = end_of(end, look.plan.destruction.within, look.plan.zone)
            returned = back.of(one)
            if limit <= look.now and returned > limit:
                until = returned if returned < FOREVER else None
                breaches.append(
                    Breach("copy-abroad-overdue", path, limit, until, frozenset({alias}), row.party, (shown_of(one),))
                )
    return tuple(breaches)


@dataclass(slots=True)
class _Returned:
    """When copies were shown to be back: each after it had been asked back, or all with the contract."""

    single: dict[str, Instant]
    all_at: list[Instant]

    @classmethod
    def shown_by(cls, entries: Iterable[Recorded]) -> _Returned:
        asked: set[str] = set()
        found = cls({}, [])
        for one in entries:
            at, fields = Instant(one.entry.at), one.entry.fields
            match one.entry.kind:
                case "recipient.told" if fields.get("reason") == "return-or-destroy":
                    asked.add(_disclosure(one))
                case "recipient.acknowledged" if fields.get("disclosure") is None:
                    found.all_at.append(at)
                case "recipient.acknowledged" if _disclosure(one) in asked:
                    found.single.setdefault(_disclosure(one), at)
                case _:
                    pass
        return found

    def of(self, sent: Recorded) -> Instant:
        """FOREVER while nobody has shown it."""
        with_all = [at for at in self.all_at if at >= sent.entry.at]
        return min([self.single.get(_disclosure(sent), FOREVER), *with_all])


def _by_person(entries: Iterable[Recorded]) -> Iterable[tuple[str, list[Recorded]]]:
    found: dict[str, list[Recorded]] = {}
    for one in entries:
        for alias in one.entry.persons:
            found.setdefault(alias, []).append(one)
    return found.items()


def _consents(entries: Iterable[Recorded]) -> Mapping[str, list[Instant]]:
    """When each person said yes."""
    given = _by_person(one for one in entries if one.entry.kind == "consent.given")
    return {alias: [Instant(one.entry.at) for one in said] for alias, said in given}


def _task(look: Looked, path: str) -> frozenset[str] | None:
    """The purposes for which what goes abroad is handed over; None where it is given away, whatever it serves here."""
    row = look.plan.transfers[path.split(".")[1]]
    if row.standing_for != "entrustment":
        return None
    return frozenset(name for one in look.plan.entrustments.values() if one.party == row.party for name in one.purposes)


@dataclass(slots=True)
class _Came:
    """How one person's values came in, and when the person agreed to it."""

    consents: dict[str, list[Instant]]
    uses: dict[int, list[tuple[str, Instant, bool]]]
    """Of each value: for which purpose, since when, and whether nobody was asked."""

    @classmethod
    def of(cls, entries: Iterable[Recorded], task: frozenset[str] | None) -> _Came:
        found = cls({}, {})
        for one in entries:
            fields, at = one.entry.fields, Instant(one.entry.at)
            match one.entry.kind:
                case "consent.given" if fields.get("about_kind") == "purpose":
                    found.consents.setdefault(str(fields["about"]), []).append(at)
                case "value.collected" | "value.reused" if task is None or fields["purpose"] in task:
                    use = (str(fields["purpose"]), at, fields.get("exception") is not None)
                    for value in _values(one):
                        found.uses.setdefault(value, []).append(use)
                case "value.corrected":
                    old, new = fields["old"], fields["new"]
                    found.uses[cast(int, new)] = list(found.uses.get(cast(int, old), ()))
                case _:
                    pass
        return found

    def agreed_by(self, sent: Recorded) -> Instant:
        """Of each value that went the newest consent to what it served, of all values the earliest; FOREVER if none."""
        at, first = sent.entry.at, FOREVER
        for value in _values(sent):
            given = [
                each
                for purpose, since, unasked in self.uses.get(value, ())
                for each in ((since,) if unasked else self.consents.get(purpose, ()))
                if max(since, each) <= at
            ]
            first = min(first, max(given, default=FOREVER))
        return Instant(first)


def _atoms(look: Looked, path: str) -> frozenset[Atom]:
    return atoms_of([look.plan.transfers[path.split(".")[1]].until])
