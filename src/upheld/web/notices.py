"""The notice for everybody: the version in force, every other one, and what changed between two."""

from __future__ import annotations

from upheld.desk.documents import Document, document_in_force, public_documents
from upheld.policy.change import changes_between
from upheld.policy.change_pages import as_html
from upheld.policy.notice import notice as rendered
from upheld.policy.notice import paper as on_paper
from upheld.web.answer import Answer, Download, Printed, Refused, Shown
from upheld.web.asked import Asked


def notice(asked: Asked) -> Answer:
    """The version in force; before the first is in force the one announced."""
    return _printed(asked, document_in_force(asked.keeper, asked.policy))


def versions(asked: Asked) -> Answer:
    """Every version that was announced, the newest first, and a form to compare two."""
    found = public_documents(asked.keeper, asked.policy)
    now = asked.keeper.now()
    in_force = document_in_force(asked.keeper, asked.policy).version
    rows = [(one, "in-force" if one.version == in_force else "coming" if one.effective_at > now else "past")
            for one in reversed(found)]  # fmt: skip
    return Shown("versions", {"rows": rows, "oldest": found[0].version, "newest": found[-1].version})


def version(asked: Asked) -> Answer:
    """One version, whatever its time."""
    return _printed(asked, _one(asked, asked.parts["version"]))


def paper(asked: Asked) -> Answer:
    """One version as a PDF, to print and to file."""
    one = _one(asked, asked.parts["version"])
    others = [each.policy for each in public_documents(asked.keeper, asked.policy)]
    locale = one.locale(asked.locale)
    return Download(
        on_paper(one.policy, locale, others), "application/pdf", f"{asked.policy}-{one.version}-{locale}.pdf"
    )


def compare(asked: Asked) -> Answer:
    """What changed in meaning from one version to a later one."""
    old, new = (_one(asked, asked.query.get(name, "")) for name in ("old", "new"))
    if old.effective_at >= new.effective_at:
        raise Refused(400, "versions-order")
    return Printed(as_html(changes_between(old.policy, new.policy), asked.locale))


def _one(asked: Asked, wanted: str) -> Document:
    found = next((one for one in public_documents(asked.keeper, asked.policy) if one.version == wanted), None)
    if found is None:
        raise Refused(404, "version-unknown")
    return found


def _printed(asked: Asked, document: Document) -> Answer:
    others = [one.policy for one in public_documents(asked.keeper, asked.policy)]
    return Printed(rendered(document.policy, document.locale(asked.locale), "html", others))
