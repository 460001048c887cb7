"""Rows of the route table for what the house itself does: duties, processors, safeguards, leaks, registers."""

from __future__ import annotations

from typing import Final

from upheld.web import adverts, duties, forms, leaks, parties, registers, safeguards
from upheld.web.route import Route, Who

HOUSE: Final = (
    # ── what nobody asks for ──
    Route("duties", "GET", "/console/{policy}/duties", Who.RECORDS, duties.duties),
    Route("duties-file", "GET", "/console/{policy}/duties.json", Who.RECORDS, duties.as_json),
    Route("count", "POST", "/console/{policy}/duties", Who.OFFICE, duties.count),
    Route("duty", "GET", "/console/{policy}/duties/{duty}", Who.RECORDS, duties.duty),
    Route("duty-done", "POST", "/console/{policy}/duties/{duty}", Who.OFFICE, duties.done),
    Route("duty-tell", "POST", "/console/{policy}/duties/{duty}/notices", Who.OFFICE, duties.tell),
    Route("leaks", "GET", "/console/{policy}/leaks", Who.RECORDS, leaks.leaks),
    Route("leak-known", "POST", "/console/{policy}/leaks", Who.OFFICE, leaks.known),
    Route("leak", "GET", "/console/{policy}/leaks/{case}", Who.RECORDS, leaks.leak),
    Route("leak-contents", "POST", "/console/{policy}/leaks/{case}/contents", Who.OFFICE, leaks.contents),
    Route("leak-tell", "POST", "/console/{policy}/leaks/{case}/notices", Who.OFFICE, leaks.tell),
    Route("leak-post", "POST", "/console/{policy}/leaks/{case}/postings", Who.OFFICE, leaks.post),
    Route("leak-step", "POST", "/console/{policy}/leaks/{case}/steps", Who.OFFICE, leaks.step),
    Route("leak-form", "GET", "/console/{policy}/leaks/{case}/form", Who.RECORDS, forms.leak_form),
    Route("leak-form-file", "GET", "/console/{policy}/leaks/{case}/form.pdf", Who.RECORDS, forms.leak_form_file),
    Route("parties", "GET", "/console/{policy}/parties", Who.RECORDS, parties.parties),
    Route("contract-end", "POST", "/console/{policy}/contracts/{contract}/end", Who.OFFICE, parties.end),
    Route("contract-returned", "POST", "/console/{policy}/contracts/{contract}/returned", Who.OFFICE, parties.returned),
    Route("party-answered", "POST", "/console/{policy}/told/{subject}/{disclosure}", Who.OFFICE, parties.acknowledged),
    Route("safeguards", "GET", "/console/{policy}/safeguards", Who.RECORDS, safeguards.safeguards),
    Route("enter-register", "POST", "/console/{policy}/safeguards", Who.OFFICE, safeguards.enter),
    Route("evidence", "POST", "/console/{policy}/safeguards/{control}", Who.OFFICE, safeguards.file),
    Route("registers", "GET", "/console/{policy}/registers", Who.RECORDS, registers.registers),
    Route("register", "GET", "/console/{policy}/registers/{register}", Who.RECORDS, registers.register),
    Route("register-book", "GET", "/console/{policy}/registers/{register}/xlsx", Who.RECORDS, registers.book),
    Route("register-paper", "GET", "/console/{policy}/registers/{register}/pdf", Who.RECORDS, registers.paper),
    Route("adverts", "GET", "/console/{policy}/advertising", Who.RECORDS, adverts.adverts),
    Route("advert-send", "POST", "/console/{policy}/advertising", Who.OFFICE, adverts.send),
    Route("refuse", "GET", "/refuse/{policy}/{medium}/{token}", Who.ANYBODY, adverts.ask_refusal),
    # The address is the permission, and all it can do is say no: mail programs post to it by themselves (RFC 8058).
    Route(
        "refuse",
        "POST",
        "/refuse/{policy}/{medium}/{token}",
        Who.ANYBODY,
        adverts.refusal,
        takes_files=True,
        of_other_sites=True,
    ),
    # ── forms and letters ──
    Route("forms", "GET", "/forms/{policy}", Who.ANYBODY, forms.forms),
    Route("form", "GET", "/forms/{policy}/{form}", Who.ANYBODY, forms.form),
    Route("form-file", "GET", "/forms/{policy}/{form}/pdf", Who.ANYBODY, forms.form_file),
    Route("letter", "GET", "/console/{policy}/requests/{subject}/{request}/letter", Who.REQUESTS, forms.letter),
    Route(
        "letter-file",
        "GET",
        "/console/{policy}/requests/{subject}/{request}/letter.pdf",
        Who.REQUESTS,
        forms.letter_file,
    ),
)
