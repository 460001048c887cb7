"""Made-up lives: the same seed comes out the same, a policy alone steers them, and nothing is left overdue."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from random import Random
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

import upheld
from upheld.dates import Instant
from upheld.demonstration import POLICIES, main
from upheld.engine.acts import Reason, SubjectId
from upheld.engine.compile import compiled
from upheld.engine.state import About, AboutKind, SubjectState
from upheld.keeper import Keeper
from upheld.policy.read import read_policy
from upheld.simulate import Course, Progress, Summary, picture, start_of_clock, told
from upheld.simulate.agenda import Agenda, Move, Person
from upheld.simulate.house import reviews_in
from upheld.simulate.script import Script, script_of
from upheld.simulate.summary import kept_in, verified
from upheld.simulate.tally import Stand
from upheld.store import subjects
from upheld.system import simulated, simulation

ROOT = Path(__file__).parent.parent
SEOUL = ZoneInfo("Asia/Seoul")
NEXR = ROOT / "policies" / "nexr-2017.yaml"
MNS = ROOT / "policies" / "kt-mns-2018.yaml"
SVG = "{http://www.w3.org/2000/svg}"
# What may differ between two runs of one seed: keys, nonces, what they seal, and what is signed or proved with them.
SECRET = {"key_id", "sealed", "digest", "mac", "header", "body", "body_hash", "token", "wrapped"}


def document(name: str) -> Path:
    return ROOT / "policies" / f"{name}.yaml"


def script(path: Path) -> Script:
    source = path.read_bytes()
    return script_of(compiled(read_policy(source, path.name), source))


def end_state(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the active and the separated place, without what is random on purpose."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for place in ("active", "separated"):
        connection = sqlite3.connect(home / f"{place}.db")
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            if table in ("journal", "stream_head", "checkpoint", "meta", "head"):
                continue
            shown = [name for name in columns if name not in SECRET]
            rows = connection.execute(f"SELECT {', '.join(shown)} FROM {table}").fetchall()
            found[f"{place}.{table}"] = sorted(rows, key=repr)
        connection.close()
    return found


def everybody(keeper: Keeper) -> Iterator[SubjectState]:
    with keeper.places.active.reading() as connection:
        for (subject,) in connection.execute("SELECT subject_id FROM subject").fetchall():
            row = subjects.load(connection, SubjectId(subject))
            assert row is not None
            yield row.state


# ── the same seed ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_same_seed_comes_out_the_same_to_the_last_row(tmp_path: Path) -> None:
    course = Course(people=25, years=1, seed=7)
    first = simulated(MNS, tmp_path / "first", course)
    second = simulated(MNS, tmp_path / "second", course)
    assert first == second
    assert first.text() == second.text()
    states = end_state(tmp_path / "first"), end_state(tmp_path / "second")
    assert states[0] == states[1]
    assert len(states[0]["active.value"]) > 50


@pytest.mark.slow
def test_another_seed_is_another_course(tmp_path: Path) -> None:
    first = simulated(NEXR, tmp_path / "first", Course(people=25, years=1, seed=1))
    second = simulated(NEXR, tmp_path / "second", Course(people=25, years=1, seed=2))
    assert first.tally != second.tally


# ── steered by the policy alone ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_can_be_lived_under_and_nothing_is_overdue(name: str, tmp_path: Path) -> None:
    people = 40
    with simulation(document(name), tmp_path / "home", Course(people, years=1, seed=3)) as (keeper, summary):
        tally = summary.tally
        assert tally.persons.total() == people
        assert summary.kept.overdue == 0
        assert summary.verified
        assert summary.problems == ()
        assert tally.destroyed > 0
        assert min(tally.acts[verb] for verb in ("collect", "consent", "begin", "read", "fact")) > 0
        assert tally.refusals.total() > 0
        assert sum(summary.kept.states.values()) >= tally.destroyed
        assert len(keeper.certificates(summary.policy)) > 0


@pytest.mark.slow
def test_a_policy_nobody_ever_simulated_is_lived_under_too(tmp_path: Path) -> None:
    path = ROOT / "tests" / "documents" / "good" / "everything.yaml"
    summary = simulated(path, tmp_path / "home", Course(people=30, years=1, seed=1))
    assert summary.tally.acts["collect"] > 0
    assert summary.kept.overdue == 0
    assert summary.verified


def test_a_policy_without_channels_takes_its_items_by_any_way() -> None:
    roles = script(ROOT / "tests" / "documents" / "good" / "smallest.yaml").roles
    assert [taking.channels for role in roles for taking in role.anywhere] == [(None,)]


@pytest.mark.slow
def test_a_policy_under_which_nobody_gives_anything_is_not_simulated(tmp_path: Path) -> None:
    text = (ROOT / "tests" / "documents" / "good" / "smallest.yaml").read_text(encoding="utf-8")
    path = tmp_path / "nothing.yaml"
    path.write_text(text.replace("until: unsubscribed}", "until: unsubscribed, blocked: nobody runs it}"))
    with pytest.raises(upheld.InputRefused, match="nobody-comes"):
        simulated(path, tmp_path / "home", Course(people=3, years=1, seed=1))


def test_the_script_offers_only_declared_ways_and_items() -> None:
    for name in POLICIES:
        source = document(name).read_bytes()
        plan = compiled(read_policy(source, name), source)
        for role in script_of(plan).roles:
            for taking in (*role.anywhere, *(one for stay in role.stays for one in stay.takings)):
                assert set(taking.items) <= plan.purposes[taking.purpose].items
                assert not [item for item in taking.items if plan.items[item].never_collected]
                assert set(taking.channels) <= {None, "cookie", "app", "tool", "party", *plan.channels}


def test_a_payment_is_made_for_the_fee_that_it_closes() -> None:
    stays = {stay.kind: stay for role in script(document("bizmeka-ez-2018")).roles for stay in role.stays}
    assert stays["membership"].owed == (("fee-charged", "fees-paid"),)
    assert "cancelled" in stays["membership"].ends_by
    assert "supplied" in stays["membership"].happens


def test_whoever_is_to_be_inspected_is_inspected() -> None:
    policy = read_policy(document("kt-mns-2018").read_bytes(), "kt-mns-2018.yaml")
    reviews = reviews_in(policy)
    assert "entrustments.ktds" in reviews
    assert "entrustments.shops" not in reviews
    assert "handlers.marketing" in reviews


# ── children, and contents that nobody could take for real ──────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.clauses("MS18-9.1", "MS18-9.2-1", "MS18-9.2.a-1", "MS18-9.3-0")
def test_of_a_child_nothing_is_taken_but_the_contact_until_the_representative_agrees(tmp_path: Path) -> None:
    with simulation(MNS, tmp_path / "home", Course(people=220, years=1, seed=5)) as (keeper, summary):
        contact = keeper.versions("kt-mns")[-1].children.contact_items
        matter = About(AboutKind.REPRESENTATIVE, "collection")
        children = [state for state in everybody(keeper) if state.minor_until is not None]
        agreed = {state.subject_id for state in children if any(one.about == matter for one in state.consents)}
        assert 0 < len(agreed) < len(children)
        for state in children:
            given_at = min((one.at for one in state.consents if one.about == matter), default=None)
            for value in state.values:
                assert value.item in contact or (given_at is not None and value.collected_at >= given_at)
        assert summary.tally.refusals["collect", Reason.CHILD_WITHOUT_REPRESENTATIVE] > 0


@pytest.mark.slow
def test_every_content_says_that_it_is_made_up(tmp_path: Path) -> None:
    seen = 0
    with simulation(NEXR, tmp_path / "home", Course(people=12, years=1, seed=1)) as (keeper, _):
        reader = keeper.application("test")
        for state in everybody(keeper):
            shown = keeper.show(state.subject_id, reader=reader, identity_proved=True)
            for text in shown.texts.values():
                seen += 1
                assert text.startswith("made-up ") or text.endswith("@example.org")
    assert seen > 10


# ── what the numbers are worth ──────────────────────────────────────────────────────────────────────────────────────


def test_what_was_not_swept_is_counted_as_overdue(tmp_path: Path) -> None:
    clock = upheld.SetClock(datetime(2017, 9, 5, 9, tzinfo=SEOUL))
    with upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as keeper:
        keeper.publish(NEXR)
        clock.set(datetime(2017, 10, 2, 9, tzinfo=SEOUL))
        subject = keeper.enter("nexr", "user")
        keeper.consent(subject, "purpose/marketing", channel="website")
        keeper.collect(subject, "marketing", {"name": "Made Up", "email": "nobody@example.org"}, channel="website")
        assert kept_in(keeper, "nexr").grounds == {("purpose", "purposes.optional.marketing"): 2}
        clock.set(datetime(2018, 4, 30, 9, tzinfo=SEOUL))
        assert kept_in(keeper, "nexr").overdue == 2
        keeper.sweep()
        after = kept_in(keeper, "nexr")
        assert (after.overdue, after.states) == (0, {"destroyed": 2})


@pytest.mark.slow
def test_a_ledger_that_was_touched_is_not_verified(tmp_path: Path) -> None:
    with simulation(NEXR, tmp_path / "home", Course(people=5, years=1, seed=1)) as (keeper, summary):
        assert summary.verified
        with sqlite3.connect(tmp_path / "home" / "ledger.db") as connection:
            connection.execute("UPDATE body SET body = zeroblob(length(body)) WHERE leaf = 3")
        assert verified(keeper).problems != ()


@pytest.mark.slow
def test_the_clock_of_a_simulation_ends_on_the_night_after_its_last_day(tmp_path: Path) -> None:
    with simulation(NEXR, tmp_path / "home", Course(people=3, years=1, seed=1)) as (keeper, summary):
        end = datetime.combine(summary.last, datetime.min.time(), SEOUL)
        assert 86_400 < (keeper.now() - int(end.timestamp() * 1_000_000)) / 1_000_000 < 90_000
        assert summary.stands[-1].day == summary.last


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(upheld.HomeUnusable, match="not empty"):
        simulated(NEXR, tmp_path, Course(people=1, years=1, seed=1))
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_the_clock_starts_before_the_policy_takes_effect() -> None:
    plan = compiled(read_policy(NEXR.read_bytes(), NEXR.name))
    assert start_of_clock(plan) < plan.effective_at < start_of_clock(plan) + 4 * 86_400_000_000


# ── the agenda ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_agenda_gives_back_each_day_in_the_order_of_persons_and_of_writing() -> None:
    agenda = Agenda()
    for number in (2, 1):
        agenda.keep(Person(number, SubjectId(f"s{number}"), "user", False, {}, {}, []))
    agenda.add(10, 2, Move("leave"))
    agenda.add(10, 1, Move("read", "b"))
    agenda.add(10, 1, Move("fact", "a", number=3))
    agenda.add(11, 1, Move("read", "later"))
    found = [(person.number, [(move.name, move.about) for move in moves]) for person, moves in agenda.of(10)]
    assert found == [(1, [("read", "b"), ("fact", "a")]), (2, [("leave", "")])]
    assert list(agenda.of(10)) == []
    assert len(list(agenda.of(11))) == 1
    agenda.close()


# ── picture and progress ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    home = tmp_path_factory.mktemp("simulated") / "home"
    made = simulated(NEXR, home, Course(people=20, years=1, seed=1))
    assert (home / "picture.svg").read_text(encoding="utf-8") == picture(made)
    assert (home / "summary.txt").read_text(encoding="utf-8") == made.text()
    return made


@pytest.mark.slow
def test_the_picture_says_what_it_shows(summary: Summary) -> None:
    root = ElementTree.fromstring(picture(summary))
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]
    end = summary.stands[-1]
    assert f"{end.held:,} held" in texts
    assert f"{end.destroyed:,} destroyed" in texts
    assert "2018" in texts
    assert any("kept apart" in text for text in texts)
    assert root.find(f"{SVG}title") is not None
    assert root.find(f"{SVG}desc") is not None


@pytest.mark.slow
def test_the_picture_stays_inside_its_page_whatever_the_numbers(summary: Summary) -> None:
    chance = Random(1)
    for most in (0, 1, 7, 99, 12_345, 9_999_999):
        stands = [
            Stand(stand.day, chance.randint(0, most), chance.randint(0, most), most) for stand in summary.tally.stands
        ]
        tally = type(summary.tally)(stands=stands)
        drawn = ElementTree.fromstring(picture(Summary(**{**vars(summary), "tally": tally})))
        for path in drawn.iter(f"{SVG}path"):
            numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
            assert len(numbers) >= 4
            assert all(0 <= number <= 1000 for number in numbers)


@pytest.mark.slow
def test_the_summary_is_read_without_a_manual(summary: Summary) -> None:
    text = summary.text()
    assert "20 people, 2017-09-08 to 2018-09-07 (1 years), seed 1" in text
    assert "overdue                       0\n" in text
    assert "the ledger             verified" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_off_a_terminal_each_year_is_one_plain_line() -> None:
    written = StringIO()
    day = datetime(2018, 1, 1, tzinfo=SEOUL).date()
    with told(Console(file=written, force_terminal=False, width=100)) as tell:
        for done in (*range(1, 731, 10), 731):
            tell("nexr-2017", Progress("nexr", day, done, 731, done, 2 * done))
    lines = written.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[-1].split() == ["nexr-2017", "2018-01-01", "731", "people", "1,462", "values", "held"]
    assert "\x1b" not in written.getvalue()


def test_on_a_terminal_there_is_a_bar() -> None:
    written = StringIO()
    day = datetime(2018, 1, 1, tzinfo=SEOUL).date()
    with told(Console(file=written, force_terminal=True, width=100)) as tell:
        tell("nexr-2017", Progress("nexr", day, 10, 100, 1, 2))
    assert "10/100" in written.getvalue()


# ── the demonstration ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_demonstration_runs_all_five_and_prints_the_clause_reports_in_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "run"
    asked = ["--people", "6", "--years", "1", "--home", str(home), "--policies", str(ROOT / "policies")]
    assert main(asked) == 0
    printed = capsys.readouterr().out
    for name in POLICIES:
        assert (home / name / "picture.svg").exists()
        assert (home / name / "report.json").exists()
        assert name in printed
    assert "upheld audit" in printed
    assert "not upheld" in printed


@pytest.mark.slow
def test_the_demonstration_removes_nothing_that_is_not_a_home(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    precious = tmp_path / "run" / POLICIES[0] / "precious.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    asked = ["--people", "2", "--years", "1", "--home", str(tmp_path / "run"), "--policies", str(ROOT / "policies")]
    assert main(asked) == 1
    assert "stopped" in capsys.readouterr().out
    assert precious.read_text() == "mine"


@pytest.mark.deep
def test_a_demonstration_made_again_starts_from_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--people", "2", "--years", "1", "--home", str(tmp_path / "run"), "--policies", str(ROOT / "policies")]
    assert (main(asked), main(asked)) == (0, 0)
    assert capsys.readouterr().out.count("All five in") == 2


def test_the_demonstration_says_where_it_wants_to_be_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--policies", str(tmp_path), "--home", str(tmp_path / "run")]) == 1
    assert "--policies" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_instants_of_a_course_are_local_to_the_policy() -> None:
    plan = compiled(read_policy(NEXR.read_bytes(), NEXR.name))
    assert (Instant(start_of_clock(plan)) + 9 * 3_600_000_000) % 86_400_000_000 == 9 * 3_600_000_000
