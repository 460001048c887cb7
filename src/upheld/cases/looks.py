"""The verbs that only look: what is held, who got what, who was told, what is owed, what the ledger says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from upheld.cases.merging import in_merger
from upheld.cases.model import Step
from upheld.cases.stage import Came, Person, Stage
from upheld.dates import end_of_day
from upheld.engine.lifecycle import DueState
from upheld.engine.question import question
from upheld.engine.state import HeldState
from upheld.errors import InputRefused
from upheld.keeper.living import about_of
from upheld.keeper.reviewing import UpForReview
from upheld.ledger.entries import Entry
from upheld.policy.vocabulary import Nature
from upheld.store.verifying import check_certificate, verify_copy

Look = Callable[[Stage, Step], Iterator[str]]
LEAST_TELLING = 6
"""Shorter contents are found in any file by chance."""
_SAYS: Final[Mapping[str, str]] = {
    "purpose": "Purpose:",
    "items": "Items:",
    "period": "Kept and used until:",
    "recipient": "Recipient:",
    "their-use": "What the recipient uses it for:",
    "processor": "Who works for us:",
    "task": "What they do for us:",
    "refusal": "You may refuse:",
}
_NAMES: Final[Mapping[HeldState, str]] = {
    HeldState.HELD: "active",
    HeldState.MOVING: "on its way",
    HeldState.SEPARATED: "separated",
    HeldState.CONDEMNED: "on its way",
    HeldState.DESTROYED: "destroyed",
}


def differs(what: str, expected: Iterable[str], came: Iterable[str]) -> Iterator[str]:
    """One sentence when two sets of names are not the same."""
    wanted, found = sorted(set(expected)), sorted(set(came))
    if wanted != found:
        yield f"{what}: expected {', '.join(wanted) or 'nothing'}; came {', '.join(found) or 'nothing'}"


def held(stage: Stage, step: Step) -> Iterator[str]:
    person, said = stage.person(step), step.word("held")
    found = _held_by_state(stage, person)
    if said == "forgotten":
        if found is not None:
            yield "the person is not forgotten yet"
        return
    expected = step.table("held")
    if said is None:
        expected = {"active": (), "separated": (), **expected}
    elif said == "nothing":
        expected = {"active": (), "separated": (), "on its way": ()}
    else:
        raise InputRefused("held-unclear", "`held` is a table of states, `nothing` or `forgotten`")
    for state, items in expected.items():
        came = () if found is None else found.get(state, ())
        yield from differs(state, items, came)
    _note_places(stage, found or {})


def _held_by_state(stage: Stage, person: Person) -> dict[str, list[str]] | None:
    try:
        values = stage.values(person)
    except InputRefused:
        return None
    found: dict[str, list[str]] = {}
    for value in values:
        found.setdefault(_NAMES[value.held], []).append(value.item)
    return found


def _note_places(stage: Stage, found: Mapping[str, list[str]]) -> None:
    """What was seen apart or destroyed shows the rules by which that is done."""
    if found.get("separated"):
        stage.elements |= {"separation.electronic", "separation.entry"}
    if found.get("destroyed"):
        stage.elements |= {"destruction.electronic", "destruction.when-needless", "destruction.at-expiry"}


def kept_by(stage: Stage, step: Step) -> Iterator[str]:
    person = stage.person(step)
    rows = stage.keeper.holdings(person.subject_id)
    for item, elements in step.table("kept-by").items():
        live = {path for value, due, paths in rows if value.item == item and due is not DueState.DUE for path in paths}
        yield from differs(f"what keeps `{item}`", (one for one in elements if one != "nothing"), live)
        stage.elements |= live


def received(stage: Stage, step: Step) -> Iterator[str]:
    got: dict[str, set[str]] = {}
    for recipient, _, items in stage.keeper.received_by(stage.person(step).subject_id):
        got.setdefault(recipient, set()).update(items)
    expected = step.table("received")
    yield from differs("who received something", expected, got)
    for recipient, items in expected.items():
        yield from differs(f"what {recipient} received", items, got.get(recipient, ()))


def _about(stage: Stage, person: Person) -> list[Entry]:
    alias = stage.keeper.views.alias(person.subject_id)
    return [one for one in stage.entries() if alias in one.persons]


def told(stage: Stage, step: Step) -> Iterator[str]:
    found = [one for one in _about(stage, stage.person(step)) if one.kind == "recipient.told"]
    came = [str(one.fields["recipient"]) for one in found]
    yield from differs("who was told", (one for one in step.words("told") if one != "nobody"), came)


def certified(stage: Stage, step: Step) -> Iterator[str]:
    alias = stage.keeper.views.alias(stage.person(step).subject_id)
    items: set[str] = set()
    documents = {one: stage.keeper.certificate(one) for one in stage.keeper.certificates(stage.code)}
    with stage.keeper.places.ledger_copy() as ledger_file:
        certificates = {one: check_certificate(made, ledger_file).certificate for one, made in documents.items()}
    for one, document in documents.items():
        if certificates[one].pseudonym != alias:
            continue
        items |= {item.code for item in certificates[one].items}
        if any(text in document.decode() for text in stage.contents.values()):
            yield f"the certificate {one} has a content in it"
        if not json.loads(document):
            yield f"the certificate {one} is empty"
    yield from differs("items certified as destroyed", step.words("certified"), items)
    stage.elements |= {"destruction.electronic", "destruction.at-expiry", "destruction.when-needless"}


def consents(stage: Stage, step: Step) -> Iterator[str]:
    day = step.day("on")
    at = None if day is None else min(end_of_day(day, stage.zone), stage.clock.now())
    came = stage.keeper.consents(stage.person(step).subject_id, at)
    for state, matters in step.table("consents").items():
        for matter in matters:
            found = came.get(str(about_of(matter)), "never asked")
            if found != state:
                yield f"`{matter}` is {found}, expected {state}"


def requests(stage: Stage, step: Step) -> Iterator[str]:
    now = stage.clock.now()
    found = {one.right: one.stands(now).value for one in stage.keeper.requests(stage.person(step).subject_id)}
    for right, states in step.table("requests").items():
        yield from differs(f"the request for {right}", states, [found.get(right, "never made")])


def reviews(stage: Stage, step: Step) -> Iterator[str]:
    person = stage.person(step)
    up = [one for one in stage.keeper.reviews(stage.code) if one.subject_id == person.subject_id]
    stage.elements |= {one.element for one in up}
    yield from differs("up for a look", (one for one in step.words("reviews") if one != "nothing"), _abouts(up))


def _abouts(up: list[UpForReview]) -> list[str]:
    return [one.about for one in up]


def owed(stage: Stage, step: Step) -> Iterator[str]:
    names = {handler: name for name, handler in stage.handlers.items()} | {"": "house"}
    for control, expected in step.table("owed").items():
        plan = stage.plan.controls[control]
        stage.elements.add(plan.rule.path)
        came = [names.get(about, about) for about, _ in stage.keeper.evidence_owed(stage.code, plan, stage.clock.now())]
        yield from differs(f"evidence owed for {control}", (one for one in expected if one != "nobody"), came)


def gaps(stage: Stage, step: Step) -> Iterator[str]:
    found = stage.keeper.gaps_of(stage.code, stage.plan.version)
    stage.elements |= set(found) & set(step.words("gaps"))
    missing = [one for one in step.words("gaps") if one not in found]
    if missing:
        yield f"not among the gaps published over: {', '.join(missing)}"


_SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "read.granted": ("access-records-kept", "every-access-signed-in"),
    "read.refused": ("access-records-kept", "every-access-signed-in"),
    "handler.granted": ("every-grant-recorded",),
    "handler.revoked": ("every-grant-recorded",),
}
"""Checks of the system that an entry of a kind shows at work."""


def recorded(stage: Stage, step: Step) -> Iterator[str]:
    kinds = {one.kind for one in stage.entries()}
    missing = [one for one in step.words("recorded") if one not in kinds]
    if missing:
        yield f"the ledger has no {', '.join(missing)}; it has {', '.join(sorted(kinds))}"
    _checked(stage, {check for kind in step.words("recorded") for check in _SHOWN_BY.get(kind, ())})


def _checked(stage: Stage, checks: Iterable[str]) -> None:
    shown = frozenset(checks)
    stage.elements |= {row.rule.path for row in stage.plan.controls.values() if row.checks & shown}


def on_disk(stage: Stage, step: Step) -> Iterator[str]:
    if step.word("on-disk") != "nothing":
        raise InputRefused("on-disk-unclear", "write `on-disk: nothing`")
    telling = {text for person in stage.people.values() for text in person.gave.values()} | set(stage.contents.values())
    wanted = sorted(text for text in telling if len(text) >= LEAST_TELLING)
    if not wanted:
        yield "nobody has given anything that could be looked for"
    for path in sorted(one for one in stage.home.rglob("*") if one.is_file()):
        content = path.read_bytes()
        yield from (f"{path.name} holds a content in clear" for text in wanted if text.encode() in content)
    _checked(stage, ("encrypted-at-rest", "passwords-one-way"))


def ledger(stage: Stage, step: Step) -> Iterator[str]:
    if step.word("ledger") != "unbroken":
        raise InputRefused("ledger-unclear", "write `ledger: unbroken`")
    stage.keeper.seal()
    with stage.keeper.places.ledger_copy() as ledger_file:
        found = verify_copy(ledger_file, (stage.home / "public.pem").read_text())
    yield from (str(one) for one in found.problems)
    if not found.entries:
        yield "the ledger is empty"
    _checked(stage, ("ledger-unbroken",))


def grown_up(stage: Stage, step: Step) -> Iterator[str]:
    came = "yes" if stage.keeper.grown_up(stage.person(step).subject_id) else "no"
    stage.elements.add("children.age")
    yield from differs("grown up", step.words("grown-up"), [came])


def audited(stage: Stage, step: Step) -> Iterator[str]:
    report = stage.keeper.audit(stage.code)
    for clause, states in step.table("audited").items():
        found = report.clause(clause)
        said = f" ({'; '.join(found.what)})" if found.what else ""
        stage.elements.add(f"={clause}")
        for sentence in differs(f"the report on {clause}", states, [found.state.value]):
            yield f"{sentence}{said}"


def in_force(stage: Stage, step: Step) -> Iterator[str]:
    plan = stage.keeper.views.line(stage.code).at(stage.clock.now())
    stage.elements |= {"effective", "guarantees.one-version-in-force"}
    yield from differs("the version in force", step.words("in-force"), [plan.version if plan else "none"])


def password(stage: Stage, step: Step) -> Iterator[str]:
    person = stage.person(step)
    for item in step.words("password"):
        if stage.plan.items[item].nature is not Nature.PASSWORD:
            raise InputRefused("not-a-password", f"`{item}` is no password of the policy")
        knows = stage.keeper.password_matches
        if not knows(person.subject_id, item, person.gave.get(item, "")):
            yield f"the right `{item}` is not known"
        if knows(person.subject_id, item, "another made-up password"):
            yield f"a wrong `{item}` is taken for the right one"
    _checked(stage, ("passwords-one-way",))


def asks(stage: Stage, step: Step) -> Iterator[str]:
    about = about_of(step.word("question") or "")
    lines = question(stage.plan, about, "en").splitlines()
    for said in step.words("says"):
        label = _SAYS.get(said, said)
        found = next((line.removeprefix(label).strip() for line in lines if line.startswith(label)), "")
        if not found or found == "-":
            yield f"the question does not tell the {said}"
    purpose = stage.plan.purposes.get(about.name)
    provision = stage.plan.provisions.get(about.name)
    stage.elements |= {row.rule.path for row in (purpose, provision) if row is not None}


LOOKING: Final[Mapping[str, Look]] = {
    "held": held,
    "in-merger": in_merger,
    "kept-by": kept_by,
    "received": received,
    "told": told,
    "certified": certified,
    "consents": consents,
    "requests": requests,
    "reviews": reviews,
    "owed": owed,
    "gaps": gaps,
    "recorded": recorded,
    "on-disk": on_disk,
    "ledger": ledger,
    "grown-up": grown_up,
    "audited": audited,
    "in-force": in_force,
    "password": password,
    "question": asks,
}


def look(stage: Stage, step: Step) -> Iterator[Came]:
    """Play a step that looks."""
    yield Came(step.verb, amiss=tuple(LOOKING[step.verb](stage, step)))
