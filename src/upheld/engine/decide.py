"""Decisions: `decide(act, view, at)` is granted or refused, because of which clauses, for which values.

Pure functions of the compiled policy and what is known. INVARIANT: I1, I9, I13.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from upheld.dates import Instant
from upheld.engine.acts import (
    Act,
    Collect,
    Decision,
    Disclose,
    Entrust,
    Provide,
    Read,
    ReadSeparated,
    Reason,
    Send,
    Show,
    refused,
)
from upheld.engine.collecting import decide_collect
from upheld.engine.giving import (
    decide_disclose,
    decide_entrust,
    decide_provide,
    decide_send,
)
from upheld.engine.reading import decide_read, decide_read_separated, decide_show, reader_passes
from upheld.engine.view import Pass, View, holds_on, state_reason

__all__ = [
    "Pass",
    "View",
    "decide",
    "decide_collect",
    "decide_disclose",
    "decide_entrust",
    "decide_provide",
    "decide_read",
    "decide_read_separated",
    "decide_safely",
    "decide_send",
    "decide_show",
    "holds_on",
    "reader_passes",
    "state_reason",
]


def decide(act: Act, view: View, at: Instant) -> Decision:
    """Answer an act on what is known. A rule that fails refuses (`rule-failed`); nothing is granted by silence."""
    if at < view.line.plans[0].effective_at:
        if isinstance(act, Show | Disclose | ReadSeparated):
            pass  # with no version in force rights and statutory demands go on
        else:
            return refused(view.plan.rule.cited(Reason.NOT_IN_FORCE, "effective"))
    match act:
        case Read():
            return decide_read(act, view, at)
        case Collect():
            return decide_collect(act, view, at)
        case Provide():
            return decide_provide(act, view, at)
        case Entrust():
            return decide_entrust(act, view, at)
        case Disclose():
            return decide_disclose(act, view, at)
        case ReadSeparated():
            return decide_read_separated(act, view, at)
        case Show():
            return decide_show(act, view, at)
        case Send():
            return decide_send(act, view, at)
        case _:
            assert_never(act)


def decide_safely(act: Act, view: View, at: Instant, note: Callable[[Exception], None]) -> Decision:
    """`decide`, with a failing rule turned into a refusal; `note` hears of the failure (it is a bug of ours)."""
    try:
        return decide(act, view, at)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as failure:
        note(failure)
        return refused(view.plan.rule.cited(Reason.RULE_FAILED))
