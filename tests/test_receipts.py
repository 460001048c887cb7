"""A receipt tells what a person agreed to, under which version and text, and carries a checkpoint that holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

import upheld
from upheld import system
from upheld.cli import app
from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused
from upheld.policy.formats import House
from upheld.store import verifying

POLICIES = Path(__file__).resolve().parent.parent / "policies"
SEOUL = ZoneInfo("Asia/Seoul")
BIZMEKA = "bizmeka-ez"
HOUSE = House(
    jurisdiction="KR", address="Example Street 1", email="privacy@example.org", policy_url="https://example.org/privacy"
)


class Home:
    """A home with bizmeka 2018 in force and one member."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = upheld.SetClock(datetime(2018, 7, 1, tzinfo=SEOUL))
        self.keeper = upheld.open(folder, upheld.Options(clock=self.clock, light_hashing=True))
        self.keeper.publish(POLICIES / "bizmeka-ez-2018.yaml")
        self.clock.set(datetime(2018, 7, 9, 9, tzinfo=SEOUL))

    def member(self) -> SubjectId:
        return self.keeper.enter(BIZMEKA, "member")

    def agree(self, subject: SubjectId, matter: str) -> str:
        outcome = self.keeper.consent(subject, matter, channel="website")
        assert outcome.granted
        return outcome.made or ""

    def tick(self) -> None:
        self.clock.set(self.clock.now() + int(timedelta(hours=1).total_seconds()) * 1_000_000)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("receipts") / "home")
    yield made
    made.keeper.close()


def test_a_receipt_tells_matter_version_text_and_time_of_the_consent(home: Home) -> None:
    subject = home.member()
    consent = home.agree(subject, "purpose/identity")
    found: Any = home.keeper.receipt(subject, "purpose/identity", HOUSE)
    assert found["consentReceiptID"] == consent
    assert found["consentTimestamp"] == home.clock.now() // 1_000_000
    assert found["upheld"]["policyVersion"] == home.keeper.views.line(BIZMEKA).latest.version
    assert found["upheld"]["textShown"].startswith("sha256:")
    assert found["piiPrincipalId"] not in ("", subject)
    assert "name" in found["services"][0]["purposes"][0]["piiCategory"]


def test_the_checkpoint_of_a_receipt_is_an_anchor_of_the_ledger(home: Home, tmp_path: Path) -> None:
    subject = home.member()
    home.agree(subject, "purpose/identity")
    for form in ("kantara", "27560"):
        (receipt,) = home.keeper.receipts(subject, HOUSE, form)
        note = verifying.anchor_in(json.dumps(receipt))
        forged = note.replace(note.splitlines()[1], "999999")
        with system.ledger_of(home.folder) as ledger:
            assert verifying.verify_copy(ledger, None, [note]).ok
            assert not verifying.verify_copy(ledger, None, [forged]).ok
        sealed: Any = receipt
        assert sealed["proof"]["checkpoint"] == note


def test_a_withdrawal_shows_in_the_receipt_and_a_new_consent_starts_anew(home: Home) -> None:
    subject = home.member()
    first = home.agree(subject, "provision/mhows")
    home.tick()
    home.keeper.withdraw(subject, "provision/mhows", channel="website")
    receipt: Any = home.keeper.receipt(subject, "provision/mhows", HOUSE)
    record: Any = home.keeper.receipt(subject, "provision/mhows", HOUSE, "27560")
    assert receipt["consentReceiptID"] == first
    assert receipt["upheld"]["withdrawnTimestamp"] == home.clock.now() // 1_000_000
    assert [one["@type"] for one in record["dpv:hasConsentStatus"]] == ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]
    home.tick()
    second = home.agree(subject, "provision/mhows")
    again: Any = home.keeper.receipt(subject, "provision/mhows", HOUSE)
    assert again["consentReceiptID"] == second != first
    assert "withdrawnTimestamp" not in again["upheld"]


def test_receipts_cover_purposes_recipients_processors_and_media(home: Home) -> None:
    subject = home.member()
    matters = ["purpose/identity", "provision/mhows", "entrustment/ktis", "medium/e-mail"]
    for matter in matters:
        home.agree(subject, matter)
        home.tick()
    found: list[Any] = home.keeper.receipts(subject, HOUSE)
    assert [one["upheld"]["matter"] for one in found] == matters
    assert [one["services"][0]["purposes"][0]["thirdPartyDisclosure"] for one in found] == [False, True, False, False]
    assert "KTIS" in found[2]["services"][0]["purposes"][0]["purpose"]
    assert len({one["proof"]["checkpoint"] for one in found}) == 1


def test_what_nobody_agreed_to_has_no_receipt(home: Home) -> None:
    subject = home.member()
    home.keeper.withdraw(subject, "purpose/identity", channel="website")
    assert home.keeper.receipts(subject, HOUSE) == []
    with pytest.raises(InputRefused, match="about-unknown"):
        home.keeper.receipt(subject, "purpose/identity", HOUSE)


def test_a_representatives_consent_has_a_receipt_for_what_it_was_given_for(home: Home) -> None:
    subject = home.member()
    home.agree(subject, "representative/consent")
    home.agree(subject, "purpose/identity")
    found: list[Any] = home.keeper.receipts(subject, HOUSE)
    assert [one["upheld"]["matter"] for one in found] == ["purpose/identity"]


def test_the_command_prints_receipts_as_json(tmp_path: Path) -> None:
    made = Home(tmp_path / "home")
    subject = made.member()
    made.agree(subject, "purpose/identity")
    made.keeper.close()
    flags = ["--address", "Example Street 1", "--email", "privacy@example.org", "--page", "https://example.org/privacy"]
    said = CliRunner().invoke(app, ["receipt", "--home", str(tmp_path / "home"), "--subject", subject, *flags])
    assert said.exit_code == 0, said.output
    (found,) = json.loads(said.stdout)
    assert found["version"] == "KI-CR-v1.1.0"
    flags += ["--matter", "purpose/identity", "--format", "27560"]
    one = CliRunner().invoke(app, ["receipt", "--home", str(tmp_path / "home"), "--subject", subject, *flags])
    assert json.loads(one.stdout)["dct:identifier"] == found["consentReceiptID"]
