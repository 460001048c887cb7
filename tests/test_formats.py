"""The policy and a consent in formats of others: the same bytes each time, nothing left out, nothing of a person."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import openpyxl
import pytest
import yaml
from typer.testing import CliRunner

from upheld.cli import app
from upheld.errors import InputRefused
from upheld.policy.formats import Anchor, GivenConsent, House, as_xlsx, export, iso27560, kantara
from upheld.policy.formats.dpv import BASES
from upheld.policy.formats.ropa import COLUMNS
from upheld.policy.model import Policy
from upheld.policy.read import read_policy
from upheld.policy.vocabulary import Basis

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ROOT / "tests" / "documents"
GOLDEN = DOCUMENTS / "formats"
REAL = ("bizmeka-ez-2016", "bizmeka-ez-2018", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")
HOUSE = House(
    jurisdiction="KR",
    address="Example Street 1, Seoul",
    email="privacy@example.org",
    policy_url="https://clinic.example.org/privacy",
)
NEWS = GivenConsent(
    consent="c0nsent0000000000001",
    subject="a1ias000000000000001",
    matter="purpose/news",
    at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    text_hash="sha256:0f1e2d",
    locale="en",
    channel="website",
    version="2026-11-01",
)
BUREAU = replace(NEWS, matter="provision/bureau", withdrawn=datetime(2026, 12, 1, tzinfo=UTC))

Form = Literal["dpv", "ropa", "fideslang"]


@pytest.fixture(scope="module")
def clinic() -> Policy:
    return read_policy((DOCUMENTS / "sound.yaml").read_bytes(), "sound.yaml")


@pytest.fixture(scope="module", params=REAL)
def real(request: pytest.FixtureRequest) -> Policy:
    return read_policy((ROOT / "policies" / f"{request.param}.yaml").read_bytes(), request.param)


def golden(name: str) -> str:
    return (GOLDEN / name).read_bytes().decode()


def as_json(found: Mapping[str, object]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


@pytest.mark.parametrize(
    ("form", "locale", "name"),
    [
        ("ropa", "en", "ropa.en.csv"),
        ("ropa", "ko", "ropa.ko.csv"),
        ("dpv", "en", "dpv.json"),
        ("fideslang", "en", "fideslang.yaml"),
    ],
)
def test_an_export_is_byte_for_byte_the_one_on_file(clinic: Policy, form: Form, locale: str, name: str) -> None:
    assert export(clinic, form, locale) == golden(name)


def test_receipts_and_records_are_byte_for_byte_those_on_file(clinic: Policy) -> None:
    assert as_json(kantara.receipt(clinic, NEWS, HOUSE)) == golden("kantara.purpose.json")
    assert as_json(kantara.receipt(clinic, BUREAU, HOUSE)) == golden("kantara.provision.json")
    assert as_json(iso27560.record(clinic, NEWS, HOUSE)) == golden("iso27560.purpose.json")
    assert as_json(iso27560.record(clinic, BUREAU, HOUSE)) == golden("iso27560.provision.json")


# ------------------------------------------------------------------------------------------------ record of processing


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_the_record_of_processing_has_a_full_line_for_each_purpose(real: Policy, locale: str) -> None:
    head, *lines = csv.reader(io.StringIO(export(real, "ropa", locale), newline=""))
    assert head == [one.say(locale) for one in COLUMNS]
    assert len(lines) == len(real.purposes)
    needed = [place for place, one in enumerate(COLUMNS) if one.en in {"controller", "contact", "purpose", "clauses"}]
    assert all(line[place] for line in lines for place in needed)
    for line, purpose in zip(lines, real.purposes.values(), strict=True):
        items = line[[one.en for one in COLUMNS].index("categories of data")]
        assert all(real.items[item].texts[locale] in items for item in purpose.items)


def test_a_cell_is_never_a_formula(clinic: Policy) -> None:
    controller = replace(clinic.controller, texts={"en": '=HYPERLINK("x")'})
    _, first, *_ = csv.reader(io.StringIO(export(replace(clinic, controller=controller), "ropa", "en"), newline=""))
    assert first[0] == '\'=HYPERLINK("x")'


def test_several_grounds_of_a_purpose_are_told_with_their_items(clinic: Policy) -> None:
    care = replace(clinic.purposes["care"], basis={"name": Basis.CONTRACT, "birth": Basis.LAW, "fee": Basis.CONTRACT})
    policy = replace(clinic, purposes={"care": care})
    (line,) = csv.DictReader(io.StringIO(export(policy, "ropa", "en"), newline=""))
    assert line["legal basis"] == "contract: name, fee; law: date of birth"
    manifest = yaml.safe_load(export(policy, "fideslang", "en"))
    (system,) = manifest["system"]
    assert [(one["legal_basis_for_processing"], one["data_categories"]) for one in system["privacy_declarations"]] == [
        ("Contract", ["user.clinic.name", "user.clinic.fee"]),
        ("Legal obligations", ["user.clinic.birth"]),
    ]


def sheets(content: bytes) -> dict[str, list[list[str]]]:
    """Every cell of a workbook as text, by sheet."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [[str(cell.value or "") for cell in row] for row in sheet.rows] for sheet in book.worksheets}


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_the_register_has_cell_for_cell_what_is_on_file(clinic: Policy, locale: str) -> None:
    assert as_json(sheets(as_xlsx(clinic, locale))) == golden(f"register.{locale}.json")


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_the_register_lists_each_row_of_each_section(real: Policy, locale: str) -> None:
    _, purposes, *others = sheets(as_xlsx(real, locale)).values()
    head, *lines = csv.reader(io.StringIO(export(real, "ropa", locale), newline=""))
    assert [head, *lines] == purposes
    sections = (real.provisions, real.entrustments, real.transfers, real.statutes, real.retention)
    assert [len(lines) - 1 for lines in others] == [len(rows) for rows in sections]
    for lines, rows in zip(others, sections, strict=True):
        assert all(line[0] and line[-1] for line in lines)
        assert [line[-1] for line in lines[1:]] == ["; ".join(row.cites()) for row in rows.values()]


def test_the_register_is_the_same_bytes_each_time_and_can_be_printed(clinic: Policy) -> None:
    content = as_xlsx(clinic, "ko")
    assert content == as_xlsx(clinic, "ko")
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "B2"
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.page_setup.orientation == "landscape"
        assert all(cell.alignment.wrap_text for row in sheet.rows for cell in row)


def test_no_cell_of_the_register_is_a_formula(clinic: Policy) -> None:
    sly = replace(clinic, controller=replace(clinic.controller, texts={"en": '=HYPERLINK("x")', "ko": "@x"}))
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(sly, "en")))
    cells = [cell for sheet in book.worksheets for row in sheet.rows for cell in row]
    assert '=HYPERLINK("x")' in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells if cell.value} == {"s"}


# ------------------------------------------------------------------------------------------------------ DPV, fideslang


def prefixes(found: Any) -> set[str]:
    """Each prefix that a key, a type or a reference of a JSON-LD document uses."""
    match found:
        case dict():
            inside = {key.partition(":")[0] for key in found if not key.startswith("@")}
            return inside.union(*(prefixes(value) for key, value in found.items() if key not in {"@context", "@value"}))
        case list():
            return set[str]().union(*map(prefixes, found))
        case str():
            return {*re.findall(r"\A(dpv|dct|xsd):", found)}
        case _:
            return set()


def texts_with_prefix(found: Any, key: str = "") -> set[str]:
    """The keys under which a term stands as a plain string."""
    match found:
        case dict():
            return set[str]().union(
                *(texts_with_prefix(value, name) for name, value in found.items() if not name.startswith("@"))
            )
        case list():
            return set[str]().union(*(texts_with_prefix(value, key) for value in found))
        case _:
            return {key} if isinstance(found, str) and re.match(r"(dpv|dct|xsd|https?):", found) else set()


def test_a_term_of_a_vocabulary_is_never_mistaken_for_a_text(clinic: Policy) -> None:
    for found in (json.loads(export(clinic, "dpv", "en")), iso27560.record(clinic, BUREAU, HOUSE)):
        context: Any = found["@context"]
        coerced = {key for key, value in context.items() if value == {"@type": "@id"}}
        assert texts_with_prefix(found) <= coerced


def test_dpv_tells_each_purpose_that_runs_with_ground_items_and_term(real: Policy) -> None:
    found = json.loads(export(real, "dpv", "en"))
    assert prefixes(found) <= {*found["@context"]}
    running = [row for row in real.purposes.values() if not row.blocked]
    assert [one["@id"] for one in found["dpv:hasProcess"]] == [
        f"urn:upheld:{real.policy}:{row.path}" for row in running
    ]
    for process, row in zip(found["dpv:hasProcess"], running, strict=True):
        assert len(process["dpv:hasPersonalData"]) == len(row.items)
        assert process["dpv:hasLegalBasis"]
        assert process["dpv:hasStorageCondition"]["dct:description"]
    assert {*BASES} == {*Basis}


def test_a_fideslang_manifest_declares_every_key_that_it_uses(real: Policy) -> None:
    found = yaml.safe_load(export(real, "fideslang", "en"))
    declared = {kind: [one["fides_key"] for one in found[kind]] for kind in found}
    assert all(len(keys) == len({*keys}) for keys in declared.values())
    assert all(re.fullmatch(r"[a-zA-Z0-9_.<>-]+", key) for keys in declared.values() for key in keys)
    (system,) = found["system"]
    for one in system["privacy_declarations"]:
        assert one["data_use"] in declared["data_use"]
        assert {*one["data_categories"]} <= {*declared["data_category"]}
        assert {*one["data_subjects"]} <= {*declared["data_subject"]}
        assert {*one["dataset_references"]} <= {*declared["dataset"]}
        assert one["retention_period"]
    (dataset,) = found["dataset"]
    fields = [field["name"] for collection in dataset["collections"] for field in collection["fields"]]
    running = [row for row in real.purposes.values() if not row.blocked]
    assert {*fields} == {item.replace("-", "_") for row in running for item in row.items}


# ------------------------------------------------------------------------------------------------------------- consent


def kantara_faults(found: Mapping[str, Any]) -> list[str]:
    """Where a receipt departs from the specification 1.1: its required fields, their types and conditions."""
    faults = [key for key, kind in KANTARA.items() if type(found.get(key)) is not kind]
    faults += [key for key in found if key not in {**KANTARA, **KANTARA_OPTIONAL}]
    faults += [key for key, kind in KANTARA_OPTIONAL.items() if key in found and type(found[key]) is not kind]
    for controller in found["piiControllers"] or ():
        faults += [key for key, kind in KANTARA_CONTROLLER.items() if type(controller.get(key)) is not kind]
    for service in found["services"] or ():
        faults += [] if service["service"] and service["purposes"] else ["services"]
        for purpose in service["purposes"]:
            faults += [key for key, kind in KANTARA_PURPOSE.items() if type(purpose.get(key)) is not kind]
            faults += [] if ("thirdPartyName" in purpose) is purpose["thirdPartyDisclosure"] else ["thirdPartyName"]
    faults += [] if bool(found["spiCat"]) is found["sensitive"] else ["spiCat"]
    return faults


KANTARA: Mapping[str, type] = {
    "version": str,
    "jurisdiction": str,
    "consentTimestamp": int,
    "collectionMethod": str,
    "consentReceiptID": str,
    "language": str,
    "piiPrincipalId": str,
    "piiControllers": list,
    "policyUrl": str,
    "services": list,
    "sensitive": bool,
    "spiCat": list,
}
KANTARA_OPTIONAL: Mapping[str, type] = {"publicKey": str, "upheld": dict, "proof": dict}
KANTARA_CONTROLLER: Mapping[str, type] = {
    "piiController": str,
    "contact": str,
    "address": dict,
    "email": str,
    "phone": str,
}
KANTARA_PURPOSE: Mapping[str, type] = {
    "purpose": str,
    "purposeCategory": list,
    "consentType": str,
    "piiCategory": list,
    "primaryPurpose": bool,
    "termination": str,
    "thirdPartyDisclosure": bool,
}


@pytest.mark.parametrize(
    "matter",
    ["purpose/record", "purpose/news", "provision/bureau", "transfer/bureau-japan", "item/name"],
)
@pytest.mark.parametrize("locale", ["en", "ko"])
def test_a_receipt_has_each_field_of_the_specification_in_its_type(clinic: Policy, matter: str, locale: str) -> None:
    found: dict[str, Any] = kantara.receipt(clinic, replace(NEWS, matter=matter, locale=locale), HOUSE)
    assert kantara_faults(found) == []
    (controller,) = found["piiControllers"]
    assert all(controller[key] for key in KANTARA_CONTROLLER)
    (purpose,) = found["services"][0]["purposes"]
    assert purpose["purpose"]
    assert purpose["termination"]
    assert purpose["piiCategory"]
    assert found["sensitive"] is (matter == "purpose/record")


@pytest.mark.parametrize("key", [*KANTARA, *KANTARA_CONTROLLER, *KANTARA_PURPOSE])
def test_a_receipt_without_a_required_field_would_be_found(clinic: Policy, key: str) -> None:
    found: dict[str, Any] = json.loads(as_json(kantara.receipt(clinic, NEWS, HOUSE)))
    for part in (found, found["piiControllers"][0], found["services"][0]["purposes"][0]):
        if key in part:
            part[key] = None
            assert any(key in fault for fault in kantara_faults(found))
            return
    raise AssertionError(key)


def test_every_matter_of_every_policy_has_a_receipt_in_both_formats(real: Policy) -> None:
    matters = [
        *(f"purpose/{name}" for name in real.purposes),
        *(f"permission/{name}" for name in real.purposes),
        *(f"provision/{name}" for name in real.provisions),
        *(f"entrustment/{name}" for name in real.entrustments),
        *(f"transfer/{name}" for name in real.transfers),
        *(f"{kind}/{name}" for kind in ("medium", "night") for name in real.advertising),
        *(f"item/{name}" for name in real.items),
    ]
    for matter in matters:
        given = replace(NEWS, matter=matter)
        assert kantara_faults(kantara.receipt(real, given, HOUSE)) == [], matter
        made: Any = iso27560.record(real, given, HOUSE)
        assert prefixes(made) <= {*made["@context"]}
        assert made["dpv:hasProcess"]["dpv:hasPurpose"]["dct:title"], matter


def test_a_receipt_of_an_entrustment_names_the_processor_and_discloses_nothing(real: Policy) -> None:
    for name, row in real.entrustments.items():
        party = real.parties[row.to or name].texts["en"]
        found: Any = kantara.receipt(real, replace(NEWS, matter=f"entrustment/{name}"), HOUSE)
        (purpose,) = found["services"][0]["purposes"]
        assert party in purpose["purpose"]
        assert purpose["thirdPartyDisclosure"] is False
        made: Any = iso27560.record(real, replace(NEWS, matter=f"entrustment/{name}"), HOUSE)
        (processor,) = made["dpv:hasProcess"]["dpv:hasDataProcessor"]
        assert {"@language": "en", "@value": party} in processor["dct:title"]


def test_receipts_carry_the_checkpoint_and_the_withdrawal(clinic: Policy) -> None:
    anchor = Anchor("checkpoint of a ledger", "a public key")
    receipt: Any = kantara.receipt(clinic, BUREAU, HOUSE, anchor)
    record: Any = iso27560.record(clinic, BUREAU, HOUSE, anchor)
    assert receipt["proof"]["checkpoint"] == record["proof"]["checkpoint"] == "checkpoint of a ledger"
    assert receipt["publicKey"] == "a public key"
    assert record["@context"]["proof"] is None
    assert receipt["upheld"]["withdrawnTimestamp"] == int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
    assert "withdrawnTimestamp" not in kantara.receipt(clinic, NEWS, HOUSE)["upheld"]  # type: ignore[operator]  # JSON


def test_a_withdrawal_is_a_second_event_of_the_record(clinic: Policy) -> None:
    given: Any = iso27560.record(clinic, replace(BUREAU, withdrawn=None), HOUSE)["dpv:hasConsentStatus"]
    taken_back: Any = iso27560.record(clinic, BUREAU, HOUSE)["dpv:hasConsentStatus"]
    assert [one["@type"] for one in given] == ["dpv:ConsentGiven"]
    assert taken_back[0] == given[0]
    assert taken_back[1]["@type"] == "dpv:ConsentWithdrawn"
    assert taken_back[1]["dpv:isIndicatedAtTime"]["@value"] == "2026-12-01T00:00:00+00:00"


@pytest.mark.parametrize("make", [kantara.receipt, iso27560.record])
def test_what_cannot_be_told_exactly_is_refused(clinic: Policy, make: Any) -> None:
    for matter in ("purpose/nothing", "medium/nothing", "representative/mother", "news"):
        with pytest.raises(InputRefused, match="matter-unknown"):
            make(clinic, replace(NEWS, matter=matter), HOUSE)
    with pytest.raises(InputRefused, match="instant-without-zone"):
        make(clinic, replace(NEWS, at=datetime(2026, 11, 22)), HOUSE)  # noqa: DTZ001 - wrong on purpose


def test_the_command_prints_what_the_function_makes(clinic: Policy) -> None:
    said = CliRunner().invoke(app, ["export", str(DOCUMENTS / "sound.yaml"), "--format", "fideslang", "--locale", "ko"])
    assert said.exit_code == 0
    assert said.stdout == export(clinic, "fideslang", "ko")
    book = CliRunner().invoke(app, ["export", str(DOCUMENTS / "sound.yaml"), "--format", "xlsx", "--locale", "ko"])
    assert book.stdout_bytes == as_xlsx(clinic, "ko")
    assert export(clinic, "fideslang", "fr")  # English stands in where no wording is known
