"""Paper: a template of a package and what it shows become a PDF, set by Typst."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import as_file, files

import typst


def typeset(package: str, template: str, what: str, content: Mapping[str, object]) -> bytes:
    """PDF/UA-1 (tagged, with bookmarks), the same bytes each time.

    `template`: a file in the `pages` of the package, which reads `content` as the input `what`. Typst gets data alone,
    reads no font but those of `upheld.policy`, and no clock. Raises ValueError for a letter that no font has.
    """
    with as_file(files(package) / "pages") as pages, as_file(files("upheld.policy") / "pages") as shared:
        try:
            return typst.compile(
                pages / template,
                font_paths=[shared / "fonts"],
                ignore_system_fonts=True,
                sys_inputs={what: json.dumps(content, ensure_ascii=False)},
                pdf_standards="ua-1",
                timestamp=0,
            )
        except typst.TypstError as refused:
            raise ValueError(f"{template} cannot be set as PDF: {refused.message}") from refused
