"""`upheld merger`: the business passes on, people are told first."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from upheld.desk import merging
from upheld.engine.acts import SubjectId
from upheld.keeper.posting import Region
from upheld.web.commands import Home, PolicyCode, only, opened

commands = typer.Typer(help="A merger or transfer of the business: told first, person by person.", no_args_is_help=True)
CaseId = Annotated[str, typer.Argument(help="The case.")]
Evidence = Annotated[Path, typer.Argument(help="What shows it: a picture, a cutting.", exists=True, dir_okay=False)]


@commands.command("open")
def open_merger(
    sheet: Annotated[Path, typer.Argument(help="The sheet (YAML).", exists=True, dir_okay=False)],
    home: Home,
    policy: PolicyCode = None,
) -> None:
    """Open a case from a sheet."""
    with opened(home) as keeper:
        code = only(keeper, policy)
        case = merging.opened(keeper, code, merging.sheet_in(sheet.read_bytes()))
        typer.echo(merging.as_text(keeper, merging.known(keeper, code, case)))


@commands.command("state")
def merger_state(
    home: Home,
    policy: PolicyCode = None,
    names: Annotated[bool, typer.Option("--names", help="List everybody that is left, by id.")] = False,
) -> None:
    """Where each case stands."""
    with opened(home) as keeper:
        code = only(keeper, policy)
        found = keeper.mergers(code)
        for one in found:
            typer.echo(merging.as_text(keeper, one, names=names))
        if not found:
            typer.echo("no merger or transfer is on file", err=True)


@commands.command("tell")
def tell_merger(
    case: CaseId,
    home: Home,
    policy: PolicyCode = None,
    medium: Annotated[list[str], typer.Option("--medium", help="By which medium, best first.")] = ["email"],  # noqa: B006 - read, never changed
) -> None:
    """Queue the notice for everybody who has none yet; it leaves with the next work on the outbox."""
    with opened(home) as keeper:
        counts = merging.tell(keeper, only(keeper, policy), case, medium)
        typer.echo(", ".join(f"{state} {count}" for state, count in sorted(counts.items())) or "nobody is left to tell")


@commands.command("post")
def post_merger(
    case: CaseId,
    place: Annotated[str, typer.Argument(help="A place of the policy.")],
    evidence: Evidence,
    home: Home,
    policy: PolicyCode = None,
) -> None:
    """Record that the notice was put up for those who cannot be reached."""
    with opened(home) as keeper:
        code = only(keeper, policy)
        merging.known(keeper, code, case)
        posting = keeper.post(code, "business-transfer", case, place, evidence=evidence.read_bytes())
        typer.echo(f"posting {posting} hangs; take it down no earlier than it counts: see `upheld merger state`")


@commands.command("down")
def take_down_merger(
    posting: Annotated[str, typer.Argument(help="The posting.")], home: Home, policy: PolicyCode = None
) -> None:
    """Record that a posting was taken down."""
    with opened(home) as keeper:
        keeper.taken_down(only(keeper, policy), posting)


@commands.command("printed")
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
    with opened(home) as keeper:
        code = only(keeper, policy)
        merging.known(keeper, code, case)
        keeper.printed(code, "business-transfer", case, newspaper, evidence=evidence.read_bytes(), region=where)


@commands.command("refused")
def refuse_merger(
    case: CaseId,
    subject: Annotated[str, typer.Argument(help="The person's id.")],
    home: Home,
    channel: Annotated[str, typer.Option(help="By which channel it came.")],
) -> None:
    """Record that a person refuses."""
    with opened(home) as keeper:
        keeper.refuse_transfer(SubjectId(subject), case, channel=channel)


@commands.command("hand-over")
def hand_over(
    case: CaseId,
    home: Home,
    out: Annotated[Path, typer.Option(help="The folder into which each person's data is put, a file each.")],
    policy: PolicyCode = None,
) -> None:
    """Hand over everybody whose turn it is; whoever waits is counted by the reason."""
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    with opened(home) as keeper:
        done = keeper.hand_over(only(keeper, policy), case, partial(merging.handed_to, out))
        typer.echo(f"handed over: {done.handed}")
        for reason, count in sorted(Counter(done.waiting.values()).items()):
            typer.echo(f"waiting: {count}: {merging.WAITING.get(reason, reason)}")


@commands.command("close")
def close_merger(case: CaseId, home: Home, policy: PolicyCode = None) -> None:
    """Close a case in which everybody was handed over or has refused."""
    with opened(home) as keeper:
        keeper.close_merger(only(keeper, policy), case)
