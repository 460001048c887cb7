"""The ledger in the console: how much is sealed, and whether all of it is what was signed."""

from __future__ import annotations

from upheld.ledger.checkpoint import checkpoint_in
from upheld.ledger.verify import Verification
from upheld.store import history
from upheld.store.verifying import verify_copy
from upheld.web.answer import Answer, Download, Shown
from upheld.web.asked import Asked


def ledger(asked: Asked) -> Answer:
    """The newest checkpoint, and on demand the proof of everything below it. Nothing is changed by looking."""
    note = history.newest_note(asked.keeper.places.sealer.connection)
    found = None
    if asked.query.get("verify") == "now":
        asked.keeper.seal_first()
        with asked.keeper.places.ledger_copy() as path:
            found = verify_copy(path, (asked.settings.home / "public.pem").read_text())
    told = cannot_show(found) if found else ()
    return Shown("ledger", {"checkpoint": checkpoint_in(note), "note": note, "found": found, "cannot_show": told})


def cannot_show(found: Verification) -> tuple[str, ...]:
    """What no verification of a copy could tell, as keys of sentences: one for each that `Verification` has."""
    about_end = {"not shown": ("cut-off",), "shown in part": ("cut-after",), "shown": ()}[found.complete]
    return (
        "truth",
        *about_end,
        *(() if found.key_given else ("signer",)),
        *(("pruned",) if found.pruned_batches else ()),
        "days",
        "beside",
        "unsealed",
    )


def checkpoint(asked: Asked) -> Answer:
    """The newest checkpoint as a file: whoever keeps it can show later that nothing was cut off."""
    note = history.newest_note(asked.keeper.places.sealer.connection)
    return Download(note.encode(), "text/plain", f"checkpoint-{checkpoint_in(note).size}.txt")
