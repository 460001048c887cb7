"""One datum, one test, top to bottom: what happens to a mobile number, from the form to the day it is forgotten.

`docs/life-of-a-datum.md` tells the same in words. The policy is bizmeka EZ of 2018, the person is made up.
"""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import upheld
from tests.homes import column, kept_bytes
from upheld import system
from upheld.engine.acts import EngagementId, Reader, ReaderKind
from upheld.ledger.report import State
from upheld.store import history
from upheld.store.verifying import check_certificate, verify_copy

SEOUL = ZoneInfo("Asia/Seoul")
POLICY = Path(__file__).parent.parent / "policies" / "bizmeka-ez-2018.yaml"
BIZMEKA = "bizmeka-ez"
WRONG, RIGHT = "010-0000-0001", "010-0000-0002"


def on(day: str, hour: int = 9) -> datetime:
    """A local hour of a day."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=SEOUL)


@pytest.mark.slow
@pytest.mark.clauses(
    "BZ18-2.3.A.1", "BZ18-7.1.1", "BZ18-9.6.a", "BZ18-9.6.d", "BZ18-5.1.A", "BZ18-5.1.B", "BZ18-6.1.A.1",
    "BZ18-6.1.B", "BZ18-6.2.B", "BZ18-5.4.B",
)  # fmt: skip
def test_a_mobile_number_lives_from_the_form_to_the_day_it_is_forgotten(tmp_path: Path) -> None:
    home = tmp_path / "home"
    clock = upheld.SetClock(on("2018-07-01"))
    options = upheld.Options(clock=clock, light_hashing=True, look_up={BIZMEKA: ["mobile"]})
    keeper = upheld.open(home, options)

    # The text is checked, compiled and put on file; it is in force from its day on.
    keeper.publish(POLICY)
    early = keeper.enter(BIZMEKA, "member")
    form = {"name": "Sample Hong", "mobile": WRONG}
    assert keeper.collect(early, "identity", form, channel="website").reasons == ("not-in-force",)
    clock.set(on("2018-07-10"))
    shop = keeper.application("shop")

    # Consent to one purpose, then the items of that purpose and no others.
    hong = keeper.enter(BIZMEKA, "member")
    membership = EngagementId(keeper.begin(hong, "membership").made or "")
    assert keeper.consent(hong, "identity", channel="website").granted
    assert keeper.collect(hong, "identity", form | {"salary": "1"}, channel="website").reasons == ("item-not-covered",)
    taken = keeper.collect(hong, "identity", form, channel="website")
    assert "BZ18-2.3.A.1" in taken.clauses
    assert keeper.lookup(BIZMEKA, "mobile", WRONG, reader=shop, reason="call") == (hong,)

    # Read for the purpose it was given for, and for no other.
    assert keeper.read(hong, "identity", use="identify", reader=shop, items=("mobile",)).text("mobile") == WRONG
    refused = keeper.read(hong, "recommending", use="benefits", reader=shop, items=("mobile",))
    assert refused.reasons == ("consent-missing",)

    # Given to the one recipient that was agreed to by name.
    gifts = EngagementId(keeper.begin(hong, "gifti-show").made or "")
    assert keeper.provide(hong, "mhows", ("mobile",)).reasons == ("consent-missing",)
    keeper.consent(hong, "provision/mhows", channel="website")
    given = keeper.provide(hong, "mhows", ("mobile",))
    assert given.text("mobile") == WRONG

    # Corrected: a new value under a new key, the wrong one destroyed, the recipient told.
    wrong = taken.values["mobile"][0]
    corrected = keeper.correct(hong, wrong, RIGHT)
    assert "told:mhows" in corrected.tells
    assert keeper.read(hong, "identity", use="identify", reader=shop, items=("mobile",)).text("mobile") == RIGHT

    # The engagement ends, and with it the purpose. The number is moved to separate storage for fee disputes.
    clock.set(on("2018-08-31"))
    for engagement in (membership, gifts):
        keeper.fact(hong, "cancelled", engagement=engagement)
    clock.set(on("2018-09-02"))
    assert keeper.sweep().separated == 2
    refused = keeper.read(hong, "identity", use="identify", reader=shop, items=("mobile",))
    assert refused.reasons == ("value-separated",)
    assert "BZ18-5.1.A" in refused.clauses
    privacy = Reader(ReaderKind.HANDLER, "z" * 20, duties=frozenset({"separated"}))
    kept = keeper.read_separated(hong, "retention.fee-dispute", reader=privacy)
    assert kept.text("mobile") == RIGHT

    # Six months from 31 August end with the last of February. Then it is due, destroyed and certified.
    number = kept.values["mobile"][-1]
    clock.set(on("2019-02-28", 23))
    assert keeper.sweep().destroyed == 0
    clock.set(on("2019-03-01"))
    assert keeper.sweep().destroyed == 1
    assert keeper.read(hong, "identity", use="identify", reader=shop, values=(number,)).reasons == ("value-destroyed",)
    assert keeper.lookup(BIZMEKA, "mobile", RIGHT, reader=shop, reason="call", separated=True) == ()
    certificate = keeper.certificate(keeper.certificates(BIZMEKA)[-1])
    public_key = (home / "public.pem").read_text()
    with system.ledger_of(home) as ledger:
        checked = check_certificate(certificate, ledger, public_key)
    assert checked.in_ledger
    assert {one.code for one in checked.certificate.items} == {"mobile"}
    assert not any(RIGHT.encode() in path.read_bytes() for path in home.iterdir() if path.is_file())
    assert RIGHT.encode() not in kept_bytes(home)

    # The clauses answer for themselves, each from entries of the ledger.
    report = keeper.audit(BIZMEKA)
    for clause in ("BZ18-5.1.A", "BZ18-5.1.B", "BZ18-6.2.B"):
        assert report.clause(clause).state is State.UPHELD
        assert report.clause(clause).evidence

    # The contract keeps the name for five years; then nothing ties the ledger to the person, and it still verifies.
    clock.set(on("2023-09-01"))
    assert keeper.sweep().destroyed == 1
    clock.set(on("2027-01-01"))  # the consents and the disclosure were proof of something for three years more
    keeper.sweep()
    keeper.seal()
    kinds = [recorded.entry.kind for recorded in history.entries(keeper.places.sealer.connection)]
    assert "subject.forgotten" in kinds
    with pytest.raises(upheld.InputRefused, match="was forgotten"):
        keeper.show(hong, reader=privacy, identity_proved=True)
    keeper.close()
    assert hong not in column(home / "keys.db", "SELECT subject_id FROM alias")
    with system.ledger_of(home) as ledger:
        assert verify_copy(ledger, public_key=public_key).ok
