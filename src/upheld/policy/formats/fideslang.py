"""The policy as a fideslang manifest: one system with a declaration for each purpose, one dataset with the items.

The taxonomy of fideslang knows neither our items nor our purposes, and guessing would be wrong in silence. So the
manifest declares them itself, under the roots of that taxonomy: `user`, `essential`, `functional` and `marketing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from upheld.policy import plain
from upheld.policy.formats.given import recipients, titles
from upheld.policy.model import Policy, Purpose
from upheld.policy.vocabulary import Basis, Nature

BASES: Final[Mapping[Basis, str]] = {
    Basis.CONSENT: "Consent",
    Basis.CONTRACT: "Contract",
    Basis.LAW: "Legal obligations",
    Basis.PUBLIC_TASK: "Public interest",
    Basis.VITAL: "Vital interests",
    Basis.LEGITIMATE_INTEREST: "Legitimate interests",
    Basis.PUBLIC_HEALTH: "Public interest",
}


def manifest(policy: Policy, locale: str) -> dict[str, object]:
    """The manifest, for YAML. Purposes that do not run are left out; names are in one language."""
    code = _key(policy.policy)
    running = [row for row in policy.purposes.values() if not row.blocked]
    used = dict.fromkeys(item for row in running for item in row.items)
    return {
        "data_category": [
            {"fides_key": f"user.{code}", "name": plain.title_of(policy.controller, locale), "parent_key": "user"},
            *(
                {
                    "fides_key": _category(policy, item),
                    "name": plain.title_of(policy.items[item], locale),
                    "parent_key": f"user.{code}",
                }
                for item in used
            ),
        ],
        "data_use": [
            {
                "fides_key": _use(policy, row),
                "name": plain.title_of(row, locale),
                "parent_key": _use(policy, row).partition(".")[0],
            }
            for row in running
        ],
        "data_subject": [
            {"fides_key": _key(row.name), "name": plain.title_of(row, locale)} for row in policy.subjects.values()
        ],
        "dataset": [
            {
                "fides_key": f"{code}_values",
                "name": plain.title_of(policy.controller, locale),
                "collections": [
                    {
                        "name": "values",
                        "fields": [{"name": _key(item), "data_categories": [_category(policy, item)]} for item in used],
                    }
                ],
            }
        ],
        "system": [
            {
                "fides_key": code,
                "name": plain.title_of(policy.controller, locale),
                "system_type": "Service",
                "privacy_declarations": [part for row in running for part in _declarations(policy, row, locale)],
            }
        ],
    }


def _declarations(policy: Policy, purpose: Purpose, locale: str) -> list[dict[str, object]]:
    """One declaration for each ground of a purpose, since fideslang has one ground in each."""
    parties = ", ".join(titles(recipients(policy, purpose), locale))
    sensitive = {item for item in purpose.items if policy.items[item].nature is Nature.SENSITIVE}
    grounds = dict.fromkeys(purpose.basis[item] for item in purpose.items)
    found = []
    for ground in grounds:
        told: dict[str, object] = {
            "name": plain.title_of(purpose, locale) + (f" ({BASES[ground]})" if len(grounds) > 1 else ""),
            "data_use": _use(policy, purpose),
            "data_categories": [_category(policy, item) for item in purpose.items if purpose.basis[item] is ground],
            "data_subjects": [_key(name) for name in purpose.whose],
            "dataset_references": [f"{_key(policy.policy)}_values"],
            "legal_basis_for_processing": BASES[ground],
            "retention_period": plain.end(purpose.until, policy, locale, purpose.per),
            "processes_special_category_data": any(purpose.basis[item] is ground for item in sensitive),
            "data_shared_with_third_parties": bool(parties),
        }
        found.append(told | ({"third_parties": parties} if parties else {}))
    return found


def _use(policy: Policy, purpose: Purpose) -> str:
    advertised = {name for medium in policy.advertising.values() for name in medium.for_}
    root = "marketing" if purpose.name in advertised else "essential" if purpose.required else "functional"
    return f"{root}.{_key(policy.policy)}_{_key(purpose.name)}"


def _category(policy: Policy, item: str) -> str:
    return f"user.{_key(policy.policy)}.{_key(item)}"


def _key(code: str) -> str:
    return code.replace("-", "_")
