"""Fellow members, processors and organisations that look: until when, at what, and what a no to one is to another."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sketch import APPLICATION, POLICIES, Sketch
from upheld.dates import start_of
from upheld.engine.acts import EngagementId, Read, Reader, ReaderKind, ValueId
from upheld.engine.compile import compiled
from upheld.engine.decide import decide
from upheld.engine.plan import PolicyLine
from upheld.engine.state import Use
from upheld.policy.read import read_policy

BIZMEKA, MNS = "bizmeka-ez-2018.yaml", "kt-mns-2018.yaml"
STRANGER = Reader(ReaderKind.FELLOW, "stranger", organisation="other")


def first_use(one: Sketch, purpose: str) -> str | None:
    """A use of a purpose that runs, where it has any."""
    return next((name for name, runs in one.plan.purposes[purpose].uses.items() if runs), None)


def outside_the_group(until: str | None = None) -> tuple[Sketch, EngagementId, ValueId]:
    """Somebody whose photo a stranger sees, both having accepted."""
    one = Sketch(BIZMEKA, line=line_of(until) if until else None)
    one.agree("purpose/outside-group")
    inside = one.begin("groupware", "acme")
    photo = one.hold("photo", "outside-group", inside)
    one.tell("both-accepted", about="stranger")
    assert one.read("outside-group", photo, reader=STRANGER) == []
    return one, inside, photo


def line_of(until: str) -> PolicyLine:
    """The policy, with an end of its own for the messenger outside the group."""
    source = (POLICIES / BIZMEKA).read_bytes()
    plain = b"per: groupware, en: messenger outside the group,"
    assert plain in source
    source = source.replace(plain, plain + f" until: {until},".encode())
    plan = compiled(read_policy(source, BIZMEKA), source)
    return PolicyLine(plan.policy, (plan,))


@pytest.mark.clauses("BZ18-2.5.b")
@pytest.mark.parametrize("end", ["withdrawn", "engagement", "erased", "taken back", "expired"])
def test_whatever_ends_the_consent_ends_what_was_accepted_under_it(end: str) -> None:
    one, inside, photo = outside_the_group("consented + P1M" if end == "expired" else None)
    one.to("2018-08-20")
    match end:
        case "withdrawn":
            one.withdraw("purpose/outside-group")
        case "engagement":
            one.tell("cancelled", inside)
        case "erased":
            one.answer(one.ask("erasure"), "done")
        case "taken back":
            one.tell("acceptance-ended", about="stranger")
        case _:
            one.to("2018-09-20")
    assert one.read("outside-group", photo, reader=STRANGER) != []
    one.to("2018-10-01").agree("purpose/outside-group")  # agreed again, taken again: accepted again by nobody yet
    again = one.hold("photo", "outside-group", one.begin("groupware", "acme"))
    assert one.read("outside-group", again, reader=STRANGER) == ["not-same-group"]
    one.tell("both-accepted", about="stranger")
    assert one.read("outside-group", again, reader=STRANGER) == []


@pytest.mark.clauses("BZ18-2.5.b")
def test_a_childs_acceptance_ends_with_its_representatives_consent() -> None:
    one = Sketch(BIZMEKA)
    one.minor_until = start_of(date(2022, 5, 5), one.plan.zone)
    one.agree("representative/collection", "purpose/outside-group")
    photo = one.hold("photo", "outside-group", one.begin("groupware", "acme"))
    one.tell("both-accepted", about="stranger")
    assert one.read("outside-group", photo, reader=STRANGER) == []
    one.to("2018-08-20").withdraw("representative/collection")
    assert one.read("outside-group", photo, reader=STRANGER) == ["not-same-group"]
    one.to("2018-08-21").agree("representative/collection")
    assert one.read("outside-group", photo, reader=STRANGER) == ["not-same-group"]


@pytest.mark.clauses("BZ18-2.3.A.8")
def test_a_no_to_one_organisation_is_no_answer_to_the_one_it_is_held_for() -> None:
    one = Sketch(BIZMEKA, kind="staff")
    one.agree("purpose/hr")
    file = one.hold("career", "hr", one.begin("hr", "acme"), held_for="acme")
    theirs, others = (Reader(ReaderKind.APPLICATION, "hr", organisation=name) for name in ("acme", "other"))
    view = one.view
    assert not decide(Read("hr", others, values=(file,)), view, one.now).granted
    assert decide(Read("hr", theirs, values=(file,)), view, one.now).granted


def test_what_stops_nothing_leaves_no_item_out_of_a_read_of_several() -> None:
    one = Sketch(MNS, kind="customer")
    one.agree("purpose/request")
    request = one.begin("request")
    name, phone = one.hold("name", "request", request), one.hold("phone", "request", request)
    one.ask("suspension", name, proved=False)
    act = Read("request", APPLICATION, ("name", "phone"), use=first_use(one, "request"))
    assert one.decides(act).covers == (name, phone)


def test_a_use_that_one_engagement_still_carries_is_not_left_out_for_another_that_ended() -> None:
    one = Sketch(MNS, kind="customer")
    one.agree("purpose/request")
    first = one.begin("request")
    name, phone = one.hold("name", "request", first), one.hold("phone", "request", first)
    second = one.to("2018-08-02").begin("request")
    use = Use("request", second, one.now, one.plan.version, one.now)
    one.changed(phone, uses=(*one.values[phone].uses, use))
    one.to("2018-08-03").tell("request-closed", second)
    act = Read("request", APPLICATION, ("name", "phone"), use=first_use(one, "request"))
    assert one.decides(act).covers == (name, phone)


@pytest.mark.clauses("BZ18-7.1.0")
def test_a_processor_is_told_everything_at_once_that_it_may_not_see() -> None:
    one = Sketch(BIZMEKA)
    one.agree("purpose/billing")
    membership = one.begin("membership")
    row = next(row for row in one.plan.entrustments.values() if "billing" in row.purposes and not row.blocked)
    beyond = sorted(one.plan.purposes["billing"].items - row.items)
    one.contract(row.party, row.terms)
    one.hold(beyond[0], "billing", membership)
    reader = Reader(ReaderKind.APPLICATION, "theirs", party=row.processor)
    asked = Read("billing", reader, (beyond[0], "photo"), use=first_use(one, "billing"))
    assert one.reasons(asked) == ["item-not-covered", "items-exceed-provision"]
