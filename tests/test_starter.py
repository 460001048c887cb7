"""A first policy from a few answers reads, passes the law of its country, and runs: no code knows the house."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import upheld
from upheld.cli import app
from upheld.engine.acts import EngagementId
from upheld.engine.compile import compiled
from upheld.errors import InputRefused, Level
from upheld.law import law_on
from upheld.policy.findings import findings_against, findings_in
from upheld.policy.notice import notice
from upheld.policy.read import problems_in, read_policy
from upheld.policy.starter import COUNTRIES, KINDS, Answers, first_policy
from upheld.system import init

TODAY = date(2026, 11, 22)
CLINIC = Answers(
    law="kr",
    name="예시의원",
    policy="sample-clinic",
    site="clinic.example.org",
    phone="02-000-0001",
    today=TODAY,
    service="진료",
    people="환자",
    items=("name", "mobile", "birth", "health"),
    newsletter=True,
)
SHOP = Answers(
    name="Example Shop",
    policy="sample-shop",
    site="shop.example.org",
    phone="+32 2 000 00 01",
    today=TODAY,
    service="your orders",
    people="customer",
    items=("name", "email", "address", "shoe-size"),
    law="eu",
    newsletter=True,
)


def grave(answers: Answers) -> list[str]:
    """Errors and warnings of a draft, against itself and the law of its country today."""
    source = first_policy(answers)
    policy = read_policy(source.encode(), "draft.yaml")
    found = [*problems_in(source.encode(), "draft.yaml"), *findings_in(policy)]
    found += findings_against(policy, law_on(answers.law, answers.today))
    return [str(one) for one in found if one.level is not Level.ADVICE]


@pytest.mark.parametrize("answers", [CLINIC, SHOP], ids=["clinic", "shop"])
@pytest.mark.parametrize("newsletter", [True, False])
@pytest.mark.parametrize("sells", [True, False])
def test_a_draft_has_neither_errors_nor_warnings(answers: Answers, newsletter: bool, sells: bool) -> None:
    assert grave(replace(answers, newsletter=newsletter, sells=sells)) == []


@pytest.mark.parametrize("law", [*COUNTRIES])
def test_every_kind_of_data_may_be_asked_for(law: str) -> None:
    assert grave(replace(CLINIC, law=law, items=tuple(KINDS))) == []


@settings(max_examples=25, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20))
def test_whatever_signs_a_name_has_it_stands_in_the_document_as_given(text: str) -> None:
    policy = read_policy(first_policy(replace(SHOP, name=text, service=text)).encode(), "draft.yaml")
    assert policy.controller.texts == {"en": text}
    assert policy.purposes["service"].texts == {"en": text}


def test_what_needs_a_consent_of_its_own_has_a_purpose_of_its_own() -> None:
    policy = read_policy(first_policy(CLINIC).encode(), "draft.yaml")
    assert policy.purposes["service"].items == ("name", "mobile", "birth")
    assert policy.purposes["service"].basis["name"] == "contract"
    assert policy.purposes["health-by-consent"].items == ("health",)
    assert policy.purposes["health-by-consent"].basis["health"] == "consent"


def test_the_draft_differs_by_law_in_zone_language_age_and_days() -> None:
    clinic, shop = (read_policy(first_policy(one).encode(), "draft.yaml") for one in (CLINIC, SHOP))
    assert (clinic.time_zone, shop.time_zone) == ("Asia/Seoul", "Europe/Brussels")
    assert (clinic.locales, shop.locales) == (("ko", "en"), ("en",))
    assert (clinic.children["age"].under, shop.children["age"].under) == (14, 16)
    within = [one.rights["access"].within for one in (clinic, shop)]
    assert [str(one.period) for one in within if one] == ["P10D", "P1M"]


def test_clauses_are_numbered_without_a_gap() -> None:
    policy = read_policy(first_policy(replace(CLINIC, sells=True)).encode(), "draft.yaml")
    numbers = {int(one.removeprefix("P-")) for row in policy.rows() for ids in row.clauses.values() for one in ids}
    assert numbers == {*range(1, max(numbers) + 1)}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (replace(SHOP, law="fr"), "law"),
        (replace(SHOP, policy="My Shop"), "code"),
        (replace(SHOP, items=("E-Mail",)), "code"),
        (replace(SHOP, items=("name", "name")), "items"),
        (replace(SHOP, items=("health",)), "items"),
        (replace(SHOP, items=("parent",)), "items"),
        (replace(SHOP, name=" "), "name"),
        (replace(SHOP, time_zone="Nowhere/Town"), "time-zone"),
    ],
)
def test_an_answer_that_no_document_can_hold_is_refused_by_name(answers: Answers, code: str) -> None:
    with pytest.raises(InputRefused) as refused:
        first_policy(answers)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("answers", "form"),
    [
        (CLINIC, {"name": "Sample Hong", "mobile": "010-0000-0000"}),
        (SHOP, {"name": "Sample Person", "address": "Example Street 1", "shoe-size": "42"}),
    ],
    ids=["clinic", "shop"],
)
def test_a_draft_runs_from_publication_to_destruction(answers: Answers, form: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text(first_policy(answers), "utf-8")
    zone = ZoneInfo(COUNTRIES[answers.law].time_zone)
    clock = upheld.SetClock(datetime(2026, 11, 22, 9, tzinfo=zone))
    keeper = upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True, durable=False))
    keeper.publish(file)
    clock.set(datetime(2026, 12, 1, 9, tzinfo=zone))
    who = keeper.enter(answers.policy, "customer")
    service = EngagementId(keeper.begin(who, "service").made or "")
    assert keeper.collect(who, "service", form, channel="website", engagement=service).granted
    office = keeper.application("office")
    assert keeper.read(who, "service", reader=office, items=("name",)).text("name") == form["name"]
    assert keeper.collect(who, "news", {"email": "sample@example.org"}, channel="website").reasons == (
        "consent-missing",
    )
    keeper.fact(who, "closed", engagement=service)
    clock.set(datetime(2026, 12, 8, 9, tzinfo=zone))
    assert keeper.sweep().destroyed == len(form)
    keeper.close()


@pytest.mark.parametrize("answers", [CLINIC, SHOP], ids=["clinic", "shop"])
def test_a_draft_has_a_notice_in_each_of_its_languages(answers: Answers) -> None:
    policy = read_policy(first_policy(answers).encode(), "draft.yaml")
    assert all(answers.name in notice(policy, locale) for locale in policy.locales)


FLAGS = (
    *("--name", "Example Shop", "--policy", "shop", "--site", "shop.example.org", "--phone", "02-000-0001"),
    *("--service", "your orders", "--item", "name", "--item", "address", "--sells"),
    *("--law", "kr"),
)


def test_the_command_writes_a_file_that_check_passes_on_the_day_it_was_made(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    made = CliRunner().invoke(app, ["new", *FLAGS, "--out", str(file)])
    assert made.exit_code == 0, made.output
    announced = read_policy(file.read_bytes(), "shop.yaml").announced.date
    said = CliRunner().invoke(app, ["check", "--law", f"kr@{announced}", str(file)])
    assert said.exit_code == 0
    assert "(warning)" not in said.stdout
    assert "(error)" not in said.stdout
    before = file.read_bytes()
    assert CliRunner().invoke(app, ["new", *FLAGS, "--out", str(file)]).exit_code != 0
    assert file.read_bytes() == before


def test_without_a_terminal_what_is_left_out_is_named() -> None:
    said = CliRunner().invoke(app, ["new", *FLAGS[2:]])
    assert said.exit_code == 2
    assert "--name" in said.output


def test_nobody_is_under_a_law_that_was_not_named() -> None:
    said = CliRunner().invoke(app, ["new", *FLAGS[:-2]])
    assert said.exit_code == 2
    assert "--law" in said.output
    told = CliRunner().invoke(app, ["new", *FLAGS[:-2], "--time-zone", "Europe/Lisbon"])
    assert told.exit_code == 0, told.output
    assert "gdpr" in told.stdout


def test_on_a_terminal_what_is_left_out_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "Answered Shop"

    monkeypatch.setattr("upheld.cli.documents._on_a_terminal", lambda: True)
    monkeypatch.setattr("typer.prompt", answer)
    said = CliRunner().invoke(app, ["new", *FLAGS[2:], "--today", "2026-11-22"])
    assert said.exit_code == 0, said.output
    assert asked == ["Who publishes the policy"]
    assert 'controller: {clause: P-1, ko: "Answered Shop", en: "Answered Shop"}' in said.stdout


@pytest.mark.slow
@pytest.mark.parametrize("law", [*COUNTRIES])
def test_a_draft_passes_the_gate_once_its_roles_are_given(law: str, tmp_path: Path) -> None:
    file, home, bindings = (str(tmp_path / name) for name in ("shop.yaml", "home", "bindings.yaml"))

    def said(*command: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, [*command])
        return done.exit_code, done.stdout, done.stderr

    assert said("new", *FLAGS, "--law", law, "--newsletter", "--out", file)[0] == 0
    assert said("init", "--home", home)[0] == 0
    status, told, more = said("publish", file, "--home", home, "--dry-run")
    assert status == 1
    assert "it would be refused for 2 reasons" in told
    assert f"upheld prepare {file} --home {home} --with bindings.yaml" in more
    wanted = [line.removeprefix("    ") for line in more.splitlines() if line.startswith("    ")]
    Path(bindings).write_text("\n".join(line for line in wanted if not line.startswith("upheld ")), "utf-8")
    status, told, more = said("prepare", file, "--home", home, "--with", bindings)
    assert (status, told.count("recorded: role")) == (0, 2)
    status, told, more = said("publish", file, "--home", home)
    assert (status, more) == (0, "")
    assert "is on file; in force from" in told


def test_a_draft_is_rehearsed_to_its_end_late_in_the_evening_too(tmp_path: Path) -> None:
    """An end is a midnight: shortly before one, a little more time brings no end nearer."""
    file, home = tmp_path / "shop.yaml", tmp_path / "home"
    assert CliRunner().invoke(app, ["new", *FLAGS, "--newsletter", "--out", str(file)]).exit_code == 0
    source = file.read_bytes()
    init(home)
    clock = upheld.SetClock(datetime(2026, 11, 23, 23, 33, tzinfo=ZoneInfo("Asia/Seoul")))
    keeper = upheld.open(home, upheld.Options(clock=clock, light_hashing=True))
    assert keeper.rehearse(compiled(read_policy(source, "shop.yaml"), source)).failures == []
    keeper.close()
