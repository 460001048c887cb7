"""Upheld: a privacy policy that runs.

import upheld
keeper = upheld.open("home")
keeper.publish(Path("policy.yaml"))
"""

from upheld.clock import SetClock
from upheld.errors import HomeUnusable, InputRefused, PolicyRefused, Problem, StoreFailed, UpheldError
from upheld.keeper import AsyncKeeper, Keeper, Outcome, Reading, Shown
from upheld.policy.read import read_policy
from upheld.system import Options, init
from upheld.system import open_home as open  # noqa: A004 - `upheld.open(home)` is how one says it

__all__ = [
    "AsyncKeeper",
    "HomeUnusable",
    "InputRefused",
    "Keeper",
    "Options",
    "Outcome",
    "PolicyRefused",
    "Problem",
    "Reading",
    "SetClock",
    "Shown",
    "StoreFailed",
    "UpheldError",
    "init",
    "open",
    "read_policy",
]
