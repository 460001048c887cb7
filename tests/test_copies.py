"""What others have of a value destroyed here: its certificate says *partly* until that came back or went too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import upheld
from tests.homes import copied, put_back
from upheld.engine.acts import EngagementId, SubjectId
from upheld.errors import InputRefused
from upheld.ledger.certificate import Certificate
from upheld.store import verifying

SHOP = Path(__file__).resolve().parent.parent / "examples" / "shop.yaml"
TERMS = frozenset({"compliance", "purpose-limits", "confidentiality", "no-passing-on", "inspections", "liability"})


class Shop:
    """The invented shop with one processor under contract."""

    def __init__(self, home: Path, at: datetime | None = None) -> None:
        self.home, self.clock = home, upheld.SetClock(at or datetime(2026, 9, 30, 9, tzinfo=UTC))
        self.keeper = upheld.open(home, upheld.Options(clock=self.clock, light_hashing=True))
        self.contract = ""

    def opens(self) -> None:
        self.keeper.publish(SHOP)
        self.tick(days=5)
        self.contract = self.keeper.contract("example-shop", "mailer", terms=TERMS)

    def tick(self, **span: float) -> None:
        self.clock.set(self.clock.now() + int(timedelta(**span).total_seconds() * 1_000_000))

    def reader(self) -> tuple[SubjectId, str]:
        """Somebody who gets the letter, and the disclosure of their address to the mailer."""
        subject = self.keeper.enter("example-shop", "buyer")
        for matter in ("purpose/letter", "transfer/mailer-us"):
            assert self.keeper.consent(subject, matter, channel="site").granted
        assert self.keeper.collect(subject, "letter", {"email": "x@example.org"}, channel="site").granted
        given = self.keeper.entrust(subject, "mailer", "letter", ("email",))
        assert given.granted
        return subject, given.made or ""

    def leaves(self, subject: SubjectId) -> Certificate:
        """They take their consent back; what is certified of it."""
        before = set(self.keeper.certificates("example-shop"))
        assert self.keeper.withdraw(subject, "purpose/letter", channel="site").granted
        self.tick(days=3)
        self.keeper.sweep()
        (number,) = set(self.keeper.certificates("example-shop")) - before
        return self.certificate(number)

    def certificate(self, number: str) -> Certificate:
        with self.keeper.places.ledger_copy() as ledger:
            return verifying.check_certificate(self.keeper.certificate(number), ledger, None).certificate


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "home")
    made.opens()
    yield made
    made.keeper.close()


def test_a_certificate_says_partly_until_the_processor_has_given_its_copy_back(shop: Shop) -> None:
    subject, given = shop.reader()
    certificate = shop.leaves(subject)
    assert certificate.state == "partly"
    assert [one.place.code for one in certificate.places] == ["active", "processor.mailer"]
    assert shop.keeper.work_orders("example-shop") == []  # nothing for our own hands
    shop.tick(days=2)
    assert shop.keeper.acknowledge(subject, given).granted
    after = shop.certificate(certificate.certificate_id)
    assert after.state == "complete"
    (copy,) = [one for one in after.places if one.place.code == "processor.mailer"]
    assert (copy.method.code, copy.by, copy.at) == ("return", "processor", shop.clock.now())


def test_of_two_copies_the_last_to_come_back_completes_the_certificate(shop: Shop) -> None:
    subject, first = shop.reader()
    second = shop.keeper.entrust(subject, "mailer", "letter", ("email",)).made or ""
    number = shop.leaves(subject).certificate_id
    shop.keeper.acknowledge(subject, second)
    assert shop.certificate(number).state == "partly"
    shop.keeper.acknowledge(subject, first)
    assert shop.certificate(number).state == "complete"


def test_a_recipients_copy_is_waited_for_and_an_answer_before_it_was_asked_back_is_none(shop: Shop) -> None:
    subject = shop.keeper.enter("example-shop", "buyer")
    order = EngagementId(shop.keeper.begin(subject, "order").made or "")
    shop.keeper.consent(subject, "provision/courier", channel="site")
    shop.keeper.collect(subject, "orders", {"address": "1 Made-Up Street"}, engagement=order, channel="site")
    given = shop.keeper.provide(subject, "courier", ("address",), engagement=order).made or ""
    shop.keeper.acknowledge(subject, given)  # says that it delivered; it still has the address
    shop.tick(days=1)
    shop.keeper.fact(subject, "delivered", engagement=order)
    shop.tick(days=3)
    shop.keeper.sweep()
    (number,) = shop.keeper.certificates("example-shop")
    assert {one.place.code: one.at for one in shop.certificate(number).places}["recipient.courier"] is None
    shop.keeper.acknowledge(subject, given)
    assert shop.certificate(number).state == "complete"


def test_what_was_given_back_before_leaves_no_place_to_wait_for(shop: Shop) -> None:
    subject, given = shop.reader()
    shop.keeper.withdraw(subject, "transfer/mailer-us", channel="site")
    shop.tick(days=1)
    assert shop.keeper.sweep().recalled == 1
    shop.keeper.acknowledge(subject, given)
    assert shop.leaves(subject).state == "complete"


def test_everything_returned_with_a_contract_marks_every_disclosure_under_it(shop: Shop) -> None:
    people = [shop.reader()[0] for _ in range(3)]
    waited = [shop.leaves(subject).certificate_id for subject in people[:2]]
    shop.keeper.end_contract("example-shop", shop.contract)
    shop.tick(hours=1)
    shop.contract, ended = shop.keeper.contract("example-shop", "mailer", terms=TERMS), shop.contract
    again = shop.keeper.entrust(people[2], "mailer", "letter", ("email",))
    assert again.granted
    shop.tick(hours=1)
    shop.keeper.returned("example-shop", ended)
    assert [shop.certificate(number).state for number in waited] == ["complete", "complete"]
    with shop.keeper.places.active.reading() as connection:
        rows = connection.execute("SELECT disclosure_id, recalled_at, acknowledged_at FROM disclosure").fetchall()
    back = {disclosure: acknowledged for disclosure, _, acknowledged in rows}
    assert back.pop(again.made) is None  # given under the contract that runs
    assert set(back.values()) == {shop.clock.now()}
    assert shop.leaves(people[2]).state == "partly"


def test_nobody_here_can_do_the_work_order_of_anothers_copy(shop: Shop) -> None:
    subject, _ = shop.reader()
    shop.leaves(subject)
    with shop.keeper.places.active.reading() as connection:
        (order,) = [row[0] for row in connection.execute("SELECT order_id FROM work_order")]
    with pytest.raises(InputRefused, match="no work order"):
        shop.keeper.work_done(order, method="erase", by="handler")


@pytest.mark.parametrize("came_back", [False, True])
def test_after_a_restore_the_certificate_stands_as_it_was_issued_last(tmp_path: Path, came_back: bool) -> None:
    shop = Shop(tmp_path / "home")
    shop.opens()
    subject, given = shop.reader()
    shop.keeper.seal()
    shop.keeper.close()
    copied(tmp_path / "home", tmp_path / "before")
    shop = Shop(tmp_path / "home", datetime(2026, 10, 5, 10, tzinfo=UTC))
    certificate = shop.leaves(subject)
    if came_back:
        shop.keeper.acknowledge(subject, given)
    shop.keeper.seal()
    end = datetime.fromtimestamp(shop.clock.now() / 1_000_000, UTC) + timedelta(hours=1)
    shop.keeper.close()
    put_back(tmp_path / "home", tmp_path / "before", "active")
    shop = Shop(tmp_path / "home", end)
    assert shop.keeper.recover().counts["certificates"] == 1
    again = shop.certificate(certificate.certificate_id)
    assert again.state == ("complete" if came_back else "partly")
    if not came_back:
        assert again == certificate
        shop.keeper.acknowledge(subject, given)
        assert shop.certificate(certificate.certificate_id).state == "complete"
    shop.keeper.close()
