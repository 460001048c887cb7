"""Programs of the house: each has an id, a secret of which a digest is kept, purposes and duties, all on record.

A secret is changed without a gap: the old and the new one are both good until the change after it, or until the old
one is ended by hand. What a program may do ends with it at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from upheld.dates import Instant
from upheld.engine.acts import Reader, ReaderKind
from upheld.errors import InputRefused
from upheld.keeper.door import Door
from upheld.ledger.entries import entry
from upheld.store.place import Transaction
from upheld.store.subjects import packed_names, unpacked_names

SECRETS_AT_ONCE = 2
"""The one in use, and the one that takes its place."""


class Duty(StrEnum):
    """What a program may be trusted with. Each address of the API asks for one of them."""

    SUBJECTS = "subjects"
    """Enter persons, begin engagements, see what is held without contents."""
    LOOK_UP = "look-up"
    """Find persons by an exact identifier."""
    COLLECT = "collect"
    READ = "read"
    CONSENT = "consent"
    FACTS = "facts"
    GIVE = "give"
    """Provide and entrust."""
    DISCLOSE = "disclose"
    """Hand out under an exception that the policy declares, with what is on record for it."""
    ADVERTISE = "advertise"
    """Ask whether a message may go to a person now, and record that it goes."""
    SEPARATED = "separated"
    """See what is kept apart, for the ground that keeps it."""
    REQUESTS = "requests"
    """Exercise rights for persons and follow what becomes of it."""
    ANSWER = "answer"
    """Obey requests: take proofs, ask for more, postpone, pass on, answer; put mandates on file."""
    NOTICES = "notices"
    """See who was told what."""
    RECORDS = "records"
    """Certificates, the clause report, the ledger."""
    PUBLISH = "publish"
    MEASURES = "measures"
    """Figures for monitoring."""


@dataclass(frozen=True, slots=True)
class Application:
    """A program, without its secrets."""

    policy: str
    application_id: str
    name: str
    purposes: frozenset[str]
    duties: frozenset[Duty]
    opened_at: Instant


class Applications(Door):
    """Opening, changing the secret of, and closing programs."""

    def open_application(
        self, policy: str, name: str, *, purposes: Iterable[str] = (), duties: Iterable[Duty]
    ) -> tuple[Application, str]:
        """A program may act under a policy from now on. Returns it and its secret, which nobody can be shown again.

        Raises InputRefused for a name that is no code or in use, a purpose that the policy does not declare, no duty.
        """
        plan = self.views.line(policy).latest
        trusted, meant = frozenset(duties), frozenset(purposes)
        if not _NAME.fullmatch(name):
            raise InputRefused("name-unusable", "a program's name has 2 to 40 small letters, digits and hyphens")
        if not trusted:
            raise InputRefused("duty-missing", f"name at least one duty: {', '.join(Duty)}")
        if strange := sorted(meant - set(plan.purposes)):
            known = f"it declares: {', '.join(plan.purposes)}"
            raise InputRefused("purpose-undeclared", f"`{policy}` declares no purpose {', '.join(strange)}; {known}")
        if self.application_named(policy, name) is not None:
            raise InputRefused("name-taken", "this policy has a program of that name")
        made = Application(policy, self.new_id(), name, meant, trusted, self.now())
        secret, digest = self._secret()

        def work(transaction: Transaction) -> None:
            names = (packed_names(meant), packed_names(one.value for one in trusted))
            row = (policy, made.application_id, name, *names, made.opened_at)
            transaction.changed(INSERT_APPLICATION, row)
            transaction.changed(INSERT_SECRET, (made.application_id, digest, made.opened_at))
            transaction.journal(
                entry(
                    "application.opened",
                    made.opened_at,
                    policy,
                    None,
                    (),
                    application=made.application_id,
                    named=name,
                    purposes=tuple(sorted(meant)),
                    duties=tuple(sorted(one.value for one in trusted)),
                    digest=digest,
                )
            )

        self.places.active.submit(work)
        return made, secret

    def rotate_application(self, policy: str, name: str) -> str:
        """A new secret; the one before it stays good until the next change. Raises InputRefused."""
        application = self._known_application(policy, name).application_id
        secret, digest = self._secret()

        def work(transaction: Transaction) -> None:
            transaction.changed(INSERT_SECRET, (application, digest, transaction.at))
            transaction.execute(END_OLDER, (application, application, SECRETS_AT_ONCE))
            rotated = entry(
                "application.rotated", transaction.at, policy, None, (), application=application, digest=digest
            )
            transaction.journal(rotated)

        self.places.active.submit(work)
        return secret

    def close_application(self, policy: str, name: str) -> None:
        """The program may do nothing any more: secrets and tokens are gone at once. Raises InputRefused."""
        application = self._known_application(policy, name).application_id

        def work(transaction: Transaction) -> None:
            forget_application(transaction, policy, application)
            closed = entry("application.closed", transaction.at, policy, None, (), application=application)
            transaction.journal(closed)

        self.places.active.submit(work)

    def applications(self, policy: str) -> list[Application]:
        """Every program under a policy, by name."""
        with self.places.active.reading() as connection:
            rows = connection.execute(_ALL, (policy,)).fetchall()
        return [program_of(policy, *row) for row in rows]

    def application_named(self, policy: str, name: str) -> Application | None:
        """The program of a name."""
        return next((one for one in self.applications(policy) if one.name == name), None)

    def application_of(self, application_id: str, secret: str) -> Application | None:
        """The program whose id and secret these are."""
        with self.places.active.reading() as connection:
            row = connection.execute(_BY_ID, (application_id,)).fetchone()
            digests = [one[0] for one in connection.execute(_SECRETS, (application_id,)).fetchall()]
        right = [hmac.compare_digest(_digest(secret), one) for one in digests]
        return program_of(*row) if row is not None and any(right) else None

    def _known_application(self, policy: str, name: str) -> Application:
        found = self.application_named(policy, name)
        if found is None:
            raise InputRefused("application-unknown", "this policy has no program of that name")
        return found

    def _secret(self) -> tuple[str, bytes]:
        secret = base64.urlsafe_b64encode(self.places.random_bytes(32)).decode().rstrip("=")
        return secret, _digest(secret)


def reads_as(application: Application) -> Reader:
    """The reader that a program is: its purposes and no others."""
    duties = frozenset({Duty.SEPARATED.value}) & {one.value for one in application.duties}
    return Reader(ReaderKind.APPLICATION, application.application_id, application.purposes, duties)


def forget_application(transaction: Transaction, policy: str, application: str) -> int:
    """Take away everything by which a program could act. Returns how many programs that were, none or one."""
    for statement in (_DELETE_SECRETS, _DELETE_TOKENS, _DELETE_ANSWERS):
        transaction.execute(statement, (application,))
    return transaction.execute(_DELETE, (policy, application)).rowcount


def _digest(secret: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def program_of(policy: str, application_id: str, name: str, purposes: str, duties: str, opened_at: int) -> Application:
    """A program as its row has it."""
    trusted = frozenset(map(Duty, unpacked_names(duties)))
    return Application(policy, application_id, name, frozenset(unpacked_names(purposes)), trusted, Instant(opened_at))


_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(?<=..)(?<!.{41})")
INSERT_APPLICATION = (
    "INSERT INTO application(policy, application_id, name, purposes, duties, opened_at) VALUES(?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
INSERT_SECRET = "INSERT INTO application_secret(application_id, digest, made_at) VALUES(?, ?, ?) ON CONFLICT DO NOTHING"
END_OLDER = (
    "DELETE FROM application_secret WHERE application_id = ? AND digest NOT IN (SELECT digest FROM application_secret "
    "WHERE application_id = ? ORDER BY made_at DESC LIMIT ?)"
)
_ALL = "SELECT application_id, name, purposes, duties, opened_at FROM application WHERE policy = ? ORDER BY name"
_BY_ID = "SELECT policy, application_id, name, purposes, duties, opened_at FROM application WHERE application_id = ?"
_SECRETS = "SELECT digest FROM application_secret WHERE application_id = ?"
_DELETE = "DELETE FROM application WHERE policy = ? AND application_id = ?"
_DELETE_SECRETS = "DELETE FROM application_secret WHERE application_id = ?"
_DELETE_TOKENS = "DELETE FROM application_token WHERE application_id = ?"
_DELETE_ANSWERS = "DELETE FROM given_answer WHERE application_id = ?"
