"""What all tests share: Hypothesis profiles, and which modules `make quick` leaves out."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from tests import claims, postgres

# Derandomised, so a red run here is a red run elsewhere; `make deep` looks further and longer.
settings.register_profile("house", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("UPHELD_EXAMPLES", "house"))

# A commit on a file system in memory waits for no disk, and what a killed process leaves there is the same: the suite
# takes half the time. Where there is none, or a small one as in most containers, the folders of tests lie on disk.
MEMORY, ENOUGH = Path("/dev/shm"), 4 * 2**30
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# These take seconds as a whole, whatever their single tests take.
SLOW = frozenset(
    {
        "test_audit",
        "test_audit_breaches",
        "test_audit_said",
        "test_audit_spans",
        "test_cases",
        "test_change",
        "test_crash",
        "test_documents",
        "test_facts",
        "test_faults",
        "test_guides",
        "test_findings",
        "test_handing_over",
        "test_ledger_certificate",
        "test_ledger_crash",
        "test_ledger_sealing",
        "test_ledger_verify",
        "test_machine",
        "test_many_processes",
        "test_notice",
        "test_papers",
        "test_telling",
        "test_policy_fuzz",
        "test_beyond_recovery",
        "test_written_anew",
        "test_migrations",
        "test_grants",
        "test_postgres",
        "test_postgres_faults",
        "test_recover",
        "test_scrub",
        "test_simulate",
        "test_web_browser",
        "test_web_crowd",
        "test_web_desk",
        "test_web_hardening",
        "test_web_notices",
        "test_web_portal",
        "test_web_routes",
        "test_web_serving",
        "test_web_sign_in",
        "test_web_words",
    }
)


def pytest_configure() -> None:
    """Work keeps to whom it says it is about. A keeper that a test leaves open is closed by whoever collects rubbish;
    only the driver of a server minds.
    """
    claims.watch()
    if os.environ.get("UPHELD_ENGINE") == "postgresql":
        del psycopg.Connection.__mro__[1].__del__  # type: ignore[attr-defined]  # planted


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of slow modules, so that `make quick` leaves them out."""
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker(pytest.mark.slow)


COMPILER = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
"""Builds the recorder of writes for the tests of power loss; without one they are left out, and the header says so."""
collect_ignore = [] if COMPILER else ["test_power_loss.py"]


def pytest_report_header() -> str:
    return f"power loss: recorder built by {COMPILER}" if COMPILER else "power loss: not tested, no C compiler here"


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    """With `UPHELD_ENGINE=postgresql` every home of the tests lies on a PostgreSQL server; no test knows."""
    if os.environ.get("UPHELD_ENGINE") != "postgresql":
        yield
        return
    with postgres.server() as address, postgres.homes_on(address):
        yield


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a PostgreSQL server that one module has to itself."""
    with postgres.server() as address:
        yield address
