"""What each address does: from a body to the keeper and back. A refused decision becomes a problem, not an answer."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from upheld.dates import FOREVER, Instant, moment
from upheld.engine.acts import Cited, EngagementId, Reason, RequestId, SubjectId, ValueId, refused
from upheld.engine.state import AboutKind
from upheld.errors import InputRefused
from upheld.keeper import Outcome, Shown
from upheld.keeper.applications import reads_as
from upheld.ledger.checkpoint import CheckpointRefused
from upheld.ledger.report import as_json
from upheld.policy.read import read_policy
from upheld.store.verifying import anchor_in, verify_copy
from upheld.web.api import shapes
from upheld.web.api.problems import Said, cause, problem, unfit, unusable
from upheld.web.api.row import Call

T = TypeVar("T")
_LARGEST_VALUE = 2**63 - 1
_ABOUT = frozenset(one.value for one in AboutKind)


def enter(call: Call) -> shapes.Entered:
    """A person becomes known to the policy."""
    body = cast(shapes.Enter, call.body)
    return shapes.Entered(call.keeper.enter(call.policy, body.kind, born=body.born, minor=body.minor, at=body.at))


def look_up(call: Call) -> shapes.Found:
    """Who holds exactly this text."""
    body = cast(shapes.LookUp, call.body)
    if body.item not in call.keeper.views.line(call.policy).latest.items:
        raise unfit("item-undeclared", "the policy has no such item")
    found = call.keeper.lookup(call.policy, body.item, body.text, reader=reads_as(call.application), reason=body.reason)
    return shapes.Found(list(found))


def begin(call: Call) -> shapes.Done:
    """An engagement begins."""
    body = cast(shapes.Begin, call.body)
    return done(call.keeper.begin(call.subject, body.kind, organisation=body.organisation, at=body.at))


def collect(call: Call) -> shapes.Done:
    """Items for one purpose."""
    return _collected(call, call.subject, cast(shapes.Collect, call.body))


def collect_batch(call: Call) -> shapes.Decided:
    """Several collections in one commit, each decided by itself."""

    def one_by_one() -> list[shapes.DecidedOne]:
        decided: list[shapes.DecidedOne] = []
        for one in cast(shapes.CollectBatch, call.body).entries:
            try:
                of_policy(call, one.subject)
                decided.append(shapes.DecidedOne(one.subject, _collected(call, SubjectId(one.subject), one)))
            except InputRefused as refusal:
                decided.append(shapes.DecidedOne(one.subject, problem=unusable(refusal)))
            except Said as said:
                decided.append(shapes.DecidedOne(one.subject, problem=said.problem))
        return decided

    about = persons_of_batch(call)
    call.keeper.views.meet_again(about, call.keeper.now())
    return shapes.Decided(call.keeper.together(one_by_one, about=about))


def persons_of_batch(call: Call) -> tuple[SubjectId, ...]:
    """Everybody in it."""
    return tuple({SubjectId(one.subject) for one in cast(shapes.CollectBatch, call.body).entries})


def correct(call: Call) -> shapes.Done:
    """A right content for a wrong one."""
    body = cast(shapes.Correct, call.body)
    request = RequestId(body.request) if body.request else None
    return done(call.keeper.correct(call.subject, _value(body.value), body.text, request=request))


async def read(call: Call) -> shapes.Texts:
    """Contents for one purpose, decided and recorded together with other readings that wait."""
    body = cast(shapes.Read, call.body)
    outcome = await call.keeper.front.read(
        call.subject,
        body.purpose,
        reader=reads_as(call.application),
        items=tuple(body.items),
        values=values_of(body.values),
        use=body.use,
        engagement=_engagement(body.engagement),
    )
    return _texts(outcome)


def read_batch(call: Call) -> shapes.ReadOut:
    """Values of many persons, each decided by itself."""
    body = cast(shapes.ReadBatch, call.body)
    call.keeper.views.meet({SubjectId(one.subject) for one in body.values}, call.keeper.now())
    for one in body.values:
        of_policy(call, one.subject)
    wanted = [(SubjectId(one.subject), _value(one.value)) for one in body.values]
    out = call.keeper.read_batch(body.purpose, wanted, reader=reads_as(call.application), use=body.use)
    refusals = {str(value): [cause(one) for one in decision.because] for value, decision in out.refused.items()}
    return shapes.ReadOut(utc(out.at), {str(value): text for value, text in out.texts.items()}, refusals)


def consent(call: Call) -> shapes.Done:
    """Consent to one thing."""
    body = cast(shapes.Consent, call.body)
    shown = Shown(body.text, body.locale) if body.text is not None else None
    about = _about(body.about)
    outcome = call.keeper.consent(
        call.subject, about, channel=body.channel, shown=shown, by=body.by, verified=body.verified, at=body.at
    )
    return done(outcome)


def withdraw(call: Call) -> shapes.Done:
    """Consent taken back."""
    body = cast(shapes.Withdraw, call.body)
    outcome = call.keeper.withdraw(
        call.subject, _about(body.about), channel=body.channel, by=body.by, confirmed=body.confirmed, at=body.at
    )
    return done(outcome)


def consents(call: Call) -> shapes.Consents:
    """The state of each matter."""
    return shapes.Consents(dict(call.keeper.consents(call.subject)))


def fact(call: Call) -> shapes.Done:
    """Something happened."""
    body = cast(shapes.Fact, call.body)
    if (body.source is None) != (body.key is None):
        raise unfit("key-without-source", "give `source` and `key` together, or neither")
    outcome = call.keeper.fact(
        call.subject,
        body.code,
        at=body.at,
        engagement=_engagement(body.engagement),
        about=body.about,
        values=values_of(body.values),
        source=body.source,
        key=body.key,
    )
    return done(outcome)


def provide(call: Call) -> shapes.Texts:
    """Items for a recipient."""
    body = cast(shapes.Provide, call.body)
    engagement = _engagement(body.engagement)
    return _texts(call.keeper.provide(call.subject, body.recipient, tuple(body.items), engagement=engagement))


def entrust(call: Call) -> shapes.Texts:
    """Items for a processor."""
    body = cast(shapes.Entrust, call.body)
    _bound(call, body.purpose)
    engagement = _engagement(body.engagement)
    return _texts(
        call.keeper.entrust(call.subject, body.processor, body.purpose, tuple(body.items), engagement=engagement)
    )


def reuse(call: Call) -> shapes.Done:
    """Values for one more purpose."""
    body = cast(shapes.Reuse, call.body)
    _bound(call, body.purpose)
    engagement = _engagement(body.engagement)
    values = values_of(body.values)
    return done(call.keeper.reuse(call.subject, body.purpose, values, engagement=engagement, channel=body.channel))


def disclose(call: Call) -> shapes.Texts:
    """Items under an exception."""
    body = cast(shapes.Disclose, call.body)
    shown, values = frozenset(body.shown), values_of(body.values)
    outcome = call.keeper.disclose(
        call.subject, body.exception, tuple(body.items), shown=shown, law=body.law, values=values
    )
    return _texts(outcome)


def send(call: Call) -> shapes.Done:
    """Whether a message may go out, and that it does."""
    body = cast(shapes.Send, call.body)
    _bound(call, body.purpose)
    return done(call.keeper.send(call.subject, body.purpose, body.medium))


def read_separated(call: Call) -> shapes.Texts:
    """What is kept apart."""
    body = cast(shapes.ReadSeparated, call.body)
    values = values_of(body.values)
    return _texts(
        call.keeper.read_separated(call.subject, body.ground, reader=reads_as(call.application), values=values)
    )


def request(call: Call) -> shapes.Done:
    """A right is exercised."""
    body = cast(shapes.Request, call.body)
    outcome = call.keeper.request(
        call.subject,
        body.right,
        channel=body.channel,
        proved=body.proved,
        proof=tuple(body.proofs),
        values=values_of(body.values),
        purposes=tuple(body.purposes),
        confirmed=body.confirmed,
        at=body.at,
    )
    return done(outcome)


def requests(call: Call) -> shapes.AskedOf:
    """A person's requests."""
    now = call.keeper.now()
    found = [
        shapes.Asked(
            one.request_id,
            one.right,
            one.stands(now).value,
            utc(one.received_at),
            maybe(one.due_at),
            one.proved_at is not None,
        )
        for one in call.keeper.requests(call.subject)
    ]
    shown, following = page(call, found, lambda one: one.request)
    return shapes.AskedOf(shown, following)


def holdings(call: Call) -> shapes.Holdings:
    """What is held on a person, without contents."""
    still = call.keeper.disputed(call.subject)
    found = [
        shapes.Holding(
            str(value.value_id),
            value.item,
            due.value,
            utc(value.collected_at),
            sorted({use.purpose for use in value.uses}),
            list(kept),
            value.value_id in still,
        )
        for value, due, kept in call.keeper.holdings(call.subject)
    ]
    shown, following = page(call, found, lambda one: one.value)
    return shapes.Holdings(shown, following)


def notices(call: Call) -> shapes.ToldList:
    """Who was told what."""
    found = [
        shapes.Told(
            one.message_id,
            one.subject_id,
            one.notice,
            one.medium,
            one.state,
            utc(one.queued_at),
            maybe(one.settled_at),
        )
        for one in call.keeper.messages(call.policy)
    ]
    shown, following = page(call, found, lambda one: one.message)
    return shapes.ToldList(shown, following)


def certificates(call: Call) -> shapes.Certificates:
    """Certificates of destruction."""
    shown, following = page(call, call.keeper.certificates(call.policy), lambda one: one)
    return shapes.Certificates(shown, following)


def certificate(call: Call) -> bytes:
    """One certificate, signed, with its proof."""
    wanted = call.parts["certificate"]
    if wanted not in call.keeper.certificates(call.policy):
        raise Said(problem(404, "certificate-unknown"))
    return call.keeper.certificate(wanted)


def audit(call: Call) -> bytes:
    """The state of every clause."""
    query = cast(shapes.Span, call.query)
    return as_json(call.keeper.audit(call.policy, since=query.since, until=query.until, version=query.version))


def verify(call: Call) -> shapes.Verified:
    """Whether the ledger holds."""
    body = cast(shapes.Verify, call.body)
    call.keeper.seal_first()
    try:
        anchors = [anchor_in(one) for one in body.anchors]
    except CheckpointRefused as refusal:
        raise unfit("anchor-unusable", str(refusal)) from refusal
    with call.keeper.places.ledger_copy() as path:
        found = verify_copy(path, None, anchors)
    problems = [str(one) for one in found.problems]
    return shapes.Verified(
        found.ok, found.batches, found.entries, found.checkpoints, problems, list(map(str, found.cannot_show))
    )


def policy(call: Call) -> shapes.Policy:
    """The policy and what the program may do under it."""
    line, now = call.keeper.views.line(call.policy), call.keeper.now()
    in_force = line.at(now)
    versions = [shapes.Version(one.version, utc(one.effective_at), one is in_force) for one in line.plans]
    application = call.application
    return shapes.Policy(
        call.policy,
        versions,
        sorted((in_force or line.latest).purposes),
        sorted(one.value for one in call.caller.duties),
        sorted(application.purposes),
    )


def publish(call: Call) -> shapes.Published:
    """A version goes on file, through the gate."""
    body = cast(shapes.Publish, call.body)
    source = body.document.encode()
    if read_policy(source, "document").policy != call.policy:
        raise unfit("policy-other", "the document is of another policy than this program's")
    made = call.keeper.publish(source, as_of=body.as_of, evidence=body.evidence, dry_run=body.dry)
    return shapes.Published(made.version, utc(made.effective_at), list(made.gaps), made.dry)


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_policy(call: Call, subject: str) -> None:
    """The person is one of the program's policy; of any other nothing is said, not even that they are there."""
    seen = call.keeper.views.get(SubjectId(subject), call.keeper.now())
    if seen.policy != call.policy:
        raise InputRefused("unknown", "no such subject; it was never entered here, or was forgotten")


def _collected(call: Call, subject: SubjectId, body: shapes.Collect) -> shapes.Done:
    _bound(call, body.purpose)
    outcome = call.keeper.collect(
        subject,
        body.purpose,
        body.items,
        engagement=_engagement(body.engagement),
        channel=body.channel,
        proofs=frozenset(body.proofs),
        use=body.use,
    )
    return done(outcome)


def _bound(call: Call, purpose: str) -> None:
    """A program acts for its own purposes and no others."""
    declared = call.keeper.views.line(call.policy).latest.purposes.get(purpose)
    if declared is not None and purpose not in call.application.purposes:
        rule = declared.rule
        raise Said(_refused(refused(rule.cited(Reason.DUTY_MISSING, "purposes", call.application.name)).because))


def _refused(because: tuple[Cited, ...]) -> shapes.Problem:
    codes = [one.reason.value for one in because if one.reason]
    return problem(403, codes[0] if codes else "refused", "the policy does not allow it", because)


def done(outcome: Outcome) -> shapes.Done:
    """What was done. Raises Said for a refusal."""
    if not outcome.granted:
        raise Said(_refused(outcome.because))
    return shapes.Done(
        utc(outcome.at),
        [cause(one) for one in outcome.because],
        outcome.made,
        {item: list(map(str, values)) for item, values in outcome.values.items()},
        list(outcome.tells),
        outcome.repeated,
    )


def _texts(outcome: Outcome) -> shapes.Texts:
    told = done(outcome)
    return shapes.Texts(
        told.at, told.because, told.values, {str(one): text for one, text in outcome.texts.items()}, told.made
    )


def _value(text: str) -> ValueId:
    if int(text) > _LARGEST_VALUE:
        raise unfit("value-unknown", "no value has this id")
    return ValueId(int(text))


def values_of(texts: Iterable[str]) -> tuple[ValueId, ...]:
    """Ids as they are written in a body. Raises Said for one that can't be."""
    return tuple(map(_value, texts))


def _engagement(text: str | None) -> EngagementId | None:
    return EngagementId(text) if text else None


def _about(text: str) -> str:
    kind, _, name = text.partition("/")
    if kind not in _ABOUT or not name:
        raise unfit("about-unknown", f"say what it is about as KIND/NAME; kinds: {', '.join(sorted(_ABOUT))}")
    return text


def utc(at: Instant) -> datetime:
    """An instant as it goes out."""
    return moment(at, ZoneInfo("UTC"))


def maybe(at: Instant | None) -> datetime | None:
    """The same; nothing for what has no end."""
    return None if at is None or at >= FOREVER else utc(at)


def page(call: Call, found: Sequence[T], name: Callable[[T], str]) -> tuple[list[T], str | None]:
    """From after the cursor on; the cursor is the name of the last one given out. Raises InputRefused."""
    query = cast(shapes.Listing, call.query)
    start = 0
    if query.cursor is not None:
        names = [_cursor(name(one)) for one in found]
        if query.cursor not in names:
            raise unfit("cursor-unknown", "this cursor is none of this list; begin again without it")
        start = names.index(query.cursor) + 1
    shown = list(found[start : start + query.limit])
    return shown, _cursor(name(shown[-1])) if shown and start + len(shown) < len(found) else None


def _cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
