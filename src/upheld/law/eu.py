"""GDPR, as far as Upheld compares a document with it. Small on purpose; what is not here is not checked.

Written from Regulation (EU) 2016/679 as it is commonly known, without the text at hand: every row is M. Member states'
own ages, derogations and retention laws are not in it.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from upheld.dates import Period
from upheld.law.rows import Pack, Table

_row = Table()
_FROM: Final = "2018-05-25"

_row(
    "bases",
    "GDPR 6(1)",
    ("consent", "contract", "law", "vital", "public-task", "legitimate-interest"),
    "six legal bases; a basis outside them is none",
    "GDPR M",
    _FROM,
)
_row(
    "sensitive.separate",
    "GDPR 9",
    True,
    "special categories need an explicit consent or another exception of 9(2)",
    "GDPR M",
    _FROM,
)
_row(
    "children.age",
    "GDPR 8",
    16,
    "below this age the holder of parental responsibility agrees to online services; a member state may go down to 13",
    "GDPR M",
    _FROM,
)
_row(
    "rights",
    "GDPR 15 to 21",
    ("access", "rectification", "erasure", "suspension", "portability", "withdrawal", "objection"),
    "rights that the notice must tell of",
    "GDPR M",
    _FROM,
)
_row(
    "rights.answered",
    "GDPR 12(3)",
    Period(months=1),
    "answered within a month; two more with a reason",
    "GDPR M",
    _FROM,
)
_row("withdrawal.as-easy", "GDPR 7(3)", True, "withdrawing is as easy as agreeing", "GDPR M", _FROM)
_row("breach.reported", "GDPR 33", Period(hours=72), "told to the authority within 72 hours", "GDPR M", _FROM)
_row("contents.controller", "GDPR 13(1)(a)", True, "who the controller is and how to reach it", "GDPR M", _FROM)
_row(
    "contents.officer",
    "GDPR 13(1)(b)",
    True,
    "how to reach the data protection officer, where there is one",
    "GDPR M",
    _FROM,
)
_row("contents.purposes", "GDPR 13(1)(c)", True, "purposes and legal basis of each", "GDPR M", _FROM)
_row("contents.interests", "GDPR 13(1)(d)", True, "the legitimate interests pursued", "GDPR M", _FROM)
_row("contents.recipients", "GDPR 13(1)(e)", True, "recipients or kinds of them", "GDPR M", _FROM)
_row(
    "contents.transfers", "GDPR 13(1)(f)", True, "transfers to a third country and what protects them", "GDPR M", _FROM
)
_row("contents.retention", "GDPR 13(2)(a)", True, "how long, or by what rule that is decided", "GDPR M", _FROM)
_row("contents.rights", "GDPR 13(2)(b)", True, "the rights", "GDPR M", _FROM)
_row("contents.complaint", "GDPR 13(2)(d)", True, "the right to complain to an authority", "GDPR M", _FROM)
_row("contents.refusal", "GDPR 13(2)(e)", True, "what follows from not giving the data", "GDPR M", _FROM)
_row("contents.automated", "GDPR 13(2)(f)", True, "automated decisions and their logic", "GDPR M", _FROM)
_row(
    "record",
    "GDPR 30(1)",
    ("controller", "purposes", "subjects-and-items", "recipients", "transfers", "erasure", "security"),
    "what the record of processing holds",
    "GDPR M",
    _FROM,
)
_row(
    "entrustment.terms",
    "GDPR 28(3)",
    ("purpose-limits", "confidentiality", "no-passing-on", "inspections"),
    "instructions, confidentiality, sub-processing and audits stand in the contract",
    "GDPR M",
    _FROM,
)
_row(
    "sub-entrustment.approved",
    "GDPR 28(2)",
    True,
    "a sub-processor needs the controller's authorisation",
    "GDPR M",
    _FROM,
)

# ───── the articles that decisions and defaults cite: which article it is, is our reading

_row("cited.purposes", "GDPR 5(1)(b)", True, "nothing without a purpose that is named", "GDPR M", _FROM)
_row("cited.items", "GDPR 5(1)(c)", True, "nothing beyond what a purpose needs", "GDPR M", _FROM)
_row("cited.recipients", "GDPR 6(1)", True, "nobody gets anything without a legal basis", "GDPR M", _FROM)
_row("cited.separate", "GDPR 9", True, "special categories are asked for apart", "GDPR M", _FROM)
_row(
    "cited.separate.sensitive",
    "GDPR 9",
    True,
    "special categories need an explicit consent or another exception",
    "GDPR M",
    _FROM,
)
_row("cited.due", "GDPR 5(1)(e)", True, "nothing is kept longer than its purpose needs", "GDPR M", _FROM)
_row("cited.separation", "GDPR 18(2)", True, "what is only kept is used for nothing else", "GDPR M", _FROM)
_row("cited.channels", "GDPR 7", True, "ways of agreeing that can be shown", "GDPR M", _FROM)
_row("cited.collection", "GDPR 5(1)(a)", True, "ways of collecting that people know of", "GDPR M", _FROM)
_row(
    "cited.exceptions",
    "GDPR 6(1)",
    True,
    "ways out beyond the purpose have a legal basis of their own",
    "GDPR M",
    _FROM,
)
_row(
    "cited.transfers", "GDPR 44 to 49", True, "leaving for a third country needs a basis of chapter V", "GDPR M", _FROM
)
_row("cited.transfer-consent", "GDPR 49(1)(a)", True, "explicit consent to the transfer", "GDPR M", _FROM)
_row("cited.handlers", "GDPR 29", True, "staff process on instructions only", "GDPR M", _FROM)
_row(
    "cited.provision-consent",
    "GDPR 6(1)(a)",
    True,
    "consent to exactly this recipient, where the policy rests on it",
    "GDPR M",
    _FROM,
)
_row("cited.sub-entrustment", "GDPR 28(2)", True, "a sub-processor is authorised first", "GDPR M", _FROM)
_row("cited.optional", "GDPR 7(4)", True, "consent is given freely", "GDPR M", _FROM)
_row("cited.children", "GDPR 8", True, "below the age the holder of parental responsibility agrees", "GDPR M", _FROM)
_row(
    "cited.resident-number",
    "GDPR 87",
    True,
    "a national identification number goes by the law of the member state",
    "GDPR M",
    _FROM,
)
_row("cited.permission", "ePrivacy Directive 5(3)", True, "access to a device is asked for", "EPD M", _FROM)
_row("cited.advertising", "GDPR 21(3)", True, "direct marketing ends with the objection", "GDPR M", _FROM)
_row("cited.medium", "ePrivacy Directive 13(1)", True, "prior consent to receive", "EPD M", _FROM)
_row("cited.acting", "GDPR 12(6)", True, "who asks for another shows it", "GDPR M", _FROM)
_row("cited.notice", "GDPR 13 and 14", True, "the notice and its changes are told", "GDPR M", _FROM)
_row("cited.upkeep", "GDPR 5(2)", True, "what the house itself keeps to show what it did", "GDPR M", _FROM)
_row("cited.rights", "GDPR 12(3)", True, "what a person may ask", "GDPR M", _FROM)
_row("cited.rights.access", "GDPR 15", True, "to see", "GDPR M", _FROM)
_row("cited.rights.rectification", "GDPR 16", True, "to have it corrected", "GDPR M", _FROM)
_row("cited.rights.erasure", "GDPR 17", True, "to have it erased", "GDPR M", _FROM)
_row("cited.rights.suspension", "GDPR 18", True, "to have it restricted", "GDPR M", _FROM)
_row("cited.rights.withdrawal", "GDPR 7(3)", True, "to take consent back", "GDPR M", _FROM)
_row("cited.rights.portability", "GDPR 20", True, "to take it along", "GDPR M", _FROM)
_row("cited.rights.source", "GDPR 15(1)(g)", True, "where it came from", "GDPR M", _FROM)
_row("cited.rights.objection", "GDPR 21", True, "to object, and always to direct marketing", "GDPR M", _FROM)
_row("cited.told.business-transfer", "GDPR 13(3)", True, "who gets the data is told", "GDPR M", _FROM)
_row("cited.told.breach", "GDPR 34", True, "a leak with a high risk is told", "GDPR M", _FROM)
_row("cited.told.change", "GDPR 13(3)", True, "a change is told", "GDPR M", _FROM)
_row("cited.told.source", "GDPR 14", True, "where data came from is told", "GDPR M", _FROM)
_row("cited.told.outcome", "GDPR 12(3)", True, "what became of a request", "GDPR M", _FROM)
_row(
    "automated.answered",
    "GDPR 22, 12(3)",
    Period(months=1),
    "answered within a month; two more with a reason",
    "GDPR M",
    _FROM,
)
_row("children.age-least", "GDPR 8(1)", 13, "a member state may set a lower age, and none below this", "GDPR M", _FROM)
_row(
    "transfer.inside",
    "GDPR 44",
    (
        *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU"),
        *("MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO"),
    ),
    "seats in the European Economic Area are no third country",
    "GDPR M",
    _FROM,
)

# ───── duties that nobody asks for, and registers

_row("cited.duty.inspection", "GDPR 28(3)(h)", True, "a processor is audited", "GDPR M", _FROM)
_row("cited.duty.training", "GDPR 39(1)(b)", True, "staff are taught", "GDPR M", _FROM)
_row("cited.duty.pledge", "GDPR 32(4)", True, "staff act on instructions", "GDPR M", _FROM)
_row("cited.duty.breach-drill", "GDPR 33", True, "a breach is told within 72 hours", "GDPR M", _FROM)
_row("cited.duty.access-review", "GDPR 32(1)(d)", True, "measures are tested", "GDPR M", _FROM)
_row("cited.duty.grant-review", "GDPR 32(1)(d)", True, "measures are tested", "GDPR M", _FROM)
_row("cited.duty.plan-check", "GDPR 32(1)(d)", True, "measures are tested", "GDPR M", _FROM)
_row("cited.duty.agency-review", "GDPR 13(2)(d)", True, "the notice names the authority", "GDPR M", _FROM)
_row("cited.register.versions", "GDPR 12(1)", True, "what the register of versions rests on", "GDPR M", _FROM)
_row("cited.register.processing", "GDPR 30(1)", True, "what the register of processing rests on", "GDPR M", _FROM)
_row("cited.register.consents", "GDPR 7(1)", True, "what the register of consents rests on", "GDPR M", _FROM)
_row("cited.register.provisions", "GDPR 30(1)(d)", True, "what the register of provisions rests on", "GDPR M", _FROM)
_row("cited.register.transfers", "GDPR 30(1)(e)", True, "what the register of transfers rests on", "GDPR M", _FROM)
_row("cited.register.requests", "GDPR 12(3)", True, "what the register of requests rests on", "GDPR M", _FROM)
_row("cited.register.notices", "GDPR 13 and 14", True, "what the register of notices rests on", "GDPR M", _FROM)

EU: Final = Pack(
    "eu",
    reaches_from=date(2018, 5, 25),
    checked=date(2026, 11, 22),
    sources={
        "GDPR": "Regulation (EU) 2016/679, from general knowledge, not read for this table",
        "EPD": "Directive 2002/58/EC on privacy and electronic communications, from general knowledge",
    },
    rules=tuple(_row.rules),
    zones=("Europe/*",),
)
