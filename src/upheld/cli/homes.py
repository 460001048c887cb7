"""The commands of a home: make, look after, publish to, sweep, recover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from upheld.cli.options import (
    DAY,
    day_given,
    document_in,
    locale_given,
    period_given,
)
from upheld.dates import Period
from upheld.desk import publications
from upheld.desk.background import note_swept
from upheld.desk.confirming import confirm_consents
from upheld.keeper.binding import Obstacle, PublicationRefused
from upheld.law import law_in
from upheld.law.stricter import about_days
from upheld.ledger.checkpoint import checkpoint_in
from upheld.policy.findings.against import Size, access_records_kept
from upheld.policy.model import Policy
from upheld.rotating import LOOK_UP, rotate_roots, rotate_signing
from upheld.store import distribution, grants
from upheld.store.journal_keys import NAME as JOURNAL_KEY
from upheld.store.key_files import ROOTS
from upheld.store.postgres import PostgresConnection
from upheld.store.sealing import JOURNALS
from upheld.store.tls import without_password
from upheld.system import PLACES, Options, backed_up, distribute_home, init, open_home, settings_of, upgrade_home
from upheld.web.commands import Home, PolicyCode, examine, items_of, only, opened

commands = typer.Typer()


_ADDRESSES: Final = ("postgresql://", "postgres://", "host=", "dbname=", "service=", "user=", "hostaddr=", "port=")


@commands.command("init")
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
    rewritten_within: Annotated[
        str | None, typer.Option(help="By when a large table of keys is written anew after a destruction, as P2D.")
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
    wanted = items_of(look_up, "--look-up")
    if copies_kept is not None:
        period_given(copies_kept, "--copies-kept")
    if rewritten_within is not None and database is None:
        raise typer.BadParameter("only for --database: files are overwritten at once", param_hint="--rewritten-within")
    given = {"--database": database, **{f"--{place}": own for place, own in apart.items()}}
    if strange := [one for one, address in given.items() if address is not None and not address.startswith(_ADDRESSES)]:
        said = "write postgresql://USER@HOST/NAME; there is no other kind"
        raise typer.BadParameter(said, param_hint=" and ".join(strange))
    options = Options(
        look_up=wanted, copies_kept=copies_kept, rewritten_within=rewritten_within, key_command=master_key_command
    )
    init(home, options, databases)
    if databases is not None:
        open_home(home).close()  # makes the ledger's tables, to which `grants` refers
    typer.echo(
        f"{home} is ready. Keep a copy of {home / 'secrets'} apart from the databases; without it nothing opens."
    )


@commands.command()
def upgrade(home: Home) -> None:
    """Bring the tables of a home to this program's version; nobody else may have it open."""
    had, has = upgrade_home(home)
    typer.echo(f"{home} has schema {has}" + (f", had {had}" if had != has else " already"))


@commands.command()
def backup(
    home: Home,
    to: Annotated[Path, typer.Option(help="A new or empty folder.")],
    only: Annotated[list[str], typer.Option("--only", help="active, separated, keys or ledger; all if left out.")] = [],  # noqa: B006 - read, never changed
) -> None:
    """Copy the files of a home while it is served: one after the other, the ledger last; no key file."""
    if unknown := set(only) - set(PLACES):
        named = ", ".join(f"`{one}`" for one in sorted(unknown))
        none = "is no place" if len(unknown) == 1 else "are no places"
        raise typer.BadParameter(f"{named} {none}; there are: {', '.join(PLACES)}", param_hint="--only")
    for made in backed_up(home, to, only or PLACES):
        typer.echo(f"{made}  {made.stat().st_size} bytes")


@commands.command()
def doctor(home: Home) -> None:
    """Say what is misconfigured, and what keeps a destroyed key recoverable for longer than certificates say."""
    settings = settings_of(home)
    well = examine(home)
    typer.echo(f"certificates count in {settings.get('copies_kept') or 'no time'} for copies of destroyed keys")
    raise typer.Exit(0 if well else 1)


@commands.command("rotate-keys")
def rotate_keys(
    home: Home,
    signing: Annotated[bool, typer.Option("--signing", help="The key that signs, and no other.")] = False,
    journals: Annotated[bool, typer.Option("--journals", help="The key that guards journals, and no other.")] = False,
    look_up: Annotated[bool, typer.Option("--look-up", help="The roots of look-up tokens, and no others.")] = False,
) -> None:
    """Put new master keys in place of the old while the service goes on; run it again if it was interrupted."""
    if signing + journals + look_up > 1:
        raise typer.BadParameter(
            "give one of --signing, --journals and --look-up, not several; without them all other keys are rotated"
        )
    with opened(home) as keeper:
        if signing:
            note = rotate_signing(home, keeper)
            typer.echo(f"from {checkpoint_in(note).size} batches on another key signs; the old one signed for it")
            typer.echo(f"hand {home / 'public.pem'} to whoever verifies; who holds the old one can go on with it")
            return
        names = (JOURNAL_KEY,) if journals else (LOOK_UP,) if look_up else (*ROOTS, LOOK_UP)
        for done in rotate_roots(home, keeper, names=names):
            if done.store.endswith(LOOK_UP):
                typer.echo(f"{done.store}: {done.keys} look-up tokens made anew from {done.mark}; the old root is gone")
                continue
            guards = done.store == JOURNALS
            wraps = f"what waits to be sealed is guarded by {done.mark}"
            typer.echo(f"{done.store}: {wraps if guards else f'{done.keys} keys wrapped anew by {done.mark}'}")
            opens = "is for older copies of the places" if guards else "opens older copies of the keys"
            for path in done.kept:
                typer.echo(f"{path} {opens} only: take it to where those lie, or destroy it")
            if not done.kept:
                typer.echo("the old key is not needed any more: take it out of where keys come from")


@commands.command("grants")
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


@commands.command()
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


@commands.command()
def prepare(
    document: Annotated[Path, typer.Argument(help="The policy document.", exists=True, dir_okay=False)],
    home: Home,
    bindings: Annotated[
        Path | None, typer.Option("--with", help="YAML of contracts, registers, roles, evidence.", exists=True)
    ] = None,
) -> None:
    """Put a draft on file, to which contracts, roles and evidence are recorded before it is published."""
    with opened(home) as keeper:
        code = keeper.prepare(document)
        typer.echo(f"{code}: the draft is on file; nothing is decided by it")
        for said in publications.bind(keeper, code, bindings) if bindings else ():
            typer.echo(f"  recorded: {said}")
        typer.echo(f"what is still missing: upheld publish {document} --home {home} --dry-run")


@commands.command()
def publish(
    document: Annotated[Path, typer.Argument(help="The policy document.", exists=True, dir_okay=False)],
    home: Home,
    as_of: Annotated[
        date | None, typer.Option(parser=day_given, metavar=DAY, help="Put a past publication on file.")
    ] = None,
    evidence: Annotated[str | None, typer.Option(help="Reference of the proof of a past publication.")] = None,
    over: Annotated[list[str], typer.Option("--over", help="Publish over this gap; may be repeated.")] = [],  # noqa: B006 - read, never changed
    officer: Annotated[str | None, typer.Option(help="The role that publishes over gaps.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, as a code.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say everything, put nothing on file.")] = False,
    notices: Annotated[Path | None, typer.Option(help="A folder for the notices, also of a refused version.")] = None,
) -> None:
    """Put a version of a policy on file, if it can be kept here; else say every reason at once."""
    with opened(home) as keeper:
        policy = document_in(document)
        try:
            done = keeper.publish(
                document, as_of=as_of, evidence=evidence, gaps=tuple(over), officer=officer, reason=reason,
                dry_run=dry_run,
            )  # fmt: skip
        except PublicationRefused as refused:
            _keep_pages(notices, refused.notices)
            typer.echo(publications.refusal_text(refused), err=True)
            _tell_what_to_record(policy, refused.obstacles, document, home)
            raise typer.Exit(1) from refused
        if not dry_run:
            keeper.seal()
            pages = {locale: keeper.published_notice(done.policy, done.version, locale).decode()
                     for locale in done.notices}  # fmt: skip
            _keep_pages(notices, pages)
        typer.echo(publications.publication_text(done, ZoneInfo(policy.time_zone)))
        if dry_run:
            _tell_what_to_record(policy, done.findings, document, home)
    raise typer.Exit(1 if dry_run and done.findings else 0)


def _tell_what_to_record(policy: Policy, obstacles: Iterable[Obstacle], document: Path, home: Path) -> None:
    """The file of bindings that some of the reasons ask for, to be filled in."""
    wanted = publications.bindings_wanted(policy, obstacles)
    if wanted:
        typer.echo("\nOnce it is so, what only has to be on record goes into a file (here bindings.yaml):\n", err=True)
        typer.echo("".join(f"    {line}\n" for line in wanted.splitlines()), err=True)
        typer.echo(f"    upheld prepare {document} --home {home} --with bindings.yaml", err=True)


def _keep_pages(folder: Path | None, pages: Mapping[str, str]) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for locale, page in pages.items():
        (folder / f"notice.{locale}.html").write_text(page, encoding="utf-8")
        typer.echo(f"notice: {folder / f'notice.{locale}.html'}", err=True)


@commands.command("versions")
def list_versions(
    home: Home,
    policy: PolicyCode = None,
    locale: Annotated[str, typer.Option(help="en, ko, or one of the home's.")] = "en",
) -> None:
    """The versions on file: dates, gaps, findings, notices kept of them, and who has to be asked anew."""
    with opened(home) as keeper:
        locale_given(locale)
        code = only(keeper, policy)
        zone = keeper.views.line(code).latest.zone
        typer.echo(publications.versions_text(keeper.on_record(code), zone))
        typer.echo(f"fresh consent: {publications.reconsents_text(keeper.reconsent(code), locale)}")


@commands.command()
def sweep(
    home: Home,
    confirm_clock: Annotated[bool, typer.Option(help="The officer's word that the clock is right.")] = False,
    everybody: Annotated[bool, typer.Option("--everybody", help="Look at each person, not at who is due.")] = False,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Write large tables of keys anew that hold destroyed ones, now.")
    ] = False,
) -> None:
    """Separate and destroy what is due, certify it, ask back what recipients may no longer keep; confirm to people what
    they said about advertising.
    """
    with opened(home) as keeper:
        done = keeper.sweep(confirm_clock=confirm_clock, everybody=everybody, rewrite=rewrite)
        note_swept(keeper)
        confirmed = confirm_consents(keeper)
        keeper.seal()
        typer.echo(", ".join(f"{name} {count}" for name, count in done.counts().items()))
        if said := ", ".join(f"{state} {count}" for state, count in sorted(confirmed.items())):
            typer.echo(f"confirmations of advertising consent: {said}")
        for reason in done.waiting:
            typer.echo(f"waiting: {reason}", err=True)
    raise typer.Exit(1 if done.waiting else 0)


@commands.command()
def seal(home: Home) -> None:
    """Seal what was written since the last checkpoint."""
    with opened(home) as keeper:
        sealed = keeper.seal()
        typer.echo(f"{sealed.batches} batches, {sealed.entries} entries sealed")


@commands.command()
def prune(
    home: Home,
    kept_for: Annotated[str | None, typer.Option(help="Longer than promise and law ask, such as P3Y.")] = None,
    policy: PolicyCode = None,
    persons: Annotated[int | None, typer.Option(help="Persons a day on average; the large keep longer.")] = None,
    carrier: Annotated[bool, typer.Option(help="A registered carrier of telecommunications.")] = False,
) -> None:
    """Destroy access records that neither promise nor law wants kept; the rest of the ledger still verifies."""
    with opened(home) as keeper:
        code = only(keeper, policy)
        document = keeper.document(code)
        law = law_in(document.time_zone, keeper.today(code))
        least = access_records_kept(document, law, Size(persons, carrier))
        if least is None and kept_for is None:
            raise typer.BadParameter("neither promise nor law says how long; give --kept-for", param_hint="--kept-for")
        period = period_given(kept_for, "--kept-for") if kept_for else (least.period if least else Period())
        if least is not None and about_days(period) < about_days(least.period):
            said = f"{period} is too short: {least.by} wants {least.period}"
            raise typer.BadParameter(said, param_hint="--kept-for")
        pruned = keeper.prune(code, kept_for=period)
        typer.echo(f"{pruned} batches of access records older than {period} destroyed")


@commands.command()
def recover(
    home: Home,
    anchor: Annotated[list[Path], typer.Option("--anchor", help="A checkpoint or certificate from elsewhere.")] = [],  # noqa: B006 - read, never changed
    document: Annotated[list[Path], typer.Option("--document", help="A policy published since the copy.")] = [],  # noqa: B006 - read, never changed
    incident: Annotated[
        str | None, typer.Option(help="Go on from an old ledger under this code of an incident.")
    ] = None,
) -> None:
    """After a restore: notice old copies and bring them up to date before anything can be read."""
    with opened(home) as keeper:
        anchors = tuple(path.read_text() for path in anchor)
        for one in document:
            document_in(one)
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
