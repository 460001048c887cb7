"""Write the two lock files from what is installed in this environment.

`requirements.lock` has what `upheld` runs on, `requirements-dev.lock` adds what it is built and tested with. Each line
is `name==version`. Start from the ranges of pyproject.toml and follow what each installed distribution requires.
"""

import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# Exact versions, written by `make lock` from a venv in which the tests pass. Do not edit by hand.\n"


def closure(wanted: Iterable[str]) -> dict[str, str]:
    """All distributions that `wanted` needs here, canonical name → installed version."""
    versions: dict[str, str] = {}
    queue = [(Requirement(text), frozenset({""})) for text in wanted]
    while queue:
        requirement, extras = queue.pop()
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name = canonicalize_name(requirement.name)
        if name in versions:
            continue
        found = distribution(requirement.name)
        versions[name] = found.version
        asked = frozenset(requirement.extras) | {""}
        queue += [(Requirement(text), asked) for text in found.requires or ()]
    return versions


def lines(versions: dict[str, str]) -> str:
    """One `name==version` per line, sorted by name."""
    return "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))


def main() -> None:
    """Write both files beside pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    runtime = closure(project["dependencies"])
    development = closure(project["optional-dependencies"]["dev"])
    only_development = {name: version for name, version in development.items() if name not in runtime}
    (ROOT / "requirements.lock").write_text(HEAD + lines(runtime), "utf-8")
    (ROOT / "requirements-dev.lock").write_text(HEAD + "-r requirements.lock\n" + lines(only_development), "utf-8")


if __name__ == "__main__":
    main()
