"""The commands of proof: verify, certificates, receipts, the clause report."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from upheld.cli.options import (
    DAY,
    Format,
    FormatOption,
    day_given,
)
from upheld.dates import start_of
from upheld.engine.acts import SubjectId
from upheld.errors import UpheldError
from upheld.ledger import certificate_page
from upheld.ledger.report import Report, as_html, as_json, as_text
from upheld.policy import formats
from upheld.policy.wording import speaks_korean
from upheld.store import verifying
from upheld.system import (
    ledger_of,
)
from upheld.web.commands import Home, PolicyCode, only, opened

commands = typer.Typer()


@commands.command()
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
    if refused:
        typer.echo(f"REFUSED: {len(refused)} of {len(certificate)} certificates")
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


@commands.command()
def certificate(
    home: Home,
    number: Annotated[str | None, typer.Argument(help="The certificate's id; left out, all are listed.")] = None,
    policy: PolicyCode = None,
    form: Annotated[Literal["json", "html"], typer.Option("--format", help="json or html.")] = "json",
) -> None:
    """List certificates of destruction, or print one as signed JSON or as a page."""
    with opened(home) as keeper:
        code = only(keeper, policy)
        if number is None:
            found = keeper.certificates(code)
            for one in found:
                typer.echo(one)
            if not found:
                typer.echo("nothing was destroyed yet", err=True)
            return
        document = keeper.certificate(number)
        if form == "html":
            with ledger_of(home) as path:
                checked = verifying.check_certificate(document, path)
            plan = keeper.views.line(code).latest
            typer.echo(certificate_page.page(document, checked, plan.zone, korean=speaks_korean(plan.controller)))
        else:
            typer.echo(document.decode())


@commands.command()
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
    with opened(home) as keeper:
        person = SubjectId(subject)
        house = formats.House(jurisdiction=jurisdiction, address=address, email=email, policy_url=page)
        found = keeper.receipts(person, house, form) if matter is None else keeper.receipt(person, matter, house, form)
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@commands.command()
def audit(
    home: Home,
    policy: PolicyCode = None,
    since: Annotated[
        date | None, typer.Option("--from", parser=day_given, metavar=DAY, help="The first day; that of the version.")
    ] = None,
    until: Annotated[
        date | None, typer.Option("--to", parser=day_given, metavar=DAY, help="The last day; today if left out.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="A version on file; else the one in force at the end.")] = None,
    sample: Annotated[int, typer.Option(min=0, help="So many cases drawn at random, with their papers.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed draws other cases; the same draws the same.")] = 0,
    form: FormatOption = Format.TEXT,
) -> None:
    """The clause report: for each clause whether it is upheld, with the evidence."""
    with opened(home) as keeper:
        code = only(keeper, policy)
        zone = keeper.views.line(code).latest.zone
        report = keeper.audit(
            code,
            since=None if since is None else start_of(since, zone),
            until=None if until is None else start_of(until + timedelta(days=1), zone),
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


@commands.command()
def attest(
    home: Home,
    element: Annotated[str, typer.Argument(help="The element of the policy that was kept, as the report names it.")],
    policy: PolicyCode = None,
    mended: Annotated[bool, typer.Option("--mended", help="What followed from a breach was dealt with.")] = False,
    record: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="The proof held.")] = None,
) -> None:
    """Put on record that something was kept where no act of the system shows it; a digest of the proof is kept."""
    with opened(home) as keeper:
        kind = keeper.attest(
            only(keeper, policy), element, mended=mended, record=b"" if record is None else record.read_bytes()
        )
        typer.echo(f"on record: {element}, {kind}")
