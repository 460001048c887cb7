"""The policy, and a consent given under it, in formats of others: records of processing, DPV, fideslang, receipts.

    export(policy, "ropa", "ko")                        # CSV, one line for each purpose
    kantara.receipt(policy, consent, house)             # a dict, for JSON
    iso27560.record(policy, consent, house)             # a dict, for JSON-LD

Pure functions of what they are given: no clock, no ids of their own, the same bytes each time.
"""

from __future__ import annotations

import json
from typing import Literal, assert_never

import yaml

from upheld.policy.formats import dpv, fideslang, ropa
from upheld.policy.formats.given import GivenConsent, House
from upheld.policy.model import Policy

Form = Literal["dpv", "ropa", "fideslang"]


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


__all__ = ["Form", "GivenConsent", "House", "export"]
