"""Log lines as JSON. What may stand in a line is a closed list of fields; anything else is left out, whoever wrote it.

So no line can have a content, an address or a text of an exception, even by mistake.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO

import structlog

FIELDS: Final = frozenset(
    {"event", "level", "timestamp", "operation", "status", "code", "application", "took_ms", "page", "failure", "act"}
)
"""Names, codes, numbers, kinds of failures."""


def write_json(stream: TextIO | None = None) -> None:
    """From now on every log line is JSON with known fields only."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _only_known,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def _only_known(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: said for name, said in line.items() if name in FIELDS and said is not None}
