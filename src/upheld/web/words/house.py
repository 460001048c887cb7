"""Words of the pages on what the house itself does, gathered from their topics."""

from typing import Final

from upheld.web.words import adverts, duties, forms, leaks, parties, registers, safeguards

WORDS: Final = {
    **duties.WORDS,
    **leaks.WORDS,
    **parties.WORDS,
    **safeguards.WORDS,
    **registers.WORDS,
    **adverts.WORDS,
    **forms.WORDS,
}
