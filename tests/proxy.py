"""A wire between a client and a server that can be cut after so many bytes, in either direction."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread

UP, DOWN = "to the server", "to the client"


class Proxy:
    """Passes on what clients of a socket say to the server behind it, and what that answers."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self._server = server
        self.passed = {UP: 0, DOWN: 0}
        self._left: tuple[str, int] | None = None
        self._lock = Lock()
        self.cuts = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        Thread(target=self._accept, daemon=True).start()

    def cut_after(self, direction: str, count: int) -> None:
        """Of what is said from now on in this direction so many bytes arrive; then the line is dead, both ways."""
        with self._lock:
            self._left = (direction, count)

    def whole(self) -> None:
        """Nothing is cut any more."""
        with self._lock:
            self._left = None

    def close(self) -> None:
        """No more clients."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self._server / ".s.PGSQL.5432"))
            back = Thread(target=self._pass, args=(server, client, DOWN), daemon=True)
            back.start()
            self._pass(client, server, UP)
            back.join()

    def _pass(self, one: socket.socket, other: socket.socket, direction: str) -> None:
        with suppress(OSError):
            while said := one.recv(65_536):
                arrives, dead = self._arrives(direction, len(said))
                other.sendall(said[:arrives])
                if dead:
                    break
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _arrives(self, direction: str, count: int) -> tuple[int, bool]:
        """How many of so many bytes arrive, and whether the line is dead then."""
        with self._lock:
            self.passed[direction] += count
            if self._left is None or self._left[0] != direction:
                return count, False
            left = self._left[1]
            if count < left:
                self._left = (direction, left - count)
                return count, False
            self._left = None
            self.cuts += 1
            return left, True


@contextmanager
def between(address: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the server of an address, and the address that leads through it."""
    words = dict(word.split("=") for word in address.split())
    with tempfile.TemporaryDirectory(prefix="upheld-px-") as folder:
        proxy = Proxy(Path(folder), Path(words["host"]))
        try:
            yield proxy, address.replace(words["host"], folder)
        finally:
            proxy.close()
