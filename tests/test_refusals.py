"""Every refusal code is given by the system in a life that can happen: a member without a witness fails here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

import upheld
from tests import reference_answers
from tests.sketch import APPLICATION, SEOUL, Sketch
from tests.test_cases import opener
from upheld.cases import read_cases, run_file
from upheld.engine.acts import LAYER, LAYERS, Act, Provide, Read, Reader, ReaderKind, ReadSeparated, Reason, Show
from upheld.engine.decide import decide_safely
from upheld.engine.lifecycle import Life
from upheld.engine.state import HeldState
from upheld.errors import StoreFailed

POLICIES = Path(__file__).parent.parent / "policies"
BIZMEKA = "bizmeka-ez-2018.yaml"

IN_A_CASE: dict[Reason, tuple[str, str]] = {
    Reason.NOT_IN_FORCE: ("bizmeka-ez-2016", "The version of 2016"),
    Reason.PURPOSE_UNNAMED: ("bizmeka-ez-2016", "Nothing is read or"),
    Reason.DECLARATION_INCOMPLETE: ("bizmeka-ez-2016", "Analysis by age and"),
    Reason.PURPOSE_UNDECLARED: ("bizmeka-ez-2016", "Nothing is read or"),
    Reason.ITEM_UNDECLARED: ("bizmeka-ez-2016", "Nothing is read or"),
    Reason.ITEM_NOT_COVERED: ("bizmeka-ez-2016", "Nothing is read or"),
    Reason.METHOD_UNDECLARED: ("bizmeka-ez-2016", "Only declared ways bring"),
    Reason.RECIPIENT_UNDECLARED: ("bizmeka-ez-2016", "Nobody outside the tables"),
    Reason.ITEMS_EXCEED_PROVISION: ("bizmeka-ez-2016", "One identity check by"),
    Reason.UNKNOWN: ("nexr-2017", "Nothing waits apart here"),
    Reason.DESTROYED: ("bizmeka-ez-2016", "A former customer asks"),
    Reason.CHILD_WITHOUT_REPRESENTATIVE: ("bizmeka-ez-2018", "On the fourteenth birthday"),
    Reason.KIND_NOT_COVERED: ("bizmeka-ez-2018", "The payer is asked"),
    Reason.NOT_SAME_GROUP: ("bizmeka-ez-2016", "Members of one group"),
    Reason.CONSENT_MISSING: ("bizmeka-ez-2016", "A company subscribes on"),
    Reason.CONSENT_WITHDRAWN: ("bizmeka-ez-2016", "Messages about the service"),
    Reason.CONSENT_SCOPE_OLDER: ("bizmeka-ez-2016", "Who agreed in 2016"),
    Reason.SEPARATE_CONSENT_MISSING: ("bizmeka-ez-2016", "Account and card numbers"),
    Reason.PERMISSION_MISSING: ("bizmeka-ez-2018", "A permission of the"),
    Reason.LAW_MISSING: ("bizmeka-ez-2016", "A demand under a"),
    Reason.TRANSFER_BASIS_MISSING: ("kt-enterprise-2022", "Data goes to the"),
    Reason.RECEIVING_CONSENT_MISSING: ("bizmeka-ez-2016", "An advertisement by text"),
    Reason.NIGHT: ("bizmeka-ez-2016", "An advertisement by text"),
    Reason.RECONFIRMATION_OVERDUE: ("bizmeka-ez-2018", "An advertisement needs three"),
    Reason.GROUND_ENDED: ("bizmeka-ez-2016", "What is kept apart"),
    Reason.VALUE_SEPARATED: ("bizmeka-ez-2016", "Advice by phone is"),
    Reason.VALUE_DUE: ("bizmeka-ez-2016", "Cookies of interest and"),
    Reason.FROZEN: ("bizmeka-ez-2016", "While one item is"),
    Reason.SUSPENDED: ("bizmeka-ez-2016", "A suspension that is"),
    Reason.PROVISION_ENDED: ("bizmeka-ez-2016", "One identity check by"),
    Reason.ENTRUSTMENT_ENDED: ("bizmeka-ez-2016", "A processor works under"),
    Reason.CONTRACT_MISSING: ("bizmeka-ez-2016", "A processor works under"),
    Reason.TRANSFER_STOPPED: ("kt-enterprise-2022", "A stop order halts"),
    Reason.DUTY_MISSING: ("bizmeka-ez-2016", "What arises in use"),
    Reason.CLEARANCE_LAPSED: ("bizmeka-ez-2016", "Nobody looks before pledge"),
    Reason.MANDATE_EXCEEDED: ("bizmeka-ez-2016", "An agent asks for"),
    Reason.IDENTITY_NOT_PROVED: ("bizmeka-ez-2016", "Account and card numbers"),
    Reason.DEMAND_INCOMPLETE: ("bizmeka-ez-2016", "A demand under a"),
    Reason.APPROVAL_MISSING: ("bizmeka-ez-2016", "A demand under a"),
}
"""Code → file of cases, and how the one begins that shows it; it is played here again, alone."""


@pytest.mark.parametrize("reason", IN_A_CASE)
def test_a_case_shows_the_code(reason: Reason, tmp_path: Path) -> None:
    name, begins = IN_A_CASE[reason]
    path = POLICIES / f"{name}.cases.yaml"
    (case,) = [one for one in read_cases(path).cases if one.sentence.startswith(begins)]
    assert any(reason.value in step.words("because") for step in case.steps)
    (run,) = run_file(alone(path, case.line, tmp_path), opener).cases
    assert run.differences == ()


def alone(path: Path, line: int, folder: Path) -> Path:
    """The file with the one case that begins at a line, beside its documents."""
    lines = path.read_text("utf-8").split("\n")
    starts = [number for number, text in enumerate(lines) if text.startswith("  - case:")]
    begin = max(number for number in starts if number < line)
    end = next((number for number in starts if number > begin), len(lines))
    for document in POLICIES.glob("*-20??.yaml"):
        shutil.copy(document, folder)
    made = folder / path.name
    made.write_text("\n".join([*lines[: starts[0]], *lines[begin:end]]), "utf-8")
    return made


# ── what no case can say ────────────────────────────────────────────────────────────────────────────────────────────


def held(state: HeldState) -> list[str]:
    one = Sketch(BIZMEKA)
    one.agree("purpose/identity")
    value = one.hold("name", "identity", one.begin("membership"))
    one.changed(value, held=state)
    return one.read("identity", value)


def of_an_employer() -> list[str]:
    one = Sketch(BIZMEKA)
    one.agree("purpose/identity")
    value = one.hold("name", "identity", one.begin("membership"), held_for="acme")
    return one.read("identity", value)


def test_whoever_asks_of_a_person_of_whom_all_is_destroyed_hears_so_by_whatever_act() -> None:
    one = Sketch(BIZMEKA)
    one.agree("purpose/identity", "provision/mhows")
    asked: list[Act] = [
        Read("identity", APPLICATION, ("name",), use="identify"),
        Show(Reader(ReaderKind.SUBJECT, "self"), identity_proved=True),
        ReadSeparated("statutes.tax", Reader(ReaderKind.HANDLER, "privacy", duties=frozenset({"separated"}))),
        Provide("mhows", ("name",)),
    ]
    before = [one.reasons(act) for act in asked]
    assert before[:3] == [["unknown"]] * 3
    value = one.hold("name", "identity", one.begin("membership"))
    one.changed(value, held=HeldState.DESTROYED)
    after = [one.reasons(act) for act in asked[:3]]
    assert after == [["destroyed"]] * 3
    one.hold("email", "identity", one.begin("membership"))
    assert one.reasons(asked[0]) == ["unknown"]


def a_rule_that_fails() -> list[str]:
    one = Sketch(BIZMEKA)
    one.agree("purpose/identity")
    value = one.hold("name", "identity", one.begin("membership"))
    act = Read("identity", APPLICATION, values=(value,), use="identify")
    heard: list[Exception] = []

    def fails(*_: object) -> None:
        raise KeyError("a rule of ours")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Life, "grounds", fails)
        decision = decide_safely(act, one.view, one.now, heard.append)
    assert [str(one) for one in heard] == ["'a rule of ours'"]
    return [reason.value for reason in decision.reasons]


def by_the_store(folder: Path, broken: Callable[[upheld.Keeper], None]) -> list[str]:
    """The code that the error carries: no decision can say it, as none could be put on record."""
    clock = upheld.SetClock(datetime(2018, 7, 1, tzinfo=SEOUL))
    with upheld.open(folder / "home", upheld.Options(clock=clock, light_hashing=True, durable=False)) as keeper:
        keeper.publish(POLICIES / BIZMEKA)
        clock.set(datetime(2018, 7, 10, 9, tzinfo=SEOUL))
        person = keeper.enter("bizmeka-ez", "member")
        broken(keeper)
        with pytest.raises(StoreFailed) as failed:
            keeper.read(person, "identity", use="identify", reader=APPLICATION, items=("name",))
        with pytest.raises(StoreFailed) as refused:
            keeper.collect(person, "identity", {"name": "Person Made-Up"}, channel="website")
        assert failed.value.reason == refused.value.reason
        return [failed.value.reason or ""]


def recovers(keeper: upheld.Keeper) -> None:
    keeper._recovering = True


def is_full(keeper: upheld.Keeper) -> None:
    def append(*_: object, **__: object) -> None:
        raise OSError("no space left on the device")

    keeper.places.active.writer.append = append  # type: ignore[method-assign]  # planted


OTHERWISE: dict[Reason, Callable[[Path], list[str]]] = {
    Reason.RECOVERING: partial(by_the_store, broken=recovers),
    Reason.VALUE_MOVING: lambda _: held(HeldState.MOVING),
    Reason.VALUE_DESTROYED: lambda _: held(HeldState.DESTROYED),
    Reason.HELD_FOR_ANOTHER: lambda _: of_an_employer(),
    Reason.RECORD_NOT_WRITTEN: partial(by_the_store, broken=is_full),
    Reason.RULE_FAILED: lambda _: a_rule_that_fails(),
}


@pytest.mark.parametrize("reason", OTHERWISE)
def test_the_code_is_given_where_its_page_says(reason: Reason, tmp_path: Path) -> None:
    assert OTHERWISE[reason](tmp_path) == [reason.value]


def test_every_code_has_a_witness_and_one_only() -> None:
    assert set(IN_A_CASE) | set(OTHERWISE) == set(Reason)
    assert not set(IN_A_CASE) & set(OTHERWISE)


def test_the_reference_knows_every_code_in_its_layer() -> None:
    codes = [{reason.value for reason in Reason if LAYER[reason] == layer} for layer in range(len(LAYERS))]
    assert codes[: len(reference_answers.LAYERS)] == reference_answers.LAYERS
    assert set().union(*codes[len(reference_answers.LAYERS) :]) == {"record-not-written", "rule-failed"}
