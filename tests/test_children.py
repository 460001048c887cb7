"""Whose yes a yes for a child is: the checks of the law before a representative's consent counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import upheld
from tests.audited import Audited
from upheld.dates import Instant, Period, end_of
from upheld.engine.acts import SubjectId
from upheld.keeper import Outcome
from upheld.store import history

COLLECTION = "representative/collection"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Audited]:
    made = Audited("kt-mns-2018", tmp_path / "home")
    yield made
    made.keeper.close()


def child_of(house: Audited) -> SubjectId:
    return house.keeper.enter(house.policy, "customer", minor=True)


def codes(outcome: Outcome) -> list[str]:
    return [reason.value for reason in outcome.reasons]


def ways(house: Audited, way: str) -> list[str]:
    """The channels on which people agree that way."""
    return [name for name, found in house.plan.consent_ways.items() if found == {way}]


@pytest.mark.clauses("MS18-9.2-1")
def test_a_parent_whom_nobody_asked_is_forgotten_after_five_days(house: Audited) -> None:
    child, channel = child_of(house), next(iter(house.plan.channels))
    texts = {"guardian-email": "made-up-parent@example.org"}
    assert house.keeper.collect(child, "representative-contact", texts, channel=channel).granted
    taken = house.clock.now()
    house.clock.set(Instant(end_of(taken, Period(days=5), house.zone) - 1))
    house.keeper.sweep()
    assert [value.held.value for value, _, _ in house.keeper.holdings(child)] == ["held"]
    house.clock.set(end_of(taken, Period(days=5), house.zone))
    assert house.keeper.sweep().destroyed == 1


@pytest.mark.clauses("MS18-9.3-0", "MS18-9.3.a")
def test_a_parents_tick_counts_only_with_one_of_the_checks_of_the_law(house: Audited) -> None:
    child, page = child_of(house), ways(house, "tick")[0]
    for channel, check in ((page, None), (page, "a-promise"), (ways(house, "spoken")[0], None)):
        refused = house.keeper.consent(child, COLLECTION, channel=channel, by="representative", verified=check)
        assert codes(refused) == ["identity-not-proved"]
        (why,) = refused.because
        assert (why.law, why.clauses) == ("pipa decree 17-2", house.plan.children.rule.cites())
        assert len(why.detail.split(" or ")) == 7
    assert house.keeper.consents(child) == {}
    checked = house.keeper.consent(child, COLLECTION, channel=page, by="representative", verified="phone-identity")
    assert checked.granted
    house.keeper.seal()
    found = [
        (one.entry.kind, one.entry.fields.get("verified"))
        for one in history.entries(house.keeper.places.sealer.connection, kinds=["act.refused", "consent.given"])
    ]
    assert found == [("act.refused", None)] * 3 + [("consent.given", "phone-identity")]
    # What the representative agrees to after that needs no check again; nor does a withdrawal, which is as easy.
    assert house.keeper.consent(child, "purpose/request", channel=page, by="representative").granted
    assert house.keeper.withdraw(child, COLLECTION, channel=page, by="representative").granted


def test_a_parents_signed_form_or_answered_message_is_such_a_check_itself(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    kind = next(iter(house.plan.subjects))
    for way, check in (("signed-form", "paper"), ("reply-message", "message")):
        child = house.keeper.enter(house.policy, kind, minor=True)
        channel = next(name for name, found in house.plan.consent_ways.items() if way in found)
        assert house.keeper.consent(child, COLLECTION, channel=channel, by="representative").granted
        house.keeper.seal()
        alias = house.keeper.views.alias(child)
        given = [
            one.entry.fields.get("verified")
            for one in history.entries_about(house.keeper.places.sealer.connection, alias)
            if one.entry.kind == "consent.given"
        ]
        assert given == [check]
    house.keeper.close()


def test_where_the_law_lists_no_checks_none_is_asked_of_a_parent(tmp_path: Path) -> None:
    clock = upheld.SetClock(datetime(2026, 9, 30, 9, tzinfo=UTC))
    shop = Path(__file__).resolve().parent.parent / "examples" / "shop.yaml"
    with upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True)) as keeper:
        keeper.publish(shop)
        clock.set(datetime(2026, 10, 5, 9, tzinfo=UTC))
        child = keeper.enter("example-shop", "buyer", minor=True)
        assert keeper.consent(child, COLLECTION, channel="site", by="representative").granted
