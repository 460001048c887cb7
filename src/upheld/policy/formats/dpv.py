"""The policy's processing in the Data Privacy Vocabulary (DPV 2), as JSON-LD: one process for each purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from upheld.policy import plain
from upheld.policy.formats.given import TENDER, processors, recipients, runs
from upheld.policy.model import Item, Policy, Purpose, Row
from upheld.policy.vocabulary import Basis, Nature

CONTEXT: Final[Mapping[str, str | dict[str, str]]] = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dpv:hasLegalBasis": {"@type": "@id"},
    "dpv:hasNecessity": {"@type": "@id"},
    "dpv:isIndicatedBy": {"@type": "@id"},
    "dct:conformsTo": {"@type": "@id"},
}
"""Prefixes, and the relations whose values are terms and not texts."""
BASES: Final[Mapping[Basis, str]] = {
    Basis.CONSENT: "dpv:Consent",
    Basis.CONTRACT: "dpv:Contract",
    Basis.LAW: "dpv:LegalObligation",
    Basis.PUBLIC_TASK: "dpv:OfficialAuthorityOfController",
    Basis.VITAL: "dpv:VitalInterest",
    Basis.LEGITIMATE_INTEREST: "dpv:LegitimateInterest",
    Basis.PUBLIC_HEALTH: "dpv:PublicInterest",
}
NATURES: Final[Mapping[Nature, str]] = dict.fromkeys(TENDER, "dpv:SensitivePersonalData")


def description(policy: Policy, locale: str) -> dict[str, object]:
    """The whole policy for JSON-LD; ids are made of the policy's code and paths. What does not run, and what the
    document keeps internal, is left out.

    `locale` is the language of the sentences that are made here; titles come in all languages of the document.
    """
    return {
        "@context": dict(CONTEXT),
        "@id": iri(policy),
        "@type": "dpv:PrivacyNotice",
        "dct:identifier": policy.policy,
        "dct:title": titled(policy.controller),
        "dct:issued": day(policy.announced.date),
        "dct:valid": day(policy.effective.date),
        "dct:language": [*policy.locales],
        "dpv:hasDataController": entity(policy, policy.controller, "dpv:DataController"),
        "dpv:hasProcess": [process(policy, row, locale) for row in policy.purposes.values() if runs(row, public=True)],
        "dpv:hasRight": [
            {"@id": iri(policy, row), "@type": "dpv:DataSubjectRight", "dct:title": plain.fixed_title(row, locale)}
            for row in policy.rights.values()
            if runs(row, public=True)
        ],
    }


def process(policy: Policy, purpose: Purpose, locale: str) -> dict[str, object]:
    """One purpose: items, grounds, persons, receivers, how long."""
    said: dict[str, object] = {
        "@id": iri(policy, purpose),
        "@type": "dpv:Process",
        "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:title": titled(purpose)},
        "dpv:hasNecessity": "dpv:Required" if purpose.required else "dpv:Optional",
        "dpv:hasLegalBasis": sorted({BASES[basis] for basis in purpose.basis.values()}),
        "dpv:hasDataSubject": [entity(policy, policy.subjects[name], "dpv:DataSubject") for name in purpose.whose],
        "dpv:hasPersonalData": [personal_data(policy, policy.items[name]) for name in purpose.items],
        "dpv:hasStorageCondition": {
            "@type": "dpv:StorageDuration",
            "dct:description": plain.end(purpose.until, policy, locale, purpose.per),
        },
        "dct:source": [*purpose.cites()],
    }
    others = {
        "dpv:hasRecipientThirdParty": [
            entity(policy, one, "dpv:ThirdParty") for one in recipients(policy, purpose, public=True)
        ],
        "dpv:hasDataProcessor": [
            entity(policy, one, "dpv:DataProcessor") for one in processors(policy, purpose, public=True)
        ],
    }
    return said | {relation: rows for relation, rows in others.items() if rows}


def personal_data(policy: Policy, item: Item) -> dict[str, object]:
    """One item."""
    return {
        "@id": iri(policy, item),
        "@type": NATURES.get(item.nature, "dpv:PersonalData"),
        "dct:title": titled(item),
    }


def entity(policy: Policy, row: Row, kind: str) -> dict[str, object]:
    """Somebody, with names in every language of the document."""
    return {"@id": iri(policy, row), "@type": kind, "dct:title": titled(row)}


def titled(row: Row) -> list[dict[str, str]]:
    """Titles with their languages."""
    return [{"@language": locale, "@value": text} for locale, text in row.texts.items()]


def iri(policy: Policy, row: Row | None = None) -> str:
    """A name for the policy or an element, the same in every version."""
    return f"urn:upheld:{policy.policy}" + (f":{row.path}" if row else "")


def day(date: object) -> dict[str, str]:
    """A local day."""
    return {"@type": "xsd:date", "@value": str(date)}
