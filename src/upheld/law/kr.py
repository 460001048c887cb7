"""Korean law on personal data as dated rows, as it was read on 2026-11-22. Not legal advice.

H: read in the text of the act or decree. M: second-hand notice text, official summary or agreeing secondary sources.
L: one weak source, an inference, or general knowledge (source OLD) for days before the present text. How sure a row is
speaks of its value; first days of 2019 and 2020 and of rows that no list of amendments names are general knowledge.
Days before 2020-08-05 are thin: the privacy part of the Network Act, which then ruled online services, is not here.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from upheld.dates import Period
from upheld.law.kr_articles import ARTICLES
from upheld.law.rows import Pack, Table

_row = Table()

# ───── which law, and its large turns

_row(
    "network-act.privacy",
    "Network Act ch. 4",
    True,
    "online services follow the Network Act's privacy chapter",
    "DEC H",
    until="2020-08-05",
)
_row(
    "network-act.moved",
    "PIPA (Act 16930)",
    True,
    "the privacy chapter of the Network Act is part of the Personal Information Protection Act",
    "DEC H",
    "2020-08-05",
)
_row("one-rule", "PIPA (Act 19234)", True, "one rule for online and offline controllers", "DEC H", "2023-09-15")
_row(
    "dormant.separated",
    "former PIPA 39-6",
    Period(years=1),
    "accounts unused for a year are kept apart or destroyed",
    "DEC H",
    until="2023-09-15",
)

# ───── collecting, agreeing, the minimum

_row(
    "bases",
    "PIPA 15(1)",
    ("consent", "law", "public-task", "contract", "vital", "legitimate-interest", "public-health"),
    "seven lawful grounds of collecting",
    "ACT H",
)
_row(
    "bases.contract-unavoidable",
    "former PIPA 15(1)4",
    True,
    "a contract carries only what is unavoidable for it",
    "ACT H",
    until="2023-09-15",
)
_row(
    "collection.difficulty",
    "former Network Act 22(2)1, PIPA 39-3(2)1",
    True,
    "no consent where asking is plainly difficult for economic or technical reasons",
    "OLD L",
    until="2023-09-15",
)
_row(
    "provision.fees",
    "former Network Act 22(2)2, PIPA 39-3(2)2",
    True,
    "no consent for the settlement of fees",
    "OLD L",
    until="2023-09-15",
)
_row(
    "consent.fields",
    "PIPA 15(2)",
    ("purpose", "items", "period", "refusal"),
    "told with each consent, and again when changed",
    "ACT H",
)
_row(
    "compatible-use",
    "PIPA 15(3), decree 14-2",
    ("related", "foreseeable", "no-harm", "safeguards"),
    "further use without consent; its criteria stand in the policy where it goes on",
    "ACT H",
    "2020-08-05",
)
_row("minimum.refusable", "PIPA 16", True, "what is not needed may be refused, and refusing costs no service", "ACT H")
_row(
    "consent.separate",
    "PIPA 22(1)",
    ("collection", "provision", "other-use", "recipient-use", "sensitive", "unique-id", "marketing"),
    "matters that are each agreed to apart",
    "ACT H",
)
_row(
    "consent.not-needed-apart",
    "PIPA 22(3)",
    True,
    "items without consent are listed apart, with their basis",
    "ACT H",
    "2023-09-15",
)
_row("consent.optional-free", "PIPA 22(5)", True, "refusing what is optional costs nothing", "ACT H")
_row(
    "consent.conditions",
    "PIPA decree 17(1)",
    ("free", "concrete", "easy", "clear-means"),
    "what makes a consent valid",
    "DEC H",
    "2024-09-15",
)
_row(
    "consent.methods",
    "PIPA decree 17(2)",
    ("signed", "phone", "phone-and-site", "site", "mail", "equivalent"),
    "ways of agreeing",
    "DEC H",
)
_row(
    "consent.highlighted",
    "PIPA decree 17(3)",
    ("marketing", "sensitive", "unique-id", "period", "recipient"),
    "what the form must bring out",
    "DEC H",
)
_row("advertising.night-from", "Network Act 50(3)", 21, "from this hour a message needs a consent of its own", "NET M")
_row("advertising.night-until", "Network Act 50(3)", 8, "until this hour", "NET M")
_row("advertising.label", "Network Act 50(4)", ("(광고)",), "what an advertisement begins with", "NET M")
_row("advertising.reconfirmed", "Network Act decree 62-3", Period(years=2), "the consent is confirmed again", "NET M")
_row(
    "advertising.result-told",
    "Network Act 50(7)",
    Period(days=14),
    "the result of agreeing or refusing is told",
    "NET L",
)
_row("children.age", "PIPA 22-2", 14, "below this age the representative agrees, and is verified", "ACT H")
_row(
    "children.from-child",
    "PIPA 22-2",
    ("name", "contact"),
    "all that a child may be asked for without consent",
    "ACT H",
)
_row(
    "children.verified",
    "PIPA decree 17-2",
    ("message", "card", "phone-identity", "paper", "mail-reply", "call", "equivalent"),
    "ways of verifying the representative's consent",
    "DEC H",
)
_row("children.plain", "PIPA 22-2(3)", True, "children are told in plain language", "ACT H", "2020-08-05")
_row(
    "sensitive",
    "PIPA 23",
    ("belief", "union-or-party", "politics", "health", "sex-life", "genetic", "crime", "biometric", "ethnicity"),
    "kinds of sensitive data: separate consent or a statute",
    "ACT H",
)
_row(
    "sensitive.disclosure-told",
    "PIPA 23(3)",
    True,
    "where a service may disclose it, how to keep it private is told",
    "ACT H",
    "2023-09-15",
)
_row(
    "unique-id",
    "PIPA 24",
    ("resident-number", "passport", "driving-licence", "alien-number"),
    "separate consent or a statute",
    "ACT H",
)
_row("unique-id.surveyed", "PIPA decree 21", Period(years=3), "how often their safety is surveyed", "DEC H")
_row("resident-number.law-only", "PIPA 24-2", True, "consent is never a ground; a law must name it", "ACT H")
_row("resident-number.encrypted", "PIPA 24-2(2)", True, "always encrypted", "ACT H")
_row("camera.kept", "Standard Guideline 41", Period(days=30), "the most, where no period can be fixed", "STD M")
_row("camera.no-sound", "PIPA 25(5)", True, "a fixed camera records no sound", "ACT H")
_row(
    "camera.mobile-shown",
    "PIPA 25-2",
    True,
    "a moving camera shows by light, sound or sign that it records",
    "ACT H",
    "2023-09-15",
)

# ───── giving away, entrusting, abroad

_row(
    "provision.bases",
    "former PIPA 17(1)",
    ("consent", "law", "public-task", "vital"),
    "a contract is none of them",
    "OLD L",
    until="2023-09-15",
)
_row(
    "provision.bases",
    "PIPA 17(1)",
    ("consent", "law", "public-task", "vital", "legitimate-interest", "public-health"),
    "a contract is none of them",
    "ACT H",
    "2023-09-15",
)
_row(
    "provision.fields",
    "PIPA 17(2)",
    ("recipient", "their-use", "items", "until", "refused"),
    "told before giving",
    "ACT H",
)
_row("source.on-request", "PIPA 20(1)", True, "told at once: source, purpose, right to stop it", "ACT H")
_row("source.unasked", "PIPA 20(2), decree 15-2", Period(months=3), "told unasked by large controllers", "DEC H")
_row("large.subjects", "PIPA decree 15-2", 1_000_000, "persons a day on average: a large controller", "DEC H")
_row("large.sensitive", "PIPA decree 15-2", 50_000, "or so many with sensitive or unique data", "DEC H")
_row(
    "use.told-yearly",
    "PIPA 20-2",
    Period(years=1),
    "large controllers tell what was used and given",
    "ACT H",
    "2023-09-15",
)
_row(
    "entrustment.terms",
    "PIPA 26(1), decree 28",
    ("purpose-limits", "confidentiality", "no-passing-on", "inspections", "liability"),
    "what the contract says of purpose and scope, protection and access, sub-entrustment, supervision, damages",
    "ACT H",
)
_row(
    "entrustment.published",
    "PIPA 26(2)",
    True,
    "task and processor are published; no consent is needed",
    "ACT H",
    "2020-08-05",
)
_row(
    "entrustment.agreed",
    "former Network Act 25",
    True,
    "online services asked consent to entrusting",
    "OLD L",
    until="2020-08-05",
)
_row("entrustment.marketing-told", "PIPA 26(3)", True, "entrusted marketing is told to each person", "ACT H")
_row("entrustment.posted", "PIPA decree 28", Period(days=30), "posted so long where it cannot be told", "DEC H")
_row("entrustment.supervised", "PIPA 26(4)", True, "the processor is taught and supervised", "ACT H")
_row("sub-entrustment.approved", "PIPA 26(6)", True, "the entruster agrees to a sub-processor", "ACT H", "2023-09-15")
_row(
    "business-transfer.fields", "PIPA 27", ("fact", "transferee", "opt-out"), "told to each person beforehand", "ACT H"
)
_row("business-transfer.posted", "PIPA decree 29", Period(days=30), "on the website where somebody is unknown", "DEC H")
_row(
    "pseudonymised.record",
    "PIPA 28-4(3)",
    Period(years=3),
    "the record stays so long after destruction",
    "ACT H",
    "2023-09-15",
)
_row(
    "transfer.bases",
    "PIPA 28-8(1)",
    ("consent", "law", "contract", "certification", "recognised-country"),
    "grounds of a transfer abroad",
    "ACT H",
    "2023-09-15",
)
_row(
    "transfer.fields",
    "PIPA 28-8(2)",
    ("items", "country", "when", "how", "recipient", "contact", "use", "until", "refusable", "refused"),
    "told or published for each transfer",
    "ACT H",
    "2023-09-15",
)
_row(
    "transfer.fields",
    "former Network Act 63(3), PIPA 39-12",
    ("items", "country", "when", "how", "recipient", "use", "until"),
    "told for each transfer",
    "OLD L",
    until="2023-09-15",
)
_row(
    "transfer.recognised",
    "PIPA 28-8(1)5",
    (
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
        "NO",
        "IS",
        "LI",
    ),
    "countries recognised as equivalent; not for resident numbers and credit information",
    "EUADQ M",
    "2025-09-16",
)
_row("transfer.stop-objection", "PIPA 28-9", Period(days=7), "to object to a stop order", "ACT H", "2023-09-15")

# ───── keeping and destroying

_row("destruction.without-delay", "PIPA 21(1)", True, "destroyed without delay when period or purpose is over", "ACT H")
_row("destruction.within", "Standard Guideline 10", Period(days=5), "what without delay means", "STD M")
_row("destruction.irrecoverable", "PIPA 21(2), decree 16", True, "so that it cannot be recovered", "ACT H")
_row("separation", "PIPA 21(3)", True, "what another law keeps lies apart", "ACT H")

_row("hold.ec-ad", "E-Commerce Act decree 6(1)1", Period(months=6), "labelling and advertising", "ECOM H")
_row("hold.ec-con", "E-Commerce Act decree 6(1)2", Period(years=5), "contracts and withdrawals", "ECOM H")
_row("hold.ec-pay", "E-Commerce Act decree 6(1)3", Period(years=5), "payment and supply", "ECOM H")
_row("hold.ec-dis", "E-Commerce Act decree 6(1)4", Period(years=3), "complaints and disputes", "ECOM H")
_row("hold.ec-sep", "E-Commerce Act decree 6(2)3", True, "records of who withdrew consent lie apart", "ECOM H")
_row("hold.cs-12", "Communications Secrets Act decree 41(2)", Period(months=12), "communication facts", "COMSEC H")
_row(
    "hold.cs-6",
    "Communications Secrets Act decree 41(2)",
    Period(months=6),
    "of local and long-distance calls",
    "COMSEC H",
)
_row(
    "hold.cs-3",
    "Communications Secrets Act decree 41(2)",
    Period(months=3),
    "internet logs and access points",
    "COMSEC H",
)
_row(
    "hold.tax-5",
    "Framework Act on National Taxes 85-3(2)",
    Period(years=5),
    "books and evidence, from the filing deadline of the tax period",
    "TAX H",
)
_row("hold.tax-7", "Framework Act on National Taxes 85-3(2)", Period(years=7), "of cross-border transactions", "TAX H")
_row(
    "calendar.tax-filing-deadline",
    "Corporate Tax Act 60",
    ("1", "3", "31"),
    "so many years after the fact, month and day: until then the tax of its year is declared",
    "TAX M",
)
_row("hold.com-10", "Commercial Act 33", Period(years=10), "books and important papers, from closing", "COMM M")
_row("hold.com-5", "Commercial Act 33", Period(years=5), "slips and the like", "COMM M")
_row(
    "hold.lab-3",
    "Labor Standards Act 42",
    Period(years=3),
    "roster and contract papers, a duty of the employer",
    "LABOR M",
)
_row("hold.cr-3", "Credit Information Act 20(2)", Period(years=3), "the record of collecting and using", "CREDIT M")
_row(
    "hold.cr-5",
    "Credit Information Act 20-2(2)",
    Period(years=5),
    "the data itself goes within, after dealing ends",
    "FIN2 M",
)
_row(
    "hold.cr-needless",
    "Credit Information Act 20-2(2)",
    Period(months=3),
    "where the purpose was met earlier",
    "FIN2 M",
)
_row(
    "hold.cr-sep",
    "Credit Information Act decree 17-2(1)",
    True,
    "essential items apart, the others deleted",
    "CREDEC H",
)
_row(
    "hold.cr-tell",
    "Credit Information Act decree 17-2(6)",
    True,
    "the consent notice says when dealing ends",
    "CREDEC H",
)
_row(
    "hold.cr-view",
    "Credit Information Act decree 30",
    Period(years=3),
    "use and provision can be looked up",
    "CREDEC H",
)
_row("hold.ef-5", "Electronic Financial Transactions Act 22", Period(years=5), "e-finance records", "FIN2 M")
_row(
    "hold.loc-6",
    "Location Information Act 16(2)",
    Period(months=6),
    "record of use and provision of locations",
    "LOC L",
)
_row("hold.med-list", "Medical Service Act rule 15", Period(years=5), "list of patients", "MED L")
_row("hold.med-chart", "Medical Service Act rule 15", Period(years=10), "charts and records of operations", "MED L")
_row("hold.med-prescription", "Medical Service Act rule 15", Period(years=2), "prescriptions", "MED L")
_row("hold.med-test", "Medical Service Act rule 15", Period(years=5), "tests, images and nursing records", "MED L")
_row("hold.med-certificate", "Medical Service Act rule 15", Period(years=3), "copies of certificates", "MED L")
_row("hold.p2p", "Online Investment-Linked Finance Act", Period(years=5), "records of lending", "P2P L")
_row("hold.aml", "Specified Financial Information Act", Period(years=5), "identification of customers", "P2P L")
_row("hold.portability", "PIPA decree 42-6(11)", Period(years=3), "record of a transfer", "DEC H", "2025-03-13")

# ───── safety

_row("plan.checked", "Safety Standards 4", Period(years=1), "the inside plan is checked", "SAFE-old M")
_row(
    "grant-record.kept", "Safety Standards 5(3)", Period(years=3), "granting, changing and revoking of rights", "SAFE M"
)
_row(
    "lockout",
    "Safety Standards 5(6)",
    True,
    "an account is locked after so many failures as the controller sets",
    "SAFE M",
)
_row("idle-session", "Safety Standards 6", True, "an idle session ends by itself", "SAFE-old M")
_row(
    "internet-cut.users", "Safety Standards 6", 1_000_000, "users from which handlers' computers are cut off", "SAFE M"
)
_row("password.one-way", "Safety Standards 7(1)", True, "passwords are kept one-way", "SAFE M")
_row(
    "encrypted.at-rest",
    "Safety Standards 7(2)",
    ("resident-number", "passport", "driving-licence", "alien-number", "card", "account", "biometric"),
    "encrypted where stored",
    "SAFE M",
)
_row(
    "encrypted.in-transit", "Safety Standards 7(4)", True, "encrypted on the internet and on what is carried", "SAFE M"
)
_row(
    "keys.procedure-large",
    "Safety Standards 7(6)",
    100_000,
    "persons from which large controllers need a procedure",
    "SAFE M",
)
_row("keys.procedure-small", "Safety Standards 7(6)", 1_000_000, "the same for small and middle ones", "SAFE M")
_row(
    "access-record.kept",
    "former Safety Standards 8(1)",
    Period(months=6),
    "access records of everyone",
    "OLD L",
    until="2019-06-07",
)
_row(
    "access-record.kept", "Safety Standards 8(1)", Period(years=1), "access records of everyone", "SAFE M", "2019-06-07"
)
_row(
    "access-record.kept-long",
    "Safety Standards 8(1)",
    Period(years=2),
    "with 50,000 persons, with unique or sensitive data, or as a registered carrier",
    "SAFE M",
    "2019-06-07",
)
_row(
    "access-record.many",
    "Safety Standards 8(1)",
    50_000,
    "persons from which the longer period holds",
    "SAFE M",
    "2019-06-07",
)
_row(
    "access-record.fields",
    "Safety Standards 8(2)",
    ("who", "when", "where-from", "whose", "what"),
    "what a record has",
    "SAFE M",
    "2019-06-07",
)
_row(
    "access-record.reviewed",
    "Safety Standards 8(2)",
    Period(months=1),
    "reviewed, downloads with their reason",
    "SAFE-new8 M",
    "2019-06-07",
    "2026-10-31",
)
_row(
    "access-record.review-by-plan",
    "Safety Standards 8(1)2",
    True,
    "reviewed as the inside plan sets",
    "SAFE-new8 M",
    "2026-10-31",
)
_row("antivirus.updated", "Safety Standards 9", Period(days=1), "updated by itself or so often", "SAFE-old M")

# ───── the policy and its contents

_row("contents.retention", "PIPA 30(1)2", True, "processing and retention periods", "ACT H")
_row("contents.destruction", "PIPA 30(1)3-2", True, "procedure and method of destruction", "ACT M")
_row("contents.holds", "PIPA 30(1)3-2", True, "what another law keeps: that law and the items", "ACT H", "2020-08-05")
_row(
    "contents.sensitive-disclosure",
    "PIPA 30(1)3-3",
    True,
    "that sensitive data may be disclosed",
    "ACT H",
    "2023-09-15",
)
_row("contents.pseudonymised", "PIPA 30(1)4-2", True, "pseudonymised processing", "ACT H", "2023-09-15")
_row("contents.rights", "PIPA 30(1)5", True, "rights of person and representative, how to use them", "ACT H")
_row("contents.officer", "PIPA 30(1)6", True, "the privacy officer, or a department and how to reach it", "ACT H")
_row("contents.cookies", "PIPA 30(1)7", True, "what collects by itself, and how to refuse it", "ACT H")
_row(
    "contents.transfer",
    "PIPA decree 31(1)",
    True,
    "transfers abroad with basis and five matters",
    "DEC H",
    "2023-09-15",
)
_row("contents.safety", "PIPA decree 31(1)", True, "safety measures", "DEC H")
_row(
    "contents.not-consented",
    "PIPA 22(3)",
    True,
    "items handled without consent and their basis, apart",
    "ACT H",
    "2023-09-15",
)
_row("contents.compatible-use", "PIPA decree 14-2(2)", True, "criteria of continual further use", "DEC H", "2020-08-05")
_row("contents.automated", "PIPA decree 44-4", True, "automated decisions (on the website)", "DEC H", "2024-03-15")
_row("contents.behaviour", "Policy Guideline", True, "behavioural data taken by others' tools", "GUIDE M", "2024-03-15")
_row(
    "contents.portability",
    "PIPA 35-2, decree 42-8",
    True,
    "how data moves to the person or another",
    "DEC H",
    "2025-03-13",
)
_row("contents.children", "Policy Guideline", True, "children under fourteen", "GUIDE M")
_row("contents.remedies", "Policy Guideline", True, "bodies that help", "GUIDE M")
_row("contents.history", "Policy Guideline", True, "earlier versions, before and after", "GUIDE M")
_row("contents.ai", "PIPA 28-12(5)", True, "purpose and kinds of the special case for AI", "ACT H", "2027-03-09")
_row("remedies.mediation", "Policy Guideline", ("kopico.go.kr",), "the Dispute Mediation Committee", "GUIDE M")
_row(
    "remedies.outdated",
    "Policy Guideline",
    ("1566-0112", "cyberbureau.police.go.kr"),
    "gone; the police answer at 182 and ecrm.police.go.kr",
    "GUIDE M",
    "2021-01-01",
)
_row(
    "remedies.prosecution-changed",
    "Acts in force 2026-10-02",
    ("spo.go.kr", "02-3480-3571", "02-3480-3573", "1301"),
    "the prosecution was reorganised; the contact is probably gone",
    "COMSEC L",
    "2026-10-02",
)
_row("change.announced", "Policy Guideline", Period(days=7), "usual; no statute fixes it", "GUIDE M")
_row("favour", "PIPA 30(3)", True, "of policy and contract whichever favours the person", "ACT H")
_row("ceo.responsible", "PIPA 30-3", True, "the head of the company answers in the last resort", "ACT H", "2026-09-11")
_row(
    "officer.report",
    "PIPA 31, decree 32",
    Period(months=6),
    "large controllers report their officer",
    "DEC H",
    "2026-09-11",
)
_row(
    "domestic-agent.training",
    "PIPA 31-2",
    Period(years=1),
    "foreign controllers train their domestic agent",
    "ACT H",
    "2025-10-02",
)
_row("certification.valid", "PIPA 32-2", Period(years=3), "with a follow-up each year", "ACT H")
_row("certification.mandatory", "PIPA 32-2(1)", True, "for designated controllers", "ACT H", "2027-07-01")
_row("liability.controller-proves", "PIPA 39", True, "the controller proves that it was not at fault", "ACT H")
_row("liability.times", "PIPA 39(3)", 5, "times the damage at most", "ACT H", "2023-09-15")
_row("liability.statutory", "PIPA 39-2", 3_000_000, "won at most without proof of the amount", "ACT H")
_row("fine.percent", "PIPA 64-2", 3, "percent of turnover at most", "ACT H", "2023-09-15")
_row("fine.percent-grave", "PIPA 64-2", 10, "percent for repeated or very large cases", "ACT H", "2026-09-11")
_row(
    "forms.moved",
    "Notice on Processing 2023-12",
    True,
    "the forms stand in a notice of the commission",
    "FORM M",
    "2020-08-05",
)
_row(
    "portal.public-only",
    "PIPA 35(2), decree 41(3)",
    True,
    "the commission's portal forwards to public bodies only",
    "DEC H",
)

# ───── breach, and rights

_row("breach.told", "PIPA 34(1), decree 39", Period(hours=72), "told to each person", "DEC H", "2023-09-15")
_row("breach.reported", "PIPA 34(4), decree 40", Period(hours=72), "reported to the commission", "DEC H", "2023-09-15")
_row(
    "breach.reported-from",
    "PIPA decree 40",
    1_000,
    "persons from which it is reported, or any sensitive data",
    "DEC H",
    "2023-09-15",
)
_row(
    "breach.posted-besides",
    "PIPA decree 40(3)",
    Period(days=7),
    "on the website besides, where a thousand persons or more are concerned",
    "OLD L",
    until="2023-09-15",
)
_row("breach.posted", "PIPA decree 39(3)", Period(days=30), "on the website where nobody can be reached", "DEC H")
_row(
    "breach.possible-told",
    "PIPA 34(2), decree 39-2",
    Period(hours=72),
    "that a leak is possible",
    "DEC H",
    "2026-09-11",
)
_row(
    "rights",
    "PIPA 35 to 37",
    ("access", "rectification", "erasure", "suspension", "withdrawal"),
    "what a person may ask of anybody",
    "ACT H",
)
_row("rights.answered", "PIPA decree 41 to 44", Period(days=10), "answered, or refused with the reason", "DEC H")
_row("rights.objection", "PIPA 38(5)", True, "how to object to a refusal is there and shown", "ACT H")
_row("rights.as-easy", "PIPA 38(4), decree 41(2)", True, "no harder than collecting was", "ACT H")
_row("withdrawal.destroys", "PIPA 37(3), (5)", True, "what was withdrawn is destroyed without delay", "ACT H")
_row(
    "portability",
    "PIPA 35-2",
    True,
    "data moves to the person, encrypted and readable by machines",
    "ACT H",
    "2025-03-13",
)
_row("portability.large-too", "PIPA decree (36121)", True, "large controllers of any trade", "DEC M", "2027-02-20")
_row(
    "automated.answered", "PIPA 37-2, decree 44-3", Period(days=30), "twice longer with a reason", "DEC H", "2024-03-15"
)
_row("agents.paper", "PIPA 38, decree 45", True, "a power of attorney; parents for a child need none", "DEC H")
_row("fees.at-most-cost", "PIPA 38(3), decree 47", True, "no more than it costs", "DEC H")

# ───── what a program reckons with elsewhere: other use, staff, cameras, evaluation, insurance

_row(
    "other-use.grounds",
    "PIPA 18(2)",
    ("consent", "law", "vital", "public-safety"),
    "use for another purpose; further grounds are for public bodies alone",
    "ACT H",
)
_row("other-use.ledger", "PIPA decree 15", True, "public bodies keep a ledger of it and publish it", "DEC H")
_row("recipient.bound", "PIPA 19", True, "a recipient uses what it got for that purpose alone", "ACT H")
_row("source.notice-kept", "PIPA decree 15-2(4)", True, "the record of the notice stays until the data goes", "DEC H")
_row("entrustment.trustee-is-staff", "PIPA 26(7)", True, "a processor counts as staff for damages", "ACT H")
_row("entrustment.trustee-bound", "PIPA 26(8)", True, "most duties bind the processor itself", "ACT H", "2023-09-15")
_row("business-transfer.bound", "PIPA 27(3)", True, "the transferee uses it for the original purpose alone", "ACT H")
_row("handlers.fewest", "PIPA 28", True, "as few handlers as possible, supervised and trained regularly", "ACT H")
_row(
    "pseudonymised.purposes",
    "PIPA 28-2",
    ("statistics", "research", "archiving"),
    "purposes without consent",
    "ACT H",
    "2020-08-05",
)
_row(
    "pseudonymised.no-naming",
    "PIPA 28-5",
    True,
    "nobody is identified again; if it happens: stop and destroy",
    "ACT H",
    "2020-08-05",
)
_row(
    "pseudonymised.no-rights",
    "PIPA 28-7",
    ("source", "yearly-notice", "business-transfer", "breach", "access", "portability", "rectification", "suspension"),
    "what does not reach pseudonymised data",
    "ACT H",
    "2023-09-15",
)
_row(
    "transfer.safeguards",
    "PIPA 28-8(4), decree 29-10",
    ("contract", "grievances", "onward-transfer"),
    "what protects a transfer",
    "DEC H",
    "2023-09-15",
)
_row("camera.sign", "PIPA 25(4)", ("purpose", "place", "range", "time", "contact"), "what the sign tells", "ACT H")
_row(
    "camera.policy-items", "PIPA decree 25", 8, "matters of the operating policy, which may stand in this one", "DEC H"
)
_row("children.ways", "PIPA decree 17-2", 7, "ways of verifying, the last being an equivalent one", "DEC H")
_row("policy.published", "PIPA 30(2), decree 31(2)", True, "always open on the website", "ACT H")
_row("policy.evaluated", "PIPA 30-2", True, "the commission evaluates policies", "ACT M", "2023-09-15")
_row("officer.named", "PIPA 31", True, "a privacy officer is named; the owner in a small business", "ACT H")
_row(
    "officer.large-revenue",
    "PIPA decree 32",
    180_000_000_000,
    "won of revenue from which an officer is qualified",
    "DEC H",
    "2024-03-15",
)
_row(
    "domestic-agent.revenue",
    "PIPA 31-2, decree 32-3",
    1_000_000_000_000,
    "won of revenue of a foreign controller",
    "DEC H",
)
_row("domestic-agent.subjects", "PIPA decree 32-3", 1_000_000, "or persons a day", "DEC H")
_row("domestic-agent.contents", "PIPA 31-2(4)", ("name", "address", "phone", "mail"), "stands in the policy", "ACT H")
_row(
    "public-files.registered",
    "PIPA 32",
    ("name", "basis", "purpose", "items", "method", "period", "recipients"),
    "public bodies register their files",
    "ACT H",
)
_row("exposed.removed", "PIPA 34-2", True, "exposed data is blocked when the commission asks", "ACT H")
_row(
    "breach.contents",
    "PIPA 34(1)",
    ("items", "when-and-how", "what-to-do", "response", "contact"),
    "what is told",
    "ACT H",
    until="2026-09-11",
)
_row(
    "breach.contents",
    "PIPA 34(1)",
    ("items", "when-and-how", "what-to-do", "response", "contact", "legal-rights"),
    "what is told",
    "ACT H",
    "2026-09-11",
)
_row(
    "insurance.revenue",
    "PIPA 39-7, decree 48-7",
    1_000_000_000,
    "won of revenue from which one insures",
    "DEC H",
    "2024-03-15",
)
_row("insurance.subjects", "PIPA 39-7, decree 48-7", 10_000, "and persons", "DEC H", "2024-03-15")
_row(
    "access.gives",
    "PIPA decree 41(1)",
    ("items", "purpose", "period", "provisions", "consents"),
    "what can be viewed",
    "DEC H",
)
_row("access.refusals", "PIPA 35(4)", ("law", "harm-to-others", "public-work"), "grounds of refusing", "ACT H")
_row("rectification.refusals", "PIPA 36(1)", ("law-names-the-data",), "where erasure is barred", "ACT H")
_row(
    "suspension.refusals",
    "PIPA 37(2)",
    ("law", "harm-to-others", "public-task", "contract"),
    "grounds of refusing",
    "ACT H",
)
_row(
    "portability.kept-out",
    "PIPA decree 42-4",
    ("derived", "one-way", "trade-secrets", "rights-of-others"),
    "what does not move",
    "DEC H",
    "2025-03-13",
)
_row("portability.energy", "PIPA decree (35343)", True, "energy suppliers too", "DEC H", "2026-06-01")
_row(
    "portability.public-systems", "PIPA decree (36121)", True, "operators of public systems too", "DEC H", "2026-08-20"
)
_row("automated.contents", "PIPA decree 44-4", 5, "matters published of automated decisions", "DEC H", "2024-03-15")
_row("accounts.one-each", "Safety Standards 5(4)", True, "one account for each handler, none shared", "SAFE M")
_row("rights-of-staff.revoked", "Safety Standards 5(2)", True, "changed or revoked without delay on leaving", "SAFE M")
_row(
    "access-from-outside",
    "Safety Standards 6",
    ("certificate", "token", "one-time-password"),
    "strong authentication",
    "SAFE-old M",
)
_row("access-record.unforged", "Safety Standards 8(3)", True, "cannot be forged, is backed up", "SAFE M")
_row("rooms.controlled", "Safety Standards 10", True, "entry, storage and media are controlled", "SAFE-old M")
_row("disaster-plan", "Safety Standards 11", True, "large controllers", "SAFE-old M")
_row("output.least", "Safety Standards 12", True, "least output; printing and copying controlled", "SAFE M")
_row("destruction.paper", "PIPA decree 16", ("shred", "burn"), "how paper is destroyed", "DEC H")

SOURCES: Final = {
    "ACT": "Personal Information Protection Act (Act 21445, in force 2026-09-11; Act 21910 from 2027-03-09)",
    "DEC": "its enforcement decree (36671)",
    "SAFE": "Standards for Safety Measures (notice 2026-9)",
    "SAFE-old": "their text of 2023",
    "SAFE-new8": "their article 8 from 2026-10-31",
    "FORM": "Notice on Processing (2023-12)",
    "STD": "Standard Guideline, second-hand",
    "GUIDE": "Policy Guideline of 2024, 2025 and 2026, summaries",
    "ECOM": "E-Commerce Act enforcement decree",
    "COMSEC": "Protection of Communications Secrets Act enforcement decree",
    "TAX": "Framework Act on National Taxes",
    "CREDEC": "Credit Information Act enforcement decree",
    "CREDIT": "Credit Information Act, second-hand",
    "COMM": "Commercial Act, second-hand",
    "FIN2": "financial statutes, second-hand",
    "LABOR": "Labor Standards Act, second-hand",
    "LOC": "Location Information Act, second-hand",
    "MED": "Medical Service Act rules, second-hand",
    "P2P": "one lender's policy of 2023",
    "NET": "Network Act 50, second-hand",
    "EUADQ": "recognition of the EU as equivalent",
    "OLD": "general knowledge of repealed text, not read for this table",
}

KR: Final = Pack(
    "kr",
    reaches_from=date(2016, 1, 1),
    checked=date(2026, 11, 22),
    sources=SOURCES,
    rules=(*_row.rules, *ARTICLES),
    zones=("Asia/Seoul",),
    seat="KR",
    holidays="KR",
)
