"""Nothing crosses a net in the clear unless somebody has said so in so many words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from tests import postgres
from tests.browser import free_port
from tests.served import served
from upheld import cli
from upheld.clock import SystemClock
from upheld.errors import HomeUnusable
from upheld.store.dialling import dialled
from upheld.store.postgres import PostgresPlace
from upheld.store.tls import mode_of, secured
from upheld.web.serving import Listening, check_listening

ELSEWHERE = "127.0.0.2"
"""An address of this machine that is none of those taken for this machine."""


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("postgresql://db.example.org/upheld", "verify-full"),
        ("host=db.example.org dbname=upheld", "verify-full"),
        ("host=localhost,db.example.org dbname=upheld", "verify-full"),
        ("hostaddr=192.0.2.1 dbname=upheld", "verify-full"),
        ("postgresql://db.example.org/upheld?sslmode=require", "require"),
        ("postgresql://localhost/upheld", None),
        ("postgresql:///upheld?host=/run/postgresql", None),
        ("dbname=upheld", None),
    ],
)
def test_a_database_on_another_host_has_to_show_who_it_is(address: str, mode: str | None) -> None:
    assert mode_of(address, {}) == mode
    if mode is None:
        assert secured(address, {}) == address


def test_an_address_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(HomeUnusable) as refused:
        secured("postgresql://user:a-secret-word@host:port:port/x?nonsense", {})
    assert "a-secret-word" not in str(refused.value)


def certificate(folder: Path, name: str) -> None:
    """A certificate for an address, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made up")])
    now = datetime.fromtimestamp(SystemClock().now() / 1e6, UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    (folder / "key.pem").chmod(0o600)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the user of the server reaches, as those of the tests are not."""
    with TemporaryDirectory(prefix="upheld-tls-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def refusal(address: str) -> str:
    """Why the server was not spoken to; empty when it was."""
    try:
        dialled(address, "public").close()
    except psycopg.OperationalError as failure:
        return str(failure)
    return ""


@pytest.mark.parametrize("named", [None, ELSEWHERE, "127.0.0.3"])
def test_a_server_that_shows_nothing_or_another_name_gets_no_word_from_us(folder: Path, named: str | None) -> None:
    port = free_port()
    settings = f"-c listen_addresses={ELSEWHERE} -c port={port}"
    if named:
        certificate(folder, named)
        settings += f" -c ssl=on -c ssl_cert_file={folder}/cert.pem -c ssl_key_file={folder}/key.pem"
        if user := postgres.runs_as():
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, user)
    with postgres.running(settings=settings, of=postgres.with_tls()) as server:
        with (server.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"\nhost all all {ELSEWHERE}/32 trust\nhost all all 127.0.0.1/32 trust\n")
        server.control("reload")
        address = f"host={ELSEWHERE} port={port} user=postgres dbname=postgres"
        trusted = f"{address} sslrootcert={folder}/cert.pem"
        assert "SSL" in refusal(address) or "certificate" in refusal(address)
        if named == ELSEWHERE:
            assert refusal(trusted) == ""
            for one, clear in ((trusted, False), (f"{address} sslmode=disable", True)):
                with closing(PostgresPlace(one, "public").connect()) as connection:
                    assert PostgresPlace(one, "public").in_the_clear(connection) is clear
            assert "certificate" in refusal(address)
        elif named:
            assert "does not match" in refusal(trusted)
        else:
            assert "does not support SSL" in refusal(trusted)
        assert refusal(f"{address} sslmode=prefer") == ""


@pytest.mark.parametrize(
    ("public", "certificate", "proxy", "said"),
    [
        ("https://privacy.example.org", False, False, "in the clear"),
        ("https://privacy.example.org", False, True, ""),
        ("https://privacy.example.org", True, False, ""),
        ("http://127.0.0.1:8000", False, False, ""),
        ("http://127.0.0.1:8000", True, False, "begins with https"),
        ("http://privacy.example.org", False, False, "from other machines"),
        ("http://privacy.example.org", False, True, "from other machines"),
        ("privacy.example.org", False, True, "begins with https"),
    ],
)
def test_an_https_address_is_not_served_in_the_clear(public: str, certificate: bool, proxy: bool, said: str) -> None:
    file = Path("any.pem") if certificate else None
    listening = Listening(certificate=file, key=file)
    if not said:
        check_listening(listening, public, behind_proxy=proxy)
        return
    with pytest.raises(ValueError, match=said):
        check_listening(listening, public, behind_proxy=proxy)


def test_a_service_that_listens_to_other_machines_is_not_served_in_the_clear() -> None:
    with pytest.raises(ValueError, match="from other machines"):
        check_listening(Listening(host="0.0.0.0"), "http://127.0.0.1:8000", behind_proxy=False)


def test_the_command_says_so_before_it_opens_anything(tmp_path: Path) -> None:
    made = CliRunner().invoke(cli.app, ["init", "--home", str(tmp_path / "home")])
    assert made.exit_code == 0
    given = ["serve", "--home", str(tmp_path / "home"), "--address", "https://privacy.example.org"]
    told = CliRunner().invoke(cli.app, given)
    assert isinstance(told.exception, ValueError)
    assert "--behind-proxy" in str(told.exception)
    told = CliRunner().invoke(cli.app, [*given, "--tls-certificate", "only.pem"])
    assert "needs both" in str(told.exception)


def test_behind_a_proxy_who_came_in_the_clear_is_sent_to_the_https_address(tmp_path: Path) -> None:
    with served(tmp_path / "home", address="https://testserver") as house:
        object.__setattr__(house.settings, "trusted_proxy", True)
        client = house.browser().client
        clear = {"x-forwarded-proto": "http"}
        moved = client.get("/portal/trial?item=secret", headers=clear, follow_redirects=False)
        assert moved.status_code == 308
        assert moved.headers["location"] == "https://testserver/portal/trial"
        assert client.post("/portal/trial", headers=clear, content=b"x").status_code == 400
        assert client.get("/portal/trial", headers={"x-forwarded-proto": "https"}).status_code == 200
        assert "__Host-upheld-visitor" in dict(client.cookies)
