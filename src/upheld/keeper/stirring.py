"""Something that everybody's ends may hang on: a fact of the house, or the wish to look at each person once.

Whoever records it waits for one row, not for one a person; so does everybody who writes meanwhile. The next sweep
spreads it in portions and goes on to look at whom it has noted. Crash table:

| what is left | next sweep |
|---|---|
| the row, nobody, some or all noted | notes everybody, takes the row away |
| the row taken away | looks at those who are noted |

Until it is spread, whoever asks who is to be looked at hears: everybody. One sweeper spreads for all; a person noted
twice is looked at twice and changes nothing more. INVARIANT: I7.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from upheld.keeper.door import Door
from upheld.store.place import Transaction

EVERYBODY: Final = -1
"""The bucket of the row, in which nobody is."""
PORTION: Final = 1_000
"""So many are noted at once: some milliseconds, in which only who writes about them waits."""
STIRS: Final = "SELECT subject_id, policy FROM dirty WHERE bucket = ?"


def stir_everybody(transaction: Transaction, policy: str, word: str) -> None:
    """Leave one row that means everybody under a policy. `word`: its own, so that no two are taken for one."""
    transaction.execute(_STIR, (EVERYBODY, word, policy))


def means_everybody(noted: Iterable[tuple[int, str]]) -> bool:
    """Whether among those who are to be looked at stands the row that means all."""
    return any(bucket == EVERYBODY for bucket, _ in noted)


class Stirring(Door):
    """Noting everybody, a portion at a time."""

    def _spread(self) -> None:
        with self.places.active.reading() as connection:
            stirs = connection.execute(STIRS, (EVERYBODY,)).fetchall()
        for word, policy in stirs:
            people = self._next_people(policy, (EVERYBODY, ""))
            while people:
                with self.places.active.soon_durable([subject for _, subject in people]) as transaction:
                    transaction.executemany(_NOTE, people)
                people = self._next_people(policy, people[-1])
            with self.places.active.soon_durable() as transaction:
                transaction.execute(_SPREAD, (EVERYBODY, word))

    def _next_people(self, policy: str, last: tuple[int, str]) -> list[tuple[int, str]]:
        with self.places.active.reading() as connection:
            return connection.execute(_NEXT, (policy, *last, PORTION)).fetchall()


_STIR = "INSERT INTO dirty(bucket, subject_id, policy) VALUES(?, ?, ?) ON CONFLICT(bucket, subject_id) DO NOTHING"
_NEXT = (
    "SELECT bucket, subject_id FROM subject WHERE policy = ? AND (bucket, subject_id) > (?, ?) "
    "ORDER BY bucket, subject_id LIMIT ?"
)
_NOTE = (
    "INSERT INTO dirty(bucket, subject_id, policy) SELECT bucket, subject_id, policy FROM subject "
    "WHERE bucket = ? AND subject_id = ? ON CONFLICT(bucket, subject_id) DO UPDATE SET policy = excluded.policy"
)
"""Nobody who was forgotten meanwhile is noted."""
_SPREAD = "DELETE FROM dirty WHERE bucket = ? AND subject_id = ?"
