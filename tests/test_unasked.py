"""Data taken without consent: known again after a recovery, and not upheld where its papers are not on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import upheld
from tests.homes import copied, kept_bytes, put_back
from upheld.engine.acts import EngagementId, HandlerId
from upheld.engine.compile import compiled
from upheld.errors import InputRefused
from upheld.keeper import Difficulty, Keeper, WithoutConsent
from upheld.ledger.entries import entry
from upheld.ledger.report import State
from upheld.policy.read import read_policy
from upheld.store import history

POLICY = Path(__file__).parent.parent / "policies" / "kt-enterprise-2022.yaml"
CODE = "kt-enterprise"
SEOUL = ZoneInfo("Asia/Seoul")
IN_FORCE = date(2022, 1, 19)
NOW = datetime(2022, 2, 10, 9, tzinfo=SEOUL)


def opened(home: Path, clock: upheld.SetClock) -> Keeper:
    return upheld.open(home, upheld.Options(clock=clock, light_hashing=True, durable=False))


def approver_of(keeper: Keeper) -> HandlerId:
    row = next(iter(keeper.views.line(CODE).latest.handlers.values()))
    handler, outcome = keeper.grant(CODE, row.name, shown=row.granted_with)
    assert outcome.granted
    return handler


def under_a_law(approver: HandlerId) -> WithoutConsent:
    return WithoutConsent("law", "commercial", "33-1", None, approver, {"document": b"the demand, one page"})


@pytest.mark.clauses("KE22-2.4.b", "KE22-2.4-0")
def test_what_came_in_without_consent_is_known_again_after_a_recovery(tmp_path: Path) -> None:
    home, clock = tmp_path / "home", upheld.SetClock(NOW)
    with opened(home, clock) as keeper:
        keeper.publish(POLICY, as_of=IN_FORCE, evidence="board-1")
        approver = approver_of(keeper)
        person = keeper.enter(CODE, "customer")
        begun = EngagementId(keeper.begin(person, "inquiry").made or "")
        keeper.seal()
    copied(home, tmp_path / "copy")
    with opened(home, clock) as keeper:
        taken = keeper.collect(
            person, "inquiry", {"email": "kim@example.org"}, engagement=begun, channel="website",
            unasked=under_a_law(approver),
        )  # fmt: skip
        assert taken.granted
        assert taken.decision.elements[:2] == ("purposes.required.inquiry", "collection-exceptions.law")
        before = keeper.views.load(person, keeper.now()).state.values
        keeper.seal()
    put_back(home, tmp_path / "copy", "active")
    with opened(home, clock) as keeper:
        keeper.recover()
        after = keeper.views.load(person, keeper.now()).state.values
        assert [use.exception for value in after for use in value.uses] == ["law"]
        assert [value.uses for value in after] == [value.uses for value in before]


@pytest.mark.clauses("KE22-2.4.a", "KE22-2.4-0")
def test_what_shows_the_exception_is_in_the_ledger_in_codes_and_one_digest(tmp_path: Path) -> None:
    with opened(tmp_path / "home", upheld.SetClock(NOW)) as keeper:
        keeper.publish(POLICY, as_of=IN_FORCE, evidence="board-1")
        approver = approver_of(keeper)
        person = keeper.enter(CODE, "organisation")
        begun = EngagementId(keeper.begin(person, "consulting").made or "")
        given = WithoutConsent(
            "contract", None, None, Difficulty.ECONOMIC, approver, {"contract": b"between Kim Made-Up and us"}
        )
        assert keeper.collect(
            person, "consulting", {"name": "Kim Made-Up"}, engagement=begun, channel="website", unasked=given
        ).granted
        keeper.seal()
        (fields,) = [
            one.entry.fields for one in history.entries(keeper.places.sealer.connection, kinds=("value.collected",))
        ]
        assert (fields["exception"], fields["difficulty"], fields["approver"]) == ("contract", "economic", approver)
        assert fields["papers"] == given.digest()
        assert b"Made-Up" not in kept_bytes(tmp_path / "home", "ledger")


def test_who_approves_has_a_role_at_that_moment_and_a_paper_a_known_kind(tmp_path: Path) -> None:
    with opened(tmp_path / "home", upheld.SetClock(NOW)) as keeper:
        keeper.publish(POLICY, as_of=IN_FORCE, evidence="board-1")
        person = keeper.enter(CODE, "customer")
        begun = EngagementId(keeper.begin(person, "inquiry").made or "")
        wrong = {
            "approver-unknown": under_a_law(HandlerId("a" * 20)),
            "paper-unknown": WithoutConsent("law", papers={"hearsay": b"somebody said so"}),
        }
        for code, given in wrong.items():
            with pytest.raises(InputRefused) as refused:
                keeper.collect(
                    person, "inquiry", {"email": "kim@example.org"}, engagement=begun, channel="website", unasked=given
                )
            assert refused.value.code == code


@pytest.mark.clauses("KE22-2.4.b")
def test_something_taken_without_consent_and_without_its_papers_is_not_upheld(tmp_path: Path) -> None:
    with opened(tmp_path / "home", upheld.SetClock(NOW)) as keeper:
        keeper.publish(POLICY, as_of=IN_FORCE, evidence="board-1")
        person = keeper.enter(CODE, "customer")
        alias = keeper.views.get(person, keeper.now()).alias
        past_the_keeper = entry(
            "value.collected", keeper.now(), CODE, alias, ("purposes.required.inquiry", "collection-exceptions.law"),
            values=(7,), items=("email",), purpose="inquiry", channel="website", exception="law",
        )  # fmt: skip
        keeper.places.active.submit(lambda transaction: transaction.journal(past_the_keeper))
        report = keeper.audit(CODE)
        clause = report.clause("KE22-2.4.b")
        assert (clause.state, clause.persons) == (State.NOT_UPHELD, 1)
        assert clause.what == ("record-missing:value", "unasked-incomplete")  # nor is there a value in any place


def test_no_exception_serves_a_purpose_that_may_be_refused() -> None:
    plan = compiled(read_policy(POLICY.read_bytes(), POLICY.name))
    refusable = [one for one in plan.purposes.values() if not one.required]
    assert refusable
    assert plan.unasked
    for row in plan.unasked.values():
        everything = replace(row, purposes=frozenset(plan.purposes))
        for exception in (row, replace(row, purposes=frozenset()), everything):
            assert not [one.name for one in refusable if exception.serves(one)]
        assert any(everything.serves(one) for one in plan.purposes.values())
