"""Steps in handling a request: papers sent as proof, corrections and who was told, passing on, more time."""

from __future__ import annotations

from upheld.desk import outcomes as desk
from upheld.desk.requests import correctable, sources_of, told_of
from upheld.desk.scanning import file_proof, kind_of
from upheld.engine.acts import DisclosureId, SubjectId
from upheld.web.answer import Answer, Download, Refused
from upheld.web.asked import Asked
from upheld.web.requests import EXTENDED_FOR, asked_for, back, request_page, unchanged


def take_proof(asked: Asked) -> Answer:
    """A copy of a document comes in. It is looked at, encrypted, and destroyed when it has been checked."""
    one, seen = asked_for(asked)
    files = asked.uploads.get("file", ())
    if not files:
        return request_page(asked, one, seen, "file-missing", 400)
    for content in files:
        file_proof(asked.keeper, asked.policy, one.subject_id, one.request_id, content, asked.settings.scan)
    return back(asked, one)


def proof(asked: Asked) -> Answer:
    """Look at a copy that came in. The look is on record first."""
    one, _ = asked_for(asked)
    filed = asked.keeper.papers(asked.policy, owner=one.subject_id, about=one.request_id, kind="requests")
    if asked.parts["paper"] not in {paper.paper_id for paper in filed}:
        raise Refused(404, "paper-unknown")
    content = asked.keeper.paper(asked.policy, asked.parts["paper"])
    if content is None:
        raise Refused(404, "paper-unknown")
    kind = kind_of(content) or "application/octet-stream"
    return Download(content, kind, f"{asked.parts['paper']}.{kind.rpartition('/')[2]}")


def correct(asked: Asked) -> Answer:
    """A wrong value is put right; every recipient that got the wrong one is told."""
    one, seen = asked_for(asked)
    unchanged(asked, one)
    found = next(each for each in seen.state.requests if each.request_id == one.request_id)
    values = correctable(seen, found)
    value, text = values[asked.choice("value", values)], asked.field("text")
    if not one.proved or one.settled:
        return request_page(asked, one, seen, "reason.identity-not-proved", 400)
    if not text:
        return request_page(asked, one, seen, "text-missing", 400)
    done = asked.keeper.correct(one.subject_id, value.value_id, text, request=one.request_id)
    if not done.granted:
        return request_page(asked, one, seen, "not-corrected", 400)
    return back(asked, one)


def acknowledged(asked: Asked) -> Answer:
    """A recipient has answered that it put right or destroyed what it got."""
    one, seen = asked_for(asked)
    told = tuple(each.disclosure_id for each in told_of(asked.keeper, seen, one.request_id))
    disclosure = DisclosureId(asked.choice("disclosure", told))
    asked.keeper.acknowledge(SubjectId(one.subject_id), disclosure)
    return back(asked, one)


def pass_on(asked: Asked) -> Answer:
    """The data came from another controller: the request goes there, what stands still goes on standing still."""
    one, seen = asked_for(asked)
    unchanged(asked, one)
    found = next(each for each in seen.state.requests if each.request_id == one.request_id)
    asked.keeper.pass_on(one.subject_id, one.request_id, party=asked.choice("party", sources_of(seen, found)))
    return back(asked, one)


def extend(asked: Asked) -> Answer:
    """More time for an answer about an automated decision, for a reason that the person is told."""
    one, _ = asked_for(asked)
    unchanged(asked, one)
    asked.keeper.extend(one.subject_id, one.request_id, reason=asked.choice("why", EXTENDED_FOR))
    return back(asked, one)


def accept(asked: Asked) -> Answer:
    """A request that repeats a refused one is accepted: from now on the values stand still again."""
    one, _ = asked_for(asked)
    unchanged(asked, one)
    if one.settled or not one.proved:
        raise Refused(409, "changed-meanwhile")
    asked.keeper.accept_again(one.subject_id, one.request_id)
    return back(asked, one)


def lift(asked: Asked) -> Answer:
    """The person takes a suspension back."""
    one, _ = asked_for(asked)
    unchanged(asked, one)
    asked.keeper.lift(one.subject_id, one.request_id)
    return back(asked, one)


def tell_outcome(asked: Asked) -> Answer:
    """The letter with the outcome goes to who asked; the desk sees what became of it."""
    one, _ = asked_for(asked)
    desk.tell_outcome(asked.keeper, asked.document, one)
    return back(asked, one)
