"""The desks at work in the demonstration: what made-up people and staff do there once, under each of the policies.

Requests by every channel, an agent with a mandate, a correction told to recipients, a refusal, a postponed look, a
child and its representative, advertising and its confirmation, cookies, a leak from awareness to the end, duties, a
merger that people are told of. Each step is an ordinary call of keeper and desk; what a policy does not know is left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from upheld.connect.transport import Answer, Handed, Letter
from upheld.dates import Instant, local_date, moment
from upheld.desk import merging
from upheld.desk.choices import record_choice
from upheld.desk.confirming import confirm_consents
from upheld.desk.consents import matters_of, web_channel
from upheld.desk.documents import Document, document_in_force
from upheld.desk.due import request_of
from upheld.desk.duties import CHECKLIST, LOOKED_FOR, calendar_of
from upheld.desk.holdings import seen_of
from upheld.desk.leaks import (
    affected,
    contents_of,
    leak_of,
    take_step,
    tell_affected,
    told_of,
    tracks_of,
    write_contents,
)
from upheld.desk.outcomes import tell_outcome
from upheld.desk.representatives import asked_by_letter, opened_by_link, told_at
from upheld.engine.acts import HandlerId, RequestId, SubjectId
from upheld.engine.compile import CHILD_CONTACT
from upheld.engine.duties import Whose
from upheld.engine.leaks import LeakCause, LeakStep
from upheld.engine.plan import Plan
from upheld.engine.proving import least_proof
from upheld.engine.state import HeldState, Value
from upheld.errors import InputRefused
from upheld.keeper import Keeper, Terms
from upheld.keeper.living import Shown
from upheld.policy.letters import Written
from upheld.policy.vocabulary import Nature

HOUR: Final = 3_600_000_000
CHOICE: Final = "demonstrationchoicea"
ANSWERS: Final = {"access": "done", "rectification": "done", "suspension": "done", "objection": "refused"}
"""What becomes of a request in the demonstration; every other is refused with its reason, so that nobody is lost."""
REFUSED_FOR: Final = {"suspension": "law"}


@dataclass
class MadeUpMail:
    """Takes every letter, as a mail server would; nothing leaves the machine."""

    medium: str
    taken: list[str] = field(default_factory=list)

    def send(self, letter: Letter) -> Answer:
        """Hand a letter over."""
        self.taken.append(letter.message_id)
        return Answer(Handed.SENT)

    def close(self) -> None:
        """Nothing stays open."""


@dataclass(frozen=True)
class _Desk:
    """One policy with its people and who sits at its desk."""

    keeper: Keeper
    plan: Plan
    document: Document
    people: tuple[SubjectId, ...]
    by: HandlerId
    other: HandlerId

    @property
    def policy(self) -> str:
        return self.plan.policy


def practise(keeper: Keeper, policy: str, people: tuple[SubjectId, ...]) -> tuple[str, ...]:
    """Do everything once. `people`: persons of this policy who are there. Returns what a policy had no room for."""
    plan = keeper.views.line(policy).latest
    desk = _Desk(keeper, plan, document_in_force(keeper, policy), people, *_staff(keeper, plan))
    left_out: list[str] = []
    for name, step in STEPS.items():
        try:
            step(desk)
        except InputRefused as refusal:
            left_out.append(f"{policy}: {name}: {refusal.code}")
    keeper.deliver(MadeUpMail("email"), MadeUpMail("sms"))
    return tuple(left_out)


def _staff(keeper: Keeper, plan: Plan) -> tuple[HandlerId, HandlerId]:
    duty = next((name for name, row in plan.handlers.items() if row.duties), next(iter(plan.handlers)))
    shown = plan.handlers[duty].granted_with
    first, second = (keeper.grant(plan.policy, duty, shown=shown)[0] for _ in range(2))
    return first, second


# ── what people ask ─────────────────────────────────────────────────────────────────────────────────────────────────


def _ask_by_every_channel(desk: _Desk) -> None:
    """Each right by each channel that the policy names; each is proved by the least that does, and answered."""
    for number, (right, row) in enumerate(sorted(desk.plan.rights.items())):
        for channel in sorted(row.by) or sorted(desk.plan.channels)[:1]:
            if right not in ("erasure", "withdrawal"):
                _asked(desk, desk.people[number % len(desk.people)], right, channel)
    rectification = desk.plan.rights.get("rectification")
    if rectification is not None:
        channel = sorted(rectification.by or desk.plan.channels)[0]
        given = [one for one in desk.people if _disclosed(desk, one)]
        _asked(desk, (*given, desk.people[0])[0], "rectification", channel)
        _asked(desk, desk.people[-1], "rectification", channel, answer="refused")


def _disclosed(desk: _Desk, person: SubjectId) -> bool:
    seen = seen_of(desk.keeper, desk.policy, person)
    return seen is not None and bool(seen.state.disclosures)


def _asked(
    desk: _Desk, person: SubjectId, right: str, channel: str, by: str | None = None, kind: str = "subject",
    answer: str = "",
) -> RequestId | None:  # fmt: skip
    keeper, plan = desk.keeper, desk.plan
    outcome = keeper.request(person, right, channel=channel, by=by)
    if outcome.made is None:
        return None
    made = RequestId(outcome.made)
    keeper.prove(person, made, proof=least_proof(plan, right, channel, kind))
    answer = answer or ANSWERS.get(right, "refused")
    if right == "rectification" and answer == "done":
        _correct(desk, person, made)
    reason = None if answer == "done" else REFUSED_FOR.get(right, "unfounded")
    keeper.answer(person, made, answer, reason=reason, handler=desk.by)
    if right == "suspension":
        keeper.lift(person, made)
    one = request_of(keeper, desk.policy, person, made)
    if one is not None and one.settled:
        tell_outcome(keeper, desk.document, one)
    return made


def _correct(desk: _Desk, person: SubjectId, request: RequestId) -> None:
    """A value that somebody else got is put right, so that they are told, and answer."""
    keeper, seen = desk.keeper, seen_of(desk.keeper, desk.policy, person)
    if seen is None:
        return
    given = {value for one in seen.state.disclosures for value in one.values}
    open_values = [one for one in seen.state.values if one.held is HeldState.HELD and one.replaced_at is None]
    wrong = sorted((one for one in open_values if _is_text(desk, one)), key=lambda one: one.value_id not in given)
    if wrong and keeper.correct(person, wrong[0].value_id, "made-up, put right", request=request).granted:
        for disclosure in [one.disclosure_id for one in seen.state.disclosures if wrong[0].value_id in one.values]:
            keeper.acknowledge(person, disclosure)


def _is_text(desk: _Desk, value: Value) -> bool:
    item = desk.plan.items.get(value.item)
    return item is not None and item.nature is Nature.PLAIN


def _agent(desk: _Desk) -> None:
    """An agent comes with a mandate, asks by letter, and is told where they said."""
    _acts(desk, desk.people[0], "agent", "access")


def _representative(desk: _Desk) -> None:
    """Somebody represents a grown person by law and asks for them."""
    _acts(desk, desk.people[1 % len(desk.people)], "representative", "access")


def _acts(desk: _Desk, person: SubjectId, kind: str, right: str) -> None:
    row = desk.plan.acting.get(kind)
    shown = (*row.shows,) if row is not None and row.shows else ("mandate",)
    parts = tuple(part for one in shown for part in _parts(desk.plan, one))
    acting = desk.keeper.acts_for(person, kind, shown=parts).made
    if acting is None:
        return
    told_at(desk.keeper, desk.policy, person, f"made-up-{kind}@example.org", acting)
    asked = desk.plan.rights.get(right)
    channels = sorted(asked.by) if asked is not None and asked.by else sorted(desk.plan.channels)
    by_letter = next((one for one in channels if one in ("letter", "fax")), channels[0])
    _asked(desk, person, right, by_letter, acting, kind)


def _parts(plan: Plan, paper: str) -> tuple[str, ...]:
    proof = plan.proofs.get(paper)
    return tuple(part for one in proof.all_of for part in _parts(plan, one)) if proof and proof.all_of else (paper,)


def _postpone(desk: _Desk) -> None:
    person = desk.people[1 % len(desk.people)]
    right = desk.plan.rights.get("access")
    channel = sorted(right.by)[0] if right is not None and right.by else sorted(desk.plan.channels)[0]
    made = desk.keeper.request(person, "access", channel=channel).made
    if made is not None:
        desk.keeper.prove(person, RequestId(made), proof=least_proof(desk.plan, "access", channel))
        until = moment(desk.keeper.now(), desk.plan.zone) + timedelta(days=3)
        desk.keeper.postpone(person, RequestId(made), until=until, reason="others-harmed")


def _erase(desk: _Desk) -> None:
    """Somebody has everything erased; what a statute keeps is separated and named in the answer."""
    person = desk.people[-1]
    right = desk.plan.rights.get("erasure")
    channel = sorted(right.by)[0] if right is not None and right.by else sorted(desk.plan.channels)[0]
    for name, standing in desk.keeper.consents(person).items():
        if standing == "given":
            way = web_channel(desk.plan, desk.document) or channel
            desk.keeper.withdraw(person, name, channel=way, confirmed=True)
    made = desk.keeper.request(person, "erasure", channel=channel).made
    if made is not None:
        desk.keeper.prove(person, RequestId(made), proof=least_proof(desk.plan, "erasure", channel))
        desk.keeper.answer(person, RequestId(made), "partly", reason="kept-by-duty", handler=desk.by)


# ── what people agree to ────────────────────────────────────────────────────────────────────────────────────────────


def _advertise(desk: _Desk) -> None:
    """Some agree to news, one takes it back; both are confirmed; who agreed gets one message with label and refusal."""
    channel = web_channel(desk.plan, desk.document)
    purposes = sorted(desk.plan.advertising_purposes)
    if channel is None or not purposes:
        return
    medium = next(iter(desk.plan.advertising))
    for person in desk.people[:3]:
        for about in (f"purpose/{purposes[0]}", f"medium/{medium}"):
            desk.keeper.consent(person, about, channel=channel)
    desk.keeper.withdraw(desk.people[2 % len(desk.people)], f"medium/{medium}", channel=channel)
    confirm_consents(desk.keeper)
    text = Written("Made-up news", "There is nothing to buy here.", desk.document.policy.locales[0])
    fields = {"refusing": "https://privacy.example.org/refuse", "one-click": "yes"}
    desk.keeper.tell(desk.people[0], "advert", medium, purpose=purposes[0], text=text, fields=fields)


def _choose_cookies(desk: _Desk) -> None:
    """One browser lets everything in, another says by its setting that it wants none."""
    names = tuple(sorted(desk.plan.cookies))
    channel = web_channel(desk.plan, desk.document)
    for purpose in sorted({name for _, purposes in desk.plan.cookies.values() for name in purposes}):
        row = desk.plan.purposes.get(purpose)
        if row is not None and not row.blocked and channel is not None:
            way = next((one for one in sorted(row.via) if one in desk.plan.channels), channel)
            desk.keeper.consent(desk.people[0], f"purpose/{purpose}", channel=channel)
            desk.keeper.collect(desk.people[0], purpose, dict.fromkeys(sorted(row.items), "made-up"), channel=way)
    if names:
        record_choice(desk.keeper, desk.policy, CHOICE, desk.plan.version, names, "person")
        record_choice(desk.keeper, desk.policy, CHOICE[::-1].replace("1", "b"), desk.plan.version, (), "gpc")


def _child(desk: _Desk) -> None:
    """A child names its representative, who is asked by a link, agrees for it, and later takes one thing back."""
    keeper, plan = desk.keeper, desk.plan
    channel = web_channel(plan, desk.document)
    if channel is None or not plan.children.contact_items:
        return
    kind = next(iter(plan.subjects))
    child = keeper.enter(desk.policy, kind, minor=True)
    mail = next((item for item in sorted(plan.children.contact_items) if "mail" in item), None)
    given = dict.fromkeys(plan.children.contact_items, "made-up guardian")
    keeper.collect(child, CHILD_CONTACT, given | ({mail: "guardian@example.org"} if mail else {}), channel=channel)
    keeper.fact(child, "consent-asked")
    link = "https://privacy.example.org/consent/demonstration"
    asked_by_letter(keeper, child, "guardian@example.org", link, desk.document.policy.locales[0])
    keeper.deliver(MadeUpMail("email"))
    opened_by_link(keeper, desk.policy, child)
    keeper.fact(child, "answered")
    told_at(keeper, desk.policy, child, "guardian@example.org")
    seen = seen_of(keeper, desk.policy, child)
    locale = desk.document.policy.locales[0]
    matters = matters_of(keeper, desk.policy, desk.document, plan, locale, kind=kind, seen=seen)
    for one in matters:
        shown = Shown(one.text, one.locale)
        keeper.consent(child, one.about, channel=channel, shown=shown, by="representative", verified="mail-reply")
    free = next((one.about for one in matters if not one.required), None)
    if free is not None:
        keeper.withdraw(child, free, channel=channel, by="representative")
    purpose, medium = next(iter(sorted(plan.advertising_purposes)), None), next(iter(plan.advertising), None)
    for name in [purpose] if purpose and medium else sorted(plan.purposes)[:1]:
        keeper.send(child, name, medium or "email")  # refused: nobody advertises to a child
    _acts(desk, child, "representative", "rectification")
    if "told" in desk.document.policy.children:
        keeper.attest(desk.policy, "children.told", record=b"made-up record: read with two made-up children")


# ── what the house does ─────────────────────────────────────────────────────────────────────────────────────────────


def _leak(desk: _Desk) -> None:
    """A small leak, from the first awareness to its lessons: who is affected is told, the authority has its report."""
    keeper, now = desk.keeper, desk.keeper.now()
    item = next(iter(_most_held(desk)), None)
    if item is None:
        return
    span = (Instant(now - 30 * HOUR), Instant(now - 6 * HOUR))
    case = keeper.leak_known(
        desk.policy, LeakCause.MISTAKE, (item,), *span, by=desk.by, at=moment(Instant(now - 5 * HOUR), desk.plan.zone)
    )
    leak = leak_of(keeper, desk.policy, case)
    if leak is None:
        return
    written = {one: contents_of(keeper, desk.document, leak, one) for one in desk.document.policy.locales}
    if write_contents(keeper, desk.policy, leak, _whole(written), desk.by):
        return
    leak = leak_of(keeper, desk.policy, case) or leak
    tell_affected(keeper, desk.document, leak, affected(keeper, desk.policy, leak), desk.by)
    for step in (LeakStep.REPORTED, LeakStep.CAUSE_FOUND, LeakStep.MENDED, LeakStep.LESSONS):
        leak = leak_of(keeper, desk.policy, case) or leak
        hit, told = affected(keeper, desk.policy, leak), told_of(keeper, desk.policy, leak)
        owed = tracks_of(keeper, desk.policy, leak, hit, told)
        take_step(keeper, desk.document, leak, step, f"made-up record of {step.value}", desk.by, owed)


def _whole(written: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """A draft lacks what no document says; the officer adds it."""
    return {
        locale: {name: text or "made-up office, 000-0000" for name, text in texts.items()}
        for locale, texts in written.items()
    }


def _most_held(desk: _Desk) -> Iterator[str]:
    for person in desk.people:
        seen = seen_of(desk.keeper, desk.policy, person)
        if seen is not None:
            yield from (one.item for one in seen.state.values if one.held is HeldState.HELD)


def _duties(desk: _Desk) -> None:
    """The duties that nobody asks for, each done once; an inspection and a review with something found."""
    for one in calendar_of(desk.keeper, desk.policy).falls:
        if one.duty.whose is Whose.PERSON or one.due_at is None:
            continue
        found = {"inspection": CHECKLIST[:1], "access-review": LOOKED_FOR[:1]}.get(one.duty.code, ())
        proof = f"made-up minutes: {one.duty.code}".encode()
        about = one.about or None
        if one.duty.whose is Whose.ELEMENT and about is not None:
            desk.keeper.attest(desk.policy, about, record=proof)
        desk.keeper.did(desk.policy, one.duty.code, about=about, findings=found, record=proof, by=desk.by)


def _offices(desk: _Desk) -> None:
    """Who helps was looked at: each agency and office is as the document says."""
    document = desk.document.policy
    for row in (*document.agencies.values(), *document.contacts.values(), *document.guarantees.values()):
        desk.keeper.attest(desk.policy, row.path, record=b"made-up look: as the document says")


def _disclose(desk: _Desk) -> None:
    """A demand under a statute, with everything that the policy wants on record."""
    for name, row in desk.plan.exceptions.items():
        if row.blocked:
            continue
        for person in desk.people:
            seen = seen_of(desk.keeper, desk.policy, person)
            held = {one.item for one in seen.state.values if one.held is HeldState.HELD} if seen else set()
            items = tuple(sorted(held & row.items if row.items else held))[:1]
            law = min(row.laws) if row.laws else None
            if items and desk.keeper.disclose(person, name, items, shown=row.needs, law=law).granted:
                break


def _entrust(desk: _Desk) -> None:
    """Each processor gets a little of what it works with; where it is abroad, who agrees to that is asked first."""
    channel = web_channel(desk.plan, desk.document)
    for name, row in desk.plan.entrustments.items():
        abroad = [one.name for one in desk.plan.transfers.values() if one.party == row.party and one.basis == "consent"]
        for person in desk.people if not row.blocked else ():
            for transfer in abroad if channel else ():
                desk.keeper.consent(person, f"transfer/{transfer}", channel=channel or "")
            seen = seen_of(desk.keeper, desk.policy, person)
            held = {one.item for one in seen.state.values if one.held is HeldState.HELD} if seen else set()
            items = tuple(sorted(held & row.items))[:2]
            given = (desk.keeper.entrust(person, name, purpose, items) for purpose in sorted(row.purposes) if items)
            if any(one.granted for one in given):
                break


def _merge(desk: _Desk) -> None:
    """The business passes on in two months: everybody is told, and it hangs on the page for whom no letter reaches."""
    document = desk.document.policy
    terms = {one: Terms("Made-up Ltd. merges.", "Sample Ltd.", "office@example.org", "answer this mail") for one in
             document.locales}  # fmt: skip
    day = local_date(desk.keeper.now(), desk.plan.zone) + timedelta(days=60)
    case = desk.keeper.merger(desk.policy, "merger", "sample-ltd", terms, effective_on=day, refused_means="stays")
    merging.tell(desk.keeper, desk.policy, case, ("email", "sms"))
    if "front-page" in document.places:
        desk.keeper.post(desk.policy, "business-transfer", case, "front-page", evidence=b"made-up picture of the page")


STEPS: Final[dict[str, Callable[[_Desk], None]]] = {
    "processors": _entrust,
    "requests by every channel": _ask_by_every_channel,
    "an agent": _agent,
    "a representative": _representative,
    "a look put off": _postpone,
    "advertising": _advertise,
    "cookies": _choose_cookies,
    "a child": _child,
    "a demand of the law": _disclose,
    "a merger": _merge,
    "a leak": _leak,
    "duties": _duties,
    "offices": _offices,
    "an erasure": _erase,
}
"""In this order: the erasure comes last, since it takes what the others are about."""
