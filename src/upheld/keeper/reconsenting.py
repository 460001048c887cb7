"""Asking again: who agreed to less than a version declares, to what, and the difference in words before the question.

Scopes are compared, never version numbers: whoever agreed to a scope that did not grow is not asked. Until somebody
agrees anew they are held to what both their consent and the declaration allow (rule 2.8), so nothing waits for this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from upheld.engine.acts import SubjectId
from upheld.engine.plan import Plan
from upheld.engine.question import question
from upheld.engine.state import About, AboutKind, Consent
from upheld.errors import InputRefused
from upheld.keeper.living import Living, Shown, about_of
from upheld.policy.change import Difference, changes_between
from upheld.policy.change_rules import Demand
from upheld.policy.read import read_policy
from upheld.store.views import Seen

_SAID: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "en": ("What has changed since you agreed to the version of", "We ask you anew"),
        "ko": ("동의하신 처리방침 이후 달라진 내용, 종전 시행일", "다시 동의를 구합니다"),
    }
)
_NOT_LESS: Final = "A refusal leaves what you agreed to before as it is."
_NOT_LESS_KO: Final = "동의하지 않으셔도 종전에 동의하신 범위는 그대로 유지됩니다."


@dataclass(frozen=True, slots=True)
class Reconsent:
    """What one person has to agree to anew: matter (`purpose/marketing`), the version agreed to, what grew."""

    subject_id: SubjectId
    about: str
    agreed: str
    version: str
    differences: tuple[Difference, ...]


class Reconsenting(Living):
    """Fresh consent where the scope grew, and nowhere else."""

    def reconsent(self, policy: str) -> list[Reconsent]:
        """Who has to be asked anew under the newest version on file, and about what; by person, then matter.

        Costs what was agreed to in the matters that grew, not what is stored.
        """
        line = self.views.line(policy)
        target = line.latest
        older = [plan for plan in line.plans if plan is not target]
        grown = {plan.version: self._grown(policy, plan.version, target) for plan in older}
        matters = sorted({about for one in grown.values() for about in one}, key=str)
        found: list[Reconsent] = []
        for about in matters:
            for subject_id in self._agreed(policy, about):
                consent = self._standing(subject_id, about)
                wider = grown.get(consent.version, {}).get(about) if consent is not None else None
                if consent is not None and wider:
                    kept = tuple(one for one in wider if self._concerns(subject_id, one))
                    if kept:
                        found.append(Reconsent(subject_id, str(about), consent.version, target.version, kept))
        return sorted(found, key=lambda one: (one.subject_id, one.about))

    def reconsent_text(self, policy: str, about: str | About, agreed: str, locale: str) -> str:
        """What is shown to a person who agreed under version `agreed`: what grew since then, then the question.

        Raises InputRefused for a matter that did not grow since.
        """
        target, matter = self.views.line(policy).latest, about_of(about)
        wider = self._grown(policy, agreed, target).get(matter)
        if not wider:
            raise InputRefused("nothing-grew", f"`{matter}` asks nothing that was not agreed to under {agreed}")
        return _text(target, matter, agreed, wider, locale)

    def _asked(self, seen: Seen, matter: About) -> Shown:
        """The text for a consent where the caller shows none of their own: with the difference, if the scope grew."""
        plan, locale = seen.view.plan, seen.view.plan.locales[0]
        before = seen.view.life.standing(matter, max(self.now(), seen.last_at))
        if before is not None and before.version != plan.version:
            wider = self._grown(seen.policy, before.version, plan).get(matter)
            if wider:
                return Shown(_text(plan, matter, before.version, wider, locale), locale)
        return Shown(question(plan, matter, locale), locale)

    def _agreed(self, policy: str, about: About) -> list[SubjectId]:
        with self.places.active.reading() as connection:
            rows = connection.execute(_AGREED, (about.kind.value, about.name, policy)).fetchall()
        return [SubjectId(row[0]) for row in rows]

    def _standing(self, subject_id: SubjectId, about: About) -> Consent | None:
        seen = self.views.get(subject_id, self.now())
        return seen.view.life.standing(about, self._decided_at(seen))

    def _concerns(self, subject_id: SubjectId, one: Difference) -> bool:
        """A difference is about certain kinds of persons, or about those who have taken up a service."""
        state = self.views.get(subject_id, self.now()).state
        kinds = {engagement.kind for engagement in state.engagements.values()}
        return (not one.whom or state.kind in one.whom) and (not one.takes_up or bool(kinds & set(one.takes_up)))

    def _grown(self, policy: str, old: str, new: Plan) -> Mapping[About, tuple[Difference, ...]]:
        with self.places.active.reading() as connection:
            sources = dict(connection.execute(_SOURCES, (policy,)).fetchall())
        if old not in sources:
            return MappingProxyType({})
        return _grown_between(bytes(sources[old]), bytes(sources[new.version]), new)


@lru_cache(maxsize=64)
def _compared(old: bytes, new: bytes) -> tuple[Difference, ...]:
    changes = changes_between(read_policy(old, "older"), read_policy(new, "newer"))
    return changes.demanding(Demand.CONSENT)


def _grown_between(old: bytes, new: bytes, plan: Plan) -> Mapping[About, tuple[Difference, ...]]:
    found: dict[About, tuple[Difference, ...]] = {}
    for one in _compared(old, new):
        for about in _matters(one, plan):
            found[about] = (*found.get(about, ()), one)
    return found


def _matters(one: Difference, plan: Plan) -> Iterator[About]:
    """What a person would agree to so that a difference holds for them."""
    parts = one.path.split(".")
    match parts[0]:
        case "purposes" if len(parts) > 2:
            yield About(AboutKind.PURPOSE, parts[2])
        case "provisions":
            yield About(AboutKind.PROVISION, parts[1])
        case "entrustments":
            yield About(AboutKind.ENTRUSTMENT, parts[1])
        case "transfers":
            yield About(AboutKind.TRANSFER, parts[1])
        case "advertising":
            yield About(AboutKind.NIGHT if one.key == "at-night" else AboutKind.MEDIUM, parts[1])
        case "retention":
            row = plan.kept.get(one.path)
            for name in sorted(row.of) if row is not None else ():
                yield About(AboutKind.PURPOSE, name)
        case _:
            return


def _text(plan: Plan, about: About, agreed: str, wider: tuple[Difference, ...], locale: str) -> str:
    since, anew = _SAID.get(locale, _SAID["en"])
    lines = [
        f"{since} {agreed}:",
        *(f"- {one.text.say(locale)}" for one in wider),
        _NOT_LESS_KO if locale == "ko" else _NOT_LESS,
        "",
        f"{anew}:",
        question(plan, about, locale),
    ]
    return "\n".join(lines)


_AGREED: Final = (
    "SELECT DISTINCT c.subject_id FROM consent c JOIN subject s ON s.bucket = c.bucket "
    "AND s.subject_id = c.subject_id WHERE c.about_kind = ? AND c.about = ? AND c.given = 1 AND s.policy = ? "
    "ORDER BY c.subject_id"
)
_SOURCES: Final = "SELECT version, source FROM policy_version WHERE policy = ?"
