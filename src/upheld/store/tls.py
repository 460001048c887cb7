"""TLS to databases on other hosts: the server has to show who it is, unless its address says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from upheld.errors import HomeUnusable

CHECKED: Final = "verify-full"
_HERE: Final = ("", "localhost", "127.0.0.1", "::1")


def secured(address: str, environment: Mapping[str, str] = os.environ) -> str:
    """The address as it is dialled. Where it names another host and says nothing of TLS, the certificate and the name
    of the server are checked, against the authorities of this machine if it names no others. Raises HomeUnusable.
    """
    said = _parts(address)
    if _is_here(said) or "sslmode" in said or "PGSSLMODE" in environment:
        return address
    more = {"sslmode": CHECKED}
    if "sslrootcert" not in said and "PGSSLROOTCERT" not in environment:
        more["sslrootcert"] = "system"
    return make_conninfo(address, **more)


def mode_of(address: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """How a database on another host is reached; None for one that is reached without leaving this machine."""
    said = _parts(secured(address, environment))
    return None if _is_here(said) else str(said.get("sslmode") or environment.get("PGSSLMODE", "prefer"))


def without_password(address: str) -> str:
    """An address that may be printed."""
    return make_conninfo("", **{name: text for name, text in _parts(address).items() if name != "password"})


def _is_here(said: Mapping[str, str]) -> bool:
    hosts = [*said.get("host", "").split(","), *said.get("hostaddr", "").split(",")]
    return all(one in _HERE or one.startswith(("/", "@")) for one in hosts)


def _parts(address: str) -> dict[str, str]:
    try:
        return {name: str(text) for name, text in conninfo_to_dict(address).items() if text is not None}
    except ProgrammingError:
        raise HomeUnusable("an address of PostgreSQL in home.json cannot be read") from None
