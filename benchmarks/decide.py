"""What a decision costs, with its reasons and clauses: no database, no engine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.ground import Ground, member, opened
from benchmarks.measure import Figure, seconds
from upheld.dates import Instant
from upheld.engine.acts import Read
from upheld.engine.decide import View, decide

TIMES = 10_000


def figures(ground: Ground) -> Iterator[Figure]:
    """A read that is granted, one that is refused, and one of a person nobody asked about before."""
    with opened(ground.home()) as keeper:
        subject, engagement = member(keeper)
        texts = {"name": "x", "email": "x"}
        got = keeper.collect(subject, "identity", texts, engagement=engagement, channel="website")
        value = got.values["name"][0]
        seen, at, reader = keeper.views.get(subject, keeper.now()), keeper.now(), keeper.application("crm")
        for name, act in (
            ("decision with reasons, granted", Read("identity", reader, values=(value,), use="identify")),
            ("decision with reasons, refused", Read("service", reader, values=(value,), use="notices")),
        ):
            taken = min(seconds(partial(_often, act, seen.view, at)) for _ in range(5))
            yield Figure(name=name, value=taken / TIMES * 1e6, unit="µs", most=3.0)
        act = Read("identity", reader, values=(value,), use="identify")
        taken = min(seconds(lambda: _anew(act, seen.view, at)) for _ in range(5))
        yield Figure(
            name="decision with reasons, nothing remembered", value=taken / 200 * 1e6, unit="µs",
            note="a person and a purpose met for the first time",
        )  # fmt: skip


def _often(act: Read, view: View, at: Instant) -> None:
    for _ in range(TIMES):
        decide(act, view, at)


def _anew(act: Read, view: View, at: Instant) -> None:
    for _ in range(200):
        decide(act, View(view.line, view.state, view.controller, at), at)
