"""Doubts about a document that is typed already: one function per check, all in one table at the end.

Every check has a bad document in `tests/documents/bad/`. A check yields errors, which refuse the document, or warnings
and advice, which only want to be seen. What the law of a day demands is compared elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from upheld.errors import Level, Problem
from upheld.policy.ends import End, facts_in, is_certain
from upheld.policy.model import (
    HEAD,
    HEAD_ROWS,
    Entrustment,
    Item,
    Policy,
    Provision,
    Purpose,
    Row,
    Statute,
    Transfer,
    keys_of,
    sections,
)
from upheld.policy.shapes import MAX_PROBLEMS, Reference, attribute, nearest
from upheld.policy.vocabulary import (
    ENGAGEMENT_FACTS,
    EVIDENCE,
    KNOWN_FACTS,
    REQUEST_FACTS,
    Basis,
    Collected,
    Duty,
    GroundKind,
    Nature,
    Seen,
    Source,
    TransferAs,
)

Check = Callable[[Policy], Iterator[Problem]]


def findings(policy: Policy) -> Iterator[Problem]:
    """What every check has to say."""
    for check in CHECKS:
        yield from check(policy)


def clauses_of(policy: Policy) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Everything the document carries: clause id to (path of the element, key), `all` for the element as such."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in policy.rows():
        for key, ids in row.clauses.items():
            for clause in ids:
                found.setdefault(clause, []).append((row.path, key))
    return {clause: tuple(places) for clause, places in found.items()}


def _doubt(
    policy: Policy, row: Row, key: str, code: str, message: str, remedy: str, level: Level = Level.ERROR
) -> Problem:
    line, column = row.place_of(key)
    return Problem(code, policy.file, line, column, message, remedy, level)


def _said(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _written(rows: Mapping[str, Row]) -> Iterator[Row]:
    """Rows that the document itself writes and wants to run."""
    return (row for row in rows.values() if not row.builtin and not row.blocked)


# ---------------------------------------------------------------------------------------------------- names and words


def _declared(policy: Policy) -> Mapping[str, set[str]]:
    declared = {name: {*getattr(policy, attribute(name))} for name in sections()}
    declared["items"] |= {*policy.item_groups}
    declared["facts"] |= KNOWN_FACTS
    return declared


def dangling(policy: Policy) -> list[Reference]:
    """The uses of names that nothing declares, as many as are ever told."""
    declared = _declared(policy)
    return [use for use in policy.references if use.name not in declared[use.kind]][:MAX_PROBLEMS]


def dangling_names(policy: Policy) -> Iterator[Problem]:
    """A name that nothing declares."""
    declared = _declared(policy)
    for use in dangling(policy):
        message = f"`{use.name}` is not declared in `{use.kind}`"
        remedy = nearest(use.name, declared[use.kind]) or f"Add it to `{use.kind}`"
        if "," in use.name:
            remedy = f"Several names are a list: `[{use.name}]`"
        yield Problem("name-unknown", policy.file, use.line, use.column, message, remedy)


def facts_declared_in_vain(policy: Policy) -> Iterator[Problem]:
    """A fact that needs no declaration, for its meaning is fixed."""
    for row in policy.facts.values():
        if row.name in KNOWN_FACTS:
            message = f"`{row.name}` is known without a declaration and keeps its meaning"
            yield _doubt(policy, row, "", "fact-known", message, "Take it out, or give yours another name")


def _word_paths() -> frozenset[str]:
    return frozenset(name for name, section in sections().items() if section.word)


def _used(policy: Policy) -> set[tuple[str, str]]:
    """The words that some rule reaches, by itself or through other words."""
    words = _word_paths()
    inside: dict[tuple[str, str], list[tuple[str, str]]] = {}
    waiting: list[tuple[str, str]] = []
    for use in policy.references:
        section, _, name = use.path.partition(".")
        if section in words:
            inside.setdefault((section, name), []).append((use.kind, use.name))
        else:
            waiting.append((use.kind, use.name))
    if any(
        not section or all(row.builtin for row in section.values()) for section in (policy.consent, policy.collection)
    ):
        waiting += [("channels", name) for name in policy.channels]  # silence means any declared channel
    for use in dangling(policy):  # what a slip of the pen may have meant is not unused
        waiting += [(use.kind, name) for name in get_close_matches(use.name, _declared(policy)[use.kind], n=1)]
    reached: set[tuple[str, str]] = set()
    while waiting:
        word = waiting.pop()
        if word not in reached:
            reached.add(word)
            waiting += inside.get(word, [])
    return reached


def unused_words(policy: Policy) -> Iterator[Problem]:
    """A word that no rule uses; a word used only by an unused one is not told again."""
    used = _used(policy)
    unused = [
        (section, row)
        for section in _word_paths()
        for row in getattr(policy, attribute(section)).values()
        if (section, row.name) not in used
    ]
    blamed = {(use.kind, use.name) for use in policy.references if use.path in {row.path for _, row in unused}}
    for section, row in unused:
        never = section == "items" and _is_never(policy, row.name)
        if not never and (section, row.name) not in blamed:
            message = f"no rule uses `{row.name}` of `{section}`"
            yield _doubt(policy, row, "", "word-unused", message, "Use it where it belongs, or take it out")


def circles(policy: Policy) -> Iterator[Problem]:
    """Rows of one table that refer to each other in a circle."""
    onward: dict[tuple[str, str], list[Reference]] = {}
    for use in policy.references:
        section, _, name = use.path.partition(".")
        if use.kind == section and use.key != "items":
            onward.setdefault((section, name), []).append(use)
    for (section, name), uses in onward.items():
        for use in uses:
            if _leads_back(onward, section, use.name, name):
                message = f"`{name}` leads back to itself by `{use.key}: {use.name}`"
                yield Problem(
                    "circle", policy.file, use.line, use.column, message, "Break the circle at one of its rows"
                )


def _leads_back(onward: Mapping[tuple[str, str], list[Reference]], section: str, start: str, goal: str) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting += [use.name for use in onward.get((section, name), [])]
    return False


# ------------------------------------------------------------------------------------------------------ keys and margin


NEEDED_IN_ROW: Final[Mapping[str, tuple[str, ...]]] = {
    "destruction.electronic": ("by", "shown-by"),
    "destruction.paper": ("by", "shown-by"),
    "destruction.when-needless": ("after",),
    "children.age": ("under",),
    "children.told": ("says",),
    "children.representative": ("until",),
    "children.consent": ("by",),
    "children.rights": ("gives", "to"),
    "children.freeze": ("from", "until"),
}
"""Keys that a fixed row must have besides those that its whole section needs."""


def missing_keys(policy: Policy) -> Iterator[Problem]:
    """A key that a row must have, itself or from `every`, unless it is blocked."""
    for row in policy.rows():
        if row.blocked or row.builtin:
            continue
        for key, spec in keys_of(type(row)).items():
            needed = spec.needed or key in NEEDED_IN_ROW.get(row.path, ())
            if needed and key not in row.places and not getattr(row, attribute(key)):
                message = f"`{row.path}` has no `{key}`"
                yield _doubt(policy, row, "", "key-missing", message, f"Add `{key}`: {spec.means}")


ONE_OF: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "retention": (("of",), ("items",)),
    "handlers": (("for",), ("duties",)),
    "safeguards": (("check",), ("evidence", "due")),
}
"""Sections whose rows need one of several sets of keys."""


def missing_choices(policy: Policy) -> Iterator[Problem]:
    """A row that has none of the keys between which its section leaves the choice."""
    for section, choices in ONE_OF.items():
        for row in _written(getattr(policy, section)):
            if not any(all(key in row.places for key in choice) for choice in choices):
                ways = " or ".join(" with ".join(f"`{key}`" for key in choice) for choice in choices)
                yield _doubt(policy, row, "", "choice-missing", f"`{row.path}` needs {ways}", f"Add {ways}")


def elements_without_clause(policy: Policy) -> Iterator[Problem]:
    """An element that no sentence of the source and no law stands behind."""
    for row in policy.rows():
        if not row.builtin and not row.law and not row.cites() and not row.clauses:
            message = f"`{row.path}` has no clause"
            remedy = "Name the sentence it keeps (`clause: ...`) or the law it rests on (`law: ...`)"
            yield _doubt(policy, row, "", "clause-missing", message, remedy)


OBLIGED: Final = frozenset(
    {
        *(
            "controller",
            "announced",
            "effective",
            "items",
            "parties",
            "purposes",
            "retention",
            "statutes",
            "provisions",
        ),
        *("destruction", "entrustments", "transfers", "rights", "acting-for", "children", "contacts", "cookies"),
    }
)
"""LAW: PIPA 30(1) and decree 31(1), GDPR 13: what a published policy must hold, save items that nobody takes."""


def evidence_without_form(policy: Policy) -> Iterator[Problem]:
    """A kind of evidence for which there is no form: more often a slip than a new kind."""
    for row in policy.safeguards.values():
        for kind in row.evidence:
            if kind not in EVIDENCE:
                message = f"there is no form for the evidence `{kind}`"
                remedy = nearest(kind, EVIDENCE) or "It will be filed as a plain document"
                yield _doubt(policy, row, "evidence", "evidence-unknown", message, remedy, Level.WARNING)


def hidden_duties(policy: Policy) -> Iterator[Problem]:
    """Something kept internal that the law obliges to publish."""
    for row in policy.rows():
        taken = not isinstance(row, Item) or row.collected is None
        if row.seen is Seen.INTERNAL and row.path.partition(".")[0] in OBLIGED and taken:
            message = f"`{row.path}` is kept internal, but the law has it published"
            yield _doubt(policy, row, "seen", "must-be-public", message, "Take `seen: internal` out")


def unknown_places_of_statements(policy: Policy) -> Iterator[Problem]:
    """A statement printed under a section that there is not."""
    known = (*sections(), *HEAD, *HEAD_ROWS)
    for row in policy.statements.values():
        if row.under is not None and row.under not in known:
            message = f"`{row.under}` is no section of a policy"
            yield _doubt(policy, row, "under", "section-unknown", message, nearest(row.under, known))


def language_version(policy: Policy) -> Iterator[Problem]:
    """A document for another version of the language."""
    if policy.upheld not in {"", "1"}:
        message = f"this reads version 1 of the language, not `{policy.upheld}`"
        yield Problem("version-unknown", policy.file, *policy.head_places["upheld"], message, "Write `upheld: 1`")


def dates_in_order(policy: Policy) -> Iterator[Problem]:
    """In force before it was announced, or sooner after it than the document itself promises."""
    announced, effective = policy.announced.date, policy.effective.date
    if announced is None or effective is None:
        return
    if effective < announced:
        message = f"in force on {effective}, announced only on {announced}"
        remedy = "Announce first, or correct the date"
        yield _doubt(policy, policy.effective, "date", "effective-before-announced", message, remedy)
        return
    ahead = policy.changes["any"].ahead if "any" in policy.changes else None
    if ahead and ahead.days and announced > effective - timedelta(days=ahead.days):
        message = f"announced {(effective - announced).days} days ahead, where {ahead.days} are promised"
        remedy = "See that the version before this one promised no more"
        yield _doubt(policy, policy.announced, "date", "announced-late", message, remedy, Level.WARNING)


# ------------------------------------------------------------------------------------------------------ basis and items


def basis_of_each_item(policy: Policy) -> Iterator[Problem]:
    """Each item of a purpose rests on one basis; what is optional rests on consent."""
    for row in policy.purposes.values():
        if row.blocked or not row.basis:
            continue
        bare = [item for item in row.items if item not in row.basis]
        if bare:
            message = f"{_said(bare)} of `{row.path}` has no basis"
            yield _doubt(policy, row, "basis", "basis-missing", message, "Add `all: ...` or the item to `basis`")
        strangers = [item for item in row.basis if row.items and item not in row.items]
        if strangers:
            message = f"`basis` speaks of {_said(strangers)}, which `{row.path}` does not use"
            yield _doubt(
                policy, row, "basis", "basis-for-no-item", message, "Add it to `items`, or take it out of `basis`"
            )
        if not row.required and any(word is not Basis.CONSENT for word in row.basis.values()):
            message = f"`{row.path}` is optional and rests on something else than consent"
            remedy = "Write `basis: consent`, or move the purpose to `required`"
            yield _doubt(policy, row, "basis", "optional-without-consent", message, remedy)
        if Basis.LAW in row.basis.values() and not row.law:
            message = f"`{row.path}` rests on a law and names none"
            yield _doubt(policy, row, "basis", "law-missing", message, "Add `law: name article`")


def basis_of_retention(policy: Policy) -> Iterator[Problem]:
    """Keeping needs a basis of its own; a claim and a dispute are their own."""
    for row in policy.retention.values():
        is_retention = row.kind is GroundKind.RETENTION
        if is_retention and row.basis is None and not row.blocked and "basis" not in row.places:
            message = f"`{row.path}` keeps values and rests on nothing"
            yield _doubt(policy, row, "", "basis-missing", message, "Add `basis: ...`")
        if not is_retention and row.basis is not None:
            message = f"`{row.path}` is a {row.kind} and needs no basis"
            yield _doubt(
                policy, row, "basis", "basis-needless", message, "Take `basis` out, or write `kind: retention`"
            )
        if "of-the-dispute" in row.items and row.kind is not GroundKind.DISPUTE:
            message = f"`{row.path}` is no dispute, so `of-the-dispute` names nothing"
            yield _doubt(policy, row, "items", "dispute-missing", message, "Write `kind: dispute`, or name the items")


def _of_nature(policy: Policy, items: Iterable[str], *natures: Nature) -> list[str]:
    return [item for item in items if item in policy.items and policy.items[item].nature in natures]


def numbers_that_need_a_law(policy: Policy) -> Iterator[Problem]:
    """LAW: PIPA 23, 24, 24-2: resident numbers rest on a law alone, sensitive and identifying items on consent too."""
    for row in policy.purposes.values():
        numbers = _of_nature(policy, row.items, Nature.RESIDENT_NUMBER)
        wrong = [item for item in numbers if row.basis.get(item, Basis.LAW) is not Basis.LAW]
        if wrong and not row.blocked:
            message = f"{_said(wrong)} of `{row.path}` is a resident number, for which consent changes nothing"
            remedy = "Take it out, mark it `collected: never`, or write `basis: {item: law}` with the law"
            yield _doubt(policy, row, "items", "resident-number-without-law", message, remedy)
        allowed = {Basis.LAW, Basis.CONSENT}
        tender = _of_nature(policy, row.items, Nature.SENSITIVE, Nature.UNIQUE_ID)
        wrong = [item for item in tender if row.basis.get(item, Basis.LAW) not in allowed]
        if wrong and not row.blocked:
            message = f"{_said(wrong)} of `{row.path}` needs a consent of its own or a law"
            remedy = "Write `basis: {all: ..., item: consent}`"
            yield _doubt(policy, row, "basis", "sensitive-without-consent", message, remedy)


def never_collected(policy: Policy) -> Iterator[Problem]:
    """An item that is taken by no one, yet used. Where it is only printed as given away, nothing will go: a warning."""
    for section in ("purposes", "provisions", "entrustments", "transfers"):
        for row in _written(getattr(policy, section)):
            never = [item for item in _items(row) if _is_never(policy, item)]
            if never:
                message = f"`{row.path}` speaks of {_said(never)}, which nobody collects"
                remedy = "Take it out of the row, or `collected: never` out of the item"
                level = Level.ERROR if section == "purposes" else Level.WARNING
                yield _doubt(policy, row, "items", "item-never-collected", message, remedy, level)


def _items(row: Row) -> tuple[str, ...]:
    return row.items if isinstance(row, Purpose | Provision | Entrustment | Transfer | Statute) else ()


def _is_never(policy: Policy, item: str) -> bool:
    return item in policy.items and policy.items[item].collected is Collected.NEVER


def _collected(policy: Policy) -> frozenset[str]:
    """Items that some purpose or the rule about children takes."""
    taken = [item for row in policy.purposes.values() for item in row.items]
    taken += [item for row in policy.children.values() for item in (*row.from_child, *row.from_representative)]
    return frozenset(taken)


def given_but_not_collected(policy: Policy) -> Iterator[Problem]:
    """An item that leaves the house and never came in."""
    taken = _collected(policy)
    for section in ("provisions", "transfers"):
        for row in _written(getattr(policy, section)):
            strangers = [item for item in _items(row) if item in policy.items and item not in taken]
            strangers = [item for item in strangers if not _is_never(policy, item)]
            if strangers:
                message = f"`{row.path}` gives {_said(strangers)}, which no purpose collects"
                yield _doubt(policy, row, "items", "item-not-collected", message, "Name the purpose that collects it")


def kept_but_not_collected(policy: Policy) -> Iterator[Problem]:
    """An item in a record class that nobody takes and that is not marked so."""
    taken = _collected(policy)
    for row in policy.statutes.values():
        for item in row.items:
            if item in policy.items and item not in taken and not _is_never(policy, item):
                message = f"`{row.path}` keeps `{item}`, which no purpose collects"
                remedy = "Mark the item `collected: never`; a law that keeps is no reason to collect"
                yield _doubt(policy, row, "items", "kept-but-not-collected", message, remedy, Level.WARNING)


def passwords_given_away(policy: Policy) -> Iterator[Problem]:
    """A password or a secret that would leave the house."""
    for section in ("provisions", "transfers"):
        for row in _written(getattr(policy, section)):
            locked = _of_nature(policy, _items(row), Nature.PASSWORD, Nature.SECRET)
            locked = [item for item in locked if not _is_never(policy, item)]
            if locked:
                message = f"`{row.path}` gives {_said(locked)} away"
                remedy = "Take it out: a password is kept one-way, a secret is opened by its own job only"
                yield _doubt(policy, row, "items", "secret-given-away", message, remedy)
    for row in policy.provisions.values():
        numbers = [
            item for item in _of_nature(policy, row.items, Nature.RESIDENT_NUMBER) if not _is_never(policy, item)
        ]
        if numbers and not row.blocked:
            message = f"`{row.path}` gives the resident number {_said(numbers)} by consent"
            yield _doubt(policy, row, "items", "resident-number-without-law", message, "Take it out of the row")


def secrets_with_several_purposes(policy: Policy) -> Iterator[Problem]:
    """A secret that more than one job would open, a password that serves no relation."""
    for item in _of_nature(policy, policy.items, Nature.SECRET):
        users = [row for row in policy.purposes.values() if item in row.items]
        for row in users[1:]:
            message = f"the secret `{item}` serves `{users[0].path}` and `{row.path}`"
            remedy = "Leave it with the one job that opens it"
            yield _doubt(policy, row, "items", "secret-shared", message, remedy, Level.WARNING)
    for row in policy.purposes.values():
        idle = _of_nature(policy, row.items, Nature.PASSWORD)
        if idle and not row.required and not row.per:
            message = f"the password {_said(idle)} serves nothing in `{row.path}`"
            yield _doubt(policy, row, "items", "password-needless", message, "Take it out of `items`", Level.WARNING)


def required_by_consent(policy: Policy) -> Iterator[Problem]:
    """Consent asked for what the service needs anyway: carried as written, and said."""
    for row in policy.purposes.values():
        tender = _of_nature(
            policy, row.items, Nature.SENSITIVE, Nature.UNIQUE_ID
        )  # consent is the lawful way for these
        plain = [item for item in row.items if item not in tender]
        if row.required and not row.blocked and any(row.basis.get(item) is Basis.CONSENT for item in plain):
            message = f"`{row.path}` is required and rests on consent"
            remedy = "A contract would carry it; who withdraws ends the service"
            yield _doubt(policy, row, "basis", "required-by-consent", message, remedy, Level.ADVICE)


# ---------------------------------------------------------------------------------------------------- until when


def _can_come(end: End, per: tuple[str, ...]) -> bool:
    """Whether an end can be reached: without an engagement nothing begins or ends; other facts any person may have."""
    return is_certain(end, frozenset(facts_in(end)) - (frozenset() if per else ENGAGEMENT_FACTS))


def _ends_and_engagements(policy: Policy) -> Iterator[tuple[Row, str, End | None, tuple[str, ...]]]:
    """Each row whose end belongs to engagements: the row, the key, the end, the engagements."""
    for purpose in policy.purposes.values():
        yield purpose, "until", purpose.until, purpose.per
    for provision in policy.provisions.values():
        yield provision, "use-until", provision.use_until, provision.per
        yield provision, "until", provision.until, provision.per
    for retention in policy.retention.values():
        for name in retention.of:
            if name in policy.purposes:
                yield retention, "until", retention.until, policy.purposes[name].per


def ends_that_never_come(policy: Policy) -> Iterator[Problem]:
    """An end that waits for the end of an engagement, where values belong to none."""
    for row, key, end, per in _ends_and_engagements(policy):
        if row.blocked or end is None or _can_come(end, per):
            continue
        far = sorted(ENGAGEMENT_FACTS & {*facts_in(end)})
        remedy = "Name the engagement in `per`, or end it by a fact"
        yield _doubt(policy, row, key, "end-never-comes", f"{_said(far)} never happens to `{row.path}`", remedy)


def statutes_without_end(policy: Policy) -> Iterator[Problem]:
    """A statute keeps for a period from its event, never until something else happens."""
    for row in policy.statutes.values():
        if row.until is None or row.from_ is None or is_certain(row.until, frozenset({row.from_})):
            continue
        message = f"`{row.path}` can stay open for ever after `{row.from_}`"
        remedy = f"Count a period from the event: `{row.from_} + P5Y`"
        yield _doubt(policy, row, "until", "statute-open", message, remedy)


def freezes_of_requests(policy: Policy) -> Iterator[Problem]:
    """A freeze that begins or ends by something else than the request it belongs to."""
    spans = [(row, row.freeze.from_, row.freeze.until) for row in policy.rights.values() if row.freeze]
    for row, start, until in spans:
        facts = ((start,) if start else ()) + (facts_in(until) if until else ())
        strange = [fact for fact in facts if fact not in REQUEST_FACTS]
        if strange:
            message = f"{_said(strange)} is no step of a request"
            remedy = f"Use {', '.join(f'`{fact}`' for fact in sorted(REQUEST_FACTS))}"
            yield _doubt(policy, row, "freeze", "freeze-not-of-request", message, remedy)


# ---------------------------------------------------------------------------------------------- giving data away


def _items_of(policy: Policy, purposes: Iterable[str]) -> frozenset[str]:
    return frozenset(item for name in purposes if name in policy.purposes for item in policy.purposes[name].items)


def entrusted_within_purposes(policy: Policy) -> Iterator[Problem]:
    """A processor gets items of the purposes it works for, and no others."""
    for row in policy.entrustments.values():
        if row.blocked or any(name not in policy.purposes for name in row.for_):
            continue
        beyond = [item for item in row.items if item in policy.items and item not in _items_of(policy, row.for_)]
        if beyond:
            message = f"`{row.path}` gets {_said(beyond)}, which none of its purposes has"
            yield _doubt(
                policy, row, "items", "entrusted-beyond-purpose", message, "Take it out, or add the purpose to `for`"
            )


def sub_processors_within_parents(policy: Policy) -> Iterator[Problem]:
    """A sub-processor gets at most what its parent has."""
    for row in policy.entrustments.values():
        parent: Entrustment | None = policy.entrustments.get(row.under) if row.under else None
        if parent is None or row.blocked:
            continue
        beyond = [*({*row.for_} - {*parent.for_}), *({*row.items} - {*parent.items})]
        if beyond:
            message = f"`{row.path}` has {_said(sorted(beyond))} beyond `{parent.path}`, under which it works"
            yield _doubt(policy, row, "under", "beyond-parent", message, "Take it out, or give it to the parent first")


def transfers_of_rows(policy: Policy) -> Iterator[Problem]:
    """A transfer stands on top of a row that gives this party these items."""
    for row in _written(policy.transfers):
        transfer = policy.transfers[row.name]
        below = policy.entrustments if transfer.as_ is TransferAs.ENTRUSTMENT else policy.provisions
        given = [each for each in below.values() if each.to == transfer.to]
        if transfer.as_ is None or transfer.to is None:
            continue
        if not given:
            message = f"`{transfer.to}` has no row of {transfer.as_}"
            remedy = f"Add the {transfer.as_} that this transfer stands on"
            yield _doubt(policy, row, "to", "transfer-without-row", message, remedy)
            continue
        beyond = {*transfer.items} - {item for each in given for item in each.items}
        if beyond:
            message = f"`{row.path}` sends {_said(sorted(beyond))} beyond the {transfer.as_} of `{transfer.to}`"
            yield _doubt(
                policy, row, "items", "beyond-parent", message, f"Take it out, or add it to the {transfer.as_}"
            )


# -------------------------------------------------------------------------------------------- agreement and cookies


def approvers_who_destroy(policy: Policy) -> Iterator[Problem]:
    """Whoever approves a destruction has to see what is destroyed."""
    for row in policy.destruction.values():
        for name in row.approval:
            kind = policy.handlers.get(name)
            if kind is not None and Duty.DESTRUCTION not in kind.duties:
                message = f"`{row.path}` is approved by `{name}`, who do not have the duty `destruction`"
                remedy = "Name staff with that duty, or give it to them"
                yield _doubt(policy, row, "approval", "approver-without-duty", message, remedy, Level.WARNING)


def refusals_that_cost(policy: Policy) -> Iterator[Problem]:
    """LAW: PIPA 22(5): refusing what is optional costs nothing, so there is nothing to be said."""
    for row in policy.purposes.values():
        if not row.required and row.refused is not None:
            message = f"`{row.path}` is optional and says what refusing it costs"
            yield _doubt(policy, row, "refused", "refusal-costs", message, "Take `refused` out: it costs nothing")


def advertising_for_optional(policy: Policy) -> Iterator[Problem]:
    """Advertising under a purpose that the service claims to need."""
    for row in policy.advertising.values():
        for name in row.for_:
            purpose: Purpose | None = policy.purposes.get(name)
            if purpose is not None and purpose.required:
                message = f"`{row.path}` advertises under `{purpose.path}`"
                remedy = "Move that purpose to `optional`, or name one that stands there"
                yield _doubt(policy, row, "for", "advertising-required", message, remedy)


def cookies_with_purposes(policy: Policy) -> Iterator[Problem]:
    """A cookie whose purpose does not say that it takes from cookies."""
    for row in policy.cookies.values():
        for name in row.for_:
            if name in policy.purposes and Source.COOKIE not in policy.purposes[name].source:
                message = f"`{name}` takes nothing from cookies"
                yield _doubt(policy, row, "for", "cookie-unsaid", message, f"Add `source: cookie` to `{name}`")


def ways_of_collecting(policy: Policy) -> Iterator[Problem]:
    """A purpose that the closed list of ways of collecting leaves without one; a way without a way to agree."""
    open_rows = [row for row in policy.collection.values() if not row.blocked]
    for purpose in policy.purposes.values():
        if purpose.blocked:
            continue
        if policy.collection and not any(not row.for_ or purpose.name in row.for_ for row in open_rows):
            message = f"no row of `collection` serves `{purpose.path}`"
            yield _doubt(
                policy, purpose, "", "way-missing", message, "Add one, or add the purpose to its `for`", Level.WARNING
            )
        asked = Basis.CONSENT in purpose.basis.values() and purpose.via
        if asked and not any(channel in policy.consent for channel in purpose.via):
            message = f"nobody can agree to `{purpose.path}` by {_said(purpose.via)}"
            remedy = "Add the channel to `consent`"
            yield _doubt(policy, purpose, "via", "consent-way-missing", message, remedy, Level.WARNING)


CHECKS: Final[tuple[Check, ...]] = (
    language_version,
    dates_in_order,
    dangling_names,
    facts_declared_in_vain,
    unused_words,
    circles,
    missing_keys,
    missing_choices,
    elements_without_clause,
    evidence_without_form,
    hidden_duties,
    unknown_places_of_statements,
    basis_of_each_item,
    basis_of_retention,
    numbers_that_need_a_law,
    never_collected,
    given_but_not_collected,
    kept_but_not_collected,
    passwords_given_away,
    secrets_with_several_purposes,
    required_by_consent,
    ends_that_never_come,
    statutes_without_end,
    freezes_of_requests,
    entrusted_within_purposes,
    sub_processors_within_parents,
    transfers_of_rows,
    approvers_who_destroy,
    refusals_that_cost,
    advertising_for_optional,
    cookies_with_purposes,
    ways_of_collecting,
)
"""Every check, in the order of the language."""


def main(files: list[str]) -> int:
    """A bare command line until the real one is there: print the problems of some documents."""
    from upheld.policy.read import problems_in

    errors = 0
    for name in files:
        for problem in problems_in(Path(name).read_bytes(), name):
            sys.stdout.write(f"{problem}\n" if problem.level is Level.ERROR else f"({problem.level}) {problem}\n")
            errors += problem.level is Level.ERROR
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
