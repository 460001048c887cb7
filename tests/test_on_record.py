"""Each refusal of each verb is on record: refused acts with reason and clause, rejected inputs with code and verb."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

import pytest

import upheld
from upheld.dates import Period
from upheld.engine.acts import EngagementId, HandlerId, Read, Reader, ReaderKind, RequestId, SubjectId, ValueId
from upheld.engine.leaks import LeakCause, LeakStep
from upheld.errors import InputRefused, PolicyRefused
from upheld.keeper import Keeper, Outcome, Reading
from upheld.keeper.inspecting import Page
from upheld.keeper.rejecting import VERBS
from upheld.store import history

SEOUL = ZoneInfo("Asia/Seoul")
POLICIES = Path(__file__).parent.parent / "policies"
BIZMEKA, NOBODY = "bizmeka-ez", SubjectId("a" * 20)
PROGRAM = Reader(ReaderKind.APPLICATION, "crm")
LOOKS = frozenset(
    {
        "acting_for",
        "answer_of",
        "application",
        "application_named",
        "application_of",
        "applications",
        "approved_until",
        "arrivals",
        "audit",
        "batch",
        "bound",
        "carry_out",
        "certificate",
        "certificates",
        "check_known",
        "clock_trusted",
        "clear_rehearsals",
        "close",
        "consents",
        "deadline",
        "deliver",
        "disputed",
        "document",
        "evidence_of",
        "evidence_owed",
        "fallbacks",
        "first_night",
        "gaps_of",
        "grown_up",
        "holdings",
        "inspect",
        "is_working_day",
        "merger_state",
        "merger_terms",
        "mergers",
        "messages",
        "new_id",
        "notice",
        "now",
        "on_record",
        "open_steps",
        "origin_of",
        "overdue",
        "papers",
        "postings",
        "published_notice",
        "reader",
        "recall",
        "receipts",
        "received_by",
        "reconsent",
        "reconsent_text",
        "recover",
        "register_of",
        "rehearsals_left",
        "rehearse",
        "requests",
        "resume",
        "reviews",
        "seal",
        "seal_first",
        "seal_tail",
        "set_out",  # what it does not send goes by `read_many`
        "sweep",
        "sweeping",
        "today",
        "together",
        "told",
        "versions",
        "work_orders",
    }
)
"""What shows no contents and changes nothing by what a caller gives; and what the house does by itself."""


class House:
    """bizmeka 2018 in force, and somebody who gave what a refusal needs."""

    def __init__(self, folder: Path) -> None:
        self.clock = upheld.SetClock(datetime(2018, 7, 1, tzinfo=SEOUL))
        self.keeper = upheld.open(folder, upheld.Options(clock=self.clock, light_hashing=True))
        self.keeper.publish(POLICIES / "bizmeka-ez-2018.yaml")
        self.clock.set(datetime(2018, 7, 9, 9, tzinfo=SEOUL))
        self.subject = self.keeper.enter(BIZMEKA, "member")
        self.stay = EngagementId(self.keeper.begin(self.subject, "membership").made or "")
        self.keeper.consent(self.subject, "identity", channel="website")
        taken = self.keeper.collect(self.subject, "identity", {"name": "Made Up"}, channel="website")
        (self.value,) = taken.values["name"]
        letter = self.keeper.request(self.subject, "erasure", channel="website", proved=False)
        self.letter = RequestId(letter.made or "")
        self.officer, _ = self.keeper.grant(BIZMEKA, next(iter(self.keeper.versions(BIZMEKA)[0].handlers)))

    def noted(self, kind: str) -> list[history.Recorded]:
        self.keeper.seal()
        return list(history.entries(self.keeper.places.sealer.connection, kinds=[kind]))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("on-record") / "home")
    yield made
    made.keeper.close()


REFUSED: dict[str, Callable[[House], Outcome]] = {
    "acts_for": lambda it: it.keeper.acts_for(it.subject, "agent", shown="library-card"),
    "answer": lambda it: it.keeper.answer(it.subject, it.letter, "done"),
    "collect": lambda it: it.keeper.collect(it.subject, "identity", {"blood-type": "A"}, channel="website"),
    "consent": lambda it: it.keeper.consent(child(it), "identity", channel="website"),
    "correct": lambda it: it.keeper.correct(it.subject, ValueId(7), "Somebody Else"),
    "disclose": lambda it: it.keeper.disclose(it.subject, "gossip", ("name",), shown=frozenset()),
    "entrust": lambda it: it.keeper.entrust(it.subject, "nobody", "identity", ("name",)),
    "prove": lambda it: it.keeper.prove(it.subject, it.letter, proof="library-card"),
    "provide": lambda it: it.keeper.provide(it.subject, "mhows", ("name",)),
    "read": lambda it: it.keeper.read(it.subject, "marketing", reader=PROGRAM, values=(it.value,)),
    "read_separated": lambda it: it.keeper.read_separated(it.subject, "statutes.none", reader=PROGRAM),
    "request": lambda it: it.keeper.request(
        it.subject, "erasure", channel="website", proved=True, by=mandated(it, "access")
    ),
    "reuse": lambda it: it.keeper.reuse(it.subject, "marketing", (it.value,), channel="website"),
    "send": lambda it: it.keeper.send(it.subject, "marketing", "email"),
    "show": lambda it: it.keeper.show(it.subject, reader=Reader(ReaderKind.SUBJECT, "self")),
    "withdraw": lambda it: it.keeper.withdraw(it.subject, "provision/mhows", channel="website"),
}
"""Each verb that answers, in a way in which it has to refuse."""
ONLY_REJECTS = frozenset(
    [
        "accept_again",
        "acknowledge",
        "acts_no_longer",
        "begin",
        "extend",
        "fact",
        "incomplete",
        "lift",
        "pass_on",
        "postpone",
        "review",
    ]
)
"""Verbs that put on record what happened: nobody is asked whether it may have."""
OTHERS = frozenset({"answer_at_once", "erase", "grant", "read_batch", "read_many", "read_purpose"})
"""Answers of several, or beside something made; shown one by one below."""


def child(it: House) -> SubjectId:
    return it.keeper.enter(BIZMEKA, "member", born=date(2010, 1, 1))


def mandated(it: House, right: str) -> str:
    shown = tuple(it.keeper.document(BIZMEKA).acting_for["agent"].shows) or ("mandate",)
    return it.keeper.acts_for(it.subject, "agent", shown=shown, rights=(right,)).made or ""


def test_every_verb_that_answers_is_refused_here() -> None:
    answering = {name for name in VERBS if get_type_hints(getattr(Keeper, name)).get("return") is Outcome}
    assert answering - ONLY_REJECTS == set(REFUSED)
    assert {name for name in VERBS if "Outcome" in str(returned(name)) or returned(name) is Page} - answering == OTHERS


def returned(name: str) -> object:
    return get_type_hints(getattr(Keeper, name)).get("return")


@pytest.mark.parametrize("verb", REFUSED)
def test_each_verb_that_refuses_leaves_one_entry_with_its_reason_and_clause(house: House, verb: str) -> None:
    seen = {kind: len(house.noted(kind)) for kind in ("act.refused", "read.refused", "input.rejected")}
    outcome = REFUSED[verb](house)
    assert not outcome.granted
    new = [one.entry for kind, count in seen.items() for one in house.noted(kind)[count:]]
    (entry,) = new
    assert tuple(entry.fields["reasons"]) == tuple(one.value for one in outcome.reasons)  # type: ignore[arg-type]  # codes
    assert entry.policy == BIZMEKA
    assert entry.elements, f"{verb}: nothing says by what it was refused"
    assert set(entry.elements) <= {cited.element for cited in outcome.because}


def test_several_refused_at_once_leave_an_entry_each(house: House) -> None:
    keeper = house.keeper
    before = len(house.noted("read.refused"))
    readings = [Reading(house.subject, Read("marketing", PROGRAM, values=(house.value,)))] * 2
    assert [one.granted for one in keeper.read_many(readings)] == [False, False]
    batch = keeper.read_batch("marketing", [(house.subject, house.value)], reader=PROGRAM)
    assert not batch.texts
    assert len(house.noted("read.refused")) == before + 3


def test_a_role_that_is_refused_is_on_record(house: House) -> None:
    rows = house.keeper.versions(BIZMEKA)[0].handlers
    name, row = next((name, one) for name, one in rows.items() if one.granted_with)
    before = len(house.noted("act.refused"))
    _, outcome = house.keeper.grant(BIZMEKA, name)
    (entry,) = [one.entry for one in house.noted("act.refused")[before:]]
    assert (entry.fields["reasons"], entry.elements) == (("approval-missing",), (row.rule.path,))
    assert not outcome.granted


def test_an_erasure_at_once_that_is_refused_is_on_record_as_a_request_is(house: House) -> None:
    before = len(house.noted("act.refused"))
    outcome, gone = house.keeper.erase(house.subject, channel="website", proved=True, by=mandated(house, "access"))
    (entry,) = [one.entry for one in house.noted("act.refused")[before:]]
    assert tuple(entry.fields["reasons"]) == tuple(one.value for one in outcome.reasons)  # type: ignore[arg-type]  # codes
    assert (outcome.granted, gone, entry.policy) == (False, 0, BIZMEKA)
    assert house.keeper.holdings(house.subject)[0][0].value_id == house.value


def test_an_erasure_that_is_not_granted_at_once_leaves_one_refusal(house: House) -> None:
    before = len(house.noted("act.refused"))
    outcome, gone = house.keeper.answer_at_once(house.subject, house.letter, "done")
    (entry,) = [one.entry for one in house.noted("act.refused")[before:]]
    assert entry.fields["reasons"] == ("identity-not-proved",)
    assert (outcome.granted, gone, entry.policy) == (False, 0, BIZMEKA)


# ── inputs that cannot be used ────────────────────────────────────────────────────────────────────────────────────────


def test_every_public_name_of_the_keeper_is_a_verb_or_a_look() -> None:
    public = {name for name, _ in inspect.getmembers(Keeper, inspect.isfunction) if not name.startswith("_")}
    assert public - LOOKS == VERBS, "a verb leaves a rejected input on record (keeper/rejecting.py), a look has none"
    assert not VERBS & LOOKS


GIVEN: dict[str, Any] = {
    "policy": "no-such-policy", "subject_id": NOBODY, "message_id": "b" * 20, "order_id": "c" * 20,
    "wanted": [(NOBODY, ValueId(7))], "readings": [Reading(NOBODY, Read("identity", PROGRAM, items=("name",)))],
    "document": b"policy: none", "reader": PROGRAM, "outcome": "kept", "texts": {"name": "Made Up"}, "at": None,
    "until": datetime(2030, 1, 1, tzinfo=SEOUL), "effective_on": date(2030, 1, 1), "day": date(2030, 1, 1),
    "lateness": Period(days=1), "number": 1, "terms": {},
    "cause": next(iter(LeakCause)), "step": next(iter(LeakStep)), "since": 0, "handler": HandlerId("h" * 20),
    "content": b"x", "evidence": b"x", "digest": b"x" * 32, "kinds": ["member"], "receiver": lambda bundle: None,
    "kept_for": None, "media": ("email",), "duties": (), "purposes": (), "values": (), "proof": "mandate",
    "shown": frozenset(), "house": None, "value": ValueId(7), "items": ("name",),
}  # fmt: skip
"""An argument of each name: a policy, a person, a message that are not there."""


def rejected(verb: Callable[..., object]) -> InputRefused | PolicyRefused:
    parameters = [one for one in inspect.signature(verb).parameters.values() if one.default is one.empty]
    given = {one.name: GIVEN.get(one.name, "no-such-thing") for one in parameters}
    with pytest.raises((InputRefused, PolicyRefused)) as caught:
        verb(**given)
    assert isinstance(caught.value, InputRefused | PolicyRefused)
    return caught.value


NOTHING_THERE = frozenset({"destroy_paper", "paper"})
"""What is not there is nothing to show, and to destroy it again changes nothing: none of these is a rejected input."""


@pytest.mark.parametrize("verb", sorted(VERBS - NOTHING_THERE))
def test_each_verb_that_rejects_its_input_leaves_its_code_and_nothing_else(house: House, verb: str) -> None:
    before = len(house.noted("input.rejected"))
    refusal = rejected(getattr(house.keeper, verb))
    code = refusal.code if isinstance(refusal, InputRefused) else refusal.problems[0].code
    (entry,) = [one.entry for one in house.noted("input.rejected")[before:]]
    assert entry.fields == {"code": code, "place": verb.replace("_", "-")}
    assert (entry.policy, entry.persons, entry.elements) == ("house", (), ())


def test_what_is_rejected_about_somebody_stands_under_that_person(house: House) -> None:
    before = len(house.noted("input.rejected"))
    with pytest.raises(InputRefused, match="request-unknown"):
        house.keeper.answer(house.subject, RequestId("x" * 20), "refused", reason="law")
    with pytest.raises(InputRefused, match="about-unknown"):
        house.keeper.consent(house.subject, "gossip/all", channel="website")
    with pytest.raises(InputRefused, match="party-unknown"):
        house.keeper.contract(BIZMEKA, "nobody-we-know")
    found = [one.entry for one in house.noted("input.rejected")[before:]]
    alias = house.keeper.views.alias(house.subject)
    assert [(one.policy, one.persons, one.fields["place"]) for one in found] == [
        (BIZMEKA, (alias,), "answer"), (BIZMEKA, (alias,), "consent"), (BIZMEKA, (), "contract"),
    ]  # fmt: skip


def test_time_goes_on(house: House) -> None:
    """What was refused leaves the house as it was: the next sweep and the verifier find nothing to say."""
    house.clock.set(house.clock.now() + int(timedelta(days=1).total_seconds()) * 1_000_000)
    assert not house.keeper.sweep().waiting
    assert house.keeper.holdings(house.subject)[0][0].value_id == house.value
