"""Certificates of destruction: made with the destruction, issued with a proof whenever somebody asks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from upheld.dates import NO_PERIOD, Instant, Period, end_of, local_date
from upheld.engine.plan import Plan, Rule
from upheld.errors import InputRefused, StoreFailed
from upheld.keeper.approving import approval_for
from upheld.keeper.door import Door
from upheld.ledger.certificate import Certificate, Ground, Named, PlaceCleared, issued
from upheld.policy.wording import text_in
from upheld.store import history
from upheld.store.engine import Connection

if TYPE_CHECKING:
    from upheld.keeper.steps import OpenStep

_ERASED = Named(
    "destroy-key", "key destroyed, record erased, file scrubbed", "키 파기 후 기록 삭제 및 잔여 바이트 소거"
)
_WRITTEN_ANEW = Named(
    "destroy-key",
    "key destroyed, record erased, pages cleared; files written anew before the day it is beyond recovery",
    "키 파기 후 기록 삭제 및 페이지 정리, 복구 불가 시점 전에 파일을 새로 씀",
)
"""Where large tables of keys are written anew once in a while for all that was destroyed in them."""
_READ_BACK = Named(
    "read-back", "read back: key, look-up tokens and record are gone", "재확인: 키·조회 토큰·기록 모두 없음"
)
_PLACES = {
    "active": Named("active", "active database", "운영 데이터베이스"),
    "separated": Named("separated", "separated database", "분리 보관 데이터베이스"),
}


def certificate_of(
    plan: Plan,
    certificate_id: str,
    alias: str,
    steps: Sequence[OpenStep],
    unreadable_at: Instant,
    scrubbed_at: Instant,
    at: Instant,
    elsewhere: Sequence[PlaceCleared] = (),
    copies_kept: Period = NO_PERIOD,
    rewritten_within: timedelta = timedelta(),
    approver: str | None = None,
) -> Certificate:
    """What is certified of one person's values that were destroyed together. Until tables are written anew a copy that
    is made has the key in it, so the time for which copies are kept counts from there.
    """
    method = _WRITTEN_ANEW if rewritten_within else _ERASED
    copied_until = Instant(scrubbed_at + rewritten_within // timedelta(microseconds=1))
    items = dict.fromkeys(step.item for step in steps)
    tiers = dict.fromkeys(step.tier.value for step in steps)
    return Certificate(
        certificate_id=certificate_id,
        policy=Named(plan.policy, f"{plan.policy} {plan.version}", f"{plan.policy} {plan.version}"),
        controller=Named("controller", *(text_in(plan.controller, one) or plan.policy for one in ("en", "ko"))),
        pseudonym=alias,
        items=tuple(named_item(plan, item) for item in items),
        value_count=len(steps),
        grounds=_grounds(plan, steps),
        due_at=min(step.due_at for step in steps),
        ordered_at=min(step.ordered_at for step in steps),
        unreadable_at=unreadable_at,
        removed_at=unreadable_at,
        scrubbed_at=scrubbed_at,
        certified_at=at,
        beyond_recovery_on=local_date(end_of(copied_until, copies_kept, plan.zone), plan.zone).isoformat(),
        method=method,
        approved_by=approver,
        check=_READ_BACK,
        places=(*(PlaceCleared(_PLACES[tier], method, scrubbed_at, "system") for tier in tiers), *elsewhere),
    )


def counted_in(rewritten_within: timedelta, copies_kept: Period) -> Iterator[timedelta]:
    """The times for tables to be written anew that a certificate may have counted in, the home's own first: it may have
    been another before, or none. The day that comes of it is the same for all that lie between two.
    """
    yield rewritten_within
    yield timedelta()
    yield timedelta(microseconds=1)
    begun = Instant(0)
    longest = (end_of(begun, copies_kept, ZoneInfo("UTC")) - begun) // 86_400_000_000
    yield from (timedelta(days=number) for number in range(1, longest + 1))


def approver_of(connection: Connection, policy: str, steps: Sequence[OpenStep]) -> str | None:
    """Who approved the destruction of values that went together; None where nobody was asked."""
    found = approval_for(connection, policy, max(step.due_at for step in steps))
    return found[1] if found else None


def named_item(plan: Plan, item: str) -> Named:
    """An item with its public names."""
    declared = plan.items.get(item)
    texts = declared.texts if declared else {}
    return Named(item, text_in(texts, "en") or item, text_in(texts, "ko") or item)


def _grounds(plan: Plan, steps: Sequence[OpenStep]) -> tuple[Ground, ...]:
    ended = {path: step.due_at for step in steps for path in step.grounds}
    known = {row.rule.path: (row.rule, row.texts) for row in plan.purposes.values()}
    known |= {row.rule.path: (row.rule, row.texts) for row in plan.kept.values()}
    return tuple(_ground(path, at, *known.get(path, (plan.rule, {}))) for path, at in sorted(ended.items()))


def _ground(path: str, at: Instant, rule: Rule, texts: Mapping[str, str]) -> Ground:
    named = Named(path, text_in(texts, "en") or path, text_in(texts, "ko") or path)
    return Ground(named, at, rule.cites("until") if rule.path == path else ())


class Certifying(Door):
    """Issuing certificates."""

    def certificates(self, policy: str) -> list[str]:
        """The ids of every certificate under a policy, oldest first."""
        with self.places.active.reading() as connection:
            return [row[0] for row in connection.execute(_IDS, (policy,))]

    def certificate(self, certificate_id: str) -> bytes:
        """The signed certificate with its inclusion proof: canonical JSON that `verify` checks offline.

        Raises InputRefused for an unknown id, StoreFailed when the stored content is not what the ledger says.
        """
        self.seal_first()
        with self.places.active.reading() as connection:
            row = connection.execute(_BODY, (certificate_id,)).fetchone()
        if row is None:
            raise InputRefused("certificate-unknown", "no certificate has this id; its subject may have been forgotten")
        body: bytes = row[0]
        reference = self._entry_of(certificate_id, hashlib.sha256(body).digest(), row[1], row[2], row[3])
        proof = history.proof_of(self.places.sealer.connection, reference)
        return issued(msgspec.json.decode(body, type=Certificate), proof, self.signing_key)

    def _entry_of(self, certificate_id: str, digest: bytes, policy: str, at: int, issued_at: int) -> str:
        """Where the ledger has the destruction; the content must be what it was when it was last issued."""
        issued = [
            one.entry.fields["digest"] for one in self._noted(certificate_id, policy, issued_at, "certificate.issued")
        ]
        if not issued:
            raise StoreFailed(
                "the ledger does not hold that this certificate was issued, so nothing proves it: it was issued later "
                "than this ledger goes, or is none of ours"
            )
        if digest not in issued:
            raise StoreFailed("this certificate was changed after it was made; the ledger has another digest of it")
        for recorded in self._noted(certificate_id, policy, at, "value.destroyed"):
            return recorded.reference
        raise StoreFailed("the ledger does not hold the destruction that this certificate is about")

    def _noted(self, certificate_id: str, policy: str, at: int, kind: str) -> Iterator[history.Recorded]:
        for recorded in history.entries(self.places.sealer.connection, at, at + 1, kinds=(kind,), policy=policy):
            if recorded.entry.fields.get("certificate") == certificate_id:
                yield recorded


_IDS = "SELECT certificate_id FROM certificate WHERE policy = ? ORDER BY at, certificate_id"
_BODY = "SELECT body, policy, at, issued_at FROM certificate WHERE certificate_id = ?"
