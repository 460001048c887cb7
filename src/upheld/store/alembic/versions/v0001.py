"""The first tables: what a home held before they had a second version."""

from collections.abc import Mapping
from typing import Final

from upheld.store.alembic import executed

revision: Final = "0001"
down_revision: Final = None

STATEMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "active": (
        """CREATE TABLE IF NOT EXISTS journal(
            id INTEGER PRIMARY KEY, header BLOB NOT NULL, body_hash BLOB NOT NULL, body BLOB NOT NULL,
            mac BLOB NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS stream_head(
            stream TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE IF NOT EXISTS meta(key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
        "CREATE TABLE guard(id INTEGER PRIMARY KEY CHECK (id = 1), plan_epoch INTEGER NOT NULL)",
        "INSERT INTO guard(id, plan_epoch) VALUES(1, 0)",
        """CREATE TABLE subject(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, policy TEXT NOT NULL, kind TEXT NOT NULL,
            entered_at INTEGER NOT NULL,
            minor_until INTEGER, epoch INTEGER NOT NULL, last_at INTEGER NOT NULL,
            PRIMARY KEY(bucket, subject_id)) WITHOUT ROWID""",
        """CREATE TABLE engagement(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, engagement_id TEXT NOT NULL, kind TEXT NOT NULL,
            begun_at INTEGER NOT NULL, known_at INTEGER NOT NULL, organisation TEXT,
            PRIMARY KEY(bucket, subject_id, engagement_id)) WITHOUT ROWID""",
        """CREATE TABLE fact(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, fact_id TEXT NOT NULL, code TEXT NOT NULL,
            at INTEGER NOT NULL,
            known_at INTEGER NOT NULL, engagement_id TEXT, about TEXT, value_ids TEXT NOT NULL,
            PRIMARY KEY(bucket, subject_id, fact_id)) WITHOUT ROWID""",
        """CREATE TABLE delivery(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, source TEXT NOT NULL, key_digest BLOB NOT NULL,
            content BLOB NOT NULL, answer TEXT NOT NULL, known_at INTEGER NOT NULL,
            PRIMARY KEY(bucket, subject_id, source, key_digest)) WITHOUT ROWID""",
        """CREATE TABLE consent(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, consent_id TEXT NOT NULL, about_kind TEXT NOT NULL,
            about TEXT NOT NULL,
            given INTEGER NOT NULL, at INTEGER NOT NULL, known_at INTEGER NOT NULL, version TEXT NOT NULL,
            text_digest BLOB,
            locale TEXT, channel TEXT NOT NULL, recorded_by TEXT NOT NULL,
            PRIMARY KEY(bucket, subject_id, consent_id)) WITHOUT ROWID""",
        """CREATE TABLE value(
            value_id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, item TEXT NOT NULL,
            state TEXT NOT NULL,
            generation INTEGER NOT NULL, key_id INTEGER, sealed BLOB, collected_at INTEGER NOT NULL,
            known_at INTEGER NOT NULL,
            uses TEXT NOT NULL, replaced_at INTEGER, replaced_known_at INTEGER, held_for TEXT)""",
        "CREATE INDEX value_of_subject ON value(bucket, subject_id)",
        """CREATE TABLE request(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, request_id TEXT NOT NULL, own_right TEXT NOT NULL,
            channel TEXT NOT NULL,
            received_at INTEGER NOT NULL, known_at INTEGER NOT NULL, proved_at INTEGER, value_ids TEXT NOT NULL,
            purposes TEXT NOT NULL,
            state TEXT NOT NULL, settled_at INTEGER, settled_known_at INTEGER, lifted_at INTEGER,
            freezes INTEGER NOT NULL,
            due_at INTEGER NOT NULL,
            PRIMARY KEY(bucket, subject_id, request_id)) WITHOUT ROWID""",
        """CREATE TABLE disclosure(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, disclosure_id TEXT NOT NULL, kind TEXT NOT NULL,
            recipient TEXT NOT NULL,
            value_ids TEXT NOT NULL, at INTEGER NOT NULL, known_at INTEGER NOT NULL, engagement_id TEXT,
            ended_at INTEGER,
            recalled_at INTEGER, acknowledged_at INTEGER, until_at INTEGER,
            PRIMARY KEY(bucket, subject_id, disclosure_id)) WITHOUT ROWID""",
        """CREATE TABLE told(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, told_id TEXT NOT NULL, disclosure_id TEXT NOT NULL,
            recipient TEXT NOT NULL,
            reason TEXT NOT NULL, request_id TEXT, at INTEGER NOT NULL, acknowledged_at INTEGER,
            PRIMARY KEY(bucket, subject_id, told_id)) WITHOUT ROWID""",
        """CREATE TABLE anchor(
            policy TEXT NOT NULL, fact TEXT NOT NULL, day INTEGER NOT NULL, bucket INTEGER NOT NULL,
            subject_id TEXT NOT NULL,
            PRIMARY KEY(policy, fact, day, bucket, subject_id)) WITHOUT ROWID""",
        """CREATE TABLE watermark(
            policy TEXT NOT NULL, fact TEXT NOT NULL, calendar TEXT NOT NULL, period TEXT NOT NULL,
            day INTEGER NOT NULL,
            PRIMARY KEY(policy, fact, calendar, period)) WITHOUT ROWID""",
        """CREATE TABLE dirty(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, policy TEXT NOT NULL,
            PRIMARY KEY(bucket, subject_id)) WITHOUT ROWID""",
        """CREATE TABLE step(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, value_id INTEGER NOT NULL, kind TEXT NOT NULL,
            policy TEXT NOT NULL,
            stage TEXT NOT NULL, generation INTEGER NOT NULL, tier TEXT NOT NULL, key_id INTEGER, item TEXT NOT NULL,
            due_at INTEGER NOT NULL, known_at INTEGER NOT NULL, ordered_at INTEGER NOT NULL, unreadable_at INTEGER,
            grounds TEXT NOT NULL,
            certificate_id TEXT, PRIMARY KEY(bucket, subject_id, value_id)) WITHOUT ROWID""",
        "CREATE INDEX step_open ON step(kind, stage)",
        """CREATE TABLE certificate(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, certificate_id TEXT NOT NULL, policy TEXT NOT NULL,
            at INTEGER NOT NULL, issued_at INTEGER NOT NULL,
            body BLOB NOT NULL, PRIMARY KEY(bucket, subject_id, certificate_id)) WITHOUT ROWID""",
        """CREATE TABLE work_order(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, order_id TEXT NOT NULL, policy TEXT NOT NULL,
            place TEXT NOT NULL,
            value_ids TEXT NOT NULL, due_at INTEGER NOT NULL, opened_at INTEGER NOT NULL, done_at INTEGER,
            certificate_id TEXT NOT NULL,
            PRIMARY KEY(bucket, subject_id, order_id)) WITHOUT ROWID""",
        """CREATE TABLE value_place(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, value_id INTEGER NOT NULL, place TEXT NOT NULL,
            known_at INTEGER NOT NULL, PRIMARY KEY(bucket, subject_id, value_id, place)) WITHOUT ROWID""",
        """CREATE TABLE policy_version(
            policy TEXT NOT NULL, version TEXT NOT NULL, source BLOB NOT NULL, digest TEXT NOT NULL,
            announced_at INTEGER NOT NULL,
            effective_at INTEGER NOT NULL, published_at INTEGER NOT NULL, gaps TEXT NOT NULL,
            PRIMARY KEY(policy, version)) WITHOUT ROWID""",
        """CREATE TABLE setting(policy TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY(policy,
            name)) WITHOUT ROWID""",
        """CREATE TABLE shown_text(
            digest BLOB NOT NULL PRIMARY KEY, locale TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE controller_fact(
            policy TEXT NOT NULL, fact_id TEXT NOT NULL, code TEXT NOT NULL, at INTEGER NOT NULL,
            known_at INTEGER NOT NULL, about TEXT,
            PRIMARY KEY(policy, fact_id)) WITHOUT ROWID""",
        """CREATE TABLE contract(
            policy TEXT NOT NULL, contract_id TEXT NOT NULL, party TEXT NOT NULL, from_at INTEGER NOT NULL,
            until_at INTEGER NOT NULL,
            terms TEXT NOT NULL, sub_consent INTEGER NOT NULL, closed_at INTEGER, PRIMARY KEY(policy,
            contract_id)) WITHOUT ROWID""",
        """CREATE TABLE handler(
            policy TEXT NOT NULL, handler_id TEXT NOT NULL, duty TEXT NOT NULL, party TEXT, granted_at INTEGER NOT NULL,
            until_at INTEGER NOT NULL, revoked_at INTEGER, PRIMARY KEY(policy, handler_id, duty,
            granted_at)) WITHOUT ROWID""",
        """CREATE TABLE register(
            policy TEXT NOT NULL, register TEXT NOT NULL, name TEXT NOT NULL, from_at INTEGER NOT NULL,
            until_at INTEGER NOT NULL,
            PRIMARY KEY(policy, register, name, from_at)) WITHOUT ROWID""",
        """CREATE TABLE evidence(
            policy TEXT NOT NULL, control TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, at INTEGER NOT NULL,
            known_at INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY(policy, control, kind, about,
            at)) WITHOUT ROWID""",
    ),
    "separated": (
        """CREATE TABLE IF NOT EXISTS journal(
            id INTEGER PRIMARY KEY, header BLOB NOT NULL, body_hash BLOB NOT NULL, body BLOB NOT NULL,
            mac BLOB NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS stream_head(
            stream TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE IF NOT EXISTS meta(key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
        """CREATE TABLE value(
            value_id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, item TEXT NOT NULL,
            stage TEXT NOT NULL,
            generation INTEGER NOT NULL, key_id INTEGER, sealed BLOB, since INTEGER NOT NULL, grounds TEXT NOT NULL)""",
        "CREATE INDEX value_of_subject ON value(bucket, subject_id)",
    ),
    "keys": (
        """CREATE TABLE IF NOT EXISTS journal(
            id INTEGER PRIMARY KEY, header BLOB NOT NULL, body_hash BLOB NOT NULL, body BLOB NOT NULL,
            mac BLOB NOT NULL)""",
        """CREATE TABLE IF NOT EXISTS stream_head(
            stream TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE IF NOT EXISTS meta(key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
        "CREATE TABLE active_key(key_id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL)",
        "CREATE TABLE separated_key(key_id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL)",
        """CREATE TABLE token(
            tier TEXT NOT NULL, policy TEXT NOT NULL, item TEXT NOT NULL, token BLOB NOT NULL,
            value_id INTEGER NOT NULL,
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, PRIMARY KEY(tier, policy, item, token,
            value_id)) WITHOUT ROWID""",
        "CREATE INDEX token_of_value ON token(value_id)",
        """CREATE TABLE alias(
            bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, alias TEXT NOT NULL, policy TEXT NOT NULL,
            PRIMARY KEY(bucket, subject_id)) WITHOUT ROWID""",
        "CREATE INDEX alias_of ON alias(alias)",
    ),
    "ledger": (
        "CREATE TABLE meta(key TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
        """CREATE TABLE stream(
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER NOT NULL, hash BLOB NOT NULL)""",
        """CREATE TABLE batch(
            leaf INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream(id), n INTEGER NOT NULL,
            class INTEGER NOT NULL,
            from_at INTEGER NOT NULL, until_at INTEGER NOT NULL, header BLOB NOT NULL, body_hash BLOB NOT NULL,
            mac BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX batch_of_stream ON batch(stream, n)",
        "CREATE INDEX batch_when ON batch(until_at, from_at)",
        """CREATE TABLE body(leaf INTEGER PRIMARY KEY REFERENCES batch(leaf),
            body BLOB NOT NULL,
            marks BLOB NOT NULL)""",
        """CREATE TABLE tile(
            level INTEGER NOT NULL, place INTEGER NOT NULL, hashes BLOB NOT NULL,
            PRIMARY KEY(level, place)) WITHOUT ROWID""",
        "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL)",
        "CREATE TABLE name(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
        """CREATE TABLE named_in(
            name INTEGER NOT NULL REFERENCES name(id), leaf INTEGER NOT NULL, PRIMARY KEY(name, leaf)) WITHOUT ROWID""",
        """CREATE TABLE entry_index(
            alias TEXT NOT NULL, leaf INTEGER NOT NULL, PRIMARY KEY(alias, leaf)) WITHOUT ROWID""",
        """CREATE TABLE tally(
            policy INTEGER NOT NULL, element INTEGER NOT NULL, kind INTEGER NOT NULL, day INTEGER NOT NULL,
            entries INTEGER NOT NULL, value_count INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(policy, element, kind, day)) WITHOUT ROWID""",
    ),
}


def upgrade(place: str) -> None:
    """Called by Alembic for each place."""
    executed(STATEMENTS.get(place, ()))
