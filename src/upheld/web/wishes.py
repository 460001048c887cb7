"""What a person asks of us: each right by a form, followed through its states and its clock, taken back, downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from upheld.desk.consents import WEBSITES
from upheld.desk.documents import Document
from upheld.desk.holdings import seen_of
from upheld.desk.requests import became_of
from upheld.desk.scanning import MOST_FILES, file_proof, let_in
from upheld.desk.throttle import CODE_SOURCE, counted
from upheld.engine.acts import RequestId, SubjectId, ValueId
from upheld.engine.notices import ADDRESS_ITEMS
from upheld.engine.plan import Plan
from upheld.engine.proving import POSSESSION, SEEING, not_proved, signed_in, will_do
from upheld.engine.state import ActingKind, HeldState, Request, RequestState
from upheld.keeper import Keeper
from upheld.keeper.asking import AUTOMATED, RIGHTS, ended_with
from upheld.store.views import Seen
from upheld.web.answer import Answer, Download, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.following import follow_one, right_name
from upheld.web.people import engagement_titles, paper_title
from upheld.web.portal import FACTORS_TO_SEE, PORTAL, known_items

OWN: Final = {"own-address": ADDRESS_ITEMS["email"], "own-number": ADDRESS_ITEMS["sms"]}
"""A proof of possession, and the items that a code was sent to."""
SIGNED: Final = POSSESSION | {"sign-in", "login"}
"""Proofs that a code to an address of one's own is."""
SITES: Final = (*WEBSITES, "member-menu", "mobile")
COPIES: Final = frozenset({"access", "portability", "source"})
"""Rights whose answer is a copy."""
ABOUT_VALUES: Final = frozenset({"rectification", "erasure", "suspension", "access", "portability"})
PAPER_KIND: Final = "mandates"


def choose(asked: Asked) -> Answer:
    """The rights, in plain words, and which of them can be used here."""
    return _form(asked, "", 200)


def ask(asked: Asked) -> Answer:
    """Take a request in. Its clock runs from now."""
    seen, plan = _own(asked), asked.plan
    right = asked.choice("right", RIGHTS)
    channel = channel_of(plan, right)
    if channel is None:
        raise Refused(400, "channel-undeclared")
    objects_to = RequestId(asked.field("to")) if right == "objection" and asked.field("to") else None
    done = asked.keeper.request(
        seen.subject_id,
        right,
        channel=channel,
        proof=_shown_at(asked, plan, right, channel),
        values=_values(asked, seen, right),
        purposes=_purposes(asked, plan, right),
        objects_to=objects_to,
        confirmed=asked.field("confirmed") == "yes",
    )
    if not done.granted or done.made is None:
        raise Refused(403, "request-refused")
    words = asked.field("words")
    if words:
        asked.keeper.file_paper(asked.policy, "requests", words.encode(), owner=seen.subject_id, about=done.made)
    return Moved(asked.url("my-request", request=done.made))


def follow(asked: Asked) -> Answer:
    """One request: where it stands, by when it is answered, the answer, and what can be done."""
    return _page(asked, *_asked_for(asked), "", 200)


def take_back(asked: Asked) -> Answer:
    """Take a request back before it is answered."""
    seen, one = _asked_for(asked)
    if not one.waiting:
        raise Refused(409, "changed-meanwhile")
    asked.keeper.answer(seen.subject_id, one.request_id, RequestState.TAKEN_BACK)
    return _back(asked, one)


def lift(asked: Asked) -> Answer:
    """A suspension that holds is lifted by who asked for it."""
    seen, one = _asked_for(asked)
    if one.right != "suspension" or one.lifted_at is not None or one.proved_at is None:
        raise Refused(409, "changed-meanwhile")
    asked.keeper.lift(seen.subject_id, one.request_id)
    return _back(asked, one)


def prove(asked: Asked) -> Answer:
    """What the person has shown by now is recorded for a request that waits for it."""
    seen, one = _asked_for(asked)
    shown = _shown_at(asked, asked.plan, one.right, one.channel)
    done = asked.keeper.prove(seen.subject_id, one.request_id, proof=shown) if shown else None
    if done is None or not done.granted:
        return _page(asked, seen, one, "not-enough", 403)
    return _back(asked, one)


def send_papers(asked: Asked) -> Answer:
    """A file that shows who asks. It is looked at, encrypted, and destroyed when it has been checked."""
    seen, one = _asked_for(asked)
    files = [each for each in asked.uploads.get("paper", ()) if each]
    if not files or not one.waiting:
        return _page(asked, seen, one, "no-file", 400)
    held = asked.keeper.papers(asked.policy, owner=seen.subject_id, about=one.request_id)
    if len(held) + len(files) > 2 * MOST_FILES:
        return _page(asked, seen, one, "too-many-files", 400)
    for content in files:
        file_proof(asked.keeper, asked.policy, seen.subject_id, one.request_id, content, asked.settings.scan)
    return Moved(asked.url("my-request", request=one.request_id, sent="yes"))


def copy(asked: Asked) -> Answer:
    """The answer to access, portability or source as a file, for as long as the request is open."""
    seen, one = _asked_for(asked)
    _two_factors(asked)
    found = asked.keeper.export(seen.subject_id, one.request_id)
    if not found.outcome.granted:
        raise Refused(403, "second-factor-needed")
    return Download(found.document, "application/json", f"{one.right}-{asked.policy}.json")


# ── for somebody else ───────────────────────────────────────────────────────────────────────────────────────────────


def for_another(asked: Asked) -> Answer:
    """The form of an agent or legal representative."""
    return _another(asked, "", 200)


def take_for_another(asked: Asked) -> Answer:
    """Take it in, if the person is known; the answer says the same when nobody is. Nothing is obeyed before somebody
    of ours has checked the mandate.
    """
    kind = asked.choice("kind", tuple(each.value for each in ActingKind))
    right = asked.choice("right", RIGHTS)
    item = asked.choice("item", known_items(asked))
    channel = channel_of(asked.plan, right)
    if channel is None:
        raise Refused(400, "channel-undeclared")
    contact, address = asked.field("contact"), asked.field("address")
    files = [each for each in asked.uploads.get("paper", ()) if each]
    if not (contact and address):
        return _another(asked, "contact-missing", 400)
    if not files:
        return _another(asked, "mandate-missing", 400)
    if not counted(asked.keeper, asked.policy, CODE_SOURCE, asked.source):
        raise Refused(429, "too-many-codes")
    for content in files:
        let_in(content, asked.settings.scan)
    mandate = Mandate(kind, right, channel, item, address, contact, tuple(files))
    there = asked.url("for-another", sent="yes")
    return Moved(there, afterwards=partial(take_in, asked.keeper, asked.policy, mandate))


@dataclass(frozen=True, slots=True)
class Mandate:
    """What somebody sends who asks for another person."""

    kind: str
    right: str
    channel: str
    item: str
    address: str
    contact: str
    files: tuple[bytes, ...]


def take_in(keeper: Keeper, policy: str, sent: Mandate) -> None:
    """A request of the person whose address it is, the mandate beside it; nothing where that is nobody, or several.

    It stays unproved: the papers wait for somebody to check them.
    """
    found = keeper.lookup(policy, sent.item, sent.address, reader=PORTAL, reason="request-of-person")
    if len(found) != 1:
        return
    done = keeper.request(found[0], sent.right, channel=sent.channel)
    for content in (*sent.files, f"{sent.kind}: {sent.contact}".encode()):
        keeper.file_paper(policy, PAPER_KIND, content, owner=found[0], about=done.made)


def _another(asked: Asked, problem: str, status: int) -> Shown:
    plan = asked.plan
    acting = {kind.value: plan.acting.get(kind.value) for kind in ActingKind}
    shows = {kind: [paper_title(asked, one) for one in row.shows] for kind, row in acting.items() if row and row.shows}
    return Shown(
        "for_another",
        {
            "items": known_items(asked),
            "kinds": [each.value for each in ActingKind],
            "shows": shows,
            "rights": {one: right_name(asked, one) for one in RIGHTS if channel_of(plan, one)},
            "scanned": asked.settings.scan is not None,
            "sent": asked.query.get("sent") == "yes",
            "problem": problem,
        },
        status,
    )


# ── what stands on the pages ────────────────────────────────────────────────────────────────────────────────────────


def channel_of(plan: Plan, right: str) -> str | None:
    """The channel of the policy that this page is, for one right; None where the policy takes it elsewhere only."""
    row = plan.rights.get(right)
    allowed = row.by if row and row.by else frozenset(plan.channels)
    return next((one for one in SITES if one in allowed), None)


def _form(asked: Asked, problem: str, status: int) -> Shown:
    seen, plan, document, locale = _own(asked), asked.plan, asked.document, asked.locale
    wanted = asked.query.get("right", "")
    values = [one for one in seen.state.values if one.held is not HeldState.DESTROYED]
    purposes = {use.purpose for one in values for use in one.uses if use.purpose in plan.purposes}
    return Shown(
        "ask",
        {
            "rights": [one for one in RIGHTS if channel_of(plan, one)],
            "named": {one: right_name(asked, one) for one in RIGHTS},
            "elsewhere": _elsewhere(plan, document, locale),
            "wanted": wanted if wanted in RIGHTS else "",
            "to": asked.query.get("to", ""),
            "items": [(one.value_id, document.name("items", one.item, locale), one.collected_at) for one in values],
            "purposes": {one: document.title(plan.purposes[one].rule.path, locale) for one in sorted(purposes)},
            "ends": engagement_titles(asked, ended_with(seen, values, asked.keeper.now())),
            "problem": problem,
        },
        status,
    )


def _elsewhere(plan: Plan, document: Document, locale: str) -> list[tuple[str, str]]:
    """Rights that this page does not take, with the channels that do."""
    found = []
    for right in RIGHTS:
        row = plan.rights.get(right)
        if channel_of(plan, right) is None and row is not None:
            names = ", ".join(document.name("channels", one, locale) for one in sorted(row.by))
            found.append((document.name("rights", right, locale), names))
    return found


def _page(asked: Asked, seen: Seen, one: Request, problem: str, status: int) -> Shown:
    keeper, document, locale = asked.keeper, asked.document, asked.locale
    answer = keeper.answer_of(seen.subject_id, one.request_id)
    follows = follow_one(asked, one, keeper.now())
    enough = will_do(asked.plan, one.right, one.channel, one.by)
    covered = [each for each in seen.state.values if each.value_id in one.values]
    papers = keeper.papers(asked.policy, owner=seen.subject_id, about=one.request_id)
    return Shown(
        "my_request",
        {
            "one": one,
            "follows": follows,
            "covers": sorted({document.name("items", each.item, locale) for each in covered}),
            "purposes": [document.title(f"purposes.{_section(asked, each)}.{each}", locale) for each in one.purposes],
            "answer": answer,
            "kept": [document.title(path, locale) for path in answer.kept] if answer else [],
            "helps": [document.title(path, locale) for path in (*answer.offices, *answer.remedies)] if answer else [],
            "enough": [paper_title(asked, each) for each in enough],
            "can_prove": one.proved_at is None and bool(_shown_at(asked, asked.plan, one.right, one.channel)),
            "copies": one.right in COPIES and one.proved_at is not None and follows.state == "open",
            "sees": _factors(asked) >= FACTORS_TO_SEE,
            "papers": papers,
            "became": became_of(keeper, seen, one, max(keeper.now(), seen.last_at)),
            "scanned": asked.settings.scan is not None,
            "sent": asked.query.get("sent") == "yes",
            "objects": channel_of(asked.plan, "objection") is not None,
            "problem": problem,
        },
        status,
    )


def _section(asked: Asked, purpose: str) -> str:
    row = asked.plan.purposes.get(purpose)
    return "required" if row is None or row.required else "optional"


def _values(asked: Asked, seen: Seen, right: str) -> tuple[ValueId, ...]:
    """The values ticked, of those that are the person's own; none ticked: all of them."""
    if right not in ABOUT_VALUES:
        return ()
    own = {str(one.value_id): one.value_id for one in seen.state.values if one.held is not HeldState.DESTROYED}
    ticked = asked.form.get("value", ())
    if any(one not in own for one in ticked):
        raise Refused(400, "choice-unknown")
    return tuple(own[one] for one in dict.fromkeys(ticked))


def _purposes(asked: Asked, plan: Plan, right: str) -> tuple[str, ...]:
    if right != "suspension":
        return ()
    ticked = tuple(dict.fromkeys(asked.form.get("purpose", ())))
    if any(one not in plan.purposes for one in ticked):
        raise Refused(400, "choice-unknown")
    return ticked


def _shown_at(asked: Asked, plan: Plan, right: str, channel: str) -> tuple[str, ...]:
    """What the session has shown, if that is enough for this right by this channel; else nothing.

    Two addresses are the channel's own proof, as they open the contents; one is possession.
    """
    if _factors(asked) >= FACTORS_TO_SEE:
        shown = signed_in(plan, channel)
    elif right in SEEING or right == AUTOMATED:
        return ()
    else:
        shown = _possession(asked, plan, channel)
    enough = bool(shown) and not_proved(plan, right, channel, shown) is None
    return shown if enough else ()


def _possession(asked: Asked, plan: Plan, channel: str) -> tuple[str, ...]:
    row: tuple[object, str | None] = plan.channels.get(channel, (None, None))
    least = row[1]
    if least is None or least in SIGNED:
        return (least or "own-address",)
    proved = asked.person.proved if asked.person else frozenset()
    return tuple(proof for proof, items in OWN.items() if proof in plan.proofs and proved & {*items})


def _factors(asked: Asked) -> int:
    return len(asked.person.proved) if asked.person else 0


def _two_factors(asked: Asked) -> None:
    if _factors(asked) < FACTORS_TO_SEE:
        raise Refused(403, "second-factor-needed")


def _own(asked: Asked) -> Seen:
    seen = seen_of(asked.keeper, asked.policy, SubjectId(asked.subject()))
    if seen is None:
        raise Refused(403, "session-over")
    return seen


def _asked_for(asked: Asked) -> tuple[Seen, Request]:
    """A request of whoever is signed in; anybody else's is no page. INVARIANT: I12."""
    seen = _own(asked)
    one = next((each for each in seen.state.requests if each.request_id == asked.parts["request"]), None)
    if one is None:
        raise Refused(404, "request-unknown")
    return seen, one


def _back(asked: Asked, one: Request) -> Moved:
    return Moved(asked.url("my-request", request=one.request_id))
