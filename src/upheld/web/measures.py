"""Figures for monitoring: what this process decided, and how the home stands. Codes and counts, nobody's name."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from upheld.desk.due import due_today
from upheld.keeper import Keeper
from upheld.ledger.checkpoint import checkpoint_in
from upheld.store import history

_SECOND = 1_000_000


class Measures:
    """What one process counts. Counting starts with the process, as is usual; the rest is asked of the places."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "upheld_api_answers", "Answers of the API", ("policy", "operation", "status"), registry=self.registry
        )
        self._refusals = Counter(
            "upheld_refusals", "Refused decisions by reason", ("policy", "reason"), registry=self.registry
        )

    def answered(self, policy: str, operation: str, status: int) -> None:
        """One answer."""
        self._answers.labels(policy, operation, str(status)).inc()

    def refused(self, policy: str, reasons: Iterable[str]) -> None:
        """Why a decision was a refusal."""
        for reason in reasons:
            self._refusals.labels(policy, reason).inc()

    def page(self, keeper: Keeper, policy: str) -> bytes:
        """Everything of one policy in the text format of Prometheus."""
        standing = CollectorRegistry()
        standing.register(_Standing(keeper, policy))
        ours = f'policy="{policy}"'.encode()
        counted = generate_latest(self.registry).splitlines(keepends=True)
        return b"".join(line for line in counted if line.startswith(b"#") or ours in line) + generate_latest(standing)


class _Standing(Collector):
    """How a policy stands at the moment of asking."""

    def __init__(self, keeper: Keeper, policy: str) -> None:
        self.keeper = keeper
        self.policy = policy

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each figure, once."""
        keeper, now = self.keeper, self.keeper.now()
        due = due_today(keeper, self.policy)
        steps = Count(step.kind.value for _, step in due.overdue)
        yield self._of("upheld_overdue_values", "Values that wait longer than promised", steps, "step")
        late = sum(one.due_at <= now for one in due.requests)
        requests = {"waiting": len(due.requests), "overdue": late}
        yield self._of("upheld_requests", "Requests without an answer", requests, "state")
        orders = {"waiting": due.orders, "overdue": due.orders_late}
        yield self._of("upheld_work_orders", "Work orders for places out of reach", orders, "state")
        evidence = {"missing": len(due.evidence), "soon": len(due.evidence_soon)}
        yield self._of("upheld_evidence", "Evidence that safeguards lack, or will within 15 days", evidence, "state")
        queued = [one.queued_at for one in keeper.messages(self.policy, state="queued")]
        yield self._one("upheld_outbox_messages", "Messages that wait", len(queued))
        age = (now - min(queued)) / _SECOND if queued else 0
        yield self._one("upheld_outbox_oldest_seconds", "How long the oldest message waits", age)
        sealed = checkpoint_in(history.newest_note(keeper.places.sealer.connection)).at
        age = max(0, now - sealed) / _SECOND
        yield self._one("upheld_checkpoint_age_seconds", "How long ago the ledger was sealed", age)

    def _of(self, name: str, says: str, figures: dict[str, int] | Count[str], label: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, says, labels=("policy", label))
        for code, figure in figures.items():
            family.add_metric((self.policy, code), figure)
        return family

    def _one(self, name: str, says: str, figure: float) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, says, labels=("policy",))
        family.add_metric((self.policy,), figure)
        return family
