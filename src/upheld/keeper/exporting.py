"""What a person gets into their hands: a structured copy of everything held, behind the decision to show it.

Rule 5.3 (c). JSON in UTF-8: items with contents, purposes, what keeps them and until when, where they came from, who
received them, every consent, and apart from them what rests on no consent. The request for the source of the data gets
all of it but the contents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from upheld.dates import FOREVER, Instant, moment
from upheld.engine.acts import Reader, ReaderKind, RequestId, SubjectId, ValueId
from upheld.engine.plan import Plan
from upheld.engine.state import Request, RequestState, Use, Value
from upheld.errors import InputRefused
from upheld.keeper.outcome import Outcome
from upheld.keeper.seeing import Seeing
from upheld.policy.vocabulary import Basis
from upheld.store.views import Seen

FORMAT = "upheld-export-1"
_EXPORTED = frozenset({"access", "portability", "source"})
_OWNER = Reader(ReaderKind.SUBJECT, "self")


@dataclass(frozen=True, slots=True)
class Export:
    """The answer of an export: the decision, and the document when it was granted."""

    outcome: Outcome
    document: bytes = b""


class Exporting(Seeing):
    """Portability, access as a file, and the source of the data."""

    def export(self, subject_id: SubjectId, request: RequestId) -> Export:
        """The structured content that a request asks for. Refused with `identity-not-proved` while nobody is proved.

        A request about some values gets these. Raises InputRefused for a request that is no such right, postponed, or
        answered already.
        """
        seen = self.views.get(subject_id, self.now())
        one = next((each for each in seen.state.requests if each.request_id == request), None)
        if one is None:
            raise InputRefused("request-unknown", "this person has no such request")
        if one.right not in _EXPORTED:
            raise InputRefused("nothing-to-export", f"`{one.right}` asks for no data; access, portability, source do")
        if not one.waiting or one.stands(self._decided_at(seen)) is RequestState.POSTPONED:
            raise InputRefused("not-open", "the request is postponed or has its answer; what is open can be exported")
        outcome = self.show(
            subject_id, reader=_OWNER, right=one.right, identity_proved=one.proved_at is not None, request=request,
            values=one.values,
        )  # fmt: skip
        if not outcome.granted:
            return Export(outcome)
        return Export(outcome, _document(self.views.get(subject_id, self.now()), one, outcome))


def _document(seen: Seen, request: Request, outcome: Outcome) -> bytes:
    plan, at = seen.view.plan, outcome.at
    covered = [seen.view.values[one] for one in outcome.decision.covers]
    texts: Mapping[ValueId, str] = {} if request.right == "source" else outcome.texts
    return msgspec.json.encode(
        {
            "format": FORMAT,
            "policy": plan.policy,
            "version": plan.version,
            "controller": dict(plan.controller),
            "request": request.request_id,
            "right": request.right,
            "made-at": _written(at, plan),
            "items": [
                _item(seen, value, texts.get(value.value_id), at, value.value_id in outcome.disputed)
                for value in covered
            ],
            "recipients": _recipients(seen, {value.value_id for value in covered}),
            "consents": _consents(seen),
            "notices": _notices(seen, covered),
        }
    )


def _written(at: Instant, plan: Plan) -> str | None:
    return None if at >= FOREVER else moment(at, plan.zone).isoformat()


def _item(seen: Seen, value: Value, text: str | None, at: Instant, disputed: bool) -> dict[str, object]:
    plan = seen.view.plan
    found: dict[str, object] = {
        "item": value.item,
        "name": dict(plan.items[value.item].texts),
        "collected-at": _written(value.collected_at, plan),
        "place": value.held.value,
        "purposes": [_purpose(plan, use) for use in value.uses],
        "kept-by": [
            {
                "element": ground.rule.path,
                "clauses": list(ground.rule.cites(ground.key)),
                "law": ground.rule.law,
                "until": _written(ground.until.at, plan),
            }
            for ground in seen.view.life.grounds(value)
            if ground.live(at)
        ],
    }
    found |= {} if text is None else {"content": text}
    return {**found, "disputed": True} if disputed else found


def _purpose(plan: Plan, use: Use) -> dict[str, object]:
    row = plan.purposes.get(use.purpose)
    return {
        "purpose": use.purpose,
        "name": dict(row.texts) if row is not None else {},
        "since": _written(use.anchor_at, plan),
        "source": sorted(row.sources) if row is not None else [],
    }


def _recipients(seen: Seen, values: set[ValueId]) -> list[dict[str, object]]:
    plan = seen.view.plan
    return [
        {
            "recipient": one.recipient,
            "at": _written(one.at, plan),
            "items": sorted({seen.view.values[each].item for each in one.values if each in seen.view.values}),
        }
        for one in sorted(seen.state.disclosures, key=lambda each: (each.at, each.recipient))
        if values & set(one.values)
    ]


def _notices(seen: Seen, values: Sequence[Value]) -> list[dict[str, object]]:
    """What was taken on another basis than consent: told by the notice of a version, agreed to by nobody."""
    found: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for value in values:
        for use in value.uses:
            told = seen.view.line.version(use.version) or seen.view.plan
            row = told.purposes.get(use.purpose)
            basis = row.basis.get(value.item) if row is not None else None
            if basis is not None and basis is not Basis.CONSENT:
                since = found.setdefault((use.purpose, basis.value, use.version), {})
                since.setdefault(_written(use.anchor_at, seen.view.plan) or "", []).append(value.item)
    return [
        {"purpose": purpose, "basis": basis, "version": version, "since": at, "items": sorted({*items})}
        for (purpose, basis, version), told_at in sorted(found.items())
        for at, items in sorted(told_at.items())
    ]


def _consents(seen: Seen) -> list[dict[str, object]]:
    plan = seen.view.plan
    return [
        {
            "about": str(one.about),
            "given": one.given,
            "at": _written(one.at, plan),
            "version": one.version,
            "channel": one.channel,
            "by": one.by,
        }
        for one in sorted(seen.state.consents, key=lambda each: (each.at, str(each.about), each.given))
    ]
