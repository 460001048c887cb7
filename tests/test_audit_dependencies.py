"""Locked versions are held against known weaknesses; a service that is away stops no build."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
WEAK = ("weak-one", "1.0")


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = spec_from_file_location("audit_dependencies", ROOT / "tools" / "audit_dependencies.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Advisories(BaseHTTPRequestHandler):
    """Answers as osv.dev does."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        results = [
            {"vulns": [{"id": "OSV-1"}]} if (one["package"]["name"], one["version"]) == WEAK else {} for one in asked
        ]
        assert all(one["package"]["ecosystem"] == "PyPI" for one in asked)
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Advisories)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/querybatch"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_locked_version_with_a_known_weakness_fails_the_build(
    audit: ModuleType, service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("# Exact versions\nsound==2.1\nweak-one==1.0\n")
    assert audit.main(["--service", service, str(lock)]) == 1
    assert "weak-one 1.0: https://osv.dev/vulnerability/OSV-1" in capsys.readouterr().out
    monkeypatch.setattr(audit, "ACCEPTED", {"OSV-1": "of a test"})
    assert audit.main(["--service", service, str(lock)]) == 0
    lock.write_text("sound==2.1\nweak-one==1.1\n")
    monkeypatch.setattr(audit, "ACCEPTED", {})
    assert audit.main(["--service", service, str(lock)]) == 0


def test_a_service_that_is_away_is_told_in_one_line(audit: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["--service", "http://127.0.0.1:9/"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "can't be reached" in line


def test_every_line_of_the_lock_is_asked_about(audit: ModuleType) -> None:
    names = dict(one for lock in audit.LOCKS for one in audit.locked(lock))
    assert {"cryptography", "joserfc", "starlette", "schemathesis"} <= set(names)
    assert len(names) > 60
