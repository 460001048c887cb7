"""Rules of small print: approval that nobody waits for, moves that show nothing, notices listed apart from consents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

import upheld
from upheld.engine.acts import EngagementId, Reader, ReaderKind, RequestId, SubjectId, ValueId
from upheld.errors import InputRefused
from upheld.ledger.entries import KINDS, BatchClass
from upheld.policy.formats.given import House
from upheld.store import history, verifying

SHOP = Path(__file__).resolve().parent.parent / "examples" / "shop.yaml"
HOUSE = House(
    jurisdiction="IE",
    address="1 Made-Up Street",
    email="privacy@example.org",
    policy_url="https://example.org",
)
EVERYTHING = Reader(
    ReaderKind.HANDLER, "privacy", None, frozenset({"requests", "separated", "destruction", "disclosures"})
)


class Shop:
    """The invented shop, and a customer who ordered and gets the letter."""

    def __init__(self, home: Path) -> None:
        self.home, self.clock = home, upheld.SetClock(datetime(2026, 9, 30, 9, tzinfo=UTC))
        self.keeper = upheld.open(home, upheld.Options(clock=self.clock, light_hashing=True))
        self.keeper.publish(SHOP)
        self.tick(days=5)
        self.customer: SubjectId = self.keeper.enter("example-shop", "buyer")
        self.order = EngagementId(self.keeper.begin(self.customer, "order").made or "")
        taken = self.keeper.collect(
            self.customer, "orders", {"name": "Person Made-Up", "address": "1 Made-Up Street"},
            engagement=self.order, channel="site",
        )  # fmt: skip
        assert taken.granted
        self.name: ValueId = taken.values["name"][0]
        self.keeper.consent(self.customer, "purpose/letter", channel="site")
        assert self.keeper.collect(self.customer, "letter", {"email": "x@example.org"}, channel="site").granted

    def tick(self, **span: float) -> None:
        self.clock.set(self.clock.now() + int(timedelta(**span).total_seconds() * 1_000_000))

    def entries(self) -> list[history.Recorded]:
        self.keeper.seal()
        return list(history.entries(self.keeper.places.sealer.connection))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "home")
    yield made
    made.keeper.close()


def test_what_is_due_waits_for_nobodys_approval_and_whoever_might_approve_cannot_read_it(shop: Shop) -> None:
    shop.keeper.withdraw(shop.customer, "purpose/letter", channel="site")
    shop.tick(hours=1)  # due, and not yet destroyed: the day after the fact
    for purpose in ("letter", "orders", "fraud"):
        assert not shop.keeper.read(shop.customer, purpose, reader=EVERYTHING, items=("email",)).granted
    for ground in ("purposes.optional.letter", "statutes.books"):
        assert not shop.keeper.read_separated(shop.customer, ground, reader=EVERYTHING).granted
    shop.tick(days=2)
    assert shop.keeper.sweep().destroyed == 1
    (number,) = shop.keeper.certificates("example-shop")
    with shop.keeper.places.ledger_copy() as ledger:
        shown = verifying.check_certificate(shop.keeper.certificate(number), ledger, None).certificate
    assert shown.approved_by is None
    assert shown.certified_at <= shown.due_at + 5 * 86_400_000_000  # inside the grace, though nobody was asked


def test_moves_and_read_backs_show_nothing_and_leave_entries_of_maintenance(shop: Shop) -> None:
    shop.keeper.fact(shop.customer, "sold", engagement=shop.order)
    shop.keeper.fact(shop.customer, "delivered", engagement=shop.order)
    before = len(shop.entries())
    shop.tick(days=3)
    swept = shop.keeper.sweep()
    assert (swept.separated, swept.destroyed) == (1, 1)  # the name is kept by law, the address goes
    assert "Made-Up" not in repr(swept)
    made = [one.entry for one in shop.entries()[before:]]
    kinds = {one.kind for one in made}
    assert {"value.separated", "value.destroyed", "key.destroyed"} <= kinds
    assert {kind for kind in kinds if KINDS[kind].batch_class is BatchClass.ACCESS} == set()
    assert shop.keeper.read_separated(shop.customer, "statutes.books", reader=EVERYTHING).granted
    shown = {one.entry.kind for one in shop.entries()} - kinds
    assert {kind for kind in shown if KINDS[kind].batch_class is BatchClass.ACCESS}  # a look does leave one


def test_what_rests_on_no_consent_has_a_record_of_its_notice_listed_apart(shop: Shop) -> None:
    assert dict(shop.keeper.consents(shop.customer)) == {"purpose/letter": "given"}
    with pytest.raises(InputRefused):
        shop.keeper.receipt(shop.customer, "purpose/orders", HOUSE)
    asked = shop.keeper.request(shop.customer, "access", channel="site", proved=True)
    document = msgspec.json.decode(shop.keeper.export(shop.customer, RequestId(asked.made or "")).document)
    assert [one["about"] for one in document["consents"]] == ["purpose/letter"]
    assert [(one["purpose"], one["basis"], one["version"], one["items"]) for one in document["notices"]] == [
        ("orders", "contract", "2026-10-01", ["address", "name"])
    ]
    assert document["notices"][0]["since"].startswith("2026-10-05T")


def test_a_childs_contact_is_not_taken_from_what_was_never_there_or_is_destroyed(shop: Shop) -> None:
    child = shop.keeper.enter("example-shop", "buyer", born=date(2015, 1, 1))
    taken = shop.keeper.collect(child, "representative-contact", {"guardian": "Parent Made-Up"}, channel="site")
    asked = shop.keeper.request(child, "erasure", channel="site", proved=True)
    shop.keeper.answer(child, RequestId(asked.made or ""), "done")
    shop.tick(days=2)
    shop.keeper.sweep()
    gone = shop.keeper.reuse(child, "representative-contact", taken.values["guardian"], channel="site")
    assert [reason.value for reason in gone.reasons] == ["value-destroyed"]


def test_a_role_counts_by_the_version_in_force_and_a_party_by_any_version_on_file(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "home")
    clerk, _ = shop.keeper.grant("example-shop", "clerk", shown=frozenset({"reason", "approver"}))
    later = SHOP.read_text().replace("date: 2026-09-01", "date: 2026-10-10").replace("2026-10-01", "2026-12-01")
    for old, new in (
        ("for: [orders, fraud, letter], en-IE: office", "for: fraud, en-IE: office"),
        ("courier:", "rider:"),
    ):
        assert old in later
        later = later.replace(old, new)
    shop.keeper.publish(later.encode())
    now, then = shop.keeper.reader("example-shop", clerk), datetime(2026, 12, 2, tzinfo=UTC)
    assert now.purposes == frozenset({"orders", "fraud", "letter"})  # the version that is coming narrows it
    assert shop.keeper.contract("example-shop", "courier")
    shop.clock.set(then)
    assert shop.keeper.reader("example-shop", clerk).purposes == frozenset({"fraud"})
    shop.keeper.close()


def test_evidence_filed_twice_for_one_instant_counts_once_and_another_record_is_a_conflict(shop: Shop) -> None:
    for _ in range(2):
        shop.keeper.file_evidence("example-shop", "plan", "management-plan", record=b"the plan")
    assert len(shop.keeper.evidence_of("example-shop", "plan")) == 1
    assert len([one for one in shop.entries() if one.entry.kind == "control.evidenced"]) == 1
    with pytest.raises(InputRefused, match="another record"):
        shop.keeper.file_evidence("example-shop", "plan", "management-plan", record=b"another plan")


def test_an_item_that_is_named_twice_goes_out_once(shop: Shop) -> None:
    shop.keeper.consent(shop.customer, "provision/courier", channel="site")
    given = shop.keeper.provide(shop.customer, "courier", ("name", "name"), engagement=shop.order)
    assert given.decision.covers == (shop.name,)
    (told,) = [one.entry for one in shop.entries() if one.entry.kind == "value.provided"]
    assert told.fields["values"] == (shop.name,)


def test_what_is_named_twice_is_seen_once_and_stands_once_in_the_record(shop: Shop) -> None:
    job = shop.keeper.application("till", frozenset({"orders"}))
    by_item = shop.keeper.read(shop.customer, "orders", reader=job, items=("name", "name"))
    by_value = shop.keeper.read(shop.customer, "orders", reader=job, values=(shop.name, shop.name))
    assert by_item.values == by_value.values == {"name": (shop.name,)}
    assert by_item.decision.covers == by_value.decision.covers == (shop.name,)
    found = [one.entry for one in shop.entries() if one.entry.kind in ("read.granted", "read.fell-short")]
    assert [(one.kind, one.fields["values"]) for one in found] == [("read.granted", (shop.name,))] * 2


def test_a_value_that_is_named_twice_gets_one_more_use_and_every_value_of_an_item_is_told(shop: Shop) -> None:
    more = shop.keeper.collect(
        shop.customer, "orders", {"name": "Person Made-Up the Second"}, engagement=shop.order, channel="site"
    )
    second = more.values["name"][0]
    purposes = shop.keeper.views.line("example-shop").latest.purposes
    other = next(name for name, row in purposes.items() if name != "orders" and "name" in row.items)
    shop.keeper.consent(shop.customer, f"purpose/{other}", channel="site")
    used = shop.keeper.reuse(
        shop.customer, other, (shop.name, second, shop.name), engagement=shop.order, channel="site"
    )
    assert used.granted, used.reasons
    assert used.values == {"name": (shop.name, second)}
    (told,) = [one.entry for one in shop.entries() if one.entry.kind == "value.reused"]
    assert told.fields["values"] == (shop.name, second)
