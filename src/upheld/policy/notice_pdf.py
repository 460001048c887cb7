"""The notice on paper: pages of A4 as PDF, set by Typst from the same parts as the page and the Markdown."""

from __future__ import annotations

from dataclasses import asdict

from upheld.policy.notice_parts import Page
from upheld.policy.typeset import typeset


def printed(page: Page) -> bytes:
    """The PDF (PDF/UA-1: tagged, with bookmarks and a named destination for each anchor); the same bytes each time.

    Typst gets the parts as data, reads no font but the two in the package, and no clock. Raises ValueError for a
    letter that neither font has.
    """
    return typeset("upheld.policy", "notice.typ", "page", asdict(page))
