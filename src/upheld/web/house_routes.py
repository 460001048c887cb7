"""Rows of the route table for what the house itself does: duties, processors, safeguards, leaks, registers."""

from __future__ import annotations

from typing import Final

from upheld.web import duties
from upheld.web.route import Route, Who

HOUSE: Final = (
    # ── what nobody asks for ──
    Route("duties", "GET", "/console/{policy}/duties", Who.RECORDS, duties.duties),
    Route("duties-file", "GET", "/console/{policy}/duties.json", Who.RECORDS, duties.as_json),
    Route("count", "POST", "/console/{policy}/duties", Who.OFFICE, duties.count),
    Route("duty", "GET", "/console/{policy}/duties/{duty}", Who.RECORDS, duties.duty),
    Route("duty-done", "POST", "/console/{policy}/duties/{duty}", Who.OFFICE, duties.done),
    Route("duty-tell", "POST", "/console/{policy}/duties/{duty}/notices", Who.OFFICE, duties.tell),
)
