"""The commands of the service: `upheld serve`, and `upheld account` for who may sign in at the desk."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from upheld.connect.mail import Security
from upheld.dates import moment
from upheld.desk.accounts import (
    Credentials,
    StaffRole,
    accounts_of,
    close_account,
    known_account,
    open_account,
    reset_account,
)
from upheld.desk.identities import bind, unbind
from upheld.keeper import Keeper
from upheld.keeper.applications import Duty
from upheld.system import open_home, settings_of

if TYPE_CHECKING:
    from upheld.web.providers import HouseProvider

Home = Annotated[Path, typer.Option("--home", help="The folder of the home.")]
PolicyCode = Annotated[
    str | None, typer.Option("--policy", help="The policy's code; the only one on file if left out.")
]
Name = Annotated[str, typer.Option("--name", help="The name to sign in with.")]

BehindProxy = Annotated[
    bool, typer.Option("--behind-proxy", help="A proxy of ours ends TLS and sets X-Forwarded-For and -Proto.")
]
ScanCommand = Annotated[
    str | None, typer.Option(help="A command that reads a file and ends with 1 for malware: `clamdscan -`.")
]
SignIn = Annotated[Path | None, typer.Option("--sign-in", help="A file of the house's own OpenID Connect providers.")]
ProviderName = Annotated[str, typer.Option("--provider", help="The provider's name in the file of providers.")]
Identity = Annotated[str, typer.Option("--identity", help="Who it is there: the text of the claim that is looked at.")]
NoBackground = Annotated[bool, typer.Option("--no-background", help="Only serve: `work` does the rest elsewhere.")]
ProgramName = Annotated[str, typer.Option("--name", help="The program's name.")]

application_app = typer.Typer(help="Programs that may use the API.", no_args_is_help=True)
account_app = typer.Typer(help="Who may sign in at the desk.", no_args_is_help=True)


def serve(
    home: Home,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="On which port.")] = 8000,
    address: Annotated[
        str | None, typer.Option(help="The public address, such as https://privacy.example.org.")
    ] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="End TLS here with this certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The key of the certificate (PEM).")] = None,
    behind_proxy: BehindProxy = False,
    reach: Annotated[
        list[str], typer.Option("--reach", help="POLICY/ITEM at which persons are reached, if names do not tell.")
    ] = [],  # noqa: B006 - typer reads the default and never changes it
    mail: Annotated[str | None, typer.Option(help="HOST:PORT of a mail server.")] = None,
    mail_from: Annotated[str | None, typer.Option(help="The sender's address.")] = None,
    mail_security: Annotated[Security, typer.Option(help="starttls, tls, or local.")] = Security.STARTTLS,
    mailbox: Annotated[str | None, typer.Option(help="Where questions are answered; the sender if left out.")] = None,
    sms_gateway: Annotated[str | None, typer.Option(help="The https address that takes text messages.")] = None,
    scan_command: ScanCommand = None,
    scan_socket: Annotated[Path | None, typer.Option(help="The socket of a ClamAV daemon.")] = None,
    sign_in: SignIn = None,
    no_background: NoBackground = False,
) -> None:
    """Serve notices, the portal and the console of a home until interrupted; sweep and seal beside it."""
    # Here and not above: the other commands need no web server and should start without loading one.
    from upheld.desk.scanning import scan_of
    from upheld.web import serving
    from upheld.web.sending import CodesBy, reached_at, transports_of
    from upheld.web.settings import Settings

    settings_of(home)
    listening = serving.Listening(host, port, tls_certificate, tls_key)
    public = address or f"{'https' if tls_certificate else 'http'}://{host}:{port}"
    serving.check_listening(listening, public, behind_proxy=behind_proxy)
    serving.check_here(listening)
    with open_home(home) as keeper:
        now = partial(_now, keeper)
        transports = partial(
            transports_of, os.environ, now, mail=mail, sender=mail_from, security=mail_security, gateway=sms_gateway
        )
        # One for codes, one for the outbox: each serves one letter at a time, and codes must not wait for the outbox.
        for_codes, for_outbox = transports(), transports()
        settings = Settings(
            keeper,
            home,
            public,
            send_code=CodesBy(keeper, for_codes) if for_codes else None,
            addresses=items_of(reach, "--reach") or reached_at(keeper),
            trusted_proxy=behind_proxy,
            failed=serving.log_failure,
            transports=for_outbox,
            scan=scan_of(scan_command, scan_socket),
            providers=_providers(sign_in, now),
            mailbox=mailbox or mail_from or "",
        )
        typer.echo(f"serving {home}")
        serving.serve_until_stopped(
            settings, listening, lambda: typer.echo(f"  {public}/"), background=not no_background
        )
        typer.echo("stopped")


def work(
    home: Home,
    mail: Annotated[str | None, typer.Option(help="HOST:PORT of a mail server.")] = None,
    mail_from: Annotated[str | None, typer.Option(help="The sender's address.")] = None,
    mail_security: Annotated[Security, typer.Option(help="starttls, tls, or local.")] = Security.STARTTLS,
    sms_gateway: Annotated[str | None, typer.Option(help="The https address that takes text messages.")] = None,
) -> None:
    """Sweep, seal, confirm and deliver until interrupted, beside services that only serve."""
    from upheld.web.sending import transports_of
    from upheld.web.serving import log_failure, work_until_stopped
    from upheld.web.settings import Settings

    settings_of(home)
    with open_home(home) as keeper:
        transports = transports_of(
            os.environ, partial(_now, keeper), mail=mail, sender=mail_from, security=mail_security, gateway=sms_gateway
        )
        settings = Settings(keeper, home, "http://localhost", failed=log_failure, transports=transports)
        work_until_stopped(settings, lambda: typer.echo(f"working on {home}"))
        typer.echo("stopped")


def _providers(file: Path | None, now: Callable[[], datetime]) -> tuple[HouseProvider, ...]:
    from upheld.web.providers import providers_in

    return () if file is None else providers_in(file.read_bytes(), os.environ, lambda: int(now().timestamp()))


def _now(keeper: Keeper) -> datetime:
    return moment(keeper.now(), ZoneInfo("UTC"))


@account_app.command("add")
def add(
    home: Home,
    name: Name,
    policy: PolicyCode = None,
    role: Annotated[StaffRole, typer.Option(help="officer, handler, or auditor (reads only).")] = StaffRole.HANDLER,
    duty: Annotated[list[str], typer.Option("--duty", help="A kind of staff of the policy; may be repeated.")] = [],  # noqa: B006 - read, never changed
    shown: Annotated[
        list[str], typer.Option("--shown", help="What is on record for the grant: reason, approver.")
    ] = [],  # noqa: B006 - read, never changed
) -> None:
    """Open an account and grant its duties. The password and the second factor are printed once."""
    with opened(home) as keeper:
        _hand_out(open_account(keeper, only(keeper, policy), name, role, duties=duty, shown=frozenset(shown)))


@account_app.command("reset")
def reset(home: Home, name: Name, policy: PolicyCode = None) -> None:
    """A new password, second factor and recovery codes; the old ones and every session end."""
    with opened(home) as keeper:
        _hand_out(reset_account(keeper, only(keeper, policy), name))


@account_app.command("close")
def close(home: Home, name: Name, policy: PolicyCode = None) -> None:
    """Close an account: its duties are revoked, its sessions end, its secrets are destroyed."""
    with opened(home) as keeper:
        close_account(keeper, only(keeper, policy), name)
        typer.echo(f"{name} is closed")


@account_app.command("bind")
def bind_account(home: Home, name: Name, provider: ProviderName, identity: Identity, policy: PolicyCode = None) -> None:
    """Who the provider knows by this identity signs in as this account from now on."""
    with opened(home) as keeper:
        bind(keeper, known_account(keeper, only(keeper, policy), name), provider, identity)
        typer.echo(f"{name} is bound to an identity of {provider}")


@account_app.command("unbind")
def unbind_account(home: Home, name: Name, provider: ProviderName, policy: PolicyCode = None) -> None:
    """Nobody of this provider signs in as this account any more."""
    with opened(home) as keeper:
        unbind(keeper, known_account(keeper, only(keeper, policy), name), provider)
        typer.echo(f"{name} is not bound to {provider} any more")


@account_app.command("list")
def list_accounts(home: Home, policy: PolicyCode = None) -> None:
    """Name, kind and duties of every account."""
    with opened(home) as keeper:
        for account, name, duties in accounts_of(keeper, only(keeper, policy)):
            typer.echo(f"{name}  {account.role.value}  {', '.join(duties)}".rstrip())


def examine(home: Path) -> bool:
    """Print what is looked at in a home, and what to do where it does not hold. Whether all of it holds."""
    from upheld.web.doctor import examined

    found = list(examined(home))
    for one in found:
        level = "WRONG" if not one.holds else "note " if one.remedy else "ok   "
        typer.echo(f"{level}  {one.what}: {one.says}")
        if one.remedy:
            typer.echo(f"       {one.remedy}")
    return all(one.holds for one in found)


# ── programs ────────────────────────────────────────────────────────────────────────────────────────────────────────


@application_app.command("add")
def add_application(
    home: Home,
    name: ProgramName,
    duty: Annotated[list[Duty], typer.Option("--duty", help="What it may do; may be repeated.")],
    policy: PolicyCode = None,
    purpose: Annotated[
        list[str], typer.Option("--purpose", help="A purpose for which it collects and reads; may be repeated.")
    ] = [],  # noqa: B006 - read, never changed
) -> None:
    """Let a program act through the API. Its secret is printed once."""
    with opened(home) as keeper:
        made, secret = keeper.open_application(only(keeper, policy), name, purposes=purpose, duties=duty)
        typer.echo(f"client id      {made.application_id}")
        typer.echo(f"client secret  {secret}")
        typer.echo("The secret cannot be shown again.")


@application_app.command("rotate")
def rotate_application(home: Home, name: ProgramName, policy: PolicyCode = None) -> None:
    """A new secret. The one before it stays good until the next change, so that nothing stands still."""
    with opened(home) as keeper:
        typer.echo(f"client secret  {keeper.rotate_application(only(keeper, policy), name)}")
        typer.echo("The secret cannot be shown again.")


@application_app.command("close")
def close_application(home: Home, name: ProgramName, policy: PolicyCode = None) -> None:
    """The program may do nothing any more; secrets and tokens end at once."""
    with opened(home) as keeper:
        keeper.close_application(only(keeper, policy), name)
        typer.echo(f"{name} is closed")


@application_app.command("list")
def list_applications(home: Home, policy: PolicyCode = None) -> None:
    """Id, name, duties and purposes of every program."""
    with opened(home) as keeper:
        for one in keeper.applications(only(keeper, policy)):
            bound = f"  for {', '.join(sorted(one.purposes))}" if one.purposes else ""
            typer.echo(f"{one.application_id}  {one.name}  {', '.join(sorted(one.duties))}{bound}")


def opened(home: Path) -> Keeper:
    """A home that is there; a mistyped folder is an error and never a new home."""
    settings_of(home)
    return open_home(home)


def only(keeper: Keeper, policy: str | None) -> str:
    """The policy that was named, a draft too, or the only one on file. Raises InputRefused, BadParameter."""
    keeper.views.refresh()
    if policy is not None:
        keeper.check_known(policy)
        return policy
    on_file = sorted(keeper.views.lines)
    if len(on_file) != 1:
        which = (
            f"say which: {', '.join(on_file)}" if on_file else "no policy is on file; `upheld publish` puts one there"
        )
        raise typer.BadParameter(which, param_hint="--policy")
    return on_file[0]


def items_of(given: list[str], option: str) -> dict[str, tuple[str, ...]]:
    """Items by their policy, from POLICY/ITEM. Raises BadParameter with each that is none."""
    found: dict[str, tuple[str, ...]] = {}
    wrong: list[str] = []
    for one in given:
        policy, _, item = one.partition("/")
        if policy and item:
            found[policy] = (*found.get(policy, ()), item)
        else:
            wrong.append(f"`{one}`")
    if wrong:
        lacks = "lacks" if len(wrong) == 1 else "lack"
        raise typer.BadParameter(f"{', '.join(wrong)} {lacks} one of the two: write POLICY/ITEM", param_hint=option)
    return found


def _hand_out(made: Credentials) -> None:
    typer.echo(f"password         {made.password}")
    typer.echo(f"authenticator    {made.totp_secret}")
    typer.echo(f"                 {made.totp_uri}")
    for number, code in enumerate(made.recovery_codes, 1):
        typer.echo(f"recovery code {number}  {code}")
    typer.echo("None of this can be shown again. Hand it over, and let the password be changed at the first sign-in.")
