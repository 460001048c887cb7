"""Case files: read whole, played against the real keeper, and honest about what they show."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

import upheld
from tests.homes import copied, forgotten
from upheld.cases import CasesRefused, FileRun, clauses_shown, read_cases
from upheld.cases import run as cases_run
from upheld.cases.acts import PLAYS
from upheld.cases.looks import LOOKING
from upheld.cases.stage import nights
from upheld.cases.words import ACTS, LOOKS, VERBS
from upheld.dates import Instant, start_of
from upheld.keeper import Keeper

ROOT = Path(__file__).parent.parent
POLICIES = ROOT / "policies"
FILES = sorted(POLICIES.glob("*.cases.yaml"))
NEXR = (POLICIES / "nexr-2017.yaml").read_text("utf-8")


def opener(home: Path, at: Instant, look_up: Mapping[str, Iterable[str]]) -> tuple[Keeper, upheld.SetClock]:
    clock = upheld.SetClock(at)
    options = upheld.Options(clock=clock, light_hashing=True, look_up=look_up, durable=False)
    return upheld.open(home, options), clock


@contextmanager
def lent(house: Path, to: Path) -> Iterator[Path]:
    """A copy of a home on either engine."""
    yield copied(house, to)
    forgotten(to)


run_file = partial(cases_run.run_file, lender=lent)
run_cases = partial(cases_run.run_cases, lender=lent)


def written(folder: Path, text: str, policy: str = NEXR) -> Path:
    (folder / "policy.yaml").write_text(policy, "utf-8")
    path = folder / "some.cases.yaml"
    path.write_text(text, "utf-8")
    return path


def differences(run: FileRun) -> list[str]:
    assert run.problems == ()
    return [difference for case in run.cases for difference in case.differences]


# ── the five policies ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_case_of_the_five_policies_holds(path: Path) -> None:
    run = run_file(path, opener)
    assert differences(run) == []
    assert len(run.cases) >= 25
    assert len(clauses_shown(run)) >= 50


def test_each_policy_has_its_cases() -> None:
    documents = {path.stem for path in POLICIES.glob("*.yaml") if "." not in path.stem}
    assert {path.name.removesuffix(".cases.yaml") for path in FILES} == documents
    assert len(documents) == 5


# ── broken promises ─────────────────────────────────────────────────────────────────────────────────────────────────

BROKEN = [
    ("NX17-2.3", "collected + P6M", "collected + P7M"),
    ("NX17-2.2.b", "{earlier-of: [ended, collected + P1Y]}", "{earlier-of: [ended, collected + P2Y]}"),
    ("NX17-5.2.b", "ko: 서비스 중단, about: purpose}", "ko: 서비스 중단, about: controller}"),
    ("NX17-4.0", "ko: 직함}", "ko: 직함, nature: sensitive}"),
    ("NX17-8.1.a", "by: [letter, email, fax, portal]}", "by: [letter, email, fax]}"),
    ("NX17-6.2.b", "{for: [complaint, service], ", "{for: [complaint, service, marketing], "),
    ("NX17-6.1", "evidence: audit-report, due: P3M", "evidence: audit-report, due: P6M"),
    ("NX17-3.3.a", ", freeze: NX17-3.3.a}, freeze: {from: received, until: settled}}", ", open: NX17-3.3.a}}"),
    ("MS18-2.L-r3", "advertised + P6M", "advertised + P1Y"),
    ("MS18-9.2-1", "consent-asked + P5D", "consent-asked + P3D"),
    ("MS18-2.P-r2", "items: tip-text, until: tip-answered", "items: [tip-text, name], until: tip-answered"),
    ("MS18-7.0-r1", "items: [name, phone, request-text, tip-text]", "items: [name, password]"),
    ("KE22-4.2-r6", "connected + P3M", "connected + P6M"),
    ("KE22-4.1-1", "until: ended + P12M", "until: ended + P18M"),
    ("KE22-8.0-1", "basis: consent\n    stored-in: JP", "basis: certification\n    stored-in: JP"),
    ("KE22-6.1.a-1", "law: [comms-secrets, telecoms, national-taxes]", "law: [comms-secrets, telecoms, commercial]"),
    ("BZ18-5.1.B", "items: fee-file, until: cancelled + P6M", "items: fee-file, until: cancelled + P9M"),
    ("BZ18-7.1.1", "per: gifti-show, items: customer", "per: gifti-show, items: [customer, birth-date]"),
    ("BZ18-8.1.4", "BZ18-8.1.4,  for: billing,  items: debtor", "BZ18-8.1.4,  for: billing,  items: [debtor, card]"),
    ("BZ16-7.1.2", "use-until: ended, until: ended", "use-until: cancelled, until: cancelled"),
    ("BZ16-10.6.c", "except: statute, covers: person}", "except: statute}"),
]
"""A clause, what stands in its document, and what stands there instead when the promise is broken."""
DOCUMENTS = {
    "NX17": "nexr-2017",
    "MS18": "kt-mns-2018",
    "KE22": "kt-enterprise-2022",
    "BZ18": "bizmeka-ez-2018",
    "BZ16": "bizmeka-ez-2016",
}


@pytest.mark.slow
@pytest.mark.parametrize(("clause", "before", "after"), BROKEN, ids=lambda one: one[:12])
def test_a_case_fails_when_the_promise_it_shows_is_broken(clause: str, before: str, after: str, tmp_path: Path) -> None:
    name = DOCUMENTS[clause[:4]]
    for path in POLICIES.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    cases = tmp_path / f"{name}.cases.yaml"
    assert all(case.holds for case in run_file(cases, opener, citing=clause).cases)
    text = (POLICIES / f"{name}.yaml").read_text("utf-8")
    assert text.count(before) == 1
    (tmp_path / f"{name}.yaml").write_text(text.replace(before, after), "utf-8")
    run = run_file(cases, opener, citing=clause)
    assert run.problems == ()
    assert not all(case.holds for case in run.cases)


# ── what a case says when it fails ──────────────────────────────────────────────────────────────────────────────────

HEAD = """policy: policy.yaml
staff: {lee: counsellor}
cases:
  - case: One
    clauses: [NX17-1.1]
    given:
      2018-07-10:
        - {enter: user, as: kim}
        - {begin: complaint}
        - {consent: complaint}
        - {collect: {complaint: [name, email]}}
    then:
      2018-07-11:
"""


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            "{read: name, for: complaint, use: identify, expect: refused, because: frozen}",
            "expected refused because frozen; came granted",
        ),
        ("{read: name, for: marketing, use: promotion}", "expected granted; came refused because consent-missing"),
        (
            "{read: title, for: complaint, use: identify, by: lee}",
            "expected granted; came refused because unknown",
        ),
        (
            "{read: name, for: marketing, use: promotion, expect: refused, because: frozen}",
            "expected refused because frozen; came refused because consent-missing",
        ),
        (
            "{read: name, for: marketing, use: promotion, expect: refused, because: consent-missing, citing: NX17-5.0}",
            "expected to cite NX17-5.0; cited NX17-1.0.a",
        ),
        (
            "{read: name, for: marketing, use: promotion, expect: refused, because: consent-missing, law: pipa 15}",
            "expected to rest on pipa 15; rested on no law",
        ),
        (
            "{read: [name, email], for: complaint, use: identify, shows: name}",
            "expected to show name; showed name, email",
        ),
        ("{fact: result-delivered, tells: 'told:nobody'}", "expected to tell told:nobody; told nothing"),
        ("{ask: access, by: email, due: 2018-07-20}", "the answer is due by 2018-07-12, not by 2018-07-20"),
        ("{held: {active: name}}", "active: expected name; came email, name"),
        ("{held: nothing}", "active: expected nothing; came email, name"),
        ("{held: forgotten}", "the person is not forgotten yet"),
        (
            "{kept-by: {name: rights.access}}",
            "what keeps `name`: expected rights.access; came purposes.required.complaint",
        ),
        ("{certified: name}", "items certified as destroyed: expected name; came nothing"),
        ("{consents: {withdrawn: complaint}}", "`complaint` is given, expected withdrawn"),
        ("{requests: {access: done}}", "the request for access: expected done; came never made"),
        ("{owed: {audit: nobody}}", "evidence owed for audit: expected nothing; came house"),
        ("{gaps: purposes.required.complaint}", "not among the gaps published over"),
        ("{recorded: read.granted}", "the ledger has no read.granted; it has"),
        ("{told: partner}", "who was told: expected partner; came nothing"),
        ("{received: {partner: name}}", "who received something: expected partner; came nothing"),
        ("{grown-up: no}", "grown up: expected no; came yes"),
        ("{in-force: none}", "the version in force: expected none; came 2017-09-08"),
        ("{audited: {NX17-1.1: not-upheld}}", "the report on NX17-1.1: expected not-upheld; came"),
        ("{question: complaint, says: [recipient]}", "the question does not tell the recipient"),
        ("{password: email}", "`email` is no password"),
        (
            "{read: name, for: complaint, use: identify, by: nobody-we-know}",
            "nobody called `nobody-we-know` has a role",
        ),
        ("{read: name, for: complaint, use: identify, who: cho}", "nobody called `cho` has entered"),
    ],
)  # fmt: skip
def test_a_failing_step_says_what_was_expected_and_what_came(step: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}        - {step}\n        - {{held: {{}}, who: kim}}\n")
    found = differences(run_file(path, opener))
    assert any(f"{path}:14:11 2018-07-11 " in one and said in one for one in found), found


def test_a_broken_case_is_printed_with_its_sentence_and_its_clauses(tmp_path: Path) -> None:
    said: list[str] = []
    path = written(tmp_path, f"{HEAD}        - {{held: nothing}}\n")
    assert run_cases([path], said.append, opener) == 1
    assert said[0] == f"FAILED {path}:4: One"
    assert said[1].endswith("2018-07-11 held: active: expected nothing; came email, name")
    assert said[2:] == [
        "  clauses: NX17-1.1",
        f"{path}: 1 cases, 1 failed",
        "1 cases in 1 files, 1 failed; 0 clauses shown",
    ]


def test_a_case_that_holds_is_counted_with_the_clauses_it_shows(tmp_path: Path) -> None:
    said: list[str] = []
    path = written(
        tmp_path,
        f"{HEAD}        - {{read: name, for: complaint, use: identify, by: lee}}\n"
        "        - {held: {active: [name, email]}}\n",
    )
    assert run_cases([path], said.append, opener) == 0
    assert said == [f"{path}: 1 cases, 0 failed", "1 cases in 1 files, 0 failed; 1 clauses shown"]


def test_a_case_cannot_cite_what_nothing_in_it_rests_on(tmp_path: Path) -> None:
    text = HEAD.replace("NX17-1.1", "NX17-1.1, NX17-6.4.a")
    found = differences(run_file(written(tmp_path, f"{text}        - {{held: {{active: [name, email]}}}}\n"), opener))
    assert len(found) == 1
    assert found[0].endswith("NX17-6.4.a is cited, but nothing in the case rests on it")


def test_one_case_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    first = f"{HEAD}        - {{our-fact: business-closed}}\n        - {{held: {{active: [name, email]}}}}\n"
    second = (
        first[first.index("  - case: One") :]
        .replace("One", "Two")
        .replace("{our-fact: business-closed}", "{read: name, for: complaint, use: identify}")
    )
    assert differences(run_file(written(tmp_path, first + second), opener)) == []


# ── bad files ───────────────────────────────────────────────────────────────────────────────────────────────────────

GOOD_STEP = "{held: nothing}"


@pytest.mark.parametrize(
    ("text", "place", "code", "remedy"),
    [
        ("cases: []\n", "1:1", "policy-missing", "Write `policy: FILE`"),
        ("policy: nowhere.yaml\n", "1:9", "policy-missing", "beside this file"),
        ("policy: policy.yaml\n", "1:1", "cases-missing", "Write `cases:`"),
        ("", "1:1", "not-a-policy", "Begin with `policy: FILE`"),
        ("policy: policy.yaml\ncase: [x]\n", "2:1", "key-unknown", "Perhaps `cases`"),
        ("policy: policy.yaml\nstaff: {lee: councillor}\n", "2:14", "name-unknown", "counsellor"),
        ("policy: policy.yaml\nstaff: lee\n", "2:8", "staff-unclear", "Write `staff:"),
        ("policy: policy.yaml\ncases: [one]\n", "2:9", "case-unclear", "Write `- case: SENTENCE`"),
        ("policy: policy.yaml\ncases: [{clauses: [NX17-1.1]}]\n", "2:9", "sentence-missing", "Write `case:`"),
        ("policy: policy.yaml\ncases: [{case: One}]\n", "2:9", "clauses-missing", "Write `clauses:"),
        ("policy: policy.yaml\ncases: [{case: One, clauses: [NX17-1.1]}]\n", "2:9", "nothing-expected", "Add `then:`"),
        ("policy: policy.yaml\ncases: [{case: A, clauses: [NX17-1.11]}]\n", "2:29", "clause-unknown", "`NX17-1.1`"),
        ("policy: policy.yaml\ncases: [{case: One, clauses: [{a: b}]}]\n", "2:30", "not-a-name", "Write [one, two]"),
        ("policy: policy.yaml\ncases: [{case: One, finally: x}]\n", "2:21", "key-unknown", "Take one of"),
    ],
)  # fmt: skip
def test_a_bad_file_says_where_and_what_to_write(text: str, place: str, code: str, remedy: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CasesRefused) as refused:
        read_cases(path)
    found = [one for one in refused.value.problems if one.code == code and f"{one.line}:{one.column}" == place]
    assert found, refused.value.problems
    assert remedy in found[0].remedy


@pytest.mark.parametrize(
    ("step", "code", "remedy"),
    [
        ("{helt: nothing}", "verb-unclear", "Perhaps `held`"),
        ("{held: nothing, told: nobody}", "verb-unclear", ""),
        ("held", "step-unclear", "Write {VERB: ...}"),
        ("{enter: member}", "name-unknown", "Take one of: user"),
        ("{begin: complain}", "name-unknown", "Perhaps `complaint`"),
        ("{consent: complain}", "name-unknown", "Perhaps `complaint`"),
        ("{consent: media/sms}", "name-unknown", "Perhaps `medium`"),
        ("{collect: {complaint: names}}", "name-unknown", "Perhaps `name`"),
        ("{collect: [name]}", "shape-wrong", "a table of names"),
        ("{enter: [user]}", "shape-wrong", "a name"),
        ("{enter: user, born: yesterday}", "not-a-date", "2018-07-10"),
        ("{enter: user, under-age: maybe}", "shape-wrong", "yes or no"),
        ("{fact: result-delivered, late: a while}", "shape-wrong", "Write `late: 3 days`"),
        ("{read: name, from-whom: lee}", "key-unknown", "Perhaps `from`"),
        ("{read: name, expect: no}", "verdict-unknown", "granted, invalid, refused"),
        ("{read: name, expect: refused}", "reason-missing", "Add `because:`"),
        ("{read: name, expect: refused, because: forbidden}", "reason-unknown", "Take one of"),
        ("{read: name, expect: refused, because: frozen, citing: NX17-3}", "clause-unknown", "NX17-9.3"),
        ("{held: {gone: name}}", "name-unknown", "separated"),
        ("{audited: {NX17-99: upheld}}", "name-unknown", "NX17-9"),
    ],
)
def test_a_bad_step_says_where_and_what_to_write(step: str, code: str, remedy: str, tmp_path: Path) -> None:
    text = f"""policy: policy.yaml
cases:
  - case: One
    clauses: [NX17-1.1]
    then:
      2018-07-10:
        - {step}
"""
    with pytest.raises(CasesRefused) as refused:
        read_cases(written(tmp_path, text))
    found = [one for one in refused.value.problems if one.code == code and one.line == 7]
    assert found, refused.value.problems
    assert remedy in found[0].remedy


def test_every_problem_of_a_file_comes_at_once(tmp_path: Path) -> None:
    text = """policy: policy.yaml
cases:
  - case: One
    clauses: [NX17-1.11]
    given:
      2018-07-10: {enter: member}
      2018-07-09: {begin: complaint}
      someday: {begin: complaint}
    then:
      2018-07-11: {held: nothing}
  - case: One
    clauses: [NX17-1.1]
    then: [{held: nothing}]
"""
    run = run_file(written(tmp_path, text), opener)
    codes = [problem.split()[1] for problem in run.problems]
    assert codes == [
        "clause-unknown",
        "name-unknown",
        "time-goes-back",
        "not-a-date",
        "sentence-twice",
        "time-line-unclear",
    ]
    said: list[str] = []
    assert run_cases([tmp_path / "some.cases.yaml"], said.append, opener) == 1
    assert said[-2].endswith("6 problems, nothing was run")


def test_a_policy_with_errors_is_told_with_the_errors(tmp_path: Path) -> None:
    path = written(tmp_path, "policy: policy.yaml\ncases: []\n", NEXR.replace("collected + P6M", "collected + 6M"))
    with pytest.raises(CasesRefused) as refused:
        read_cases(path)
    assert refused.value.problems[0].code == "policy-refused"
    assert any("policy.yaml" in one.file for one in refused.value.problems[1:])


def test_a_file_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    run = run_file(tmp_path / "none.cases.yaml", opener)
    assert len(run.problems) == 1
    assert "file-unreadable" in run.problems[0]


def test_a_house_that_cannot_be_prepared_is_a_problem(tmp_path: Path) -> None:
    text = "policy: policy.yaml\nhouse: {2017-09-09: {contract: nobody}}\n" + HEAD[HEAD.index("cases:") :]
    run = run_file(written(tmp_path, text + "        - {held: nothing}\n"), opener)
    assert len(run.problems) == 1
    assert "house-refused" in run.problems[0]
    assert "expected granted; came invalid because party-unknown" in run.problems[0]


# ── the words ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_word_can_be_played_and_is_told_in_the_documentation() -> None:
    assert set(PLAYS) == set(ACTS)
    assert set(LOOKING) == set(LOOKS)
    page = (ROOT / "docs" / "cases.md").read_text("utf-8")
    rows = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("| `")}
    for name, verb in VERBS.items():
        assert verb.says in rows[name]
        assert all(f"`{key}`" in rows[name] for key in verb.keys), name


def test_the_sweep_runs_near_every_step_and_once_a_month_between() -> None:
    from datetime import date
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Asia/Seoul")
    since, until = start_of(date(2018, 7, 10), zone), start_of(date(2018, 12, 20), zone)
    days = [round((night - since) / 86_400_000_000, 2) for night in nights(since, until, zone)]
    assert days[:9] == [round(number + 1 / 24, 2) for number in range(9)]
    assert len(days) == 9 + 5 + 3
    assert days == sorted(days)
    assert all(since < night < until for night in nights(since, until, zone))
