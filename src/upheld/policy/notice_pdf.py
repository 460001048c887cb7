"""The notice on paper: pages of A4 as PDF, set by Typst from the same parts as the page and the Markdown."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import as_file, files

import typst

from upheld.policy.notice_parts import Page


def printed(page: Page) -> bytes:
    """The PDF (PDF/UA-1: tagged, with bookmarks and a named destination for each anchor); the same bytes each time.

    Typst gets the parts as data, reads no font but the two in the package, and no clock. Raises ValueError for a
    letter that neither font has.
    """
    with as_file(files("upheld.policy") / "pages") as folder:
        try:
            return typst.compile(
                folder / "notice.typ",
                font_paths=[folder / "fonts"],
                ignore_system_fonts=True,
                sys_inputs={"page": json.dumps(asdict(page), ensure_ascii=False)},
                pdf_standards="ua-1",
                timestamp=0,
            )
        except typst.TypstError as refused:
            raise ValueError(f"the notice cannot be set as PDF: {refused.message}") from refused
