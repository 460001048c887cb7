"""Where a real browser is, for the tests that need one. The only place where a test may be left out, and it says how
not to."""

from __future__ import annotations

import os
import shutil
import socket

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The path of a Chromium; without one the test is skipped with the line that says how to get it."""
    found = os.environ.get("UPHELD_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium, or point UPHELD_CHROMIUM to one")
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
