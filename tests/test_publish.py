"""Publishing through the gate: every reason at once, over named gaps, in the past, announced and then in force."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

import upheld
from tests.homes import column, copied, put_back
from tests.test_crash import crashes_of
from tests.trial_home import POLICY, SEOUL, at, furnished, opened
from upheld import cli
from upheld.clock import SystemClock
from upheld.dates import FOREVER, Instant, instant, local_date, start_of
from upheld.desk import publications
from upheld.engine.acts import SubjectId
from upheld.engine.compile import compiled
from upheld.engine.plan import Plan
from upheld.errors import InputRefused, PolicyRefused
from upheld.keeper import Keeper, rehearsing
from upheld.keeper.binding import PublicationRefused
from upheld.keeper.clearing import is_rehearsal
from upheld.keeper.rehearsing import chains_of
from upheld.law import law_on
from upheld.law.stricter import By
from upheld.ledger.report import State
from upheld.policy.findings import findings_against, findings_in
from upheld.policy.findings.recorded import as_record, beside
from upheld.policy.notice import notice
from upheld.policy.read import read_policy
from upheld.store import history

POLICIES = Path(__file__).resolve().parent.parent / "policies"
NOW = at("2024-01-08")
FIVE = ("bizmeka-ez-2016", "bizmeka-ez-2018", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")
HOUSE = """
parties:
  mall: {clause: T-1, en: Mall Ltd., ko: 몰}
  mailer: {clause: T-1, en: Mailer Ltd., ko: 우편}
entrustments:
  mailer: {clause: T-10, for: service, items: [name, email], en: posting, ko: 발송, contract: signed,
           at-end: return-or-destroy,
           terms: {purpose-limits: {clause: T-10, en: bound, ko: 목적 제한}}}
handlers:
  desk: {clause: T-11, for: service, duties: requests, en: desk, ko: 창구}
contacts:
  officer: {clause: T-12, en: privacy officer, ko: 개인정보 보호책임자, phone: 02-000-0000}
safeguards:
  plan: {clause: T-13, evidence: plan-record, due: P1Y, owner: officer, en: plan, ko: 내부관리계획}
  locked: {clause: T-14, evidence: lock-record, due: P1Y, owner: officer, blocks: publication, en: locks, ko: 잠금}
changes:
  any: {clause: T-15, ahead: P10D}
"""


def dated(text: str, announced: str, effective: str) -> str:
    return text.replace("2020-01-01", announced).replace("2020-02-01", effective)


def with_house(text: str) -> str:
    return text.replace("parties: {mall: {clause: T-1, en: Mall Ltd., ko: 몰}}\n", "") + HOUSE


FIRST = dated(with_house(POLICY), "2024-01-08", "2024-01-15")


def written(folder: Path, text: str, *, settled: bool = True, day: date = NOW.date()) -> Path:
    """A document in a folder; with what its officer has settled on beside it."""
    file = folder / f"policy-{hashlib.sha256(text.encode()).hexdigest()[:8]}.yaml"
    file.write_text(text, encoding="utf-8")
    if settled:
        policy = read_policy(text.encode(), str(file))
        law = law_on("kr", day)
        sections = {"itself": findings_in(policy), law.name: findings_against(policy, law)}
        beside(file).write_text(as_record(sections), encoding="utf-8")
    return file


@pytest.fixture
def clock() -> upheld.SetClock:
    return upheld.SetClock(NOW)


@pytest.fixture
def keeper(tmp_path: Path, clock: upheld.SetClock) -> Keeper:
    options = upheld.Options(clock=clock, light_hashing=True, trial=False, durable=False)
    return upheld.open(tmp_path / "home", options)


def bound(keeper: Keeper, document: Path) -> None:
    """All that the document asks of the house is on record."""
    keeper.prepare(document)
    keeper.contract("trial", "mailer", terms=frozenset({"purpose-limits"}))
    keeper.grant("trial", "desk")
    keeper.file_evidence("trial", "locked", "lock-record")


def refused_by(act: Callable[[], object]) -> dict[str, str]:
    """Element and code of every reason."""
    with pytest.raises(PublicationRefused) as caught:
        act()
    return {one.element: one.code for one in caught.value.obstacles}


def entries(keeper: Keeper, kind: str) -> list[history.Recorded]:
    keeper.seal()
    return list(history.entries(keeper.places.sealer.connection, kinds=(kind,)))


def plan_of(text: str) -> Plan:
    return compiled(read_policy(text.encode(), "trial"), text.encode())


# ── the gate ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_published_that_cannot_be_kept_and_every_reason_is_told_at_once(
    keeper: Keeper, tmp_path: Path
) -> None:
    late = FIRST.replace("date: 2024-01-15", "date: 2024-01-05").replace("date: 2024-01-08", "date: 2024-01-05")
    document = written(tmp_path, late, settled=False)
    with pytest.raises(PublicationRefused) as caught:
        keeper.publish(document)
    found = caught.value.obstacles
    assert {one.code for one in found} == {
        "effective-in-the-past", "finding-unaccepted", "law-finding-unaccepted", "contract-missing", "role-unfilled",
        "evidence-missing",
    }  # fmt: skip
    assert all(one.remedy and one.why for one in found)
    assert all(one.clauses for one in found)
    assert all(str(one) in str(caught.value) for one in found)
    with pytest.raises(InputRefused, match="no policy `trial`"):
        keeper.versions("trial")


def test_a_refusal_leaves_codes_and_places_and_no_content(keeper: Keeper, tmp_path: Path) -> None:
    refused_by(lambda: keeper.publish(written(tmp_path, FIRST)))
    recorded = entries(keeper, "publication.refused")[-1].entry
    assert set(recorded.fields) == {"version", "digest", "reasons"}
    assert recorded.fields["reasons"] == ("contract-missing", "evidence-missing", "role-unfilled")
    assert set(recorded.elements) == {"entrustments.mailer", "handlers.desk", "safeguards.locked"}
    for table in ("policy_version", "notice_copy", "publication_finding", "subject", "value", "rehearsal"):
        assert column(tmp_path / "home" / "active.db", f"SELECT count(*) FROM {table}") == [0]


def test_a_document_with_an_error_never_reaches_the_gate(keeper: Keeper) -> None:
    with pytest.raises(PolicyRefused):
        keeper.publish(FIRST.replace("items: [name, email], basis", "items: [nobody], basis").encode())
    assert entries(keeper, "rehearsal.ran") == []


def test_what_is_bound_rehearsed_and_settled_is_published(keeper: Keeper, tmp_path: Path) -> None:
    document = written(tmp_path, FIRST)
    bound(keeper, document)
    done = keeper.publish(document)
    assert (done.gaps, done.findings) == ((), ())
    assert done.rehearsed is not None
    assert done.rehearsed.rules == len(chains_of(plan_of(FIRST))) == done.rehearsed.certificates
    assert entries(keeper, "policy.published")[-1].entry.fields["gate"] == "passed"


def test_a_finding_settled_on_beside_the_document_stops_nothing(keeper: Keeper, tmp_path: Path) -> None:
    document = written(tmp_path, FIRST, settled=False)
    bound(keeper, document)
    before = refused_by(lambda: keeper.publish(document))
    assert set(before.values()) == {"finding-unaccepted", "law-finding-unaccepted"}
    written(tmp_path, FIRST)
    assert keeper.publish(document).findings == ()


@pytest.mark.parametrize(
    ("unbinding", "element", "code"),
    [
        (lambda k: k.contract("trial", "mailer"), "entrustments.mailer", "contract-terms-missing"),
        (
            lambda k: k.contract("trial", "mailer", terms=frozenset({"purpose-limits"}), until=at("2024-01-10")),
            "entrustments.mailer",
            "contract-missing",
        ),
    ],
)
def test_a_contract_without_its_terms_or_over_before_the_day_binds_nobody(
    keeper: Keeper, tmp_path: Path, unbinding: Callable[[Keeper], object], element: str, code: str
) -> None:
    document = written(tmp_path, FIRST)
    keeper.prepare(document)
    unbinding(keeper)
    keeper.grant("trial", "desk")
    keeper.file_evidence("trial", "locked", "lock-record")
    assert refused_by(lambda: keeper.publish(document)) == {element: code}


def test_a_draft_decides_nothing(keeper: Keeper, tmp_path: Path) -> None:
    bound(keeper, written(tmp_path, FIRST))
    with pytest.raises(InputRefused, match="no policy `trial`"):
        keeper.enter("trial", "member")
    assert keeper.sweep().counts()["looked-at"] == 0


# ── over gaps ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_over_named_gaps_only_by_somebody_with_a_reason(keeper: Keeper, tmp_path: Path) -> None:
    document = written(tmp_path, FIRST)
    gaps = ("entrustments.mailer", "handlers.desk", "safeguards.locked")
    with pytest.raises(InputRefused, match="officer-unnamed"):
        keeper.publish(document, gaps=gaps)
    left = refused_by(
        lambda: keeper.publish(document, gaps=gaps[:2], officer="privacy-officer", reason="contract-late")
    )
    assert left == {"safeguards.locked": "evidence-missing"}
    done = keeper.publish(document, gaps=gaps, officer="privacy-officer", reason="contract-late")
    assert done.gaps == gaps
    recorded = entries(keeper, "policy.published")[-1].entry.fields
    assert (recorded["gate"], recorded["by"], recorded["reason"]) == ("over-gaps", "privacy-officer", "contract-late")


def test_what_was_published_over_is_not_upheld_from_that_minute(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    document = written(tmp_path, FIRST)
    gaps = ("entrustments.mailer", "handlers.desk", "safeguards.locked")
    keeper.publish(document, gaps=gaps, officer="privacy-officer", reason="contract-late")
    published = clock.now()
    clock.set(at("2024-01-20"))
    report = keeper.audit("trial")
    for clause, element in (("T-10", gaps[0]), ("T-11", gaps[1]), ("T-14", gaps[2])):
        found = report.clause(clause)
        assert (found.state, found.since) == (State.NOT_UPHELD, published)
        assert f"published-over:{element}" in found.what
    assert report.clause("T-10").published_over
    assert not report.clause("T-9").published_over


def test_a_day_too_early_cannot_be_published_over(keeper: Keeper, tmp_path: Path) -> None:
    published(keeper, tmp_path)
    later = written(tmp_path, dated(with_house(GROWN), "2024-01-16", "2024-01-20"))
    with pytest.raises(PublicationRefused) as caught:
        keeper.publish(later, gaps=("effective",), officer="privacy-officer", reason="in-a-hurry")
    assert [(one.code, one.gap) for one in caught.value.obstacles] == [("announced-too-late", False)]


# ── the rehearsal ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", FIVE)
def test_every_rule_of_the_five_is_lived_through_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    source = (POLICIES / f"{name}.yaml").read_bytes()
    plan = compiled(read_policy(source, name), source)
    options = upheld.Options(clock=upheld.SetClock(NOW), light_hashing=True, durable=False)
    with upheld.open(tmp_path / "home", options) as keeper:
        done = keeper.rehearse(plan)
        assert done.failures == []
        assert done.rules == done.certificates == len(chains_of(plan)) > 0
        assert done.collected == done.destroyed > 0
        assert done.separated > 0 or not plan.kept
        keeper.seal()
    assert traces(tmp_path / "home") == []


def traces(home: Path) -> list[str]:
    """Whatever rows there are of persons, in any table of any place; and every mark of a rehearsal."""
    found: list[str] = []
    for place in ("active", "separated", "keys"):
        with closing(sqlite3.connect(home / f"{place}.db")) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
                if columns & {"subject_id", "code"} or table == "shown_text":
                    count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                    found += [f"{place}.{table}: {count}"] if count else []
    return found


def test_a_rehearsal_is_in_no_register_figure_or_report(tmp_path: Path) -> None:
    furnished(tmp_path / "home")
    with opened(tmp_path / "home") as house:
        keeper = house.keeper
        text = house.keeper.document("trial")
        before = (keeper.audit("trial").counts(), keeper.certificates("trial"), keeper.open_steps())
        keeper.rehearse(keeper.versions("trial")[-1])
        after = (keeper.audit("trial").counts(), keeper.certificates("trial"), keeper.open_steps())
        assert before == after
        assert keeper.document("trial") == text
        about = [
            one.entry for one in history.entries(keeper.places.sealer.connection) if is_rehearsal(one.entry.policy)
        ]
        assert {"subject.entered", "value.collected", "value.separated", "certificate.issued"} <= {
            one.kind for one in about
        }
        own = entries(keeper, "rehearsal.ran")[-1].entry
        assert (own.policy, own.fields["counts"]["rules"]) == ("trial", 3)  # type: ignore[index,call-overload]  # an entry's table


def test_a_rehearsal_moves_no_clock_and_wakes_no_real_person(tmp_path: Path) -> None:
    furnished(tmp_path / "home")
    with opened(tmp_path / "home") as house:
        now = house.clock.now()
        values = {person: house.keeper.holdings(person) for person in house.persons.values() if person}
        house.keeper.rehearse(house.keeper.versions("trial")[-1])
        assert house.clock.now() == now
        assert {person: house.keeper.holdings(person) for person in values} == values


def test_a_rule_that_never_ends_fails_its_rehearsal(keeper: Keeper, tmp_path: Path) -> None:
    plan = plan_of(FIRST)
    endless = replace(plan.purposes["service"], until=None, per=frozenset())
    done = keeper.rehearse(replace(plan, purposes={**plan.purposes, "service": endless}))
    assert [(one.element, one.stage) for one in done.failures] == [("purposes.required.service", "destroy")]
    assert done.rules > done.certificates > 0


def test_a_store_that_keeps_what_it_should_destroy_fails_the_rehearsal(
    keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key store says that it deleted a key and did not."""
    document = written(tmp_path, FIRST)
    bound(keeper, document)
    said = staticmethod(lambda _, keys: {value for *_, value in keys})
    monkeypatch.setattr(type(keeper.places.vault), "destroy", said)
    found = refused_by(lambda: keeper.publish(document))
    assert found == {"purposes.required.service": "rehearsal-failed", "purposes.optional.offers": "rehearsal-failed",
                     "retention.disputes": "rehearsal-failed"}  # fmt: skip


def test_a_copy_that_reads_back_wrong_fails_the_rehearsal(
    keeper: Keeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(stage: rehearsing._Stage, life: rehearsing._Life) -> None:
        life.contents = dict.fromkeys(life.contents, b"something else")
        read_back(stage, life)

    read_back = rehearsing._Stage.read_back
    monkeypatch.setattr(rehearsing._Stage, "read_back", other)
    assert {one.stage for one in keeper.rehearse(plan_of(FIRST)).failures} == {"read"}


@pytest.mark.slow
@pytest.mark.parametrize("part", [0, 1])
def test_a_rehearsal_killed_at_any_statement_leaves_nothing(tmp_path: Path, part: int) -> None:
    """Two parts of every sixteenth statement here; every one in `make deep`."""
    found = crashes_of("rehearse", tmp_path, 8 * part, 16)
    assert found["failures"] == []
    assert set(found["places"]) == {"active", "separated", "keys", "ledger"}
    assert found["crashes"] > 30


@pytest.mark.deep
def test_a_rehearsal_killed_at_every_statement_leaves_nothing(tmp_path: Path) -> None:
    assert crashes_of("rehearse", tmp_path)["failures"] == []


def test_an_old_copy_from_the_middle_of_a_rehearsal_comes_back_without_it(tmp_path: Path) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept"
    furnished(home)
    with opened(home) as house:
        keeper = house.keeper
        go_on = keeper._go_on_with

        def copied_first(*given: object) -> None:
            if not kept.exists():
                keeper.seal()
                copied(home, kept)
            go_on(*given)  # type: ignore[arg-type]  # wrapped as it is

        keeper._go_on_with = copied_first  # type: ignore[method-assign,assignment]  # planted
        keeper.rehearse(keeper.versions("trial")[-1])
        keeper.seal()
        persons = (
            len(house.persons) or keeper.places.active.connection.execute("SELECT count(*) FROM subject").fetchone()
        )
    put_back(home, kept, "active", "separated", "keys")
    with opened(home) as house:
        assert house.keeper.recover().places
        left = house.keeper.places.active.connection.execute("SELECT count(*) FROM subject").fetchone()
        assert left == persons
        assert house.keeper.rehearsals_left() == []
        aliases = house.keeper.places.keys.connection.execute("SELECT count(*) FROM alias").fetchone()
        assert aliases == left


# ── the past ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_five_are_put_on_file_as_they_were(tmp_path: Path) -> None:
    options = upheld.Options(clock=upheld.SetClock(at("2026-11-22")), light_hashing=True, trial=False, durable=False)
    with upheld.open(tmp_path / "home", options) as keeper:
        for name in FIVE:
            document = POLICIES / f"{name}.yaml"
            policy = read_policy(document.read_bytes(), name)
            assert "effective-in-the-past" in refused_by(partial(keeper.publish, document)).values()
            with pytest.raises(InputRefused, match="effective-in-the-past"):
                keeper.publish(document, as_of=policy.effective.date)
            done = keeper.publish(document, as_of=policy.effective.date, evidence="scan")
            assert done.findings
            assert set(done.gaps) == {row.path for row in policy.rows() if row.blocked}
        first, second = keeper.on_record("bizmeka-ez")
        assert (first.version, second.version) == ("2016-08-31", "2018-07-09")
        assert (first.gate, first.in_force, second.in_force) == ("as-of", False, True)
        assert ("announced-too-late", "effective") in second.findings
        assert ("announced-too-late", "effective") not in first.findings
        on_file = {one.entry.fields["finding"] for one in entries(keeper, "publication.finding")}
        assert {"contract-missing", "role-unfilled", "announced-too-late"} <= on_file


def test_a_version_older_than_any_table_of_law_goes_on_file_all_the_same(keeper: Keeper, tmp_path: Path) -> None:
    old = written(tmp_path, dated(with_house(POLICY), "1999-01-01", "1999-02-01"))
    done = keeper.publish(old, as_of=date(1999, 2, 1), evidence="scan")
    assert "law-finding-unaccepted" not in {one.code for one in done.findings}
    assert done.announced is not None
    assert done.announced.by is None


def test_a_day_to_come_is_no_past(keeper: Keeper, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="as-of-to-come"):
        keeper.publish(written(tmp_path, FIRST), as_of=date(2024, 1, 15), evidence="scan")


# ── announced, then in force ────────────────────────────────────────────────────────────────────────────────────────

GROWN = POLICY.replace("items: phone}", "items: [phone, email]}").replace(
    "until: closed + P6M, en: disputes", "until: closed + P1M, en: disputes"
)


def published(keeper: Keeper, tmp_path: Path) -> None:
    document = written(tmp_path, FIRST)
    bound(keeper, document)
    keeper.publish(document)


def test_a_version_is_in_force_from_the_midnight_of_its_own_zone(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    published(keeper, tmp_path)
    midnight = datetime(2024, 1, 15, tzinfo=SEOUL)
    clock.set(Instant(instant(midnight) - 1))
    person = keeper.enter("trial", "member")
    keeper.begin(person, "membership")
    early = keeper.collect(person, "service", {"name": "Person Made-Up"})
    assert [reason.value for reason in early.reasons] == ["not-in-force"]
    clock.set(midnight)
    assert keeper.collect(person, "service", {"name": "Person Made-Up"}).granted
    assert midnight.utcoffset() is not None
    assert midnight.hour == 0


def test_the_version_before_decides_how_far_ahead_people_are_told(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    published(keeper, tmp_path)
    clock.set(at("2024-03-01"))
    text = dated(with_house(GROWN), "2024-03-01", "2024-03-10")
    early = keeper.publish(written(tmp_path, text), dry_run=True)
    assert [one.code for one in early.findings] == ["announced-too-late"]
    assert early.announced is not None
    assert (early.announced.by, str(early.announced.ahead)) == (By.PROMISE, "P10D")
    assert early.announced.earliest == date(2024, 3, 11)
    done = keeper.publish(written(tmp_path, dated(with_house(GROWN), "2024-03-01", "2024-03-11")))
    assert done.version == "2024-03-11"


def test_where_the_law_asks_for_more_the_law_decides(keeper: Keeper, clock: upheld.SetClock, tmp_path: Path) -> None:
    document = written(tmp_path, FIRST.replace("ahead: P10D", "ahead: P2D"))
    bound(keeper, document)
    keeper.publish(document)
    clock.set(at("2024-03-01"))
    found = keeper.publish(written(tmp_path, dated(with_house(GROWN), "2024-03-01", "2024-03-04")), dry_run=True)
    assert found.announced is not None
    assert (found.announced.by, found.announced.earliest) == (By.LAW, date(2024, 3, 8))
    assert found.announced.rule == "Policy Guideline"


def test_an_announcement_counts_from_the_day_on_which_it_is_on_file(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    """A document that says it was announced last month was not, if it comes today."""
    published(keeper, tmp_path)
    clock.set(at("2024-03-01"))
    found = keeper.publish(written(tmp_path, dated(with_house(GROWN), "2024-02-01", "2024-03-05")), dry_run=True)
    assert [one.code for one in found.findings] == ["announced-too-late"]


def test_a_change_that_demands_nothing_needs_no_time_ahead(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    published(keeper, tmp_path)
    clock.set(at("2024-03-01"))
    reworded = dated(with_house(POLICY), "2024-03-01", "2024-03-02").replace("en: offers", "en: our offers")
    assert keeper.publish(written(tmp_path, reworded)).version == "2024-03-02"


# ── what is kept of it ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_notice_of_each_version_is_kept_to_the_byte_under_a_recorded_digest(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    published(keeper, tmp_path)
    policy = read_policy(FIRST.encode(), "trial")
    for locale in ("en", "ko"):
        kept = keeper.published_notice("trial", "2024-01-15", locale)
        assert kept.decode() == notice(policy, locale)
        digests = [one.entry.fields for one in entries(keeper, "notice.kept")]
        assert hashlib.sha256(kept).digest() in [
            one["digest"] for one in digests if (one["locale"], one["form"]) == (locale, "html")
        ]
    (version,) = keeper.on_record("trial")
    assert {(locale, form) for locale, form, _ in version.notices} == {("en", "html"), ("ko", "html"), ("en", "dpv")}
    with pytest.raises(InputRefused, match="notice-unknown"):
        keeper.published_notice("trial", "2024-01-15", "fr")


def test_the_notice_of_a_refused_version_is_not_held_back(keeper: Keeper, tmp_path: Path) -> None:
    with pytest.raises(PublicationRefused) as caught:
        keeper.publish(written(tmp_path, FIRST))
    assert {"02-000-0000" in page for page in caught.value.notices.values()} == {True}
    assert set(caught.value.notices) == {"en", "ko"}


def test_a_dry_run_tells_all_and_puts_nothing_on_file(keeper: Keeper, tmp_path: Path) -> None:
    told = keeper.publish(written(tmp_path, FIRST), dry_run=True)
    assert told.dry
    assert {one.code for one in told.findings} == {"contract-missing", "role-unfilled", "evidence-missing"}
    assert told.rehearsed is not None
    with pytest.raises(InputRefused, match="no policy `trial`"):
        keeper.versions("trial")


# ── the first night ─────────────────────────────────────────────────────────────────────────────────────────────────


def lived(keeper: Keeper, clock: upheld.SetClock, tmp_path: Path) -> dict[str, SubjectId]:
    """Two who left in February and March, one who stays; offers agreed to by two."""
    published(keeper, tmp_path)
    clock.set(at("2024-01-20"))
    persons: dict[str, SubjectId] = {}
    for who in ("left-early", "left-late", "stays"):
        person = persons[who] = keeper.enter("trial", "member")
        keeper.begin(person, "membership")
        assert keeper.collect(person, "service", {"name": who, "email": f"{who}@example.org"}).granted
        if who != "left-early":
            keeper.consent(person, "purpose/offers", channel="website")
            assert keeper.collect(person, "offers", {"phone": "010-0000-0000"}).granted
    for who, day in (("left-early", "2024-02-01"), ("left-late", "2024-03-01")):
        clock.set(at(day))
        keeper.fact(persons[who], "closed")
        clock.set(at(day.replace("-01", "-03", 2).replace("-03-03", "-03-04") if who == "left-late" else "2024-02-03"))
        keeper.sweep()
    return persons


def nightly(keeper: Keeper, clock: upheld.SetClock, until: date) -> None:
    day = local_date(clock.now(), SEOUL)
    while day < until:
        day = date.fromordinal(day.toordinal() + 1)
        clock.set(Instant(start_of(day, SEOUL) + 300_000_000))
        if day < until:
            keeper.sweep()


def test_publishing_tells_what_the_first_night_then_does(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    lived(keeper, clock, tmp_path)
    clock.set(at("2024-03-20"))
    shorter = dated(with_house(GROWN), "2024-03-20", "2024-03-31")
    told = keeper.publish(written(tmp_path, shorter), dry_run=True).first_night
    done = keeper.publish(written(tmp_path, shorter)).first_night
    assert told == done
    assert done is not None
    assert (done.destroy, done.separate, done.persons) == (2, 0, 1)
    assert dict(done.by_rule) == {"retention.disputes": 2}
    assert done.looked_at < 3
    nightly(keeper, clock, date(2024, 3, 31))
    swept = keeper.sweep()
    assert (swept.destroyed, swept.separated) == (done.destroy, done.separate)
    assert keeper.sweep().destroyed == 0


def test_a_purpose_that_is_dropped_is_counted_and_swept_the_first_night(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    lived(keeper, clock, tmp_path)
    clock.set(at("2024-03-20"))
    without = (
        dated(with_house(POLICY), "2024-03-20", "2024-03-31")
        .replace("  optional:\n    offers: {en: offers, ko: 안내, items: phone}\n", "")
        .replace("  phone: {en: phone, ko: 전화}\n", "")
    )
    night = keeper.publish(written(tmp_path, without)).first_night
    assert night is not None
    assert (night.destroy, dict(night.by_rule)) == (1, {"purposes.optional.offers": 1})
    assert night.looked_at == 2 - 1  # who holds a telephone number still, and nobody else
    nightly(keeper, clock, date(2024, 3, 31))
    assert keeper.sweep().destroyed == 1


def test_a_version_that_only_tells_more_looks_at_nobody(keeper: Keeper, clock: upheld.SetClock, tmp_path: Path) -> None:
    lived(keeper, clock, tmp_path)
    clock.set(at("2024-03-20"))
    night = keeper.publish(
        written(tmp_path, dated(with_house(POLICY), "2024-03-20", "2024-03-31").replace("02-000-0000", "02-000-0001"))
    ).first_night
    assert night is not None
    assert (night.values, night.looked_at) == (0, 0)


# ── asking anew ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_who_agreed_to_less_is_asked_anew_and_sees_what_grew(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    persons = lived(keeper, clock, tmp_path)
    assert keeper.reconsent("trial") == []
    clock.set(at("2024-03-20"))
    keeper.publish(written(tmp_path, dated(with_house(GROWN), "2024-03-20", "2024-03-31")))
    asked = {one.subject_id: one for one in keeper.reconsent("trial")}
    assert persons["left-early"] not in asked
    one = asked[persons["stays"]]
    assert (one.about, one.agreed, one.version) == ("purpose/offers", "2024-01-15", "2024-03-31")
    for locale, words in (("en", ("e-mail", "2024-01-15")), ("ko", ("이메일", "2024-01-15"))):
        text = keeper.reconsent_text("trial", one.about, one.agreed, locale)
        assert all(word in text for word in words)
        assert all(difference.text.say(locale) in text for difference in one.differences)


def test_the_text_that_was_shown_is_the_text_on_record(keeper: Keeper, clock: upheld.SetClock, tmp_path: Path) -> None:
    persons = lived(keeper, clock, tmp_path)
    clock.set(at("2024-03-20"))
    keeper.publish(written(tmp_path, dated(with_house(GROWN), "2024-03-20", "2024-03-31")))
    clock.set(at("2024-04-01"))
    stays = persons["stays"]
    older = keeper.collect(stays, "offers", {"email": "stays@example.org"})
    assert [reason.value for reason in older.reasons] == ["consent-scope-older"]
    text = keeper.reconsent_text("trial", "purpose/offers", "2024-01-15", "en")
    keeper.consent(stays, "purpose/offers", channel="website")
    recorded = entries(keeper, "consent.given")[-1].entry.fields
    assert recorded["text"] == hashlib.sha256(text.encode()).digest()
    assert keeper.collect(stays, "offers", {"email": "stays@example.org"}).granted
    assert stays not in {one.subject_id for one in keeper.reconsent("trial")}


def test_where_nothing_grew_nothing_is_asked(keeper: Keeper, clock: upheld.SetClock, tmp_path: Path) -> None:
    lived(keeper, clock, tmp_path)
    clock.set(at("2024-03-20"))
    smaller = GROWN.replace("items: [phone, email]}", "items: phone}")
    keeper.publish(written(tmp_path, dated(with_house(smaller), "2024-03-20", "2024-03-31")))
    assert keeper.reconsent("trial") == []
    with pytest.raises(InputRefused, match="nothing-grew"):
        keeper.reconsent_text("trial", "purpose/offers", "2024-01-15", "en")


# ── without a version in force ──────────────────────────────────────────────────────────────────────────────────────


def test_with_no_version_in_force_rights_separation_and_destruction_go_on(
    keeper: Keeper, clock: upheld.SetClock, tmp_path: Path
) -> None:
    """The only version on file is put off: what was taken under it is still owed all it was promised."""
    persons = lived(keeper, clock, tmp_path)
    with keeper.places.active.transaction() as transaction:
        transaction.execute("UPDATE policy_version SET effective_at = ?", (FOREVER - 1,))
        transaction.execute("UPDATE guard SET plan_epoch = plan_epoch + 1")
    keeper.views.forget_all()
    clock.set(at("2024-03-10"))
    assert keeper.views.line("trial").at(clock.now()) is None
    stays = persons["stays"]
    assert next(reason.value for reason in keeper.collect(stays, "service", {"name": "x"}).reasons) == "not-in-force"
    assert keeper.withdraw(stays, "purpose/offers", channel="website").granted
    asked = keeper.request(stays, "access", channel="website")
    assert asked.granted
    keeper.fact(stays, "closed")
    clock.set(at("2024-03-12"))
    swept = keeper.sweep()
    assert (swept.separated, swept.destroyed) == (2, 1)
    clock.set(at("2024-10-01"))
    assert keeper.sweep().destroyed >= 4


# ── after a restore, and on the command line ────────────────────────────────────────────────────────────────────────


def test_a_recovered_home_knows_findings_and_notices_of_versions_published_since(tmp_path: Path) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept"
    document = POLICIES / "nexr-2017.yaml"
    options = upheld.Options(clock=upheld.SetClock(NOW), light_hashing=True, trial=False)
    with upheld.open(home, options) as keeper:
        keeper.seal()
        copied(home, kept)
        keeper.publish(document, as_of=date(2017, 9, 8), evidence="scan")
        before = keeper.on_record("nexr")
        page = keeper.published_notice("nexr", "2017-09-08", "ko")
    put_back(home, kept, "active")
    with upheld.open(home, options) as keeper:
        keeper.recover(documents=[document])
        (after,) = keeper.on_record("nexr")
        assert (after.findings, after.gate, after.gaps) == (before[0].findings, before[0].gate, before[0].gaps)
        assert keeper.published_notice("nexr", "2017-09-08", "ko") == page


def run(*arguments: object) -> tuple[int, str]:
    answer = CliRunner().invoke(cli.app, [str(one) for one in arguments])
    return answer.exit_code, answer.output


def test_an_officer_prepares_looks_publishes_and_reads_what_is_on_file(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "notices"
    today = local_date(SystemClock().now(), SEOUL)
    text = dated(with_house(POLICY), str(today), str(date.fromordinal(today.toordinal() + 10)))
    document = written(tmp_path, text, day=today)
    bindings = tmp_path / "bindings.yaml"
    bindings.write_text(
        "contracts: {mailer: {terms: [purpose-limits]}}\n"
        "roles: {desk: {}}\n"
        "registers: {host: [host-1]}\n"
        "evidence: {locked: {kind: lock-record}}\n"
    )
    run("init", "--home", home)
    status, told = run("publish", document, "--home", home, "--notices", folder)
    assert status == 1
    assert "not published: 3 reasons" in told
    assert "--over entrustments.mailer --over handlers.desk --over safeguards.locked" in told
    assert {path.name for path in folder.iterdir()} == {"notice.en.html", "notice.ko.html"}
    status, told = run("prepare", document, "--home", home, "--with", bindings)
    assert (status, told.count("recorded:")) == (0, 4)
    again = run("prepare", document, "--home", home, "--with", bindings)
    assert (again[0], again[1].count("on record already")) == (0, 4)
    with upheld.open(home) as keeper:
        assert len(keeper.register_of("trial", "handler", keeper.now())) == 1, "a handler that nobody is owes a pledge"
        assert len(keeper.bound("trial")[0].contracts) == 1
        assert len(keeper.evidence_of("trial", "locked")) == 1
    status, told = run("publish", document, "--home", home, "--dry-run")
    assert status == 0
    assert "is not on file: a dry run" in told
    assert "3 lives certified; nothing of it is left" in told
    status, told = run("publish", document, "--home", home)
    assert status == 0
    assert f"is on file; in force from {date.fromordinal(today.toordinal() + 10)} 00:00 KST" in told
    status, told = run("versions", "--home", home)
    assert status == 0
    assert "(passed)" in told
    assert "nobody has to be asked anew" in told


def test_a_file_of_bindings_with_another_word_is_refused_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    bindings = tmp_path / "bindings.yaml"
    bindings.write_text("contract: {mailer: {}}\n")
    run("init", "--home", home)
    with upheld.open(home) as keeper:
        keeper.prepare(FIRST.encode())
        with pytest.raises(InputRefused, match="bindings"):
            publications.bind(keeper, "trial", bindings)
