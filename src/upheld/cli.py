"""The command line: every task of an officer, an engineer and an auditor as one command."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from upheld.cases import run_cases
from upheld.dates import Instant, Period, instant, moment, start_of
from upheld.desk import merging, publications
from upheld.desk.background import note_swept
from upheld.desk.confirming import confirm_consents
from upheld.engine.acts import SubjectId
from upheld.errors import UpheldError
from upheld.keeper import Keeper
from upheld.keeper.binding import PublicationRefused
from upheld.keeper.posting import Region
from upheld.law import country_of, law_in, law_named
from upheld.law.stricter import about_days
from upheld.ledger import certificate_page
from upheld.ledger.checkpoint import checkpoint_in
from upheld.ledger.report import Report, as_html, as_json, as_text
from upheld.policy import change_pages, check_report, formats, read, schema, starter
from upheld.policy import explain as explaining
from upheld.policy.change import changes_between
from upheld.policy.findings import Told, as_record, beside, held, is_refused, on_record
from upheld.policy.findings.against import Size, access_records_kept
from upheld.policy.model import Policy
from upheld.policy.notice import notice, paper
from upheld.policy.notice_folder import notice_files
from upheld.policy.plain import speaks_korean
from upheld.simulate import Course
from upheld.simulate.picture import picture
from upheld.simulate.progress import told
from upheld.store import distribution, grants, verifying
from upheld.store.postgres import PostgresConnection
from upheld.store.tls import without_password
from upheld.system import (
    PLACES,
    Options,
    SetClock,
    SystemClock,
    backed_up,
    distribute_home,
    init,
    know_law,
    ledger_of,
    open_home,
    rotate_roots,
    rotate_signing,
    settings_of,
    simulated,
    upgrade_home,
)
from upheld.web.commands import account_app, application_app, examine, serve, work

app = typer.Typer(
    name="upheld",
    help="A privacy policy that runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Home = Annotated[Path, typer.Option("--home", help="The folder of the home.")]
Documents = Annotated[list[Path], typer.Argument(help="Policy documents (YAML).", exists=True, dir_okay=False)]
Tables = Annotated[list[Path] | None, typer.Option(envvar="UPHELD_LAW", exists=True, help="Law and wordings: files.")]
PolicyCode = Annotated[
    str | None, typer.Option("--policy", help="The policy's code; the only one on file if left out.")
]


class Format(StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


FormatOption = Annotated[Format, typer.Option("--format", help="text, json or html.")]


@app.callback(help="A privacy policy that runs.")
def known(tables: Tables = None) -> None:
    know_law(tables or [])


# ── the document ────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def check(
    files: Documents,
    law: Annotated[str | None, typer.Option(help="Hold against the law of a day too, such as kr@2026-11-22.")] = None,
    form: FormatOption = Format.TEXT,
    record: Annotated[
        bool, typer.Option("--record", help="Write what is found to FILE.findings.yaml, as seen and settled on.")
    ] = False,
) -> None:
    """Report every problem at once, with place and remedy. Fails for an error and for a finding not on record."""
    if record:
        _record(held(files, law))
    told = held(files, law)
    if form is Format.JSON:
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


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    new: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    locale: Annotated[str, typer.Option(help="en or ko.")] = "en",
    form: FormatOption = Format.TEXT,
) -> None:
    """What changed in meaning between two versions, by what it demands: nothing, notice, fresh consent."""
    changes = changes_between(_document(old), _document(new))
    match form:
        case Format.TEXT:
            typer.echo(change_pages.as_text(changes, locale))
        case Format.JSON:
            typer.echo(change_pages.as_json(changes))
        case Format.HTML:
            typer.echo(change_pages.as_html(changes, locale))


@app.command("notice")
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
    policy, versions = _document(file), [_document(one) for one in others or ()]
    if out is not None:
        made = notice_files([policy, *versions])
        out.mkdir(parents=True, exist_ok=True)
        for name, content in made.items():
            (out / name).write_bytes(content)
        typer.echo(f"{len(made)} files in {out}; begin at {out / 'index.html'}")
        return
    language = locale or policy.locales[0]
    if form == "pdf":
        _bytes_out(paper(policy, language, versions))
    else:
        typer.echo(notice(policy, language, form, versions))


def _bytes_out(content: bytes) -> None:
    """Bytes to standard output, unless that is a screen."""
    if sys.stdout.isatty():
        raise typer.BadParameter("this is no text for a screen; send it to a file with `> FILE`", param_hint="--format")
    typer.echo(content, nl=False)


@app.command()
def explain(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    what: Annotated[str, typer.Argument(help="A clause, an element's name or path, or a code.")],
    locale: Annotated[str, typer.Option(help="en or ko.")] = "en",
    law: Annotated[str | None, typer.Option(help="Tell findings against the law of a day too.")] = None,
) -> None:
    """Everything a policy says about one thing: purposes, grounds, receivers, how long, what happens at the end."""
    chapters = explaining.explain(_document(file), what, locale, law_named(law) if law else None)
    typer.echo(explaining.as_text(chapters))


@app.command()
def export(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    form: Annotated[
        Literal["dpv", "ropa", "xlsx", "fideslang"],
        typer.Option("--format", help="dpv (JSON-LD), ropa (record of processing, CSV), xlsx (register), fideslang."),
    ],
    locale: Annotated[str, typer.Option(help="en or ko.")] = "en",
) -> None:
    """The policy in a format of others."""
    if form == "xlsx":
        _bytes_out(formats.as_xlsx(_document(file), locale))
    else:
        typer.echo(formats.export(_document(file), form, locale), nl=False)


@app.command("new")
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
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day of the announcement.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; it must not be there yet.")] = None,
) -> None:
    """Write a first policy from a few answers; what is left out is asked on a terminal."""
    law = law or country_of(time_zone or "") or _asked(None, "--law", "Whose law holds: kr, eu, or a table of yours")
    zone = starter.zone_of(law, time_zone)
    day = today.date() if today else moment(SystemClock().now(), zone).date()
    source = starter.first_policy(
        starter.Answers(
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
    )
    if out is None:
        typer.echo(source, nl=False)
        return
    if out.exists():
        raise typer.BadParameter(f"{out} is there already; nothing was written", param_hint="--out")
    out.write_text(source, encoding="utf-8")
    typer.echo(f"{out} is a draft: read every line, then run `upheld check --law {law}@{day} {out}`")


def _asked(given: str | None, flag: str, question: str) -> str:
    if given is not None:
        return given
    if not _on_a_terminal():
        raise typer.BadParameter("left out, and there is no terminal to ask on", param_hint=flag)
    return str(typer.prompt(question))


def _on_a_terminal() -> bool:
    return sys.stdin.isatty()


def _document(file: Path) -> Policy:
    return read.read_policy(file.read_bytes(), str(file))


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of the document, for editors."""
    typer.echo(json.dumps(schema.policy_schema(), ensure_ascii=False, indent=2))


@app.command("test")
def test_cases(
    files: Annotated[list[Path], typer.Argument(help="Case files (YAML).", exists=True, dir_okay=False)],
) -> None:
    """Run given/when/then cases against their policies."""
    raise typer.Exit(run_cases(files, typer.echo, _case_home))


def _case_home(home: Path, at: Instant, look_up: Mapping[str, Iterable[str]]) -> tuple[Keeper, SetClock]:
    clock = SetClock(at)
    return open_home(home, Options(clock=clock, light_hashing=True, look_up=look_up, durable=False)), clock


@app.command()
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


# ── a home ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command("init")
def make_home(
    home: Home,
    look_up: Annotated[
        list[str], typer.Option("--look-up", help="POLICY/ITEM by which persons are looked up; may be repeated.")
    ] = [],  # noqa: B006 - typer reads the default and never changes it
    database: Annotated[
        str | None, typer.Option(help="Address of PostgreSQL, postgresql://USER@HOST/NAME; without it files of SQLite.")
    ] = None,
    separated: Annotated[str | None, typer.Option(help="Another address for what is kept apart.")] = None,
    keys: Annotated[str | None, typer.Option(help="Another address for the keys.")] = None,
    ledger: Annotated[str | None, typer.Option(help="Another address for the ledger.")] = None,
    copies_kept: Annotated[
        str | None, typer.Option(help="How long backups of the keys and their server's logs are kept, as P30D.")
    ] = None,
    master_key_command: Annotated[
        str | None, typer.Option(help="A command that prints the key whose name is its last word (a KMS).")
    ] = None,
) -> None:
    """Make a home: four databases, key files, settings."""
    apart = {"separated": separated, "keys": keys, "ledger": ledger}
    if database is None and any(apart.values()):
        raise typer.BadParameter("give --database too: a home lies on one kind of database")
    databases = {"active": database, **{place: own or database for place, own in apart.items()}} if database else None
    wanted: dict[str, list[str]] = {}
    for one in look_up:
        policy, _, item = one.partition("/")
        wanted.setdefault(policy, []).append(item)
    if copies_kept is not None:
        Period.parse(copies_kept)
    init(home, Options(look_up=wanted, copies_kept=copies_kept, key_command=master_key_command), databases)
    if databases is not None:
        open_home(home).close()  # makes the ledger's tables, to which `grants` refers
    typer.echo(
        f"{home} is ready. Keep a copy of {home / 'secrets'} apart from the databases; without it nothing opens."
    )


@app.command()
def upgrade(home: Home) -> None:
    """Bring the tables of a home to this program's version; nobody else may have it open."""
    had, has = upgrade_home(home)
    typer.echo(f"{home} has schema {has}" + (f", had {had}" if had != has else " already"))


@app.command()
def backup(
    home: Home,
    to: Annotated[Path, typer.Option(help="A new or empty folder.")],
    only: Annotated[list[str], typer.Option("--only", help="active, separated, keys or ledger; all if left out.")] = [],  # noqa: B006 - read, never changed
) -> None:
    """Copy the files of a home while it is served: one after the other, the ledger last; no key file."""
    if unknown := set(only) - set(PLACES):
        raise typer.BadParameter(f"`{min(unknown)}` is no place", param_hint="--only")
    for made in backed_up(home, to, only or PLACES):
        typer.echo(f"{made}  {made.stat().st_size} bytes")


@app.command()
def doctor(home: Home) -> None:
    """Say what is misconfigured, and what keeps a destroyed key recoverable for longer than certificates say."""
    settings = settings_of(home)
    well = examine(home)
    typer.echo(f"certificates count in {settings.get('copies_kept') or 'no time'} for copies of destroyed keys")
    raise typer.Exit(0 if well else 1)


@app.command("rotate-keys")
def rotate_keys(
    home: Home,
    signing: Annotated[bool, typer.Option("--signing", help="The key that signs, and not those that wrap.")] = False,
) -> None:
    """Put new master keys in place of the old while the service goes on; run it again if it was interrupted."""
    with _opened(home) as keeper:
        if signing:
            note = rotate_signing(home, keeper)
            typer.echo(f"from {checkpoint_in(note).size} batches on another key signs; the old one signed for it")
            typer.echo(f"hand {home / 'public.pem'} to whoever verifies; who holds the old one can go on with it")
            return
        for done in rotate_roots(home, keeper):
            typer.echo(f"{done.tier.value}: {done.keys} keys wrapped anew by {done.mark}")
            for path in done.kept:
                typer.echo(f"{path} opens older copies of the keys only: take it to where those lie, or destroy it")
            if not done.kept:
                typer.echo("the old key is not needed any more: take it out of where keys come from")


@app.command("grants")
def show_grants(home: Home) -> None:
    """Print the SQL that gives each task a role of its own on PostgreSQL, place by place."""
    databases = settings_of(home).get("databases")
    if not databases:
        raise typer.BadParameter("this home lies in files: their owner and mode say who may do what")
    several = len(set(databases.values())) > 1
    for place, address in databases.items():
        typer.echo(f"-- {place}: run as owner of its database")
        if several:
            typer.echo(f'\\connect -reuse-previous=off "{without_password(address)}"')
        typer.echo("SET client_min_messages = warning;")
        for statement in grants.statements(place):
            typer.echo(f"{statement};")


@app.command()
def distribute(
    home: Home,
    citus: Annotated[bool, typer.Option("--citus", help="By the extension Citus of PostgreSQL.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Run the SQL; nobody else may have the home open.")] = False,
) -> None:
    """Print the SQL that lays rows out over several machines by the bucket of their subject, or run it."""
    databases = settings_of(home).get("databases")
    if not databases:
        raise typer.BadParameter("this home lies in files: make one with `upheld init --database`")
    if not citus:
        raise typer.BadParameter("say how: --citus is the way there is")
    if apply:
        for place, ran in distribute_home(home).items():
            typer.echo(f"{place}: {len(ran)} statements run" if ran else f"{place}: distributed already")
        return
    in_the_way: list[str] = []
    for place in distribution.FIRST:
        typer.echo(f"-- {place}: run on the coordinator of its database, after `upheld upgrade`")
        for statement in distribution.statements(place):
            typer.echo(f"{statement};")
        with closing(PostgresConnection(databases[place], place)) as connection:
            in_the_way += [f"{place}: {one}" for one in distribution.obstacles(connection, place)]
    typer.echo("-- ledger: stays on one server; it is one chain with one writer")
    for one in in_the_way:
        typer.echo(f"in the way: {one}", err=True)
    raise typer.Exit(1 if in_the_way else 0)


@app.command()
def prepare(
    document: Annotated[Path, typer.Argument(help="The policy document.", exists=True, dir_okay=False)],
    home: Home,
    bindings: Annotated[
        Path | None, typer.Option("--with", help="YAML of contracts, registers, roles, evidence.", exists=True)
    ] = None,
) -> None:
    """Put a draft on file, to which contracts, roles and evidence are recorded before it is published."""
    with _opened(home) as keeper:
        code = keeper.prepare(document)
        typer.echo(f"{code}: the draft is on file; nothing is decided by it")
        for said in publications.bind(keeper, code, bindings) if bindings else ():
            typer.echo(f"  recorded: {said}")


@app.command()
def publish(
    document: Annotated[Path, typer.Argument(help="The policy document.", exists=True, dir_okay=False)],
    home: Home,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Put a past publication on file.")
    ] = None,
    evidence: Annotated[str | None, typer.Option(help="Reference of the proof of a past publication.")] = None,
    over: Annotated[list[str], typer.Option("--over", help="Publish over this gap; may be repeated.")] = [],  # noqa: B006 - read, never changed
    officer: Annotated[str | None, typer.Option(help="The role that publishes over gaps.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, as a code.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say everything, put nothing on file.")] = False,
    notices: Annotated[Path | None, typer.Option(help="A folder for the notices, also of a refused version.")] = None,
) -> None:
    """Put a version of a policy on file, if it can be kept here; else say every reason at once."""
    with _opened(home) as keeper:
        day = as_of.date() if as_of else None
        try:
            done = keeper.publish(
                document, as_of=day, evidence=evidence, gaps=tuple(over), officer=officer, reason=reason,
                dry_run=dry_run,
            )  # fmt: skip
        except PublicationRefused as refused:
            _keep_pages(notices, refused.notices)
            typer.echo(publications.refusal_text(refused), err=True)
            raise typer.Exit(1) from refused
        if not dry_run:
            keeper.seal()
            pages = {locale: keeper.published_notice(done.policy, done.version, locale).decode()
                     for locale in done.notices}  # fmt: skip
            _keep_pages(notices, pages)
        typer.echo(publications.publication_text(done, ZoneInfo(_document(document).time_zone)))
    raise typer.Exit(1 if dry_run and done.findings else 0)


def _keep_pages(folder: Path | None, pages: Mapping[str, str]) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for locale, page in pages.items():
        (folder / f"notice.{locale}.html").write_text(page, encoding="utf-8")
        typer.echo(f"notice: {folder / f'notice.{locale}.html'}", err=True)


@app.command("versions")
def list_versions(
    home: Home,
    policy: PolicyCode = None,
    locale: Annotated[str, typer.Option(help="en or ko.")] = "en",
) -> None:
    """The versions on file: dates, gaps, findings, notices kept of them, and who has to be asked anew."""
    with _opened(home) as keeper:
        code = _only(keeper, policy)
        zone = keeper.views.line(code).latest.zone
        typer.echo(publications.versions_text(keeper.on_record(code), zone))
        typer.echo(f"fresh consent: {publications.reconsents_text(keeper.reconsent(code), locale)}")


@app.command()
def sweep(
    home: Home,
    confirm_clock: Annotated[bool, typer.Option(help="The officer's word that the clock is right.")] = False,
    everybody: Annotated[bool, typer.Option("--everybody", help="Look at each person, not at who is due.")] = False,
) -> None:
    """Separate and destroy what is due, certify it, ask back what recipients may no longer keep; confirm to people what
    they said about advertising.
    """
    with _opened(home) as keeper:
        done = keeper.sweep(confirm_clock=confirm_clock, everybody=everybody)
        note_swept(keeper)
        confirmed = confirm_consents(keeper)
        keeper.seal()
        typer.echo(", ".join(f"{name} {count}" for name, count in done.counts().items()))
        if said := ", ".join(f"{state} {count}" for state, count in sorted(confirmed.items())):
            typer.echo(f"confirmations of advertising consent: {said}")
        for reason in done.waiting:
            typer.echo(f"waiting: {reason}", err=True)
    raise typer.Exit(1 if done.waiting else 0)


@app.command()
def seal(home: Home) -> None:
    """Seal what was written since the last checkpoint."""
    with _opened(home) as keeper:
        sealed = keeper.seal()
        typer.echo(f"{sealed.batches} batches, {sealed.entries} entries sealed")


@app.command()
def prune(
    home: Home,
    kept_for: Annotated[str | None, typer.Option(help="Longer than promise and law ask, such as P3Y.")] = None,
    policy: PolicyCode = None,
    persons: Annotated[int | None, typer.Option(help="Persons a day on average; the large keep longer.")] = None,
    carrier: Annotated[bool, typer.Option(help="A registered carrier of telecommunications.")] = False,
) -> None:
    """Destroy access records that neither promise nor law wants kept; the rest of the ledger still verifies."""
    with _opened(home) as keeper:
        code = _only(keeper, policy)
        document = keeper.document(code)
        law = law_in(document.time_zone, keeper.today(code))
        least = access_records_kept(document, law, Size(persons, carrier))
        if least is None and kept_for is None:
            raise typer.BadParameter("neither promise nor law says how long; give --kept-for", param_hint="--kept-for")
        period = Period.parse(kept_for) if kept_for else (least.period if least else Period())
        if least is not None and about_days(period) < about_days(least.period):
            said = f"{period} is too short: {least.by} wants {least.period}"
            raise typer.BadParameter(said, param_hint="--kept-for")
        pruned = keeper.prune(code, kept_for=period)
        typer.echo(f"{pruned} batches of access records older than {period} destroyed")


@app.command()
def recover(
    home: Home,
    anchor: Annotated[list[Path], typer.Option("--anchor", help="A checkpoint or certificate from elsewhere.")] = [],  # noqa: B006 - read, never changed
    document: Annotated[list[Path], typer.Option("--document", help="A policy published since the copy.")] = [],  # noqa: B006 - read, never changed
    incident: Annotated[
        str | None, typer.Option(help="Go on from an old ledger under this code of an incident.")
    ] = None,
) -> None:
    """After a restore: notice old copies and bring them up to date before anything can be read."""
    with _opened(home) as keeper:
        anchors = tuple(path.read_text() for path in anchor)
        done = keeper.recover(anchors=anchors, documents=document, incident=incident)
        typer.echo(f"old copies: {', '.join(done.places) or 'none'}")
        for what, count in sorted(done.counts.items()):
            typer.echo(f"{what}: {count}")
        if done.lost:
            typer.echo(f"lost: {len(done.lost)} values that no copy opens any more; each is on record", err=True)
        if done.unknown:
            typer.echo(
                f"lost: {done.unknown} persons who came after these copies; only the ledger knows them", err=True
            )
        for reason in done.waiting:
            typer.echo(f"waiting: {reason}", err=True)


app.command()(serve)
app.command()(work)
app.add_typer(account_app, name="account")
app.add_typer(application_app, name="application")


# ── people are told ─────────────────────────────────────────────────────────────────────────────────────────────────

merger_app = typer.Typer(
    help="A merger or transfer of the business: told first, person by person.", no_args_is_help=True
)
app.add_typer(merger_app, name="merger")
CaseId = Annotated[str, typer.Argument(help="The case.")]
Evidence = Annotated[Path, typer.Argument(help="What shows it: a picture, a cutting.", exists=True, dir_okay=False)]


@merger_app.command("open")
def open_merger(
    sheet: Annotated[Path, typer.Argument(help="The sheet (YAML).", exists=True, dir_okay=False)],
    home: Home,
    policy: PolicyCode = None,
) -> None:
    """Open a case from a sheet."""
    with _opened(home) as keeper:
        code = _only(keeper, policy)
        case = merging.opened(keeper, code, merging.sheet_in(sheet.read_bytes()))
        found = next(one for one in keeper.mergers(code) if one.case_id == case)
        typer.echo(merging.as_text(keeper, found))


@merger_app.command("state")
def merger_state(
    home: Home,
    policy: PolicyCode = None,
    names: Annotated[bool, typer.Option("--names", help="List everybody that is left, by id.")] = False,
) -> None:
    """Where each case stands."""
    with _opened(home) as keeper:
        code = _only(keeper, policy)
        for one in keeper.mergers(code):
            typer.echo(merging.as_text(keeper, one, names=names))


@merger_app.command("tell")
def tell_merger(
    case: CaseId,
    home: Home,
    policy: PolicyCode = None,
    medium: Annotated[list[str], typer.Option("--medium", help="By which medium, best first.")] = ["email"],  # noqa: B006 - read, never changed
) -> None:
    """Queue the notice for everybody who has none yet; it leaves with the next work on the outbox."""
    with _opened(home) as keeper:
        counts = merging.tell(keeper, _only(keeper, policy), case, medium)
        typer.echo(", ".join(f"{state} {count}" for state, count in sorted(counts.items())) or "nobody is left to tell")


@merger_app.command("post")
def post_merger(
    case: CaseId,
    place: Annotated[str, typer.Argument(help="A place of the policy.")],
    evidence: Evidence,
    home: Home,
    policy: PolicyCode = None,
) -> None:
    """Record that the notice was put up for those who cannot be reached."""
    with _opened(home) as keeper:
        code = _only(keeper, policy)
        posting = keeper.post(code, "business-transfer", case, place, evidence=evidence.read_bytes())
        typer.echo(f"posting {posting} hangs; take it down no earlier than it counts: see `upheld merger state`")


@merger_app.command("down")
def take_down_merger(
    posting: Annotated[str, typer.Argument(help="The posting.")], home: Home, policy: PolicyCode = None
) -> None:
    """Record that a posting was taken down."""
    with _opened(home) as keeper:
        keeper.taken_down(_only(keeper, policy), posting)


@merger_app.command("printed")
def print_merger(
    case: CaseId,
    newspaper: Annotated[str, typer.Argument(help="A code of the newspaper.")],
    evidence: Evidence,
    home: Home,
    region: Annotated[str | None, typer.Option(help="A code of its region, for a newspaper of one.")] = None,
    residents: Annotated[int, typer.Option(help="How many of those concerned live there.")] = 0,
    policy: PolicyCode = None,
) -> None:
    """Record that a newspaper printed it, since posting is hindered."""
    where = Region(region, residents) if region else None
    with _opened(home) as keeper:
        code = _only(keeper, policy)
        keeper.printed(code, "business-transfer", case, newspaper, evidence=evidence.read_bytes(), region=where)


@merger_app.command("refused")
def refuse_merger(
    case: CaseId,
    subject: Annotated[str, typer.Argument(help="The person's id.")],
    home: Home,
    channel: Annotated[str, typer.Option(help="By which channel it came.")],
) -> None:
    """Record that a person refuses."""
    with _opened(home) as keeper:
        keeper.refuse_transfer(SubjectId(subject), case, channel=channel)


@merger_app.command("hand-over")
def hand_over(
    case: CaseId,
    home: Home,
    out: Annotated[Path, typer.Option(help="The folder into which each person's data is put, a file each.")],
    policy: PolicyCode = None,
) -> None:
    """Hand over everybody whose turn it is; whoever waits is counted by the reason."""
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _opened(home) as keeper:
        done = keeper.hand_over(_only(keeper, policy), case, partial(merging.handed_to, out))
        typer.echo(f"handed over: {done.handed}")
        for reason, count in sorted(Counter(done.waiting.values()).items()):
            typer.echo(f"waiting: {count}: {merging.WAITING.get(reason, reason)}")


@merger_app.command("close")
def close_merger(case: CaseId, home: Home, policy: PolicyCode = None) -> None:
    """Close a case in which everybody was handed over or has refused."""
    with _opened(home) as keeper:
        keeper.close_merger(_only(keeper, policy), case)


# ── proof ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@app.command()
def verify(
    home: Annotated[
        Path, typer.Option("--home", help="A home, a folder with a copy of ledger.db, or the copy itself.")
    ],
    public_key: Annotated[Path | None, typer.Option(help="The public key, from a source you trust.")] = None,
    anchor: Annotated[list[Path], typer.Option("--anchor", help="A checkpoint or certificate from elsewhere.")] = [],  # noqa: B006 - read, never changed
    certificate: Annotated[list[Path], typer.Option("--certificate", help="A certificate to check as well.")] = [],  # noqa: B006 - read, never changed
) -> None:
    """Check a copy of the ledger, alone and offline; name the first entry that was tampered with."""
    key = public_key.read_text() if public_key else None
    with ledger_of(home) as path:
        found = verifying.verify_copy(path, key, [verifying.anchor_in(one.read_text()) for one in anchor])
        refused = [one for one in certificate if not _certificate_holds(one, path, key)]
    for problem in found.problems:
        typer.echo(f"BROKEN {problem}", err=True)
    typer.echo(f"{found.batches} batches, {found.entries} entries, {found.checkpoints} checkpoints")
    typer.echo(f"{found.pruned_batches} batches of access records pruned")
    typer.echo(f"complete: {found.complete}")
    for said in found.cannot_show:
        typer.echo(f"cannot show: {said}")
    typer.echo("the ledger holds" if found.ok else "the ledger is BROKEN")
    raise typer.Exit(0 if found.ok and not refused else 1)


def _certificate_holds(file: Path, ledger: Path, key: str | None) -> bool:
    """Tell of one certificate, by the name of its file; the ledger is reported whatever came of it."""
    try:
        checked = verifying.check_certificate(file.read_bytes(), ledger, key)
    except UpheldError as problem:
        typer.echo(f"REFUSED {file}: {problem}", err=True)
        return False
    typer.echo(f"certificate {checked.certificate.certificate_id}: holds, entry {checked.proof.reference}")
    return True


@app.command()
def certificate(
    home: Home,
    number: Annotated[str | None, typer.Argument(help="The certificate's id; left out, all are listed.")] = None,
    policy: PolicyCode = None,
    form: FormatOption = Format.JSON,
) -> None:
    """List certificates of destruction, or print one as signed JSON or as a page."""
    with _opened(home) as keeper:
        code = _only(keeper, policy)
        if number is None:
            for one in keeper.certificates(code):
                typer.echo(one)
            return
        document = keeper.certificate(number)
        if form is Format.HTML:
            with ledger_of(home) as path:
                checked = verifying.check_certificate(document, path)
            plan = keeper.views.line(code).latest
            typer.echo(certificate_page.page(document, checked, plan.zone, korean=speaks_korean(plan.controller)))
        else:
            typer.echo(document.decode())


@app.command()
def receipt(
    home: Home,
    subject: Annotated[str, typer.Option(help="The person's id.")],
    address: Annotated[str, typer.Option(help="The seat of the house.")],
    email: Annotated[str, typer.Option(help="A mailbox for questions.")],
    page: Annotated[str, typer.Option(help="The address of the page with the policy.")],
    matter: Annotated[str | None, typer.Option(help="One matter, such as purpose/news; all if left out.")] = None,
    jurisdiction: Annotated[str, typer.Option(help="Such as KR; by the time zone if left out.")] = "",
    form: Annotated[Literal["kantara", "27560"], typer.Option("--format", help="kantara or 27560.")] = "kantara",
) -> None:
    """What a person agreed to, as receipts in JSON that carry the newest checkpoint."""
    with _opened(home) as keeper:
        person = SubjectId(subject)
        house = formats.House(jurisdiction=jurisdiction, address=address, email=email, policy_url=page)
        found = keeper.receipts(person, house, form) if matter is None else keeper.receipt(person, matter, house, form)
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@app.command()
def audit(
    home: Home,
    policy: PolicyCode = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    version: Annotated[str | None, typer.Option(help="A version on file; else the one in force at the end.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="So many cases drawn at random, with their papers.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed draws other cases; the same draws the same.")] = 0,
    form: FormatOption = Format.TEXT,
) -> None:
    """The clause report: for each clause whether it is upheld, with the evidence."""
    with _opened(home) as keeper:
        code = _only(keeper, policy)
        zone = keeper.views.line(code).latest.zone
        report = keeper.audit(
            code,
            since=_begins(since, zone),
            until=None if until is None else start_of(until.date() + timedelta(days=1), zone),
            version=version,
            sample=sample,
            seed=seed,
        )
        write: dict[Format, Callable[[Report], str]] = {
            Format.TEXT: as_text,
            Format.JSON: lambda one: as_json(one).decode(),
            Format.HTML: as_html,
        }
        typer.echo(write[form](report))


@app.command()
def attest(
    home: Home,
    element: Annotated[str, typer.Argument(help="The element of the policy that was kept, as the report names it.")],
    policy: PolicyCode = None,
    mended: Annotated[bool, typer.Option("--mended", help="What followed from a breach was dealt with.")] = False,
    record: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The proof held.")] = None,
) -> None:
    """Put on record that something was kept where no act of the system shows it; a digest of the proof is kept."""
    with _opened(home) as keeper:
        kind = keeper.attest(
            _only(keeper, policy), element, mended=mended, record=b"" if record is None else record.read_bytes()
        )
        typer.echo(f"on record: {element}, {kind}")


def _begins(day: datetime | None, zone: ZoneInfo) -> Instant | None:
    return None if day is None else instant(datetime.combine(day.date(), time(), zone))


def _opened(home: Path) -> Keeper:
    """A home that is there; a mistyped folder is an error and never a new home."""
    settings_of(home)
    return open_home(home)


def _only(keeper: Keeper, policy: str | None) -> str:
    keeper.views.refresh()
    on_file = sorted(keeper.views.lines)
    if policy is not None:
        keeper.views.line(policy)
        return policy
    if len(on_file) != 1:
        raise typer.BadParameter(f"say which policy: {', '.join(on_file) or 'none is on file'}", param_hint="--policy")
    return on_file[0]


TOLD = (UpheldError, ValueError)
"""What says by itself what to mend."""


def main() -> None:
    """Run the command line; errors of ours are printed without a trace, with exit status 1 or 2."""
    try:
        app()
    except OSError as problem:
        typer.echo(f"{problem.filename}: {problem.strerror}" if problem.filename else str(problem), err=True)
        sys.exit(1)
    except TOLD as problem:
        typer.echo(str(problem), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
