"""The register of leaks: known since when, both clocks, drafts, notices with proof, what was mended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from upheld.dates import Instant, instant
from upheld.desk.articles import article_in
from upheld.desk.leaks import (
    CONTENTS,
    Affected,
    affected,
    contents_of,
    leak_changed,
    leak_of,
    leaks_of,
    standing_of,
    take_step,
    tell_affected,
    told_of,
    tracks_of,
    write_contents,
)
from upheld.engine.leaks import BY_HAND, Leak, LeakCause, LeakStep, Track
from upheld.keeper.posting import Told
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.staff import staff_title

STATES: Final = ("told", "covered", "waiting", "uncertain", "unreachable", "untold")
HOUR: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Case:
    """A leak with all that is reckoned of it."""

    leak: Leak
    hit: Affected
    told: Told
    tracks: tuple[Track, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many persons are in each state; `untold`: nobody wrote to them yet."""
        counts = self.told.counts
        named = {state: counts.get(state, 0) for state in STATES if state != "untold"}
        return named | {"untold": sum(one not in self.told.states for one in self.hit.persons)}


def leaks(asked: Asked) -> Answer:
    """Every leak, the newest first, with its clocks; a form for one that somebody just became aware of."""
    return _listed(asked, "", 200)


def known(asked: Asked) -> Answer:
    """Somebody became aware of a leak: from that instant the clocks run."""
    items = tuple(one for one in asked.form.get("item", ()) if one in asked.plan.items)
    if not items:
        return _listed(asked, "leak-items-missing", 400)
    aware, since, until = (_instant(asked, name) for name in ("aware", "since", "until"))
    now = asked.keeper.now()
    if aware is None or since is None or until is None or not since < until <= now or aware > now:
        return _listed(asked, "leak-span-wrong", 400)
    case = asked.keeper.leak_known(
        asked.policy,
        LeakCause(asked.choice("cause", tuple(LeakCause))),
        items,
        since,
        until,
        place=asked.choice("place", ("", *_places(asked))) or None,
        suspected=asked.field("suspected") == "yes",
        by=asked.signed().account.handler_id,
        at=aware,
    )
    return Moved(asked.url("leak", case=case))


def leak(asked: Asked) -> Answer:
    """One leak: clocks, who is affected, who was told, what is still to be done."""
    return _page(asked, _case(asked), (), 200)


def contents(asked: Asked) -> Answer:
    """What people are told is written down, all six parts of it, in every language of the policy."""
    case = _case(asked)
    given = {
        locale: {name: asked.field(_field_of(asked, name, locale)) for name in CONTENTS}
        for locale in asked.document.policy.locales
    }
    missing = write_contents(asked.keeper, asked.policy, case.leak, given, asked.signed().account.handler_id)
    return _page(asked, case, missing, 400) if missing else _back(asked, case)


def tell(asked: Asked) -> Answer:
    """Those who were not told yet are told."""
    case, by = _case(asked), asked.signed().account.handler_id
    if not case.leak.draft:
        return _page(asked, case, (LeakStep.DRAFTED.value,), 400)
    tell_affected(asked.keeper, asked.document, case.leak, case.hit, by)
    return _back(asked, case)


def post(asked: Asked) -> Answer:
    """It hangs on the page, for those whom no letter reaches."""
    case, proof = _case(asked), asked.field("proof")
    place = asked.choice("place", tuple(asked.document.policy.places))
    if not proof:
        return _page(asked, case, ("proof",), 400)
    asked.keeper.post(asked.policy, case.leak.notice, case.leak.case, place, evidence=proof.encode())
    return _back(asked, case)


def step(asked: Asked) -> Answer:
    """A step is put on record; a leak is closed only when both tracks are done, the cause found, mended and learned."""
    case, one = _case(asked), LeakStep(asked.choice("step", tuple(BY_HAND)))
    by, proof = asked.signed().account.handler_id, asked.field("proof")
    missing = take_step(asked.keeper, asked.document, case.leak, one, proof, by, case.tracks)
    return _page(asked, case, missing, 400) if missing else _back(asked, case)


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _case(asked: Asked) -> Case:
    found = leak_of(asked.keeper, asked.policy, asked.parts["case"])
    if found is None:
        raise Refused(404, "leak-unknown")
    return case_of(asked, found)


def case_of(asked: Asked, one: Leak) -> Case:
    """A leak with what stores and outbox know of it now."""
    keeper, policy = asked.keeper, asked.policy
    hit, told = affected(keeper, policy, one), told_of(keeper, policy, one)
    return Case(one, hit, told, tracks_of(keeper, policy, one, hit, told))


def _listed(asked: Asked, problem: str, status: int) -> Shown:
    keeper, document = asked.keeper, asked.document
    now = keeper.now()
    return Shown(
        "leaks",
        {
            "cases": [(one, *standing_of(keeper, asked.policy, one)) for one in leaks_of(keeper, asked.policy)],
            "items": {name: document.name("items", name, asked.locale) for name in asked.plan.items},
            "places": {name: document.name("parties", name, asked.locale) for name in _places(asked)},
            "causes": tuple(one.value for one in LeakCause),
            "now": now,
            "hours": lambda track: hours_left(track, now),
            "item": lambda name: document.name("items", name, asked.locale),
            "problem": problem,
        },
        status,
    )


def _page(asked: Asked, case: Case, missing: tuple[str, ...], status: int) -> Shown:
    document, now = asked.document, asked.keeper.now()
    return Shown(
        "leak",
        {
            "case": case,
            "one": case.leak,
            "law": lambda article: article_in(article, asked.locale),
            "contents": [
                (locale, _field_of(asked, name, locale), name, text)
                for locale in document.policy.locales
                for name, text in contents_of(asked.keeper, document, case.leak, locale).items()
            ],
            "missing": missing,
            "steps": BY_HAND,
            "states": STATES,
            "places": {name: document.name("places", name, asked.locale) for name in document.policy.places},
            "postings": asked.keeper.postings(asked.policy, notice=case.leak.notice, about=case.leak.case),
            "wanted": asked.keeper.fallbacks(asked.policy, case.leak.notice),
            "now": now,
            "hours": lambda track: hours_left(track, now),
            "spent": lambda track: share_spent(case.leak.aware_at, track, now),
            "who": staff_title(asked),
            "item": lambda name: document.name("items", name, asked.locale),
            "place": lambda name: document.name("parties", name, asked.locale),
        },
        status,
    )


def hours_left(track: Track, now: Instant) -> int:
    """Whole hours until a track must be done; less than nothing when its time is over."""
    return 0 if track.due_at is None else (track.due_at - now) // HOUR


def share_spent(since: Instant, track: Track, now: Instant) -> int:
    """How much of a track's time is spent, in hundredths; all of it when the time is over."""
    if track.due_at is None or track.due_at <= since:
        return 100
    until = now if track.done_at is None else track.done_at
    return max(0, min(100, round(100 * (until - since) / (track.due_at - since))))


def _places(asked: Asked) -> list[str]:
    plan = asked.plan
    given = {row.party for row in plan.entrustments.values()} | {row.party for row in plan.provisions.values()}
    return sorted(given)


def _field_of(asked: Asked, name: str, locale: str) -> str:
    """The field of a part of the notice: by its name in the policy's first language, with the locale in the others."""
    return name if locale == asked.document.policy.locales[0] else f"{name}-{locale}"


def _instant(asked: Asked, name: str) -> Instant | None:
    try:
        found = datetime.fromisoformat(asked.field(name))
        return instant(found if found.tzinfo else found.replace(tzinfo=asked.plan.zone))
    except ValueError:
        return None


def _back(asked: Asked, case: Case) -> Moved:
    leak_changed(asked.keeper, asked.policy, case.leak)
    return Moved(asked.url("leak", case=case.leak.case))
