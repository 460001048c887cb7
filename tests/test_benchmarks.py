"""The benchmarks measure what they say: both sides answer alike, targets hold or do not, the page is their figures."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest
from msgspec import structs

from benchmarks import page, peers, peers_fides, peers_fides_child
from benchmarks.child import child
from benchmarks.gdpr import MIXES, Zipfian
from benchmarks.gdpr_data import POLICY, data_of, loaded, plain
from benchmarks.gdpr_sides import Governed, Plain, told_alike
from benchmarks.ground import POSTGRESQL, SQLITE, Ground, opened
from benchmarks.loader import load
from benchmarks.measure import Figure, Paired

RECORDS = 500


def test_both_sides_of_gdprbench_answer_alike_before_and_after_every_operation(tmp_path: Path) -> None:
    ground = Ground(SQLITE, tmp_path, small=True)
    ours = loaded(ground, RECORDS)
    with ours.keeper, ours.keeper.inspect(POLICY, reader=ours.supervisor, reason="supervision") as look:
        sides = (Governed(ours, look), Plain(plain(ground, RECORDS, indexed=True), RECORDS // 10, logged=True))
        for number in range(0, RECORDS, 17):
            assert told_alike(sides[0].look(number), sides[1].look(number), ours), number
            assert sides[0].read(number) == sides[1].read(number) == data_of(number)
            assert sides[0].read_own(number) == sides[1].read_own(number)
            assert sides[0].read_user(number) == sides[1].read_user(number) == 10
            assert sides[0].read_own_all(number) == sides[1].read_own_all(number) == 10
            assert sides[0].read_purpose(number) == sides[1].read_purpose(number) == RECORDS // 25
        for side in sides:
            side.delete(3)
            side.delete_user(4)
            side.update(5)
            side.create(RECORDS + 6)
            side.change_purpose(7)
            side.change_user(8)
            side.settle()
        assert sides[0].gone == sides[1].gone
        for number in (3, 4, 54, 5, 6):
            assert sides[0].is_gone(number) == sides[1].is_gone(number) == (number in sides[0].gone), number
        for number in (3, 5, 6):
            assert sides[0].look(number).keys() == sides[1].look(number).keys(), number
        assert sides[0].log() == sides[1].log() == 100


def test_shares_of_every_mix_are_a_whole() -> None:
    for mix in MIXES:
        assert sum(mix.shares.values()) == pytest.approx(1), mix.name


def test_a_few_numbers_come_most_of_the_time() -> None:
    draw = Zipfian(10_000, Random(1))
    drawn = [draw() for _ in range(20_000)]
    assert all(0 <= one < 10_000 for one in drawn)
    hottest = max(drawn.count(one) for one in set(drawn[:50]))
    assert 1_000 < hottest < 3_000


def test_a_copied_person_can_be_read_asked_and_erased(tmp_path: Path) -> None:
    home = Ground(SQLITE, tmp_path, small=True).home()
    with opened(home) as keeper:
        people = load(home, keeper, 3, ("name", "contact"))
        who, values = people[1]
        reader = keeper.application("crm")
        assert keeper.read(who, "identity", reader=reader, values=tuple(values), use="identify").granted
        keeper.withdraw(who, "purpose/identity", channel="website")
        assert not keeper.read(who, "identity", reader=reader, values=tuple(values), use="identify").granted
        for other in (who, people[2][0]):
            asked = keeper.request(other, "erasure", channel="website", proved=True)
            keeper.answer(other, asked.made, "done")  # type: ignore[arg-type]  # made is its id
        assert keeper.sweep().destroyed == 4


@pytest.mark.parametrize(
    ("value", "least", "most", "met"),
    [
        (0.3, 0.3, None, True),
        (0.29, 0.3, None, False),
        (1.3, None, 1.3, True),
        (1.31, None, 1.3, False),
        (9, None, None, True),
    ],
)
def test_a_figure_is_held_against_its_target(value: float, least: float, most: float, met: bool) -> None:
    assert Figure(name="x", value=value, unit="", least=least, most=most).met is met


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    taken = Paired({"ours": (1.0, 2.0, 4.0), "bare": (1.0, 1.0, 1.0)})
    assert taken.ratio("ours", "bare") == 0.5


def test_the_page_of_results_is_made_of_the_lines_on_file() -> None:
    lines = page.lines_in(Path(page.__file__).parent / "results")
    assert lines
    assert page.PAGE.read_text() == page.page(lines), "run: python -m benchmarks --page"


def test_a_figure_of_another_run_stands_below_what_is_said_of_that_run() -> None:
    one = next(line for line in page.lines_in(Path(page.__file__).parent / "results") if line.figure.note)
    other = structs.replace(
        one, order=one.order + 1, load=7.5, figure=structs.replace(one.figure, name="later", note="in a storm")
    )
    told = page.page([other, one])
    assert (
        told.index(f"{one.figure.name}: {one.figure.note}") < told.index("load 7.5") < told.index("- later: in a storm")
    )
    assert told.count("a flush of the disk") == 2
    assert page.page([one]).count("a flush of the disk") == 1


COUNTING = """
import os, sys
print("ready", flush=True)
for line in sys.stdin:
    name, times = line.split()
    print({"erase": 0.25 * int(times), "folder": float(os.path.isdir(os.environ["TMPDIR"]))}[name], flush=True)
"""


def test_another_library_answers_what_it_is_asked_in_a_process_of_its_own(tmp_path: Path) -> None:
    with child("counting", [sys.executable, "-c", COUNTING], tmp_path) as ask:
        assert ask("erase", 4) == 1.0
        assert ask("folder", 1) == 1.0
        figure = peers._faster("counting", "erase", 4, lambda times: 0.125 * times, ask)
    assert figure.value == 2.0
    assert figure.met
    assert figure.name == "erase a person with seven values, until the rows are gone, beside counting"


def test_a_library_that_does_not_start_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="broken"), child("broken", [sys.executable, "-c", ""], tmp_path):
        pass


def test_where_fides_or_its_redis_is_missing_a_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ground = Ground(POSTGRESQL, tmp_path, "host=nowhere dbname=", small=True)
    monkeypatch.delenv(peers_fides.PYTHON, raising=False)
    assert list(peers._beside_fides(ground, float)) == []
    assert "benchmarks/peers_fides.txt" in capsys.readouterr().out
    monkeypatch.setenv(peers_fides.PYTHON, sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(peers._beside_fides(ground, float)) == []
    assert "apt-get install redis-server" in capsys.readouterr().out
    redis = tmp_path / "redis-server"
    redis.write_text("")
    redis.chmod(0o700)
    assert peers_fides.lacking() == ""


def test_fides_meets_the_databases_that_are_made_for_it() -> None:
    address = "host=/tmp/a-server user=postgres dbname=persons_1"
    assert (
        peers_fides_child.spoken(address, "+psycopg2") == "postgresql+psycopg2://postgres@/persons_1?host=/tmp/a-server"
    )
    known = peers_fides_child.settings(address, "6399")
    assert known["REDIS__PORT"] == "6399"
    assert known["DATABASE__SYNC_DATABASE_URI"].startswith("postgresql+psycopg2:")
    assert len(known["SECURITY__APP_ENCRYPTION_KEY"]) == 32
    assert len(peers_fides_child.VALUES) == 7
