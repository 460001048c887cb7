"""The page of results, made from the lines on file: nothing on it is typed."""

from pathlib import Path


def machine() -> str:
    return "x"


def versions(engine: str) -> str:
    return "x"


def write(results: Path) -> None: ...
