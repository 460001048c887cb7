"""The differences between two versions as text, JSON and one HTML page, in English and Korean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined, Template

from upheld.policy import plain
from upheld.policy.change import Changes, Difference, Kind
from upheld.policy.change_rules import Demand, Favours
from upheld.policy.wording import Words, language_of

DEMANDS: Final[Mapping[Demand, Words]] = {
    Demand.CONSENT: Words("Fresh consent", "새로운 동의 필요"),
    Demand.NOTICE: Words("Notice", "고지 필요"),
    Demand.NOTHING: Words("Nothing", "조치 불필요"),
}
EXPLAINED: Final[Mapping[Demand, Words]] = {
    Demand.CONSENT: Words(
        "Holds for a person only once that person has agreed; until then the older rule goes on.",
        "본인이 동의한 때부터 적용하며, 그때까지는 종전 규정을 따릅니다.",
    ),
    Demand.NOTICE: Words(
        "Holds for everybody from the effective day, once it was announced as promised.",
        "약속한 방법으로 공고한 뒤 시행일부터 모두에게 적용합니다.",
    ),
    Demand.NOTHING: Words(
        "Wording, names, order, clause numbers, and what is declared and not in operation.",
        "표현·이름·순서·조항 번호, 그리고 기재되었으나 운영하지 않는 사항입니다.",
    ),
}
_SIGNS: Final[Mapping[Favours, Words]] = {
    Favours.PERSON: Words("in your favour", "정보주체에게 유리"),
    Favours.CONTROLLER: Words("wider for us", "처리 범위 확대"),
    Favours.NEITHER: Words("", ""),
}
_PHRASES: Final[Mapping[str, Words]] = {
    "title": Words("What changes", "처리방침 변경 비교"),
    "from": Words("from", "종전"),
    "to": Words("to", "변경"),
    "announced": Words("announced", "공고"),
    "effective": Words("in force from", "시행"),
    "everybody": Words("everybody", "모든 정보주체"),
    "who": Words("who", "대상"),
    "taking-up": Words("on taking up", "다음 서비스를 신청할 때"),
    "apart": Words("asked apart", "별도 동의"),
    "by-law": Words(
        "promised by the policy; the law alone asks for a notice",
        "처리방침의 약속에 따른 동의이며 법령상으로는 고지 대상",
    ),
    "clauses": Words("clauses", "조항"),
    "promise": Words("What the older version promises about changing", "종전 처리방침이 변경에 관하여 약속한 내용"),
    "at": Words("announced at", "알리는 곳"),
    "says": Words("tells", "알리는 내용"),
    "ahead": Words("ahead", "사전 기간"),
    "no-ahead": Words("no time ahead is promised", "사전 기간의 약속 없음"),
    "days": Words(" days from announcement to effect", "일 (공고부터 시행까지)"),
    "kept": Words("kept", "지킴"),
    "broken": Words("not kept", "지키지 못함"),
}
_ORDER: Final = (Demand.CONSENT, Demand.NOTICE, Demand.NOTHING)


def as_text(changes: Changes, locale: str = "en") -> str:
    """Lines for a terminal, grouped by demand; `locale` is `en` or `ko`."""

    def say(key: str) -> str:
        return _PHRASES[key].say(locale)

    lines = [
        f"{changes.policy}: {say('title')}",
        f"{say('from')} {changes.old[1]} ({say('announced')} {changes.old[0]})",
        f"{say('to')} {changes.new[1]} ({say('announced')} {changes.new[0]})",
        "",
        f"{say('promise')}: {'; '.join(_promise(changes, locale))}",
    ]
    for demand in _ORDER:
        found = changes.demanding(demand)
        lines += ["", f"{DEMANDS[demand].say(locale)} ({len(found)}): {EXPLAINED[demand].say(locale)}"]
        for one in found:
            details = "; ".join(_details(changes, one, locale))
            lines.append(f"  {one.path}{f' [{one.key}]' if one.key else ''}: {one.text.say(locale)}")
            lines += [f"      {details}"] if details else []
    return "\n".join(lines) + "\n"


def _promise(changes: Changes, locale: str) -> list[str]:
    announcement = changes.announcement
    places = ", ".join(dict.fromkeys(place.say(locale) for place in announcement.places))
    says = ", ".join(one.say(locale) for one in announcement.says)
    ahead = plain.period(announcement.promised, locale) if announcement.promised else ""
    return [
        *([f"{_PHRASES['at'].say(locale)}: {places}"] if places else []),
        *([f"{_PHRASES['says'].say(locale)}: {says}"] if says else []),
        f"{_PHRASES['ahead'].say(locale)}: {ahead}" if ahead else _PHRASES["no-ahead"].say(locale),
        f"{announcement.days}{_PHRASES['days'].say(locale)}",
        *([_PHRASES["kept" if announcement.kept else "broken"].say(locale)] if announcement.promised else []),
    ]


def _details(changes: Changes, one: Difference, locale: str) -> list[str]:
    if one.demand is Demand.NOTHING:
        return []
    found = [f"{_PHRASES['who'].say(locale)}: {who(changes, one, locale)}"]
    if one.takes_up:
        found.append(f"{_PHRASES['taking-up'].say(locale)}: {_names(changes, one.takes_up, locale)}")
    if one.asked_apart:
        found.append(f"{_PHRASES['apart'].say(locale)}: {_names(changes, one.asked_apart, locale)}")
    if one.by_law is not None:
        found.append(_PHRASES["by-law"].say(locale))
    if one.favours is not Favours.NEITHER:
        found.append(_SIGNS[one.favours].say(locale))
    old, new = " ".join(one.old_clauses), " ".join(one.new_clauses)
    return [*found, f"{_PHRASES['clauses'].say(locale)}: {old or '–'} → {new or '–'}"]


def who(changes: Changes, one: Difference, locale: str) -> str:
    """Of whom it is asked, or who is told."""
    return _names(changes, one.whom, locale) or _PHRASES["everybody"].say(locale)


def _names(changes: Changes, names: Iterable[str], locale: str) -> str:
    return ", ".join(changes.names[name].say(locale) for name in names)


# ---------------------------------------------------------------------------------------------------------------- JSON


def as_json(changes: Changes) -> str:
    """Everything, both languages beside each other; keys sorted, so that two runs give the same bytes."""
    announcement = changes.announcement
    body = {
        "policy": changes.policy,
        "old": {"announced": changes.old[0].isoformat(), "effective": changes.old[1].isoformat()},
        "new": {"announced": changes.new[0].isoformat(), "effective": changes.new[1].isoformat()},
        "counts": {demand.value: len(changes.demanding(demand)) for demand in _ORDER},
        "announcement": {
            "places": [_both(one) for one in announcement.places],
            "says": [_both(one) for one in announcement.says],
            "promised": str(announcement.promised) if announcement.promised else None,
            "days": announcement.days,
            "kept": announcement.kept,
        },
        "differences": [
            {
                "demand": one.demand.value,
                "kind": one.kind.value,
                "section": one.section,
                "key": one.key or None,
                "old": {"path": one.old_path or None, "clauses": list(one.old_clauses)},
                "new": {"path": one.new_path or None, "clauses": list(one.new_clauses)},
                "by-law": one.by_law.value if one.by_law else None,
                "favours": one.favours.value,
                "whom": [{"name": name, **_both(changes.names[name])} for name in one.whom],
                "takes-up": [{"name": name, **_both(changes.names[name])} for name in one.takes_up],
                "asked-apart": [{"name": name, **_both(changes.names[name])} for name in one.asked_apart],
                "text": _both(one.text),
            }
            for one in changes.differences
        ],
    }
    return json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _both(words: Words) -> dict[str, str]:
    return {"en": words.en, "ko": words.ko}


# ---------------------------------------------------------------------------------------------------------------- HTML


def as_html(changes: Changes, locale: str = "en") -> str:
    """One page without scripts or links to other hosts; `locale` is `en` or `ko`."""
    groups = [(demand, changes.demanding(demand)) for demand in _ORDER]
    return _template().render(
        changes=changes,
        groups=groups,
        language=language_of(locale),
        say=lambda key: _PHRASES[key].say(locale),
        name=lambda demand: DEMANDS[demand].say(locale),
        explained=lambda demand: EXPLAINED[demand].say(locale),
        sign=lambda one: _SIGNS[one.favours].say(locale),
        text=lambda one: one.text.say(locale),
        who=lambda one: who(changes, one, locale),
        taking_up=lambda one: _names(changes, one.takes_up, locale),
        apart=lambda one: _names(changes, one.asked_apart, locale),
        promise=_promise(changes, locale),
        quiet=lambda one: one.kind in (Kind.CLAUSES, Kind.RENAMED, Kind.INSIDE),
    )


@cache
def _template() -> Template:
    source = (files("upheld.policy") / "pages" / "change.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source)
