"""The tables of the places. Every table that grows leads with the bucket of its subject.

`value` leads with `value_id`,
whose highest bits are the bucket and the month of collection (`docs/adr/0007-value-ids.md`).
A column that could say something about a person is an opaque id, a code of the policy, an instant, or ciphertext.
"""

from typing import Final

from upheld.store.journal import SCHEMA as JOURNAL

VERSION: Final = 6
"""Raised with every change of these tables; a module of `store/alembic/versions` leads there."""


def keyed(table: str, columns: str) -> tuple[str, ...]:
    """Statements that give a table of a server another primary key."""
    return f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey", f"ALTER TABLE {table} ADD PRIMARY KEY({columns})"


BUCKET_OF_KEY: Final = "bucket INTEGER GENERATED ALWAYS AS (key_id >> 37 & 1023) VIRTUAL"
BUCKET_OF_PAPER_KEY: Final = (
    "bucket INTEGER GENERATED ALWAYS AS "
    "(instr('abcdefghijklmnopqrstuvwxyz234567', substr(paper_id, 1, 1)) * 32 - 33 "
    "+ instr('abcdefghijklmnopqrstuvwxyz234567', substr(paper_id, 2, 1))) VIRTUAL"
)

ACTIVE: Final = (
    *JOURNAL,
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
        given INTEGER NOT NULL, at INTEGER NOT NULL, known_at INTEGER NOT NULL, version TEXT NOT NULL, text_digest BLOB,
        locale TEXT, channel TEXT NOT NULL, recorded_by TEXT NOT NULL,
        PRIMARY KEY(bucket, subject_id, consent_id)) WITHOUT ROWID""",
    # What is confirmed to whom said it, in the order in which it became known: the few that are about advertising.
    "CREATE INDEX consent_to_medium ON consent(known_at, consent_id) WHERE about_kind = 'medium'",
    """CREATE TABLE value(
        value_id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, item TEXT NOT NULL,
        state TEXT NOT NULL,
        generation INTEGER NOT NULL, key_id INTEGER, sealed BLOB, collected_at INTEGER NOT NULL,
        known_at INTEGER NOT NULL,
        uses TEXT NOT NULL, replaced_at INTEGER, replaced_known_at INTEGER, held_for TEXT)""",
    "CREATE INDEX value_of_subject ON value(bucket, subject_id)",
    # Who has, or had, values under a purpose: once a person and purpose, so that nothing is written with each value.
    """CREATE TABLE under_purpose(
        bucket INTEGER NOT NULL, policy TEXT NOT NULL, purpose TEXT NOT NULL, subject_id TEXT NOT NULL,
        PRIMARY KEY(bucket, policy, purpose, subject_id)) WITHOUT ROWID""",
    """CREATE TABLE request(
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, request_id TEXT NOT NULL, own_right TEXT NOT NULL,
        channel TEXT NOT NULL,
        received_at INTEGER NOT NULL, known_at INTEGER NOT NULL, proved_at INTEGER, value_ids TEXT NOT NULL,
        purposes TEXT NOT NULL,
        state TEXT NOT NULL, settled_at INTEGER, settled_known_at INTEGER, lifted_at INTEGER, freezes INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        asked_by TEXT NOT NULL DEFAULT 'subject', acting_id TEXT, postponed_until INTEGER,
        extended INTEGER NOT NULL DEFAULT 0, answered_by TEXT, reason TEXT, passed_to TEXT, objects_to TEXT,
        for_child INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY(bucket, subject_id, request_id)) WITHOUT ROWID""",
    """CREATE TABLE acting(
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, acting_id TEXT NOT NULL, kind TEXT NOT NULL,
        from_at INTEGER NOT NULL, known_at INTEGER NOT NULL, until_at INTEGER NOT NULL, rights TEXT NOT NULL,
        items TEXT NOT NULL, ended_at INTEGER,
        PRIMARY KEY(bucket, subject_id, acting_id)) WITHOUT ROWID""",
    """CREATE TABLE disclosure(
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, disclosure_id TEXT NOT NULL, kind TEXT NOT NULL,
        recipient TEXT NOT NULL,
        value_ids TEXT NOT NULL, at INTEGER NOT NULL, known_at INTEGER NOT NULL, engagement_id TEXT, ended_at INTEGER,
        recalled_at INTEGER, acknowledged_at INTEGER, until_at INTEGER,
        PRIMARY KEY(bucket, subject_id, disclosure_id)) WITHOUT ROWID""",
    """CREATE TABLE told(
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, told_id TEXT NOT NULL, disclosure_id TEXT NOT NULL,
        recipient TEXT NOT NULL,
        reason TEXT NOT NULL, request_id TEXT, at INTEGER NOT NULL, acknowledged_at INTEGER,
        PRIMARY KEY(bucket, subject_id, told_id)) WITHOUT ROWID""",
    "CREATE INDEX told_awaited ON told(recipient, at) WHERE acknowledged_at IS NULL",
    """CREATE TABLE anchor(
        policy TEXT NOT NULL, fact TEXT NOT NULL, day INTEGER NOT NULL, bucket INTEGER NOT NULL,
        subject_id TEXT NOT NULL,
        PRIMARY KEY(policy, fact, day, bucket, subject_id)) WITHOUT ROWID""",
    """CREATE TABLE watermark(
        policy TEXT NOT NULL, fact TEXT NOT NULL, calendar TEXT NOT NULL, period TEXT NOT NULL, day INTEGER NOT NULL,
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
    # `owner` is a subject or a handler; `until_at` is far away while nobody knows the end; `sealed` is ciphertext.
    """CREATE TABLE paper(
        bucket INTEGER NOT NULL, owner TEXT NOT NULL, paper_id TEXT NOT NULL PRIMARY KEY, policy TEXT NOT NULL,
        kind TEXT NOT NULL, held_by TEXT NOT NULL, about TEXT, filed_at INTEGER NOT NULL, until_at INTEGER NOT NULL,
        state TEXT NOT NULL, sealed BLOB, reckoned INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX paper_of_owner ON paper(bucket, owner)",
    "CREATE INDEX paper_due ON paper(policy, until_at)",
    """CREATE TABLE review(
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, about TEXT NOT NULL, engagement_id TEXT NOT NULL,
        policy TEXT NOT NULL, element TEXT NOT NULL, named TEXT, since INTEGER NOT NULL, due_at INTEGER NOT NULL,
        PRIMARY KEY(bucket, subject_id, about, engagement_id)) WITHOUT ROWID""",
    "CREATE INDEX review_of_policy ON review(policy, due_at)",
    """CREATE TABLE message(
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, message_id TEXT NOT NULL PRIMARY KEY, policy TEXT NOT NULL,
        notice TEXT NOT NULL, medium TEXT NOT NULL, about TEXT, purpose TEXT, state TEXT NOT NULL, reason TEXT,
        paper_id TEXT, attempts INTEGER NOT NULL, queued_at INTEGER NOT NULL, next_at INTEGER NOT NULL,
        leased_until INTEGER NOT NULL, settled_at INTEGER)""",
    "CREATE INDEX message_of_subject ON message(bucket, subject_id)",
    "CREATE INDEX message_waiting ON message(state, medium, next_at)",
    "CREATE INDEX message_about ON message(policy, notice, about)",
    """CREATE TABLE handover(
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, policy TEXT NOT NULL, case_id TEXT NOT NULL,
        state TEXT NOT NULL, at INTEGER NOT NULL, disclosure_id TEXT,
        PRIMARY KEY(bucket, subject_id, case_id)) WITHOUT ROWID""",
    "CREATE INDEX handover_of_case ON handover(policy, case_id)",
    # ── the organisation: small tables, the same everywhere ──
    # What people are told of a merger is a paper; here stand codes and instants.
    """CREATE TABLE merger(
        policy TEXT NOT NULL, case_id TEXT NOT NULL, fact TEXT NOT NULL, transferee TEXT NOT NULL,
        effective_at INTEGER NOT NULL, refused_means TEXT NOT NULL, ends_here INTEGER NOT NULL, kinds TEXT NOT NULL,
        to_refuse TEXT NOT NULL, opened_at INTEGER NOT NULL, closed_at INTEGER, terms_paper TEXT NOT NULL,
        PRIMARY KEY(policy, case_id))""",
    """CREATE TABLE posting(
        policy TEXT NOT NULL, posting_id TEXT NOT NULL, notice TEXT NOT NULL, about TEXT NOT NULL,
        place TEXT NOT NULL, printed TEXT, reason TEXT NOT NULL, from_at INTEGER NOT NULL, ended_at INTEGER,
        PRIMARY KEY(policy, posting_id))""",
    # Who did something and who approved it, never the same; `until_at`: destruction of what fell due until then.
    """CREATE TABLE approval(
        policy TEXT NOT NULL, approval_id TEXT NOT NULL, what TEXT NOT NULL, about TEXT, until_at INTEGER,
        at INTEGER NOT NULL, by_id TEXT NOT NULL, approver_id TEXT NOT NULL, PRIMARY KEY(policy, approval_id))""",
    """CREATE TABLE policy_version(
        policy TEXT NOT NULL, version TEXT NOT NULL, source BLOB NOT NULL, digest TEXT NOT NULL,
        announced_at INTEGER NOT NULL,
        effective_at INTEGER NOT NULL, published_at INTEGER NOT NULL, gaps TEXT NOT NULL,
        PRIMARY KEY(policy, version)) WITHOUT ROWID""",
    # A document being prepared: contracts, roles and evidence are recorded against it; nothing is decided by it.
    """CREATE TABLE policy_draft(
        policy TEXT NOT NULL PRIMARY KEY, source BLOB NOT NULL, digest TEXT NOT NULL, kept_at INTEGER NOT NULL)
        WITHOUT ROWID""",
    """CREATE TABLE notice_copy(
        policy TEXT NOT NULL, version TEXT NOT NULL, locale TEXT NOT NULL, form TEXT NOT NULL, digest BLOB NOT NULL,
        content BLOB NOT NULL, kept_at INTEGER NOT NULL,
        PRIMARY KEY(policy, version, locale, form, digest)) WITHOUT ROWID""",
    """CREATE TABLE publication_finding(
        policy TEXT NOT NULL, version TEXT NOT NULL, code TEXT NOT NULL, element TEXT NOT NULL,
        PRIMARY KEY(policy, version, code, element)) WITHOUT ROWID""",
    # A rehearsal under way: whatever carries its code goes when the row is found by anybody else.
    "CREATE TABLE rehearsal(code TEXT NOT NULL PRIMARY KEY, begun_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE setting(policy TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(policy, "
    "name)) WITHOUT ROWID",
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
)

DESK: Final = (
    # Staff accounts and sign-in. What is secret or says who somebody is lies in papers; here stand ids and digests.
    """CREATE TABLE account(
        policy TEXT NOT NULL, account_id TEXT NOT NULL, handler_id TEXT NOT NULL, role TEXT NOT NULL,
        name_token BLOB NOT NULL, paper_id TEXT, totp_step INTEGER NOT NULL, changed_at INTEGER NOT NULL,
        PRIMARY KEY(policy, account_id)) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX account_named ON account(policy, name_token)",
    # Who of the staff is whom at the house's own sign-in: a keyed digest of the provider's claim, bound by the officer.
    """CREATE TABLE account_identity(
        policy TEXT NOT NULL, provider TEXT NOT NULL, claim BLOB NOT NULL, account_id TEXT NOT NULL,
        bound_at INTEGER NOT NULL, PRIMARY KEY(policy, provider, claim)) WITHOUT ROWID""",
    # A sign-in that was begun at the house's own provider: digest of its state, what it was begun for, once.
    """CREATE TABLE sign_in_flow(
        state BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, provider TEXT NOT NULL, area TEXT NOT NULL,
        until_at INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE recovery_code(
        account_id TEXT NOT NULL, digest BLOB NOT NULL, PRIMARY KEY(account_id, digest)) WITHOUT ROWID""",
    """CREATE TABLE session(
        digest BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL,
        began_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, until_at INTEGER NOT NULL,
        proved TEXT NOT NULL, provider TEXT, known_as BLOB, sitting BLOB) WITHOUT ROWID""",
    "CREATE INDEX session_of ON session(who)",
    """CREATE TABLE session_look(
        digest BLOB NOT NULL, subject_id TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY(digest, subject_id)) WITHOUT ROWID""",
    """CREATE TABLE attempt(
        what BLOB NOT NULL, slot INTEGER NOT NULL, tries INTEGER NOT NULL,
        PRIMARY KEY(what, slot)) WITHOUT ROWID""",
    """CREATE TABLE sign_in_code(
        challenge BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, subject_id TEXT NOT NULL, item TEXT NOT NULL,
        code BLOB NOT NULL, until_at INTEGER NOT NULL, tries INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE invitation(
        link BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, subject_id TEXT NOT NULL, speaker TEXT NOT NULL,
        until_at INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE staff_invitation(
        link BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, account_id TEXT NOT NULL,
        until_at INTEGER NOT NULL) WITHOUT ROWID""",
    # Programs of the house. Secrets are 256 random bits: a plain digest of them tells nobody anything.
    """CREATE TABLE application(
        policy TEXT NOT NULL, application_id TEXT NOT NULL, name TEXT NOT NULL, purposes TEXT NOT NULL,
        duties TEXT NOT NULL, opened_at INTEGER NOT NULL, PRIMARY KEY(policy, application_id)) WITHOUT ROWID""",
    "CREATE UNIQUE INDEX application_named ON application(policy, name)",
    """CREATE TABLE application_secret(
        application_id TEXT NOT NULL, digest BLOB NOT NULL, made_at INTEGER NOT NULL,
        PRIMARY KEY(application_id, digest)) WITHOUT ROWID""",
    """CREATE TABLE application_token(
        digest BLOB NOT NULL PRIMARY KEY, policy TEXT NOT NULL, application_id TEXT NOT NULL, duties TEXT NOT NULL,
        until_at INTEGER NOT NULL) WITHOUT ROWID""",
    # What was answered under an idempotency key: keyed digests, and an answer of ids and codes, never a content.
    """CREATE TABLE given_answer(
        application_id TEXT NOT NULL, key_digest BLOB NOT NULL, content BLOB NOT NULL, status INTEGER NOT NULL,
        answer TEXT NOT NULL, until_at INTEGER NOT NULL, PRIMARY KEY(application_id, key_digest)) WITHOUT ROWID""",
    """CREATE TABLE cookie_choice(
        policy TEXT NOT NULL, choice_id TEXT NOT NULL, at INTEGER NOT NULL, version TEXT NOT NULL,
        allowed TEXT NOT NULL, control TEXT NOT NULL, PRIMARY KEY(policy, choice_id, at)) WITHOUT ROWID""",
    # What all processes counted, for whoever watches: codes and sums.
    """CREATE TABLE figure(
        policy TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, times INTEGER NOT NULL,
        PRIMARY KEY(policy, name, label)) WITHOUT ROWID""",
    """CREATE TABLE background(
        name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until_at INTEGER NOT NULL,
        ran_at INTEGER NOT NULL) WITHOUT ROWID""",
)

SEPARATED: Final = (
    *JOURNAL,
    """CREATE TABLE value(
        value_id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, item TEXT NOT NULL,
        stage TEXT NOT NULL,
        generation INTEGER NOT NULL, key_id INTEGER, sealed BLOB, since INTEGER NOT NULL, grounds TEXT NOT NULL)""",
    "CREATE INDEX value_of_subject ON value(bucket, subject_id)",
)

KEYS: Final = (
    *JOURNAL,
    # The bucket of a key follows from its id. A file does not store it: rows of one size leave no copies when they go.
    f"CREATE TABLE active_key(key_id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL, {BUCKET_OF_KEY})",
    f"CREATE TABLE separated_key(key_id INTEGER PRIMARY KEY, wrapped BLOB NOT NULL, {BUCKET_OF_KEY})",
    f"CREATE TABLE paper_key(paper_id TEXT NOT NULL PRIMARY KEY, wrapped BLOB NOT NULL, {BUCKET_OF_PAPER_KEY})",
    # Under which key of the ring new keys are wrapped, as its mark; and what else rests on the ring, wrapped by it.
    "CREATE TABLE key_ring(ring TEXT NOT NULL PRIMARY KEY, mark BLOB NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE root_key(name TEXT NOT NULL PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE token(
        tier TEXT NOT NULL, policy TEXT NOT NULL, item TEXT NOT NULL, token BLOB NOT NULL, value_id INTEGER NOT NULL,
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, PRIMARY KEY(tier, policy, item, token,
        value_id)) WITHOUT ROWID""",
    "CREATE INDEX token_of_value ON token(value_id)",
    """CREATE TABLE alias(
        bucket INTEGER NOT NULL, subject_id TEXT NOT NULL, alias TEXT NOT NULL, policy TEXT NOT NULL,
        PRIMARY KEY(bucket, subject_id)) WITHOUT ROWID""",
    "CREATE INDEX alias_of ON alias(alias)",
)

_JOURNAL_ON_A_SERVER: Final = (
    "ALTER TABLE journal ALTER COLUMN id DROP IDENTITY IF EXISTS",
    *keyed("journal", "bucket, id"),
    "CREATE INDEX journal_in_order ON journal(id)",
)
ON_A_SERVER: Final = {
    "active": (
        *_JOURNAL_ON_A_SERVER,
        "ALTER TABLE guard ALTER COLUMN id DROP IDENTITY IF EXISTS",
        *keyed("value", "bucket, value_id"),
        *keyed("paper", "bucket, paper_id"),
        "CREATE INDEX paper_named ON paper(paper_id)",
        *keyed("message", "bucket, message_id"),
        "CREATE INDEX message_named ON message(message_id)",
    ),
    "separated": (*_JOURNAL_ON_A_SERVER, *keyed("value", "bucket, value_id")),
    "keys": (
        *_JOURNAL_ON_A_SERVER,
        *keyed("active_key", "bucket, key_id"),
        *keyed("separated_key", "bucket, key_id"),
        *keyed("paper_key", "bucket, paper_id"),
        *keyed("token", "bucket, value_id, tier, policy, item, token"),
        "DROP INDEX token_of_value",
        "CREATE INDEX token_of_text ON token(tier, policy, item, token)",
    ),
}
"""What a server has otherwise, said after the tables: keys that begin with the bucket, so that rows can lie on several
machines. In a file a row is found fastest by its number, and the number of a value or key has the bucket in it.
"""

STAMP: Final = (
    """CREATE TABLE alembic_version(
        version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))""",
    f"INSERT INTO alembic_version(version_num) VALUES('{VERSION:04}')",
)
"""What tells Alembic that a place was made as this version has it."""

PLACES: Final = {"active": (*ACTIVE, *DESK), "separated": SEPARATED, "keys": KEYS}
