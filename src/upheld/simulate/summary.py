"""What came of a simulation, as numbers that a person can read: held and gone, for what, refused, answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from upheld.engine.acts import SubjectId
from upheld.engine.decide import View
from upheld.engine.lifecycle import DueState, steps_coming
from upheld.engine.plan import GroundKind, Plan
from upheld.engine.state import HeldState
from upheld.keeper import Keeper
from upheld.ledger.checkpoint import verifier_key
from upheld.ledger.verify import Verification
from upheld.simulate.tally import Stand, Tally
from upheld.store import subjects
from upheld.store.verifying import verify_copy

_GONE = frozenset({HeldState.DESTROYED, HeldState.CONDEMNED})
_WIDTH = 34


@dataclass(frozen=True)
class Kept:
    """What a walk over every person found at the end."""

    states: Mapping[str, int]
    grounds: Mapping[tuple[str, str], int]
    """(ground kind, element) → values that it keeps now."""
    subjects: int
    overdue: int
    """Values past their grace that are still there; not one is expected."""


@dataclass(frozen=True)
class Summary:
    """The end of a simulation. Equal seeds give equal summaries."""

    policy: str
    version: str
    people: int
    years: int
    seed: int
    first: date
    last: date
    tally: Tally
    kept: Kept
    ledger_entries: int
    verified: bool
    problems: tuple[str, ...]

    def text(self) -> str:
        """The summary as lines for a terminal."""
        return "\n".join(_lines(self)) + "\n"

    @property
    def stands(self) -> tuple[Stand, ...]:
        """What was there at the end of each month."""
        return tuple(self.tally.stands)


def summary_of(
    keeper: Keeper, plan: Plan, people: int, years: int, seed: int, span: tuple[int, int], tally: Tally
) -> Summary:
    """Walk over every person once, verify the ledger, and put it all together."""
    found = verified(keeper)
    return Summary(
        policy=plan.policy,
        version=plan.version,
        people=people,
        years=years,
        seed=seed,
        first=date.fromordinal(span[0]),
        last=date.fromordinal(span[1]),
        tally=tally,
        kept=kept_in(keeper, plan.policy),
        ledger_entries=found.entries,
        verified=not found.problems,
        problems=tuple(problem.message for problem in found.problems),
    )


def verified(keeper: Keeper) -> Verification:
    """The ledger of a home, recomputed from its file."""
    with keeper.places.ledger_copy() as path:
        key = verifier_key(keeper.places.sealer.ledger_id, keeper.signing_key.public_key())
        return verify_copy(path, public_key=key)


def kept_in(keeper: Keeper, policy: str) -> Kept:
    """What is kept for what now, and what is overdue: every person is looked at, nothing is taken from the sweep."""
    states: Counter[str] = Counter()
    grounds: Counter[tuple[str, str]] = Counter()
    count = overdue = 0
    now = keeper.now()
    line, controller = keeper.views.line(policy), keeper.views.controller(policy)
    for row in _everybody(keeper, policy):
        count += 1
        view = View(line, row.state, controller, max(now, row.last_at))
        states.update(str(value.held) for value in row.state.values)
        for value in row.state.values:
            if value.held not in _GONE:
                due = view.life.due(value, now)
                if due.state is not DueState.DUE:
                    live = {(str(one.kind), one.rule.path) for one in due.grounds}
                    grounds.update(live)
        overdue += sum(1 for step in steps_coming(view.life, now) if step.overdue_at <= now)
    return Kept(dict(sorted(states.items())), dict(sorted(grounds.items())), count, overdue)


def _everybody(keeper: Keeper, policy: str) -> Iterator[subjects.Row]:
    after = (-1, "")
    while True:
        with keeper.places.active.reading() as connection:
            some = connection.execute(_SOME, (policy, *after)).fetchall()
            rows = [subjects.load(connection, SubjectId(subject)) for _, subject in some]
        yield from (row for row in rows if row is not None)
        if not some:
            return
        after = some[-1]


# ── as text ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(summary: Summary) -> Iterator[str]:
    tally, kept = summary.tally, summary.kept
    yield f"{summary.policy}, version of {summary.version}"
    yield (
        f"{summary.people:,} people, {summary.first.isoformat()} to {summary.last.isoformat()} "
        f"({summary.years} years), seed {summary.seed}"
    )
    yield from _table("people who came, by kind", sorted(tally.persons.items()))
    yield from _table("values at the end", _states(summary))
    for kind in GroundKind:
        rows = [(element, count) for (ground, element), count in kept.grounds.items() if ground == kind]
        yield from _table(f"kept by a {kind} ground", rows)
    yield from _table("done", sorted(tally.acts.items()))
    refusals = sorted(tally.refusals.items(), key=lambda one: (-one[1], one[0]))
    yield from _table("refused", [(f"{verb}: {reason}", count) for (verb, reason), count in refusals])
    yield from _table("requests", _requests(tally))
    yield from _table("evidence of safeguards", sorted(tally.evidence.items()))
    yield from _years(summary.stands)
    yield ""
    yield f"overdue              {kept.overdue:>10,}" + ("" if kept.overdue == 0 else "   not one was expected")
    yield f"entries in the ledger{summary.ledger_entries:>10,}"
    yield "the ledger           " + ("  verified" if summary.verified else "  NOT as it was signed")
    yield from (f"  {problem}" for problem in summary.problems)


def _table(title: str, rows: Iterable[tuple[str, int]]) -> Iterator[str]:
    found = list(rows)
    if found:
        yield ""
        yield title
        for name, count in found:
            yield f"  {name:<{_WIDTH}} {count:>10,}"


def _states(summary: Summary) -> list[tuple[str, int]]:
    tally, states = summary.tally, summary.kept.states
    known = [(name, states.get(name, 0)) for name in ("held", "separated", "moving", "condemned")]
    return [
        *(row for row in known if row[1] or row[0] in ("held", "separated")),
        ("destroyed and certified since", tally.destroyed),
        ("moved apart since", tally.separated),
        ("persons forgotten since", tally.forgotten),
    ]


def _requests(tally: Tally) -> list[tuple[str, int]]:
    rows: list[tuple[str, int]] = []
    for right, count in sorted(tally.asked.items()):
        rows.append((f"{right}: received", count))
        rows += [(f"{right}: {outcome}", n) for (of, outcome), n in sorted(tally.answered.items()) if of == right]
        if tally.late[right]:
            rows.append((f"{right}: too late", tally.late[right]))
    return rows


def _years(stands: tuple[Stand, ...]) -> Iterator[str]:
    yield ""
    yield f"{'at the end of':<20} {'held':>12} {'kept apart':>12} {'destroyed':>12}"
    for index, stand in enumerate(stands):
        if index % 12 == 11 or index == len(stands) - 1:
            yield f"  {stand.day.isoformat():<18} {stand.held:>12,} {stand.separated:>12,} {stand.destroyed:>12,}"


_SOME = (
    "SELECT bucket, subject_id FROM subject WHERE policy = ? AND (bucket, subject_id) > (?, ?) "
    "ORDER BY bucket, subject_id LIMIT 200"
)
