"""Kantara consent receipt, version 1.1: one consent as JSON, with the names of that specification."""

from __future__ import annotations

from typing import Final

from upheld.policy import plain
from upheld.policy.formats.given import GivenConsent, House, agreed_by_row, items_of, matter_of, titles, what_for
from upheld.policy.model import Policy, Purpose

VERSION: Final = "KI-CR-v1.1.0"


def receipt(policy: Policy, consent: GivenConsent, house: House) -> dict[str, object]:
    """The receipt of a consent, for JSON. Time is in whole seconds since 1970. Raises InputRefused, see `matter_of`.

    `thirdPartyDisclosure` tells of the matter agreed to: a purpose gives nothing to third parties by itself, each
    provision has a consent and a receipt of its own.
    """
    row = matter_of(policy, consent)
    locale = consent.locale
    parties = titles(agreed_by_row(policy, row), locale)
    tender = items_of(policy, row, locale, tender=True)
    officer = next((one for one in policy.contacts.values() if one.phone), None)
    purpose: dict[str, object] = {
        "purpose": what_for(policy, row, locale),
        "purposeCategory": [consent.matter.partition("/")[0]],
        "consentType": "EXPLICIT",
        "piiCategory": items_of(policy, row, locale),
        "primaryPurpose": isinstance(row, Purpose) and row.required,
        "termination": plain.end(row.until, policy, locale, getattr(row, "per", ())),
        "thirdPartyDisclosure": bool(parties),
    }
    if parties:
        purpose["thirdPartyName"] = ", ".join(parties)
    return {
        "version": VERSION,
        "jurisdiction": house.jurisdiction,
        "consentTimestamp": int(consent.at.timestamp()),
        "collectionMethod": plain.named("channels", consent.channel, policy, locale),
        "consentReceiptID": consent.consent,
        "language": locale,
        "piiPrincipalId": consent.subject,
        "piiControllers": [
            {
                "piiController": plain.title_of(policy.controller, locale),
                "contact": plain.title_of(officer, locale) if officer else "",
                "address": {"streetAddress": house.address},
                "email": house.email,
                "phone": officer.phone if officer and officer.phone else "",
            }
        ],
        "policyUrl": house.policy_url,
        "services": [{"service": plain.title_of(policy.controller, locale), "purposes": [purpose]}],
        "sensitive": bool(tender),
        "spiCat": tender,
    }
