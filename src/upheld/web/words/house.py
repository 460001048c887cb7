"""Words of the pages on what the house itself does, gathered from their topics."""

from typing import Final

from upheld.web.words import duties

WORDS: Final = {**duties.WORDS}
