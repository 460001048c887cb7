"""A consent record in the manner of ISO/IEC TS 27560, written in DPV as JSON-LD."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from upheld.policy import plain
from upheld.policy.formats import dpv
from upheld.policy.formats.given import Anchor, GivenConsent, House, matter_of
from upheld.policy.model import Policy

PROFILE: Final = "https://w3id.org/dpv/schema/dpv-27560#record"


def record(policy: Policy, consent: GivenConsent, house: House, anchor: Anchor | None = None) -> dict[str, object]:
    """The record of one consent, for JSON-LD. Raises InputRefused, see `matter_of`.

    The notice is named by version, language and hash of the text that was shown, so that a copy can be compared.
    `proof` is no term of the vocabulary; readers of JSON-LD are told to pass over it.
    """
    matter = matter_of(policy, consent)
    locale = consent.locale
    process: dict[str, object] = {
        "@id": dpv.iri(policy, matter.row),
        "@type": "dpv:Process",
        "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:title": matter.what},
        "dpv:hasLegalBasis": "dpv:ExpressedConsent",
        "dpv:hasPersonalData": [dpv.personal_data(policy, one) for one in matter.items],
        "dpv:hasStorageCondition": {"@type": "dpv:StorageDuration", "dct:description": matter.until},
    }
    parties = {
        "dpv:hasRecipientThirdParty": [dpv.entity(policy, one, "dpv:ThirdParty") for one in matter.third_parties],
        "dpv:hasDataProcessor": [dpv.entity(policy, one, "dpv:DataProcessor") for one in matter.processors],
    }
    process |= {relation: rows for relation, rows in parties.items() if rows}
    channel = plain.named("channels", consent.channel, policy, locale)
    events = [_event("dpv:ConsentGiven", consent.at, channel)]
    if consent.withdrawn:
        events.append(_event("dpv:ConsentWithdrawn", consent.withdrawn, None))
    made: dict[str, object] = {
        "@context": dict(dpv.CONTEXT) | ({"proof": None} if anchor else {}),
        "@id": f"urn:upheld:consent:{consent.consent}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": consent.consent,
        "dct:conformsTo": PROFILE,
        "dpv:hasDataSubject": {"@id": f"urn:upheld:subject:{consent.subject}", "@type": "dpv:DataSubject"},
        "dpv:hasDataController": {
            **dpv.entity(policy, policy.controller, "dpv:DataController"),
            "dpv:hasAddress": house.address,
            **({"dpv:hasContact": house.email} if house.email else {}),
        },
        "dpv:hasJurisdiction": house.jurisdiction,
        "dpv:hasNotice": {
            "@id": house.policy_url,
            "@type": "dpv:ConsentNotice",
            "dct:hasVersion": consent.version,
            "dct:language": locale,
            "dct:identifier": consent.text_hash,
        },
        "dpv:hasProcess": process,
        "dpv:hasConsentStatus": events,
    }
    return made | ({"proof": {"checkpoint": anchor.checkpoint, "publicKey": anchor.public_key}} if anchor else {})


def _event(status: str, at: datetime, how: str | None) -> dict[str, object]:
    event: dict[str, object] = {
        "@type": status,
        "dpv:isIndicatedBy": "dpv:DataSubject",
        "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime", "@value": at.isoformat()},
    }
    return event | ({"dpv:hasIndicationMethod": how} if how else {})
