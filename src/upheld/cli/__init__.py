"""The command line: every task of an officer, an engineer and an auditor as one command."""

from __future__ import annotations

import errno
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer
from psycopg.errors import InsufficientPrivilege

from upheld.cli import documents, homes, mergers, proof
from upheld.cli.mistakes import Commands
from upheld.cli.options import TOLD
from upheld.system import know_law
from upheld.web.commands import account_app, application_app, serve, work

app = typer.Typer(
    name="upheld",
    cls=Commands,
    help="A privacy policy that runs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
__all__ = ["TOLD", "app", "main"]

_SERVICE: Final = "The service"
# They stand in groups, as in docs/cli.md.
for group, module in (("The document", documents), ("A home", homes), ("Proof", proof)):
    for command in module.commands.registered_commands:
        command.rich_help_panel = group
        app.registered_commands.append(command)
app.command(rich_help_panel=_SERVICE)(serve)
app.command(rich_help_panel=_SERVICE)(work)
app.add_typer(account_app, name="account", rich_help_panel=_SERVICE)
app.add_typer(application_app, name="application", rich_help_panel=_SERVICE)
app.add_typer(mergers.commands, name="merger", rich_help_panel=_SERVICE)


def _told_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"upheld {version('upheld')}")
        raise typer.Exit


@app.callback()
def upheld(
    version: Annotated[
        bool, typer.Option("--version", help="Say the version and stop.", callback=_told_version, is_eager=True)
    ] = False,
    tables: Annotated[
        list[Path] | None, typer.Option(envvar="UPHELD_LAW", exists=True, help="Law and wordings: files.")
    ] = None,
) -> None:
    """A privacy policy that runs."""
    know_law(tables or [])


_REMEDIES: Final = {
    errno.EACCES: "run this as the user to whom the home belongs, who may write there",
    errno.EROFS: "it lies where nothing can be written",
    errno.ENOSPC: "make room on its disk",
}
_OTHER_USER: Final = (
    "the user of the database lacks the role for this; give it one (`upheld grants`), or say by PGUSER who has it"
)


def main() -> None:
    """Run the command line; errors of ours are printed without a trace, with exit status 1 or 2."""
    try:
        app()
    except OSError as problem:
        said = f"{problem.filename}: {problem.strerror}" if problem.filename else str(problem)
        remedy = _REMEDIES.get(problem.errno or 0)
        typer.echo(f"{said}; {remedy}" if remedy else said, err=True)
        sys.exit(1)
    except InsufficientPrivilege as problem:
        typer.echo(f"{str(problem).strip()}: {_OTHER_USER}", err=True)
        sys.exit(1)
    except TOLD as problem:
        typer.echo(str(problem), err=True)
        sys.exit(1)
