"""Figures for monitoring: what was decided, and how the home stands. Codes and counts, nobody's name.

Any process can be asked and all say the same: decisions are counted by the ledger as it is sealed, answers and refusals
are added up in the active place, and the rest is asked of the places.
"""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from upheld.desk.due import coming, due_today
from upheld.desk.figures import REFUSALS, Counts, add_figures, count_refusals, figures_of
from upheld.keeper import Keeper
from upheld.ledger.checkpoint import checkpoint_in
from upheld.store import history

_SECOND = 1_000_000
_ANSWERS, _TOLD = "answers", "refusals"
DECIDED = frozenset(
    {
        "read.granted", "read.refused", "act.refused", "value.collected", "value.provided", "value.disclosed",
        "value.entrusted", "consent.given", "consent.withdrawn", "request.received", "request.answered",
        "value.separated", "value.destroyed",
    }
)  # fmt: skip
"""Kinds of entries that are decisions, and what followed from them."""


class Measures:
    """What one process has counted and not yet added to what all have."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counted: Counts = Count()

    def answered(self, policy: str, operation: str, status: int) -> None:
        """One answer."""
        with self._lock:
            self._counted[policy, _ANSWERS, f"{operation} {status}"] += 1

    def refused(self, policy: str, reasons: Iterable[str]) -> None:
        """Why a program was told no."""
        with self._lock:
            for reason in reasons:
                self._counted[policy, _TOLD, reason] += 1

    def flush(self, keeper: Keeper) -> None:
        """Add what was counted to what all processes have; nothing is lost when that fails."""
        with self._lock:
            counted, self._counted = self._counted, Count()
        try:
            add_figures(keeper, counted)
        except BaseException:
            with self._lock:
                self._counted.update(counted)
            raise

    def page(self, keeper: Keeper, policy: str) -> bytes:
        """Everything of one policy in the text format of Prometheus."""
        self.flush(keeper)
        count_refusals(keeper)
        standing = CollectorRegistry()
        standing.register(_Standing(keeper, policy))
        return generate_latest(standing)


class _Standing(Collector):
    """How a policy stands at the moment of asking."""

    def __init__(self, keeper: Keeper, policy: str) -> None:
        self.keeper = keeper
        self.policy = policy

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Each figure, once."""
        yield from self._counted()
        yield from self._waiting()
        yield from self._ages()

    def _counted(self) -> Iterator[CounterMetricFamily]:
        tallies = history.tally(self.keeper.places.sealer.connection, policy=self.policy)
        decided = {
            one.kind: one.entries for one in tallies if one.element == history.NO_ELEMENT and one.kind in DECIDED
        }
        yield self._many("upheld_decisions", "Decisions on record and sealed, by kind", decided, ("decision",))
        sums = figures_of(self.keeper, self.policy)
        answers = {label: times for (name, label), times in sums.items() if name == _ANSWERS}
        yield self._many("upheld_api_answers", "Answers of the API", answers, ("operation", "status"))
        refusals = {label: times for (name, label), times in sums.items() if name == REFUSALS}
        yield self._many("upheld_refusals", "Refusals on record and sealed, by reason", refusals, ("reason",))
        told = {label: times for (name, label), times in sums.items() if name == _TOLD}
        yield self._many("upheld_api_refusals", "Refusals that programs were told, by reason", told, ("reason",))

    def _waiting(self) -> Iterator[GaugeMetricFamily]:
        keeper, now = self.keeper, self.keeper.now()
        due = due_today(keeper, self.policy)
        (month,) = coming(keeper, self.policy, 1)
        steps = {"separate": month.separate, "destroy": month.destroy}
        yield self._of("upheld_due_values", "Values whose end comes until the end of this month", steps, "step")
        late_steps = Count(step.kind.value for _, step in due.overdue)
        yield self._of("upheld_overdue_values", "Values that wait longer than promised", late_steps, "step")
        late = sum(one.due_at <= now for one in due.requests)
        requests = {"waiting": len(due.requests), "overdue": late}
        yield self._of("upheld_requests", "Requests without an answer", requests, "state")
        orders = {"waiting": due.orders, "overdue": due.orders_late}
        yield self._of("upheld_work_orders", "Work orders for places out of reach", orders, "state")
        evidence = {"missing": len(due.evidence), "soon": len(due.evidence_soon)}
        yield self._of("upheld_evidence", "Evidence that safeguards lack, or will within 15 days", evidence, "state")
        steps_open = Count(one.stage for one in keeper.open_steps() if one.policy == self.policy)
        yield self._of("upheld_open_steps", "Moves and destructions that are under way, by stage", steps_open, "stage")

    def _ages(self) -> Iterator[GaugeMetricFamily]:
        keeper, now = self.keeper, self.keeper.now()
        queued = [one.queued_at for one in keeper.messages(self.policy, state="queued")]
        yield self._one("upheld_outbox_messages", "Messages that wait", len(queued))
        age = (now - min(queued)) / _SECOND if queued else 0
        yield self._one("upheld_outbox_oldest_seconds", "How long the oldest message waits", age)
        sealed = checkpoint_in(history.newest_note(keeper.places.sealer.connection)).at
        age = max(0, now - sealed) / _SECOND
        yield self._one("upheld_checkpoint_age_seconds", "How long ago the ledger was sealed", age)
        leapt = int(not keeper.clock_trusted(now))
        yield self._one("upheld_clock_leapt", "1 while destroying waits for somebody to confirm the clock", leapt)

    def _many(self, name: str, says: str, figures: Mapping[str, int], labels: tuple[str, ...]) -> CounterMetricFamily:
        family = CounterMetricFamily(name, says, labels=("policy", *labels))
        for codes, figure in figures.items():
            family.add_metric((self.policy, *codes.split(" ")), figure)
        return family

    def _of(self, name: str, says: str, figures: Mapping[str, int], label: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, says, labels=("policy", label))
        for code, figure in figures.items():
            family.add_metric((self.policy, code), figure)
        return family

    def _one(self, name: str, says: str, figure: float) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, says, labels=("policy",))
        family.add_metric((self.policy,), figure)
        return family
