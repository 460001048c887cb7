"""A certificate of destruction can be checked by whoever holds it, without us."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.test_ledger_journal import ALIAS, AT, GIVEN, OTHER, READ, VALUE
from tests.test_ledger_sealing import DAY, SIGNING, House
from upheld.ledger.certificate import (
    Certificate,
    CertificateRefused,
    Ground,
    Named,
    PlaceCleared,
    issued,
    proved,
    verify_certificate,
)
from upheld.ledger.certificate_page import page
from upheld.ledger.checkpoint import CheckpointRefused, verifier_key
from upheld.ledger.entries import entry
from upheld.store import history
from upheld.store.sqlite import export
from upheld.store.verifying import anchor_in, check_certificate, verify_copy

PUBLIC = verifier_key("trial", SIGNING.public_key())
SEOUL = ZoneInfo("Asia/Seoul")
NUMBER = "certificatecertifica"
CONTENT = Certificate(
    certificate_id=NUMBER,
    policy=Named("nexr", "privacy policy", "개인정보처리방침"),
    controller=Named("controller", "A Made-Up Company", "가상회사"),
    pseudonym=ALIAS,
    items=(Named("name", "name", "이름"), Named("email", "e-mail <address>", "전자우편")),
    value_count=2,
    grounds=(Ground(Named("purposes.required.inquiry", "inquiry", "문의"), AT, ("NX17-4.A",)),),
    due_at=AT,
    ordered_at=AT + DAY,
    unreadable_at=AT + DAY + 1,
    removed_at=AT + DAY + 2,
    scrubbed_at=AT + DAY + 3,
    certified_at=AT + DAY + 4,
    beyond_recovery_on="2017-09-09",
    method=Named("destroy-key", "key destroyed, record erased", "키 파기 후 기록 삭제"),
    approved_by=None,
    check=Named("read-back", "read back: gone", "재확인: 없음"),
    places=(PlaceCleared(Named("active", "active", "운영"), Named("erase", "erased", "삭제"), AT + DAY, "system"),),
)
DESTROYED = entry(
    "value.destroyed", AT + DAY + 4, "nexr", ALIAS, ("destruction.expired",), values=(VALUE, OTHER), certificate=NUMBER,
    due_at=AT, ordered_at=AT + DAY,
)  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.fill(7)
    house.write(READ, GIVEN, DESTROYED, GIVEN)
    house.seal(AT + DAY)
    yield house
    house.close()


def certified(house: House, content: Certificate = CONTENT, key: Ed25519PrivateKey = SIGNING) -> bytes:
    (found,) = history.entries(house.sealer.connection, kinds=["value.destroyed"])
    return issued(content, history.proof_of(house.sealer.connection, found.reference), key)


def test_a_certificate_shows_the_destruction_without_the_ledger(house: House) -> None:
    checked = verify_certificate(certified(house), SIGNING.public_key())
    assert checked.certificate == CONTENT
    assert (checked.entry, checked.in_ledger) == (DESTROYED, None)


def test_a_certificate_still_holds_when_the_ledger_has_grown_and_been_pruned(house: House) -> None:
    document = certified(house)
    house.fill(9)
    house.sealer.prune("nexr", "safeguards.access-records", AT + 9 * DAY, AT + 9 * DAY)
    assert check_certificate(document, house.path, PUBLIC).in_ledger
    assert check_certificate(document, None, PUBLIC).in_ledger is None
    with pytest.raises(CheckpointRefused):
        check_certificate(document, None)


@pytest.mark.clauses("NX17-6.6.b")
def test_a_certificate_is_an_anchor_against_a_rolled_back_ledger(house: House, tmp_path: Path) -> None:
    before = tmp_path / "before.db"
    house.write(DESTROYED)
    export(house.sealer.connection, before)
    house.seal(AT + 2 * DAY)
    found = [each.reference for each in history.entries(house.sealer.connection, kinds=["value.destroyed"])]
    document = issued(CONTENT, history.proof_of(house.sealer.connection, found[-1]), SIGNING)
    anchor = anchor_in(document.decode())
    assert verify_copy(house.path, PUBLIC, [anchor]).ok
    assert verify_copy(before, PUBLIC).ok
    assert verify_copy(before, PUBLIC, [anchor]).problems[0].code == "rolled-back"
    with pytest.raises(CertificateRefused, match="rolled back"):
        check_certificate(document, before, PUBLIC)


CONTENT_CHANGES: dict[str, object] = {
    "value_count": 3, "certificate_id": VALUE, "pseudonym": OTHER, "due_at": AT - 1, "ordered_at": AT,
    "policy": Named("kt-ms", "another", "다른"),
}  # fmt: skip


@pytest.mark.parametrize("field", CONTENT_CHANGES)
def test_a_certificate_says_nothing_else_than_its_entry(house: House, field: str) -> None:
    """Even who holds the signing key can't certify what the ledger does not say."""
    content = msgspec.structs.replace(CONTENT, **{field: CONTENT_CHANGES[field]})
    with pytest.raises(CertificateRefused, match="not the destruction"):
        verify_certificate(certified(house, content), SIGNING.public_key())


def test_a_changed_certificate_is_refused(house: House) -> None:
    document = certified(house)
    for old, new in [
        (b'"en":"name"', b'"en":"names"'), (b"2017-09-09", b"2017-09-10"), (b'"number":', b'"number": '),
        (b'"complete"', b'"partly"'), (b"{", b"[", ), (b'"version":1', b'"version":2'),
    ]:  # fmt: skip
        assert old in document
        with pytest.raises(CertificateRefused):
            verify_certificate(document.replace(old, new, 1), SIGNING.public_key())


def test_a_certificate_of_another_signer_is_refused(house: House) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    with pytest.raises(CertificateRefused, match="signature"):
        verify_certificate(certified(house, key=other), SIGNING.public_key())
    with pytest.raises(CertificateRefused):
        verify_certificate(certified(house), other.public_key())


def test_no_proof_can_be_bent_to_another_entry(house: House) -> None:
    proof = history.proof_of(house.sealer.connection, next(iter(history.entries(house.sealer.connection))).reference)
    (found,) = history.entries(house.sealer.connection, kinds=["value.destroyed"])
    right = history.proof_of(house.sealer.connection, found.reference)
    with pytest.raises(CertificateRefused, match="not the destruction"):
        verify_certificate(issued(CONTENT, proof, SIGNING), SIGNING.public_key())
    for name in ("leaf", "number", "count", "entry", "salt", "entry_path", "header", "path"):
        if getattr(proof, name) == getattr(right, name):
            continue
        bent = msgspec.structs.replace(right, **{name: getattr(proof, name)})
        with pytest.raises(CertificateRefused):
            verify_certificate(issued(CONTENT, bent, SIGNING), SIGNING.public_key())
    moved = msgspec.structs.replace(right, salt=right.salt + right.entry[:1], entry=right.entry[1:])
    with pytest.raises(CertificateRefused, match="salt"):
        verify_certificate(issued(CONTENT, moved, SIGNING), SIGNING.public_key())


def test_every_entry_can_be_proved(house: House) -> None:
    for recorded in history.entries(house.sealer.connection):
        proof = history.proof_of(house.sealer.connection, recorded.reference)
        found, _ = proved(proof, SIGNING.public_key())
        assert found == recorded.entry


def test_a_certificate_waits_for_the_evidence_of_every_place(house: House) -> None:
    paper = PlaceCleared(
        Named("paper", "paper file", "종이 서류"), Named("shred", "shredded", "파쇄"), None, "records-clerk"
    )
    content = msgspec.structs.replace(CONTENT, places=(*CONTENT.places, paper))
    checked = verify_certificate(certified(house, content), SIGNING.public_key())
    assert checked.certificate.state == "partly"
    assert "awaited" in page(certified(house, content), checked, SEOUL)


def test_the_page_is_in_two_languages_self_contained_and_without_scripts(house: House) -> None:
    document = certified(house)
    checked = verify_certificate(document, SIGNING.public_key())
    text = page(document, checked, SEOUL)
    for told in (
        "파기 증명서",
        "Certificate of destruction",
        "이름",
        "NX17-4.A",
        NUMBER,
        ALIAS,
        checked.proof.reference,
    ):
        assert told in text
    assert "e-mail &lt;address&gt;" in text, "names are escaped"
    assert "2017-09-08 09:00:00" in text, "instants are local"
    for never in ("<script", "http://", "https://", "src=", "@import", "onload"):
        assert never not in text
