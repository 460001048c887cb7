"""What programs of the desk do: they obey requests, and put on file who acts for whom."""

from __future__ import annotations

from typing import cast

from upheld.engine.acts import RequestId
from upheld.web.api import shapes
from upheld.web.api.row import Call
from upheld.web.api.verbs import done, maybe, page, utc, values_of


def prove(call: Call) -> shapes.Done:
    """Who asked is proved."""
    body = cast(shapes.Prove, call.body)
    return done(call.keeper.prove(call.subject, _request(call), proof=tuple(body.proofs)))


def incomplete(call: Call) -> shapes.Done:
    """Something is missing."""
    body = cast(shapes.Incomplete, call.body)
    return done(call.keeper.incomplete(call.subject, _request(call), missing=tuple(body.missing)))


def postpone(call: Call) -> shapes.Done:
    """Access is put off."""
    body = cast(shapes.Postpone, call.body)
    return done(call.keeper.postpone(call.subject, _request(call), until=body.until, reason=body.reason))


def extend(call: Call) -> shapes.Done:
    """As long again."""
    body = cast(shapes.Extend, call.body)
    return done(call.keeper.extend(call.subject, _request(call), reason=body.reason))


def pass_on(call: Call) -> shapes.Done:
    """To the controller from whom the data came."""
    body = cast(shapes.PassOn, call.body)
    return done(call.keeper.pass_on(call.subject, _request(call), party=body.party))


def answer(call: Call) -> shapes.Done:
    """The answer. An objection is answered by another program than the one whose answer it objects to."""
    body = cast(shapes.AnswerRequest, call.body)
    outcome = call.keeper.answer(
        call.subject,
        _request(call),
        body.outcome,
        reason=body.reason,
        handler=call.application.application_id,
        confirmed=body.confirmed,
    )
    return done(outcome)


def erase(call: Call) -> shapes.Erased:
    """Erasure, asked, answered and done. A refused answer leaves the request waiting for its proof."""
    body = cast(shapes.Erase, call.body)
    outcome, gone = call.keeper.erase(
        call.subject,
        channel=body.channel,
        proved=body.proved,
        proof=tuple(body.proofs),
        values=values_of(body.values),
        handler=call.application.application_id,
        confirmed=body.confirmed,
    )
    told = done(outcome)
    return shapes.Erased(told.at, told.because, told.made or "", gone, told.tells)


def lift(call: Call) -> shapes.Done:
    """The person lifts a suspension."""
    return done(call.keeper.lift(call.subject, _request(call)))


def mandate(call: Call) -> shapes.Done:
    """Somebody acts for the person from now on; `made` is the id to ask under."""
    body = cast(shapes.Mandate, call.body)
    outcome = call.keeper.acts_for(
        call.subject,
        body.kind,
        shown=tuple(body.shown),
        rights=tuple(body.rights),
        items=tuple(body.items),
        until=body.until,
        at=body.at,
    )
    return done(outcome)


def mandate_ends(call: Call) -> shapes.Done:
    """Nobody acts under that id any more."""
    body = cast(shapes.MandateEnds, call.body)
    return done(call.keeper.acts_no_longer(call.subject, call.parts["acting"], reason=body.reason))


def mandates(call: Call) -> shapes.Mandates:
    """Who acts for the person now."""
    found = [
        shapes.Mandated(
            one.acting_id, one.kind.value, utc(one.from_at), maybe(one.until_at), sorted(one.rights), sorted(one.items)
        )
        for one in call.keeper.acting_for(call.subject)
    ]
    shown, following = page(call, found, lambda one: one.acting)
    return shapes.Mandates(shown, following)


def _request(call: Call) -> RequestId:
    return RequestId(call.parts["request"])
