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

EU: Final = Pack(
    "eu",
    reaches_from=date(2018, 5, 25),
    checked=date(2026, 11, 22),
    sources={"GDPR": "Regulation (EU) 2016/679, from general knowledge, not read for this table"},
    rules=tuple(_row.rules),
)
