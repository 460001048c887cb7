"""Receipts: what a person agreed to, in the formats of others, with the newest checkpoint as proof of its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from upheld.dates import Instant, moment
from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused
from upheld.keeper.certifying import Certifying
from upheld.law import seat_of
from upheld.policy import formats
from upheld.policy.formats import Anchor, GivenConsent, House
from upheld.policy.formats.given import has_receipt
from upheld.policy.model import Policy
from upheld.policy.read import read_policy
from upheld.store import history
from upheld.store.ids import bucket_of


class _Event(NamedTuple):
    """One consent given or withdrawn, as it is on record."""

    consent_id: str
    kind: str
    name: str
    given: int
    at: Instant
    version: str
    digest: bytes | None
    locale: str | None
    channel: str

    @property
    def matter(self) -> str:
        """As it is written: `purpose/news`."""
        return f"{self.kind}/{self.name}"


class Receipting(Certifying):
    """Receipts of consents, made anew from the records whenever somebody asks."""

    def receipt(
        self, subject_id: SubjectId, matter: str, house: House, form: formats.Receipt = "kantara"
    ) -> dict[str, object]:
        """The receipt of the last consent to one matter (`purpose/news`), given or taken back since, for JSON.

        Raises InputRefused where the person never agreed to it, or where no receipt is made for such a matter.
        """
        policy = self.views.get(subject_id, self.now()).policy
        for one in _given(self._consent_events(subject_id)):
            if one[0].matter == matter:
                document = self._document_of(policy, one[0].version)
                return self._receipt(subject_id, one, document, house, form, self._anchor())
        raise InputRefused("about-unknown", f"this person has no consent to `{matter}` on record")

    def receipts(
        self, subject_id: SubjectId, house: House, form: formats.Receipt = "kantara"
    ) -> list[dict[str, object]]:
        """The receipts of all matters that the person agreed to, in the order of agreeing; all with one checkpoint.

        A representative's consent has none of its own: the matters that it was given for have theirs.
        """
        anchor = self._anchor()
        policy = self.views.get(subject_id, self.now()).policy
        documents: dict[str, Policy] = {}
        made = []
        for one in _given(self._consent_events(subject_id)):
            version = one[0].version
            document = documents.get(version) or documents.setdefault(version, self._document_of(policy, version))
            if has_receipt(document, one[0].matter):
                made.append(self._receipt(subject_id, one, document, house, form, anchor))
        return made

    def _receipt(
        self,
        subject_id: SubjectId,
        given: tuple[_Event, _Event | None],
        policy: Policy,
        house: House,
        form: formats.Receipt,
        anchor: Anchor,
    ) -> dict[str, object]:
        found, withdrawn = given
        if not house.jurisdiction:
            house = replace(house, jurisdiction=seat_of(policy.time_zone))
        seen = self.views.get(subject_id, self.now())
        zone = seen.view.plan.zone

        def local(at: Instant) -> datetime:
            return moment(at, zone)

        consent = GivenConsent(
            consent=found.consent_id,
            subject=seen.alias,
            matter=found.matter,
            at=local(found.at),
            text_hash=f"sha256:{found.digest.hex()}" if found.digest else "",
            locale=found.locale if found.locale in policy.locales else policy.locales[0],
            channel=found.channel,
            version=found.version,
            withdrawn=local(withdrawn.at) if withdrawn else None,
        )
        return formats.receipt(policy, consent, house, form, anchor)

    def _consent_events(self, subject_id: SubjectId) -> list[_Event]:
        self.views.get(subject_id, self.now())
        with self.places.active.reading() as connection:
            rows = connection.execute(_EVENTS, (bucket_of(subject_id), subject_id)).fetchall()
        return [_Event(*row) for row in rows]

    def _document_of(self, policy: str, version: str) -> Policy:
        """The version under which was agreed, as it was written."""
        with self.places.active.reading() as connection:
            row = connection.execute(_SOURCE, (policy, version)).fetchone()
        return read_policy(row[0], f"{policy}.yaml")

    def _anchor(self) -> Anchor:
        key = self.signing_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.seal_first()
        return Anchor(history.newest_note(self.places.sealer.connection), key.decode())


def _given(events: Sequence[_Event]) -> Iterator[tuple[_Event, _Event | None]]:
    """The last consent to each matter, with the withdrawal that followed it, if one did."""
    last: dict[str, tuple[_Event, _Event | None]] = {}
    for one in events:
        before = last.get(one.matter)
        if one.given:
            last[one.matter] = (one, None)
        elif before is not None and before[1] is None:
            last[one.matter] = (before[0], one)
    yield from last.values()


_EVENTS = (
    "SELECT consent_id, about_kind, about, given, at, version, text_digest, locale, channel FROM consent "
    "WHERE bucket = ? AND subject_id = ? ORDER BY at, known_at, consent_id"
)
_SOURCE = "SELECT source FROM policy_version WHERE policy = ? AND version = ?"
