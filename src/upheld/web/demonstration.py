"""What `make run` serves at the end: the five policies in one home, two months of made-up lives, ready-made accounts.

Real use never comes here: `upheld serve` opens a home as it is and makes no account.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from upheld.clock import SetClock, SystemClock
from upheld.dates import Instant
from upheld.desk.accounts import Credentials, StaffRole, open_account
from upheld.desk.codes import CodeMessage
from upheld.desk.holdings import held_of, seen_of
from upheld.engine.acts import SubjectId, ValueId
from upheld.keeper import Keeper
from upheld.policy.read import read_policy
from upheld.simulate.together import live_together, publish_all
from upheld.system import SETTINGS, Options, open_home
from upheld.web.practice import practise
from upheld.web.selfcheck import checked_pages
from upheld.web.serving import Listening, log_failure, scheduled, serve_until_stopped, served_beside
from upheld.web.settings import Settings

PEOPLE, DAYS, SEED = 25, 60, 7
DAY: Final = 86_400_000_000
REACHED: Final = ("email", "mobile", "phone", "contact", "contact-phone")
"""Items of the five policies at which a person is reached; a real home names its own with `--reach`."""
ACCOUNTS_FILE = "demonstration-accounts.txt"
KINDS: Final = (StaffRole.OFFICER, StaffRole.HANDLER, StaffRole.AUDITOR)
ON_RECORD: Final = frozenset({"reason", "approver"})


@dataclass(frozen=True, slots=True)
class Shown:
    """A person of the demonstration who can sign in to the portal."""

    policy: str
    subject_id: SubjectId
    addresses: Mapping[str, str]


@dataclass(frozen=True)
class Prepared:
    """A home ready to be shown, closed."""

    home: Path
    addresses: Mapping[str, tuple[str, ...]]
    persons: tuple[Shown, ...]
    accounts: Mapping[tuple[str, StaffRole], Credentials]


def prepare(documents: Sequence[Path], home: Path, *, people: int = PEOPLE, days: int = DAYS) -> Prepared:
    """Make the home anew: publications of the past, two months of lives, requests, accounts."""
    if (home / SETTINGS).exists():
        shutil.rmtree(home)
    sources = [document.read_bytes() for document in documents]
    reached = _reached(sources)
    now = SystemClock().now()
    clock = SetClock(Instant(now - (days + 2) * DAY))
    with open_home(home, Options(clock=clock, look_up=reached, durable=False, light_hashing=True)) as keeper:
        policies = publish_all(keeper, sources)
        live_together(policies, keeper=keeper, set_clock=clock.set, people=people, until=now, days=days, seed=SEED)
        clock.set(now)
        keeper.sweep()
        persons = tuple(_person(keeper, policy, reached.get(policy, ())) for policy in policies)
        for one in persons:
            practise(keeper, one.policy, _others(keeper, one))
            _ask(keeper, one, now)
        keeper.seal()
    with open_home(home) as keeper:
        accounts = {(policy, kind): _account(keeper, policy, kind) for policy in policies for kind in KINDS}
    prepared = Prepared(home, reached, persons, accounts)
    path = home / ACCOUNTS_FILE
    path.write_text(_all_credentials(prepared), encoding="utf-8")
    path.chmod(0o600)
    return prepared


def show(
    prepared: Prepared, say: Callable[[str], None], *, port: int = 8000, once: bool | None = None
) -> tuple[str, ...]:
    """Serve the home until interrupted. `once`: ask for one page of each kind instead and stop; None: as the
    environment says. Returns what was wrong with pages.
    """
    address = f"http://127.0.0.1:{port}"
    codes: list[CodeMessage] = []

    def send(message: CodeMessage) -> None:
        codes.append(message)
        if not only_once:
            say(f"  code for {message.address}: {message.code or 'several persons share this address'}")

    only_once = _only_once() if once is None else once
    with open_home(prepared.home) as keeper:
        settings = Settings(
            keeper, prepared.home, address, send_code=send, addresses=prepared.addresses, failed=log_failure
        )
        listening = Listening(port=port)
        if only_once:
            with scheduled(settings), served_beside(settings, listening):
                return _checked(prepared, address, codes, say)
        serve_until_stopped(settings, listening, lambda: say(_leaflet(prepared, address)))
        say("stopped")
        return ()


def _only_once() -> bool:
    """In CI, on demand, and where nobody could press Ctrl-C."""
    return bool(os.environ.get("CI") or os.environ.get("UPHELD_RUN_ONCE")) or not sys.stdin.isatty()


def _checked(
    prepared: Prepared, address: str, codes: Sequence[CodeMessage], say: Callable[[str], None]
) -> tuple[str, ...]:
    wrong: list[str] = []
    seen = 0
    for person in prepared.persons:
        staff = {kind: made for (policy, kind), made in prepared.accounts.items() if policy == person.policy}
        found = checked_pages(address, person.policy, staff[StaffRole.OFFICER], person.addresses, codes)
        seen += found.pages
        wrong += found.wrong
    say(f"The service came up, {seen} pages asked for, {len(wrong)} wrong; stopped.")
    return tuple(wrong)


# ── who and what is in it ───────────────────────────────────────────────────────────────────────────────────────────


def _reached(sources: Sequence[bytes]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for source in sources:
        policy = read_policy(source, "document")
        items = tuple(item for item in REACHED if item in policy.items)
        found[policy.policy] = tuple(dict.fromkeys((*found.get(policy.policy, ()), *items)))
    return found


def _person(keeper: Keeper, policy: str, items: Sequence[str]) -> Shown:
    """The person of whom most addresses are held, with addresses that stand on the leaflet in place of theirs."""
    best: tuple[int, int, SubjectId, dict[str, ValueId]] | None = None
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_PERSONS, (policy,)).fetchall()
    for (subject,) in rows:
        seen = seen_of(keeper, policy, SubjectId(subject))
        held = [one for one in held_of(keeper, seen) if one.state.value == "active"] if seen else []
        values = {one.item: one.value_id for one in held if one.item in items}
        rank = (len(values), len(held))
        if best is None or rank > best[:2]:
            best = (*rank, SubjectId(subject), values)
    if best is None:
        raise ValueError(f"nobody lives under {policy}")
    addresses: dict[str, str] = {}
    for item, value in best[3].items():
        text = f"demo.{policy}@example.org" if "mail" in item else f"010-0000-{len(policy):04d}"
        if keeper.correct(best[2], value, text).granted:
            addresses[item] = text
    return Shown(policy, best[2], addresses)


AT_THE_DESK: Final = 6
"""Ours: so many persons of each policy have something to do with its desk."""


def _others(keeper: Keeper, shown: Shown) -> tuple[SubjectId, ...]:
    """Persons of whom most is held, besides the one who can sign in."""
    with keeper.places.active.reading() as connection:
        rows = connection.execute(_FULLEST, (shown.policy, shown.subject_id, AT_THE_DESK)).fetchall()
    return tuple(SubjectId(row[0]) for row in rows) or (shown.subject_id,)


ASKED_AGO: Final[Mapping[str, int]] = {"access": 2, "rectification": 1, "erasure": 20}
"""Right → days since it was asked: two that wait and one that is late, so that the desk has something to do."""


def _ask(keeper: Keeper, person: Shown, now: Instant) -> None:
    """Requests that wait, by letter or whatever the policy takes them by; nobody has shown who they are yet."""
    plan = keeper.views.line(person.policy).latest
    known = seen_of(keeper, person.policy, person.subject_id)
    for right, days in ASKED_AGO.items():
        row = plan.rights.get(right)
        by = sorted(row.by) if row and row.by else sorted(plan.channels)
        if by and known is not None:
            when = max(now - days * DAY, known.state.entered_at)
            keeper.request(person.subject_id, right, channel=by[0], at=Instant(when))


def _account(keeper: Keeper, policy: str, kind: StaffRole) -> Credentials:
    plan = keeper.views.line(policy).latest
    duties = [name for name, row in plan.handlers.items() if row.duties]
    if kind is StaffRole.HANDLER:
        duties = [name for name, row in plan.handlers.items() if row.purposes][:1] or duties
    wanted = () if kind is StaffRole.AUDITOR else tuple(duties)
    return open_account(keeper, policy, kind.value, kind, duties=wanted, shown=ON_RECORD)


def _leaflet(prepared: Prepared, address: str) -> str:
    lines = ["", f"Serving {address}/ until Ctrl-C. Made-up people, made-up accounts."]
    for person in prepared.persons:
        lines += [
            "",
            person.policy,
            f"  notice   {address}/notice/{person.policy}",
            f"  portal   {address}/portal/{person.policy}   sign in as {_either(person)}",
            f"  console  {address}/console/{person.policy}",
        ]
        lines += [
            f"    {kind.value:<8} password {made.password}   second step {made.recovery_codes[0]}"
            for (policy, kind), made in prepared.accounts.items()
            if policy == person.policy
        ]
    return "\n".join(
        [
            *lines,
            "",
            "At the console the name is the word in front: officer, handler, auditor. A second-step code works once;",
            f"more of them are in {prepared.home / ACCOUNTS_FILE}. Codes for the portal are printed here.",
        ]
    )


def _either(person: Shown) -> str:
    return " or ".join(dict.fromkeys(person.addresses.values())) or "nobody: no address is held"


def _all_credentials(prepared: Prepared) -> str:
    return "\n".join(
        f"{policy} {kind.value}\n  password {made.password}\n  authenticator {made.totp_secret}\n"
        f"  second-step codes {' '.join(made.recovery_codes)}"
        for (policy, kind), made in prepared.accounts.items()
    )


_FULLEST = (
    "SELECT s.subject_id FROM subject s JOIN value v ON v.bucket = s.bucket AND v.subject_id = s.subject_id "
    "WHERE s.policy = ? AND s.subject_id <> ? AND v.state = 'held' GROUP BY s.subject_id "
    "ORDER BY count(*) DESC, s.subject_id LIMIT ?"
)
_PERSONS = "SELECT subject_id FROM subject WHERE policy = ? ORDER BY subject_id"
