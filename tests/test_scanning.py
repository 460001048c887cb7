"""What comes in as a file is looked at first: how it begins, how large it is, what the scanner says."""

from __future__ import annotations

import shlex
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.clam import EICAR, scanning
from upheld.desk.scanning import LARGEST_FILE, CommandScan, SocketScan, let_in, scan_of
from upheld.errors import InputRefused

PDF, PNG, JPEG = b"%PDF-1.7 paper", b"\x89PNG\r\n\x1a\n picture", b"\xff\xd8\xff\xe0 picture"
BAD = b"%PDF-1.7 this carries malware"
READS = "import sys; sys.exit(b'malware' in sys.stdin.buffer.read())"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Path]:
    """A daemon that speaks as clamd does: it reads pieces with their lengths and gives a verdict."""
    path = tmp_path / "clamd.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def exactly(line: socket.socket, count: int) -> bytes:
        got = b""
        while len(got) < count:
            got += line.recv(count - len(got))
        return got

    def answer() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                assert exactly(line, 10) == b"zINSTREAM\0"
                content = b""
                while length := struct.unpack(">I", exactly(line, 4))[0]:
                    content += exactly(line, length)
                verdict = b"Test FOUND" if b"malware" in content else b"OK"
                line.sendall(b"" if b"silence" in content else b"stream: " + verdict + b"\0")

    thread = Thread(target=answer, daemon=True)
    thread.start()
    yield path
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def refused(content: bytes, scan: object = None) -> str:
    with pytest.raises(InputRefused) as told:
        let_in(content, scan)  # type: ignore[arg-type]  # a scan or None
    assert content[:30].decode("latin-1") not in told.value.message or not content
    return told.value.code


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")],
    ids=["pdf", "png", "jpeg"],
)
def test_papers_and_pictures_come_in_by_how_they_begin(content: bytes, kind: str) -> None:
    assert let_in(content, None) == kind


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file-empty"),
        (b"MZ a program", "file-kind"),
        (b"<html><script>", "file-kind"),
        (PDF + bytes(LARGEST_FILE), "file-too-large"),
    ],
    ids=["empty", "program", "page", "large"],
)
def test_what_is_no_paper_or_too_large_does_not_come_in(content: bytes, code: str) -> None:
    assert refused(content) == code


def test_a_command_says_what_is_malware_and_a_broken_one_lets_nothing_in() -> None:
    reads = scan_of(f"{shlex.quote(sys.executable)} -c {shlex.quote(READS)}", None)
    assert let_in(PDF, reads) == "application/pdf"
    assert refused(BAD, reads) == "file-infected"
    assert refused(PDF, CommandScan(("/nowhere/scanner",))) == "scanner-failed"
    assert refused(PDF, CommandScan((sys.executable, "-c", "raise SystemExit(2)"))) == "scanner-failed"


@pytest.mark.parametrize("size", [0, 200_000], ids=["one piece", "several pieces"])
def test_a_daemon_says_what_is_malware_and_its_silence_lets_nothing_in(daemon: Path, size: int) -> None:
    asks = scan_of("never asked", daemon)
    assert let_in(PDF + bytes(size), asks) == "application/pdf"
    assert refused(PDF + bytes(size) + b"malware", asks) == "file-infected"
    assert refused(PDF + bytes(size) + b"silence", asks) == "scanner-failed"
    assert refused(PDF, SocketScan(daemon.with_name("nobody.sock"))) == "scanner-failed"


def test_where_no_scanner_is_configured_there_is_none() -> None:
    assert scan_of(None, None) is None


def test_a_real_daemon_finds_what_it_knows_wherever_it_lies_and_lets_the_rest_in() -> None:
    with scanning() as path:
        asks = scan_of(None, path)
        assert let_in(PDF, asks) == "application/pdf"
        assert let_in(PDF + bytes(3_000_000), asks) == "application/pdf"
        for before in (b"", bytes(200_000)):
            assert refused(PDF + before + EICAR, asks) == "file-infected"
    assert refused(PDF, asks) == "scanner-failed"
