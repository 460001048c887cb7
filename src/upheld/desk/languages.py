"""In which language a person is written to: the one in which they last agreed to something, else the document's first.

Nothing is asked or kept for it: the text of every consent is on record with its locale.
"""

from __future__ import annotations

from upheld.desk.documents import Document
from upheld.engine.acts import SubjectId
from upheld.keeper import Keeper
from upheld.store.ids import bucket_of


def language_of(keeper: Keeper, document: Document, subject_id: SubjectId) -> str:
    """The locale for a letter to this person, one of the document's."""
    locales = document.policy.locales
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_SPOKEN, (bucket_of(subject_id), subject_id)).fetchall()
    return next((str(row[0]) for row in rows if row[0] in locales), locales[0])


_SPOKEN = (
    "SELECT locale FROM consent WHERE bucket = ? AND subject_id = ? AND locale IS NOT NULL "
    "ORDER BY known_at DESC, consent_id DESC"
)
