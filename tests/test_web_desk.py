"""Work at the desk: what is due, requests from receipt to answer, look-up on record, destruction, proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.homes import column
from tests.served import WEB_POLICY, Served, joined, served, text_of
from tests.trial_home import at
from upheld.dates import instant
from upheld.desk.agreements import by_month, standing
from upheld.desk.due import coming, due_today, requests_of
from upheld.desk.throttle import LOOKS
from upheld.engine.acts import RequestId
from upheld.engine.state import RequestState
from upheld.store import history
from upheld.store.verifying import verify_copy
from upheld.web.ledger import cannot_show
from upheld.web.requests import SHOWN
from upheld.web.routes import ROUTES

DAY = 86_400_000_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        yield found


def later(house: Served, microseconds: int) -> None:
    house.clock.set(house.clock.now() + microseconds)


def entries(house: Served, kind: str) -> list[history.Recorded]:
    house.keeper.seal()
    return list(history.entries(house.keeper.places.sealer.connection, kinds=(kind,), policy="trial"))


# ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("BZ18-9.2.a")
def test_a_letter_becomes_a_request_is_proved_and_answered_at_the_desk(house: Served) -> None:
    desk = house.signed_in("officer")
    desk.get("/console/trial/people")
    found = desk.send("/console/trial/people", item="email", text=text_of("asker", "email"), reason="request-of-person")
    assert found.url.path == f"/console/trial/people/{house.persons['asker']}"
    taken = desk.send(f"{found.url.path}/requests", right="access", channel="letter")
    assert "not proved yet" in taken.text
    here = taken.url.path
    early = desk.send(f"{here}/answer", version=desk.field("version"), outcome="done", reason="")
    assert early.status_code == 400
    assert "Identity is not proved yet" in early.text
    proved = desk.send(f"{here}/proof", version=desk.field("version"), proof="identity-check")
    assert "not proved yet" not in proved.text
    answered = desk.send(f"{here}/answer", version=desk.field("version"), outcome="done", reason="")
    assert "done" in answered.text
    (one,) = house.keeper.requests(house.persons["asker"])
    assert one.state is RequestState.DONE
    assert entries(house, "request.proved")[-1].entry.fields["proof"] == "identity-check"
    assert requests_of(house.keeper, "trial") == []
    assert [each.state for each in requests_of(house.keeper, "trial", settled=True)] == ["done"]


def test_what_is_missing_is_asked_for_while_the_clock_runs(house: Served) -> None:
    person = house.persons["asker"]
    number = house.keeper.request(person, "access", channel="letter").made
    due = requests_of(house.keeper, "trial")[0].due_at
    desk = house.signed_in("officer")
    here = f"/console/trial/requests/{person}/{number}"
    desk.get(here)
    page = desk.send(f"{here}/incomplete", version=desk.field("version"), missing="identity-check")
    assert "to be completed" in page.text
    (one,) = requests_of(house.keeper, "trial")
    assert (one.state, one.due_at) == ("to-be-completed", due)


def test_access_is_put_off_to_a_day_and_open_again_by_itself(house: Served) -> None:
    person = house.persons["asker"]
    number = house.keeper.request(person, "access", channel="letter", proved=True).made
    desk = house.signed_in("officer")
    here = f"/console/trial/requests/{person}/{number}"
    for until, told in (("soon", "Give a day as year"), ("2020-01-01", "has not come yet")):
        desk.get(here)
        page = desk.send(f"{here}/postponed", version=desk.field("version"), until=until, why="law")
        assert page.status_code == 400
        assert told in page.text
    desk.send(f"{here}/postponed", version=desk.field("version"), until="2024-10-15", why="others-harmed")
    assert [one.state for one in requests_of(house.keeper, "trial")] == ["postponed"]
    house.clock.set(at("2024-10-15", 0))
    assert [one.state for one in requests_of(house.keeper, "trial")] == ["open"]


def test_a_refusal_says_why_or_is_not_taken(house: Served) -> None:
    person = house.persons["asker"]
    number = house.keeper.request(person, "access", channel="letter").made
    desk = house.signed_in("officer")
    here = f"/console/trial/requests/{person}/{number}"
    desk.get(here)
    refused = desk.send(f"{here}/answer", version=desk.field("version"), outcome="refused", reason="")
    assert refused.status_code == 400
    assert 'role="alert"' in refused.text
    desk.send(f"{here}/answer", version=desk.field("version"), outcome="refused", reason="others-harmed")
    assert house.keeper.requests(person)[0].state is RequestState.REFUSED
    assert entries(house, "request.answered")[-1].entry.fields["reason"] == "others-harmed"


def test_two_officers_on_one_request_do_not_overwrite_each_other(house: Served) -> None:
    person = house.persons["asker"]
    number = house.keeper.request(person, "access", channel="letter").made
    here = f"/console/trial/requests/{person}/{number}"
    first, second = house.signed_in("officer"), house.signed_in("handler")
    seen = []
    for desk in (first, second):
        desk.get(here)
        seen.append(desk.field("version"))
    assert first.send(f"{here}/answer", version=seen[0], outcome="refused", reason="unfounded").status_code == 200
    late = second.send(f"{here}/answer", version=seen[1], outcome="taken-back", reason="")
    assert late.status_code == 409
    assert "Somebody changed this meanwhile" in late.text
    assert house.keeper.requests(person)[0].state is RequestState.REFUSED


def test_an_erasure_waits_for_the_access_that_was_asked_first(house: Served) -> None:
    person = house.persons["asker"]
    house.keeper.request(person, "access", channel="letter", proved=True)
    number = house.keeper.request(person, "erasure", channel="letter", proved=True).made
    desk = house.signed_in("officer")
    here = f"/console/trial/requests/{person}/{number}"
    desk.get(here)
    page = desk.send(f"{here}/answer", version=desk.field("version"), outcome="done", reason="")
    assert page.status_code == 400
    assert "Answer the request for access first" in page.text


def test_what_an_erasure_ends_is_told_at_the_desk_and_ends_by_a_tick(house: Served) -> None:
    person = house.persons["asker"]
    number = house.keeper.request(person, "erasure", channel="letter", proved=True).made
    desk = house.signed_in("officer")
    here = f"/console/trial/requests/{person}/{number}"
    assert "ends with the erasure, and wants it: membership" in desk.get(here).text
    told = desk.send(f"{here}/answer", version=desk.field("version"), outcome="done", reason="", confirmed="yes")
    assert told.status_code == 200
    facts = house.keeper.views.get(person, house.keeper.now()).view.state.facts
    assert [fact.code for fact in facts if fact.engagement] == ["closed"]


def erasure_of(house: Served, who: str) -> str:
    """The page of a proved request for erasure."""
    person = house.persons[who]
    number = house.keeper.request(person, "erasure", channel="letter", proved=True).made
    return f"/console/trial/requests/{person}/{number}"


@pytest.mark.clauses("BZ18-9.2.a")
@pytest.mark.parametrize(
    ("language", "warned", "told", "follows", "nothing"),
    [
        ("en", "does not come back", "What nothing keeps is destroyed:", "The certificate follows", "Nothing is held."),
        (
            "ko",
            "되돌릴 수 없습니다",
            "모두 파기했습니다",
            "증명서는 다음 일괄 처리에서",
            "보유 중인 개인정보가 없습니다.",
        ),
    ],
)
def test_an_erasure_that_is_granted_at_the_desk_is_done_when_the_page_says_so(
    house: Served, language: str, warned: str, told: str, follows: str, nothing: str
) -> None:
    here = erasure_of(house, "asker")
    desk = house.signed_in("officer", language)
    assert warned in desk.get(here).text
    page = desk.send(f"{here}/answer", version=desk.field("version"), outcome="done", reason="", confirmed="yes").text
    assert content_of(house, "asker") == []
    assert f"{here}/told" not in page, "no address is left to write to"
    assert nothing in page
    assert told in page
    assert follows in page
    assert warned not in page
    house.keeper.sweep()
    page = desk.get(here).text
    assert told in page
    assert follows not in page
    (certificate,) = (one for one in house.keeper.certificates("trial") if one in page)
    assert desk.get(f"/console/trial/certificates/{certificate}").status_code == 200


def test_an_erasure_that_a_sweeper_has_in_hand_is_said_to_come_with_the_sweep(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = erasure_of(house, "asker")
    desk = house.signed_in("officer")
    desk.get(here)
    monkeypatch.setattr(house.keeper.places, "seals", False)  # as where another machine sweeps
    page = desk.send(f"{here}/answer", version=desk.field("version"), outcome="done", reason="", confirmed="yes").text
    assert "To be destroyed by the next sweep: e-mail" in page
    assert "What nothing keeps is destroyed:" not in page
    assert len(content_of(house, "asker")) == 3
    monkeypatch.setattr(house.keeper.places, "seals", True)
    house.keeper.sweep()
    assert "What nothing keeps is destroyed:" in desk.get(here).text


def test_an_erasure_that_is_refused_or_in_part_destroys_nothing_that_is_kept(house: Served) -> None:
    here = erasure_of(house, "asker")
    desk = house.signed_in("officer")
    desk.get(here)
    page = desk.send(f"{here}/answer", version=desk.field("version"), outcome="refused", reason="unfounded").text
    assert len(content_of(house, "asker")) == 3
    assert "<h2>Destruction</h2>" not in page


def content_of(house: Served, who: str) -> list[object]:
    """The values of a person of which there is a content."""
    asked = f"SELECT item FROM value WHERE subject_id = '{house.persons[who]}' AND sealed IS NOT NULL"
    return column(house.home / "active.db", asked)


def test_a_counsellor_takes_requests_in_and_answers_none(house: Served) -> None:
    desk = house.signed_in("counsel")
    desk.get("/console/trial/people")
    found = desk.send("/console/trial/people", item="email", text=text_of("asker", "email"), reason="inquiry")
    taken = desk.send(f"{found.url.path}/requests", right="erasure", channel="letter")
    assert taken.status_code == 200
    (one,) = house.keeper.requests(house.persons["asker"])
    here = f"/console/trial/requests/{house.persons['asker']}/{one.request_id}"
    assert desk.get(here).status_code == 403
    desk.get("/console/trial/account")
    assert desk.send(f"{here}/answer", outcome="refused", reason="unfounded").status_code == 403
    assert house.keeper.requests(house.persons["asker"])[0].state is RequestState.RECEIVED


def test_a_late_request_stands_first_on_the_desk(house: Served) -> None:
    house.keeper.request(house.persons["asker"], "access", channel="letter")
    assert re.search(r"1</b> <a[^>]*>requests open", house.signed_in("officer").get("/console/trial").text)
    later(house, 40 * DAY)
    page = house.signed_in("officer").get("/console/trial").text
    assert re.search(r"1</b> <a[^>]*>requests late", page)
    assert "was due" in page
    assert "requests late" in house.signed_in("auditor").get("/console/trial").text
    assert house.persons["asker"] not in house.signed_in("auditor").get("/console/trial").text


# ── look-up ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-6.6.a")
def test_every_look_is_on_record_with_its_reason_before_anything_is_shown(house: Served) -> None:
    desk = house.signed_in("counsel")
    desk.get("/console/trial/people")
    page = desk.send("/console/trial/people", item="email", text="nobody@example.org", reason="complaint")
    assert "Nobody has exactly this" in page.text
    look = entries(house, "lookup.made")[-1].entry
    assert look.fields["reason"] == "complaint"
    assert look.fields["reader_id"] == house.staff["counsel"].account.handler_id
    assert look.fields["found"] == 0


def test_a_part_of_an_identifier_finds_nobody(house: Served) -> None:
    desk = house.signed_in("officer")
    for part in ("asker", "@example.org", "asker@example", "%", "*", "a"):
        desk.get("/console/trial/people")
        assert (
            "Nobody has exactly this"
            in desk.send("/console/trial/people", item="email", text=part, reason="inquiry").text
        )


def test_a_persons_page_opens_only_after_a_look_with_a_reason(house: Served) -> None:
    there = f"/console/trial/people/{house.persons['stayer']}"
    desk = house.signed_in("officer")
    refused = desk.get(there)
    assert refused.status_code == 403
    assert "Look this person up first" in refused.text
    desk.get("/console/trial/people")
    desk.send("/console/trial/people", item="email", text=text_of("stayer", "email"), reason="inquiry")
    assert desk.get(there).status_code == 200
    assert house.signed_in("handler").get(there).status_code == 403  # a look of one is none of another


def test_several_persons_of_one_identifier_are_listed_by_number(house: Served) -> None:
    twin = joined(house.keeper, "twin", offers=False)
    house.keeper.correct(
        twin,
        next(one[0].value_id for one in house.keeper.holdings(twin) if one[0].item == "email"),
        text_of("asker", "email"),
    )
    desk = house.signed_in("officer")
    desk.get("/console/trial/people")
    page = desk.send("/console/trial/people", item="email", text=text_of("asker", "email"), reason="inquiry")
    assert "2 persons have this" in page.text
    assert twin in page.text


def test_a_persons_page_tells_why_until_when_and_who_got_it_but_no_content(house: Served) -> None:
    desk = house.signed_in("officer")
    desk.get("/console/trial/people")
    desk.send("/console/trial/people", item="email", text=text_of("stayer", "email"), reason="inquiry")
    page = desk.get(f"/console/trial/people/{house.persons['stayer']}").text
    for told in ("the service", "offers", "Mall Ltd.", "in use", "T-4"):
        assert told in page
    for item in ("name", "email", "phone"):
        assert text_of("stayer", item) not in page


def test_who_searches_instead_of_working_is_stopped(house: Served) -> None:
    desk = house.signed_in("officer")
    desk.get("/console/trial/people")
    fields = {"item": "email", "text": "nobody@example.org", "reason": "inquiry"}
    pages = [desk.send("/console/trial/people", **fields).status_code for _ in range(LOOKS.most)]
    assert set(pages) == {200}
    assert desk.send("/console/trial/people", **fields).status_code == 429


def test_what_a_forged_form_asks_for_is_refused(house: Served) -> None:
    desk = house.signed_in("officer")
    for fields in (
        {"item": "name", "text": "x", "reason": "inquiry"},
        {"item": "email", "text": "x", "reason": "curiosity"},
        {"item": "email", "text": "x"},
    ):
        desk.get("/console/trial/people")
        assert desk.send("/console/trial/people", **fields).status_code == 400
    desk.get("/console/trial/people")
    assert desk.send("/console/trial/people", item="email", text="", reason="inquiry").status_code == 400


# ── evidence, destruction, proof ────────────────────────────────────────────────────────────────────────────────────


def test_what_was_destroyed_is_certified_for_who_may_see_it(house: Served) -> None:
    house.keeper.withdraw(house.persons["asker"], "purpose/offers", channel="website")
    later(house, 4 * DAY)
    house.keeper.sweep()
    desk = house.signed_in("officer")
    listed = desk.get("/console/trial/calendar").text
    found = re.findall(r'href="(/console/trial/certificates/\w+)"', listed)
    assert found
    page = desk.get(found[0])
    assert "파기 증명서" in page.text
    assert "upheld-bar" in page.text
    file = desk.get(f"{found[0]}/file")
    assert file.headers["content-type"] == "application/json"
    assert "attachment" in file.headers["content-disposition"]
    assert file.json()["proof"]


def test_work_done_by_hand_completes_the_certificate(house: Served) -> None:
    person = house.persons["asker"]
    value = next(one[0] for one in house.keeper.holdings(person) if one[0].item == "phone")
    house.keeper.also_in(person, value.value_id, "paper-file")
    house.keeper.withdraw(person, "purpose/offers", channel="website")
    later(house, 4 * DAY)
    house.keeper.sweep()
    (order,) = house.keeper.work_orders("trial")
    desk = house.signed_in("handler")
    desk.get("/console/trial/calendar")
    there = f"/console/trial/orders/{order.order_id}"
    assert desk.send(there, method="shred", by="handler", witness="privacy-officer").url.path.endswith("/calendar")
    assert house.keeper.work_orders("trial") == []
    assert entries(house, "work-order.done")[-1].entry.fields["witness"] == "privacy-officer"
    desk.get("/console/trial/account")
    assert desk.send(there, method="shred", by="handler").status_code == 404


def test_the_calendar_counts_what_falls_due_month_by_month(house: Served) -> None:
    house.keeper.fact(house.persons["stayer"], "closed")
    months = coming(house.keeper, "trial", 12)
    assert sum(one.separate for one in months) >= 2
    assert sum(one.destroy for one in months) >= 1
    assert months[0].first.day == 1
    assert [one.first.month for one in months] == [(8 + count) % 12 + 1 for count in range(12)]


def test_missing_evidence_is_asked_for_at_the_desk(house: Served) -> None:

    promised = """
safeguards:
  training: {clause: T-30, en: training of staff, ko: 직원 교육, evidence: training-record, due: P1Y,
             owner: officer}
"""
    third = WEB_POLICY.replace("2020-01-01", "2024-09-08").replace("2020-02-01", "2024-09-10") + promised
    house.keeper.publish(third.encode())
    house.clock.set(at("2024-09-12"))
    found = due_today(house.keeper, "trial")
    assert [one.control for one in found.evidence] == ["training"]
    assert "training of staff" in house.signed_in("officer").get("/console/trial").text
    house.keeper.file_evidence("trial", "training", "training-record")
    assert due_today(house.keeper, "trial").evidence == ()
    house.clock.set(at("2025-09-05"))
    assert [one.control for one in due_today(house.keeper, "trial").evidence_soon] == ["training"]


def test_from_a_clause_one_gets_to_the_entry_that_shows_it(house: Served) -> None:
    auditor = house.signed_in("auditor")
    report = auditor.get("/console/trial/report").text
    clauses = re.findall(r'href="(/console/trial/report/T-[\w.-]+)"', report)
    assert clauses
    for clause in clauses:
        page = auditor.get(clause).text
        entry = re.search(r'href="(/console/trial/ledger/\d+%3A\d+|/console/trial/ledger/\d+:\d+)"', page)
        if entry:
            shown = auditor.get(entry[1])
            assert shown.status_code == 200
            assert "Entry" in shown.text
            return
    pytest.fail("no clause is shown by any entry")


def test_the_ledger_is_verified_on_demand_and_a_change_is_seen(house: Served) -> None:
    auditor = house.signed_in("auditor")
    whole = auditor.get("/console/trial/ledger", verify="now").text
    assert "The ledger is what was signed" in whole
    with house.keeper.places.ledger_copy() as path:
        found = verify_copy(path, (house.home / "public.pem").read_text())
    assert len(cannot_show(found)) == len(found.cannot_show)
    assert whole.count("<li>whe") == sum(one.startswith("whe") for one in found.cannot_show)
    connection = house.keeper.places.sealer.connection
    connection.execute("UPDATE body SET body = ? WHERE leaf = 0", (bytes(64),))
    assert "The ledger is not what was signed" in auditor.get("/console/trial/ledger", verify="now").text


def test_an_auditor_reads_and_changes_nothing(house: Served) -> None:

    number = RequestId("a" * 20)
    auditor = house.signed_in("auditor")
    auditor.get("/console/trial/account")
    changing = [route for route in ROUTES if route.method == "POST" and route.area == "console"]
    allowed = {"sign-in", "second-step", "sign-out", "own-account", "join", "staff-leave"}
    for route in changing:
        if route.name in allowed:
            continue
        parts = {"policy": "trial", "subject": house.persons["asker"], "request": number, "order": "x"}
        there = route.filled({name: parts.get(name, "x") for name in re.findall(r"{(\w+)", route.path)})
        assert auditor.send(there, outcome="done", proof="mandate").status_code == 403, route.name


def test_whose_clearance_lapsed_is_told_at_the_desk(house: Served) -> None:

    promised = """
safeguards:
  pledge: {clause: T-31, en: pledge of secrecy, ko: 보안 서약, evidence: pledge, due: P1Y,
           per: handler, blocks: access, owner: officer}
"""
    third = WEB_POLICY.replace("2020-01-01", "2024-09-08").replace("2020-02-01", "2024-09-10") + promised
    house.keeper.publish(third.encode())
    house.clock.set(at("2024-09-12"))
    page = house.signed_in("officer").get("/console/trial").text
    assert "Evidence that clears you is missing or too old (pledge of secrecy)" in page
    officer = house.keeper.grant("trial", "counsel")[0]
    house.keeper.file_evidence("trial", "pledge", "pledge", about=officer)
    cleared = house.keeper.reader("trial", officer)
    assert (cleared.lapsed, cleared.cleared_until) == ((), instant(at("2025-09-13", 0)))
    house.clock.set(at("2025-09-12", 23))
    assert house.keeper.reader("trial", officer).lapsed == ()
    house.clock.set(at("2025-09-13", 0))
    assert house.keeper.reader("trial", officer).lapsed == ("pledge",), "a pledge given once is none for ever"


# ── consents, counted ───────────────────────────────────────────────────────────────────────────────────────────────


def test_consents_are_counted_by_matter_and_by_month_of_the_policys_zone(house: Served) -> None:
    keeper = house.keeper
    assert {one.about: (one.given, one.withdrawn) for one in standing(keeper, "trial")} == {
        "purpose/offers": (3, 0),
        "provision/mall": (1, 0),
    }
    house.clock.set(at("2024-10-01", 0))  # in UTC it is September still
    keeper.withdraw(house.persons["asker"], "purpose/offers", channel="website")
    months = by_month(keeper, "trial")
    assert [str(one.first) for one in months[-2:]] == ["2024-09-01", "2024-10-01"]
    assert [(one.given, one.withdrawn) for one in months[-5:]] == [(4, 0), (0, 0), (0, 0), (0, 0), (0, 1)]
    assert {one.about: (one.given, one.withdrawn) for one in standing(keeper, "trial")}["purpose/offers"] == (2, 1)
    page = house.signed_in("auditor").get("/console/trial/consents").text
    assert "Mall Ltd." in page
    assert house.persons["asker"] not in page


def test_the_list_of_requests_is_narrowed_and_counted(house: Served) -> None:
    keeper = house.keeper
    keeper.request(house.persons["asker"], "access", channel="letter")
    later(house, 30 * DAY)
    keeper.request(house.persons["stayer"], "erasure", channel="letter", proved=True)
    desk = house.signed_in("officer")
    told = {name: desk.get("/console/trial/requests", show=name).text for name in SHOWN}
    rows = {name: re.findall(r'<th scope="row"><a[^>]*>(\w+)', text) for name, text in told.items()}
    assert rows == {
        "open": ["Access", "Deletion"], "late": ["Access"], "week": [], "unproved": ["Access"], "answered": [],
    }  # fmt: skip
    assert 'class="late"' in told["open"]
    assert "No request has been answered yet." in told["answered"]
    assert desk.get("/console/trial/requests", show="all").status_code == 400
