"""What the commands share: options that many take, and how what was given is read.

What was given wrongly is said with the name of its option and ends with status 2, before anything is done.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from upheld.dates import Period
from upheld.errors import UpheldError
from upheld.law import LawOfDay, law_named
from upheld.policy import read
from upheld.policy.model import Policy
from upheld.policy.wording import LANGUAGES, WORDINGS, language_of

TOLD = (UpheldError, ValueError)
"""What says by itself what to mend."""

Documents = Annotated[list[Path], typer.Argument(help="Policy documents (YAML).", exists=True, dir_okay=False)]


class Format(StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


FormatOption = Annotated[Format, typer.Option("--format", help="text, json or html.")]
DAY = "YYYY-MM-DD"
"""How help shows an option that takes a day."""


def day_given(text: str) -> date:
    """A day as people write it for machines. Raises BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"`{text}` is no day; write year, month and day as in 2026-11-22") from error


@contextmanager
def called(option: str) -> Iterator[None]:
    """What is raised inside is the fault of this option."""
    try:
        yield
    except TOLD as problem:
        raise typer.BadParameter(str(problem), param_hint=option) from problem


def law_given(text: str | None) -> LawOfDay | None:
    """The law of a day, `kr@2026-11-22`; None where none was asked for."""
    with called("--law"):
        return law_named(text) if text else None


def locale_given(text: str) -> str:
    """A language that there is wording in, ours or from a file. Raises BadParameter."""
    language = language_of(text)
    if language not in LANGUAGES and WORDINGS.name(language) is None:
        said = f"there is no wording in `{text}` here; choose one of {', '.join(LANGUAGES)}, or give a file by --tables"
        raise typer.BadParameter(said, param_hint="--locale")
    return text


Wording = Annotated[
    str, typer.Option("--locale", parser=locale_given, metavar="TEXT", help="en, ko, or one of your tables.")
]


def period_given(text: str, option: str) -> Period:
    """A period such as P30D."""
    with called(option):
        return Period.parse(text)


def document_in(file: Path) -> Policy:
    """A policy document. Raises PolicyRefused with every problem."""
    return read.read_policy(file.read_bytes(), str(file))


def bytes_out(content: bytes) -> None:
    """Bytes to standard output, unless that is a screen."""
    if sys.stdout.isatty():
        raise typer.BadParameter("this is no text for a screen; send it to a file with `> FILE`", param_hint="--format")
    typer.echo(content, nl=False)
