"""A case file is read whole: every problem at once, each with file, line, column and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from upheld.cases.model import Case, CaseFile, Said, Step
from upheld.cases.words import EXPECTED, STATES, VERBS, VERDICTS, Names, Takes, Verb, Word, keys_of
from upheld.dates import Instant, instant
from upheld.engine.acts import Reason
from upheld.engine.state import AboutKind
from upheld.errors import PolicyRefused, Problem, UpheldError
from upheld.keeper.living import BUILT_IN_FACTS
from upheld.policy.check import clauses_of
from upheld.policy.model import Policy
from upheld.policy.read import read_policy
from upheld.policy.tree import Listing, Node, Scalar, Table, tree_of

HEAD = ("policy", "staff", "looked-up", "house", "cases")
PARTS = ("given", "when", "then")
OFFICE_OPENS = 9
"""A step that names no hour happens at nine in the morning."""
_WHEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?: (\d{2}):(\d{2}))?\Z")
_LATE = re.compile(r"\d+ days?\Z")
_RIGHTS = frozenset(
    {"access", "rectification", "erasure", "suspension", "withdrawal", "portability", "source", "objection"}
)


class CasesRefused(UpheldError):
    """A case file has problems; nothing of it was run."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass(slots=True)
class _Page:
    """The file being read, the names its policy knows, and what was found wrong."""

    path: Path
    problems: list[Problem] = field(default_factory=list)
    names: Mapping[Names, frozenset[str]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clauses: frozenset[str] = frozenset()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def problem(self, code: str, at: Node | None, message: str, remedy: str) -> None:
        line, column = (at.line, at.column) if at is not None else (1, 1)
        self.problems.append(Problem(code, str(self.path), line, column, message, remedy))


def read_cases(path: Path) -> CaseFile:
    """The file with its policy. Raises CasesRefused with every problem found."""
    page = _Page(path)
    root = _root(page)
    if root is None:
        raise CasesRefused(tuple(page.problems))
    if root.get("upheld") is not None:
        page.problem(
            "policy-not-cases", root, "this is a policy and no file of cases",
            "Cases stand in a file of their own that names it: `policy: FILE` and `cases:`",
        )  # fmt: skip
        raise CasesRefused(tuple(page.problems))
    for key, _ in root.entries:
        if key.text not in HEAD:
            page.problem("key-unknown", key, f"`{key.text}` is no key of a case file", nearest(key.text, HEAD))
    policy_path, policy = _policy(page, root)
    if policy is None:
        raise CasesRefused(tuple(page.problems))
    page.names, page.groups = names_of(policy), policy.item_groups
    page.clauses, page.zone = frozenset(clauses_of(policy)), ZoneInfo(policy.time_zone)
    staff = _staff(page, root.get("staff"))
    looked_up = tuple(one.text for one in _scalars(page, root.get("looked-up"), "looked-up"))
    house = tuple(_time_line(page, root.get("house"), None))
    cases = _cases(page, root.get("cases"))
    if page.problems:
        raise CasesRefused(tuple(sorted(page.problems, key=lambda one: (one.line, one.column))))
    return CaseFile(path, policy_path, policy, staff, looked_up, house, cases)


def names_of(policy: Policy) -> Mapping[Names, frozenset[str]]:
    """What a case may call by name under this policy."""
    children = {"representative-contact"} if policy.children else set()
    elements = frozenset(row.path for row in policy.rows())
    return {
        Names.SUBJECTS: frozenset(policy.subjects),
        Names.ENGAGEMENTS: frozenset(policy.engagements),
        Names.PURPOSES: frozenset(policy.purposes) | children,
        Names.ITEMS: frozenset(policy.items) | frozenset(policy.item_groups),
        Names.FACTS: frozenset(policy.facts) | BUILT_IN_FACTS,
        Names.CHANNELS: frozenset(policy.channels),
        Names.CONSENT_CHANNELS: frozenset(policy.consent),
        Names.RECIPIENTS: frozenset(policy.provisions),
        Names.PROCESSORS: frozenset(policy.entrustments),
        Names.EXCEPTIONS: frozenset(policy.provision_exceptions),
        Names.UNASKED: frozenset(policy.collection_exceptions),
        Names.DUTIES: frozenset(policy.handlers),
        Names.CONTROLS: frozenset(policy.safeguards),
        Names.ELEMENTS: elements,
        Names.RIGHTS: _RIGHTS,
        Names.MEDIA: frozenset(policy.advertising) or frozenset({"email", "sms"}),
        Names.STATES: frozenset(STATES),
        Names.GIVEN: frozenset({"given", "withdrawn"}),
        Names.CLAUSES: frozenset(clauses_of(policy)),
    }


def _root(page: _Page) -> Table | None:
    try:
        source = page.path.read_bytes()
    except OSError as failure:
        message = f"the file cannot be read ({failure.strerror})"
        page.problem("file-unreadable", None, message, "Name a file that exists")
        return None
    root, problems = tree_of(source, str(page.path))
    page.problems += [
        replace(one, remedy="Begin with `policy: FILE` and `cases:`") if one.code == "not-a-policy" else one
        for one in problems
    ]
    return root


def _policy(page: _Page, root: Table) -> tuple[Path, Policy | None]:
    said = root.get("policy")
    if not isinstance(said, Scalar):
        page.problem("policy-missing", said or root, "no policy is named", "Write `policy: FILE`, beside this file")
        return page.path, None
    path = page.path.parent / said.text
    try:
        return path, read_policy(path.read_bytes(), str(path))
    except OSError as failure:
        message = f"`{said.text}` cannot be read ({failure.strerror})"
        page.problem("policy-missing", said, message, "Name a document that stands beside this file")
    except PolicyRefused as refused:
        page.problem("policy-refused", said, f"`{said.text}` has errors", "Mend the document first; they follow")
        page.problems += refused.problems
    return path, None


def _staff(page: _Page, node: Node | None) -> Mapping[str, str]:
    if node is None:
        return {}
    if not isinstance(node, Table):
        page.problem("staff-unclear", node, "staff is a table", "Write `staff: {lee: ROLE}` with a role of the policy")
        return {}
    found: dict[str, str] = {}
    for key, duty in node.entries:
        known = page.names[Names.DUTIES]
        if isinstance(duty, Scalar) and duty.text in known:
            found[key.text] = duty.text
        else:
            page.problem("name-unknown", duty, "this is no role of the policy", f"Take one of: {_list(known)}")
    return found


def _cases(page: _Page, node: Node | None) -> tuple[Case, ...]:
    if not isinstance(node, Listing) or not node.entries:
        page.problem("cases-missing", node, "there are no cases", "Write `cases:` and a list below it")
        return ()
    found = [one for one in (_case(page, entry) for entry in node.entries) if one is not None]
    seen: set[str] = set()
    for case, entry in zip(found, node.entries, strict=False):
        if case.sentence in seen:
            page.problem("sentence-twice", entry, "another case has this sentence", "Say what is different about it")
        seen.add(case.sentence)
    return tuple(found)


def _case(page: _Page, node: Node) -> Case | None:
    if not isinstance(node, Table):
        page.problem("case-unclear", node, "a case is a table", "Write `- case: SENTENCE` and given, when, then")
        return None
    for key, _ in node.entries:
        if key.text not in ("case", "clauses", *PARTS):
            known = ("case", "clauses", *PARTS)
            page.problem("key-unknown", key, f"`{key.text}` is no key of a case", nearest(key.text, known))
    sentence = node.get("case")
    if not isinstance(sentence, Scalar):
        page.problem("sentence-missing", node, "the case has no sentence", "Write `case:` and what it shows")
    clauses = tuple(one.text for one in _clauses(page, node))
    steps: list[Step] = []
    for part in PARTS:
        steps += _time_line(page, node.get(part), steps[-1].at if steps else None)
    looks = any(VERBS[step.verb].looks or set(step.said) & set(EXPECTED) for step in steps)
    if node.get("then") is None and not looks:
        page.problem("nothing-expected", node, "the case expects nothing", "Add `then:` with what must come of it")
    text = sentence.text if isinstance(sentence, Scalar) else ""
    return Case(text, clauses, tuple(steps), node.line, node.column)


def _clauses(page: _Page, node: Table) -> Iterable[Scalar]:
    said = node.get("clauses")
    if said is None:
        page.problem("clauses-missing", node, "the case cites no clause", "Write `clauses: [ID]` with what it shows")
    for one in _scalars(page, said, "clauses"):
        if one.text not in page.clauses:
            page.problem("clause-unknown", one, f"the policy carries no `{one.text}`", nearest(one.text, page.clauses))
        else:
            yield one


def _scalars(page: _Page, node: Node | None, key: str) -> tuple[Scalar, ...]:
    if node is None:
        return ()
    entries = node.entries if isinstance(node, Listing) else (node,)
    found = tuple(one for one in entries if isinstance(one, Scalar))
    if len(found) < len(entries):
        page.problem("not-a-name", node, f"`{key}` is a name or a list of names", "Write [one, two]")
    return found


# ── time lines ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _time_line(page: _Page, node: Node | None, after: Instant | None) -> list[Step]:
    if node is None:
        return []
    if not isinstance(node, Table):
        page.problem("time-line-unclear", node, "a time line is a table of dates", "Write `2018-07-10: {VERB: ...}`")
        return []
    steps: list[Step] = []
    for key, said in node.entries:
        at = _instant(page, key)
        if at is None:
            continue
        if after is not None and at < after:
            page.problem("time-goes-back", key, f"{key.text} is before the step above", "Put the steps in their order")
        after = at
        for entry in said.entries if isinstance(said, Listing) else (said,):
            step = _step(page, entry, key.text, at)
            if step is not None:
                steps.append(step)
    return steps


def _instant(page: _Page, key: Scalar) -> Instant | None:
    found = _WHEN.match(key.text)
    try:
        day = date.fromisoformat(found[1]) if found else None
        hour, minute = (int(found[2] or OFFICE_OPENS), int(found[3] or 0)) if found else (0, 0)
        if day is not None:
            return instant(datetime(day.year, day.month, day.day, hour, minute, tzinfo=page.zone))
    except ValueError:
        pass
    page.problem("not-a-date", key, f"`{key.text}` is no date", "Write 2018-07-10, or 2018-07-10 21:30 with an hour")
    return None


def _step(page: _Page, node: Node, when: str, at: Instant) -> Step | None:
    if not isinstance(node, Table):
        page.problem("step-unclear", node, "a step is a table", "Write {VERB: ...}, or a list of them")
        return None
    verbs = [key for key, _ in node.entries if key.text in VERBS]
    own = [key for key in verbs if not any(key.text in keys_of(VERBS[one.text]) for one in verbs)]
    if len(own) != 1:
        said = node.entries[0][0].text if node.entries else ""
        message = "a step has one verb" if own else f"`{said}` is no verb"
        page.problem("verb-unclear", node, message, nearest(said, VERBS))
        return None
    verb = VERBS[own[0].text]
    expected = node.get("expect")
    strict = not (isinstance(expected, Scalar) and expected.text in ("refused", "invalid"))
    known = {own[0].text: verb.word, **keys_of(verb)}
    said_by: dict[str, Said] = {}
    for key, value in node.entries:
        word = known.get(key.text)
        if word is None:
            page.problem("key-unknown", key, f"`{own[0].text}` takes no `{key.text}`", nearest(key.text, known))
            continue
        read = _said(page, key, value, word, strict)
        if read is not None:
            said_by[key.text] = read
    _expectations(page, node, own[0].text, verb)
    return Step(own[0].text, at, when, said_by, node.line, node.column)


def _said(page: _Page, key: Scalar, node: Node, word: Word, strict: bool) -> Said | None:
    match node:
        case Table() if word.takes in (Takes.TABLE, Takes.NAME_OR_TABLE):
            return {
                left.text: _expanded(page, value, word.names, strict)
                for left, value in node.entries
                if _known(page, left, word.left, strict)
            }
        case Scalar() if word.takes in (Takes.NAME, Takes.DATE, Takes.YES, Takes.NAME_OR_TABLE):
            return _single(page, key, node, word, strict)
        case Scalar() | Listing() if word.takes is Takes.NAMES:
            return _expanded(page, node, word.names, strict)
    page.problem("shape-wrong", node, f"`{key.text}` takes {word.takes.value}", f"Write {word.takes.value} behind it")
    return None


def _single(page: _Page, key: Scalar, node: Scalar, word: Word, strict: bool) -> str | None:
    if word.takes is Takes.DATE:
        return node.text if _is_date(page, node) else None
    if word.takes is Takes.YES and node.text not in ("yes", "no"):
        page.problem("shape-wrong", node, f"`{key.text}` is yes or no", "Write yes or no")
        return None
    if key.text == "late" and not _LATE.match(node.text):
        page.problem("shape-wrong", node, f"`{node.text}` is no lateness", "Write `late: 3 days`")
        return None
    names = Names.FREE if word.takes is Takes.NAME_OR_TABLE else word.names
    return node.text if _known(page, node, names, strict) else None


def _is_date(page: _Page, node: Scalar) -> bool:
    try:
        date.fromisoformat(node.text)
    except ValueError:
        page.problem("not-a-date", node, f"`{node.text}` is no date", "Write it as 2018-07-10")
        return False
    return True


def _expanded(page: _Page, node: Node, names: Names, strict: bool) -> tuple[str, ...]:
    """A name or a list; a group of items stands for its items."""
    found: list[str] = []
    for one in _scalars(page, node, names.value):
        if _known(page, one, names, strict):
            found += page.groups.get(one.text, (one.text,)) if names is Names.ITEMS else (one.text,)
    return tuple(dict.fromkeys(found))


def _known(page: _Page, node: Scalar, names: Names, strict: bool) -> bool:
    """Whether a name is one of the policy's. What a step expects to be refused may be undeclared."""
    if names is Names.FREE or not strict:
        return True
    if names is Names.MATTERS:
        kind, slash, _ = node.text.partition("/")
        known = page.names[Names.PURPOSES] if not slash else frozenset(AboutKind)
        right = (node.text if not slash else kind) in known
    else:
        known = page.names[names]
        right = node.text in known
    if not right:
        message = f"`{node.text}` is none of the policy's {names.value}"
        page.problem("name-unknown", node, message, nearest(node.text, known))
    return right


def _expectations(page: _Page, node: Table, name: str, verb: Verb) -> None:
    if verb.looks:
        return
    expected = node.get("expect")
    if isinstance(expected, Scalar) and expected.text not in VERDICTS:
        page.problem("verdict-unknown", expected, f"`{expected.text}` is no verdict", f"Write {_list(VERDICTS)}")
    refused = isinstance(expected, Scalar) and expected.text == "refused"
    because = node.get("because")
    if refused and because is None:
        remedy = "Add `because:` with the code of docs/refusals.md"
        page.problem("reason-missing", node, f"why is `{name}` refused", remedy)
    if refused:
        for one in _scalars(page, because, "because"):
            if one.text not in frozenset(Reason):
                page.problem("reason-unknown", one, f"`{one.text}` is no reason", nearest(one.text, frozenset(Reason)))
    for one in _scalars(page, node.get("citing"), "citing"):
        if one.text not in page.clauses:
            page.problem("clause-unknown", one, f"the policy carries no `{one.text}`", nearest(one.text, page.clauses))


def nearest(word: str, known: Iterable[str]) -> str:
    """What to write instead."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1)
    return f"Perhaps `{close[0]}`" if close else f"Take one of: {_list(names)}"


def _list(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:30]) + (" ..." if len(found) > 30 else "")
