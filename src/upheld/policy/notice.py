"""The notice: the human text of a policy, as one HTML page or as Markdown, rendered from the document alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Final, Literal, assert_never

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from upheld.policy.model import Policy
from upheld.policy.notice_parts import Block, Cell, Folder, Grid, Page, Para
from upheld.policy.notice_pdf import printed
from upheld.policy.notice_sections import Notice

Form = Literal["html", "md"]


def notice(
    policy: Policy,
    locale: str,
    form: Form = "html",
    versions: Sequence[Policy] = (),
    folder: Folder | None = None,
) -> str:
    """The notice in one language of the policy. `versions`: the others on file, for the history. `folder`: where it
    will lie, if it is to lead to the files beside it.

    Raises ValueError for a language that the policy or the notice's own words do not have, or another form.
    """
    page = Notice(policy, locale, versions, folder).page()
    match form:
        case "html":
            return _template().render(
                page=page, is_grid=lambda block: isinstance(block, Grid), runs=_runs, widths=_widths
            )
        case "md":
            return "\n".join(_markdown(page)) + "\n"
        case _:
            assert_never(form)


def paper(policy: Policy, locale: str, versions: Sequence[Policy] = (), folder: Folder | None = None) -> bytes:
    """The same notice as PDF. Raises ValueError as `notice` does, and for a letter that its fonts do not have."""
    return printed(Notice(policy, locale, versions, folder).page())


def _runs(blocks: Iterable[Block]) -> list[list[Block]]:
    """The blocks, those that are bullets of one list together."""
    bullets = groupby(blocks, key=lambda block: isinstance(block, Para) and block.bullet)
    return [part for together, run in bullets for part in ([[*run]] if together else [[one] for one in run])]


def _widths(grid: Grid) -> list[int]:
    """The columns of a table in percent: each as wide as the root of what it says, within bounds."""
    lengths = [[len(" ".join(line.cells[at])) for line in grid.lines] for at in range(len(grid.heads))]
    roots = [min(11.0, max(3.6, max(sum(one) / len(one), max(one) / 3) ** 0.5)) for one in lengths]
    return [round(100 * root / sum(roots)) for root in roots]


@cache
def _template() -> Template:
    source = (files("upheld.policy") / "pages" / "notice.html.j2").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["kept"] = _kept
    return environment.from_string(source)


_TOGETHER: Final = re.compile(r"\w+(?:[-·]\w+)+")
_LONGEST_TOGETHER: Final = 16
"""In Latin letters, a Korean one being as wide as two; a longer word may be broken on a narrow screen."""


def _kept(text: str) -> Markup:
    """The text with its phone numbers, articles and paired words (`22-2`, `보유·이용`) kept on one line."""

    def whole(found: re.Match[str]) -> Markup:
        word = escape(found[0])
        width = sum(2 if letter >= "\u1100" else 1 for letter in found[0])
        return word if width > _LONGEST_TOGETHER else Markup('<span class="n">{}</span>').format(word)

    parts: list[Markup] = []
    at = 0
    for found in _TOGETHER.finditer(text):
        parts += [escape(text[at : found.start()]), whole(found)]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


# ------------------------------------------------------------------------------------------------------------ Markdown


def _markdown(page: Page) -> Iterator[str]:
    yield f"# {_plain(page.title)}"
    yield ""
    yield " · ".join(f"{_plain(label)}: {text}" for label, text in page.facts)
    yield ""
    for para in page.intro:
        yield from _paragraph(para)
    yield ""
    if page.links:
        yield from (" · ".join(f"[{_plain(one.text)}]({one.href})" for one in page.links), "")
    yield f"## {_plain(page.summary)}"
    yield ""
    yield "| | |"
    yield "| --- | --- |"
    yield from (f"| [{_plain(card.title)}](#{card.section}) | {_plain(card.text)} |" for card in page.cards)
    yield ""
    yield f"## {_plain(page.contents)}"
    yield ""
    yield from (f"{n}. [{_plain(section.title)}](#{section.code})" for n, section in enumerate(page.sections, 1))
    for number, section in enumerate(page.sections, 1):
        yield ""
        yield f'## <a id="{section.code}"></a>{number}. {_plain(section.title)}'
        yield ""
        for block in section.blocks:
            yield from _paragraph(block) if isinstance(block, Para) else _table(block)


def _paragraph(para: Para) -> Iterator[str]:
    if para.bullet:
        yield f"- {_anchored(para.anchors)}{_plain(para.text)}"
    else:
        yield from ("", f"{_anchored(para.anchors)}{_plain(para.text)}", "")


def _table(grid: Grid) -> Iterator[str]:
    yield ""
    if grid.title:
        yield from (f"### {_anchored(grid.anchors)}{_plain(grid.title)}", "")
    if grid.note:
        yield from (_plain(grid.note), "")
    if not grid.lines:
        return
    yield f"| {' | '.join(_plain(head) for head in grid.heads)} |"
    yield f"|{' --- |' * len(grid.heads)}"
    for line in grid.lines:
        links = line.links or ("",) * len(line.cells)
        cells = [f"[{_cell(cell)}]({to})" if to else _cell(cell) for cell, to in zip(line.cells, links, strict=True)]
        yield f"| {_anchored(line.anchors)}{' | '.join(cells)} |"
    yield ""


def _cell(cell: Cell) -> str:
    return "<br>".join(_plain(line) for line in cell if line) or "–"


def _anchored(anchors: Sequence[str]) -> str:
    return "".join(f'<a id="{anchor}"></a>' for anchor in anchors)


def _plain(text: str) -> str:
    """Text that Markdown takes as it stands."""
    return re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", text).replace("\n", " ")
