"""One datum, one test, top to bottom: the front page of the suite. Under the policy of bizmeka EZ of 2018."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import upheld
from upheld.engine.acts import EngagementId, Reader, ReaderKind
from upheld.engine.state import HeldState
from upheld.store.verifying import check_certificate, verify_copy

POLICY = Path(__file__).parent.parent / "policies" / "bizmeka-ez-2018.yaml"
BIZMEKA = "bizmeka-ez"
NAME, EMAIL = "Made-up Person", "made.up@example.org"


def on(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=ZoneInfo("Asia/Seoul"))


@pytest.mark.clauses(
    "BZ18-2.3.A.1", "BZ18-3.0", "BZ18-4.1.a", "BZ18-4.2.a", "BZ18-5.1.0", "BZ18-5.1.A", "BZ18-5.1.B", "BZ18-5.4.B",
    "BZ18-6.0", "BZ18-6.1.A.1", "BZ18-6.1.A.3", "BZ18-6.1.B", "BZ18-6.2.B", "BZ18-9.5.a",
)  # fmt: skip
def test_a_name_is_asked_for_used_kept_apart_destroyed_certified_and_forgotten(tmp_path: Path) -> None:
    home, clock = tmp_path / "home", upheld.SetClock(on("2018-07-01"))
    options = upheld.Options(clock=clock, light_hashing=True, look_up={BIZMEKA: ["email"]})
    with upheld.open(home, options) as keeper:
        # The policy is put on file, and binds from its day on.
        keeper.publish(POLICY)
        clock.set(on("2018-07-10"))
        person = keeper.enter(BIZMEKA, "member")
        membership = EngagementId(keeper.begin(person, "membership").made or "")
        given = {"name": NAME, "email": EMAIL}

        # Asked: nothing is taken before the person has agreed to this one purpose.
        refused = keeper.collect(person, "identity", given, engagement=membership, channel="website")
        assert [reason.value for reason in refused.reasons] == ["consent-missing"]
        assert keeper.consent(person, "purpose/identity", channel="website").granted
        taken = keeper.collect(person, "identity", given, engagement=membership, channel="website")
        assert taken.granted
        assert "BZ18-2.3.A.1" in taken.clauses

        # Used: for its purpose, and for no other.
        desk = keeper.application("subscriptions")
        seen = keeper.read(person, "identity", reader=desk, items=("name", "email"))
        assert (seen.text("name"), seen.text("email")) == (NAME, EMAIL)
        assert not keeper.read(person, "recommending", reader=desk, items=("name",)).granted
        assert keeper.lookup(BIZMEKA, "email", EMAIL.upper(), reader=desk, reason="subscriptions") == (person,)

        # Left: the purpose is over. What a promise or a law still keeps is moved to the separate database.
        keeper.fact(person, "cancelled", engagement=membership)
        after = keeper.read(person, "identity", reader=desk, items=("name",))
        assert [reason.value for reason in after.reasons] == ["value-separated"]
        assert keeper.sweep().separated == 2
        held = {value.item: (value.held, elements) for value, _, elements in keeper.holdings(person)}
        assert held["email"] == (HeldState.SEPARATED, ("retention.fee-dispute",))
        assert held["name"] == (HeldState.SEPARATED, ("retention.fee-dispute", "statutes.contracts"))
        assert not keeper.read(person, "identity", reader=desk, items=("name",)).granted
        assert keeper.lookup(BIZMEKA, "email", EMAIL, reader=desk, reason="subscriptions") == ()

        # Six months for disputes about fees: counted from the day after, over at the midnight that ends the last.
        clock.set(on("2019-01-10", hour=23))
        assert keeper.sweep().destroyed == 0
        clock.set(on("2019-01-11", hour=0))
        assert keeper.sweep().destroyed == 1
        assert [value.item for value, _, _ in keeper.holdings(person)] == ["name"]

        # Shown: the person sees what is held on them, also what is kept apart.
        shown = keeper.show(person, reader=Reader(ReaderKind.SUBJECT, person), identity_proved=True)
        assert list(shown.texts.values()) == [NAME]

        # Five years for records of contracts, then it is destroyed, and there is a certificate for it.
        clock.set(on("2023-07-10", hour=23))
        assert keeper.sweep().destroyed == 0
        clock.set(on("2023-07-11", hour=0))
        assert keeper.sweep().destroyed == 1
        assert keeper.holdings(person) == []
        gone = keeper.read(person, "identity", reader=desk, values=taken.values["name"])
        assert [reason.value for reason in gone.reasons] == ["value-destroyed"]
        certificates = [keeper.certificate(one) for one in keeper.certificates(BIZMEKA)]

        # Proved: certificates and ledger hold for anybody who has the public key and nothing else.
        public_key = (home / "public.pem").read_text()
        items = [
            [item.code for item in check_certificate(one, None, public_key).certificate.items] for one in certificates
        ]
        assert items == [["email"], ["name"]]
        assert all(check_certificate(one, home / "ledger.db", public_key).in_ledger for one in certificates)

        # Forgotten: three years later not even the link between the person and the entries is left.
        clock.set(on("2026-07-20"))
        assert keeper.sweep().forgotten == 1
        with pytest.raises(upheld.InputRefused, match="forgotten"):
            keeper.holdings(person)
        keeper.seal()
        assert verify_copy(home / "ledger.db", public_key).ok
    files = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert NAME.encode() not in files
    assert EMAIL.encode() not in files
    assert person.encode() not in (home / "keys.db").read_bytes()
