"""Advertising: who agreed to what, what waits to be sent, and a refusal that needs no sign-in.

The address in every message carries a token bound to the person and the medium. Whoever has it can only say no.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from upheld.dates import Instant, moment
from upheld.desk.counted import Count, counted, no_longer_counted
from upheld.desk.documents import document_in_force
from upheld.desk.languages import language_of
from upheld.engine.acts import SubjectId
from upheld.engine.state import About, AboutKind
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.keeper.telling import ADVERT
from upheld.policy.letters import Written

_BYTES: Final = 20
_ID: Final = 20
AT_ONCE: Final = 500
"""Ours: so many persons by one press of a button."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """One medium of advertising: who agreed, who took it back, at night."""

    medium: str
    at_night: str
    given: int
    refused: int
    night: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of messages of one medium."""

    medium: str
    states: Counter[str]


def refusal_token(keeper: Keeper, policy: str, subject: SubjectId, medium: str) -> str:
    """What the address of refusal carries: the person's opaque id and a keyed digest of it and the medium."""
    return subject + _mac(keeper, policy, subject, medium)


def refuses(keeper: Keeper, policy: str, medium: str, token: str) -> SubjectId | None:
    """The person whom a token names; None for a token that is none of ours."""
    subject, mac = SubjectId(token[:_ID]), token[_ID:]
    right = _mac(keeper, policy, subject, medium)
    return subject if hmac.compare_digest(mac.encode(), right.encode()) else None


def _mac(keeper: Keeper, policy: str, subject: str, medium: str) -> str:
    return keeper.places.vault.digest(policy, "refusal", f"{subject}|{medium}")[:_BYTES].hex()


def refuse(keeper: Keeper, policy: str, subject: SubjectId, medium: str) -> int:
    """No more advertising by a medium, by day and night; what waits is taken out of the queue with it.

    Returns how many messages were taken out. Saying no twice changes nothing.
    """
    waiting = len(_queued(keeper, policy, subject, medium))
    channel = _channel(keeper, policy)
    for kind in (AboutKind.NIGHT, AboutKind.MEDIUM):
        about = About(kind, medium)
        if keeper.consents(subject).get(str(about)) == "given":
            keeper.withdraw(subject, about, channel=channel)
    return waiting - len(_queued(keeper, policy, subject, medium))


def _queued(keeper: Keeper, policy: str, subject: SubjectId, medium: str) -> list[str]:
    found = keeper.messages(policy, subject=subject, notice=ADVERT, state="queued")
    return [one.message_id for one in found if one.medium == medium]


def _channel(keeper: Keeper, policy: str) -> str:
    channels = sorted(keeper.views.line(policy).latest.channels)
    return next((one for one in ("website", "homepage", "site", "email") if one in channels), (*channels, "website")[0])


# ── the guard's page ────────────────────────────────────────────────────────────────────────────────────────────────


def agreed(keeper: Keeper, policy: str) -> list[Agreed]:
    """Each medium of the document with how many agreed to it."""
    number = counted(keeper, policy, _AGREED, _count_agreed)
    return [
        Agreed(medium, night, *(number.get(f"{one} {medium}", 0) for one in ("given", "refused", "night")))
        for medium, (_, night) in sorted(keeper.views.line(policy).latest.advertising.items())
    ]


def _count_agreed(keeper: Keeper, policy: str) -> Mapping[str, int]:
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_CONSENTS, (policy,)).fetchall()
    newest = {(kind, medium, who): bool(given) for kind, medium, who, given in rows}
    found = Counter((kind, medium, given) for (kind, medium, _), given in newest.items())
    said = {("medium", True): "given", ("medium", False): "refused", ("night", True): "night"}
    return {f"{said[kind, given]} {medium}": n for (kind, medium, given), n in found.items() if (kind, given) in said}


def queue(keeper: Keeper, policy: str) -> list[Sent]:
    """What became of every advertisement, by medium."""
    states: dict[str, Counter[str]] = {}
    for label, number in counted(keeper, policy, _SENT, _count_sent).items():
        medium, state = label.split(" ")
        states.setdefault(medium, Counter())[state] += number
    return [Sent(medium, found) for medium, found in sorted(states.items())]


def _count_sent(keeper: Keeper, policy: str) -> Mapping[str, int]:
    return Counter(f"{one.medium} {one.state}" for one in keeper.messages(policy, notice=ADVERT))


def send_out(
    keeper: Keeper, policy: str, purpose: str, medium: str, texts: Sequence[Written], site: str
) -> Counter[str]:
    """Queue an advertisement for everybody who agreed to the medium, in the language in which they last agreed to
    something where there is a text in it, else in the first of `texts`. Each is decided by itself: who may not be told
    is refused, on record. `site`: the public address, under which each refusal has its own. Raises InputRefused.
    """
    plan = keeper.views.line(policy).latest
    if medium not in plan.advertising or purpose not in plan.advertising_purposes:
        raise InputRefused("advertising-undeclared", "the policy advertises for another purpose, or by other media")
    done: Counter[str] = Counter()
    document, in_language = document_in_force(keeper, policy), {one.locale: one for one in texts}
    for subject in _receivers(keeper, policy, medium)[:AT_ONCE]:
        refusing = refusal_address(keeper, policy, subject, medium, site)
        fields = {"refusing": refusing, "one-click": "yes"}
        text = in_language.get(language_of(keeper, document, subject), texts[0])
        told = keeper.tell(subject, ADVERT, medium, purpose=purpose, text=text, fields=fields)
        done[told.reason if told.state == "refused" and told.reason else told.state] += 1
    no_longer_counted(keeper, policy, _SENT)
    return done


def refusal_address(keeper: Keeper, policy: str, subject: SubjectId, medium: str, site: str) -> str:
    """Where somebody says no without signing in."""
    return f"{site}/refuse/{policy}/{medium}/{refusal_token(keeper, policy, subject, medium)}"


def _receivers(keeper: Keeper, policy: str, medium: str) -> list[SubjectId]:
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_CONSENTS, (policy,)).fetchall()
    newest = {who: bool(given) for kind, name, who, given in rows if (kind, name) == ("medium", medium)}
    return [SubjectId(who) for who, given in newest.items() if given]


def is_night(keeper: Keeper, policy: str, hours: Iterable[int]) -> bool:
    """Whether it is now night where the policy is."""
    return moment(Instant(keeper.now()), keeper.views.line(policy).latest.zone).hour in hours


_AGREED, _SENT = "agreed-by-medium", "adverts-by-state"
COUNTS: Final[Mapping[str, Count]] = MappingProxyType({_AGREED: _count_agreed, _SENT: _count_sent})
_CONSENTS = (
    "SELECT c.about_kind, c.about, c.subject_id, c.given FROM consent c JOIN subject s ON s.bucket = c.bucket AND "
    "s.subject_id = c.subject_id WHERE s.policy = ? AND c.about_kind IN ('medium', 'night') ORDER BY c.at, c.known_at"
)
