"""Leaks at the desk: who is affected, what they are told, whether in time; drafts made from ledger and stores."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from upheld.dates import Instant, local_date, moment
from upheld.desk.counted import counted, no_longer_counted
from upheld.desk.documents import Document
from upheld.desk.duties import DELICATE
from upheld.desk.languages import language_of
from upheld.desk.records import at_of, code, codes, counts_of, recorded
from upheld.desk.representatives import tell_in_place
from upheld.engine.acts import HandlerId, SubjectId
from upheld.engine.leaks import BY_HAND, Leak, LeakCause, LeakStep, Stepped, Track, missing_to_close, tracks
from upheld.engine.plan import Plan
from upheld.errors import InputRefused
from upheld.keeper import Keeper
from upheld.keeper.posting import Told
from upheld.law import LawOfDay, LawUnknown, law_in
from upheld.ledger.entries import Entry
from upheld.policy.letters import Written
from upheld.policy.wording import Words

CONTENTS: Final = ("items", "when", "advice", "response", "contact", "remedies")
"""What a person is told, in the order of the law."""
AT_ONCE: Final = 500
"""Ours: so many persons by one press of a button."""

_ADVICE: Final = Words(
    "Change your password wherever you use it, and do not answer messages or calls that speak of this.",
    "같은 비밀번호를 쓰는 곳에서는 비밀번호를 바꾸시고, 이 일을 언급하는 문자·전화에 응하지 마십시오.",
)
_RESPONSE: Final = Words(
    "The way by which it leaked was closed; we look into the cause and tell you more when we know more.",
    "유출 경로를 차단하였고 원인을 조사하고 있으며, 확인되는 대로 추가로 알려 드리겠습니다.",
)
_REMEDIES: Final = Words(
    "You may claim damages from us, and turn to the bodies below.",
    "저희에게 손해배상을 청구하실 수 있고, 다음 기관에 분쟁조정이나 상담을 신청하실 수 있습니다.",
)
_REFUTED: Final = (
    Words("no data of yours leaked", "개인정보가 유출되지 않았음을 알려 드립니다"),
    Words(
        "We wrote to you that data of yours might have leaked. It did not. You need do nothing.",
        "앞서 개인정보가 유출되었을 가능성을 알려 드렸으나, 확인한 결과 유출되지 않았습니다. 하실 일은 없습니다.",
    ),
)


@dataclass(frozen=True, slots=True)
class Affected:
    """Who is affected, as far as the stores know."""

    persons: tuple[SubjectId, ...]
    by_item: Mapping[str, int]
    gone: int
    """Persons whose data of these items was destroyed since; they are in the ledger under an alias only."""
    delicate: bool
    """Sensitive or unique data is among it."""


# ── what is on record ───────────────────────────────────────────────────────────────────────────────────────────────


def leaks_of(keeper: Keeper, policy: str) -> list[Leak]:
    """Every leak under a policy, the newest first."""
    found: dict[str, Leak] = {}
    steps: dict[str, list[Stepped]] = {}
    for one in recorded(keeper, policy, ["breach.known", "breach.moved"]):
        case = code(one.entry, "case")
        if one.entry.kind == "breach.known":
            found[case] = _leak(case, one.reference, one.entry)
        else:
            steps.setdefault(case, []).append(_stepped(one.reference, one.entry))
    whole = [replace(one, steps=tuple(steps.get(case, ()))) for case, one in found.items()]
    return whole[::-1]


def leak_of(keeper: Keeper, policy: str, case: str) -> Leak | None:
    """One leak."""
    return next((one for one in leaks_of(keeper, policy) if one.case == case), None)


def _leak(case: str, reference: str, entry: Entry) -> Leak:
    return Leak(
        case,
        Instant(entry.at),
        LeakCause(code(entry, "cause")),
        codes(entry, "items"),
        at_of(entry, "from_at") or Instant(entry.at),
        at_of(entry, "until") or Instant(entry.at),
        code(entry, "place"),
        bool(entry.fields.get("suspected")),
        reference,
    )


def _stepped(reference: str, entry: Entry) -> Stepped:
    step = LeakStep(code(entry, "step"))
    return Stepped(step, Instant(entry.at), reference, code(entry, "by"), code(entry, "paper"), counts_of(entry))


# ── who is affected ─────────────────────────────────────────────────────────────────────────────────────────────────


def affected(keeper: Keeper, policy: str, leak: Leak) -> Affected:
    """Persons who had one of the items with us before the span was over and have it still; at a processor's or
    recipient's, those whose data it was given. Who lost it since the span began is counted from the ledger.
    """
    found: dict[SubjectId, None] = {}
    by_item: Counter[str] = Counter()
    with keeper.places.active.reading() as connection:
        there = {row[0] for row in connection.execute(_GIVEN, (policy, leak.place))} if leak.place else None
        for item in leak.items:
            rows = connection.execute(_HOLDERS, (policy, item, leak.until_at)).fetchall()
            holders = [SubjectId(row[0]) for row in rows if there is None or row[0] in there]
            by_item[item] = len(holders)
            found |= dict.fromkeys(holders)
    aliases = {
        alias
        for one in recorded(keeper, policy, ["value.destroyed"], leak.from_at)
        if set(codes(one.entry, "items")) & set(leak.items)
        for alias in one.entry.persons
    }
    gone = len(aliases) - sum(one in found for one in _behind(keeper, sorted(aliases)))
    items = keeper.views.line(policy).latest.items
    delicate = any(item in items and items[item].nature in DELICATE for item in leak.items)
    return Affected(tuple(sorted(found)), by_item, gone, delicate)


def _behind(keeper: Keeper, aliases: Sequence[str]) -> Iterator[SubjectId]:
    """Whose aliases these are: of some that lost data, never of all that have any."""
    with keeper.places.keys.reading() as connection:
        for first in range(0, len(aliases), _TOGETHER):
            some = json.dumps(aliases[first : first + _TOGETHER])
            yield from (SubjectId(row[0]) for row in connection.execute(_BEHIND, (some,)).fetchall())


def told_of(keeper: Keeper, policy: str, leak: Leak) -> Told:
    """Who of them was told, waits, or cannot be reached, with what stands in for it."""
    return keeper.told(policy, leak.notice, leak.case)


def everybody_told_at(leak: Leak, hit: Affected, told: Told) -> Instant | None:
    """When the last of those affected was told or covered by a posting; None while somebody is not."""
    since = [told.since.get(one) for one in hit.persons]
    if not since or any(one is None for one in since):
        return None
    return max(one for one in since if one is not None)


def tracks_of(keeper: Keeper, policy: str, leak: Leak, hit: Affected, told: Told) -> tuple[Track, ...]:
    """Both tracks as they stand, by the law of the day of the first awareness."""
    plan = _plan(keeper, policy)
    law = law_of(plan, leak.aware_at)
    return tracks(leak, law, plan.zone, len(hit.persons) + hit.gone, hit.delicate, everybody_told_at(leak, hit, told))


def standing_of(keeper: Keeper, policy: str, leak: Leak) -> tuple[int, tuple[Track, ...]]:
    """How many are affected, and both tracks: what a list of leaks says of each. Who they are is not asked."""

    def count(keeper: Keeper, policy: str) -> Mapping[str, int]:
        hit = affected(keeper, policy, leak)
        at = everybody_told_at(leak, hit, told_of(keeper, policy, leak))
        told = {} if at is None else {"told-at": at}
        return {"persons": len(hit.persons) + hit.gone, "delicate": int(hit.delicate), **told}

    number, plan = counted(keeper, policy, _counted_name(leak), count), _plan(keeper, policy)
    told_at = Instant(number["told-at"]) if "told-at" in number else None
    persons, delicate = number["persons"], bool(number["delicate"])
    return persons, tracks(leak, law_of(plan, leak.aware_at), plan.zone, persons, delicate, told_at)


def leak_changed(keeper: Keeper, policy: str, leak: Leak) -> None:
    """Somebody did something about a leak: what the list says of it is counted anew."""
    no_longer_counted(keeper, policy, _counted_name(leak))


def _counted_name(leak: Leak) -> str:
    return f"leak-{leak.case}"


def law_of(plan: Plan, at: Instant) -> LawOfDay:
    """The law of the house on a day; empty where no table reaches it."""
    day = local_date(at, plan.zone)
    try:
        return law_in(plan.zone.key, day)
    except LawUnknown:
        return LawOfDay("", day, {})


def _plan(keeper: Keeper, policy: str) -> Plan:
    line = keeper.views.line(policy)
    return line.at(keeper.now()) or line.plans[0]


# ── what people are told ────────────────────────────────────────────────────────────────────────────────────────────


def contents_of(keeper: Keeper, document: Document, leak: Leak, locale: str) -> dict[str, str]:
    """What stands in the notice in one language: as it was written last, else a draft made from ledger and document."""
    kept = _kept(keeper, document.policy.policy, leak)
    if locale in kept or "" in kept:
        return {name: text for name, text in kept.get(locale, kept.get("", {})).items() if name in CONTENTS}
    policy = document.policy
    phone = next((row.phone for row in policy.contacts.values() if row.phone), "") or ""
    office = next((document.title(row.path, locale) for row in policy.contacts.values()), "")
    bodies = [f"{document.title(row.path, locale)} {row.phone or ''}".strip() for row in policy.agencies.values()]
    return {
        "items": ", ".join(document.name("items", item, locale) for item in leak.items),
        "when": _span(leak, _plan(keeper, policy.policy)),
        "advice": _ADVICE.say(locale),
        "response": _RESPONSE.say(locale),
        "contact": f"{office} {phone}".strip(),
        "remedies": "\n".join((_REMEDIES.say(locale), *bodies)),
    }


def _kept(keeper: Keeper, policy: str, leak: Leak) -> dict[str, dict[str, str]]:
    """What was written, by locale; what was written before there were several stands under no name."""
    paper = keeper.paper(policy, leak.draft) if leak.draft else None
    if paper is None:
        return {}
    found = msgspec.json.decode(paper, type=dict[str, str | dict[str, str]])
    texts = {name: text for name, text in found.items() if isinstance(text, str)}
    return {name: each for name, each in found.items() if isinstance(each, dict)} | ({"": texts} if texts else {})


def _span(leak: Leak, plan: Plan) -> str:
    first, end = (moment(at, plan.zone).strftime("%Y-%m-%d %H:%M") for at in (leak.from_at, leak.until_at))
    return f"{first} – {end}"


def write_contents(
    keeper: Keeper, policy: str, leak: Leak, contents: Mapping[str, Mapping[str, str]], by: HandlerId
) -> tuple[str, ...]:
    """Keep what people are told, by locale, as a paper of the case. Returns what is missing; then nothing was kept."""
    missing = tuple(name for name in CONTENTS if not all(texts.get(name, "").strip() for texts in contents.values()))
    if missing or not contents:
        return missing or CONTENTS
    written = msgspec.json.encode(
        {locale: {name: texts[name].strip() for name in CONTENTS} for locale, texts in contents.items()}
    )
    paper = keeper.file_paper(policy, "notices", written, owner=by, about=leak.case)
    keeper.leak_moved(policy, leak.case, LeakStep.DRAFTED, paper=paper, by=by)
    return ()


def tell_affected(keeper: Keeper, document: Document, leak: Leak, hit: Affected, by: HandlerId) -> Counter[str]:
    """Tell who was not told yet, each in their language by a letter of their own with its proof. Raises InputRefused
    without a draft.
    """
    policy = document.policy.policy
    if not leak.draft:
        raise InputRefused("letter-incomplete", "write first what people are told")
    contents = {locale: contents_of(keeper, document, leak, locale) for locale in document.policy.locales}
    known = told_of(keeper, policy, leak).states
    done: Counter[str] = Counter()
    for person in [one for one in hit.persons if one not in known][:AT_ONCE]:
        locale = language_of(keeper, document, person)
        fields = contents[locale]
        told = tell_in_place(keeper, policy, person, leak.notice, locale, about=leak.case, fields=fields)
        done[told.state] += 1
    if done:
        keeper.leak_moved(policy, leak.case, LeakStep.TOLD, counts=done, by=by)
    return done


def take_step(
    keeper: Keeper, document: Document, leak: Leak, step: LeakStep, proof: str, by: HandlerId, owed: tuple[Track, ...]
) -> tuple[str, ...]:
    """Put a step on record. Returns what is missing before it can be taken; then nothing was recorded.

    When there was no leak, those who were told that one is possible are told so.
    """
    if step not in BY_HAND or leak.over:
        return (step.value,)
    if step is LeakStep.CLOSED and (missing := missing_to_close(leak, owed)):
        return missing
    if step is LeakStep.REFUTED:
        _correct(keeper, document, leak)
    keeper.leak_moved(document.policy.policy, leak.case, step, record=proof.encode(), by=by)
    return ()


def _correct(keeper: Keeper, document: Document, leak: Leak) -> None:
    policy = document.policy.policy
    texts = {locale: _refuted(document, locale) for locale in document.policy.locales}
    for one in keeper.messages(policy, notice=leak.notice, about=leak.case):
        if one.told or one.state in ("queued", "uncertain"):
            text = texts[language_of(keeper, document, one.subject_id)]
            tell_in_place(
                keeper, policy, one.subject_id, "possible-breach", text.locale, about=leak.case, text=text,
                media=(one.medium,),
            )  # fmt: skip


def _refuted(document: Document, locale: str) -> Written:
    title, body = (one.say(locale) for one in _REFUTED)
    sender = document.policy.controller.texts.get(locale) or document.policy.policy
    return Written(f"[{sender}] {title}", f"{body}\n\n{sender}\n", locale)


_TOGETHER = 5_000
_BEHIND = "SELECT subject_id FROM alias WHERE alias IN (SELECT value FROM json_each(?))"
_HOLDERS = (
    "SELECT DISTINCT v.subject_id FROM value v JOIN subject s ON s.bucket = v.bucket AND s.subject_id = v.subject_id "
    "WHERE s.policy = ? AND v.item = ? AND v.collected_at < ? AND v.state <> 'destroyed'"
)
_GIVEN = (
    "SELECT DISTINCT d.subject_id FROM disclosure d JOIN subject s ON s.bucket = d.bucket AND "
    "s.subject_id = d.subject_id WHERE s.policy = ? AND d.recipient = ?"
)
