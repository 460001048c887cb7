"""People are told: by a real mail server, by a gateway, by hand; on record first, and never twice unasked."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import signal
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.acknowledged import FIELDS, WITH_NEWS, entries, tells
from tests.browser import free_port
from tests.crash_child import Scenario, killed, statements
from tests.homes import column, copied, put_back
from tests.trial_home import House, at, member, opened, proved, text_of
from upheld.clock import SystemClock
from upheld.connect.gateway import Gateway, GatewaySettings
from upheld.connect.mail import Mail, MailSettings, Security, bounced_in
from upheld.connect.transport import Answer, Handed, Letter
from upheld.dates import Instant, moment
from upheld.engine.acts import SubjectId
from upheld.engine.notices import OWED
from upheld.errors import InputRefused
from upheld.keeper.telling import LEASE, PAUSES, Message, labelled, refusal_headers
from upheld.law import law_for
from upheld.policy.letters import BODIES, TITLES, Written, fields_of, letter
from upheld.policy.read import read_policy
from upheld.store import outbox
from upheld.store.outbox import MOVES

NOW = at("2024-03-01")


# ── a mail server on this machine ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Server:
    """What a mail server was handed, and how it behaves."""

    mails: list[bytes] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """Answers to the next texts; `250 OK` when none is left. `die` drops the connection after the text was taken."""
    refuses: str = ""
    """The answer to every address, where it takes none."""
    tls: bool = False
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250") or answer == "die":
            assert isinstance(envelope.content, bytes)
            self.mails.append(envelope.content)
            self.to += envelope.rcpt_tos
        self.tls = session.ssl is not None
        if answer == "die":
            assert server.transport is not None
            server.transport.close()
        return answer

    def message(self, number: int = 0) -> EmailMessage:
        found = message_from_bytes(self.mails[number], policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found


@contextmanager
def mail_server(server: Server | None = None, **settings: Any) -> Iterator[Server]:
    server = server or Server()
    server.port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **settings)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def by_mail(server: Server, **changes: object) -> Mail:
    settings = {"host": "127.0.0.1", "port": server.port, "sender": "privacy@example.org", "security": Security.LOCAL}
    return Mail(MailSettings(**{**settings, **changes}), lambda: datetime(2024, 3, 1, tzinfo=UTC))  # type: ignore[arg-type]  # settings by name


@dataclass
class Scripted:
    """A transport that answers as it is told; `sent` is what it was handed."""

    answers: list[Answer] = field(default_factory=list)
    sent: list[Letter] = field(default_factory=list)
    medium: str = "email"

    def send(self, letter: Letter) -> Answer:
        self.sent.append(letter)
        return self.answers.pop(0) if self.answers else Answer(Handed.SENT)

    def close(self) -> None:
        pass


# ── a home ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("telling") / "home"
    with opened(home, at("2020-03-01")) as house:
        house.keeper.publish(WITH_NEWS.encode(), as_of=at("2020-02-01").date(), evidence="trial")
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    return copied(template, tmp_path / "home")


def state_of(house: House, message: Message) -> str:
    return next(one.state for one in house.keeper.messages("trial") if one.message_id == message.message_id)


def test_an_owed_notice_reaches_its_person_over_a_real_mail_server(home: Path) -> None:
    with mail_server() as server, opened(home, NOW) as house:
        person = member(house, "reader")
        queued = tells(house, person)
        assert (queued.state, server.mails) == ("queued", [])
        assert house.keeper.deliver(by_mail(server))["sent"] == 1
        mail = server.message()
        assert server.to == [text_of("reader", "email")]
        assert mail["Message-ID"] == f"<{queued.message_id}@example.org>"
        assert mail["Subject"] == "Example Ltd.: your data will pass on"
        assert "Sample Ltd." in mail.get_content()
        assert state_of(house, queued) == "sent"
        assert house.keeper.deliver(by_mail(server))["sent"] == 0
        assert len(server.mails) == 1
        proved(home, house.keeper)


def test_the_look_at_an_address_is_on_record_before_anything_is_sent(home: Path) -> None:
    with opened(home, NOW) as house:
        person = member(house, "reader")
        message = tells(house, person)
        before: list[int] = []

        class Watching(Scripted):
            def send(self, letter: Letter) -> Answer:
                before.append(len(entries(house, "address.read")))
                return super().send(letter)

        house.keeper.deliver(Watching())
        assert before == [1]
        (seen,) = entries(house, "address.read")
        assert (seen.fields["message"], seen.fields["items"]) == (message.message_id, ("email",))
        assert "changes.business-transfer" in seen.elements


def test_what_was_said_is_kept_as_a_paper_and_stands_in_no_ledger(home: Path) -> None:
    with opened(home, NOW) as house:
        person = member(house, "reader")
        message = tells(house, person)
        (paper,) = house.keeper.papers("trial", owner=person, kind="notices", about=message.message_id)
        assert paper.paper_id == message.paper_id
        assert b"Sample Ltd." in (house.keeper.paper("trial", paper.paper_id) or b"")
        house.keeper.seal()
    assert b"Sample Ltd." not in b"".join(path.read_bytes() for path in home.glob("*.db*"))


def test_a_notice_in_korean_is_written_in_korean(home: Path) -> None:
    with mail_server() as server, opened(home, NOW) as house:
        house.keeper.tell(member(house, "reader"), "business-transfer", "email", fields=FIELDS, locale="ko")
        house.keeper.deliver(by_mail(server))
        assert server.message()["Subject"] == "[예시 주식회사] 개인정보의 이전 안내"
        assert "이전을 원하지 않으시면" in server.message().get_content()


def test_who_has_no_address_is_unreachable_and_that_is_on_record(home: Path) -> None:
    with opened(home, NOW) as house:
        keeper = house.keeper
        person = keeper.enter("trial", "member")
        message = tells(house, person)
        assert (message.state, message.reason, message.told) == ("unreachable", "no-address", False)
        assert keeper.deliver(Scripted())["sent"] == 0
        assert [one.fields["state"] for one in entries(house, "notice.queued")] == ["unreachable"]


def test_a_letter_that_lacks_something_is_not_written(home: Path) -> None:
    with opened(home, NOW) as house:
        person = member(house, "reader")
        with pytest.raises(InputRefused, match="lacks: contact, effective, fact, refusing, transferee"):
            house.keeper.tell(person, "business-transfer", "email")
        with pytest.raises(InputRefused, match="no notice"):
            house.keeper.tell(person, "poem", "email", fields=FIELDS)
        with pytest.raises(InputRefused, match="never a text"):
            tells(house, person, about="Person Made-Up")
        assert house.keeper.messages("trial") == []


@pytest.mark.parametrize("notice", sorted(BODIES))
def test_every_letter_says_in_both_languages_all_that_it_is_given(notice: str) -> None:
    document = read_policy(WITH_NEWS.encode(), "trial")
    given = {name: f"[{name}-given]" for name in fields_of(notice)}
    for locale in ("en", "ko"):
        said = letter(document, notice, locale, given)
        assert all(f"[{name}-given]" in said.subject + said.text for name in given)
    assert TITLES[notice].en != TITLES[notice].ko


def test_the_page_names_every_owed_notice_with_its_law_and_what_its_letter_needs() -> None:
    page = (Path(__file__).parent.parent / "docs" / "telling.md").read_text("utf-8")
    told = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| ((?:`[a-z]+`(?:, )?)+) \|$", page, re.M)
    document = {"controller", "phone", "site", "policy"}
    assert {code: (law, set(re.findall(r"[a-z]+", fields))) for code, law, fields in told} == {
        code: (law_for("Asia/Seoul").cites(f"told.{code}"), set(fields_of(code) - document)) for code in OWED
    }


def test_the_page_names_every_move_of_a_message() -> None:
    page = (Path(__file__).parent.parent / "docs" / "telling.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(queued|sending|uncertain|sent)` \| (.+?) \|$", page, re.M))
    assert {state: set(re.findall(r"`([a-z]+)`", after)) for state, after in rows.items()} == {
        state: set(after) for state, after in MOVES.items()
    }


# ── what servers do ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_asks_to_wait_gets_the_message_later_and_only_then(home: Path) -> None:
    with mail_server(Server(answers=["451 later"])) as server, opened(home, NOW) as house:
        message = tells(house, member(house, "reader"))
        assert house.keeper.deliver(by_mail(server))["later"] == 1
        assert house.keeper.deliver(by_mail(server)).counts.total() == 0
        house.clock.set(NOW + timedelta(seconds=PAUSES[0]))
        assert house.keeper.deliver(by_mail(server))["sent"] == 1
        found = next(one for one in house.keeper.messages("trial") if one.message_id == message.message_id)
        assert (found.state, found.attempts) == ("sent", 2)


@pytest.mark.parametrize(
    ("server", "reason"),
    [(Server(refuses="550 nobody"), "address-refused"), (Server(answers=["554 no"]), "text-refused")],
)
def test_a_server_that_refuses_for_good_ends_the_message(home: Path, server: Server, reason: str) -> None:
    with mail_server(server) as running, opened(home, NOW) as house:
        message = tells(house, member(house, "reader"))
        assert house.keeper.deliver(by_mail(running))["failed"] == 1
        (failed,) = house.keeper.messages("trial", state="failed")
        assert (failed.message_id, failed.reason) == (message.message_id, reason)


def test_a_server_that_is_away_is_tried_again_until_the_message_has_failed(home: Path) -> None:
    with opened(home, NOW) as house:
        message = tells(house, member(house, "reader"))
        nobody = by_mail(Server(port=free_port()))
        later = 0
        for pause in (*PAUSES, 0):
            later += house.keeper.deliver(nobody)["later"]
            house.clock.set(Instant(house.clock.now() + pause * 1_000_000))
        assert later == len(PAUSES)
        assert state_of(house, message) == "failed"


def test_a_connection_that_breaks_after_the_text_leaves_it_uncertain_and_the_same_id_is_tried_again(home: Path) -> None:
    with mail_server(Server(answers=["die"])) as server, opened(home, NOW) as house:
        message = tells(house, member(house, "reader"))
        assert house.keeper.deliver(by_mail(server))["uncertain"] == 1
        assert house.keeper.deliver(by_mail(server)).counts.total() == 0
        assert house.keeper.deliver(by_mail(server), retry_uncertain=True)["sent"] == 1
        ids = {message_from_bytes(one)["Message-ID"] for one in server.mails}
        assert ids == {f"<{message.message_id}@example.org>"}
        assert len(server.mails) == 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine, good for today only, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = moment(SystemClock().now())
    made = (
        x509.CertificateBuilder(
            name,
            name,
            key.public_key(),
            x509.random_serial_number(),
            today - timedelta(days=1),
            today + timedelta(days=1),
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


def signed_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
    good = isinstance(given, LoginPassword) and given.password == b"made-up-password"
    return AuthResult(success=good, handled=False)


def test_mail_goes_encrypted_and_signed_in_and_never_in_clear_where_it_should_be_encrypted(
    home: Path, certificate: tuple[Path, Path]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with opened(home, NOW) as house:
        message = tells(house, member(house, "reader"))
        with mail_server() as plain:
            house.keeper.deliver(by_mail(plain, security=Security.STARTTLS, trust=trust))
            assert (plain.mails, state_of(house, message)) == ([], "queued")
        house.clock.set(NOW + timedelta(hours=1))
        settings: dict[str, Any] = {
            "tls_context": context,
            "require_starttls": True,
            "authenticator": signed_in,
            "auth_required": True,
        }
        with mail_server(**settings) as server:
            known = {"host": "localhost", "security": Security.STARTTLS, "user": "desk"}
            stranger = by_mail(server, **known, password="made-up-password")  # trusts the machine's authorities only
            assert stranger.send(Letter("a" * 20, "x@example.org", "s", "t", "en")) == Answer(Handed.LATER, "no-tls")
            wrong = by_mail(server, **known, password="wrong", trust=trust)
            assert wrong.send(Letter("a" * 20, "x@example.org", "s", "t", "en")).reason == "sign-in-refused"
            right = by_mail(server, **known, password="made-up-password", trust=trust)
            assert house.keeper.deliver(right)["sent"] == 1
            right.close()
            assert server.tls
    with pytest.raises(ValueError, match="in clear"):
        MailSettings("mail.example.org", 25, "privacy@example.org", security=Security.LOCAL)


def test_an_address_with_a_line_break_in_it_forges_no_header(home: Path) -> None:
    with mail_server() as server:
        forged = Letter("a" * 20, "x@example.org\r\nBcc: y@example.org", "s", "t", "en")
        assert by_mail(server).send(forged) == Answer(Handed.FAILED, "address-unusable")
        assert server.mails == []


def report(message_id: str, action: str) -> bytes:
    return (
        "From: postmaster@example.org\nTo: privacy@example.org\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nIt did not arrive.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; example.org\n\n"
        f"Final-Recipient: rfc822; x@example.org\nAction: {action}\nStatus: 5.1.1\n\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: <{message_id}@example.org>\nSubject: s\n\nt\n--b--\n"
    ).encode()


def test_a_returned_mail_is_found_by_its_id_and_the_person_counts_as_not_told(home: Path) -> None:
    with opened(home, NOW) as house:
        message = tells(house, member(house, "reader"))
        house.keeper.deliver(Scripted())
        ((found, action),) = bounced_in(report(message.message_id, "failed"))
        assert (found, action) == (message.message_id, "failed")
        house.keeper.bounced(found)
        house.keeper.bounced(found)
        assert state_of(house, message) == "bounced"
        with pytest.raises(InputRefused, match="is bounced"):
            house.keeper.acknowledged(found)
        assert [one.fields["state"] for one in entries(house, "notice.moved")] == ["sending", "sent", "bounced"]
    assert bounced_in(b"Subject: hello\n\nno report at all") == []


# ── a gateway ───────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def gateway(statuses: list[int]) -> Iterator[tuple[int, list[tuple[dict[str, str], bytes]]]]:
    """A web server that answers with these numbers in turn; 0 takes the request and says nothing."""
    asked: list[tuple[dict[str, str], bytes]] = []

    class Taking(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            status = statuses.pop(0)
            if status:
                self.send_response(status)
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_gateway_gets_a_signed_request_with_the_same_id_however_often(home: Path) -> None:
    with gateway([503, 200]) as (port, asked), opened(home, NOW) as house:
        way = Gateway(GatewaySettings(f"http://127.0.0.1:{port}/sms", "sms", b"made-up", idempotent=True))
        person = member(house, "reader")
        message = house.keeper.tell(person, "business-transfer", "sms", fields=FIELDS, locale="ko")
        assert house.keeper.deliver(way)["later"] == 1
        house.clock.set(NOW + timedelta(hours=1))
        assert house.keeper.deliver(way)["sent"] == 1
        assert {headers["Idempotency-Key"] for headers, _ in asked} == {message.message_id}
        headers, body = asked[-1]
        assert headers["Upheld-Signature"] == hmac.new(b"made-up", body, hashlib.sha256).hexdigest()
        assert json.loads(body)["to"] == text_of("reader", "phone")


def test_a_gateway_that_does_not_tell_repeats_apart_leaves_an_open_end_uncertain(home: Path) -> None:
    with gateway([0, 500, 400, 429]) as (port, _):
        way = Gateway(GatewaySettings(f"http://127.0.0.1:{port}/sms", "sms", b"made-up"))
        answers = [way.send(Letter("a" * 20, "010-0000-0000", "s", "t", "ko")).handed for _ in range(4)]
    assert answers == [Handed.UNCERTAIN, Handed.UNCERTAIN, Handed.FAILED, Handed.LATER]
    with pytest.raises(ValueError, match="https"):
        GatewaySettings("http://gateway.example.org/sms", "sms", b"made-up")


# ── advertising ─────────────────────────────────────────────────────────────────────────────────────────────────────

NEWS = Written("Spring", "Everything is green.", "ko")
REFUSING = {"refusing": "https://example.org/no"}


def advertise(house: House, person: SubjectId) -> Message:
    return house.keeper.tell(person, "advert", "email", purpose="offers", text=NEWS, fields=REFUSING)


def test_an_advertisement_needs_its_consents_and_says_what_it_is(home: Path) -> None:
    with mail_server() as server, opened(home, NOW) as house:
        person = member(house, "reader")
        assert (advertise(house, person).state, advertise(house, person).reason) == (
            "refused", "receiving-consent-missing",
        )  # fmt: skip
        house.keeper.consent(person, "medium/email", channel="website")
        advertise(house, person)
        assert house.keeper.deliver(by_mail(server))["sent"] == 1
        mail = server.message()
        assert mail["Subject"] == "(광고) Spring"
        assert mail["List-Unsubscribe"] == "<https://example.org/no>"
        assert "(광고) 예시 주식회사" in mail.get_content()
        assert "무료 수신거부: https://example.org/no" in mail.get_content()
        with pytest.raises(InputRefused, match="how to refuse"):
            house.keeper.tell(person, "advert", "email", purpose="offers", text=NEWS)


def test_a_mail_program_is_told_by_the_header_that_one_post_refuses(home: Path) -> None:
    address = f"https://privacy.example.org/refuse/trial/email/{'a2' * 30}"
    with mail_server() as server, opened(home, NOW) as house:
        person = member(house, "reader")
        house.keeper.consent(person, "medium/email", channel="website")
        for fields in ({"one-click": "yes"}, {}):
            given = {"refusing": address, **fields}
            house.keeper.tell(person, "advert", "email", purpose="offers", text=NEWS, fields=given)
        house.keeper.deliver(by_mail(server))
        heads = [raw.partition(b"\r\n\r\n")[0].decode() for raw in server.mails]
        # As it stands on the wire: no mail program would read an address that was folded into encoded words.
        assert all(f"List-Unsubscribe: <{address}>\r\n" in head for head in heads)
        assert sorted("List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head for head in heads) == [False, True]


@pytest.mark.parametrize("address", ["http://example.org/no", "mailto:no@example.org", "call us"])
def test_one_press_is_promised_for_no_address_that_cannot_keep_it(address: str) -> None:
    document = read_policy(WITH_NEWS.encode(), "trial.yaml")
    assert "List-Unsubscribe-Post" not in refusal_headers(labelled(document, NEWS, address, one_click=True))


def test_an_advertisement_is_decided_again_when_its_turn_comes(home: Path) -> None:
    with mail_server() as server, opened(home, NOW) as house:
        person = member(house, "reader")
        house.keeper.consent(person, "medium/email", channel="website")
        queued = house.keeper.tell(
            person, "advert", "email", purpose="offers", text=NEWS, fields={"refusing": "https://example.org/no"}
        )
        assert queued.state == "queued"
        house.keeper.request(person, "suspension", channel="website", proved=True, purposes=("offers",))
        assert dict(house.keeper.deliver(by_mail(server)).counts) == {"uncertain": 0, "withdrawn": 1}
        assert server.mails == []
        (after,) = house.keeper.messages("trial", notice="advert")
        assert (after.state, after.reason) == ("withdrawn", "suspended")


def test_refusing_empties_the_queue_at_once(home: Path) -> None:
    with opened(home, NOW) as house:
        person, other = member(house, "refuses"), member(house, "stays")
        for one in (person, other):
            house.keeper.consent(one, "medium/email", channel="website")
            advertise(house, one)
        tells(house, person)
        house.keeper.withdraw(person, "medium/email", channel="website")
        states = [(one.notice, one.state) for one in house.keeper.messages("trial", subject=person)]
        assert sorted(states) == [("advert", "withdrawn"), ("business-transfer", "queued")]
        way = Scripted()
        house.keeper.deliver(way)
        assert sorted(one.to for one in way.sent) == sorted([text_of("refuses", "email"), text_of("stays", "email")])


# ── not twice, never lost ───────────────────────────────────────────────────────────────────────────────────────────


def test_two_who_deliver_side_by_side_send_nothing_twice(home: Path) -> None:
    with opened(home, NOW) as house:
        for number in range(30):
            tells(house, member(house, f"reader-{number}", offers=False))
        ways = [Scripted() for _ in range(3)]
        threads = [threading.Thread(target=house.keeper.deliver, args=(way,)) for way in ways]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sent = [one.message_id for way in ways for one in way.sent]
        assert len(sent) == len(set(sent)) == 30


def test_a_message_that_somebody_has_taken_is_taken_by_nobody_else(home: Path) -> None:
    with opened(home, NOW) as house:
        tells(house, member(house, "reader", offers=False))
        places, until = house.keeper.places, Instant(house.keeper.now() + LEASE)
        with places.active.reading() as connection:
            (row,) = outbox.ready(connection, "email", house.keeper.now(), 9)
        with places.active.transaction() as transaction:
            assert outbox.claim(transaction, row, until)
            assert not outbox.claim(transaction, row, until)


def dies_while_sending(home: Path, port: int) -> None:
    """In a process of its own: hands one message to the server and is killed before it can note that."""
    child = os.fork()
    if child == 0:
        try:
            with opened(home, NOW) as house:
                mail = by_mail(Server(port=port))
                send = mail.send

                def then_die(letter: Letter) -> Answer:
                    send(letter)
                    os.kill(os.getpid(), signal.SIGKILL)
                    raise AssertionError

                mail.send = then_die  # type: ignore[method-assign]  # planted
                house.keeper.deliver(mail)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def test_killed_between_sending_and_noting_it_the_message_is_uncertain_and_staff_settle_it(home: Path) -> None:
    with mail_server() as server:
        with opened(home, NOW) as house:
            message = tells(house, member(house, "reader"))
        dies_while_sending(home, server.port)
        assert len(server.mails) == 1
        with opened(home, NOW) as house:
            keeper = house.keeper
            assert keeper.deliver(by_mail(server)).counts.total() == 0
            assert state_of(house, message) == "sending"
            house.clock.set(Instant(house.clock.now() + LEASE))
            assert keeper.deliver(by_mail(server))["uncertain"] == 1
            assert len(server.mails) == 1
            with pytest.raises(InputRefused, match="settled as"):
                keeper.settle(message.message_id, "lost")
            keeper.settle(message.message_id, "sent", by="h" * 20)
            assert state_of(house, message) == "sent"
            assert keeper.deliver(by_mail(server)).counts.total() == 0
            proved(home, keeper)


def test_an_answer_that_comes_after_the_lease_is_better_than_not_knowing(home: Path) -> None:
    with opened(home, NOW) as house:
        message = tells(house, member(house, "reader"))

        class Slow(Scripted):
            def send(self, letter: Letter) -> Answer:
                house.clock.set(Instant(house.clock.now() + LEASE))
                house.keeper.deliver(Scripted())
                assert state_of(house, message) == "uncertain"
                return super().send(letter)

        house.keeper.deliver(Slow())
        assert state_of(house, message) == "sent"


def test_after_a_restore_what_waited_is_uncertain_and_what_was_sent_stays_sent(home: Path, tmp_path: Path) -> None:
    with opened(home, NOW) as house:
        first, second = tells(house, member(house, "first")), tells(house, member(house, "second"))
        house.keeper.seal()
    copy = copied(home, tmp_path / "copy")
    with opened(home, NOW) as house:
        house.keeper.deliver(Scripted(), limit=1)
        sent = house.keeper.messages("trial", state="sent")[0].message_id
        third = tells(house, member(house, "third"))
        house.keeper.seal()
    put_back(home, copy, "active")
    with opened(home, NOW) as house:
        house.keeper.recover()
        states = {one.message_id: one.state for one in house.keeper.messages("trial")}
        waited = ({first.message_id, second.message_id} - {sent}).pop()
        assert states == {sent: "sent", waited: "uncertain", third.message_id: "uncertain"}
        proved(home, house.keeper)


def test_a_person_told_by_letter_is_told_with_what_shows_it(home: Path) -> None:
    with opened(home, NOW) as house:
        person = member(house, "reader")
        done = house.keeper.told_by_hand(
            person, "business-transfer", "letter", b"a made-up receipt", about="merger-2024"
        )
        assert done.told
        assert house.keeper.paper("trial", done.paper_id or "") == b"a made-up receipt"
        with pytest.raises(InputRefused, match="an owed notice by one of"):
            house.keeper.told_by_hand(person, "business-transfer", "email", b"no")


def test_a_forgotten_person_leaves_no_message(home: Path) -> None:
    with opened(home, at("2020-03-01")) as house:
        keeper, clock = house.keeper, house.clock
        person = member(house, "leaves")
        tells(house, person)
        keeper.deliver(Scripted())
        keeper.fact(person, "closed")
        for day in ("2020-03-04", "2020-10-01", "2023-03-03", "2023-10-20"):
            clock.set(at(day))
            keeper.sweep()
    assert column(home / "active.db", "SELECT count(*) FROM subject") == [0]
    assert column(home / "active.db", "SELECT count(*) FROM message") == [0]


def test_what_an_owed_notice_may_be_addressed_with(home: Path) -> None:
    """Frozen, suspended, kept apart: yes. Due or corrected: no."""
    with opened(home, NOW) as house:
        keeper, clock = house.keeper, house.clock
        frozen, apart, corrected = (member(house, who) for who in ("frozen", "apart", "corrected"))
        email = next(one.value_id for one, _, _ in keeper.holdings(frozen) if one.item == "email")
        keeper.request(frozen, "rectification", channel="website", values=(email,), proved=True)
        old = next(one.value_id for one, _, _ in keeper.holdings(corrected) if one.item == "email")
        keeper.correct(corrected, old, "new-address@example.org")
        keeper.fact(apart, "closed")
        clock.set(at("2024-03-04"))
        keeper.sweep()
        for person in (frozen, apart, corrected):
            assert tells(house, person).state == "queued"
        way = Scripted()
        keeper.deliver(way)
        assert {one.to for one in way.sent} == {
            text_of("frozen", "email"), text_of("apart", "email"), "new-address@example.org",
        }  # fmt: skip
        marked = [one for one in entries(house, "address.read") if one.fields.get("disputed")]
        assert len(marked) == 1
        clock.set(at("2024-09-05"))
        assert (tells(house, apart).state, tells(house, apart).reason) == ("unreachable", "no-address")


@dataclass
class IntoFolder(Scripted):
    """A transport whose other side survives a kill: a file for each letter it was handed."""

    folder: Path = Path()

    def send(self, letter: Letter) -> Answer:
        number = len(list(self.folder.iterdir()))
        (self.folder / f"{number}-{letter.message_id}").write_text(letter.to)
        return Answer(Handed.SENT)


@pytest.mark.slow
def test_a_delivery_killed_at_any_statement_sends_at_most_once_and_claims_no_more(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with opened(home, NOW) as house:
        message = tells(house, member(house, "reader"))
    scenario = Scenario(lambda house, _: house.keeper.deliver(IntoFolder(folder=folder)), lambda house, _: None, NOW)
    folder.mkdir()
    count = len(statements(copied(home, tmp_path / "done"), scenario, {}))
    seen = set()
    for before in range(count):
        shutil.rmtree(folder)
        folder.mkdir()
        torn = copied(home, tmp_path / "torn")
        assert killed(torn, scenario, {}, before)
        sent = len(list(folder.iterdir()))
        with opened(torn, NOW + timedelta(hours=1)) as house:
            state = state_of(house, message)
            assert (state, sent) in {("queued", 0), ("sending", 0), ("sending", 1), ("sent", 1)}, before
            seen.add((state, sent))
            house.keeper.deliver(IntoFolder(folder=folder))
            after, now_sent = state_of(house, message), len(list(folder.iterdir()))
            assert after == ("uncertain" if state == "sending" else "sent"), before
            assert now_sent == (sent if state != "queued" else 1)
            proved(torn, house.keeper)
    assert {("sending", 1), ("queued", 0)} <= seen
