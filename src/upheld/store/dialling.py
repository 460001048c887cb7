"""How a server is dialled, and when a line to it is given up.

A host that loses its power or its net says no word of farewell. Unasked, the kernel of the other one believes in the
line for two hours and more: a program waits for an answer so long, and a server keeps the locks of a program so long.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from upheld.store.tls import secured

_QUIET, _BETWEEN, _OFTEN = 30, 10, 3
"""Seconds without a word until the other host is asked whether it is there, seconds between two such questions, and
after how many without an answer it is not.
"""
_HEARD: Final = 60
"""Seconds in which the other host has to say that what was sent has reached it."""
_OURS: Final = {
    "keepalives_idle": _QUIET,
    "keepalives_interval": _BETWEEN,
    "keepalives_count": _OFTEN,
    "tcp_user_timeout": _HEARD * 1_000,
}
_ITS: Final = (
    f"-c tcp_keepalives_idle={_QUIET} -c tcp_keepalives_interval={_BETWEEN} -c tcp_keepalives_count={_OFTEN} "
    f"-c tcp_user_timeout={_HEARD * 1_000}"
)


def dialled(address: str, place: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """A connection of the driver to the schema of a place. Within a minute each side knows that the other host is gone;
    ours takes another time where the address says one. Raises psycopg.OperationalError.
    """
    whole = secured(address)
    said = conninfo_to_dict(whole)
    return psycopg.connect(
        make_conninfo(whole, **{name: number for name, number in _OURS.items() if name not in said}),
        autocommit=autocommit,
        options=f"-c search_path={place} {_ITS}",
        application_name=f"upheld {place}",
    )
