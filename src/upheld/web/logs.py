"""Log lines as JSON. What may stand in a line is a closed list of fields; anything else is left out, whoever wrote it.

So no line can have a content, an address or a text of an exception, even by mistake.
"""

from __future__ import annotations

import logging
import sys
import threading
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
    _take_others_over()


class _Told(logging.Handler):
    """What libraries say: who said it and the kind of failure. Their words may be somebody's, so none is passed on."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        failure = record.exc_info[0] if record.exc_info else None
        structlog.get_logger("upheld").error(
            "a library spoke", code=record.name, failure=failure.__name__ if failure else None
        )


def _take_others_over() -> None:
    """Nothing is left that would print a trace: a text of an exception can have what somebody typed."""
    root = logging.getLogger()
    for one in [one for one in root.handlers if isinstance(one, _Told)]:
        root.removeHandler(one)
    root.addHandler(_Told(logging.WARNING))
    threading.excepthook = lambda told: _say("a thread ended", told.exc_type)
    sys.unraisablehook = lambda told: _say("a failure nobody could take", told.exc_type)


def _say(what: str, kind: type[BaseException] | None) -> None:
    structlog.get_logger("upheld").error(what, failure=kind.__name__ if kind else None)


def _only_known(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: said for name, said in line.items() if name in FIELDS and said is not None}
