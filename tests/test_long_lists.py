"""A page costs what it shows, not what the house holds: counts are kept, and lists begin at what waits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests import postgres
from tests.desk_house import busy
from tests.homes import connection_to
from tests.served import Served
from tests.trial_home import at, opened
from upheld.desk import confirming, counted, parties
from upheld.desk.agreements import standing
from upheld.desk.background import COUNTS, JOBS, Scheduler
from upheld.desk.counted import FRESH_FOR, count_again, counted_at
from upheld.desk.duties import held_sizes
from upheld.engine.duties import Size
from upheld.keeper import Keeper

PERSONS, WAITING = 60_000, 40
_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(g) AS (SELECT 1 UNION ALL SELECT g + 1 FROM n WHERE g < {most})",
    "postgresql": "WITH n(g) AS (SELECT generate_series(1::BIGINT, {most}))",
}
_FILLED = (
    ("subject", PERSONS, "g % 1024, 'somebody-' || g, 'trial', 'member', 0, NULL, 1, 0"),
    ("consent", PERSONS, "g % 1024, 'somebody-' || g, 'yes-' || g, 'purpose', 'offers', 1, g, g, '2024-09-10', NULL, "
                         "NULL, 'website', 'subject'"),
    ("consent", PERSONS, "g % 1024, 'somebody-' || g, 'sms-' || g, 'medium', 'email', 1, g, g, '2024-09-10', NULL, "
                         "NULL, 'website', 'subject'"),
    ("told", PERSONS, "g % 1024, 'somebody-' || g, 'told-' || g, 'given-' || g, 'mall', 'corrected', NULL, g, g + 1"),
    ("told", WAITING, "g % 1024, 'somebody-' || g, 'late-' || g, 'given-' || g, 'mall', 'corrected', NULL, g, NULL"),
)  # fmt: skip
"""Table, how many rows, and what stands in the row of a number `g`."""


ENGINES = ("postgresql",) if os.environ.get("UPHELD_ENGINE") == "postgresql" else ("sqlite", "postgresql")
"""Whoever asks for one engine has all homes on it."""


@pytest.fixture(scope="module", params=ENGINES)
def crowded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A home with so many persons that no list may go through them."""
    engine, home = request.param, tmp_path_factory.mktemp(request.param) / "home"
    with ExitStack() as stack:
        if engine == "postgresql":
            address = stack.enter_context(postgres.server())
            with postgres.homes_on(address), opened(home, at("2024-09-12")):
                pass
        else:
            with opened(home, at("2024-09-12")):
                pass
        with closing(connection_to(home / "active.db")) as connection:
            connection.execute("BEGIN")
            for table, most, row in _FILLED:
                connection.execute(f"INSERT INTO {table} {_NUMBERS[engine].format(most=most)} SELECT {row} FROM n")
            connection.execute("COMMIT")
            connection.execute("ANALYZE")
        yield engine, home


def plan(engine: str, home: Path, statement: str, parameters: tuple[object, ...]) -> str:
    """How the engine would find the rows."""
    with closing(connection_to(home / "active.db")) as connection:
        explain = "EXPLAIN QUERY PLAN" if engine == "sqlite" else "EXPLAIN"
        rows = connection.execute(f"{explain} {statement}", parameters).fetchall()
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(
    ("statement", "parameters", "index"),
    [
        (parties._AWAITED, ("mall", "trial", 20), "told_awaited"),
        (parties._AWAITED_COUNT, ("trial",), "told_awaited"),
        (confirming._UNSAID, (PERSONS - 50, "trial", "consent-confirmed", 500), "consent_to_medium"),
    ],
    ids=["answers awaited", "how many are awaited", "consents to confirm"],
)
def test_a_list_of_what_waits_is_found_from_what_waits(
    crowded: tuple[str, Path], statement: str, parameters: tuple[object, ...], index: str
) -> None:
    found = plan(*crowded, statement, parameters)
    assert index in found, found
    assert not re.search(r"SCAN (s|subject|c|consent|m|message)\b|Seq Scan on (subject|consent|told)", found), found


# ── counts that are kept ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A home of few persons that takes itself for a large one."""
    monkeypatch.setattr(counted, "MANY", 1)
    with busy(tmp_path / "home") as found:
        yield found


def agreed(keeper: Keeper) -> int:
    """How many agree to offers, as the desk says it."""
    return next(one.given for one in standing(keeper, "trial") if one.about == "purpose/offers")


def never(keeper: Keeper, policy: str) -> Mapping[str, int]:
    raise AssertionError("nobody counts while somebody waits")


def test_where_many_are_held_a_page_shows_the_last_count_and_says_when_it_was(house: Served) -> None:
    keeper, person = house.keeper, house.persons["stayer"]
    before, first = agreed(keeper), keeper.now()
    keeper.withdraw(person, "purpose/offers", channel="website")
    assert agreed(keeper) == before
    assert counted_at(keeper, "trial", COUNTS) == first
    page = house.signed_in("auditor").get("/console/trial/consents").text
    assert "Counted 12 September 2024" in page.replace("\xa0", " "), page
    house.clock.set(house.clock.now() + FRESH_FOR)
    assert agreed(keeper) == before - 1, "a count that is too old is made anew by whoever asks"


def test_where_few_are_held_everything_is_counted_as_it_is_asked_for(
    house: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = agreed(house.keeper)
    monkeypatch.setattr(counted, "MANY", 5_000)
    house.keeper.withdraw(house.persons["stayer"], "purpose/offers", channel="website")
    assert agreed(house.keeper) == before - 1
    assert counted_at(house.keeper, "trial", COUNTS) is None
    assert "Counted" not in house.signed_in("auditor").get("/console/trial/consents").text


def test_the_scheduler_counts_so_that_nobody_waits_for_it(house: Served) -> None:
    keeper, before = house.keeper, agreed(house.keeper)
    keeper.withdraw(house.persons["stayer"], "purpose/offers", channel="website")
    house.clock.set(house.clock.now() + int(timedelta(minutes=61) / timedelta(microseconds=1)))
    assert "count" in Scheduler(keeper, JOBS).turn()
    for what in COUNTS:
        counted.counted(keeper, "trial", what, never)
    assert agreed(keeper) == before - 1
    assert held_sizes(keeper, "trial")[Size.SUBJECTS] > 1


def test_what_the_desk_has_just_sent_is_no_longer_counted_as_owed(house: Served) -> None:
    keeper = house.keeper
    keeper.consent(house.persons["stayer"], "medium/email", channel="website")
    house.clock.set(house.clock.now() + int(timedelta(days=20) / timedelta(microseconds=1)))
    count_again(keeper, COUNTS)
    officer = house.signed_in("officer")
    row = re.compile(r"duties/consent-confirmed[^>]*>.*?</tr>", re.S)
    found = row.search(officer.get("/console/trial/duties").text)
    assert found is not None
    assert "persons: 1" in found[0], found[0]
    officer.get("/console/trial/duties/consent-confirmed")
    officer.send("/console/trial/duties/consent-confirmed/notices")
    found = row.search(officer.get("/console/trial/duties").text)
    assert found is not None
    assert "persons" not in found[0], found[0]


def test_confirmations_look_back_a_day_and_no_further(house: Served) -> None:
    keeper, people = house.keeper, [house.persons["stayer"], house.persons["asker"]]
    keeper.consent(people[0], "medium/email", channel="website")
    assert confirming.confirm_consents(keeper) == {"queued": 1}
    mark = confirming._marked(keeper, "trial")
    assert mark == keeper.now() - confirming.LOOKED_BACK
    house.clock.set(house.clock.now() + int(timedelta(days=3) / timedelta(microseconds=1)))
    keeper.consent(people[1], "medium/email", channel="website")
    assert confirming._unsaid(keeper, "trial", mark)[0][0].subject_id == people[1]
    assert confirming.confirm_consents(keeper) == {"queued": 1}
    assert confirming.confirm_consents(keeper).total() == 0
