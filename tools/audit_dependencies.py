"""Ask the advisory service (https://osv.dev) whether a locked version has a known weakness.

    python tools/audit_dependencies.py [--service ADDRESS] [LOCK]...

Ends with 1 when one is found that `ACCEPTED` does not answer for. Where the service can't be reached it says so in one
line and ends with 0: a build must not hang on another's availability.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVICE = "https://api.osv.dev/v1/querybatch"
SECONDS = 20.0
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock"]
ACCEPTED: Mapping[str, str] = {}
"""Advisory → why it does not concern this program. A row goes when the locked version does."""


def locked(path: Path) -> Iterator[tuple[str, str]]:
    """Name and version of every line of a lock file."""
    for line in path.read_text("utf-8").splitlines():
        name, sign, version = line.partition("==")
        if sign and not line.startswith("#"):
            yield name.strip(), version.strip()


def known(packages: list[tuple[str, str]], service: str) -> dict[tuple[str, str], list[str]] | None:
    """Package → advisories; None when the service can't be asked."""
    wanted = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages]
    body = json.dumps({"queries": wanted}).encode()
    asked = urllib.request.Request(service, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
            results = json.load(answer)["results"]
        return {
            package: [one["id"] for one in result.get("vulns", ())]
            for package, result in zip(packages, results, strict=True)
        }
    except (urllib.error.URLError, TimeoutError, OSError, ValueError, KeyError, TypeError):
        return None


def main(arguments: list[str] | None = None) -> int:
    """Ask and tell; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--service", default=SERVICE)
    parser.add_argument("locks", nargs="*", type=Path, default=LOCKS)
    given = parser.parse_args(arguments)
    packages = sorted({one for lock in given.locks for one in locked(lock)})
    found = known(packages, given.service)
    if found is None:
        sys.stdout.write(f"the advisory service can't be reached; {len(packages)} locked packages were not looked at\n")
        return 0
    open_ones = [(*package, one) for package, ids in found.items() for one in ids if one not in ACCEPTED]
    for name, version, advisory in open_ones:
        sys.stdout.write(f"{name} {version}: https://osv.dev/vulnerability/{advisory}\n")
    sys.stdout.write(f"{len(packages)} locked packages, {len(open_ones)} known weaknesses\n")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
