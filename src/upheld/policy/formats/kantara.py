"""Kantara consent receipt, version 1.1: one consent as JSON, with the names of that specification."""

from __future__ import annotations

from typing import Final

from upheld.policy import plain
from upheld.policy.formats.given import Anchor, GivenConsent, House, matter_of, titles
from upheld.policy.model import Policy

VERSION: Final = "KI-CR-v1.1.0"


def receipt(policy: Policy, consent: GivenConsent, house: House, anchor: Anchor | None = None) -> dict[str, object]:
    """The receipt of a consent, for JSON. Time is in whole seconds since 1970. Raises InputRefused, see `matter_of`.

    `thirdPartyDisclosure` tells of the matter agreed to: a purpose gives nothing to third parties by itself, each
    provision has a consent and a receipt of its own; a processor is no third party and is named in the purpose.
    The specification has no place for a withdrawal and none for a proof. They stand beside its fields as `upheld`
    and `proof`, which it allows; `proof` is what `upheld verify --anchor` reads.
    """
    matter = matter_of(policy, consent)
    locale = consent.locale
    parties = titles(matter.third_parties, locale)
    tender = matter.named(locale, tender=True)
    purpose: dict[str, object] = {
        "purpose": matter.what,
        "purposeCategory": [consent.matter.partition("/")[0]],
        "consentType": "EXPLICIT",
        "piiCategory": matter.named(locale),
        "primaryPurpose": matter.required,
        "termination": matter.until,
        "thirdPartyDisclosure": bool(parties),
    }
    if parties:
        purpose["thirdPartyName"] = ", ".join(parties)
    made: dict[str, object] = {
        "version": VERSION,
        "jurisdiction": house.jurisdiction,
        "consentTimestamp": int(consent.at.timestamp()),
        "collectionMethod": plain.named("channels", consent.channel, policy, locale),
        "consentReceiptID": consent.consent,
        "language": locale,
        "piiPrincipalId": consent.subject,
        "piiControllers": [_controller(policy, house, locale)],
        "policyUrl": house.policy_url,
        "services": [{"service": plain.title_of(policy.controller, locale), "purposes": [purpose]}],
        "sensitive": bool(tender),
        "spiCat": tender,
        "upheld": _besides(policy, consent),
    }
    if anchor:
        made |= {"publicKey": anchor.public_key, "proof": {"checkpoint": anchor.checkpoint}}
    return made


def _controller(policy: Policy, house: House, locale: str) -> dict[str, object]:
    officer = next((one for one in policy.contacts.values() if one.phone), None)
    return {
        "piiController": plain.title_of(policy.controller, locale),
        "contact": plain.title_of(officer, locale) if officer else "",
        "address": {"streetAddress": house.address},
        **({"email": house.email} if house.email else {}),
        "phone": officer.phone if officer and officer.phone else "",
    }


def _besides(policy: Policy, consent: GivenConsent) -> dict[str, object]:
    """What binds the receipt to the text that was shown, and when the consent was taken back, if it was."""
    told: dict[str, object] = {
        "policy": policy.policy,
        "policyVersion": consent.version,
        "matter": consent.matter,
        "textShown": consent.text_hash,
    }
    if consent.withdrawn:
        told["withdrawnTimestamp"] = int(consent.withdrawn.timestamp())
    return told
