"""Figures for monitoring: what this process decided, and how the home stands. Codes and counts, nobody's name."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter


class Measures:
    """What one process counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "upheld_api_answers", "Answers of the API", ("operation", "status"), registry=self.registry
        )
        self._refusals = Counter("upheld_refusals", "Refused decisions", ("reason",), registry=self.registry)

    def answered(self, operation: str, status: int) -> None:
        """One answer."""
        self._answers.labels(operation, str(status)).inc()

    def refused(self, reasons: Iterable[str]) -> None:
        """Why a decision was a refusal."""
        for reason in reasons:
            self._refusals.labels(reason).inc()
