"""What the law of a policy's country asks of the engine: lengths, hours, ages, and the article that a decision cites.

Numbers are those of the day on which the version takes effect; a rule that began later binds an older version as well.
Articles are cited as they are numbered on the day on which the table was last read. Where no table is for the country
of a policy, its own promises hold, the defaults below where it is silent, and decisions cite its elements alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from upheld.dates import Period
from upheld.law import LawOfDay, law_for
from upheld.law.stricter import By, Decided, about_days, at_most
from upheld.policy.plain import NIGHT

T = TypeVar("T")

TEN_DAYS: Final = Period(days=10)
"""Ours, where neither promise nor law says how soon a person is answered."""
THIRTY_DAYS: Final = Period(days=30)
"""Ours, the same about automated decisions."""
AGE_OF_CONSENT: Final = 14
"""Ours, where neither says below which age somebody is a child."""


@dataclass(frozen=True, slots=True)
class CountryLaw:
    """The law of a plan: that of its first day, and the present one for what began later and for articles."""

    then: LawOfDay
    now: LawOfDay

    def cites(self, topic: str) -> str | None:
        """The article on a topic: `pipa 35`, `gdpr 15`; None where no law is known."""
        return self.now.cites(topic)

    def article(self, code: str) -> str | None:
        """The article of a row that sets a number."""
        rule = self.then.rule(code) or self.now.rule(code)
        return rule.article.lower() if rule else None

    @property
    def answered(self) -> Period:
        """How soon a person is answered at the latest."""
        return self._of(lambda law: law.period("rights.answered")) or TEN_DAYS

    @property
    def automated(self) -> Period:
        """How soon somebody answers about an automated decision."""
        return self._of(lambda law: law.period("automated.answered")) or THIRTY_DAYS

    @property
    def reconfirmed(self) -> Period | None:
        """After how long consent to receive messages is asked for again; None: the law does not ask."""
        return self._of(lambda law: law.period("advertising.reconfirmed"))

    @property
    def has_night(self) -> bool:
        """Whether the law itself asks for a consent of its own at night."""
        return self.then.holds("advertising.night-from") or self.now.holds("advertising.night-from")

    def is_night(self, hour: int) -> bool:
        """Whether a local hour is in the night."""
        begins, ends = self.night
        return begins <= hour < ends if begins < ends else hour >= begins or hour < ends

    @property
    def night(self) -> tuple[int, int]:
        """The local hours from which and until which it is night."""
        begins = self._of(lambda law: law.number("advertising.night-from"))
        ends = self._of(lambda law: law.number("advertising.night-until"))
        return NIGHT[0] if begins is None else begins, NIGHT[1] if ends is None else ends

    def child_under(self, promised: int | None) -> int:
        """Below which age a representative agrees: what is promised, never below what the law allows."""
        least = self._of(lambda law: law.number("children.age-least") or law.number("children.age"))
        usual = self._of(lambda law: law.number("children.age")) or AGE_OF_CONSENT
        return max(promised, least or 0) if promised is not None else usual

    @property
    def representative_verified(self) -> tuple[str, ...]:
        """The ways one of which shows that a child's representative agreed; empty: the law lists none."""
        return self.now.words("children.verified") or self.then.words("children.verified")

    def is_inside(self, seat: str | None) -> bool:
        """Whether data that goes to that seat stays inside; a seat that is not named is at home."""
        inside = self.then.words("transfer.inside") or self.now.words("transfer.inside")
        return seat is None or not inside or seat in inside

    def answer(self, promised: Period | None) -> Decided:
        """Of what is promised and what the law asks the shorter, and which of the two it is."""
        law = self.then if self.then.holds("rights.answered") else self.now
        return at_most(promised, law, "rights.answered") or Decided(promised or TEN_DAYS, By.PROMISE, None)

    def destroyed_within(self, promised: list[Period], default: Period) -> Period:
        """The shortest of what is promised and what the law asks."""
        asked = self._of(lambda law: law.period("destruction.within"))
        return min([*promised, *([asked] if asked else [])], key=about_days, default=default)

    def _of(self, ask: Callable[[LawOfDay], T | None]) -> T | None:
        found = ask(self.then)
        return found if found is not None else ask(self.now)


def law_of(time_zone: str, day: date | None) -> CountryLaw:
    """The law for a version of a policy that takes effect on that day; None: a version without a day."""
    now = law_for(time_zone)
    return CountryLaw(law_for(time_zone, day) if day else now, now)
