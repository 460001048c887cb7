"""The table of the API: every address with its duty, what it takes and what it gives."""

from __future__ import annotations

from typing import Final

from upheld.keeper.applications import Duty
from upheld.web.api import answering, shapes, verbs
from upheld.web.api.row import Again, Row

PREFIX: Final = "/v1"

ROWS: Final[tuple[Row, ...]] = (
    Row("policy", "GET", "/policy", None, verbs.policy, "The policy, and what this program may do", shapes.Policy),
    Row(
        "enter", "POST", "/subjects", Duty.SUBJECTS, verbs.enter, "A person becomes known", shapes.Entered,
        shapes.Enter, again=Again.TOGETHER,
    ),
    Row(
        "look-up", "POST", "/subjects/look-up", Duty.LOOK_UP, verbs.look_up, "Who holds exactly this text",
        shapes.Found, shapes.LookUp,
    ),
    Row(
        "begin", "POST", "/subjects/{subject}/engagements", Duty.SUBJECTS, verbs.begin, "An engagement begins",
        shapes.Done, shapes.Begin, again=Again.TOGETHER,
    ),
    Row(
        "holdings", "GET", "/subjects/{subject}/holdings", Duty.SUBJECTS, verbs.holdings,
        "What is held, without contents", shapes.Holdings, query=shapes.Listing,
    ),
    Row(
        "collect", "POST", "/subjects/{subject}/collect", Duty.COLLECT, verbs.collect, "Take items for one purpose",
        shapes.Done, shapes.Collect, again=Again.TOGETHER,
    ),
    Row(
        "collect-batch", "POST", "/collect", Duty.COLLECT, verbs.collect_batch,
        "Several collections in one commit, each decided by itself", shapes.Decided, shapes.CollectBatch,
        again=Again.TOGETHER, about=verbs.persons_of_batch,
    ),
    Row(
        "correct", "POST", "/subjects/{subject}/correct", Duty.COLLECT, verbs.correct,
        "A right content for a wrong one", shapes.Done, shapes.Correct, again=Again.TOGETHER,
    ),
    Row(
        "read", "POST", "/subjects/{subject}/read", Duty.READ, verbs.read, "See contents for one purpose",
        shapes.Texts, shapes.Read,
    ),
    Row(
        "read-batch", "POST", "/read", Duty.READ, verbs.read_batch,
        "See values of many persons, each decided by itself", shapes.ReadOut, shapes.ReadBatch,
    ),
    Row(
        "consents", "GET", "/subjects/{subject}/consents", Duty.CONSENT, verbs.consents,
        "The state of each matter", shapes.Consents,
    ),
    Row(
        "consent", "POST", "/subjects/{subject}/consents", Duty.CONSENT, verbs.consent, "Consent to one thing",
        shapes.Done, shapes.Consent, again=Again.TOGETHER,
    ),
    Row(
        "withdraw", "POST", "/subjects/{subject}/withdrawals", Duty.CONSENT, verbs.withdraw, "Consent taken back",
        shapes.Done, shapes.Withdraw, again=Again.TOGETHER,
    ),
    Row(
        "fact", "POST", "/subjects/{subject}/facts", Duty.FACTS, verbs.fact, "Something happened", shapes.Done,
        shapes.Fact, again=Again.TOGETHER,
    ),
    Row(
        "provide", "POST", "/subjects/{subject}/provisions", Duty.GIVE, verbs.provide, "Give items to a recipient",
        shapes.Texts, shapes.Provide, again=Again.BEFORE,
    ),
    Row(
        "entrust", "POST", "/subjects/{subject}/entrustments", Duty.GIVE, verbs.entrust,
        "Hand items to a processor", shapes.Texts, shapes.Entrust, again=Again.BEFORE,
    ),
    Row(
        "reuse", "POST", "/subjects/{subject}/reuse", Duty.COLLECT, verbs.reuse, "Values for one more purpose",
        shapes.Done, shapes.Reuse, again=Again.TOGETHER,
    ),
    Row(
        "disclose", "POST", "/subjects/{subject}/disclosures", Duty.DISCLOSE, verbs.disclose,
        "Items under a declared exception", shapes.Texts, shapes.Disclose, again=Again.BEFORE,
    ),
    Row(
        "send", "POST", "/subjects/{subject}/adverts", Duty.ADVERTISE, verbs.send,
        "One promotional message: decided, and on record if it goes", shapes.Done, shapes.Send,
        again=Again.TOGETHER,
    ),
    Row(
        "read-separated", "POST", "/subjects/{subject}/read-separated", Duty.SEPARATED, verbs.read_separated,
        "See what is kept apart", shapes.Texts, shapes.ReadSeparated,
    ),
    Row(
        "requests", "GET", "/subjects/{subject}/requests", Duty.REQUESTS, verbs.requests, "A person's requests",
        shapes.AskedOf, query=shapes.Listing,
    ),
    Row(
        "request", "POST", "/subjects/{subject}/requests", Duty.REQUESTS, verbs.request, "A right is exercised",
        shapes.Done, shapes.Request, again=Again.TOGETHER,
    ),
    Row(
        "erase", "POST", "/subjects/{subject}/erasures", Duty.ANSWER, answering.erase,
        "Erasure asked, answered and done at once", shapes.Erased, shapes.Erase, again=Again.BEFORE,
    ),
    *(
        Row(
            name, "POST", f"/subjects/{{subject}}/requests/{{request}}/{path}", Duty.ANSWER, verb, summary, shapes.Done,
            takes, again=Again.TOGETHER,
        )
        for name, path, verb, summary, takes in (
            ("prove", "proofs", answering.prove, "Who asked is proved", shapes.Prove),
            ("incomplete", "incomplete", answering.incomplete, "Something is missing", shapes.Incomplete),
            ("postpone", "postponements", answering.postpone, "Access is put off", shapes.Postpone),
            ("extend", "extensions", answering.extend, "As long again", shapes.Extend),
            ("pass-on", "passed", answering.pass_on, "To the controller it came from", shapes.PassOn),
            ("answer", "answers", answering.answer, "The request is answered", shapes.AnswerRequest),
            ("lift", "lifted", answering.lift, "The person lifts a suspension", shapes.Nothing),
        )
    ),
    Row(
        "mandates", "GET", "/subjects/{subject}/mandates", Duty.ANSWER, answering.mandates, "Who acts for a person",
        shapes.Mandates, query=shapes.Listing,
    ),
    Row(
        "mandate", "POST", "/subjects/{subject}/mandates", Duty.ANSWER, answering.mandate,
        "Somebody acts for the person", shapes.Done, shapes.Mandate, again=Again.TOGETHER,
    ),
    Row(
        "mandate-ends", "POST", "/subjects/{subject}/mandates/{acting}/ended", Duty.ANSWER, answering.mandate_ends,
        "Nobody acts under that id any more", shapes.Done, shapes.MandateEnds, again=Again.TOGETHER,
    ),
    Row(
        "notices", "GET", "/notices", Duty.NOTICES, verbs.notices, "Who was told what", shapes.ToldList,
        query=shapes.Listing,
    ),
    Row(
        "certificates", "GET", "/certificates", Duty.RECORDS, verbs.certificates, "Certificates of destruction",
        shapes.Certificates, query=shapes.Listing,
    ),
    Row(
        "certificate", "GET", "/certificates/{certificate}", Duty.RECORDS, verbs.certificate,
        "One certificate, signed, with its proof", None,
    ),
    Row(
        "audit", "GET", "/audit", Duty.RECORDS, verbs.audit, "The state of every clause", None, query=shapes.Span,
    ),
    Row(
        "verify", "POST", "/verify", Duty.RECORDS, verbs.verify, "Whether the ledger holds", shapes.Verified,
        shapes.Verify,
    ),
    Row(
        "publish", "POST", "/versions", Duty.PUBLISH, verbs.publish, "Put a version on file, through the gate",
        shapes.Published, shapes.Publish,
    ),
)  # fmt: skip
"""By topic, in the order of a datum's life."""

MEASURED: Final = Row("metrics", "GET", "/metrics", Duty.MEASURES, verbs.policy, "Figures for monitoring", None)
"""Beside `/v1`, in the text format of Prometheus."""
