"""Forms that people fill in, letters that answer them, the report of a leak: on the page and as PDF."""

from __future__ import annotations

from upheld.desk.due import Waiting, request_of
from upheld.desk.forms import FORMS, Form, blank, leak_report, outcome
from upheld.desk.leaks import contents_of, leak_of
from upheld.desk.sheets import Sheet
from upheld.engine.acts import RequestId, SubjectId
from upheld.web.answer import Answer, Download, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.leaks import case_of


def forms(asked: Asked) -> Answer:
    """The forms, for everybody."""
    return Shown(
        "forms",
        {"forms": [(one.code, one.title.say(asked.locale), one.lead.say(asked.locale)) for one in FORMS.values()]},
    )


def form(asked: Asked) -> Answer:
    """One form, to print."""
    one = _form(asked)
    return _shown(blank(one, asked.document, asked.locale), asked.url("form-file", form=one.code, locale=asked.locale))


def form_file(asked: Asked) -> Answer:
    """One form as PDF."""
    one = _form(asked)
    return _paper(blank(one, asked.document, asked.locale), f"{asked.policy}-{one.code}.pdf")


def letter(asked: Asked) -> Answer:
    """The notice of the outcome of a request, to print and post."""
    one = _request(asked)
    file = asked.url("letter-file", subject=one.subject_id, request=one.request_id, locale=asked.locale)
    return _shown(_letter(asked, one), file)


def letter_file(asked: Asked) -> Answer:
    """The same as PDF."""
    one = _request(asked)
    return _paper(_letter(asked, one), f"{asked.policy}-{one.request_id}.pdf")


def leak_form(asked: Asked) -> Answer:
    """The report of a leak, filled in."""
    return _shown(_leak_report(asked), asked.url("leak-form-file", case=asked.parts["case"], locale=asked.locale))


def leak_form_file(asked: Asked) -> Answer:
    """The same as PDF."""
    return _paper(_leak_report(asked), f"{asked.policy}-leak.pdf")


def _leak_report(asked: Asked) -> Sheet:
    found = leak_of(asked.keeper, asked.policy, asked.parts["case"])
    if found is None:
        raise Refused(404, "leak-unknown")
    case, document = case_of(asked, found), asked.document
    contents = contents_of(asked.keeper, document, found, document.locale(asked.locale))
    return leak_report(document, asked.plan, found, case.hit, case.told, case.tracks, contents, asked.locale)


def _letter(asked: Asked, one: Waiting) -> Sheet:
    return outcome(asked.keeper, asked.document, asked.plan, one, asked.locale)


def _request(asked: Asked) -> Waiting:
    subject, number = SubjectId(asked.parts["subject"]), RequestId(asked.parts["request"])
    one = request_of(asked.keeper, asked.policy, subject, number)
    if one is None:
        raise Refused(404, "request-unknown")
    return one


def _form(asked: Asked) -> Form:
    found = FORMS.get(asked.parts["form"])
    if found is None:
        raise Refused(404, "not-found")
    return found


def _shown(sheet: Sheet, file: str) -> Shown:
    return Shown("sheet", {"sheet": sheet, "files": [("PDF", file)]})


def _paper(sheet: Sheet, name: str) -> Download:
    return Download(sheet.pdf(), "application/pdf", name)
