"""The ledger in the console: how much is sealed, and whether all of it is what was signed."""

from __future__ import annotations

from upheld.ledger.checkpoint import checkpoint_in
from upheld.store import history
from upheld.store.verifying import verify_copy
from upheld.web.answer import Answer, Download, Shown
from upheld.web.asked import Asked


def ledger(asked: Asked) -> Answer:
    """The newest checkpoint, and on demand the proof of everything below it. Nothing is changed by looking."""
    note = history.newest_note(asked.keeper.places.sealer.connection)
    found = None
    if asked.query.get("verify") == "now":
        asked.keeper.seal()
        with asked.keeper.places.ledger_copy() as path:
            found = verify_copy(path, (asked.settings.home / "public.pem").read_text())
    return Shown("ledger", {"checkpoint": checkpoint_in(note), "note": note, "found": found})


def checkpoint(asked: Asked) -> Answer:
    """The newest checkpoint as a file: whoever keeps it can show later that nothing was cut off."""
    note = history.newest_note(asked.keeper.places.sealer.connection)
    return Download(note.encode(), "text/plain", f"checkpoint-{checkpoint_in(note).size}.txt")
