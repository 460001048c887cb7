"""The Korean article that each decision and each default cites, by topic. Which article it is, is our reading.

Decisions cite the article as it is numbered on the day on which the table was last read, whatever the policy's day.
"""

from __future__ import annotations

from typing import Final

from upheld.law.rows import Rule, Table

_row = Table()

_row("cited.purposes", "PIPA 15", True, "nothing without a purpose that is named", "ACT M")
_row("cited.items", "PIPA 16", True, "nothing beyond what a purpose needs", "ACT M")
_row("cited.recipients", "PIPA 17", True, "nobody gets anything but who is named", "ACT M")
_row("cited.separate", "PIPA 23", True, "sensitive data is asked for apart", "ACT M")
_row("cited.separate.sensitive", "PIPA 23, 24", True, "sensitive data needs a consent of its own or a law", "ACT M")
_row("cited.separate.unique-id", "PIPA 23, 24", True, "identifiers need a consent of their own or a law", "ACT M")
_row("cited.due", "PIPA 21", True, "what is due is destroyed and not used", "ACT M")
_row("cited.separation", "PIPA 21(3)", True, "what a law keeps is kept apart", "ACT M")
_row("cited.channels", "PIPA 22", True, "ways of agreeing", "ACT M")
_row("cited.collection", "PIPA 22", True, "ways of collecting", "ACT M")
_row("cited.exceptions", "PIPA 18", True, "ways out beyond the purpose", "ACT M")
_row("cited.transfers", "PIPA 28-8", True, "leaving the country needs a basis of its own", "ACT M", "2023-09-15")
_row("cited.transfer-consent", "PIPA 28-8(1)1", True, "separate consent to the transfer", "ACT M", "2023-09-15")
_row("cited.handlers", "PIPA 28", True, "staff see what their duty needs", "ACT M")
_row("cited.provision-consent", "PIPA 17(1)1", True, "consent to exactly this recipient", "ACT M")
_row("cited.sub-entrustment", "PIPA 26(6)", True, "a sub-processor is agreed to first", "ACT M", "2023-09-15")
_row("cited.optional", "PIPA 22(5)", True, "what is optional is free to refuse", "ACT M")
_row("cited.children", "PIPA 22-2", True, "below the age a representative agrees", "ACT M", "2020-08-05")
_row("cited.resident-number", "PIPA 24-2", True, "only a law that names it", "ACT M")
_row("cited.permission", "Network Act 22-2", True, "access to a device is asked for", "NET M")
_row("cited.advertising", "Network Act 50", True, "advertising by message", "NET M")
_row("cited.medium", "Network Act 50(1)", True, "prior consent to receive", "NET M")
_row("cited.acting", "PIPA 38", True, "who may act for a person", "ACT M")
_row("cited.notice", "PIPA 30", True, "the policy and its changes are published", "ACT M")
_row("cited.upkeep", "PIPA 15(1)", True, "what the house itself keeps to show what it did", "ACT M")
_row("cited.rights", "PIPA 35", True, "what a person may ask", "ACT M")
_row("cited.rights.access", "PIPA 35", True, "to see", "ACT M")
_row("cited.rights.rectification", "PIPA 36", True, "to have it corrected", "ACT M")
_row("cited.rights.erasure", "PIPA 36", True, "to have it erased", "ACT M")
_row("cited.rights.suspension", "PIPA 37", True, "to have it stopped", "ACT M")
_row("cited.rights.withdrawal", "PIPA 37", True, "to take consent back", "ACT M")
_row("cited.rights.portability", "PIPA 35-2", True, "to take it along", "ACT M", "2025-03-13")
_row("cited.rights.source", "PIPA 20", True, "where it came from", "ACT M")
_row("cited.rights.objection", "PIPA 38(5)", True, "to object to a refusal", "ACT M")
_row("cited.told.business-transfer", "PIPA 27(1)", True, "a merger or transfer is told", "ACT M")
_row("cited.told.breach", "PIPA 34(1)", True, "a leak is told", "ACT M")
_row("cited.told.possible-breach", "PIPA 34(2)", True, "a possible leak is told", "ACT M", "2026-09-11")
_row("cited.told.change", "PIPA 30(2)", True, "a change is told", "ACT M")
_row("cited.told.marketing-entrusted", "PIPA 26(3)", True, "entrusted marketing is told", "ACT M")
_row("cited.told.source", "PIPA 20", True, "where data came from is told", "ACT M")
_row("cited.told.yearly-use", "PIPA 20-2", True, "use is told once a year", "ACT M", "2023-09-15")
_row("cited.told.outcome", "PIPA 38", True, "what became of a request", "ACT M")
_row("cited.told.consent-confirmed", "Network Act 50(7)", True, "the result of agreeing is told", "NET M")
_row("cited.told.reconfirmation", "Network Act 50(8)", True, "whether somebody still agrees", "NET M")
_row("cited.told.representative-asked", "PIPA 22-2(1)", True, "who represents a child is asked", "ACT M")
_row("cited.told.grown-up", "PIPA 22-2", True, "who comes of age is told", "ACT M", "2020-08-05")
_row("transfer.inside", "PIPA 28-8", ("KR",), "seats that are no transfer abroad", "ACT M")

# ───── duties that nobody asks for, and registers

_row("cited.duty.yearly-use", "PIPA 20-2", True, "use is told once a year", "ACT M")
_row("cited.duty.source", "PIPA 20(2)", True, "the source is told unasked", "ACT M")
_row("cited.duty.reconfirmation", "Network Act 50(8)", True, "the consent to messages is confirmed", "NET M")
_row("cited.duty.consent-confirmed", "Network Act 50(7)", True, "a yes or no to messages is confirmed", "NET M")
_row("cited.duty.inspection", "PIPA 26(4)", True, "a processor is supervised", "ACT M")
_row("cited.duty.access-review", "Safety Standards 8", True, "access records are looked at", "SAFE M")
_row("cited.duty.grant-review", "Safety Standards 5", True, "access rights are looked at", "SAFE M")
_row("cited.duty.agency-review", "PIPA 30", True, "the policy names who else helps", "ACT M")
_row("cited.duty.plan-check", "Safety Standards 4", True, "the inside plan is checked", "SAFE M")
_row("cited.duty.id-survey", "PIPA decree 21", True, "unique identifiers are surveyed", "ACT M")
_row("cited.duty.training", "PIPA 28(2)", True, "handlers are taught", "ACT M")
_row("cited.duty.pledge", "PIPA 28", True, "handlers are bound to secrecy", "ACT M")
_row("cited.duty.breach-drill", "PIPA 34", True, "a leak is answered as practised", "ACT M")
_row("cited.register.versions", "PIPA 30", True, "what the register of versions rests on", "ACT M")
_row("cited.register.processing", "PIPA 30", True, "what the register of processing rests on", "ACT M")
_row("cited.register.consents", "PIPA 22", True, "what the register of consents rests on", "ACT M")
_row("cited.register.provisions", "PIPA 17, 18", True, "what the register of provisions rests on", "ACT M")
_row("cited.register.processors", "PIPA 26", True, "what the register of processors rests on", "ACT M")
_row("cited.register.transfers", "PIPA 28-8", True, "what the register of transfers rests on", "ACT M")
_row("cited.register.requests", "PIPA 35 to 38", True, "what the register of requests rests on", "ACT M")
_row(
    "cited.register.destruction",
    "PIPA 21, Standard Guideline 10",
    True,
    "what the register of destruction rests on",
    "ACT M",
)
_row(
    "cited.register.access-rights",
    "Safety Standards 5(3)",
    True,
    "what the register of access-rights rests on",
    "SAFE M",
)
_row(
    "cited.register.access-reviews",
    "Safety Standards 8",
    True,
    "what the register of access-reviews rests on",
    "SAFE M",
)
_row("cited.register.training", "PIPA 28", True, "what the register of training rests on", "ACT M")
_row("cited.register.leaks", "PIPA 34", True, "what the register of leaks rests on", "ACT M")
_row("cited.register.notices", "PIPA 20, 20-2, 34", True, "what the register of notices rests on", "ACT M")

ARTICLES: Final[tuple[Rule, ...]] = tuple(_row.rules)
