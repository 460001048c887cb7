"""What shows that an element was kept, and what shows that it was not: one table from section and key to a check.

A check reads what was `Looked` at and answers a `Finding`. It never decides by itself that all is well: without an
entry of the ledger there is nothing shown, and a clause that nothing shows has no evidence yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from upheld.dates import FOREVER, Instant, Period, end_of
from upheld.keeper import handed, safeguards, standing
from upheld.keeper.looking import WORDS, Asked, Looked
from upheld.keeper.passed import passed_on_untold, passing_shown
from upheld.ledger.report import Breach, Exhibit, Finding
from upheld.policy import model
from upheld.policy.model import Row
from upheld.policy.vocabulary import Collected, Nature

Check = Callable[[Looked, Row, str], Finding]

REFUSED: Final = ("act.refused", "read.refused")


def _made(
    row: Row,
    key: str,
    shown: Iterable[Exhibit],
    breaches: Iterable[Breach] = (),
    *,
    standing: bool = False,
    note: str = "nothing-happened",
) -> Finding:
    kept = tuple(dict.fromkeys(shown))
    return Finding(row.path, key, kept, tuple(breaches), standing, note="" if kept else note)


def found(look: Looked, row: Row, key: str, clause: str) -> Finding:
    """The finding about one place of the document, for a clause that it carries."""
    name = section_of(row.path)
    if name in WORDS:
        return word(look, row, key, clause)
    if row.blocked:  # nothing is done under it: that it cannot be run is said apart
        return Finding(row.path, key, note="declared-not-run")
    known = look.findings.get((row.path, key))
    if known is None:
        check = TABLE.get((name, key)) or TABLE[name, "all"]
        known = look.findings[row.path, key] = check(look, row, key)
    return known


def section_of(path: str) -> str:
    """The section of a row; its sub-rows have sections of their own, as `entrustments.terms`."""
    parts = path.split(".")
    inner = [part for part in parts[2:-1] if part in ("terms", "uses")]
    return f"{parts[0]}.{inner[0]}" if inner else "empty" if parts[-1] == "every" else parts[0]


def _parent(path: str) -> str:
    return path.rsplit(".", 2)[0]


# ── Head, guarantees ──────────────────────────────────────────────────────────────────────────────────────────────────


def _publication(look: Looked) -> tuple[Exhibit, ...]:
    return tuple(look.seen.get(f"published/{look.plan.version}", ()))


def in_force(look: Looked, row: Row, key: str) -> Finding:
    """The version was put on file, and from its day on acts are decided by it."""
    return _made(row, key, _publication(look))


def announced(look: Looked, row: Row, key: str) -> Finding:
    """Announced before it holds, and as far ahead as the version before it promised."""
    versions = [one.version for one in look.published]
    place = versions.index(look.plan.version)
    breaches = _announced_late(look, place, row.path)
    return _made(row, key, _publication(look), breaches)


def _announced_late(look: Looked, place: int, path: str) -> list[Breach]:
    """A publication against the promise of the version that was in force: a gap from the effective day on."""
    one = look.published[place]
    ahead = _promised_ahead(look, place - 1) if place else Period()
    due = end_of(one.announced_at, ahead, look.plan.zone) if ahead != Period() else one.announced_at
    if due <= one.effective_at:
        return []
    shown = _of_version(look, one.version)
    return [Breach("announced-late", path, one.effective_at, due, detail=one.version, shown=shown)]


def _of_version(look: Looked, version: str) -> tuple[Exhibit, ...]:
    return tuple(look.seen.get(f"published/{version}", ()))


def _promised_ahead(look: Looked, place: int) -> Period:
    row = look.documents(look.published[place].version).changes.get("any")
    return row.ahead if row is not None and row.ahead is not None else Period()


def guarantee(look: Looked, row: Row, key: str) -> Finding:
    """What the engine keeps under every policy: each has a look of its own."""
    return _GUARANTEES[row.name](look, row, key)


def _closed_purposes(look: Looked, row: Row, key: str) -> Finding:
    refused = look.naming("purposes", REFUSED) + look.naming(row.path, REFUSED)
    return _made(row, key, refused + look.total("read.granted"), look.against(row.path, "purposes"))


def _closed_items(look: Looked, row: Row, key: str) -> Finding:
    shown, breaches = look.checked("items-declared", row.path)
    return _made(row, key, look.naming("items", REFUSED) + look.naming(row.path, REFUSED) + shown, breaches)


def _sensitive(look: Looked, row: Row, key: str) -> Finding:
    shown, breaches = look.checked("sensitive-agreed", row.path)
    return _made(row, key, look.naming(row.path, REFUSED) + shown, breaches)


def _recipients(look: Looked, row: Row, key: str) -> Finding:
    shown, breaches = look.checked("recipients-listed", row.path)
    return _made(row, key, look.naming(row.path, REFUSED) + shown, breaches)


def _due_unread(look: Looked, row: Row, key: str) -> Finding:
    return _made(row, key, look.told("refused-due"), look.against(row.path, "read-when-due"))


def _as_told(look: Looked, row: Row, key: str) -> Finding:
    """Consents are bound to the text shown, and nothing is kept longer than told."""
    shown, breaches = look.checked("texts-kept", row.path)
    return _made(row, key, shown, (*breaches, *look.against(row.path, "anything-overdue")))


def _edits(look: Looked, row: Row, key: str) -> Finding:
    return _made(row, key, look.total("value.corrected"))


def _from_document(look: Looked, row: Row, key: str) -> Finding:
    shown, breaches = look.checked("sources-unchanged", row.path)
    return _made(row, key, shown, breaches)


def _classified(look: Looked, row: Row, key: str) -> Finding:
    shown, breaches = look.checked("columns-classified", row.path)
    return _made(row, key, shown, breaches)


def _always_open(look: Looked, row: Row, key: str) -> Finding:
    shown = look.total("notice.shown") + look.attested(row.path)
    return _made(row, key, shown, look.against(row.path), note="needs-attesting")


_GUARANTEES: Final[Mapping[str, Check]] = {
    "one-version-in-force": in_force,
    "held-to-what-was-told": _as_told,
    "closed-purposes": _closed_purposes,
    "closed-items": _closed_items,
    "sensitive-asked-apart": _sensitive,
    "no-recipient-unlisted": _recipients,
    "edits-follow-their-item": _edits,
    "due-is-unread": _due_unread,
    "notice-from-document": _from_document,
    "every-field-classified": _classified,
    "notice-always-open": _always_open,
}


# ── Words: carried by the rules that use them ─────────────────────────────────────────────────────────────────────────

_DIRECT: Final[Mapping[str, tuple[str, ...]]] = {
    "subjects": ("subject.entered",),
    "engagements": ("engagement.begun", "engagement.ended"),
    "facts": ("fact.recorded",),
}


def word(look: Looked, row: Row, key: str, clause: str) -> Finding:
    """A word has the state of the rules that use it: of those that carry the same clause, or of all if no rule does.

    For persons, relations and facts the entries themselves count as well.
    """
    if (row.path, clause) in look.asking:
        return Finding(row.path, key)
    look.asking.add((row.path, clause))
    every = look.users(row.path.split(".")[0], row.name)
    same = [each for each in every if any(clause in ids for ids in each[0].clauses.values())]
    asked = same if clause in look.clauses_of_rules else every
    users = [found(look, user, used, clause) for user, used in asked]
    look.asking.discard((row.path, clause))
    own = look.naming(row.path, _DIRECT.get(row.path.split(".")[0], ()))
    bare = [one for one in users if one.standing and not one.shown and not one.breaches]
    breaches = [*look.against(row.path), *(one for user in users for one in user.breaches)]
    if bare:
        return _made(row, key, (), breaches, standing=True, note="no-rule")
    return _made(row, key, (*own, *(one for user in users for one in user.shown)), breaches, note="no-rule")


def channel(look: Looked, row: Row, key: str) -> Finding:
    """A way in is shown by what came in by it: consents, collections, requests."""
    kinds = ("consent.given", "consent.withdrawn", "value.collected")
    came = look.naming(row.path, kinds) + look.naming(f"consent.{row.name}", kinds)
    return _made(row, key, came + look.within(one.received for one in _requests(look, by=row.name)))


def shown_papers(look: Looked, row: Row, key: str) -> Finding:
    """A proof is shown by requests on which it was the one that proved identity or mandate."""
    assert isinstance(row, model.Proof)
    accepted = {row.name, *row.any_of, *row.all_of}
    accepted |= {one.name for one in look.document.proofs.values() if row.name in one.all_of}
    proved = [one.proved for one in look.asked.values() if one.proved and one.proof in accepted]
    papers = [one for name in sorted(accepted) for one in look.told(f"papers/{name}")]
    return _made(row, key, (*look.within(proved), *papers), look.against(row.path))


# ── Items, purposes, collection, consent ──────────────────────────────────────────────────────────────────────────────


def item(look: Looked, row: Row, key: str) -> Finding:
    """Collected under a purpose that lists it, or refused; one that is never collected has no value at all."""
    assert isinstance(row, model.Item)
    kinds = (
        ("act.refused",) if row.collected is Collected.NEVER else ("value.collected", "act.refused", "consent.given")
    )
    breaches = look.against(row.path)
    if row.collected is Collected.NEVER:
        breaches += standing.held_of(look, row.path, row.name)
    if row.nature is Nature.PASSWORD:
        breaches += look.checked("passwords-one-way", row.path)[1]
    return _made(row, key, look.naming(row.path, kinds), breaches)


def purpose(look: Looked, row: Row, key: str) -> Finding:
    """Taken, read or refused for this purpose."""
    kinds = ("value.collected", "value.reused", "read.granted", "advert.sent", *REFUSED)
    return _made(row, key, look.naming(row.path, kinds), look.against(row.path))


def purpose_use(look: Looked, row: Row, key: str) -> Finding:
    """A use below a purpose is shown by what was done for the purpose."""
    parent = look.row(_parent(row.path))
    return purpose(look, row, key) if parent is None else _under(row, key, purpose(look, parent, "all"))


def _under(row: Row, key: str, finding: Finding) -> Finding:
    return Finding(row.path, key, finding.shown, finding.breaches, finding.standing, note=finding.note)


def purpose_end(look: Looked, row: Row, key: str) -> Finding:
    """The end of use: values that were destroyed or moved when it came."""
    return _made(row, key, look.naming(row.path, ("value.destroyed", "value.separated")), look.against(row.path))


def purpose_basis(look: Looked, row: Row, key: str) -> Finding:
    """Consents given and refused for the purpose; values of it that no consent was given for."""
    breaches = look.against(row.path) + standing.unconsented(look, row.path, row.name)
    return _made(row, key, look.naming(row.path, ("consent.given", "consent.withdrawn", "act.refused")), breaches)


def purpose_items(look: Looked, row: Row, key: str) -> Finding:
    """What was taken for it, and what was refused."""
    return _made(row, key, look.naming(row.path, ("value.collected", "act.refused")), look.against(row.path))


def by_entries(*kinds: str) -> Check:
    """Shown by entries of these kinds that name the element."""

    def check(look: Looked, row: Row, key: str) -> Finding:
        return _made(row, key, look.naming(row.path, kinds), look.against(row.path))

    return check


def on_record(look: Looked, row: Row, key: str) -> Finding:
    """Shown by what somebody put on record for it."""
    return _made(row, key, look.attested(row.path), look.against(row.path), note="needs-attesting")


def consent_channel(look: Looked, row: Row, key: str) -> Finding:
    """Consents recorded by this channel, each bound to the text shown."""
    _, breaches = look.checked("texts-kept", row.path)
    return _made(row, key, look.naming(row.path, ("consent.given", "consent.withdrawn")), breaches)


# ── Keeping and destroying ────────────────────────────────────────────────────────────────────────────────────────────

_KEPT = ("value.separated", "value.destroyed", "values.shown")


def kept_apart(look: Looked, row: Row, key: str) -> Finding:
    """Values that this ground kept, and their destruction when it ended."""
    return _made(row, key, look.naming(row.path, _KEPT), look.against(row.path))


def statute_items(look: Looked, row: Row, key: str) -> Finding:
    """The record holds its own items and nothing else."""
    assert isinstance(row, model.Statute)
    breaches = look.against(row.path) + standing.outside(look, row.path, frozenset(row.items))
    return _made(row, key, look.naming(row.path, _KEPT), breaches)


def at_expiry(look: Looked, row: Row, key: str) -> Finding:
    """Destroyed in time, with a certificate."""
    kinds = ("value.destroyed", "certificate.issued")
    overdue = standing.orders_overdue(look, row.path, lambda place: True)
    return _made(row, key, look.naming(row.path, kinds), look.against(row.path) + overdue)


def destruction(look: Looked, row: Row, key: str) -> Finding:
    """How it ends: at expiry, when needless, electronically, on paper."""
    expiry = look.plan.destruction.at_expiry.path
    if key == "approval":
        return _made(row, key, look.naming(row.path, ("approval.given",)), look.against(row.path))
    match row.name:
        case "at-expiry":
            return at_expiry(look, row, key)
        case "when-needless":
            return _made(row, key, look.told("needless"), look.against(row.path))
        case "paper":
            overdue = standing.orders_overdue(look, row.path, lambda place: place == standing.PAPER)
            return _made(row, key, look.naming(row.path, ("work-order.done",)), look.against(row.path) + overdue)
        case _:
            shown, breaches = look.checked("nothing-left", row.path)
            overdue = standing.orders_overdue(look, row.path, lambda place: place != standing.PAPER)
            return _made(row, key, look.naming(expiry, ("certificate.issued",)) + shown, breaches + overdue)


def separation(look: Looked, row: Row, key: str) -> Finding:
    """Where a value waits: kept apart, with a ground, used for that ground only."""
    match row.name:
        case "use":
            kinds = ("values.shown", "act.refused")
            return _made(row, key, look.naming(row.path, kinds), look.against(row.path))
        case "paper":
            return _made(row, key, look.attested(row.path), look.against(row.path))
        case "entry":
            _, breaches = look.checked("ground-for-each", row.path)
            return _made(row, key, look.total("value.separated"), (*breaches, *look.against(row.path)))
        case _:
            _, breaches = look.checked("places-agree", row.path)
            return _made(row, key, look.total("value.separated"), (*breaches, *look.against(row.path)))


def empty_table(look: Looked, row: Row, key: str) -> Finding:
    """A table that says so much and no more: nothing is done under it. Exhibit by destructions that nothing held up."""
    section = row.path.split(".")[0]
    under = [
        one for (path, _), one in look.tallies.items() if path.startswith(f"{section}.") and not path.endswith(".every")
    ]
    breaches = [
        Breach("without-ground", row.path, Instant(one.first_at), None, shown=look.naming(one.element, (one.kind,)))
        for one in under
    ]
    return _made(row, key, look.total("value.destroyed"), breaches)


# ── Giving away ───────────────────────────────────────────────────────────────────────────────────────────────────────


def provision(look: Looked, row: Row, key: str) -> Finding:
    """Given with that recipient's own consent standing at that instant, or refused."""
    breaches = _without_consent(look, row)
    if not {"until", "at-end"} & {*row.clauses}:
        breaches += handed.unacknowledged(look, row.path)
    return _made(row, key, look.naming(row.path, ("value.provided", "act.refused")), breaches)


def provision_consent(look: Looked, row: Row, key: str) -> Finding:
    """Consents to this recipient, and refusals without one."""
    kinds = ("consent.given", "consent.withdrawn", "act.refused")
    return _made(row, key, look.naming(row.path, kinds), _without_consent(look, row))


def provision_end(look: Looked, row: Row, key: str) -> Finding:
    """The recipient was asked to return or destroy, and answered."""
    kinds = ("recipient.told", "recipient.acknowledged")
    return _made(row, key, look.naming(row.path, kinds), handed.unacknowledged(look, row.path))


def use_ended(look: Looked, row: Row, key: str) -> Finding:
    """Nothing goes there after the use has ended."""
    ended = ("provision-ended", "entrustment-ended", "ground-ended", "value-due", "consent-withdrawn")
    refused = [
        Exhibit(one.reference, one.entry.kind, Instant(one.entry.at))
        for one in look.entries_of(row.path)
        if one.entry.kind == "act.refused" and set(_codes(one.entry.fields.get("reasons"))) & set(ended)
    ]
    told = look.naming(row.path, ("recipient.told",))
    return _made(row, key, look.within(refused) + told, look.against(row.path))


def _codes(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, tuple | list) else ()


def _without_consent(look: Looked, row: Row) -> tuple[Breach, ...]:
    return look.against(row.path) + handed.given_without_consent(look, row.path)


def exception(look: Looked, row: Row, key: str) -> Finding:
    """Handed out with everything the exception asks for on record, or refused."""
    kinds = ("value.disclosed", "act.refused")
    return _made(row, key, look.naming(row.path, kinds), handed.disclosed_without_law(look, row))


def unasked(look: Looked, row: Row, key: str) -> Finding:
    """Taken without consent with everything on record, or refused."""
    kinds = ("value.collected", "value.reused", "act.refused")
    return _made(row, key, look.naming(row.path, kinds), handed.taken_unasked(look, row))


def entrustment(look: Looked, row: Row, key: str) -> Finding:
    """Handed over under a contract in force, or refused."""
    kinds = ("value.entrusted", "contract.recorded", "act.refused")
    return _made(row, key, look.naming(row.path, kinds), handed.entrusted_without_contract(look, row.path))


def contract(look: Looked, row: Row, key: str) -> Finding:
    """The contract is on record; nothing was handed over without it."""
    kinds = ("contract.recorded", "contract.ended")
    return _made(row, key, look.naming(row.path, kinds), handed.entrusted_without_contract(look, row.path))


def term(look: Looked, row: Row, key: str) -> Finding:
    """Every contract in force with the processor carries this term."""
    path = _parent(row.path)
    party = handed.party_of(look, path)
    with_term = [one for one in look.contracts if one.party == party and row.name in one.terms]
    without = [
        Breach("term-missing", row.path, one.from_at, _open_end(one.until_at, look.now), detail=party)
        for one in look.contracts
        if one.party == party and row.name not in one.terms
    ]
    shown = [
        Exhibit(one.reference, one.entry.kind, Instant(one.entry.at))
        for one in look.entries_of(path)
        if one.entry.kind == "contract.recorded"
        and one.entry.fields.get("contract") in {each.contract for each in with_term}
    ]
    return _made(row, key, look.within(shown), without)


def _open_end(until: Instant, now: Instant) -> Instant | None:
    return until if until <= now else None


def entrustment_end(look: Looked, row: Row, key: str) -> Finding:
    """The contract ended and everything was shown to be returned or destroyed in time."""
    plan = look.plan.entrustments[row.name]
    ended = [one for one in look.contracts if one.party == plan.party and one.until_at <= look.now]
    breaches: list[Breach] = []
    for one in ended:
        limit = end_of(one.until_at, plan.within, look.plan.zone)
        closed = one.closed_at if one.closed_at is not None else FOREVER
        if closed > limit and limit <= look.now:
            late = Breach(
                "return-overdue",
                row.path,
                limit,
                _open_end(closed, look.now),
                handed.entrusted_to(look, row.path),
                plan.party,
            )
            breaches.append(late)
    breaches += handed.unacknowledged(look, row.path)
    return _made(row, key, look.naming(row.path, ("recipient.acknowledged",)), breaches)


def inspected(look: Looked, row: Row, key: str) -> Finding:
    """The processor was inspected as often as promised, from the start of its contract."""
    plan = look.plan.entrustments[row.name]
    starts = [(one.from_at, one.until_at) for one in look.contracts if one.party == plan.party]
    return _reviewed(look, row, key, starts, plan.inspected)


def _reviewed(look: Looked, row: Row, key: str, spans: list[tuple[Instant, Instant]], every: Period | None) -> Finding:
    """Something people look at now and then: the first time within one period of its start."""
    filed = sorted(
        one.at for one in look.filed if one.control == row.path and one.kind == ATTESTED[section_of(row.path)]
    )
    breaches: list[Breach] = []
    for start, until in spans:
        first = end_of(start, every, look.plan.zone) if every else FOREVER
        breaches += [
            Breach("evidence-missing", row.path, since, till)
            for since, till in safeguards.missing(filed, first, until, every, (), look.plan.zone, look.now)
        ]
    return _made(row, key, look.attested(row.path), breaches, note="needs-attesting")


def transfer(look: Looked, row: Row, key: str) -> Finding:
    """What left the country, with its basis; refusals without one."""
    kinds = ("transfer.recorded", "consent.given", "act.refused")
    return _made(row, key, look.naming(row.path, kinds), handed.transferred_without_consent(look, row.path))


def transfer_end(look: Looked, row: Row, key: str) -> Finding:
    """The copy abroad ended when it was promised to."""
    shown = [
        Exhibit(one.reference, one.entry.kind, Instant(one.entry.at))
        for one in look.entries_of(handed.standing_for(look, row.path))
        if one.entry.kind == "recipient.acknowledged"
    ]
    return _made(row, key, look.within(shown), handed.abroad_too_long(look, row.path))


# ── People ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def handler(look: Looked, row: Row, key: str) -> Finding:
    """Grants on record; reads by those who have one; reads by those who have none."""
    kinds = ("handler.granted", "handler.revoked", "act.refused")
    return _made(row, key, look.naming(row.path, kinds) + look.told(f"read-by/{row.name}"), look.against(row.path))


def grants_reviewed(look: Looked, row: Row, key: str) -> Finding:
    """Grants were looked at as often as promised, from the first on."""
    assert isinstance(row, model.Handler)
    starts = sorted(one.since for one in look.granted if one.duty == row.name)
    return _reviewed(look, row, key, [(starts[0], FOREVER)] if starts else [], row.reviewed)


def _requests(look: Looked, right: str | None = None, by: str | None = None) -> list[Asked]:
    return [
        one
        for one in look.asked.values()
        if (right is None or one.right == right) and (by is None or one.channel == by)
    ]


def right(look: Looked, row: Row, key: str) -> Finding:
    """Asked and answered; what was not answered in time."""
    asked = _requests(look, row.name)
    by_key: Mapping[str, Callable[[], Iterable[Exhibit | None]]] = {
        "open": lambda: [one.received for one in asked],
        "by": lambda: [one.received for one in asked],
        "form": lambda: [one.proved for one in asked],
        "within": lambda: [one.answered for one in asked if one.answered and one.answered.at <= one.due_at],
        "refusal": lambda: [one.answered for one in asked if one.outcome == "refused" and one.reason],
        "tells": lambda: [told for one in asked for told in one.told],
        "leaves": lambda: [one.answered for one in asked if one.outcome in ("done", "partly")],
    }
    shown = [one for one in by_key.get(key, lambda: [each.answered for each in asked])() if one is not None]
    kinds = _RIGHT_KINDS.get(key, ())
    extra = look.naming(row.path, kinds) + (look.total("consent.withdrawn") if row.name == "withdrawal" else ())
    return _made(row, key, look.within(shown) + extra, _right_wrong(look, row, key, asked))


_RIGHT_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "all": ("values.shown", "value.corrected", "hold.set"),
    "gives": ("values.shown",),
    "freeze": ("hold.set", "hold.lifted", *REFUSED),
    "covers": ("hold.set",),
    "until": ("hold.lifted",),
}


def _right_wrong(look: Looked, row: Row, key: str, asked: list[Asked]) -> tuple[Breach, ...]:
    answers = look.against(row.path, f"{row.path}/answers")
    match key:
        case "freeze" | "stops":
            return look.against(row.path)
        case "refusal":
            return tuple(
                Breach("reason-missing", row.path, one.answered.at, None, frozenset({one.alias}), shown=(one.answered,))
                for one in asked
                if one.outcome == "refused" and not one.reason and one.answered
            )
        case "all" | "within":
            return (*answers, *look.against(row.path))
        case _:
            return ()


def acting(look: Looked, row: Row, key: str) -> Finding:
    """Requests on which the papers of a representative or agent were shown."""
    assert isinstance(row, model.ActingFor)
    papers = {*row.shows, *(part for name in row.shows for part in look.document.proofs[name].all_of)}
    proved = [one.proved for one in look.asked.values() if one.proved and one.proof in papers]
    own = look.told(f"acting/{row.name}") + look.naming(row.path, ("acting.granted", "request.received"))
    return _made(row, key, (*look.within(proved), *own), look.against(row.path))


_CHILD_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "age": ("act.refused", "consent.given"),
    "representative": ("value.collected", "act.refused"),
    "consent": ("consent.given",),
    "never": ("act.refused",),
    "rights": ("consent.given", "consent.withdrawn"),
    "freeze": ("hold.set", "hold.lifted", *REFUSED),
}


def child(look: Looked, row: Row, key: str) -> Finding:
    """Nothing of a child before its representative agreed; refusals until then."""
    age = look.plan.children.rule.path
    named = age if row.name in ("consent", "rights") else row.path
    shown = look.naming(named, _CHILD_KINDS.get(row.name, ()))
    shown += look.attested(row.path) if row.name == "told" else look.told(f"children/{row.name}")
    if row.name == "consent":
        shown += look.naming(row.path, ("notice.queued", "notice.moved"))  # the question went to the representative
    _, breaches = look.checked("children-represented", row.path)
    note = "needs-attesting" if row.name == "told" else "nothing-happened"
    return _made(row, key, shown, breaches + look.against(row.path), note=note)


def cookie(look: Looked, row: Row, key: str) -> Finding:
    """What was taken by cookies, and refused, for the purposes that they serve."""
    assert isinstance(row, model.Cookie)
    paths = [look.document.purposes[name].path for name in row.for_ if name in look.document.purposes]
    kinds = ("act.refused", "consent.withdrawn") if key == "honours" else ("value.collected", "act.refused")
    shown = [one for path in paths for one in look.naming(path, kinds)]
    shown += look.naming(row.path, ("cookie.chosen",))  # each declared cookie was let in or refused by its browser
    return _made(row, key, (*shown, *look.attested(row.path)), look.against(row.path), note="needs-attesting")


# ── Protection ────────────────────────────────────────────────────────────────────────────────────────────────────────


def safeguard(look: Looked, row: Row, key: str) -> Finding:
    """A duty of every day: each check of the system kept, each piece of evidence filed when it was due."""
    control = look.plan.controls[row.name]
    shown: list[Exhibit] = []
    breaches = list(look.against(row.path))
    notes: list[str] = []
    for name in sorted(control.checks):
        kept, broken = safeguards.looked_at(look, row, control, name)
        shown += kept
        breaches += broken
        if not kept and not broken:
            notes.append("no-transport" if name == "encrypted-in-transit" else "nothing-happened")
    if control.evidence:
        kept, broken, note = safeguards.evidence_of(look, row, control)
        shown += kept
        breaches += broken
        notes += [note] if note and not broken else []
    return _made(row, key, () if notes else shown, breaches, standing=True, note=(notes or ["nothing-happened"])[0])


# ── Change, help, statements ──────────────────────────────────────────────────────────────────────────────────────────


def change(look: Looked, row: Row, key: str) -> Finding:
    """What this version owes for the next one: announced as far ahead as it promises."""
    assert isinstance(row, model.Change)
    versions = [one.version for one in look.published]
    later = [place for place in range(len(versions)) if place > versions.index(look.plan.version)]
    shown = look.attested(row.path)
    if row.name == "any" and later and key == "all":
        shown += _of_version(look, versions[later[0]])
    if row.name == "meaning" and later:
        shown += look.consents_under(versions[later[0]])
    breaches = _announced_late(look, later[0], row.path) if later and row.name == "any" else []
    if row.name == "business-transfer":
        shown += passing_shown(look, row.path)
        breaches += passed_on_untold(look, row)
    return _made(row, key, shown, (*breaches, *look.against(row.path)), note="needs-attesting")


def office(look: Looked, row: Row, key: str) -> Finding:
    """Published with the version; what it takes is shown by requests, its speed by what is on record."""
    if key == "all":
        return _made(row, key, _publication(look) + look.attested(row.path), look.against(row.path))
    assert isinstance(row, model.Contact)
    taken = [one for one in look.asked.values() if one.right in {str(each) for each in row.takes}]
    in_time = [one.answered for one in taken if one.answered is not None and one.answered.at <= one.due_at]
    shown = look.within([one.received for one in taken] if key == "takes" else in_time)
    return _made(row, key, shown + look.attested(row.path), look.against(row.path), note="needs-attesting")


def agency(look: Looked, row: Row, key: str) -> Finding:
    """Published with the version; where a review is promised, the review."""
    assert isinstance(row, model.Agency)
    if row.reviewed is None:
        return _made(row, key, _publication(look), look.against(row.path))
    filed = look.filed_for(row.path, ATTESTED["agencies"])
    return _reviewed(look, row, key, [(filed[0], FOREVER)] if filed else [], row.reviewed)


def statement(look: Looked, row: Row, key: str) -> Finding:
    """A sentence that only has to be said is said with the version. It is never upheld."""
    return Finding(row.path, key, _publication(look), stated=True)


def upkeep(look: Looked, row: Row, key: str) -> Finding:
    """What the system itself holds."""
    ends = look.naming(row.path, ("value.destroyed", "access.pruned", "paper.destroyed"))
    return _made(row, key, ends, look.against(row.path))


ATTESTED: Final[Mapping[str, str]] = {
    "entrustments": "inspection",
    "handlers": "grant-review",
    "agencies": "particulars-review",
    "contacts": "answer-log",
    "changes": "announcement",
    "children": "wording-review",
    "cookies": "banner-review",
    "places": "posting",
    "guarantees": "reachability-check",
    "separation": "cabinet-review",
    "provisions": "law-on-file",
}
"""Section to the kind of record by which somebody in the house shows what no ledger of acts can."""

TABLE: Final[Mapping[tuple[str, str], Check]] = {
    ("controller", "all"): in_force,
    ("announced", "all"): announced,
    ("effective", "all"): in_force,
    ("guarantees", "all"): guarantee,
    ("channels", "all"): channel,
    ("proofs", "all"): shown_papers,
    ("items", "all"): item,
    ("purposes", "all"): purpose,
    ("purposes", "until"): purpose_end,
    ("purposes", "basis"): purpose_basis,
    ("purposes", "items"): purpose_items,
    ("purposes.uses", "all"): purpose_use,
    ("collection", "all"): by_entries("value.collected", "act.refused"),
    ("collection-exceptions", "all"): unasked,
    ("consent", "all"): consent_channel,
    ("advertising", "all"): by_entries(
        "advert.sent", "notice.queued", "consent.given", "consent.withdrawn", "act.refused"
    ),
    ("retention", "all"): kept_apart,
    ("statutes", "all"): kept_apart,
    ("statutes", "items"): statute_items,
    ("destruction", "all"): destruction,
    ("separation", "all"): separation,
    ("upkeep", "all"): upkeep,
    ("provisions", "all"): provision,
    ("provisions", "consent"): provision_consent,
    ("provisions", "by"): provision_consent,
    ("provisions", "use-until"): use_ended,
    ("provisions", "until"): provision_end,
    ("provisions", "at-end"): provision_end,
    ("provisions", "longer-by"): on_record,
    ("provision-exceptions", "all"): exception,
    ("entrustments", "all"): entrustment,
    ("entrustments", "contract"): contract,
    ("entrustments", "consent"): provision_consent,
    ("entrustments", "at-end"): entrustment_end,
    ("entrustments", "within"): entrustment_end,
    ("entrustments", "inspected"): inspected,
    ("entrustments.terms", "all"): term,
    ("transfers", "all"): transfer,
    ("transfers", "until"): transfer_end,
    ("handlers", "all"): handler,
    ("handlers", "reviewed"): grants_reviewed,
    ("rights", "all"): right,
    ("acting-for", "all"): acting,
    ("children", "all"): child,
    ("cookies", "all"): cookie,
    ("safeguards", "all"): safeguard,
    ("changes", "all"): change,
    ("contacts", "all"): office,
    ("agencies", "all"): agency,
    ("statements", "all"): statement,
    ("empty", "all"): empty_table,
}
"""Section and key to the check; a key without a row of its own is checked as the element."""
