"""The policy, and a consent given under it, in formats of others: records of processing, DPV, fideslang, receipts.

    export(policy, "ropa", "ko")                        # CSV, one line for each purpose
    as_xlsx(policy, "ko")                               # the register as a workbook
    receipt(policy, consent, house, "kantara")          # a dict, for JSON; "27560" for JSON-LD

Pure functions of what they are given: no clock, no ids of their own, the same bytes each time.
"""

from __future__ import annotations

import json
from typing import Literal, assert_never

import yaml

from upheld.policy.formats import dpv, fideslang, iso27560, kantara, ropa
from upheld.policy.formats.given import Anchor, GivenConsent, House
from upheld.policy.formats.register import as_xlsx
from upheld.policy.model import Policy

Form = Literal["dpv", "ropa", "fideslang"]
Receipt = Literal["kantara", "27560"]


def export(policy: Policy, form: Form, locale: str) -> str:
    """The policy in one format. `locale` is `en` or `ko`; raises ValueError for another language."""
    match form:
        case "dpv":
            return json.dumps(dpv.description(policy, locale), ensure_ascii=False, indent=2) + "\n"
        case "ropa":
            return ropa.as_csv(policy, locale)
        case "fideslang":
            return yaml.safe_dump(fideslang.manifest(policy, locale), allow_unicode=True, sort_keys=False, width=120)
        case _:
            assert_never(form)


def receipt(
    policy: Policy, consent: GivenConsent, house: House, form: Receipt, anchor: Anchor | None = None
) -> dict[str, object]:
    """The receipt or record of one consent, for JSON. Raises InputRefused for a matter of which none is made."""
    match form:
        case "kantara":
            return kantara.receipt(policy, consent, house, anchor)
        case "27560":
            return iso27560.record(policy, consent, house, anchor)
        case _:
            assert_never(form)


__all__ = ["Anchor", "Form", "GivenConsent", "House", "Receipt", "as_xlsx", "export", "receipt"]
