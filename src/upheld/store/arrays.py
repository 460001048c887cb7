"""The same asked of many rows, or done to them: where a server takes a while for each statement, it is one with arrays.

Statements are written once, for one row; here they are said for many. What can't be said so is done one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, Final

from upheld.errors import StoreFailed
from upheld.store.engine import Connection, Question, answers, asks_at_once, sent_late
from upheld.store.place import Transaction
from upheld.store.spelling import columns_of

Each = tuple[str, Sequence[Sequence[Any]]]
"""A question about the row, or rows, of one key, and the keys."""

_OF_KEY: Final = re.compile(r"SELECT (.+?) FROM (\w+) WHERE (\w+ = \?(?: AND \w+ = \?)*)(.*)", re.DOTALL)


Told = list[list[list[Any]]]
"""For each question the rows of each of its keys."""


def answers_of_each(connection: Connection, questions: Sequence[Each]) -> Told:
    """For each question the rows of each of its keys, in one message where that is quicker."""
    asked, told = of_each(connection, questions)
    return told(answers(connection, asked))


def of_each(connection: Connection, questions: Sequence[Each]) -> tuple[list[Question], Callable[[list[Any]], Told]]:
    """What to ask, and what makes of the answers to that the rows of each key of each question."""
    if asks_at_once(connection) is not None:
        asked = [_of_all(one, keys) for one, keys in questions if keys]
        return asked, partial(_of_keys, questions)
    return [(one, key) for one, keys in questions for key in keys], partial(_in_turn, questions)


def _in_turn(questions: Sequence[Each], found: list[Any]) -> Told:
    rows = iter(found)
    return [[next(rows) for _ in keys] for _, keys in questions]


def _of_keys(questions: Sequence[Each], found: list[Any]) -> Told:
    rows = iter(found)
    return [_apart(next(rows), keys) if keys else [] for _, keys in questions]


def _of_all(statement: str, keys: Sequence[Sequence[Any]]) -> Question:
    if len(keys) == 1:
        return statement, keys[0]
    named = columns_of(list(dict.fromkeys(map(tuple, keys))))
    return _joined(statement, named.kinds), named.arrays


@cache
def _joined(statement: str, kinds: tuple[str, ...]) -> str:
    """The question asked of all keys; each row is led by the key that it is of."""
    found = _OF_KEY.fullmatch(statement)
    if found is None:
        raise ValueError(f"not a question about the rows of one key: {statement}")
    columns, table, key, besides = found.groups()
    names = [f"k{number}" for number in range(len(kinds))]
    own = [f"{table}.{one.split(' ')[0]} = k.{name}" for one, name in zip(key.split(" AND "), names, strict=True)]
    lists = ", ".join(f"CAST(? AS {kind}[])" for kind in kinds)
    return (
        f"SELECT {', '.join(f'k.{name}' for name in names)}, {columns} FROM {table} "  # noqa: S608 - words of ours
        f"JOIN unnest({lists}) AS k({', '.join(names)}) ON {' AND '.join(own)} WHERE TRUE{besides}"
    )


def _apart(rows: Sequence[Any], keys: Sequence[Sequence[Any]]) -> list[list[Any]]:
    if len(keys) == 1:
        return [list(rows)]
    by: dict[Any, list[Any]] = {tuple(key): [] for key in keys}
    parts = len(keys[0])
    for row in rows:
        by[row[:parts]].append(row[parts:])
    return [by[tuple(key)] for key in keys]


def change_each(transaction: Transaction, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Change one row for each, `WHERE` saying which. Raises StoreFailed where one is not there: here, or where it is
    sent; then nothing of the transaction happens.
    """
    fixed = statement.partition(" WHERE ")[0].count("?")
    alike: dict[tuple[Any, ...], list[Sequence[Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(row[:fixed]), []).append(row)
    for same in alike.values():
        failure = StoreFailed(f"not as many rows were changed as there should be: {statement[:60]}")
        changed = transaction.executemany(statement, same)
        late = sent_late(changed)
        if late is not None:
            late.must(failure, len(same))
        elif changed.rowcount != len(same):
            raise failure
