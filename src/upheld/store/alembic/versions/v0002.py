"""Papers, messages, reviews, publication, the desk; requests say who asks and where they stand.

Tables of homes made while these were being written may be there already, so nothing is made twice.
"""

from collections.abc import Mapping
from typing import Final

from upheld.store.alembic import executed

revision: Final = "0002"
down_revision: Final = "0001"

STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "active": (
        "ALTER TABLE request ADD COLUMN asked_by TEXT NOT NULL DEFAULT 'subject'",
        "ALTER TABLE request ADD COLUMN acting_id TEXT",
        "ALTER TABLE request ADD COLUMN postponed_until INTEGER",
        "ALTER TABLE request ADD COLUMN extended INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE request ADD COLUMN answered_by TEXT",
        "ALTER TABLE request ADD COLUMN reason TEXT",
        "ALTER TABLE request ADD COLUMN passed_to TEXT",
        "ALTER TABLE request ADD COLUMN objects_to TEXT",
        "ALTER TABLE request ADD COLUMN for_child INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE IF NOT EXISTS acting(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, acting_id TEXT NOT NULL, kind TEXT NOT NULL,
            from_at INTEGER NOT NULL, known_at INTEGER NOT NULL, until_at INTEGER NOT NULL, rights TEXT NOT NULL,
            items TEXT NOT NULL, ended_at INTEGER,
            PRIMARY KEY(bucket, subject_id, acting_id)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS paper(
            bucket INTEGER NOT NULL, owner TEXT NOT NULL, paper_id TEXT NOT NULL PRIMARY KEY, policy TEXT NOT NULL,
            kind TEXT NOT NULL, held_by TEXT NOT NULL, about TEXT, filed_at INTEGER NOT NULL, until_at INTEGER NOT NULL,
            state TEXT NOT NULL, sealed BLOB)""",
        "CREATE INDEX IF NOT EXISTS paper_of_owner ON paper(bucket, owner)",
        "CREATE INDEX IF NOT EXISTS paper_due ON paper(policy, until_at)",
        """CREATE TABLE IF NOT EXISTS review(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, about TEXT NOT NULL, engagement_id TEXT NOT NULL,
            policy TEXT NOT NULL, element TEXT NOT NULL, named TEXT, since INTEGER NOT NULL, due_at INTEGER NOT NULL,
            PRIMARY KEY(bucket, subject_id, about, engagement_id)) WITHOUT ROWID""",
        "CREATE INDEX IF NOT EXISTS review_of_policy ON review(policy, due_at)",
        """CREATE TABLE IF NOT EXISTS message(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, message_id TEXT NOT NULL PRIMARY KEY,
            policy TEXT NOT NULL,
            notice TEXT NOT NULL, medium TEXT NOT NULL, about TEXT, purpose TEXT, state TEXT NOT NULL, reason TEXT,
            paper_id TEXT, attempts INTEGER NOT NULL, queued_at INTEGER NOT NULL, next_at INTEGER NOT NULL,
            leased_until INTEGER NOT NULL, settled_at INTEGER)""",
        "CREATE INDEX IF NOT EXISTS message_of_subject ON message(bucket, subject_id)",
        "CREATE INDEX IF NOT EXISTS message_waiting ON message(state, medium, next_at)",
        "CREATE INDEX IF NOT EXISTS message_about ON message(policy, notice, about)",
        """CREATE TABLE IF NOT EXISTS handover(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, policy TEXT NOT NULL, case_id TEXT NOT NULL,
            state TEXT NOT NULL, at INTEGER NOT NULL, disclosure_id TEXT,
            PRIMARY KEY(bucket, subject_id, case_id)) WITHOUT ROWID""",
        "CREATE INDEX IF NOT EXISTS handover_of_case ON handover(policy, case_id)",
        """CREATE TABLE IF NOT EXISTS merger(
            policy TEXT NOT NULL, case_id TEXT NOT NULL, fact TEXT NOT NULL, transferee TEXT NOT NULL,
            effective_at INTEGER NOT NULL, refused_means TEXT NOT NULL, ends_here INTEGER NOT NULL, kinds TEXT NOT NULL,
            to_refuse TEXT NOT NULL, opened_at INTEGER NOT NULL, closed_at INTEGER, terms_paper TEXT NOT NULL,
            PRIMARY KEY(policy, case_id))""",
        """CREATE TABLE IF NOT EXISTS posting(
            policy TEXT NOT NULL, posting_id TEXT NOT NULL, notice TEXT NOT NULL, about TEXT NOT NULL,
            place TEXT NOT NULL, printed TEXT, reason TEXT NOT NULL, from_at INTEGER NOT NULL, ended_at INTEGER,
            PRIMARY KEY(policy, posting_id))""",
        """CREATE TABLE IF NOT EXISTS policy_draft(
            policy TEXT NOT NULL PRIMARY KEY, source BLOB NOT NULL, digest TEXT NOT NULL, kept_at INTEGER NOT NULL)
            WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS notice_copy(
            policy TEXT NOT NULL, version TEXT NOT NULL, locale TEXT NOT NULL, form TEXT NOT NULL, digest BLOB NOT NULL,
            content BLOB NOT NULL, kept_at INTEGER NOT NULL,
            PRIMARY KEY(policy, version, locale, form, digest)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS publication_finding(
            policy TEXT NOT NULL, version TEXT NOT NULL, code TEXT NOT NULL, element TEXT NOT NULL,
            PRIMARY KEY(policy, version, code, element)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS rehearsal(code TEXT NOT NULL PRIMARY KEY,
            begun_at INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS account(
            policy TEXT NOT NULL, account_id TEXT NOT NULL, handler_id TEXT NOT NULL, role TEXT NOT NULL,
            name_token BLOB NOT NULL, paper_id TEXT, totp_step INTEGER NOT NULL, changed_at INTEGER NOT NULL,
            PRIMARY KEY(policy, account_id)) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX IF NOT EXISTS account_named ON account(policy, name_token)",
        """CREATE TABLE IF NOT EXISTS recovery_code(
            account_id TEXT NOT NULL, digest BLOB NOT NULL, PRIMARY KEY(account_id, digest)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS session(
            digest BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL,
            began_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, until_at INTEGER NOT NULL,
            proved TEXT NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX IF NOT EXISTS session_of ON session(who)",
        """CREATE TABLE IF NOT EXISTS session_look(
            digest BLOB NOT NULL, subject_id TEXT NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY(digest, subject_id)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS attempt(
            what BLOB NOT NULL, slot INTEGER NOT NULL, tries INTEGER NOT NULL,
            PRIMARY KEY(what, slot)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS sign_in_code(
            challenge BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, subject_id TEXT NOT NULL, item TEXT NOT NULL,
            code BLOB NOT NULL, until_at INTEGER NOT NULL, tries INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS invitation(
            link BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, subject_id TEXT NOT NULL, speaker TEXT NOT NULL,
            until_at INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS application(
            policy TEXT NOT NULL, application_id TEXT NOT NULL, name TEXT NOT NULL, purposes TEXT NOT NULL,
            duties TEXT NOT NULL, opened_at INTEGER NOT NULL, PRIMARY KEY(policy, application_id)) WITHOUT ROWID""",
        "CREATE UNIQUE INDEX IF NOT EXISTS application_named ON application(policy, name)",
        """CREATE TABLE IF NOT EXISTS application_secret(
            application_id TEXT NOT NULL, digest BLOB NOT NULL, made_at INTEGER NOT NULL,
            PRIMARY KEY(application_id, digest)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS application_token(
            digest BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, application_id TEXT NOT NULL, duties TEXT NOT NULL,
            until_at INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS given_answer(
            application_id TEXT NOT NULL, key_digest BLOB NOT NULL, content BLOB NOT NULL, status INTEGER NOT NULL,
            answer TEXT NOT NULL, until_at INTEGER NOT NULL, PRIMARY KEY(application_id, key_digest)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS cookie_choice(
            policy TEXT NOT NULL, choice_id TEXT NOT NULL, at INTEGER NOT NULL, version TEXT NOT NULL,
            allowed TEXT NOT NULL, control TEXT NOT NULL, PRIMARY KEY(policy, choice_id, at)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS background(
            name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until_at INTEGER NOT NULL,
            ran_at INTEGER NOT NULL) WITHOUT ROWID""",
    ),
    "keys": ("CREATE TABLE IF NOT EXISTS paper_key(paper_id TEXT NOT NULL PRIMARY KEY, wrapped BLOB NOT NULL)",),
}


def upgrade(place: str) -> None:
    """Called by Alembic for each place."""
    executed(STATEMENTS.get(place, ()))
