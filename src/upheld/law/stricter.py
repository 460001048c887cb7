"""Of what a policy promises and what the law of a day asks the stricter holds, and it is said which of the two it was.

Lengths are compared by `about_days`, in which twelve months are a year.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upheld.dates import Period
from upheld.law.rows import LawOfDay, Rule


class By(StrEnum):
    """Which of the two decided. Where they agree, or the law is silent, it is the promise."""

    PROMISE = "promise"
    LAW = "law"


@dataclass(frozen=True, slots=True)
class Decided:
    """The period that holds, what decided, and the rule it was held against (None where the law is silent)."""

    period: Period
    by: By
    rule: Rule | None


def about_days(period: Period) -> int:
    """About how many days: a year 365, what is left of months thirty each, begun days whole. Never for dates."""
    years, months = divmod(period.months, 12)
    return period.days + 30 * months + 365 * (period.years + years) + (period.hours + 23) // 24


def at_least(promised: Period | None, law: LawOfDay, code: str) -> Decided | None:
    """What must be kept: the longer of the two. None where neither says anything."""
    return _decided(promised, law, code, 1)


def at_most(promised: Period | None, law: LawOfDay, code: str) -> Decided | None:
    """What must be done within a time: the shorter of the two. None where neither says anything."""
    return _decided(promised, law, code, -1)


def _decided(promised: Period | None, law: LawOfDay, code: str, sense: int) -> Decided | None:
    rule, asked = law.rule(code), law.period(code)
    if promised is None:
        return Decided(asked, By.LAW, rule) if asked else None
    if asked is None or sense * about_days(promised) >= sense * about_days(asked):
        return Decided(promised, By.PROMISE, rule)
    return Decided(asked, By.LAW, rule)
