"""What an officer reads about a publication, and the file that tells contracts, roles and evidence beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import yaml

from upheld.dates import moment
from upheld.errors import InputRefused
from upheld.keeper import Keeper, Publication
from upheld.keeper.binding import Obstacle, PublicationRefused
from upheld.keeper.publishing import Announced, FirstNight, OnRecord
from upheld.keeper.reconsenting import Reconsent
from upheld.law.stricter import By
from upheld.policy import model
from upheld.policy.model import Policy

_MOST: Final = 12
"""So many rules of a first night are listed; the rest is counted."""


def publication_text(done: Publication, zone: ZoneInfo) -> str:
    """What a publication did or, in a dry run, would do."""
    lines = [_head(done, zone)]
    if done.announced is not None:
        lines.append(_ahead(done.announced))
    if done.rehearsed is not None:
        seen = done.rehearsed
        lines.append(
            f"rehearsed: {seen.rules} rules in the places of this home, {seen.collected} values taken, "
            f"{seen.separated} kept apart, {seen.destroyed} destroyed, {seen.certificates} lives certified; "
            "nothing of it is left"
        )
    if done.first_night is not None:
        lines += _night(done.first_night)
    if done.findings:
        count = len(done.findings)
        past = f"{count} findings of a past publication are on record:"
        lines.append(f"it would be refused for {count} reasons:" if done.dry else past)
        lines += [line for one in done.findings for line in _obstacle(one)]
    lines += [f"published over a gap: {gap} (its clauses are not upheld)" for gap in done.gaps]
    kept = {} if done.dry else done.notices
    lines += [f"notice kept: {locale} SHA-256 {digest}" for locale, digest in kept.items()]
    return "\n".join(lines)


def _head(done: Publication, zone: ZoneInfo) -> str:
    at = moment(done.effective_at, zone)
    said = "is not on file: a dry run; it would hold" if done.dry else "is on file; in force"
    return f"{done.policy} {done.version} {said} from {at:%Y-%m-%d %H:%M} {at.tzname()}"


def _ahead(one: Announced) -> str:
    if one.ahead is None:
        return f"announced on {one.on}: nothing is owed ahead"
    who = f"the law decides ({one.rule})" if one.by is By.LAW else "the version before decides"
    return f"announced on {one.on}: {one.ahead} ahead, {who}; from {one.earliest} at the earliest"


def _night(night: FirstNight) -> list[str]:
    if not night.values:
        return ["first night: nothing falls due by this version alone"]
    shown = sorted(night.by_rule.items(), key=lambda pair: (-pair[1], pair[0]))
    lines = [
        f"first night: {night.values} values of {night.persons} persons fall due by this version alone "
        f"({night.separate} to keep apart, {night.destroy} to destroy)",
        *(f"    {count:>8,} {rule}" for rule, count in shown[:_MOST]),
    ]
    return [*lines, f"    and {len(shown) - _MOST} rules more"] if len(shown) > _MOST else lines


def _obstacle(one: Obstacle) -> Iterator[str]:
    yield f"  {one.element} ({one.code}){'' if one.gap else ', cannot be published over'}"
    yield f"      {one.why}. {one.remedy}"
    if one.clauses:
        yield f"      {' '.join(one.clauses)}"


def refusal_text(refused: PublicationRefused) -> str:
    """Every reason of the gate, each with element, clause and remedy."""
    lines = [f"not published: {len(refused.obstacles)} reasons"]
    lines += [line for one in refused.obstacles for line in _obstacle(one)]
    names = list(dict.fromkeys(one.element for one in refused.obstacles if one.gap))
    if names and all(one.gap for one in refused.obstacles):
        over = " ".join(f"--over {name}" for name in names)
        lines.append(f"the officer may publish over them: {over} --officer ROLE --reason CODE")
    return "\n".join(lines)


def versions_text(versions: tuple[OnRecord, ...], zone: ZoneInfo) -> str:
    """The versions on file, oldest first."""
    return "\n".join(line for one in versions for line in _version(one, zone))


def _version(one: OnRecord, zone: ZoneInfo) -> Iterator[str]:
    now = ", in force" if one.in_force else ""
    yield (
        f"{one.version}{now}: announced {moment(one.announced_at, zone):%Y-%m-%d}, effective "
        f"{moment(one.effective_at, zone):%Y-%m-%d %H:%M}, on file since {moment(one.published_at, zone):%Y-%m-%d}"
        f" ({one.gate})"
    )
    yield from (f"    over a gap: {gap}" for gap in one.gaps)
    yield from (f"    finding: {element} ({code})" for code, element in one.findings)
    yield from (f"    notice {locale} {form}: SHA-256 {digest}" for locale, form, digest in one.notices)


def reconsents_text(found: list[Reconsent], locale: str) -> str:
    """Who has to be asked anew, by matter, with what grew; persons by number and never by name."""
    if not found:
        return "nobody has to be asked anew"
    matters: dict[tuple[str, str], list[Reconsent]] = {}
    for one in found:
        matters.setdefault((one.about, one.agreed), []).append(one)
    lines: list[str] = []
    for (about, agreed), asked in matters.items():
        lines.append(f"{about}: {len(asked)} persons who agreed to the version of {agreed}")
        lines += [f"    {one.text.say(locale)}" for one in asked[0].differences]
    return "\n".join(lines)


# ── bindings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def bind(keeper: Keeper, policy: str, file: Path) -> list[str]:
    """Record what a file of bindings tells: contracts, registers, roles, evidence. Says what was recorded.

    What is on record already is left as it is, so that the file can be given again: a role that somebody has, a
    contract in force with the same terms, a name in its register, evidence of the last day.

    Raises InputRefused for a file that is none, before anything is recorded, and whatever the keeper refuses.
    """
    told = _told(file)
    return [
        *_contracts(keeper, policy, told.contracts),
        *_registers(keeper, policy, told.registers),
        *_roles(keeper, policy, told.roles),
        *_evidence(keeper, policy, told.evidence),
    ]


def _contracts(keeper: Keeper, policy: str, rows: _Table) -> Iterator[str]:
    house, _ = keeper.bound(policy)
    for party, row in rows.items():
        terms, agreed = _words(row, "terms"), bool(row.get("sub-consent", False))
        running = house.contract_of(party, keeper.now())
        if running is not None and (running.terms, running.sub_consent) == (terms, agreed):
            yield f"contract with {party}{_BEFORE}"
            continue
        keeper.contract(policy, party, terms=terms, sub_consent=agreed)
        yield f"contract with {party}"


def _registers(keeper: Keeper, policy: str, kinds: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for kind, names in kinds.items():
        known = {name for name, _ in keeper.register_of(policy, kind, keeper.now())}
        for name in sorted(names):
            if name in known:
                yield f"{kind} {name}{_BEFORE}"
                continue
            keeper.register(policy, kind, name)
            yield f"{kind} {name}"


def _roles(keeper: Keeper, policy: str, rows: _Table) -> Iterator[str]:
    _, held = keeper.bound(policy)
    for duty, row in rows.items():
        if duty in held:  # another grant would be another handler, of whom pledge and training are owed
            yield f"role {duty}: somebody has it{_BEFORE}"
            continue
        handler, outcome = keeper.grant(policy, duty, shown=_words(row, "shown"))
        if not outcome.granted:
            missing = ", ".join(outcome.decision.because[0].detail.split()) if outcome.decision.because else ""
            raise InputRefused(
                "grant-refused", f"`roles.{duty}`: {', '.join(outcome.reasons)}. Write `shown` with {missing}"
            )
        yield f"role {duty}: handler {handler}"


def _evidence(keeper: Keeper, policy: str, rows: _Table) -> Iterator[str]:
    for control, row in rows.items():
        kind, about = str(row.get("kind", "")), str(row.get("about", ""))
        filed = [one.at for one in keeper.evidence_of(policy, control) if (one.kind, one.about) == (kind, about)]
        if filed and filed[-1] > keeper.now() - _DAY:
            yield f"evidence for {control}{_BEFORE}"
            continue
        keeper.file_evidence(policy, control, kind, about=about)
        yield f"evidence for {control}"


_BEFORE: Final = " (on record already)"
_DAY: Final = 86_400_000_000
_Table = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class _Bindings:
    contracts: _Table
    registers: Mapping[str, frozenset[str]]
    roles: _Table
    evidence: _Table


def _told(file: Path) -> _Bindings:
    try:
        told = yaml.safe_load(file.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputRefused("bindings", f"{file} is no YAML") from error
    keys = [one.name for one in fields(_Bindings)]
    if not isinstance(told, dict) or not told.keys() <= {*keys}:
        raise InputRefused("bindings", f"{file} may hold these and nothing else: {', '.join(keys)}")
    registers = told.get("registers") or {}
    if not isinstance(registers, dict):
        raise InputRefused("bindings", "`registers` is a table of kinds, such as `host: [host-1]`")
    named = {str(kind): _words(registers, kind) for kind in registers}
    return _Bindings(_rows(told, "contracts"), named, _rows(told, "roles"), _rows(told, "evidence"))


def _rows(told: Mapping[str, object], section: str) -> _Table:
    rows = told.get(section) or {}
    if not isinstance(rows, dict):
        raise InputRefused("bindings", f"`{section}` is a table of names")
    for name, row in rows.items():
        if row is not None and not isinstance(row, dict):
            raise InputRefused("bindings", f"`{section}.{name}` is a table or empty")
    return {str(name): row or {} for name, row in rows.items()}


def _words(row: Mapping[str, object], key: str) -> frozenset[str]:
    words = row.get(key) or ()
    return frozenset((words,) if isinstance(words, str) else map(str, words) if isinstance(words, list) else ())


def bindings_wanted(policy: Policy, obstacles: Iterable[Obstacle]) -> str:
    """What of these obstacles only has to be put on record, as a file of bindings to fill in; empty where none is."""
    made: dict[str, dict[str, object]] = {}
    for one in obstacles:
        row = policy.row(one.element)
        if one.code == "role-unfilled" and isinstance(row, model.Handler):
            made.setdefault("roles", {})[row.name] = {"shown": [word.value for word in row.granted_with]}
        elif one.code in _OF_CONTRACTS and isinstance(row, model.Entrustment):
            told: dict[str, object] = {"terms": [*row.terms]}
            made.setdefault("contracts", {})[row.name] = told | ({"sub-consent": True} if row.under else {})
        elif one.code == "evidence-missing" and isinstance(row, model.Safeguard):
            about = {"about": f"{row.per.value}-1"} if row.per else {}
            made.setdefault("evidence", {})[row.name] = {"kind": row.evidence[0]} | about
    return yaml.safe_dump(made, allow_unicode=True, sort_keys=False, default_flow_style=None) if made else ""


_OF_CONTRACTS: Final = frozenset({"contract-missing", "contract-terms-missing", "sub-consent-missing"})
