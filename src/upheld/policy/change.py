"""What changed in meaning from one version of a policy to another, and what each difference demands of whom.

Elements are told apart by their names; an element that only got another name is found by its public text. Clause ids,
order, wording and readings are no meaning. What a difference demands stands in `change_rules`; docs/change.md argues.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from upheld.dates import Period
from upheld.policy import plain
from upheld.policy.change_rules import SECTIONS, Ask, Demand, Favours, How, KeyRule, Wanted, rule_for
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point
from upheld.policy.model import Key, Policy, Purpose, Row, Rows, keys_of, sections
from upheld.policy.shapes import Deadline, Items, Name, Names, attribute
from upheld.policy.vocabulary import AtNight, Basis, ExceptionNeed, Nature, OwnConsent, TransferBasis
from upheld.policy.wording import Words


class Kind(StrEnum):
    """What sort of difference it is."""

    ADDED = "added"
    DROPPED = "dropped"
    MORE = "more"
    LESS = "less"
    OTHER = "other"
    NOT_RUN = "not-run"
    RENAMED = "renamed"
    WORDING = "wording"
    INSIDE = "inside"
    CLAUSES = "clauses"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. A path or the clauses are empty where the version has no such element; `key` is empty for the
    element itself. `whom`: kinds of subjects, none means everybody. `takes_up`: asked of those who take up one of these
    engagements, and not before.
    """

    demand: Demand
    kind: Kind
    section: str
    key: str
    old_path: str
    new_path: str
    old_clauses: tuple[str, ...]
    new_clauses: tuple[str, ...]
    favours: Favours
    text: Words
    whom: tuple[str, ...] = ()
    takes_up: tuple[str, ...] = ()
    asked_apart: tuple[str, ...] = ()
    """Items among the new ones that need a consent of their own (sensitive, identifying)."""
    by_law: Demand | None = None
    """What the law alone would ask where that is less: the older or newer version itself promised more."""

    @property
    def path(self) -> str:
        """The element in the new version, or in the old one where it was dropped."""
        return self.new_path or self.old_path


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the older version promised about changing, and whether the newer one's dates keep it."""

    places: tuple[Words, ...]
    says: tuple[Words, ...]
    promised: Period | None
    days: int
    """From the announcement to the day from which it holds."""
    kept: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """All differences, in the order of the language, and who is meant in words."""

    policy: str
    old: tuple[datetime.date, datetime.date]
    """Announced and effective."""
    new: tuple[datetime.date, datetime.date]
    differences: tuple[Difference, ...]
    announcement: Announcement
    names: Mapping[str, Words]
    """Subject kinds, engagements and items that differences name, by their codes."""

    def demanding(self, demand: Demand) -> tuple[Difference, ...]:
        """The differences that demand exactly that."""
        return tuple(one for one in self.differences if one.demand is demand)


def changes_between(old: Policy, new: Policy) -> Changes:
    """Every difference from `old` to `new`. Raises ValueError for two policies with different codes."""
    if old.policy != new.policy:
        raise ValueError(f"`{old.policy}` and `{new.policy}` are two policies; compare versions of one")
    found = tuple(_Comparison(old, new).differences())
    subjects = {name: _title("subjects", name, new, old) for one in found for name in one.whom}
    engagements = {name: _title("engagements", name, new, old) for one in found for name in one.takes_up}
    return Changes(
        policy=new.policy,
        old=(_day(old.announced.date), _day(old.effective.date)),
        new=(_day(new.announced.date), _day(new.effective.date)),
        differences=found,
        announcement=_announcement(old, new, found),
        names=subjects
        | engagements
        | {name: _title("items", name, new, old) for one in found for name in one.asked_apart},
    )


def _day(date: datetime.date | None) -> datetime.date:
    if date is None:
        raise ValueError("a policy that was read has its dates")
    return date


def _title(section: str, name: str, *policies: Policy) -> Words:
    policy = next((one for one in policies if name in getattr(one, section)), policies[0])
    return Words(plain.named(section, name, policy, "en"), plain.named(section, name, policy, "ko"))


def _announcement(old: Policy, new: Policy, found: Sequence[Difference]) -> Announcement:
    rows = [old.changes["any"]]
    if "unfavourable" in old.changes and any(one.favours is Favours.CONTROLLER for one in found):
        rows.append(old.changes["unfavourable"])
    if "meaning" in old.changes and any(one.demand is Demand.CONSENT for one in found):
        rows.append(old.changes["meaning"])
    announced, effective = _day(new.announced.date), _day(new.effective.date)
    longest = max((row.ahead for row in rows if row.ahead), key=_span, default=None)
    first = effective - datetime.timedelta(days=_span(longest)[1]) if longest else effective
    return Announcement(
        places=tuple(_title("places", name, old) for row in rows for name in row.at),
        says=tuple(dict.fromkeys(Words(plain.word(w, "en"), plain.word(w, "ko")) for row in rows for w in row.says)),
        promised=longest,
        days=(effective - announced).days,
        kept=announced <= first,
    )


# -------------------------------------------------------------------------------------------------------- two versions

Pairs = list[tuple[Any, Any]]
_PUNCTUATION: Final = str.maketrans("", "", " .,·'’()")


class _Comparison:
    """Two versions, their elements paired, and names that changed put back to the older ones."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self.old, self.new = old, new
        self.pairs: dict[str, Pairs] = {}
        self.older: dict[str, dict[str, str]] = {}
        for name, section in sections().items():  # words come first, so that rows named by them are found again
            rows: dict[str, Any] = getattr(new, attribute(name))
            known = self.older.get(section.row_is, {})
            pairs = _paired(name, getattr(old, attribute(name)), {known.get(code, code): rows[code] for code in rows})
            self.pairs[name] = pairs
            both = [(a, b) for a, b in pairs if a is not None and b is not None]
            self.older[name] = {b.name: a.name for a, b in both if a.name != b.name}

    def differences(self) -> Iterator[Difference]:
        yield from self.head()
        for name, pairs in self.pairs.items():
            for a, b in pairs:
                yield from self.element(name, a, b)
        yield from self.other_clauses()

    def head(self) -> Iterator[Difference]:
        yield from self.wording("controller", self.old.controller, self.new.controller)
        before = (_day(self.old.effective.date) - _day(self.old.announced.date)).days
        after = (_day(self.new.effective.date) - _day(self.new.announced.date)).days
        if before != after:
            yield self.difference(
                Demand.NOTICE,
                Kind.LESS if after < before else Kind.MORE,
                "effective",
                "",
                (self.old.effective, self.new.effective),
                Favours.CONTROLLER if after < before else Favours.PERSON,
                Words(
                    f"announced {after} days before it holds, where it was {before}",
                    f"시행 {after}일 전 공고 (종전 {before}일 전)",
                ),
            )
        if self.old.time_zone != self.new.time_zone:
            text = Words(
                f"time zone: {self.old.time_zone} → {self.new.time_zone}",
                f"시간대: {self.old.time_zone} → {self.new.time_zone}",
            )
            rows = (self.old.effective, self.new.effective)
            yield self.difference(Demand.NOTICE, Kind.OTHER, "time-zone", "", rows, Favours.NEITHER, text)

    # ---------------------------------------------------------------------------------------------------- one element

    def element(self, section: str, a: Any, b: Any) -> Iterator[Difference]:
        runs_before, runs_after = _runs(a), _runs(b)
        if not runs_before and not runs_after:
            if (a is None) != (b is None):
                yield self.not_run(section, a, b)
            elif a.name != b.name:
                yield self.renamed(section, a, b)
        elif not runs_before:
            yield self.added(section, a, b)
            yield from self.conditions(section, a, b)
        elif not runs_after:
            yield self.dropped(section, a, b)
        elif not (a.builtin and b.builtin):
            if a.name != b.name and section != "statements" and not sections()[section].row_is:
                yield self.renamed(section, a, b)
            yield from self.wording(section, a, b)
            yield from self.keys(section, a, b)

    def added(self, section: str, a: Any, b: Any) -> Difference:
        rule = SECTIONS[section]
        demand = self.decided(rule.added, section, b, self.new)
        per = self.engagements(section, b)
        taken_up = per if per and all(self.is_new("engagements", name) for name in per) else ()
        return self.difference(
            demand,
            Kind.ADDED,
            section,
            "",
            (a, b),
            rule.adding_favours,
            self.about("new", section, b, self.new),
            whom=self.whom(section, b, self.new),
            takes_up=taken_up,
            asked_apart=self.apart(getattr(b, "items", ())),
        )

    def conditions(self, section: str, a: Any, b: Any) -> Iterator[Difference]:
        """What must hold besides before a new purpose runs: it protects, so it is told and not asked."""
        if section == "purposes" and b.needs:
            texts = []
            for locale in ("en", "ko"):
                needs = ", ".join(plain.word(one, locale) for one in b.needs)
                title = plain.title_of(b, locale)
                texts.append(f"“{title}”, condition: {needs}" if locale == "en" else f"‘{title}’ 조건: {needs}")
            whom, text = self.whom(section, b, self.new), Words(texts[0], texts[1])
            favours = Favours.PERSON
            yield self.difference(Demand.NOTICE, Kind.MORE, section, "needs", (a, b), favours, text, whom=whom)

    def dropped(self, section: str, a: Any, b: Any) -> Difference:
        rule = SECTIONS[section]
        demand = self.decided(rule.dropped, section, a, self.old)
        whom = self.whom(section, a, self.old)
        favours = _opposite(rule.adding_favours)
        text = self.about("dropped" if b is None else "stopped", section, a, self.old)
        return self.difference(demand, Kind.DROPPED, section, "", (a, b), favours, text, whom=whom)

    def not_run(self, section: str, a: Any, b: Any) -> Difference:
        text = self.about("idle" if b is not None else "gone", section, b or a, self.new if b else self.old)
        return self.difference(Demand.NOTHING, Kind.NOT_RUN, section, "", (a, b), Favours.NEITHER, text)

    def renamed(self, section: str, a: Any, b: Any) -> Difference:
        text = Words(f"{a.name} is called {b.name} in the document", f"문서 안의 이름 변경: {a.name} → {b.name}")
        return self.difference(Demand.NOTHING, Kind.RENAMED, section, "", (a, b), Favours.NEITHER, text)

    def wording(self, section: str, a: Any, b: Any) -> Iterator[Difference]:
        changed = [one for one in (*a.texts, *b.texts) if a.texts.get(one, "") != b.texts.get(one, "")]
        if changed:
            en, ko = ((plain.title_of(a, locale), plain.title_of(b, locale)) for locale in ("en", "ko"))
            text = Words(
                f"“{en[0]}” → “{en[1]}”" if en[0] != en[1] else f"“{en[1]}” (in another language only)",
                f"‘{ko[0]}’ → ‘{ko[1]}’" if ko[0] != ko[1] else f"‘{ko[1]}’ (다른 언어 표현만 변경)",
            )
            yield self.difference(Demand.NOTHING, Kind.WORDING, section, "", (a, b), Favours.NEITHER, text)

    def keys(self, section: str, a: Any, b: Any) -> Iterator[Difference]:
        for key, spec in keys_of(type(b)).items():
            rule = rule_for(section, key)
            before, after = getattr(a, attribute(key)), getattr(b, attribute(key))
            if rule.how is How.ROWS:
                yield from self.parts(section, key, rule, a, b)
            elif rule.how is How.BASIS:
                yield from self.bases(a, b)
            else:
                yield from self.one_key(section, key, spec, rule, (a, b), before, self.put_back(after, spec))
        if isinstance(a, Purpose) and a.required != b.required:
            more = b.required
            text = Words(
                f"“{plain.title_of(b, 'en')}” is now {'required' if more else 'optional'}",
                f"‘{plain.title_of(b, 'ko')}’: {'필수' if more else '선택'}로 변경",
            )
            demand = Demand.CONSENT if more else Demand.NOTICE
            favours = Favours.CONTROLLER if more else Favours.PERSON
            whom = self.whom(section, b, self.new)
            yield self.difference(demand, Kind.OTHER, section, "required", (a, b), favours, text, whom=whom)

    def one_key(
        self, section: str, key: str, spec: Key | Rows, rule: KeyRule, rows: tuple[Any, Any], before: Any, after: Any
    ) -> Iterator[Difference]:
        a, b = rows
        if rule.how in (How.INSIDE, How.WORDING):
            if before != after and not _same(before, after) and key not in ("reading", "blocked", "law"):
                kind = Kind.WORDING if rule.how is How.WORDING else Kind.INSIDE
                yield self.changed(Demand.NOTHING, kind, section, key, spec, rows, Favours.NEITHER)
            return
        way = _way(rule.how, self.resolved(before, a, self.old), self.resolved(after, b, self.new, put_back=True))
        match way:
            case None:
                return
            case Kind.OTHER if rule.how is How.SET:
                yield from self.members(Kind.MORE, section, key, spec, rule, rows, before, after)
                yield from self.members(Kind.LESS, section, key, spec, rule, rows, before, after)
            case Kind.MORE | Kind.LESS if rule.how is How.SET:
                yield from self.members(way, section, key, spec, rule, rows, before, after)
            case _:
                demand = rule.shrinks if way is Kind.LESS else self.decided(rule.grows, section, b, self.new)
                favours = rule.growing_favours if way is not Kind.LESS else _opposite(rule.growing_favours)
                whom = self.whom(section, b, self.new)
                yield self.changed(demand, way, section, key, spec, rows, favours, whom=whom)

    def members(
        self,
        way: Kind,
        section: str,
        key: str,
        spec: Key | Rows,
        rule: KeyRule,
        rows: tuple[Any, Any],
        before: Sequence[Any],
        after: Sequence[Any],
    ) -> Iterator[Difference]:
        """What a list gained or lost; items of a purpose apart where some rest on consent and some do not."""
        b = rows[1]
        more = way is Kind.MORE
        moved = [one for one in after if one not in before] if more else [one for one in before if one not in after]
        policy = self.new if more else self.old
        if more:
            moved = [self.renewed(one, spec) for one in moved]
        favours = rule.growing_favours if more else _opposite(rule.growing_favours)
        wanted: Wanted = rule.grows if more else rule.shrinks
        for demand, part in self.split(wanted, section, key, b, moved):
            shown = [plain.value((one,), spec, policy, locale) for locale in ("en", "ko") for one in part]
            names = shown[: len(part)], shown[len(part) :]
            title = _called(section, b, self.new, "en"), _called(section, b, self.new, "ko")
            label = plain.key_name(type(b), key, "en"), plain.key_name(type(b), key, "ko")
            text = Words(
                f"“{title[0]}”, {label[0]}: {'also' if more else 'no longer'} {', '.join(names[0])}",
                f"‘{title[1]}’ {label[1]} {'추가' if more else '삭제'}: {', '.join(names[1])}",
            )
            gained = set(map(str, part)) & set(self.new.subjects) if key == "whose" and more else ()
            whom = tuple(name for name in self.new.subjects if name in gained) or self.whom(section, b, self.new)
            apart = self.apart(part) if key == "items" and more and demand is Demand.CONSENT else ()
            yield self.difference(demand, way, section, key, rows, favours, text, whom=whom, asked_apart=apart)

    def split(
        self, wanted: Wanted, section: str, key: str, b: Any, moved: Sequence[Any]
    ) -> Iterator[tuple[Demand, list[Any]]]:
        if not (section == "purposes" and key == "items" and wanted is Ask.ASK):
            yield self.decided(wanted, section, b, self.new), [*moved]
            return
        for demand in (Demand.CONSENT, Demand.NOTICE):
            part = [one for one in moved if (b.basis.get(one) is Basis.CONSENT) == (demand is Demand.CONSENT)]
            if part:
                yield demand, part

    def bases(self, a: Purpose, b: Purpose) -> Iterator[Difference]:
        for item, basis in b.basis.items():
            name = self.older["items"].get(item, item)
            before = a.basis.get(name)
            if before is None or before is basis:
                continue
            asks = basis is Basis.CONSENT
            texts = []
            for locale in ("en", "ko"):
                what = plain.named("items", item, self.new, locale)
                title, was, now = plain.title_of(b, locale), plain.word(before, locale), plain.word(basis, locale)
                quoted = f"“{title}”" if locale == "en" else f"‘{title}’"
                texts.append(f"{quoted}, {what}: {was} → {now}")
            yield self.difference(
                Demand.CONSENT if asks else Demand.NOTICE,
                Kind.OTHER,
                "purposes",
                "basis",
                (a, b),
                Favours.PERSON if asks else Favours.CONTROLLER,
                Words(texts[0], texts[1]),
                whom=b.whose,
            )

    def parts(self, section: str, key: str, rule: KeyRule, a: Any, b: Any) -> Iterator[Difference]:
        """Sub-rows: uses of a purpose, terms of a contract."""
        for one, other in _paired(section, getattr(a, attribute(key)), getattr(b, attribute(key))):
            before, after = _runs(one), _runs(other)
            if before and after:
                if one.name != other.name:
                    yield self.renamed(section, one, other)
                yield from self.wording(section, one, other)
                continue
            if not before and not after:
                if (one is None) != (other is None):
                    yield self.not_run(section, one, other)
                continue
            row, owner, policy = (other, b, self.new) if after else (one, a, self.old)
            demand = self.decided(rule.grows, section, b, self.new) if after else rule.shrinks
            favours = rule.growing_favours if after else _opposite(rule.growing_favours)
            texts = []
            for locale in ("en", "ko"):
                name, title = plain.fixed_title(row, locale), _called(section, owner, policy, locale)
                texts.append(
                    f"“{title}”, {plain.key_name(type(b), key, 'en')}: {'also' if after else 'no longer'} {name}"
                    if locale == "en"
                    else f"‘{title}’ {plain.key_name(type(b), key, 'ko')} {'추가' if after else '삭제'}: {name}"
                )
            kind = Kind.MORE if after else Kind.LESS
            whom, text = self.whom(section, owner, policy), Words(texts[0], texts[1])
            yield self.difference(demand, kind, section, key, (one, other), favours, text, whom=whom)

    # ------------------------------------------------------------------------------------------------------ clause ids

    def other_clauses(self) -> Iterator[Difference]:
        """How many elements of each section cite other clauses; no meaning, so one line for a section."""
        for section, pairs in self.pairs.items():
            both = [(a, b) for a, b in pairs if a is not None and b is not None]
            count = sum(1 for a, b in both if a.clauses != b.clauses)
            if count:
                a, b = next((a, b) for a, b in both if a.clauses != b.clauses)
                text = Words(f"other clauses are cited by {count} elements", f"근거 조항 번호 변경: {count}개 항목")
                one = self.difference(Demand.NOTHING, Kind.CLAUSES, section, "clause", (a, b), Favours.NEITHER, text)
                yield replace(one, old_path=section, new_path=section)

    # ---------------------------------------------------------------------------------------------------------- helpers

    def decided(self, wanted: Wanted, section: str, row: Any, policy: Policy) -> Demand:
        if isinstance(wanted, Demand):
            return wanted
        return Demand.CONSENT if _rests_on_consent(section, row, policy) else Demand.NOTICE

    def whom(self, section: str, row: Any, policy: Policy) -> tuple[str, ...]:
        """Kinds of subjects whose data the element is about; none where it is about everybody."""
        match section:
            case "purposes" | "provisions":
                return tuple(row.whose)
            case "entrustments" | "advertising" | "cookies" | "collection":
                purposes = row.for_
            case "retention":
                purposes = row.of
            case "transfers":
                rows: list[Any] = [*policy.entrustments.values(), *policy.provisions.values()]
                found = [kind for one in rows if one.to == row.to for kind in self.whom(_section_of(one), one, policy)]
                return tuple(dict.fromkeys(found))
            case _:
                return ()
        known = [policy.purposes[name].whose for name in purposes if name in policy.purposes]
        return tuple(dict.fromkeys(kind for kinds in known for kind in kinds))

    def engagements(self, section: str, row: Any) -> tuple[str, ...]:
        """The engagements that a row is about; those of a processor's purposes for a processor."""
        if section != "entrustments":
            return tuple(row.per) if section in ("purposes", "provisions") else ()
        kinds = [self.new.purposes[name].per for name in row.for_ if name in self.new.purposes]
        return tuple(dict.fromkeys(name for each in kinds for name in each)) if all(kinds) else ()

    def apart(self, items: Iterable[Any]) -> tuple[str, ...]:
        rows = [self.new.items[name] for name in items if name in self.new.items]
        return tuple(row.name for row in rows if row.nature in (Nature.SENSITIVE, Nature.UNIQUE_ID))

    def is_new(self, section: str, name: str) -> bool:
        return name not in getattr(self.old, section) and name not in self.older[section]

    def put_back(self, value: Any, spec: Key | Rows) -> Any:
        """The new version's value with elements called as the older version calls them."""
        shape = spec.shape if isinstance(spec, Key) else None
        kind = "items" if isinstance(shape, Items) else shape.kind if isinstance(shape, Name | Names) else ""
        names = self.older.get(kind)
        if not names:
            return value
        return tuple(names.get(one, one) for one in value) if isinstance(value, tuple) else names.get(value, value)

    def renewed(self, one: Any, spec: Key | Rows) -> Any:
        shape = spec.shape if isinstance(spec, Key) else None
        kind = "items" if isinstance(shape, Items) else shape.kind if isinstance(shape, Name | Names) else ""
        return next((new for new, old in self.older.get(kind, {}).items() if old == one), one)

    def resolved(self, value: Any, row: Any, policy: Policy, *, put_back: bool = False) -> Any:
        """An end with `ended` put as what ends the engagement, and facts called as the older version does."""
        if not isinstance(value, Point | Plus | LaterOf | EarlierOf):
            return value
        kinds = [policy.engagements[name].ends for name in getattr(row, "per", ()) if name in policy.engagements]
        only = kinds[0] if kinds and all(one == kinds[0] for one in kinds) else None
        return _resolved(value, only, self.older["facts"] if put_back else {})

    def about(self, what: str, section: str, row: Any, policy: Policy) -> Words:
        label = _SECTION_WORDS[section]
        texts = []
        for locale in ("en", "ko"):
            title = _called(section, row, policy, locale)
            more = "; ".join(
                plain.value(getattr(row, attribute(key)), spec, policy, locale, getattr(row, "per", ()))
                for key, spec in keys_of(type(row)).items()
                if key in ("items", "their-use", "task", "until") and getattr(row, attribute(key))
            )
            head = _ABOUT[what].say(locale).format(section=label.say(locale), title=title)
            texts.append(f"{head}{f' ({more})' if more else ''}")
        return Words(texts[0], texts[1])

    def changed(
        self,
        demand: Demand,
        kind: Kind,
        section: str,
        key: str,
        spec: Key | Rows,
        rows: tuple[Any, Any],
        favours: Favours,
        whom: tuple[str, ...] = (),
    ) -> Difference:
        a, b = rows
        texts = []
        for locale in ("en", "ko"):
            was = plain.value(getattr(a, attribute(key)), spec, self.old, locale, getattr(a, "per", ()))
            now = plain.value(getattr(b, attribute(key)), spec, self.new, locale, getattr(b, "per", ()))
            title = _called(section, b, self.new, locale)
            quoted = f"“{title}”, " if locale == "en" else f"‘{title}’ "
            texts.append(f"{quoted}{plain.key_name(type(b), key, locale)}: {was or '–'} → {now or '–'}")
        text = Words(texts[0], texts[1])
        return self.difference(demand, kind, section, key, rows, favours, text, whom=whom)

    def difference(
        self,
        demand: Demand,
        kind: Kind,
        section: str,
        key: str,
        rows: tuple[Row | None, Row | None],
        favours: Favours,
        text: Words,
        whom: tuple[str, ...] = (),
        takes_up: tuple[str, ...] = (),
        asked_apart: tuple[str, ...] = (),
    ) -> Difference:
        a, b = rows
        return Difference(
            demand=demand,
            kind=kind,
            section=section,
            key=key,
            old_path=a.path if a else "",
            new_path=b.path if b else "",
            old_clauses=a.cites(key or "all") if a else (),
            new_clauses=b.cites(key or "all") if b else (),
            favours=favours,
            text=text,
            whom=whom,
            takes_up=takes_up,
            asked_apart=asked_apart,
            # LAW: PIPA 26(2): entrusting is published, not agreed to; a consent for it is the policy's own promise.
            by_law=Demand.NOTICE if demand is Demand.CONSENT and section == "entrustments" else None,
        )


_ABOUT: Final[Mapping[str, Words]] = {
    "new": Words("new {section}: {title}", "{section} 추가: {title}"),
    "dropped": Words("no longer: {section} {title}", "{section} 삭제: {title}"),
    "stopped": Words("no longer in operation: {section} {title}", "{section} 운영 중지: {title}"),
    "idle": Words("declared and not in operation: {section} {title}", "{section} 기재(운영하지 않음): {title}"),
    "gone": Words("no longer declared, never in operation: {section} {title}", "{section} 기재 삭제(미운영): {title}"),
}
_SECTION_WORDS: Final[Mapping[str, Words]] = {
    "guarantees": Words("guarantee", "기본 보장"),
    "laws": Words("law", "법령"),
    "parties": Words("company", "업체"),
    "subjects": Words("kind of person", "정보주체 유형"),
    "engagements": Words("service", "서비스"),
    "facts": Words("event", "사실"),
    "channels": Words("channel", "경로"),
    "places": Words("place", "알리는 곳"),
    "proofs": Words("proof", "증명 서류"),
    "soft-words": Words("word of time", "기간 표현"),
    "items": Words("item", "항목"),
    "purposes": Words("purpose", "처리 목적"),
    "collection": Words("way of collecting", "수집 방법"),
    "collection-exceptions": Words("exception to consent", "동의의 예외"),
    "consent": Words("way of agreeing", "동의 방법"),
    "advertising": Words("medium of advertising", "광고 매체"),
    "retention": Words("keeping", "보유"),
    "statutes": Words("keeping by law", "법령상 보존"),
    "destruction": Words("destruction", "파기"),
    "separation": Words("keeping apart", "분리 보관"),
    "upkeep": Words("record of ours", "시스템 기록"),
    "provisions": Words("recipient", "제공받는 자"),
    "provision-exceptions": Words("exception to provision", "제공의 예외"),
    "entrustments": Words("processor", "수탁자"),
    "transfers": Words("transfer abroad", "국외 이전"),
    "handlers": Words("handlers", "개인정보취급자"),
    "rights": Words("right", "권리"),
    "acting-for": Words("acting for a person", "대리"),
    "children": Words("rule on children", "아동"),
    "cookies": Words("cookie", "쿠키"),
    "safeguards": Words("safeguard", "안전조치"),
    "changes": Words("rule on changes", "변경 규정"),
    "contacts": Words("contact", "담당"),
    "agencies": Words("agency", "구제 기관"),
    "statements": Words("statement", "알림"),
}


def _called(section: str, row: Any, policy: Policy, locale: str) -> str:
    """What a person would call the element, also where it has no public name of its own."""
    if row.texts:
        return plain.title_of(row, locale)
    match section:
        case "provisions" | "entrustments" if hasattr(row, "to"):
            return plain.named("parties", row.to or row.name, policy, locale)
        case "consent":
            return plain.named("channels", row.name, policy, locale)
        case "collection":
            ways = ", ".join(plain.named("channels", name, policy, locale) for name in row.by)
            return f"{plain.words(row.source, locale)}{f' ({ways})' if ways else ''}"
        case "provision-exceptions" | "collection-exceptions":
            return plain.words(row.needs, locale)
        case _:
            return plain.fixed_title(row, locale)


def _section_of(row: Row) -> str:
    return row.path.partition(".")[0]


def _runs(row: Row | None) -> bool:
    return row is not None and row.blocked is None


def _opposite(favours: Favours) -> Favours:
    return {Favours.PERSON: Favours.CONTROLLER, Favours.CONTROLLER: Favours.PERSON}.get(favours, favours)


def _rests_on_consent(section: str, row: Any, policy: Policy) -> bool:
    match section:
        case "purposes":
            return Basis.CONSENT in row.basis.values()
        case "provisions" | "entrustments":
            return row.consent is OwnConsent.OWN
        case "transfers":
            return row.basis is TransferBasis.CONSENT
        case "retention":
            return row.basis is not Basis.LAW
        case "provision-exceptions":
            return ExceptionNeed.ARTICLE not in row.needs
        case _:
            return False


# -------------------------------------------------------------------------------------------------------------- pairs


def _paired(section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Pairs:
    """Elements of the same name; then, of those left, elements with the same public text; statements by their place."""
    if section == "statements":
        return _statements([*old.values()], [*new.values()])
    found: dict[str, tuple[Any, Any]] = {name: (old.get(name), row) for name, row in new.items()}
    gone = [row for name, row in old.items() if name not in new]
    for name, (before, row) in found.items():
        if before is not None:
            continue
        same = [one for one in gone if _same_text(one, row)]
        if len(same) == 1:
            found[name] = (same[0], row)
            gone.remove(same[0])
    return [*found.values(), *((row, None) for row in gone)]


def _statements(old: list[Any], new: list[Any]) -> Pairs:
    pairs: Pairs = []
    for under in dict.fromkeys(row.under for row in (*new, *old)):
        before = [row for row in old if row.under == under]
        after = [row for row in new if row.under == under]
        for row in [*after]:
            same = next((one for one in before if _same_text(one, row)), None)
            if same:
                pairs.append((same, row))
                before.remove(same)
                after.remove(row)
        for at in range(max(len(before), len(after))):
            pairs.append((before[at] if at < len(before) else None, after[at] if at < len(after) else None))
    return pairs


def _same_text(a: Row, b: Row) -> bool:
    return any(
        a.texts[locale].translate(_PUNCTUATION) == text.translate(_PUNCTUATION)
        for locale, text in b.texts.items()
        if text and locale in a.texts
    )


# ------------------------------------------------------------------------------------------------------- more or less


def _way(how: How, before: Any, after: Any) -> Kind | None:
    """How `after` differs from `before`; None where it means the same."""
    if how is How.TIME:
        before, after = (one.period if isinstance(one, Deadline) else one for one in (before, after))
    if before == after:
        return None
    match how:
        case How.SET:
            more, less = set(after) - set(before), set(before) - set(after)
            return None if not more and not less else Kind.OTHER if more and less else Kind.MORE if more else Kind.LESS
        case How.END:
            return _order(_never_later(before, after), _never_later(after, before))
        case How.TIME:
            return _order(_no_longer(before, after), _no_longer(after, before))
        case How.SWITCH:
            return Kind.LESS if after in (None, AtNight.NEVER) else Kind.MORE
        case _:
            return None if _same(before, after) else Kind.OTHER


def _order(grew: bool, shrank: bool) -> Kind | None:
    return None if grew and shrank else Kind.MORE if grew else Kind.LESS if shrank else Kind.OTHER


def _same(before: Any, after: Any) -> bool:
    """Lists mean the same in any order; a deadline means its period."""
    if isinstance(before, tuple) and isinstance(after, tuple):
        return set(before) == set(after)
    if isinstance(before, Deadline) and isinstance(after, Deadline):
        return before.period == after.period
    return False


def _span(length: Period) -> tuple[int, int]:
    """The fewest and the most days it can take."""
    years, months = divmod(length.years * 12 + length.months, 12)
    return years * 365 + months * 28 + length.days, years * 366 + months * 31 + length.days + -(-length.hours // 24)


def _no_longer(a: Period | None, b: Period | None) -> bool:
    """Whether `a` never takes longer than `b`; no period at all is the shortest."""
    if a is None or a == Period():
        return True
    if b is None:
        return False
    parts = [(p.years * 12 + p.months, p.days, p.hours) for p in (a, b)]
    return all(x <= y for x, y in zip(*parts, strict=True)) or _span(a)[1] <= _span(b)[0]


def _never_later(a: End | None, b: End | None) -> bool:
    """Whether `a` is over whenever `b` is, for all facts; False where that cannot be told. No end is for ever."""
    if b is None or a is None:
        return b is None
    if a == b:
        return True
    match a, b:
        case LaterOf(), _:
            return all(_never_later(one, b) for one in a.of)
        case _, EarlierOf():
            return all(_never_later(a, one) for one in b.of)
        case (EarlierOf(), _) | (_, LaterOf()):
            parts = a.of if isinstance(a, EarlierOf) else ()
            others = b.of if isinstance(b, LaterOf) else ()
            return any(_never_later(one, b) for one in parts) or any(_never_later(a, one) for one in others)
        case Point() | Plus(), Point() | Plus():
            (start, length), (other, longer) = _counted(a), _counted(b)
            sooner = start == other or (start.fact == other.fact and start.calendar is None)
            return sooner and _no_longer(length, longer)
    return False


def _counted(end: Point | Plus) -> tuple[Point, Period]:
    return (end.point, end.period) if isinstance(end, Plus) else (end, Period())


def _resolved(end: End, ended: End | None, older: Mapping[str, str]) -> End:
    match end:
        case Point(fact="ended", calendar=None) if ended is not None and ended != end:
            return _resolved(ended, None, older)
        case Plus(point=Point(fact="ended", calendar=None)) if isinstance(ended, Point):
            return Plus(Point(older.get(ended.fact, ended.fact), ended.calendar), end.period)
        case Point():
            return Point(older.get(end.fact, end.fact), end.calendar)
        case Plus():
            return Plus(Point(older.get(end.point.fact, end.point.fact), end.point.calendar), end.period)
        case LaterOf() | EarlierOf():
            parts = tuple(sorted((_resolved(one, ended, older) for one in end.of), key=repr))
            return LaterOf(parts) if isinstance(end, LaterOf) else EarlierOf(parts)
