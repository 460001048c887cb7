"""The commands of a document: check, compare, print, explain, export, begin, test, simulate."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from rich.console import Console

from upheld.cases import run_cases
from upheld.cli.options import (
    DAY,
    Documents,
    Format,
    FormatOption,
    Wording,
    bytes_out,
    called,
    day_given,
    document_in,
    law_given,
)
from upheld.clock import SetClock, SystemClock
from upheld.dates import Instant, moment
from upheld.keeper import Keeper
from upheld.law import country_of
from upheld.policy import change_pages, check_report, formats, schema, starter
from upheld.policy import explain as explaining
from upheld.policy.change import changes_between
from upheld.policy.findings import Told, as_record, beside, held, is_refused, on_record
from upheld.policy.notice import notice, paper
from upheld.policy.notice_folder import notice_files
from upheld.simulate import Course
from upheld.simulate.picture import picture
from upheld.simulate.progress import told
from upheld.system import Options, open_home, simulated

commands = typer.Typer()


@commands.command()
def check(
    files: Documents,
    law: Annotated[str | None, typer.Option(help="Hold against the law of a day too, such as kr@2026-11-22.")] = None,
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="text or json.")] = "text",
    record: Annotated[
        bool, typer.Option("--record", help="Write what is found to FILE.findings.yaml, as seen and settled on.")
    ] = False,
) -> None:
    """Report every problem at once, with place and remedy. Fails for an error and for a finding not on record."""
    law_given(law)
    if record:
        _record(held(files, law))
    told = held(files, law)
    if form == "json":
        typer.echo(json.dumps(check_report.as_data(told), ensure_ascii=False, indent=2))
    else:
        typer.echo(check_report.as_text(told, law))
    raise typer.Exit(1 if check_report.fails(told) else 0)


def _record(told: Mapping[Path, Told]) -> None:
    for file, one in told.items():
        if is_refused(one.problems):
            typer.echo(f"{file} has errors; nothing is recorded for it", err=True)
            continue
        beside(file).write_text(as_record(one.sections, on_record(file)), encoding="utf-8")


@commands.command()
def diff(
    old: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    new: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    locale: Wording = "en",
    form: FormatOption = Format.TEXT,
) -> None:
    """What changed in meaning between two versions, by what it demands: nothing, notice, fresh consent."""
    changes = changes_between(document_in(old), document_in(new))
    match form:
        case Format.TEXT:
            typer.echo(change_pages.as_text(changes, locale))
        case Format.JSON:
            typer.echo(change_pages.as_json(changes))
        case Format.HTML:
            typer.echo(change_pages.as_html(changes, locale))


@commands.command("notice")
def print_notice(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    others: Annotated[
        list[Path] | None, typer.Argument(help="Other versions, for the history.", exists=True, dir_okay=False)
    ] = None,
    locale: Annotated[str | None, typer.Option(help="A language of the policy; its first if left out.")] = None,
    form: Annotated[Literal["html", "md", "pdf"], typer.Option("--format", help="html, md or pdf.")] = "html",
    out: Annotated[
        Path | None, typer.Option(help="A folder for every version in every language and form, with an index.")
    ] = None,
) -> None:
    """The notice that people read, made from the document."""
    policy, versions = document_in(file), [document_in(one) for one in others or ()]
    if out is not None:
        made = notice_files([policy, *versions])
        out.mkdir(parents=True, exist_ok=True)
        for name, content in made.items():
            (out / name).write_bytes(content)
        typer.echo(f"{len(made)} files in {out}; begin at {out / 'index.html'}")
        return
    language = locale or policy.locales[0]
    if form == "pdf":
        bytes_out(paper(policy, language, versions))
    else:
        typer.echo(notice(policy, language, form, versions))


@commands.command()
def explain(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    what: Annotated[str, typer.Argument(help="A clause, an element's name or path, or a code.")],
    locale: Wording = "en",
    law: Annotated[str | None, typer.Option(help="Tell findings against the law of a day too.")] = None,
) -> None:
    """Everything a policy says about one thing: purposes, grounds, receivers, how long, what happens at the end."""
    chapters = explaining.explain(document_in(file), what, locale, law_given(law))
    typer.echo(explaining.as_text(chapters))


@commands.command()
def export(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    form: Annotated[
        Literal["dpv", "ropa", "xlsx", "fideslang"],
        typer.Option("--format", help="dpv (JSON-LD), ropa (record of processing, CSV), xlsx (register), fideslang."),
    ],
    locale: Wording = "en",
) -> None:
    """The policy in a format of others."""
    if form == "xlsx":
        bytes_out(formats.as_xlsx(document_in(file), locale))
    else:
        typer.echo(formats.export(document_in(file), form, locale), nl=False)


@commands.command("new")
def new_policy(
    name: Annotated[str | None, typer.Option(help="Who publishes the policy.")] = None,
    policy: Annotated[str | None, typer.Option(help="The policy's code, such as web-shop.")] = None,
    site: Annotated[str | None, typer.Option(help="Your web page, such as shop.example.org.")] = None,
    phone: Annotated[str | None, typer.Option(help="The phone of the privacy officer's office.")] = None,
    service: Annotated[str | None, typer.Option(help="What you do for people, as a noun: care, your orders.")] = None,
    people: Annotated[str, typer.Option(help="What you call them.")] = "customer",
    item: Annotated[list[str], typer.Option("--item", help="A kind of data that the service needs.")] = ["name"],  # noqa: B006 - read, never changed
    newsletter: Annotated[bool, typer.Option("--newsletter", help="A newsletter for those who agree.")] = False,
    sells: Annotated[bool, typer.Option("--sells", help="You sell on-line.")] = False,
    law: Annotated[str | None, typer.Option(help="Whose law: kr, eu, or a table of yours.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Such as Europe/Paris; by the law if left out.")] = None,
    today: Annotated[
        date | None, typer.Option(parser=day_given, metavar=DAY, help="The day of the announcement.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; it must not be there yet.")] = None,
) -> None:
    """Write a first policy from a few answers; what is left out is asked on a terminal."""
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} is there already; nothing was written", param_hint="--out")
    law = law or country_of(time_zone or "") or _asked(None, "--law", "Whose law holds: kr, eu, or a table of yours")
    with called("--law"):
        starter.country_of(law)
    with called("--time-zone"):
        zone = starter.zone_of(law, time_zone)
    day = today or moment(SystemClock().now(), zone).date()
    answers = starter.Answers(
        name=_asked(name, "--name", "Who publishes the policy"),
        policy=_asked(policy, "--policy", "A code for it, such as web-shop"),
        site=_asked(site, "--site", "Your web page"),
        phone=_asked(phone, "--phone", "The phone of the privacy officer's office"),
        service=_asked(service, "--service", "What you do for people, as a noun"),
        people=people,
        items=tuple(item),
        newsletter=newsletter,
        sells=sells,
        law=law,
        time_zone=time_zone,
        today=day,
    )
    wrong = starter.checked(answers)
    if wrong:
        raise typer.BadParameter(wrong[1], param_hint=_FLAGS.get(wrong[0], f"--{wrong[0]}"))
    source = starter.first_policy(answers)
    if out is None:
        typer.echo(source, nl=False)
        return
    out.write_text(source, encoding="utf-8")
    typer.echo(f"{out} is a draft: read every line, then run `upheld check --law {law}@{day} {out}`")


_FLAGS: Final = {"code": "--policy or --item", "items": "--item"}
"""Under which flags an answer was given."""


def _asked(given: str | None, flag: str, question: str) -> str:
    if given is not None:
        return given
    if not _on_a_terminal():
        raise typer.BadParameter("left out, and there is no terminal to ask on", param_hint=flag)
    return str(typer.prompt(question))


def _on_a_terminal() -> bool:
    return sys.stdin.isatty()


@commands.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of the document, for editors."""
    typer.echo(json.dumps(schema.policy_schema(), ensure_ascii=False, indent=2))


@commands.command("test")
def test_cases(
    files: Annotated[list[Path], typer.Argument(help="Case files (YAML).", exists=True, dir_okay=False)],
) -> None:
    """Run given/when/then cases against their policies."""
    raise typer.Exit(run_cases(files, typer.echo, _case_home))


def _case_home(home: Path, at: Instant, look_up: Mapping[str, Iterable[str]]) -> tuple[Keeper, SetClock]:
    clock = SetClock(at)
    return open_home(home, Options(clock=clock, light_hashing=True, look_up=look_up, durable=False)), clock


@commands.command()
def simulate(
    policy: Annotated[Path, typer.Argument(help="A policy document.", exists=True, dir_okay=False)],
    home: Annotated[Path, typer.Option("--home", help="A new or empty folder.")],
    people: Annotated[int, typer.Option(min=1, help="How many made-up persons.")] = 200,
    years: Annotated[int, typer.Option(min=1, max=100, help="How many years.")] = 7,
    seed: Annotated[int, typer.Option(help="The same seed gives the same lives.")] = 1,
) -> None:
    """Live through years of made-up lives under a policy; print a summary, write a picture."""
    console = Console(stderr=True)
    with told(console) as tell:
        summary = simulated(policy, home, Course(people, years, seed), lambda progress: tell(policy.stem, progress))
    (home / "picture.svg").write_text(picture(summary), encoding="utf-8")
    (home / "summary.txt").write_text(summary.text(), encoding="utf-8")
    typer.echo(summary.text())
    typer.echo(f"picture: {home / 'picture.svg'}")
    raise typer.Exit(0 if summary.verified and not summary.kept.overdue else 1)
