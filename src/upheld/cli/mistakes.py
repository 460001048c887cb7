"""Mistakes on the command line in our own voice: which option, what was given, and what to write instead."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import typer
from typer.core import TyperGroup

_USAGE: Final = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""What the library says of every mistake in a call, wherever it keeps the class."""

_WANTED: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "int_parsing": lambda _: "write a whole number, such as 3",
    "int_from_float": lambda _: "write a whole number, such as 3",
    "float_parsing": lambda _: "write a number, such as 0.5",
    "bool_parsing": lambda _: "write yes or no",
    "greater_than_equal": lambda limit: f"write {limit['ge']} or more",
    "greater_than": lambda limit: f"write more than {limit['gt']}",
    "less_than_equal": lambda limit: f"write {limit['le']} or less",
    "less_than": lambda limit: f"write less than {limit['lt']}",
    "enum": lambda limit: f"write one of {limit['expected']}",
    "literal_error": lambda limit: f"write one of {limit['expected']}",
}
"""What a value should have been, by the code of the check that it failed."""


_MEANT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("report", "status"), "`upheld audit` gives the clause report"),
    **dict.fromkeys(("lint", "validate"), "`upheld check` finds what is wrong with a document"),
    **dict.fromkeys(("run", "start"), "`upheld serve` serves a home"),
    **dict.fromkeys(("destroy", "purge"), "`upheld sweep` destroys what is due"),
    "restore": "`upheld recover` brings a home up to date that was put back from a backup",
    "compare": "`upheld diff` compares two versions by what they mean",
    **dict.fromkeys(
        ("erase", "delete", "forget", "request", "consent", "collect", "read"),
        "what is done with one person's data is done at the desk (`upheld serve`), by the API or in Python",
    ),
}
"""What people call something elsewhere, and where it is here."""


class Commands(TyperGroup):
    """The commands; a mistake is told in one line, with exit status 2."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; as a program of its own it ends with the exit status."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        try:
            status = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except _USAGE as problem:
            if type(problem).__name__ == "NoArgsIsHelpError":  # no mistake: the help was asked for by saying nothing
                cast(Any, problem).show()
            else:
                typer.echo(told(problem), err=True)
            sys.exit(2)
        except typer.Abort:
            typer.echo("stopped", err=True)
            sys.exit(1)
        sys.exit(status if isinstance(status, int) else 0)


def told(problem: Exception) -> str:
    """A mistake in a call as one line: the command, the option or argument, what was given, and the remedy."""
    context = getattr(problem, "ctx", None)
    command = str(context.command_path) if context is not None else "upheld"
    return f"{command}: {_said(problem)} (see `{command} --help`)"


def _said(problem: Exception) -> str:
    name, message = _name_of(problem), str(getattr(problem, "message", "") or problem).strip().rstrip(".")
    kind = type(problem).__name__
    if kind == "MissingParameter":
        return f"{name} is missing; it has to be given"
    if kind == "NoSuchOption":
        near = sorted(getattr(problem, "possibilities", None) or ())
        meant = f"; perhaps {' or '.join(near)} is meant" if near else ""
        return f"there is no option {getattr(problem, 'option_name', '')}{meant}"
    called = re.match(r"No such command '([\w-]+)'", message)
    if called and called[1] in _MEANT:
        return f"no such command '{called[1]}': {_MEANT[called[1]]}"
    wrong = _refused(problem)
    if wrong is not None and wrong["type"] in _WANTED:
        return f"{name} was given `{wrong['input']}`; {_WANTED[wrong['type']](wrong.get('ctx') or {})}"
    if wrong is not None and wrong["type"] == "value_error":
        message = message.removeprefix("Value error, ")
    return f"{name}: {message}" if name else message[:1].lower() + message[1:]


def _name_of(problem: Exception) -> str:
    """The option as it is written, or the argument by its name in the help."""
    hint = getattr(problem, "param_hint", None)
    if hint is not None:
        return str(hint) if isinstance(hint, str) else " or ".join(map(str, hint))
    parameter = getattr(problem, "param", None)
    if parameter is None:
        return ""
    written = max(parameter.opts, key=len, default="")
    return str(written) if str(written).startswith("-") else f"`{parameter.name}`"


def _refused(problem: Exception) -> Mapping[str, Any] | None:
    """The first check that a value failed, where the library tells it."""
    errors = getattr(problem.__cause__, "errors", None)
    found = errors() if callable(errors) else ()
    return cast("Mapping[str, Any]", found[0]) if found else None
