"""The served home with a third version that has a processor, advertising and safeguards besides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.served import WEB_POLICY, Served, served
from tests.trial_home import at
from upheld.dates import Instant
from upheld.desk.adverts import refusal_token
from upheld.desk.documents import document_in_force
from upheld.desk.parties import companies
from upheld.engine.leaks import LeakCause

MORE = """
entrustments:
  sender: {clause: T-40, for: service, items: name, at-end: return-or-destroy, contract: signed, inspected: P6M,
           task: {en: sending, ko: 발송},
           terms: {purpose-limits: {clause: T-40}, confidentiality: {clause: T-40}, no-passing-on: {clause: T-40},
                   inspections: {clause: T-40}}}
advertising:
  email: {clause: T-41, for: offers, at-night: own-consent, en: e-mail, ko: 전자우편}
safeguards:
  every: {owner: officer}
  training: {clause: T-42, evidence: training-inside, per: handler, due: P1Y, en: training, ko: 교육}
  plan: {clause: T-43, evidence: management-plan, due: P1Y, en: an inside plan, ko: 내부 관리계획}
  zones: {clause: T-44, evidence: zone-record, per: system, due: P1Y, en: closed zones, ko: 통제구역}
"""
THIRD = (
    WEB_POLICY.replace("2020-01-01", "2024-09-08")
    .replace("2020-02-01", "2024-09-10")
    .replace("parties: {mall:", "parties: {sender: {clause: T-40, en: Sender Ltd., ko: 발송 회사}, mall:")
    + MORE
)


TERMS = frozenset({"purpose-limits", "confidentiality", "no-passing-on", "inspections"})
DAY = 86_400_000_000


@contextmanager
def busy(home: Path) -> Iterator[Served]:
    """Open the home two days after the third version took effect."""
    with served(home) as found:
        found.keeper.publish(THIRD.encode())
        found.clock.set(at("2024-09-12"))
        yield found


def busy_parts(house: Served) -> dict[str, str]:
    """Something of the house that is there, for parts of paths: a leak, contracts, an answer awaited, a refusal."""
    keeper, person = house.keeper, house.persons["stayer"]
    ended = keeper.contract("trial", "sender", terms=TERMS)
    keeper.end_contract("trial", ended)
    keeper.contract("trial", "sender", terms=TERMS)
    keeper.consent(person, "medium/email", channel="website")
    name = next(one for one, *_ in keeper.holdings(person) if one.item == "name")
    keeper.correct(person, name.value_id, "name of stayer, corrected")
    now = keeper.now()
    case = keeper.leak_known("trial", LeakCause.MISTAKE, ("name",), Instant(now - DAY), now)
    (awaited,) = (each for one in companies(keeper, document_in_force(keeper, "trial"), "en") for each in one.awaited)
    return {
        "case": case,
        "contract": ended,
        "disclosure": awaited.disclosure_id,
        "control": "training",
        "register": "destruction",
        "form": "request",
        "medium": "email",
        "token": refusal_token(keeper, "trial", person, "email"),
    }
