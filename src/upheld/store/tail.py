"""What this process has written and nobody has sealed yet: how much it is, and since when.

Between two checkpoints evidence is protected by a MAC alone (`docs/adr/0004-what-the-unsealed-tail-can-show.md`), so
the tail must not grow old. Counting costs a commit one addition; asking, one look at a clock that never goes back.
"""

from collections.abc import Callable

SECONDS = 60.0
ENTRIES = 10_000


class Tail:
    """The unsealed tail of one process, over all of its places."""

    def __init__(self, monotonic: Callable[[], float], seconds: float = SECONDS, entries: int = ENTRIES) -> None:
        self._monotonic = monotonic
        self.seconds = seconds
        self.entries = entries
        self._written = 0
        self._since = 0.0

    def grew(self, entries: int) -> None:
        """So many entries were committed."""
        if not self._written:
            self._since = self._monotonic()
        self._written += entries

    @property
    def over(self) -> bool:
        """Whether it is time to seal."""
        if not self._written:
            return False
        return self._written >= self.entries or self._monotonic() - self._since >= self.seconds

    def sealed(self) -> None:
        """Nothing is left of it."""
        self._written = 0

    def put_off(self) -> None:
        """Somebody else seals, or sealing failed and was told: the next one to ask comes when the time is over anew."""
        self._written, self._since = 1, self._monotonic()
