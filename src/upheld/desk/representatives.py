"""Who is told in a person's place: the legal representative of a child, an agent whose request is answered.

Where they are told they say themselves; the address is a paper of the person, kept for letters, used for nothing else.
What was taken of a representative to ask for consent is another thing: it goes with the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from upheld.desk.codes import medium_of
from upheld.desk.holdings import seen_of
from upheld.engine.acts import SubjectId
from upheld.engine.state import ActingKind
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.keeper.telling import Addressee, Message
from upheld.policy.letters import Written

KIND: Final = "letters"
"""The row of `upkeep` under which an address is kept."""
OF_CHILD: Final = "representative"
"""What the paper is about that says where a child's representative is told."""
MEDIA: Final = ("email", "sms")
"""Ours: the first that reaches a person is used."""
ASKED: Final = "representative-asked"


def told_at(keeper: Keeper, policy: str, subject_id: SubjectId, address: str, about: str = OF_CHILD) -> None:
    """Who acts for the person says where they are told; what they said before is destroyed.

    `about`: the id under which an agent acts, else the representative of a child. Raises InputRefused for no address.
    """
    if medium_of(address) is None:
        raise InputRefused("address-unusable", "an e-mail address or a telephone number")
    before = keeper.papers(policy, owner=subject_id, kind=KIND, about=about)
    keeper.file_paper(policy, KIND, address.encode(), owner=subject_id, about=about)
    for one in before:
        keeper.destroy_paper(policy, one.paper_id)


def addressee_of(keeper: Keeper, policy: str, subject_id: SubjectId, acting: str | None = None) -> Addressee | None:
    """Who is told in the person's place; None: they themselves, or nobody said where."""
    seen = seen_of(keeper, policy, subject_id)
    if seen is None:
        return None
    if acting is not None:
        kind = next((one.kind for one in seen.state.acting if one.acting_id == acting), None)
        return _at(keeper, policy, subject_id, acting, kind) if kind is not None else None
    if keeper.grown_up(subject_id):
        return None
    found = _at(keeper, policy, subject_id, OF_CHILD, ActingKind.REPRESENTATIVE)
    if found is not None:
        return found
    live = [one for one in keeper.acting_for(subject_id) if one.kind is ActingKind.REPRESENTATIVE]
    places = (_at(keeper, policy, subject_id, one.acting_id, one.kind) for one in reversed(live))
    return next((one for one in places if one is not None), None)


def _at(keeper: Keeper, policy: str, subject_id: SubjectId, about: str, kind: ActingKind) -> Addressee | None:
    papers = keeper.papers(policy, owner=subject_id, kind=KIND, about=about)
    address = keeper.paper(policy, papers[-1].paper_id) if papers else None
    return Addressee(kind, address.decode()) if address else None


def tell_in_place(
    keeper: Keeper,
    policy: str,
    subject_id: SubjectId,
    notice: str,
    locale: str,
    *,
    about: str | None = None,
    fields: Mapping[str, str] | None = None,
    text: Written | None = None,
    acting: str | None = None,
    media: tuple[str, ...] = MEDIA,
) -> Message:
    """Tell the person, or who acts for them, by the first medium that reaches them. Returns the last message made."""
    to = addressee_of(keeper, policy, subject_id, acting)
    if to is not None:
        medium = medium_of(to.address) or "email"
        return keeper.tell(subject_id, notice, medium, about=about, fields=fields, text=text, locale=locale, to=to)
    made: list[Message] = []
    for medium in media:
        made.append(keeper.tell(subject_id, notice, medium, about=about, fields=fields, text=text, locale=locale))
        if made[-1].state != "unreachable":
            break
    return made[-1]


def asked_by_letter(keeper: Keeper, subject_id: SubjectId, address: str, link: str, locale: str) -> Message:
    """Send the question of a child's consent to its representative through the outbox, with the proof of sending."""
    to = Addressee(ActingKind.REPRESENTATIVE, address)
    medium = medium_of(address) or "email"
    return keeper.tell(subject_id, ASKED, medium, fields={"link": link}, locale=locale, to=to)


def opened_by_link(keeper: Keeper, policy: str, subject_id: SubjectId) -> None:
    """The representative answers by the link: whoever does so reads the mailbox that it was sent to, which is proof."""
    for one in keeper.messages(policy, subject=subject_id, notice=ASKED, state="sent"):
        keeper.acknowledged(one.message_id)
