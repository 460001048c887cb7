"""The verbs that do something: each calls the keeper as an application, a clerk or the world would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from upheld.cases.merging import MERGING
from upheld.cases.model import Step
from upheld.cases.stage import Came, Person, Stage
from upheld.dates import Instant, end_of_day, local_date, start_of
from upheld.engine.acts import HandlerId, RequestId
from upheld.errors import InputRefused
from upheld.keeper import Difficulty, Outcome, WithoutConsent

Play = Callable[[Stage, Step], Iterator[Came]]
DAY = 86_400_000_000


def came(what: str, outcome: Outcome, items: tuple[str, ...] | None = None) -> Came:
    """An outcome of the keeper in the words of a case."""
    return Came(
        what,
        "granted" if outcome.granted else "refused",
        tuple(one.value for one in outcome.reasons),
        outcome.clauses,
        tuple(one.law for one in outcome.because if one.law),
        outcome.tells,
        items,
    )


def happened(stage: Stage, step: Step) -> Instant | None:
    """When it happened, where that is not now: a day known by its date counts at its end."""
    day, late = step.day("happened"), step.word("late")
    if day is not None:
        now = stage.clock.now()
        return now if day == local_date(now, stage.zone) else end_of_day(day, stage.zone)
    if late is not None:
        return Instant(stage.clock.now() - int(late.split()[0]) * DAY)
    return None


def released(stage: Stage, what: str, outcome: Outcome) -> Came:
    """An outcome that shows contents: which items, and whether they are what the person gave."""
    shown = tuple(outcome.values)
    wrong = tuple(f"the content shown of `{item}` is not what was given" for item in stage.unlike(outcome.texts))
    found = came(what, outcome, shown if outcome.granted else None)
    return Came(found.what, found.verdict, found.reasons, found.clauses, found.laws, found.tells, found.items, wrong)


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def enter(stage: Stage, step: Step) -> Iterator[Came]:
    kind = step.word("enter") or ""
    minor = True if step.yes("under-age", False) else None
    subject = stage.keeper.enter(stage.code, kind, born=step.day("born"), minor=minor)
    stage.enters(step.word("as") or "the-person", subject)
    stage.elements.add(f"subjects.{kind}")
    yield Came(f"enter {kind}")


def begin(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    for kind in step.words("begin"):
        outcome = stage.keeper.begin(person.subject_id, kind, organisation=step.word("for"))
        if outcome.made is not None:
            person.engagements.pop(kind, None)
            person.engagements[kind] = outcome.made  # type: ignore[assignment]  # made is the engagement's id here
        yield came(f"begin {kind}", outcome)


def consent(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    by = step.word("by") or next(iter(stage.policy.consent), "website")
    for matter in step.words("consent"):
        outcome = stage.keeper.consent(
            person.subject_id,
            matter,
            channel=by,
            by=_voice(person, step),
            verified=step.word("verified"),
            at=happened(stage, step),
        )
        stage.elements.add(f"channels.{by}")
        yield came(f"consent {matter}", outcome)


def _voice(person: Person, step: Step) -> str:
    """Who says yes or no: the person, a role, or whoever acts for them under an id."""
    of = step.word("of") or "subject"
    return person.acting.get(of, of)


def withdraw(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    for matter in step.words("withdraw"):
        outcome = stage.keeper.withdraw(
            person.subject_id,
            matter,
            channel=step.word("by") or next(iter(stage.policy.consent), "website"),
            by=_voice(person, step),
            confirmed=step.yes("confirmed", False),
            at=happened(stage, step),
        )
        yield came(f"withdraw {matter}", outcome)


def collect(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    for purpose, items in step.table("collect").items():
        plan = stage.plan.purposes.get(purpose)
        texts = stage.contents_for(person, items)
        channel = stage.channel(step, plan)
        outcome = stage.keeper.collect(
            person.subject_id,
            None if purpose == "unnamed" else purpose,
            texts,
            engagement=stage.engagement(person, step, plan.per if plan else ()),
            channel=channel,
            proofs=frozenset(step.words("with")),
            use=step.word("use"),
            unasked=unasked(stage, step),
        )
        stage.keep(outcome.values, texts)
        if outcome.granted:
            stage.came_in(purpose, channel)
        yield came(f"collect for {purpose}", outcome)


def unasked(stage: Stage, step: Step) -> WithoutConsent | None:
    """The exception under which a step goes without consent, with what it shows."""
    exception = step.word("except")
    if exception is None:
        return None
    difficulty, approver, law = step.word("difficulty"), step.word("approved"), step.word("under")
    if law is not None:
        stage.elements.add(f"laws.{law}")
    return WithoutConsent(
        exception,
        law,
        step.word("article"),
        Difficulty(difficulty) if difficulty else None,
        _approver(stage, approver) if approver else None,
        {paper: f"the {paper}".encode() for paper in step.words("shown")},
    )


def _approver(stage: Stage, name: str) -> HandlerId:
    stage.handler_reader(name)  # standing staff keep their role
    return _handler(stage, name)


def reuse(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    for purpose, items in step.table("reuse").items():
        plan = stage.plan.purposes.get(purpose)
        named = stage.engagement(person, step, plan.per if plan else ())
        channel = stage.channel(step, plan)
        outcome = stage.keeper.reuse(
            person.subject_id,
            purpose,
            stage.live(person, items),
            engagement=named,
            channel=channel,
            unasked=unasked(stage, step),
        )
        yield came(f"reuse for {purpose}", outcome)


def read(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    purpose = step.word("for")
    engagement = stage.engagement(person, step, ()) if step.word("in") else None
    outcome = stage.keeper.read(
        person.subject_id,
        purpose,
        reader=stage.reader(step, purpose),
        items=step.words("read"),
        use=step.word("use"),
        engagement=engagement,
    )
    yield released(stage, f"read for {purpose or 'no purpose'}", outcome)


def read_apart(stage: Stage, step: Step) -> Iterator[Came]:
    ground = step.word("read-apart") or ""
    outcome = stage.keeper.read_separated(stage.person(step).subject_id, ground, reader=stage.reader(step, None))
    stage.elements.add(ground)
    yield released(stage, f"read what {ground} keeps apart", outcome)


def show(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    right = step.word("show") or "access"
    reader = stage.reader(step, None)
    outcome = stage.keeper.show(
        person.subject_id,
        reader=reader,
        right=right,
        identity_proved=step.yes("proved", True),
        request=person.requests.get(right),
    )
    yield released(stage, f"show by {right}", outcome)


def fact(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    for code in step.words("fact"):
        declared = stage.plan.facts.get(code)
        carriers = declared.about if declared else frozenset(person.engagements)
        named = stage.engagement(person, step, carriers)
        key = step.word("key")
        outcome = stage.keeper.fact(
            person.subject_id,
            code,
            at=happened(stage, step),
            engagement=named,
            about=step.word("about"),
            values=stage.live(person, step.words("of")),
            source="billing" if key else None,
            key=key,
        )
        found = came(f"fact {code}", outcome)
        yield Came(found.what, tells=(*found.tells, *(("known-already",) if outcome.repeated else ())))


def correct(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    right = step.word("answering")
    for item in step.words("correct"):
        old = stage.live(person, [item])
        if not old:
            raise InputRefused("nothing-held", f"nothing is held of `{item}` that could be corrected")
        texts = stage.contents_for(person, [item])
        outcome = stage.keeper.correct(
            person.subject_id, old[-1], texts[item], request=person.requests.get(right) if right else None
        )
        stage.keep(outcome.values, texts)
        stage.elements.add("guarantees.edits-follow-their-item")
        yield came(f"correct {item}", outcome)


# ── rights ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def ask(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    right = step.word("ask") or ""
    row = stage.plan.rights.get(right)
    ways = [one for one in stage.policy.channels if row is None or not row.by or one in row.by]
    by = step.word("by") or ways[0]
    at = happened(stage, step)
    outcome = stage.keeper.request(
        person.subject_id,
        right,
        channel=by,
        proved=step.yes("proved", True),
        proof=step.words("with"),
        values=stage.live(person, step.words("about")),
        purposes=step.words("purposes"),
        by=_spoken_for(person, step),
        at=at,
    )
    if outcome.made is not None:
        person.requests[right] = RequestId(outcome.made)
    stage.elements.add(f"channels.{by}")
    found = came(f"ask for {right}", outcome)
    late = tuple(_deadline(stage, step, right, at))
    yield Came(found.what, found.verdict, found.reasons, found.clauses, tells=found.tells, amiss=late)


def _deadline(stage: Stage, step: Step, right: str, at: Instant | None) -> Iterator[str]:
    """Whether the answer is due on the day that the case says."""
    day = step.day("due")
    if day is None:
        return
    over = stage.keeper.deadline(stage.plan, right, at if at is not None else stage.clock.now())
    last = local_date(Instant(over - 1), stage.zone)
    row = stage.policy.rights.get(right)
    if row is not None and row.within is not None and row.within.word:
        stage.elements.add(f"soft-words.{row.within.word}")
    if last != day:
        yield f"the answer is due by {last}, not by {day}"


def prove(stage: Stage, step: Step) -> Iterator[Came]:
    person, right = stage.person(step), step.word("prove") or ""
    outcome = stage.keeper.prove(
        person.subject_id, _request(person, right), proof=step.words("with") or ("identity-check",)
    )
    yield came(f"prove for {right}", outcome)


def _spoken_for(person: Person, step: Step) -> str | None:
    """The id under which somebody acts for the person, where the step says that somebody does."""
    kind = step.word("of")
    if kind is None:
        return None
    if kind not in person.acting:
        raise InputRefused("acting-unknown", f"nobody acts for {person.name} as {kind}")
    return person.acting[kind]


def act_for(stage: Stage, step: Step) -> Iterator[Came]:
    person, kind = stage.person(step), step.word("act-for") or ""
    until = step.day("until")
    outcome = stage.keeper.acts_for(
        person.subject_id,
        kind,
        shown=step.words("with"),
        rights=step.words("rights"),
        items=step.words("items"),
        until=Instant(end_of_day(until, stage.zone) + 1) if until else None,
    )
    if outcome.made is not None:
        person.acting[kind] = outcome.made
    yield came(f"act as {kind}", outcome)


def act_no_longer(stage: Stage, step: Step) -> Iterator[Came]:
    person, kind = stage.person(step), step.word("act-no-longer") or ""
    outcome = stage.keeper.acts_no_longer(person.subject_id, person.acting.get(kind, ""))
    yield came(f"act as {kind} no longer", outcome)


def incomplete(stage: Stage, step: Step) -> Iterator[Came]:
    person, right = stage.person(step), step.word("incomplete") or ""
    missing = step.words("missing")
    outcome = stage.keeper.incomplete(person.subject_id, _request(person, right), missing=missing)
    yield came(f"ask for more about {right}", outcome)


def postpone(stage: Stage, step: Step) -> Iterator[Came]:
    person, right = stage.person(step), step.word("postpone") or ""
    day = step.day("until")
    until = start_of(day, stage.zone) if day else None
    outcome = stage.keeper.postpone(
        person.subject_id, _request(person, right), until=until, reason=step.word("reason") or "law"
    )
    yield came(f"postpone {right}", outcome)


def extend(stage: Stage, step: Step) -> Iterator[Came]:
    person, right = stage.person(step), step.word("extend") or ""
    reason = step.word("reason") or "complex"
    yield came(f"extend {right}", stage.keeper.extend(person.subject_id, _request(person, right), reason=reason))


def pass_on(stage: Stage, step: Step) -> Iterator[Came]:
    person, right = stage.person(step), step.word("pass-on") or ""
    party = step.word("to") or "controller"
    yield came(f"pass on {right}", stage.keeper.pass_on(person.subject_id, _request(person, right), party=party))


def answer(stage: Stage, step: Step) -> Iterator[Came]:
    person, right = stage.person(step), step.word("answer") or ""
    outcome = stage.keeper.answer(
        person.subject_id,
        _request(person, right),
        step.word("outcome") or "done",
        reason=step.word("reason"),
        handler=stage.handlers.get(step.word("by") or ""),
        confirmed=step.yes("confirmed", False),
    )
    yield came(f"answer {right}", outcome)


def lift(stage: Stage, step: Step) -> Iterator[Came]:
    person, right = stage.person(step), step.word("lift") or ""
    yield came(f"lift {right}", stage.keeper.lift(person.subject_id, _request(person, right)))


def accept_again(stage: Stage, step: Step) -> Iterator[Came]:
    person, right = stage.person(step), step.word("accept-again") or ""
    yield came(f"accept {right} again", stage.keeper.accept_again(person.subject_id, _request(person, right)))


def review(stage: Stage, step: Step) -> Iterator[Came]:
    person, about = stage.person(step), step.word("review") or ""
    named = stage.engagement(person, step, ()) if step.word("in") else None
    outcome = stage.keeper.review(
        person.subject_id, about, step.word("outcome") or "kept", engagement=named, reason=step.word("reason")
    )
    yield came(f"look at {about}", outcome)


def _request(person: Person, right: str) -> RequestId:
    if right not in person.requests:
        raise InputRefused("request-unknown", f"{person.name} has not asked for {right}")
    return person.requests[right]


# ── giving away ─────────────────────────────────────────────────────────────────────────────────────────────────────


def provide(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    for recipient, items in step.table("provide").items():
        row = stage.plan.provisions.get(recipient)
        named = stage.engagement(person, step, row.per if row else ())
        outcome = stage.keeper.provide(person.subject_id, recipient, items, engagement=named)
        if row is not None and outcome.granted:
            stage.elements.add(f"parties.{row.party}")
        yield released(stage, f"provide {recipient}", outcome)


def entrust(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    purpose = step.word("for") or ""
    for processor, items in step.table("entrust").items():
        row = stage.plan.entrustments.get(processor)
        named = stage.engagement(person, step, ()) if step.word("in") else None
        outcome = stage.keeper.entrust(person.subject_id, processor, purpose, items, engagement=named)
        if row is not None and outcome.granted:
            stage.elements.add(f"parties.{row.party}")
        yield released(stage, f"entrust {processor}", outcome)


def disclose(stage: Stage, step: Step) -> Iterator[Came]:
    person = stage.person(step)
    law = step.word("under")
    for exception, items in step.table("disclose").items():
        outcome = stage.keeper.disclose(
            person.subject_id, exception, items, shown=frozenset(step.words("shown")), law=law
        )
        if law is not None and outcome.granted:
            stage.elements.add(f"laws.{law}")
        yield released(stage, f"disclose under {exception}", outcome)


def send(stage: Stage, step: Step) -> Iterator[Came]:
    person, purpose = stage.person(step), step.word("send") or ""
    medium = step.word("by") or next(iter(stage.policy.advertising), "email")
    yield came(f"send {purpose} by {medium}", stage.keeper.send(person.subject_id, purpose, medium))


def acknowledge(stage: Stage, step: Step) -> Iterator[Came]:
    person, recipient = stage.person(step), step.word("acknowledge")
    state = stage.keeper.views.get(person.subject_id, stage.clock.now()).state
    given = [one.disclosure_id for one in state.disclosures if one.recipient == recipient]
    if not given:
        raise InputRefused("disclosure-unknown", f"nothing was given to `{recipient}`")
    yield came(f"acknowledge {recipient}", stage.keeper.acknowledge(person.subject_id, given[-1]))


def look_up(stage: Stage, step: Step) -> Iterator[Came]:
    for item, (name, *_) in step.table("look-up").items():
        person = stage.people.get(name)
        text = person.gave.get(item, "") if person else f"nobody's {item}"
        reader = stage.keeper.application("the-service")
        found = stage.keeper.lookup(stage.code, item, text, reader=reader, reason=step.word("reason") or "desk")
        names = {one.subject_id: one.name for one in stage.people.values()}
        came_up = sorted(names.get(one, "somebody else") for one in found)
        expected = sorted(one for one in step.words("finds") if one != "nobody")
        amiss = () if came_up == expected else (f"found {_named(came_up)}, expected {_named(expected)}",)
        yield Came(f"look up {item}", amiss=amiss)


def _named(names: list[str]) -> str:
    return ", ".join(names) or "nobody"


# ── the organisation ────────────────────────────────────────────────────────────────────────────────────────────────


def contract(stage: Stage, step: Step) -> Iterator[Came]:
    until = step.day("until")
    for party in step.words("contract"):
        rows = [row for row in stage.plan.entrustments.values() if row.party == party]
        terms = frozenset(step.words("terms")) or frozenset(term for row in rows for term in row.terms)
        stage.contracts[party] = stage.keeper.contract(
            stage.code,
            party,
            terms=terms,
            sub_consent=step.yes("agreed", False),
            until=Instant(start_of(until, stage.zone) + DAY) if until else None,
        )
        yield Came(f"contract with {party}")


def end_contract(stage: Stage, step: Step) -> Iterator[Came]:
    for party in step.words("end-contract"):
        stage.keeper.end_contract(stage.code, stage.contracts.get(party, ""))
        yield Came(f"end of the contract with {party}")


def returned(stage: Stage, step: Step) -> Iterator[Came]:
    for party in step.words("returned"):
        stage.keeper.returned(stage.code, stage.contracts.get(party, ""))
        yield Came(f"return from {party}")


def our_fact(stage: Stage, step: Step) -> Iterator[Came]:
    code = step.word("our-fact") or ""
    stage.keeper.controller_fact(stage.code, code, about=step.word("about"), at=happened(stage, step))
    yield Came(f"our fact {code}")


def grant(stage: Stage, step: Step) -> Iterator[Came]:
    duty, name = step.word("grant") or "", step.word("as") or "somebody"
    row = stage.plan.handlers.get(duty)
    shown = frozenset(step.words("shown")) - {"nothing"} if "shown" in step.said else row.granted_with if row else None
    handler, outcome = stage.keeper.grant(
        stage.code, duty, handler=stage.handlers.get(name), shown=shown or frozenset(), party=step.word("party")
    )
    if outcome.granted:
        stage.handlers[name] = handler
    yield came(f"grant {duty}", outcome)


def revoke(stage: Stage, step: Step) -> Iterator[Came]:
    duty, name = step.word("revoke") or "", step.word("of") or "somebody"
    stage.keeper.revoke(stage.code, _handler(stage, name), duty)
    yield Came(f"revoke {duty}")


def approve_destruction(stage: Stage, step: Step) -> Iterator[Came]:
    approver, by = step.word("approve-destruction") or "", step.word("of") or "somebody"
    stage.keeper.approve_destruction(stage.code, by=_handler(stage, by), approver=_handler(stage, approver))
    yield Came("approve-destruction")


def evidence(stage: Stage, step: Step) -> Iterator[Came]:
    about = step.word("about") or ""
    for control, kinds in step.table("evidence").items():
        for kind in kinds:
            stage.keeper.file_evidence(
                stage.code, control, kind, about=stage.handlers.get(about, HandlerId(about)), at=happened(stage, step)
            )
            yield Came(f"evidence for {control}")


def register(stage: Stage, step: Step) -> Iterator[Came]:
    for kind, names in step.table("register").items():
        for name in names:
            stage.keeper.register(stage.code, kind, stage.handlers.get(name, name))
            yield Came(f"register {kind} {name}")


def unregister(stage: Stage, step: Step) -> Iterator[Came]:
    for kind, names in step.table("unregister").items():
        for name in names:
            stage.keeper.unregister(stage.code, kind, stage.handlers.get(name, name))
            yield Came(f"unregister {kind} {name}")


def holiday(stage: Stage, step: Step) -> Iterator[Came]:
    day = step.day("holiday")
    if day is not None:
        stage.keeper.holiday(stage.code, day)
        yield Came(f"holiday {day}")


def attest(stage: Stage, step: Step) -> Iterator[Came]:
    for element in step.words("attest"):
        stage.keeper.attest(stage.code, element, at=happened(stage, step))
        stage.elements.add(element)
        yield Came(f"attest {element}")


def publish(stage: Stage, step: Step) -> Iterator[Came]:
    path = stage.documents / (step.word("publish") or "")
    stage.keeper.publish(path)
    yield Came(f"publish {path.name}")


def _handler(stage: Stage, name: str) -> HandlerId:
    if name not in stage.handlers:
        raise InputRefused("nobody", f"nobody called `{name}` has a role")
    return stage.handlers[name]


PLAYS: Final[Mapping[str, Play]] = {
    "enter": enter,
    "begin": begin,
    "consent": consent,
    "withdraw": withdraw,
    "collect": collect,
    "reuse": reuse,
    "read": read,
    "read-apart": read_apart,
    "show": show,
    "fact": fact,
    "correct": correct,
    "ask": ask,
    "prove": prove,
    "answer": answer,
    "lift": lift,
    "act-for": act_for,
    "act-no-longer": act_no_longer,
    "incomplete": incomplete,
    "postpone": postpone,
    "extend": extend,
    "pass-on": pass_on,
    "accept-again": accept_again,
    "review": review,
    "provide": provide,
    "entrust": entrust,
    "disclose": disclose,
    "send": send,
    "acknowledge": acknowledge,
    "look-up": look_up,
    "contract": contract,
    "end-contract": end_contract,
    "returned": returned,
    "our-fact": our_fact,
    "grant": grant,
    "approve-destruction": approve_destruction,
    "revoke": revoke,
    "evidence": evidence,
    "register": register,
    "unregister": unregister,
    "holiday": holiday,
    "attest": attest,
    "publish": publish,
    **MERGING,
}
