"""Does a verb under a recorder, then rebuilds what a power loss could have left on the disk, and looks at each.

    python -m tests.power_child SCENARIO FOLDER RECORDER.so [FIRST STRIDE]

A write is on the disk for certain once its file was synced after it. Before that any of the writes since may be there
or not: rebuilt are the state with none of them, and for every write the state in which its file has everything up to
and with it, once whole and once with only half of its bytes, while the other files have only what was synced. When
the verb has returned, what it did must be there with nothing but what was synced.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash_child import SCENARIOS, Trial, prepared
from tests.homes import copied
from tests.trial_home import opened, rows_in, wrapped_keys
from upheld.store.vault import Tier

_HEAD = struct.Struct("<qqqq")
RETURNED = "returned.db"
"""Written by the child when the verb has returned; the recorder takes it for one of the files."""


@dataclass(frozen=True)
class Call:
    """One recorded call: `w`rite, `t`runcate, `s`ync or `u`nlink."""

    operation: str
    name: str
    offset: int
    data: bytes


@dataclass
class Disk:
    """What is certainly on the disk, and what each file was given since its last sync."""

    synced: dict[str, bytes]
    pending: dict[str, list[Call]] = field(default_factory=dict)

    def take(self, call: Call) -> None:
        """One more call."""
        match call.operation:
            case "s":
                for one in self.pending.pop(call.name, []):
                    self.synced[call.name] = applied(self.synced.get(call.name, b""), one)
            case "u":
                # The last connection unlinks a log that it has written back and synced before: nothing depends on it.
                self.pending.pop(call.name, None)
                self.synced.pop(call.name, None)
            case _:
                self.pending.setdefault(call.name, []).append(call)

    def with_unsynced(self, name: str, torn: bool) -> dict[str, bytes]:
        """The disk when this file has got all it was given; `torn`: of the last write only the first half."""
        content = self.synced.get(name, b"")
        calls = self.pending[name]
        for one in calls[:-1]:
            content = applied(content, one)
        last = calls[-1]
        half = Call("w", last.name, last.offset, last.data[: len(last.data) // 2])
        return {**self.synced, name: applied(content, half if torn else last)}


def applied(content: bytes, call: Call) -> bytes:
    """A file's content after a call."""
    if call.operation == "t":
        return content[: call.offset].ljust(call.offset, b"\0")
    return content[: call.offset].ljust(call.offset, b"\0") + call.data + content[call.offset + len(call.data) :]


def calls_in(log: Path) -> Iterator[Call]:
    """The recorded calls in their order."""
    data = log.read_bytes()
    at = 0
    while at < len(data):
        operation, path_length, offset, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name = Path(data[at : at + path_length].decode()).name
        at += path_length
        written = data[at : at + length] if chr(operation) == "w" else b""
        at += len(written)
        yield Call(chr(operation), name, offset, written)


def recorded(trial: Trial, recorder: Path, name: str) -> list[Call]:
    """Do the verb in a child under the recorder."""
    home, log = copied(trial.prepared, trial.folder / "recorded"), trial.folder / "calls.log"
    log.unlink(missing_ok=True)
    code = (
        "import json, sys; from pathlib import Path; from tests.crash_child import SCENARIOS; "
        "from tests.trial_home import opened; scenario = SCENARIOS[sys.argv[1]]\n"
        "with opened(Path(sys.argv[2]), scenario.when) as house:\n"
        "    scenario.action(house, json.loads(sys.argv[3]))\n"
        f"    (Path(sys.argv[2]) / '{RETURNED}').write_text('now')"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, name, str(home), json.dumps(trial.persons)],
        env={**os.environ, "LD_PRELOAD": str(recorder), "POWER_FOLDER": str(home), "POWER_LOG": str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise AssertionError(run.stderr)
    return list(calls_in(log))


def states(trial: Trial, calls: list[Call]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Every state of the disk that is looked at, with what led to it."""
    disk = Disk({path.name: path.read_bytes() for path in trial.prepared.glob("*.db*")})
    for number, call in enumerate(calls):
        if call.name == RETURNED:
            if call.operation == "w":
                yield RETURNED, dict(disk.synced)
            continue
        disk.take(call)
        if call.operation == "s":
            yield f"call {number}, after the sync of {call.name}", dict(disk.synced)
        elif call.operation != "u":
            yield f"call {number}, {call.name} with all it was given", disk.with_unsynced(call.name, torn=False)
            if call.operation == "w":
                yield f"call {number}, {call.name} with half a write", disk.with_unsynced(call.name, torn=True)


def remains(trial: Trial, files: dict[str, bytes], key_bytes: dict[tuple[Tier, int], bytes]) -> list[str]:
    """What the disk still holds of values that a returned sweep has certified as destroyed."""
    values: dict[tuple[int, str], tuple[str, str, bool, bool]] = trial.wanted[0]["values"]
    gone = {value for (value, tier), row in values.items() if tier == "active" and row[1] == "destroyed"}
    found: list[str] = []
    for row in rows_in(trial.prepared):
        if row.value_id in gone and row.sealed is not None and row.key_id is not None:
            parts = {"ciphertext": row.sealed[:24], "key": key_bytes[row.tier, row.key_id]}
            found += [
                f"{word} in {name}" for word, part in parts.items() for name, data in files.items() if part in data
            ]
    return found


def laid_out(trial: Trial, files: dict[str, bytes]) -> Path:
    """A home with these files, as the machine finds it when the power is back. Shared memory is gone with it."""
    home = trial.folder / "found"
    if home.exists():
        shutil.rmtree(home)
    shutil.copytree(trial.prepared, home, ignore=shutil.ignore_patterns("*.db*"))
    for name, content in files.items():
        (home / name).write_bytes(content)
    return home


def main(name: str, folder: Path, recorder: Path, first: int = 0, stride: int = 1) -> dict[str, Any]:
    trial, _ = prepared(folder, name)
    calls = recorded(trial, recorder, name)
    failures: list[str] = []
    looked, wanted = 0, trial.wanted
    for number, (when, files) in enumerate(states(trial, calls)):
        if number % stride != first and when != RETURNED:
            continue
        looked += 1
        trial.wanted = wanted[:1] if when == RETURNED else wanted
        if when == RETURNED and name == "sweep":
            failures += [f"{when}: {one}" for one in remains(trial, files, wrapped_keys(trial.prepared))]
        failures += [f"{when}: {one}" for one in trial.finish(laid_out(trial, files))]
    return {
        "calls": len(calls),
        "syncs": sum(call.operation == "s" for call in calls),
        "states": looked,
        "failures": failures[:20],
    }


if __name__ == "__main__":
    assert sys.argv[1] in SCENARIOS
    assert callable(opened)
    scratch = Path(sys.argv[2])
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        print(json.dumps(main(sys.argv[1], scratch, Path(sys.argv[3]), *map(int, sys.argv[4:]))))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
