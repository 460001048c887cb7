"""Compare the clause catalogues with the five policies and the tests; print one line per policy and a total.

For each policy: how many ids its catalogue lists, how many its document carries, how many at least one test cites.
A test cites by `@pytest.mark.clauses("...")` in tests/*.py, a case by `clause:` or `clauses:` in policies/*.cases.yaml.
Exit status 1 when a document misses an id or carries one that does not exist, or when a test cites one that does not
exist. The catalogues are looked for in `../shared/clauses` beside the repository, or where `UPHELD_CATALOGUES` says;
without them there is one line and nothing to compare.
"""

import argparse
import ast
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from upheld.errors import PolicyRefused
from upheld.policy.check import clauses_of
from upheld.policy.read import read_policy

ROOT = Path(__file__).resolve().parent.parent
POLICIES = ("bizmeka-ez-2016", "bizmeka-ez-2018", "nexr-2017", "kt-enterprise-2022", "kt-mns-2018")
CITING_KEYS = frozenset({"clause", "clauses"})
SHOWN = 12  # ids named per complaint; the rest is counted


@dataclass(frozen=True)
class Count:
    """What was found for one policy; all sets hold clause ids."""

    policy: str
    catalogue: frozenset[str]
    carried: frozenset[str]
    cited: frozenset[str]
    refused: str = ""
    """Why the document could not be read; empty when it could."""

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong with the document, in words; empty when it carries the catalogue exactly."""
        if self.refused:
            return (f"{self.policy}: {self.refused}",)
        missing, unknown = self.catalogue - self.carried, self.carried - self.catalogue
        return tuple(
            f"{self.policy}: {said} {len(ids)}: {named(ids)}"
            for said, ids in (("misses", missing), ("carries unknown", unknown))
            if ids
        )


def named(ids: Iterable[str]) -> str:
    """The first few ids in order, and how many more there are."""
    ordered = sorted(ids)
    more = len(ordered) - SHOWN
    return " ".join(ordered[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def ids_in_catalogue(path: Path) -> frozenset[str]:
    """The ids that a catalogue lists. Raises ValueError when one stands there twice."""
    ids = [str(entry["id"]) for entry in yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)]
    if len(ids) != len(set(ids)):
        raise ValueError(f"{path.name} lists an id twice: {named({one for one in ids if ids.count(one) > 1})}")
    return frozenset(ids)


def ids_carried(path: Path) -> frozenset[str]:
    """The ids that a policy document carries, element by element. Raises PolicyRefused."""
    return frozenset(clauses_of(read_policy(path.read_bytes(), path.name)))


def count_of(name: str, catalogues: Path, root: Path, cited: frozenset[str]) -> Count:
    """The sets of one policy; a document that is refused carries nothing."""
    catalogue = ids_in_catalogue(catalogues / f"{name}.yaml")
    try:
        return Count(name, catalogue, ids_carried(root / "policies" / f"{name}.yaml"), cited)
    except PolicyRefused as refusal:
        return Count(name, catalogue, frozenset(), cited, str(refusal))


def ids_marked(source: str, name: str) -> Iterator[str]:
    """The ids in every `pytest.mark.clauses(...)` of a test module. Raises ValueError for one that is not a literal."""
    for node in ast.walk(ast.parse(source, name)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="mark"), attr="clauses"), args=args):
                for argument in args:
                    match argument:
                        case ast.Constant(value=str(clause)):
                            yield clause
                        case _:
                            raise ValueError(f"{name}:{argument.lineno}: write clause ids as plain strings")
            case _:
                pass


def ids_in_cases(node: object) -> Iterator[str]:
    """The ids under `clause:` and `clauses:` anywhere in a case file."""
    match node:
        case dict():
            for key, value in node.items():
                yield from strings_in(value) if key in CITING_KEYS else ids_in_cases(value)
        case list():
            for value in node:
                yield from ids_in_cases(value)
        case _:
            return


def strings_in(node: object) -> Iterator[str]:
    """Every string at the leaves of a list or map."""
    match node:
        case str():
            yield node
        case dict():
            for value in node.values():
                yield from strings_in(value)
        case list():
            for value in node:
                yield from strings_in(value)
        case _:
            return


def ids_cited(tests: Path, policies: Path) -> dict[str, str]:
    """Every id that a test or a case cites → the first file that does."""
    cited: dict[str, str] = {}
    for path in sorted(tests.glob("**/*.py")):
        for clause in ids_marked(path.read_text("utf-8"), path.name):
            cited.setdefault(clause, path.name)
    for path in sorted(policies.glob("*.cases.yaml")):
        for clause in ids_in_cases(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)):
            cited.setdefault(clause, path.name)
    return cited


def table(counts: Iterable[Count]) -> str:
    """One line per policy and a total, columns aligned."""
    rows = [
        (count.policy, (len(count.catalogue), len(count.carried & count.catalogue), len(count.cited & count.catalogue)))
        for count in counts
    ]
    total = [sum(column) for column in zip(*(numbers for _, numbers in rows), strict=True)]
    head = f"{'policy':<20} {'catalogue':>9} {'carried':>8} {'cited':>6}\n"
    return head + "".join(
        f"{name:<20} {ids:>9} {carried:>8} {cited:>6}\n" for name, (ids, carried, cited) in (*rows, ("total", total))
    )


def compare(catalogues: Path, root: Path) -> tuple[str, tuple[str, ...]]:
    """The table, and what is wrong; nothing wrong is an empty tuple."""
    cited = ids_cited(root / "tests", root / "policies")
    counts = [count_of(name, catalogues, root, frozenset(cited)) for name in POLICIES]
    known = frozenset().union(*(count.catalogue for count in counts))
    complaints = [complaint for count in counts for complaint in count.complaints]
    complaints += [
        f"{where}: cites `{clause}`, which no catalogue lists" for clause, where in cited.items() if clause not in known
    ]
    return table(counts), tuple(complaints)


def uncited(catalogues: Path, root: Path) -> str:
    """The ids that no test cites yet, one policy a line."""
    cited = frozenset(ids_cited(root / "tests", root / "policies"))
    rows = ((name, ids_in_catalogue(catalogues / f"{name}.yaml") - cited) for name in POLICIES)
    return "".join(f"{name}: {' '.join(sorted(ids))}\n" for name, ids in rows)


def main() -> int:
    """Print the comparison; 0 when every document carries its catalogue exactly."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--uncited", action="store_true", help="list the ids that no test cites yet, and stop")
    wanted = options.parse_args()
    catalogues = Path(os.environ.get("UPHELD_CATALOGUES", ROOT.parent / "shared" / "clauses"))
    if not catalogues.is_dir():
        print("clauses: skipped, no catalogue at hand (say UPHELD_CATALOGUES=DIR)")
        return 0
    if wanted.uncited:
        print(uncited(catalogues, ROOT), end="")
        return 0
    shown, complaints = compare(catalogues, ROOT)
    print(shown, end="")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
