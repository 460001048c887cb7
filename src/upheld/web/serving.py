"""The service as a process: the web server, and beside it the scheduler, until somebody says stop."""

from __future__ import annotations

import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import structlog
import uvicorn

from upheld.desk.background import JOBS, Job, Scheduler, note_served
from upheld.errors import UpheldError
from upheld.web.app import create_app
from upheld.web.logs import write_json
from upheld.web.settings import Settings

TURN_SECONDS = 5.0
DELIVERED_EVERY = 10_000_000
"""Ours: ten seconds from the outbox to the mail server."""
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine, between which nothing travels."""
NOTED_EVERY = 3_600_000_000
"""Ours: how often a service that people reach over TLS puts that down."""
LARGEST_HEAD = 32 * 1024
"""Ours: bytes of the lines before a body."""
KEPT_OPEN = 75
"""Ours: seconds that an idle connection is kept. Proxies and pools of clients keep theirs for a minute at most, so they
are who close it: a request that sets out while the server closes gets no answer.
"""
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the server listens. Certificate and key: TLS ends here; without them a proxy does it, or nobody."""

    host: str = "127.0.0.1"
    port: int = 8000
    certificate: Path | None = None
    key: Path | None = None


def check_listening(listening: Listening, public: str, *, behind_proxy: bool) -> None:
    """Whether people come over TLS where the public address says so. Raises ValueError that says what to give."""
    if (listening.certificate is None) != (listening.key is None):
        raise ValueError("TLS needs both: give --tls-certificate and --tls-key")
    scheme = urlsplit(public).scheme
    if scheme not in ("http", "https"):
        raise ValueError("the public address begins with https:// (or with http:// on this machine)")
    if scheme == "https" and listening.certificate is None and not behind_proxy:
        raise ValueError(
            "people would come in the clear to an https address: give --tls-certificate and --tls-key, or say "
            "--behind-proxy where a proxy of yours ends TLS"
        )
    if scheme == "http" and listening.certificate is not None:
        raise ValueError("TLS ends here, so the public address begins with https://")
    if scheme == "http" and not {urlsplit(public).hostname, listening.host} <= HERE:
        raise ValueError(
            "people would come in the clear from other machines: give an https address, and --tls-certificate and "
            "--tls-key, or --behind-proxy where a proxy of yours ends TLS"
        )


def check_here(listening: Listening) -> None:
    """What can be seen on this machine before anything is opened: the certificate, and the port. Raises ValueError."""
    check_certificate(listening)
    check_free(listening)


def check_certificate(listening: Listening) -> None:
    """Whether certificate and key are what they have to be. Raises ValueError that names both files."""
    if listening.certificate is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(listening.certificate, listening.key)
    except OSError as problem:
        said = f"{listening.certificate} and {listening.key} are no certificate and its key in PEM"
        raise ValueError(f"{said}: {problem.strerror or problem}") from problem


def check_free(listening: Listening) -> None:
    """Whether nobody listens there yet, and this user may. Raises ValueError that names address and remedy."""
    try:
        found = socket.getaddrinfo(listening.host, listening.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
    except OSError as problem:
        said = f"nothing can listen on {listening.host}:{listening.port} ({problem.strerror or problem})"
        raise ValueError(f"{said}: stop whoever does, or give another --port or --host") from problem


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # sockets as given
        """Listen, then say so."""
        await super().startup(sockets)  # type: ignore[arg-type]  # sockets as given
        if self.started:
            self._told()


def log_failure(page: str, failure: Exception) -> None:
    """A page failed by a bug of ours: its name and the kind of failure, never what somebody typed."""
    structlog.get_logger("upheld").error("a page failed", page=page, failure=type(failure).__name__)


def serve_until_stopped(
    settings: Settings, listening: Listening, started: Callable[[], None] = lambda: None, *, background: bool = True
) -> None:
    """Serve until interrupted; stop cleanly then: what is under way is finished, the lease given back.

    `background`: whether the work beside is done here too, or by other processes alone.
    """
    write_json()
    server = _Server(_config(settings, listening), started)
    with _stopped_by_either(), scheduled(settings) if background else _counting(settings), suppress(KeyboardInterrupt):
        server.run()


def work_until_stopped(settings: Settings, started: Callable[[], None] = lambda: None) -> None:
    """The work beside the service, and nothing else, until interrupted."""
    write_json()
    with _stopped_by_either(), scheduled(settings), suppress(KeyboardInterrupt):
        started()
        Event().wait()


@contextmanager
def _stopped_by_either() -> Iterator[None]:
    """Inside the block SIGTERM is what SIGINT is. The web server, done, raises again what stopped it: without this the
    process would end there, the lease not given back and the home not closed.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def served_beside(settings: Settings, listening: Listening) -> Iterator[None]:
    """Serve in a thread for as long as the block lasts."""
    ready = Event()
    server = _Server(_config(settings, listening), ready.set)
    thread = Thread(target=server.run, name="upheld-web", daemon=True)
    thread.start()
    try:
        if not ready.wait(_PATIENCE):
            raise UpheldError(f"the service did not come up on {listening.host}:{listening.port}; is the port free?")
        yield
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)


def _config(settings: Settings, listening: Listening) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(settings),
        host=listening.host,
        port=listening.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_keep_alive=KEPT_OPEN,
        timeout_graceful_shutdown=_PATIENCE,
        ssl_certfile=listening.certificate,
        ssl_keyfile=str(listening.key) if listening.key else None,
        lifespan="off",
    )


def _deliveries(settings: Settings) -> dict[str, Job]:
    if not settings.transports:
        return {}
    return {"deliver": Job(DELIVERED_EVERY, lambda keeper: keeper.deliver(*settings.transports))}


@contextmanager
def scheduled(settings: Settings) -> Iterator[None]:
    """Background work for as long as the block lasts. A turn that fails is told and the next one tries again."""
    scheduler = Scheduler(settings.keeper, {**JOBS, **_deliveries(settings)})

    note = _noting(settings)

    def turn() -> None:
        settings.measures.flush(settings.keeper)
        scheduler.turn()
        note()

    try:
        with _again_and_again(settings, turn):
            yield
    finally:
        scheduler.release()


@contextmanager
def _counting(settings: Settings) -> Iterator[None]:
    """What this process counts is added to what all have, for as long as the block lasts."""
    note = _noting(settings)

    def turn() -> None:
        settings.measures.flush(settings.keeper)
        note()

    with _again_and_again(settings, turn):
        yield


def _noting(settings: Settings) -> Callable[[], None]:
    """Puts down, when it is time, that people come over TLS; the report looks for it."""
    last: int | None = None

    def note() -> None:
        nonlocal last
        now = settings.keeper.now()
        if settings.secure and (last is None or now - last >= NOTED_EVERY):
            note_served(settings.keeper)
            last = now

    return note


@contextmanager
def _again_and_again(settings: Settings, turn: Callable[[], object]) -> Iterator[None]:
    stop = Event()

    def turns() -> None:
        while True:
            try:
                turn()
            except Exception as failure:  # noqa: BLE001 - outermost of its thread: told, tried again at the next turn
                settings.failed("background", failure)
            if stop.wait(TURN_SECONDS):
                return

    thread = Thread(target=turns, name="upheld-background", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
