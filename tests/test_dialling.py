"""A host that is gone without a word is given up within a minute: by who waits for it, and by who keeps its locks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from tests import postgres
from tests.browser import free_port
from upheld.store.dialling import dialled

ASKED = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
OPTIONS = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server that is reached over the net."""
    port = free_port()
    with postgres.running(settings=f"-c listen_addresses=127.0.0.1 -c port={port}") as server:
        with (server.data / "pg_hba.conf").open("a") as rules:
            rules.write("\nhost all all 127.0.0.1/32 trust\n")
        server.control("reload")
        yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"


def ours(line: psycopg.Connection[object]) -> list[int]:
    """What this side of a line asks of its kernel: seconds, seconds, how often, milliseconds."""
    with closing(socket.socket(fileno=socket.dup(line.fileno()))) as own:
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return [own.getsockopt(socket.IPPROTO_TCP, one) for one in OPTIONS]


def its(line: psycopg.Connection[object]) -> list[int]:
    """What the server asks of its own, which is what counts for the locks that it keeps."""
    shown = [line.execute(f"SELECT setting FROM pg_settings WHERE name = '{one}'").fetchone() for one in ASKED]
    return [int(str(row[0])) for row in shown if isinstance(row, tuple)]


def test_each_side_gives_up_a_host_that_is_gone_within_a_minute(address: str) -> None:
    with closing(dialled(address, "public")) as line:
        assert ours(line) == its(line) == [30, 10, 3, 60_000]


def test_an_address_that_says_another_time_has_it(address: str) -> None:
    with closing(dialled(f"{address} keepalives_idle=7 tcp_user_timeout=9000", "public")) as line:
        assert ours(line) == [7, 10, 3, 9_000]
        assert its(line) == [30, 10, 3, 60_000]


def test_by_a_socket_there_is_nothing_to_give_up() -> None:
    with postgres.running() as server, closing(dialled(server.address, "public")) as line:
        assert line.execute("SHOW search_path").fetchone() == ("public",)
