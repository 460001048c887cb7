"""Which statements of the verbs that every customer waits for carry the bucket of their subject, and which do not.

A statement that carries it goes to one part of a distributed database. The exceptions are named: a new one fails here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import claims
from tests.trial_home import POLICY, at, member, opened

EXCEPTIONS = {
    "INSERT INTO active_key": "keys are made ahead, and belong to nobody yet",
    "INSERT INTO shown_text": "a text that many people are shown",
}


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement of work that says whom it is about."""
    statements: list[str] = []
    plain = claims.strayed

    def strayed(statement: str, parameters: Sequence[Any], about: Any) -> str | None:
        statements.append(statement)
        return plain(statement, parameters, about)

    monkeypatch.setattr(claims, "strayed", strayed)
    return statements


def test_the_statements_of_hot_verbs_carry_the_bucket_but_for_those_named(tmp_path: Path, said: list[str]) -> None:
    with opened(tmp_path / "home", at("2024-03-01")) as house:
        keeper = house.keeper
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person, desk = member(house, "somebody"), keeper.application("desk")
        values = {one.item: one.value_id for one in keeper.views.get(person, keeper.now()).state.values}
        keeper.consent(person, "provision/mall", channel="website")
        assert keeper.provide(person, "mall", ("name",)).granted
        assert keeper.read(person, "service", reader=desk, items=("name",)).granted
        assert keeper.read_batch("service", [(person, values["name"])], reader=desk).texts
        assert keeper.correct(person, values["email"], "other@example.org").granted
        assert keeper.withdraw(person, "purpose/offers", channel="website").granted
        keeper.fact(person, "closed")
    hot = {one for one in said if claims.tables_of(one) & claims.owned() or one.startswith("INSERT")}
    carrying = {one for one in hot if "bucket" in one}
    assert len(carrying) > 10
    met = {named for one in hot - carrying for named in EXCEPTIONS if one.startswith(named)}
    assert [one for one in hot - carrying if not one.startswith(tuple(EXCEPTIONS))] == []
    assert met == set(EXCEPTIONS), "an exception that is none any more"
