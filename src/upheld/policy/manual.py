"""`docs/policy.md`, printed from the model: every section, every key, every word, every problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from upheld.dates import CALENDAR_RULES
from upheld.policy.codes import CODES
from upheld.policy.model import HEAD, HEAD_ROWS, Key, Row, Rows, Section, keys_of, sections
from upheld.policy.vocabulary import KNOWN_FACTS

GENERAL: Final = ("law", "reading", "blocked", "seen")
"""Keys of every element, told once."""

OPENING: Final = """# The policy document

<!-- Printed by `upheld.policy.manual`; change the model, then run `make accept`. -->

One YAML file holds one policy. Each section is a table of named elements; a name is in kebab-case and never changes,
for programs, cases and the ledger know the element by it. This page lists every key; a bold one must be there. The
smallest policy that can be read:

```yaml
{smallest}```

## Written once, holding everywhere

- **`clause`** is the margin: the id of the source's sentence that an element keeps, a list of ids, or a map from the
  element's own keys to ids in which `all` means the element itself. An element has a clause or a `law`.
- **`every`** in a table holds for each element below it; what an element says itself wins. Clauses add up, but a key
  that an element sets itself no longer cites the clause which `every` gave for that key. In `purposes` there may be one
  `every` for both tables and one in each. An `every` with nothing below it is an element that says: there is none.
- **Texts** stand under the language codes of `locales`, each language every time. Where a key takes a text, it takes
  such a table (`{{en: ..., ko: ...}}`) or one plain text for all languages. A row may be a plain text, its name.
- **One or a list**: wherever a list may stand, a single name may.
- **Names** are declared once. A word that no rule uses is an error, apart from an item marked `collected: never`.

Every element also takes:

{general}

## Until when

An **end** is a fact (`cancelled`), a fact and a period (`cancelled + P6M`), a date that a calendar rule of law makes of
a fact (`{calendar} of fee-charged + P5Y`), or one of `{{later-of: [end, end]}}` and `{{earlier-of: [end, end]}}`.
Calendar rules: {rules}.
Periods are ISO 8601: `P5Y`, `P6M`, `P2W`, `P5D`, `PT72H`. A **deadline** is a period or the name of a soft word.

Facts that need no declaration: {facts}.
"""


def manual(smallest: str) -> str:
    """The whole page. `smallest` is the text of the smallest document, shown at its top."""
    opening = OPENING.format(
        smallest=smallest,
        general="\n".join(_keys({name: keys_of(Row)[name] for name in GENERAL})),
        calendar=next(iter(CALENDAR_RULES)),
        rules=", ".join(f"`{rule}`" for rule in CALENDAR_RULES),
        facts=", ".join(f"`{fact}`" for fact in sorted(KNOWN_FACTS)),
    )
    return "\n".join([opening, *_head(), *_sections(), *_problems()]).rstrip() + "\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _keys(keys: Mapping[str, Key | Rows]) -> Iterator[str]:
    yield from (_row("key", "한국어", "value", "meaning"), _row(*["---"] * 4))
    for name, spec in keys.items():
        shown = f"**`{name}`**" if spec.needed else f"`{name}`"
        said = spec.shape.said if isinstance(spec, Key) else _table_said(spec)
        yield _row(shown, spec.ko, said, spec.means)


def _table_said(spec: Rows) -> str:
    names = f": {', '.join(f'`{name}`' for name in spec.fixed)}" if spec.fixed else ""
    return f"table of rows{names}"


def _head() -> Iterator[str]:
    yield from ("## Head", "", _row("key", "한국어", "value", "meaning"), _row(*["---"] * 4))
    for name, spec in HEAD.items():
        yield _row(f"**`{name}`**" if spec.needed else f"`{name}`", spec.ko, spec.shape.said, spec.means)
    for name, (kind, ko, means) in HEAD_ROWS.items():
        own = [f"**`{key}`**: {spec.shape.said}" for key, spec in _own(kind).items() if isinstance(spec, Key)]
        yield _row(f"**`{name}`**", ko, "; ".join(["element", *own]), means)
    yield ""


def _own(kind: type[Row]) -> Mapping[str, Key | Rows]:
    return {name: spec for name, spec in keys_of(kind).items() if spec != keys_of(Row).get(name)}


def _sections() -> Iterator[str]:
    for name, section in sections().items():
        yield from (f"## {name}", "", f"{section.ko}. {_about(section)}", "")
        if _own(section.row):
            yield from (*_keys(_own(section.row)), "")
            yield from _fixed_keys(section)
        elif not section.named:
            yield from ("Its rows have a clause and nothing else.", "")


def _fixed_keys(section: Section) -> Iterator[str]:
    """Which of the keys each fixed row takes, where they differ."""
    limited = {row: keys for row, keys in (section.fixed or {}).items() if keys}
    yield from (f"- `{row}`: {', '.join(f'`{key}`' for key in sorted(keys))}" for row, keys in limited.items())
    yield from [""] if limited else []


def _about(section: Section) -> str:
    said = [(section.row.__doc__ or "").strip().splitlines()[0]]
    if section.parts:
        said.append(f"Two tables, {' and '.join(f'`{part}`' for part in section.parts)}, that share their names.")
    if section.fixed is not None:
        said.append(f"Its rows: {', '.join(f'`{row}`' for row in section.fixed)}.")
    if section.listed:
        said.append("A list, not a table.")
    if section.row_is:
        unless = f", unless `{section.row_unless}` says another" if section.row_unless else ""
        said.append(f"A row's name is a name in `{section.row_is}`{unless}.")
    if section.named:
        said.append("Each row has a public name.")
    if section.word:
        said.append("Its rows are words.")
    return " ".join(said)


def _problems() -> Iterator[str]:
    yield from ("## Problems", "", "All of them come in one pass; a document with an error is refused whole.", "")
    yield from (_row("code", "meaning"), _row("---", "---"))
    yield from (_row(f"`{code}`", means) for code, means in CODES.items())
