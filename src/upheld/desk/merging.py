"""A merger as an officer sees it: the sheet from which a case is opened, and where it stands, in a few lines.

fact: whole-business
transferee: sample-ltd
effective: 2027-03-01
refusing: stays
en: {fact: ..., transferee: ..., contact: ..., refusing: ...}
ko: {fact: ..., transferee: ..., contact: ..., refusing: ...}
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Final

import yaml

from upheld.dates import moment
from upheld.desk.codes import medium_of
from upheld.desk.documents import document_in_force
from upheld.desk.languages import language_of
from upheld.desk.representatives import addressee_of
from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused
from upheld.keeper import Bundle, Keeper, Merger, Terms
from upheld.keeper.handing_over import Reached

_HEAD: Final = frozenset({"fact", "transferee", "effective", "refusing", "kinds"})
WORDS: Final[Mapping[str, str]] = {
    "to-tell": "still to be told",
    "told": "told",
    "unreachable": "cannot be reached",
    "refused": "refused",
    "handing": "being handed over (run hand-over again)",
    "handed-over": "handed over",
}
WAITING: Final[Mapping[str, str]] = {
    "not-effective": "it has not taken effect yet",
    "not-told": "not told yet",
    "not-covered": "cannot be reached, and no posting has stood its time",
    "may-still-refuse": "told, and may still refuse",
    "frozen": "a request about their data is open",
    "suspended": "they had the use of their data stopped",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an officer writes down to open a case."""

    fact: str
    transferee: str
    effective_on: date
    refused_means: str
    terms: Mapping[str, Terms]
    kinds: tuple[str, ...] = ()


def known(keeper: Keeper, policy: str, case_id: str) -> Merger:
    """A case by its id. Raises InputRefused."""
    found = next((one for one in keeper.mergers(policy) if one.case_id == case_id), None)
    if found is None:
        raise InputRefused("merger-unknown", f"`{policy}` has no case of merger or transfer with this id")
    return found


def tell(keeper: Keeper, policy: str, case_id: str, media: Sequence[str] = ("email",)) -> Counter[str]:
    """Tell everybody who was not told yet, each in their language; for a child its legal representative, where they
    said. Returns how many messages are in which state.
    """
    document = document_in_force(keeper, policy)

    def reached(person: SubjectId) -> Reached:
        to, locale = addressee_of(keeper, policy, person), language_of(keeper, document, person)
        return Reached(locale) if to is None else Reached(locale, to, medium_of(to.address) or "email")

    return keeper.tell_merger(policy, case_id, media, reached=reached)


def sheet_in(source: bytes) -> Sheet:
    """Read a sheet. Raises InputRefused with everything that is amiss."""
    try:
        given = yaml.safe_load(source)
    except yaml.YAMLError as problem:
        raise InputRefused("sheet-unreadable", f"this is no YAML: {problem}") from problem
    if not isinstance(given, dict):
        raise InputRefused(
            "sheet-unreadable", "a sheet is a table: fact, transferee, effective, refusing, and languages"
        )
    wrong = [f"`{one}` is missing" for one in sorted(_HEAD - {"kinds"}) if one not in given]
    if "effective" in given and not isinstance(given["effective"], date):
        wrong.append("`effective` is a date such as 2027-03-01")
    languages = {name: one for name, one in given.items() if name not in _HEAD}
    wanted = [field.name for field in fields(Terms)]
    for name, one in languages.items():
        if not isinstance(one, dict) or sorted(one) != sorted(wanted):
            wrong.append(f"`{name}` needs exactly: {', '.join(wanted)}")
    if wrong:
        raise InputRefused("sheet-incomplete", "; ".join(wrong))
    terms = {str(name): Terms(**{key: str(text) for key, text in one.items()}) for name, one in languages.items()}
    kinds = given.get("kinds") or []
    return Sheet(
        str(given["fact"]),
        str(given["transferee"]),
        given["effective"],
        str(given["refusing"]),
        terms,
        tuple(map(str, kinds if isinstance(kinds, list) else [kinds])),
    )


def opened(keeper: Keeper, policy: str, sheet: Sheet) -> str:
    """Open the case of a sheet. Returns its id."""
    return keeper.merger(
        policy,
        sheet.fact,
        sheet.transferee,
        sheet.terms,
        effective_on=sheet.effective_on,
        refused_means=sheet.refused_means,
        kinds=sheet.kinds,
    )


def as_text(keeper: Keeper, case: Merger, *, names: bool = False) -> str:
    """Where a case stands: counts, what the page still needs, and with `names` every person that is left."""
    zone = keeper.views.line(case.policy).latest.zone
    state = keeper.merger_state(case.policy, case.case_id)
    wanted = keeper.fallbacks(case.policy, "business-transfer")
    told = keeper.told(case.policy, "business-transfer", case.case_id)
    lines = [
        f"{case.case_id}  {case.fact} to {case.transferee}, in force from {moment(case.effective_at, zone):%Y-%m-%d}"
        + (f", closed on {moment(case.closed_at, zone):%Y-%m-%d}" if case.closed_at is not None else ""),
        f"  who refuses: {'stays with us' if case.refused_means == 'stays' else 'what they have with us ends'}; "
        f"time to refuse: {case.to_refuse}",
        *(f"  {WORDS[one]}: {count}" for one, count in sorted(state.counts.items())),
    ]
    if "unreachable" in state.counts:
        reasons = ", ".join(f"{why} {count}" for why, count in sorted(Counter(state.reasons.values()).items()))
        lines.append(f"  cannot be reached because of: {reasons}")
        counts_from = f"counts from {moment(told.covered_at, zone):%Y-%m-%d}" if told.covered_at else "none counts yet"
        lines.append(f"  for them the page must say it for {wanted.page} ({', '.join(wanted.by)}); {counts_from}")
    if names:
        left = {one: word for one, word in state.states.items() if word not in ("refused", "handed-over")}
        lines += [f"  {one}: {WORDS[word]} {state.reasons.get(one, '')}".rstrip() for one, word in sorted(left.items())]
    return "\n".join(lines)


def handed_to(folder: Path, bundle: Bundle) -> None:
    """Put what is handed over of one person into a folder: a file of its own, whole or not at all, again the same."""
    path = folder / f"{bundle.disclosure_id}.json"
    content = {"id": bundle.disclosure_id, "kind": bundle.kind, "items": [list(one) for one in bundle.items]}
    draft = path.with_suffix(".part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=2).encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
