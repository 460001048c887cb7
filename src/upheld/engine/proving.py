"""Who asks: which proofs will do, and what somebody may do for another. `docs/rules.md` 8.5, 8.11 and 10.4.

Pure functions of the plan and what is known. A refusal names what would have done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from upheld.dates import Instant
from upheld.engine.acts import Cited, Reason
from upheld.engine.plan import Plan, Rule
from upheld.engine.state import Acting, ActingKind, SubjectState

POSSESSION = frozenset({"own-address", "own-number", "own-account"})
"""Proofs that show no more than the account, address or number that agreed."""
SEEING = frozenset({"access", "portability", "source"})
STOPPING = frozenset({"withdrawal", "suspension"})
AGREEING = "consent"
"""What a mandate names besides rights when it lets the agent agree to something."""


def will_do(plan: Plan, right: str, channel: str, kind: str = "subject") -> tuple[str, ...]:
    """The proofs any one of which is enough for a right by a channel; empty where the policy names none.

    Stopping asks no more than possession of what agreed. Seeing asks for more than possession.
    """
    if kind != "subject":
        acting = plan.acting.get(kind)
        return acting.shows[:1] if acting is not None and len(acting.shows) == 1 else ()
    least = plan.channels.get(channel, (None, None))[1]
    if least is None:
        return ()
    others = dict.fromkeys(proof for _, proof in plan.channels.values() if proof is not None)
    identity = [one for one in others if one not in POSSESSION]
    owned = [one for one in plan.proofs if one in POSSESSION]
    if least in POSSESSION:
        return tuple(identity) if right in SEEING else (least, *identity)
    return tuple(dict.fromkeys((least, *(owned if right in STOPPING else ()))))


def made_up_of(plan: Plan, wanted: str, shown: frozenset[str]) -> bool:
    """Whether what was shown is a proof, or the parts of it that the policy asks for."""
    if wanted in shown:
        return True
    row = plan.proofs.get(wanted)
    if row is None:
        return False
    if row.all_of:
        return all(made_up_of(plan, one, shown) for one in row.all_of)
    return any(made_up_of(plan, one, shown) for one in row.any_of)


def not_proved(plan: Plan, right: str, channel: str, shown: Iterable[str], kind: str = "subject") -> Cited | None:
    """What is missing before who asks is proved, naming what would do; None where it is enough."""
    have = frozenset(shown)
    acting = plan.acting.get(kind)
    if acting is not None:
        missing = [one for one in acting.shows if not made_up_of(plan, one, have)]
        if have and not missing:
            return None
        return acting.rule.cited(Reason.IDENTITY_NOT_PROVED, "shows", ", ".join(missing) or "a mandate")
    enough = will_do(plan, right, channel, kind)
    if have and (not enough or any(made_up_of(plan, one, have) for one in enough)):
        return None
    asked = plan.rights.get(right)
    rule: Rule = asked.rule if asked else plan.builtin["rights"]
    for name in enough[:1]:
        rule = plan.proofs[name].rule if name in plan.proofs else rule
    return rule.cited(Reason.IDENTITY_NOT_PROVED, "all", " or ".join(enough))


def least_proof(plan: Plan, right: str, channel: str, kind: str = "subject") -> tuple[str, ...]:
    """What is shown at the least: all of it together."""
    acting = plan.acting.get(kind)
    if acting is not None:
        return acting.shows or ("mandate",)
    return will_do(plan, right, channel, kind)[:1] or ("identity-check",)


def signed_in(plan: Plan, channel: str) -> tuple[str, ...]:
    """What somebody has shown who asks by a channel and is proved at once: its own proof."""
    least = plan.channels.get(channel, (None, None))[1]
    return (least,) if least is not None else ("identity-check",)


SHOWN_BY_THE_WAY: Final[Mapping[str, str]] = {
    "signed-form": "paper",
    "reply-message": "message",
    "reply-mail": "mail-reply",
}
"""Ways of agreeing that are themselves a check of the representative. A tick is none, nor is a word at the counter."""


def verified_by(plan: Plan, channel: str, check: str | None) -> str | None:
    """By which of the law's checks a representative's consent is theirs: one that was made, or the way it came."""
    made = (check, *(SHOWN_BY_THE_WAY.get(way) for way in sorted(plan.consent_ways.get(channel, ()))))
    return next((one for one in made if one in plan.country.representative_verified), None)


def unverified(plan: Plan) -> Cited:
    """A representative's consent for a child that does not count: no check shows whose it is. LAW: PIPA decree 17-2."""
    rule, country = plan.children.rule, plan.country
    ways = " or ".join(country.representative_verified)
    return Cited(rule.path, rule.cites(), Reason.IDENTITY_NOT_PROVED, country.article("children.verified"), ways)


def found(state: SubjectState, acting_id: str) -> Acting | None:
    """Who acts under that id."""
    return next((one for one in state.acting if one.acting_id == acting_id), None)


def exceeds(
    plan: Plan, state: SubjectState, acting: Acting, right: str, items: Iterable[str], at: Instant
) -> Cited | None:
    """Why somebody may not do this for the person: the mandate is over, or is not for it. LAW: PIPA 38."""
    row = plan.acting.get(acting.kind)
    rule = row.rule if row is not None else plan.builtin["rights"]
    if not acting.live(at) or _grown_up(state, acting, at):
        return rule.cited(Reason.MANDATE_EXCEEDED, detail="it is over")
    children = plan.children
    of_child = acting.kind is ActingKind.REPRESENTATIVE and _child(state, at) and right != AGREEING
    if of_child and children.rights_rule is not None and children.rights and right not in children.rights:
        return children.rights_rule.cited(Reason.MANDATE_EXCEEDED, "gives", right)
    if acting.rights and right not in acting.rights:
        return rule.cited(Reason.MANDATE_EXCEEDED, detail=right)
    outside = [item for item in items if acting.items and item not in acting.items]
    return rule.cited(Reason.MANDATE_EXCEEDED, detail=", ".join(outside)) if outside else None


def _child(state: SubjectState, at: Instant) -> bool:
    return state.minor_until is not None and at < state.minor_until


def _grown_up(state: SubjectState, acting: Acting, at: Instant) -> bool:
    """Who spoke for a child speaks for it no longer on the birthday; a guardian of an adult came later."""
    grown = state.minor_until
    return grown is not None and acting.kind is ActingKind.REPRESENTATIVE and acting.from_at < grown <= at


def speaks_for(plan: Plan, state: SubjectState, by: str, right: str, items: Iterable[str], at: Instant) -> Cited | None:
    """Whether `by` (`agent`, `representative`) may do this now: a child's representative by law, else by a record."""
    if by not in set(ActingKind):
        return None
    named = tuple(items)
    if by == ActingKind.REPRESENTATIVE and _child(state, at):
        return None
    against = [exceeds(plan, state, one, right, named, at) for one in state.acting if one.kind == by]
    if None in against:
        return None
    row = plan.acting.get(by)
    rule = row.rule if row is not None else plan.builtin["rights"]
    return next((one for one in against if one is not None), rule.cited(Reason.MANDATE_EXCEEDED, detail="no mandate"))
