"""Many at once, in threads and in processes: everybody gets their own page, nothing is lost, nothing is done twice."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Barrier

from httpx2 import Client

import upheld
from tests.browser import free_port
from tests.served import OPENS_AT, Served, furnished, joined, served, text_of
from upheld.desk.accounts import close_account, duties_of, password_right, reset_account, second_factor_right
from upheld.desk.background import Scheduler
from upheld.desk.codes import ask_code, redeem
from upheld.desk.sessions import SessionKind, open_session, session_of
from upheld.engine.state import RequestState
from upheld.web.portal import PORTAL
from upheld.web.serving import Listening, served_beside

CROWD = 6


def at_once(work: Callable[[int], object], count: int = CROWD) -> list[object]:
    """The same work by several threads that start together."""
    gate = Barrier(count)

    def one(number: int) -> object:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_a_crowd_at_the_portal_sees_each_their_own(tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with served(tmp_path / "home", address=address) as house:
        people = [f"person-{number}" for number in range(CROWD)]
        numbers = {who: joined(house.keeper, who) for who in people}
        cookie = {
            who: open_session(house.keeper, "trial", SessionKind.SUBJECT, number, ("email", "phone"))
            for who, number in numbers.items()
        }

        def look(number: int) -> list[str]:
            wrong: list[str] = []
            with Client(base_url=address, cookies={"upheld-mine-trial": cookie[people[number]]}) as client:
                for _ in range(5):
                    page = client.get("/portal/trial/mine/contents", timeout=60)
                    seen = set(re.findall(r"person-\d", page.text))
                    if page.status_code != 200 or seen != {people[number]}:
                        wrong.append(f"{page.status_code} {people[number]} saw {seen}")
            return wrong

        with served_beside(replace(house.settings, address=address), Listening(port=port)):
            assert at_once(look) == [[]] * CROWD


def test_a_code_typed_in_two_windows_at_once_opens_one(tmp_path: Path) -> None:
    with served(tmp_path / "home") as house:
        challenge, message = ask_code(
            house.keeper, "trial", "email", text_of("stayer", "email"), reader=PORTAL, locale="en"
        )
        code = (message.code if message else "") or ""
        opened = at_once(lambda _: redeem(house.keeper, "trial", challenge, code) is not None)
        assert opened.count(True) == 1
        made = house.staff["officer"]
        used = at_once(lambda _: second_factor_right(house.keeper, made.account, made.recovery_codes[0]))
        assert used.count(True) == 1


def other_process(house: Served) -> upheld.Keeper:
    """The same home opened once more, as another process would: nothing in memory is shared."""
    return upheld.open(house.home, upheld.Options(clock=house.clock, light_hashing=True))


def test_what_one_process_does_the_pages_of_another_show(tmp_path: Path) -> None:
    with served(tmp_path / "home") as house:
        desk = house.signed_in("officer")
        person = house.persons["asker"]
        with other_process(house) as other:
            number = other.request(person, "access", channel="letter").made
            here = f"/console/trial/requests/{person}/{number}"
            desk.get(here)
            seen = desk.field("version")
            other.prove(person, number, proof="identity-check")  # type: ignore[arg-type]  # the id that was made
            other.answer(person, number, RequestState.DONE)  # type: ignore[arg-type]  # the same
            late = desk.send(f"{here}/answer", version=seen, outcome="refused", reason="unfounded")
            assert late.status_code == 409
            assert "done" in desk.get(here).text
            token = desk.client.cookies["upheld-desk-trial"]
            assert session_of(other, "trial", SessionKind.STAFF, token) is not None


def put_back(house: Path, kept: Path) -> None:
    """An old copy of the active place comes back, as after a restore of that one database."""
    for path in house.glob("active.db*"):
        path.unlink()
    shutil.copy(kept, house / "active.db")


def test_after_a_restore_no_password_opens_that_was_reset_or_closed_since(tmp_path: Path) -> None:
    home, kept = tmp_path / "home", tmp_path / "kept.db"
    made = furnished(home)
    with closing(sqlite3.connect(home / "active.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(home / "active.db", kept)
    clock = upheld.SetClock(OPENS_AT)
    options = upheld.Options(clock=clock, light_hashing=True)
    with upheld.open(home, options) as keeper:
        clock.set(keeper.now() + 60_000_000)
        reset_account(keeper, "trial", "officer")
        close_account(keeper, "trial", "handler")
        keeper.seal()
    put_back(home, kept)
    with upheld.open(home, options) as keeper:
        keeper.recover()
        for name in ("officer", "handler"):
            assert password_right(keeper, "trial", name, made.staff[name].password) is None
        assert duties_of(keeper, made.staff["handler"].account) == ()
        assert password_right(keeper, "trial", "counsel", made.staff["counsel"].password) is not None


def test_two_processes_share_one_lease(tmp_path: Path) -> None:
    with served(tmp_path / "home") as house, other_process(house) as other:
        ran = [Scheduler(house.keeper).turn(), Scheduler(other).turn()]
        assert [bool(one) for one in ran] == [True, False]
