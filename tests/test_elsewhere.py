"""A policy from anywhere else needs no change in code: an invented library under an invented law, in English and
French, lives its whole life from files alone (examples/elsewhere).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

import pyotp
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

import upheld
from tests.served import Browser
from upheld.cli import app
from upheld.dates import Period, calendar_end, instant, moment
from upheld.desk.accounts import Credentials, StaffRole, open_account
from upheld.desk.codes import CodeMessage
from upheld.engine.acts import SubjectId
from upheld.errors import Level
from upheld.keeper import Keeper
from upheld.law import LawUnknown, Tables, law_for
from upheld.ledger.report import State
from upheld.policy.findings import checked
from upheld.policy.formats import House
from upheld.policy.law_table import read_table, read_wording
from upheld.policy.notice import notice
from upheld.policy.read import read_policy
from upheld.policy.starter import Answers, first_policy
from upheld.simulate import Course
from upheld.system import backed_up, know_law, simulated
from upheld.web.app import create_app
from upheld.web.settings import Settings

ELSEWHERE = Path(__file__).resolve().parent.parent / "examples" / "elsewhere"
LIBRARY, CASES, LAW = ELSEWHERE / "library.yaml", ELSEWHERE / "library.cases.yaml", ELSEWHERE / "law"
CODE = "amber-library"
KOREAN = re.compile("[\uac00-\ud7a3]|PIPA|pipa |Network Act")
OURS = "한국어"
"""The one Korean word of every page: the switch to the other language of the pages."""


def run(*words: object, ok: bool = True) -> str:
    said = CliRunner().invoke(app, ["--tables", str(LAW), *map(str, words)])
    assert said.exit_code == 0 or not ok, said.output
    return said.output


def at(day: str, hour: int = 10) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00+04:00").astimezone(UTC)


@dataclass
class Lived:
    """A home in which one reader came, was read, given, and left, and one stays."""

    home: Path
    keeper: Keeper
    clock: upheld.SetClock
    gone: SubjectId
    stays: SubjectId
    officer: Credentials
    sent: list[CodeMessage]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    home = tmp_path_factory.mktemp("elsewhere") / "home"
    run("init", "--home", home)
    shutil.copytree(LAW, home / "law")
    clock = upheld.SetClock(at("2026-09-01"))
    with upheld.open(home, upheld.Options(clock=clock, light_hashing=True)) as keeper:
        keeper.publish(LIBRARY.read_bytes())
        clock.set(at("2026-10-05"))
        officer = open_account(
            keeper, CODE, "officer", StaffRole.OFFICER, duties=("archivist",), shown=frozenset({"reason", "approver"})
        )
        reader = keeper.application(CODE)
        gone, stays = (_joins(keeper, who) for who in ("gone", "stays"))
        assert keeper.read(gone, "lending", reader=reader, items=("phone",)).text("phone") == "+230 100 0004"
        keeper.consent(gone, "provision/binder", channel="site")
        assert keeper.provide(gone, "binder", ("name",)).granted
        keeper.fact(gone, "lent")
        keeper.withdraw(gone, "purpose/letter", channel="site")
        clock.set(at("2026-10-20"))
        keeper.fact(gone, "card-ended")
        for day in ("2026-10-22", "2026-10-24", "2026-11-05"):
            clock.set(at(day))
            keeper.sweep()
        yield Lived(home, keeper, clock, gone, stays, officer, [])


def _joins(keeper: Keeper, who: str) -> SubjectId:
    person = keeper.enter(CODE, "reader")
    keeper.begin(person, "card")
    given = {"name": f"{who} of Amber", "email": f"{who}@example.org", "phone": f"+230 100 {len(who):04}"}
    assert keeper.collect(person, "lending", {**given, "loans": "a book"}, channel="desk").granted
    keeper.consent(person, "purpose/letter", channel="site")
    keeper.consent(person, "medium/email", channel="site")
    assert keeper.collect(person, "letter", {"email": f"{who}@example.org"}, channel="site").granted
    return person


def test_the_document_is_checked_against_a_law_that_came_in_a_file() -> None:
    know_law([LAW])
    found = checked([LIBRARY], "am@2026-11-22")[LIBRARY]
    assert not [one for one in found if one.level is Level.ERROR]
    assert {one.code for one in found if one.level is Level.WARNING} == {"law-answered-late"}
    assert any("Amber 12" in str(one) for one in found)


def test_its_cases_come_out_as_told() -> None:
    run("test", CASES)


def test_a_life_from_collecting_to_the_certificate(lived: Lived) -> None:
    held = {value.item: value.held for value, *_ in lived.keeper.holdings(lived.gone)}
    assert {item for item, state in held.items() if state == "separated"} == {"name", "loans"}
    assert {*held} == {"name", "loans"}
    destroyed = [json.loads(lived.keeper.certificate(one)) for one in lived.keeper.certificates(CODE)]
    assert {"email", "phone"} <= set(re.findall(r"email|phone", json.dumps(destroyed)))


def test_an_answer_is_due_by_the_law_of_the_file_off_its_own_weekend_and_holidays(lived: Lived) -> None:
    plan = lived.keeper.views.line(CODE).latest
    assert plan.rights["rectification"].within == Period(days=15)
    assert plan.rights["rectification"].decided_by_law == "amber 12"
    due = lived.keeper.deadline(plan, "rectification", instant(at("2026-10-20")))
    # Fifteen days end with Wednesday 4 November, a day off in the table; Thursday is a working day.
    assert due == instant(datetime.fromisoformat("2026-11-06T00:00+04:00"))
    friday, sunday = datetime(2026, 11, 6, tzinfo=UTC).date(), datetime(2026, 11, 8, tzinfo=UTC).date()
    assert not lived.keeper.is_working_day(plan, friday)
    assert lived.keeper.is_working_day(plan, sunday + timedelta(days=7))


def test_age_night_and_seat_are_those_of_the_law_of_the_file(lived: Lived) -> None:
    plan = lived.keeper.views.line(CODE).latest
    assert plan.children.under == 15
    assert (plan.country.is_night(20), plan.country.is_night(8), plan.country.is_night(9)) == (True, True, False)
    assert plan.country.is_inside("RE")
    assert not plan.country.is_inside("KR")
    assert law_for("Indian/Mauritius", datetime(2025, 1, 1, tzinfo=UTC).date()).period(
        "advertising.reconfirmed"
    ) == Period(years=3)


def test_the_tax_of_a_year_is_declared_when_the_law_of_the_file_says() -> None:
    know_law([LAW])
    sold, island, seoul = instant(at("2026-10-05")), ZoneInfo("Indian/Mauritius"), ZoneInfo("Asia/Seoul")
    assert moment(calendar_end("tax-filing-deadline", sold, island), island).date().isoformat() == "2027-07-01"
    assert moment(calendar_end("tax-filing-deadline", sold, seoul), seoul).date().isoformat() == "2027-04-01"
    assert moment(calendar_end("month-end", sold, island), island).date().isoformat() == "2026-11-01"


def test_a_browser_of_another_language_meets_the_language_that_binds(lived: Lived) -> None:
    settings = Settings(lived.keeper, lived.home, "http://testserver")
    client = TestClient(create_app(settings), headers={"accept-language": "de"})
    for path in ("/", f"/notice/{CODE}", f"/portal/{CODE}"):
        page = client.get(path)
        assert '<html lang="en"' in page.text
        assert not KOREAN.search(page.text.replace(OURS, ""))


def test_an_advertisement_begins_as_the_law_of_the_file_wants_it(lived: Lived) -> None:
    from upheld.keeper.telling import labelled
    from upheld.policy.letters import Written

    policy = read_policy(LIBRARY.read_bytes(), LIBRARY.name)
    text = labelled(policy, Written("Nouveautés", "Trois livres.", "fr", "", False), "https://library.example.org/no")
    assert text.subject == "[Publicité] Nouveautés"
    assert "Bibliothèque d'Ambre" in text.text
    assert "Pour refuser, sans frais" in text.text


def test_the_receipt_of_a_consent_names_the_country(lived: Lived) -> None:
    house = House(jurisdiction="", address="1 Harbour", email="office@example.org", policy_url="https://x.example.org")
    receipts = lived.keeper.receipts(lived.stays, house)
    assert {one["jurisdiction"] for one in receipts} == {"MU"}


def test_verify_audit_and_registers_speak_of_no_other_law(lived: Lived, tmp_path: Path) -> None:
    lived.keeper.seal()
    run("verify", "--home", lived.home)
    report = lived.keeper.audit(CODE)
    assert {one.clause for one in report.clauses if one.state is State.UPHELD} >= {"AL-3", "AL-8", "AL-11"}
    said = run("audit", "--home", lived.home, "--format", "html")
    assert not KOREAN.search(run("audit", "--home", lived.home, "--format", "text"))
    assert "Amber" in said


def test_the_notice_in_each_language_is_in_that_language_alone() -> None:
    know_law([LAW])
    policy = read_policy(LIBRARY.read_bytes(), LIBRARY.name)
    for locale in policy.locales:
        page = notice(policy, locale)
        assert f'<html lang="{locale}"' in page
        assert not KOREAN.search(page)
    french = notice(policy, "fr")
    assert "Loi d'Ambre sur les données" in french.replace("&#39;", "'")
    assert "Politique de confidentialité" in french
    assert "4 ans après" in french
    for english in ("Privacy Policy", "whichever", " months", " years", "In force from"):
        assert english not in french


def test_every_page_that_an_officer_reaches_knows_no_korean_law(lived: Lived) -> None:
    browser = _signed_in(lived)
    seen: dict[str, int] = {}
    waiting = [f"/console/{CODE}", f"/notice/{CODE}", f"/portal/{CODE}", "/", f"/forms/{CODE}"]
    korean: dict[str, str] = {}
    while waiting:
        path = waiting.pop()
        shape = re.sub(r"[a-z2-7]{20}|[0-9a-f]{64}|[0-9-]{10}", "*", path.partition("?")[0])
        if shape in seen or path.endswith((".pdf", ".xlsx", ".json", ".typ")):
            continue
        page = browser.get(path)
        seen[shape] = page.status_code
        if "html" not in page.headers.get("content-type", ""):
            continue
        found = KOREAN.search(page.text.replace(OURS, ""))
        if found:
            korean[shape] = page.text[max(0, found.start() - 60) : found.end() + 60]
        for link in re.findall(r'href="([^"#]+)"', page.text):
            address = urljoin(f"http://testserver{path}", link.replace("&amp;", "&"))
            if urlsplit(address).netloc == "testserver" and "sign-out" not in link and "locale=" not in link:
                waiting.append(address.removeprefix("http://testserver"))
    assert {path: code for path, code in seen.items() if code != 200} == {}
    assert len(seen) > 25
    assert korean == {}


def _signed_in(lived: Lived) -> Browser:
    settings = Settings(
        lived.keeper, lived.home, "http://testserver", send_code=lived.sent.append, addresses={CODE: ("email",)}
    )
    browser = Browser(
        TestClient(create_app(settings), "http://testserver", headers={"accept-language": "fr, en;q=0.5"})
    )
    browser.get(f"/console/{CODE}/sign-in")
    browser.send(f"/console/{CODE}/sign-in", name="officer", password=lived.officer.password)
    lived.clock.set(lived.keeper.now() + 90_000_000)
    code = pyotp.TOTP(lived.officer.totp_secret).at(lived.keeper.now() // 1_000_000)
    entered = browser.send(f"/console/{CODE}/sign-in/code", code=code)
    assert entered.url.path == f"/console/{CODE}", entered.text
    return browser


def test_a_simulated_year_ends_with_nothing_overdue(tmp_path: Path) -> None:
    know_law([LAW])
    summary = simulated(LIBRARY, tmp_path, Course(5, 1, 3), lambda progress: None)
    assert summary.verified
    assert not summary.kept.overdue


def test_a_backup_carries_the_law_that_the_home_lives_by(lived: Lived, tmp_path: Path) -> None:
    made = backed_up(lived.home, tmp_path / "copy")
    assert {path.name for path in made} >= {"am.yaml", "fr.yaml"}


def test_the_doctor_says_by_which_law_a_home_lives(lived: Lived) -> None:
    told = run("doctor", "--home", lived.home, ok=False)
    assert "`amber-library` in Indian/Mauritius: lives by the table `am`" in " ".join(told.split())


def test_a_first_policy_is_written_under_the_law_of_the_file() -> None:
    know_law([LAW])
    answers = Answers(
        name="Amber Bakery", policy="amber-bakery", site="bakery.example.org", phone="+230 1", people="customer",
        today=datetime(2026, 11, 22, tzinfo=UTC).date(), service="bread", law="am",
    )  # fmt: skip
    source = first_policy(answers)
    policy = read_policy(source.encode(), "draft.yaml")
    assert policy.time_zone == "Indian/Mauritius"
    assert not KOREAN.search(source)
    assert "gdpr" not in source


def test_every_mistake_of_a_table_is_told_at_once_with_its_place_and_remedy() -> None:
    bad = (LAW / "am.yaml").read_text()
    for old, new in (
        ("zones: Indian/Mauritius", "zones: Indian/Nowhere"),
        ("seat: MU", "seat: Mauritius"),
        ("rights.answered:  ", "rights.anwsered:  "),
        ("is: 15,", "is: fifteen,"),
        ("Amber 20, is: P3D", "Amber 20, is: 3 days"),
        ("says: in three", "says: in three"),
        ("cited.medium:           {article: Amber 40, is: yes,", "cited.medium:           {is: yes,"),
        ("until: 2026-01-01}", "until: 2027-01-01}"),
        ("reaches-from: 2020-01-01", "reaches-from: 2020-13-01"),
        ("is: [1, 6, 30]", "is: [1, 2, 30]"),
    ):
        bad = bad.replace(old, new)
    with pytest.raises(LawUnknown) as refused:
        read_table(bad.encode(), "am.yaml")
    said = str(refused.value)
    for code in (
        "time-zone-unknown", "country-unreadable", "rule-unknown", "value-unreadable", "key-missing", "rules-overlap",
        "date-unreadable",
    ):  # fmt: skip
        assert re.search(rf"^am\.yaml:\d+:\d+ {code} ", said, re.M), (code, said)
    assert "Did you mean `rights.answered`?" in said
    assert said.count("value-unreadable") == 3


@pytest.mark.parametrize("source", [b"", b"- a", b"table: 2", b"\xff\xfe", b"a: &a [*a]", b"table: [1]\nrules: x"])
def test_what_is_no_table_is_refused_with_a_remedy(source: bytes) -> None:
    with pytest.raises(LawUnknown, match="refused as a table of law"):
        read_table(source, "x.yaml")


def test_two_tables_for_one_country_or_one_zone_are_refused() -> None:
    pack = read_table((LAW / "am.yaml").read_bytes(), "am.yaml").pack
    tables = Tables({"am": pack})
    tables.add(pack)
    text = (LAW / "am.yaml").read_text()
    with pytest.raises(LawUnknown, match="another table of law for `am`"):
        tables.add(read_table(text.replace("P15D", "P16D").encode(), "am.yaml").pack)
    with pytest.raises(LawUnknown, match="one time zone has one table"):
        tables.add(read_table(text.replace("country: am", "country: an").encode(), "an.yaml").pack)


def test_a_wording_fills_the_same_places_as_the_english() -> None:
    with pytest.raises(LawUnknown, match="fills other places"):
        read_wording(b"wording: fr\nphrases:\n  until {point}: jusqu'ici\n", "fr.yaml")


def test_the_table_on_file_stands_in_the_ledger_of_nobody(lived: Lived) -> None:
    policies = json.loads(run("audit", "--home", lived.home, "--format", "json"))
    assert policies
