"""One row of the API's table, and what a verb gets."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from upheld.desk.tokens import Caller
from upheld.engine.acts import SubjectId
from upheld.keeper import Keeper
from upheld.keeper.applications import Application, Duty
from upheld.web.api.shapes import Answer, Body, Nothing


class Again(StrEnum):
    """What the same idempotency key does."""

    HARMLESS = "harmless"
    """The verb changes nothing: done again, recorded again."""
    TOGETHER = "together"
    """The act and its answer are committed together."""
    BEFORE = "before"
    """The key is taken first, since the act is several commits: contents leave only after their record is durable, and
    are handed out once; what is erased goes only after its order is sealed.
    """


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a program: who, about whom, with what."""

    keeper: Keeper
    caller: Caller
    parts: Mapping[str, str]
    body: Body
    query: Body

    @property
    def application(self) -> Application:
        """The program."""
        return self.caller.application

    @property
    def policy(self) -> str:
        """The policy under which the program acts: no call reaches another."""
        return self.caller.application.policy

    @property
    def subject(self) -> SubjectId:
        """The person the address names; known to be one of the program's policy."""
        return SubjectId(self.parts["subject"])


def person(call: Call) -> tuple[str, ...]:
    """The person in the address, where there is one."""
    return (call.parts["subject"],) if "subject" in call.parts else ()


Verb = Callable[[Call], Answer | bytes]
"""Does its work in a thread."""
Awaited = Callable[[Call], Coroutine[Any, Any, Answer]]
"""Waits in the loop of the service, where calls that wait are answered together. It changes nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """An address: method, path under `/v1`, the duty it asks for, the verb, what it takes and gives."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    duty: Duty | None
    verb: Verb | Awaited
    summary: str
    gives: type[Answer] | None
    takes: type[Body] = Nothing
    query: type[Body] = Nothing
    again: Again = Again.HARMLESS
    about: Callable[[Call], tuple[str, ...]] = person
    """Whom it is about, as far as that is known before: calls about others need not wait for it."""
