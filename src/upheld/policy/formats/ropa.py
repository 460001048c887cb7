"""The record of processing (GDPR 30(1), and the register that Korean houses keep) as CSV: a line for each purpose."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from upheld.policy import plain
from upheld.policy.formats.given import items_of, titles
from upheld.policy.model import Policy, Purpose, Row, keys_of
from upheld.policy.wording import Words, text_in

Cell = Callable[[Policy, Purpose, str], str]


def as_csv(policy: Policy, locale: str) -> str:
    """The record as CSV (RFC 4180), the heads in the language of `locale`. A purpose that does not run says so."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow([head.say(locale) for head in COLUMNS])
    for row in policy.purposes.values():
        lines.writerow([_harmless(cell(policy, row, locale)) for cell in COLUMNS.values()])
    return out.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(part for part in parts if part))


def _contact(policy: Policy, _: Purpose, locale: str) -> str:
    return _joined(f"{plain.title_of(row, locale)} {row.phone or ''}".strip() for row in policy.contacts.values())


def _purpose(_: Policy, row: Purpose, locale: str) -> str:
    text = plain.title_of(row, locale)
    return f"{text} ({Words('not run', '실행 보류').say(locale)})" if row.blocked else text


def _grounds(policy: Policy, row: Purpose, locale: str) -> str:
    """Each ground with its items, where there are several."""
    grounds = dict.fromkeys(row.basis.values())
    if len(grounds) == 1:
        return "".join(plain.word(ground, locale) for ground in grounds)
    of = {ground: [policy.items[item] for item in row.items if row.basis.get(item) is ground] for ground in grounds}
    return _joined(f"{plain.word(ground, locale)}: {', '.join(titles([*of[ground]], locale))}" for ground in grounds)


def _recipients(policy: Policy, row: Purpose, locale: str) -> str:
    rows = [one for one in policy.provisions.values() if not one.blocked and {*one.items} & {*row.items}]
    return _joined(f"{_party(policy, one.to or one.name, locale)}: {text_in(one.their_use, locale)}" for one in rows)


def _processors(policy: Policy, row: Purpose, locale: str) -> str:
    rows = [one for one in policy.entrustments.values() if not one.blocked and row.name in one.for_]
    return _joined(
        f"{_party(policy, one.to or one.name, locale)}{f': {text_in(one.task, locale)}' if one.task else ''}"
        for one in rows
    )


def _transfers(policy: Policy, row: Purpose, locale: str) -> str:
    rows = [one for one in policy.transfers.values() if not one.blocked and {*one.items} & {*row.items}]
    return _joined(
        f"{_party(policy, one.to or one.name, locale)} ({', '.join(one.stored_in)}): "
        f"{plain.word(one.basis, locale) if one.basis else ''}"
        for one in rows
    )


def _party(policy: Policy, name: str | None, locale: str) -> str:
    return plain.named("parties", name, policy, locale) if name else ""


def _kept(policy: Policy, row: Purpose, locale: str) -> str:
    """The records of law and the grounds of its own that keep items of the purpose after it."""
    rows: list[Row] = [one for one in policy.statutes.values() if not one.blocked and {*one.items} & {*row.items}]
    rows += [
        one
        for one in policy.retention.values()
        if not one.blocked and ({*one.items} & {*row.items} or (not one.items and (not one.of or row.name in one.of)))
    ]
    return _joined(
        f"{plain.title_of(one, locale)}: {plain.end(getattr(one, 'until', None), policy, locale)}" for one in rows
    )


def _destruction(policy: Policy, _: Purpose, locale: str) -> str:
    return _joined(
        f"{plain.fixed_title(row, locale)}: {plain.value(row.by, keys_of(type(row))['by'], policy, locale)}"
        for row in policy.destruction.values()
        if row.by
    )


COLUMNS: Final[Mapping[Words, Cell]] = {
    Words("controller", "개인정보처리자"): lambda policy, _, locale: plain.title_of(policy.controller, locale),
    Words("contact", "개인정보 보호책임자·연락처"): _contact,
    Words("purpose", "처리 목적"): _purpose,
    Words("required or optional", "필수·선택"): lambda _, row, locale: (
        Words("required", "필수") if row.required else Words("optional", "선택")
    ).say(locale),
    Words("legal basis", "처리 근거"): _grounds,
    Words("categories of persons", "정보주체"): lambda policy, row, locale: _joined(
        plain.named("subjects", name, policy, locale) for name in row.whose
    ),
    Words("categories of data", "개인정보 항목"): lambda policy, row, locale: _joined(items_of(policy, row, locale)),
    Words("sensitive data and identifiers", "민감정보·고유식별정보"): lambda policy, row, locale: _joined(
        items_of(policy, row, locale, tender=True)
    ),
    Words("source", "수집 출처"): lambda _, row, locale: plain.words(row.source, locale),
    Words("recipients", "제공받는 자"): _recipients,
    Words("processors", "수탁자"): _processors,
    Words("transfers abroad", "국외 이전"): _transfers,
    Words("used until", "이용 기간"): lambda policy, row, locale: plain.end(row.until, policy, locale, row.per),
    Words("kept after that", "이후 보존"): _kept,
    Words("erasure", "파기 방법"): _destruction,
    Words("security measures", "안전성 확보조치"): lambda policy, _, locale: _joined(
        titles([*policy.safeguards.values()], locale)
    ),
    Words("clauses", "조항"): lambda _, row, __: _joined(row.cites()),
}
"""Head and content of each column, in the order of GDPR 30(1) with what the Korean register has besides."""
