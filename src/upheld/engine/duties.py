"""Duties that nobody asks for: how often, by which law, for whom, above which size. Pure; the desk reckons with it.

A threshold speaks of the whole house. What one home holds shows that it is reached, never that it is not: until the
house has been counted, a duty above a threshold is *unknown*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from upheld.dates import Instant, Period, end_of
from upheld.engine.plan import Plan
from upheld.policy.wording import Words


class Size(StrEnum):
    """Figures of the whole house that duties hang on."""

    SUBJECTS = "subjects"
    DELICATE = "delicate-subjects"
    """Persons with sensitive or unique data."""


class Whose(StrEnum):
    """For whom a duty falls due."""

    HOUSE = "house"
    PROCESSOR = "processor"
    HANDLER = "handler"
    ELEMENT = "element"
    """For an element of the document that says how often it is looked at."""
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty. `law`: the row that sets how often; `every`: ours, where no row does. Its article is that of the row
    `cited.duty.CODE`.
    """

    code: str
    title: Words
    whose: Whose
    every: Period
    law: str | None = None
    threshold: Mapping[Size, str] = field(default_factory=dict)
    """Figure → the row of law with its number; any one reached will do. Empty: everybody's duty."""
    by_law_only: bool = False
    """Nobody is owed it where no row of that code is in force; the others are worth doing everywhere."""
    shown_by: tuple[str, ...] = ()
    """Words of evidence codes: a safeguard of the document that promises such evidence shows the duty as well."""


_LARGE: Final = MappingProxyType({Size.SUBJECTS: "large.subjects", Size.DELICATE: "large.sensitive"})


def _rows(*rows: Duty) -> Mapping[str, Duty]:
    return MappingProxyType({row.code: row for row in rows})


DUTIES: Final = _rows(
    Duty(
        "yearly-use", Words("yearly notice of use", "개인정보 이용·제공 내역 통지"), Whose.PERSON,
        Period(years=1), "use.told-yearly", _LARGE, by_law_only=True,
    ),
    Duty(
        "source", Words("notice of the source", "수집 출처 통지"), Whose.PERSON, Period(months=3),
        "source.unasked", _LARGE, by_law_only=True,
    ),
    Duty(
        "reconfirmation", Words("advertising consent confirmed again", "광고성 정보 수신동의 확인"), Whose.PERSON,
        Period(years=2), "advertising.reconfirmed", by_law_only=True,
    ),
    Duty(
        "consent-confirmed", Words("result of a yes or no to advertising told", "수신동의·거부 처리 결과 통지"),
        Whose.PERSON, Period(days=14), "advertising.result-told", by_law_only=True,
    ),
    Duty(
        "inspection", Words("inspection of a processor", "수탁자 점검"), Whose.PROCESSOR,
        Period(years=1),
    ),
    Duty(
        "access-review", Words("review of access records", "접속기록 점검"), Whose.HOUSE,
        Period(months=1), "access-record.reviewed", shown_by=("log-review",),
    ),
    Duty(
        "grant-review", Words("review of access rights", "접근권한 점검"), Whose.ELEMENT,
        Period(months=6),
    ),
    Duty(
        "agency-review", Words("check of who else helps", "권익침해 구제기관 안내 점검"), Whose.ELEMENT,
        Period(years=1),
    ),
    Duty(
        "plan-check", Words("check of the inside plan", "내부 관리계획 이행 점검"), Whose.HOUSE,
        Period(years=1), "plan.checked", shown_by=("plan",),
    ),
    Duty(
        "id-survey", Words("survey of unique identifiers", "고유식별정보 안전성 조사"), Whose.HOUSE,
        Period(years=3), "unique-id.surveyed", MappingProxyType({Size.DELICATE: "large.sensitive"}),
        by_law_only=True,
    ),
    Duty(
        "training", Words("training of handlers", "개인정보취급자 교육"), Whose.HANDLER, Period(years=1),
        shown_by=("training",),
    ),
    Duty(
        "pledge", Words("pledge of secrecy", "보안 서약"), Whose.HANDLER, Period(years=1),
        shown_by=("pledge",),
    ),
    Duty(
        "breach-drill", Words("leak drill", "유출 대응 훈련"), Whose.HOUSE, Period(years=1),
    ),
)  # fmt: skip
"""Every duty of the calendar, by its code."""


class DutyState(StrEnum):
    """How a duty stands."""

    LATE = "late"
    SOON = "soon"
    COMING = "coming"
    QUIET = "quiet"
    """Nothing falls due: nobody is owed it now."""
    UNKNOWN = "unknown"
    """Whether the threshold is reached nobody has said."""
    NOT_OURS = "not-ours"


SOON: Final = Period(days=30)
"""Ours: so long before its day a duty is shown as due soon."""


def state_of(due_at: Instant | None, now: Instant, plan: Plan) -> DutyState:
    """Late, soon, coming; quiet where nothing is due at all."""
    if due_at is None:
        return DutyState.QUIET
    if due_at <= now:
        return DutyState.LATE
    return DutyState.SOON if due_at <= end_of(now, SOON, plan.zone) else DutyState.COMING


def reached(limits: Mapping[Size, int | None], stated: Mapping[Size, int], held: Mapping[Size, int]) -> bool | None:
    """Whether a threshold is reached: None while nobody knows. No limits: everybody's duty.

    `stated` is what the house has counted, `held` what this home alone holds.
    """
    known = {size: number for size, number in limits.items() if number is not None}
    if not known:
        return True
    if any(max(stated.get(size, 0), held.get(size, 0)) >= number for size, number in known.items()):
        return True
    return False if all(size in stated for size in known) else None
