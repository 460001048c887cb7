"""Who is told in a person's place: a child's representative by a link that proves the mailbox, an agent by letter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.served import Browser, Served, served
from tests.test_telling import Scripted
from tests.test_web_consent import YOUNG_POLICY, member, opened
from tests.trial_home import at
from upheld.dates import Instant, local_date
from upheld.desk import merging
from upheld.desk.documents import document_in_force
from upheld.desk.due import request_of
from upheld.desk.leaks import contents_of, leak_of
from upheld.desk.outcomes import tell_outcome
from upheld.desk.records import recorded
from upheld.desk.representatives import addressee_of, tell_in_place, told_at
from upheld.engine.acts import RequestId, SubjectId
from upheld.engine.leaks import LeakCause
from upheld.errors import InputRefused
from upheld.keeper import Terms

GUARDIAN = {"guardian-name": "made-up guardian", "guardian-email": "guardian@example.org"}
DAY = 86_400_000_000


@pytest.fixture
def way() -> Scripted:
    return Scripted()


@pytest.fixture
def house(tmp_path: Path, way: Scripted) -> Iterator[Served]:
    """A home whose service sends through the outbox."""
    with served(tmp_path / "home") as found:
        found.keeper.publish(YOUNG_POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        found.settings = replace(found.settings, transports=(way,), send_code=None)
        yield found


def asked(house: Served, child: SubjectId) -> Browser:
    browser, link = opened(house, child)
    browser.send(f"{link}/representative", **GUARDIAN)
    return browser


def answered(house: Served, way: Scripted, child: SubjectId, **more: str) -> Browser:
    """The representative is asked through the outbox and agrees by the link in the mail."""
    asked(house, child)
    house.keeper.deliver(way)
    found = re.search(r"http://testserver(/consent/young/[0-9a-f]{64})", way.sent[-1].text)
    assert found, way.sent
    guardian = house.browser()
    guardian.get(found[1])
    fields = {one: guardian.field(f"shown {one}") for one in ("representative/collection", "purpose/offers")}
    shown = {f"shown {one}": digest for one, digest in fields.items()}
    guardian.post(found[1], {"form-token": guardian.token(), "agree": "representative/collection", **shown, **more})
    return guardian


def entries(house: Served, kind: str, notice: str) -> list[dict[str, object]]:
    found = (one.entry.fields for one in recorded(house.keeper, "young", [kind]))
    return [dict(one) for one in found if one.get("notice") == notice]


@pytest.mark.clauses("MS18-9.3-0", "MS18-9.3.a", "MS18-9.2-1")
def test_the_representative_is_asked_through_the_outbox_and_the_answer_by_the_link_is_the_proof(
    house: Served, way: Scripted
) -> None:
    child = member(house, minor=True)
    answered(house, way, child)
    assert way.sent[-1].to == "guardian@example.org"
    (queued,) = entries(house, "notice.queued", "representative-asked")
    assert (queued["to"], queued["medium"]) == ("representative", "email")
    states = [one["state"] for one in entries(house, "notice.moved", "representative-asked")]
    assert states == ["sending", "sent", "acknowledged"]
    assert house.keeper.consents(child) == {"representative/collection": "given"}
    assert b"guardian@" not in repr(recorded(house.keeper, "young", ["notice.queued", "notice.moved"])).encode()


def test_a_link_that_was_never_opened_proves_nothing(house: Served, way: Scripted) -> None:
    asked(house, member(house, minor=True))
    house.keeper.deliver(way)
    assert [one["state"] for one in entries(house, "notice.moved", "representative-asked")] == ["sending", "sent"]


@pytest.mark.clauses("MS18-9.2.a-1")
def test_what_was_taken_to_ask_is_used_for_nothing_else_and_notices_go_where_the_representative_says(
    house: Served, way: Scripted
) -> None:
    child = member(house, minor=True)
    assert addressee_of(house.keeper, "young", child) is None
    answered(house, way, child)
    assert addressee_of(house.keeper, "young", child) is None  # the contact taken to ask is no address for notices
    other = member(house, minor=True)
    answered(house, way, other, **{"told-at": "told-here@example.org"})
    found = addressee_of(house.keeper, "young", other)
    assert found is not None
    assert (found.kind.value, found.address) == ("representative", "told-here@example.org")


def test_an_address_that_is_none_is_asked_for_again(house: Served, way: Scripted) -> None:
    child = member(house, minor=True)
    page = answered(house, way, child, **{"told-at": "by the river"}).page
    assert page is not None
    assert (page.status_code, "neither an e-mail address" in page.text) == (400, True)
    assert house.keeper.consents(child) == {}


def test_a_leak_of_a_childs_data_is_told_to_the_representative_until_the_child_is_fourteen(
    house: Served, way: Scripted
) -> None:
    keeper, document = house.keeper, document_in_force(house.keeper, "young")
    child = keeper.enter("young", "member", born=at("2011-03-01").date())
    keeper.begin(child, "membership")
    answered(house, way, child, **{"told-at": "told-here@example.org"})
    assert keeper.collect(child, "service", {"name": "made-up", "email": "child@example.org"}).granted
    now = keeper.now()
    case = keeper.leak_known("young", LeakCause.MISTAKE, ("name",), Instant(now - DAY), now)
    leak = leak_of(keeper, "young", case)
    assert leak is not None
    parts = {one: contents_of(keeper, document, leak, one) for one in document.policy.locales}
    house.clock.set(now + DAY)
    tell_in_place(keeper, "young", child, "breach", "en", about=case, fields=parts["en"])
    keeper.deliver(way)
    assert way.sent[-1].to == "told-here@example.org"
    house.clock.set(at("2025-03-02"))
    keeper.sweep(confirm_clock=True)
    assert addressee_of(keeper, "young", child) is None
    tell_in_place(keeper, "young", child, "breach", "en", about=case, fields=parts["en"])
    keeper.deliver(way)
    assert way.sent[-1].to == "child@example.org"


def test_a_merger_is_told_to_a_childs_representative_and_to_everybody_in_their_language(
    house: Served, way: Scripted
) -> None:
    keeper = house.keeper
    child = member(house, minor=True)
    answered(house, way, child, **{"told-at": "told-here@example.org"})
    assert keeper.collect(child, "service", {"name": "made-up", "email": "child@example.org"}).granted
    adult = member(house)
    said = {"en": "Sample Ltd. takes over.", "ko": "견본 주식회사가 인수합니다."}
    locales = document_in_force(keeper, "young").policy.locales
    terms = {one: Terms(said[one], "Sample", "office@example.org", "write") for one in locales}
    day = local_date(Instant(keeper.now() + 60 * DAY), keeper.views.line("young").latest.zone)
    case = keeper.merger("young", "merger", "sample-ltd", terms, effective_on=day, refused_means="stays")
    merging.tell(keeper, "young", case)
    keeper.deliver(way)
    assert keeper.messages("young", subject=child, about=case)[0].told
    assert [one.to for one in way.sent if said["en"] in one.text or said["ko"] in one.text].count(
        "told-here@example.org"
    ) == 1
    assert "child@example.org" not in {one.to for one in way.sent}
    assert keeper.merger_state("young", case).states[child] == "told"
    queued = [one for one in entries(house, "notice.queued", "business-transfer") if one.get("to")]
    assert [one["to"] for one in queued] == ["representative"]
    assert adult in keeper.merger_state("young", case).states


def test_the_outcome_goes_to_the_person_by_one_press_and_what_became_of_it_is_shown(
    house: Served, way: Scripted
) -> None:
    keeper, person = house.keeper, house.persons["asker"]
    made = RequestId(keeper.request(person, "erasure", channel="letter", proved=True).made or "")
    officer = house.signed_in("officer")
    there = f"/console/trial/requests/{person}/{made}"
    assert "Send the letter" not in officer.get(there).text
    keeper.answer(person, made, "refused", reason="unfounded")
    assert "Send the letter" in officer.get(there).text
    page = officer.send(f"{there}/told", version=officer.field("version"))
    assert "waiting" in page.text
    assert "Send the letter" not in page.text
    keeper.deliver(way)
    assert way.sent[-1].to == "asker@example.org"
    assert "the request has no ground" in way.sent[-1].text
    assert "Outcome of your request" in way.sent[-1].subject
    assert "arrived" in officer.get(there).text or "sent" in officer.get(there).text


@pytest.mark.clauses("BZ18-9.2.a", "KE22-9.2-1")
def test_the_outcome_of_an_agents_request_goes_to_the_agent_and_never_to_the_persons_own_address(
    house: Served, way: Scripted
) -> None:
    keeper, person = house.keeper, house.persons["stayer"]
    acting = keeper.acts_for(person, "agent", shown="mandate").made or ""
    asked_by = keeper.request(person, "access", channel="letter", by=acting, proved=True)
    made = RequestId(asked_by.made or "")
    keeper.answer(person, made, "done")
    document = document_in_force(keeper, "trial")
    one = request_of(keeper, "trial", person, made)
    assert one is not None
    with pytest.raises(InputRefused, match="address-missing"):
        tell_outcome(keeper, document, one)
    told_at(keeper, "trial", person, "agent@example.org", acting)
    assert tell_outcome(keeper, document, one).state == "queued"
    keeper.deliver(way)
    assert [letter.to for letter in way.sent] == ["agent@example.org"]
    told_at(keeper, "trial", person, "other-agent@example.org", acting)
    assert len(keeper.papers("trial", owner=person, kind="letters", about=acting)) == 1  # the one before is destroyed


def test_an_outcome_is_told_when_there_is_one(house: Served) -> None:
    person = house.persons["asker"]
    made = RequestId(house.keeper.request(person, "access", channel="letter", proved=True).made or "")
    one = request_of(house.keeper, "trial", person, made)
    assert one is not None
    with pytest.raises(InputRefused, match="answer-first"):
        tell_outcome(house.keeper, document_in_force(house.keeper, "trial"), one)


def test_no_way_out_at_all_says_so_and_takes_nothing(house: Served) -> None:
    house.settings = replace(house.settings, transports=(), send_code=None)
    child = member(house, minor=True)
    browser, link = opened(house, child)
    assert browser.send(f"{link}/representative", **GUARDIAN).status_code == 503
    assert house.keeper.holdings(child) == []
