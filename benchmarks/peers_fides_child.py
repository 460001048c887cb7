"""`ethyca-fides` erasing a person: run by `benchmarks/peers_fides.py` in an environment that has it and not us.

Its arguments are a database for itself, a database with the persons, both on a socket, and the port of a Redis. Nothing
of it is replaced: its own migrations, its default taxonomy, its service that takes a request, its tasks. Celery runs
them in the process of the caller, as it does by default where there is no worker, so nobody waits for a poll.
Reads the name of an operation and how often from its input, answers with a number.
"""

# mypy: ignore-errors

import os
import sys
import tempfile
from itertools import count
from time import perf_counter

VALUES = {
    "name": "user.name", "address": "user.contact.address", "contact": "user.contact.phone_number",
    "gender": "user.demographic.gender", "birth_date": "user.demographic.date_of_birth",
    "mobile": "user.contact.phone_number", "login_id": "user.account.username",
}  # fmt: skip
"""The seven columns, each with its category in the taxonomy that comes with it."""
KEY = "person_store"
NUMBERS = count(1)


def spoken(address: str, driver: str = "") -> str:
    """A libpq address of a socket as SQLAlchemy writes one."""
    parts = dict(part.split("=", 1) for part in address.split())
    return f"postgresql{driver}://{parts['user']}@/{parts['dbname']}?host={parts['host']}"


def settings(own: str, port: str) -> dict[str, str]:
    """What a first start asks for, its messages and its analytics off."""
    return {
        "DATABASE__SQLALCHEMY_DATABASE_URI": spoken(own),
        "DATABASE__SYNC_DATABASE_URI": spoken(own, "+psycopg2"),
        "DATABASE__ASYNC_DATABASE_URI": spoken(own, "+asyncpg"),
        "REDIS__HOST": "127.0.0.1",
        "REDIS__PORT": port,
        "REDIS__PASSWORD": "madeup",
        "SECURITY__APP_ENCRYPTION_KEY": "a made up key of thirty-two byte",
        "CELERY__TASK_ALWAYS_EAGER": "true",
        "EXECUTION__REQUIRE_MANUAL_REQUEST_APPROVAL": "false",
        "EXECUTION__SUBJECT_IDENTITY_VERIFICATION_REQUIRED": "false",
        "LOGGING__LEVEL": "ERROR",
        "USER__ANALYTICS_OPT_OUT": "true",
    }


def set_up(persons):
    """Its database, the connection to the persons with what is where, and a policy that nulls every value."""
    from fides.api.api.deps import get_api_session
    from fides.api.db.database import configure_db, seed_db
    from fides.api.db.seed import get_client_id
    from fides.api.models.connectionconfig import ConnectionConfig
    from fides.api.models.datasetconfig import DatasetConfig
    from fides.api.models.policy import Policy, Rule, RuleTarget
    from fides.api.models.sql_models import Dataset
    from fides.config import CONFIG

    configure_db(CONFIG.database.sync_database_uri)
    session = get_api_session()
    seed_db(session)
    secrets = {"host": "localhost", "url": spoken(persons)}
    known = {"key": KEY, "name": KEY, "connection_type": "postgres", "access": "write", "secrets": secrets}
    connection = ConnectionConfig.create(session, data=known)
    fields = [
        {"name": "id", "data_categories": ["system.operations"], "fides_meta": {"primary_key": True}},
        {"name": "email", "data_categories": ["user.contact.email"], "fides_meta": {"identity": "email"}},
        *({"name": name, "data_categories": [category]} for name, category in VALUES.items()),
    ]
    described = {"fides_key": KEY, "name": KEY, "collections": [{"name": "person", "fields": fields}]}
    dataset = Dataset.create_from_dataset_dict(session, described)
    own = {"connection_config_id": connection.id, "fides_key": KEY, "ctl_dataset_id": dataset.id}
    DatasetConfig.create(session, data=own)
    by = {"client_id": get_client_id(session)}
    policy = Policy.create(session, data={"name": "erasure", "key": "erasure", **by})
    nulled = {"action_type": "erasure", "masking_strategy": {"strategy": "null_rewrite", "configuration": {}}}
    rule = Rule.create(session, data={"name": "erase", "key": "erase", "policy_id": policy.id, **nulled, **by})
    for category in sorted({*VALUES.values()}):
        RuleTarget.create(session, data={"data_category": category, "rule_id": rule.id, **by})
    session.close()


def tables(own, persons):
    """A cursor on the persons, a row of seven columns each; the server has looked at what is in its own tables."""
    import psycopg2

    cursors = []
    for address in (own, persons):
        connection = psycopg2.connect(address)
        connection.autocommit = True
        cursors.append(connection.cursor())
    cursors[0].execute("VACUUM (ANALYZE)")
    columns = ", ".join(f"{name} text" for name in VALUES)
    cursors[1].execute(f"CREATE TABLE person (id bigint PRIMARY KEY, email text UNIQUE, {columns})")
    return cursors[1]


def erasing(rows):
    """From a request until its status is complete and the seven values are null, one after the other."""
    from fides.api.api.deps import get_api_session
    from fides.api.schemas.privacy_request import PrivacyRequestCreate, PrivacyRequestStatus
    from fides.config import CONFIG
    from fides.config.config_proxy import ConfigProxy
    from fides.service.messaging.messaging_service import MessagingService
    from fides.service.privacy_request.privacy_request_service import PrivacyRequestService
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    columns = ", ".join(VALUES)

    def one():
        number = next(NUMBERS)
        email = f"made-up-{number}@example.org"
        places = ", %s" * len(VALUES)
        rows.execute(
            f"INSERT INTO person (id, email, {columns}) VALUES (%s, %s{places})",
            (number, email, *["x" * 64] * len(VALUES)),
        )
        start = perf_counter()
        session = get_api_session()
        config = ConfigProxy(session)
        service = PrivacyRequestService(session, config, MessagingService(session, CONFIG, config))
        asked = service.create_privacy_request(
            PrivacyRequestCreate(identity={"email": email}, policy_key="erasure"), authenticated=True
        )
        taken = perf_counter() - start
        session.refresh(asked)
        assert asked.status == PrivacyRequestStatus.complete, asked.status
        session.close()
        rows.execute(f"SELECT {columns} FROM person WHERE id = %s", (number,))
        assert rows.fetchone() == (None,) * len(VALUES)
        return taken

    def statements(times):
        """How many one erasure executes."""
        seen = []
        listener = lambda *told: seen.append(1)  # noqa: E731  the same object has to be named again to be removed
        event.listen(Engine, "before_cursor_execute", listener)
        for _ in range(times):
            one()
        event.remove(Engine, "before_cursor_execute", listener)
        return len(seen) / times

    return {"erase": lambda times: sum(one() for _ in range(times)), "statements": statements}


def main():
    """Asked line by line. What it prints itself goes elsewhere than its answers."""
    own, persons, port = sys.argv[1:4]
    empty = tempfile.mkdtemp()  # it looks for settings here and at home: there are none but these
    os.environ.update({f"FIDES__{name}": value for name, value in settings(own, port).items()}, HOME=empty)
    os.chdir(empty)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    set_up(persons)
    known = erasing(tables(own, persons))
    print("ready", file=answers)
    for line in sys.stdin:
        name, times = line.split()
        print(known[name](int(times)), file=answers)


if __name__ == "__main__":
    main()
