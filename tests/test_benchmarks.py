"""The benchmarks measure what they say: both sides answer alike, targets hold or do not, the page is their figures."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from benchmarks import page
from benchmarks.gdpr import MIXES, Zipfian
from benchmarks.gdpr_data import POLICY, data_of, loaded, plain
from benchmarks.gdpr_sides import Governed, Plain, told_alike
from benchmarks.ground import SQLITE, Ground, opened
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
