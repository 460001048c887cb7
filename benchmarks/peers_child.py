"""Other libraries, each doing its own: run by `benchmarks/peers.py` in an environment that has them and not us.

Reads the name of an operation and how often from its input, answers with the seconds that it took.
"""


# ruff: noqa: RUF012  mapped classes are declared as their library wants it
# mypy: ignore-errors

import json
import sys
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import perf_counter

PURPOSES = 25
NUMBERS = count(1)


def cedarpy():
    """Twenty-five permits, a principal with consents; policies and entities parsed once."""
    import cedarpy as cedar

    policies = "\n".join(
        f'permit(principal, action == Action::"read", resource) when {{ resource.purpose == "purpose{one}" && '
        f'principal.consents.contains("purpose{one}") }};'
        for one in range(PURPOSES)
    )
    entities = [
        {"uid": {"type": "Person", "id": "p"}, "attrs": {"consents": ["purpose3", "purpose7"]}, "parents": []},
        {"uid": {"type": "Value", "id": "v"}, "attrs": {"purpose": "purpose7"}, "parents": []},
    ]
    request = {"principal": 'Person::"p"', "action": 'Action::"read"', "resource": 'Value::"v"', "context": {}}
    known = cedar.PolicySet.from_str(policies), cedar.Entities.from_json_str(json.dumps(entities))

    def decide(times):
        for _ in range(times):
            assert cedar.is_authorized(request, *known).allowed

    return {"decide": decide}


def pycasbin():
    """Twenty-five rules of who may do what for which purpose."""
    import casbin

    folder = Path(tempfile.mkdtemp())
    (folder / "model.conf").write_text(
        "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[policy_effect]\n"
        "e = some(where (p.eft == allow))\n[matchers]\nm = r.sub == p.sub && r.obj == p.obj && r.act == p.act\n"
    )
    (folder / "policy.csv").write_text("".join(f"p, person, purpose{one}, read\n" for one in range(PURPOSES)))
    enforcer = casbin.Enforcer(str(folder / "model.conf"), str(folder / "policy.csv"))

    def decide(times):
        for _ in range(times):
            assert enforcer.enforce("person", "purpose7", "read")

    return {"decide": decide}


def database():
    """A database of its own: every commit on the disk before it is answered, and deleted bytes overwritten, as ours."""
    from sqlalchemy import create_engine, event

    if len(sys.argv) > 2:
        import psycopg

        return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(sys.argv[2]))
    engine = create_engine(f"sqlite:///{tempfile.mkdtemp()}/peer.db")

    @event.listens_for(engine, "connect")
    def connected(connection, _):
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}").fetchall()

    return engine


def effaced():
    """Its consent ledger, planner, executor and audit sink. On SQLite the sink waits for its own caller for ever."""
    import effaced as library
    from sqlalchemy import ForeignKey, Integer, String
    from sqlalchemy.orm import DeclarativeBase, mapped_column, relationship, sessionmaker

    engine = database()
    kept = library.pii(library.PiiCategory.CONTACT)

    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "person"
        __table_args__ = {"info": library.subject_link("")}
        id = mapped_column(String, primary_key=True)
        name = mapped_column(String, info=kept)

    class Value(Base):
        __tablename__ = "value"
        __table_args__ = {"info": library.subject_link("person")}
        id = mapped_column(Integer, primary_key=True)
        person_id = mapped_column(ForeignKey("person.id"), index=True)
        content = mapped_column(String, info=kept)
        person = relationship(Person)

    metadata = Base.metadata
    data_map = library.collect_data_map(metadata)
    graph = library.resolve_subject_graph(data_map, Base.registry)
    tables = library.bind_tables(metadata)
    metadata.create_all(engine)
    sessions = sessionmaker(engine)
    sink = library.DatabaseAuditSink(sessions, tables.audit_events)
    consents = library.ConsentLedger(tables.consent_records, sink)
    planner = library.ErasurePlanner(
        data_map, graph, executor=library.ErasureExecutor(metadata),
        outbox=library.Outbox(sessions, tables.outbox), audit_sink=sink,
    )  # fmt: skip

    def consent(times):
        for _ in range(times):
            with sessions.begin() as session:
                consents.record(
                    session,
                    library.ConsentRecord(
                        subject_id=f"p{next(NUMBERS)}", purpose="offers", policy_version="1", granted=True,
                        recorded_at=datetime.now(UTC), source="website",
                    ),
                )  # fmt: skip

    def loaded(times):
        """Persons; the time for that is not counted."""
        names = [f"e{next(NUMBERS)}" for _ in range(times)]
        with sessions.begin() as session:
            session.add_all([Person(id=name, name="Made Up") for name in names])
            session.flush()
            session.add_all([Value(person_id=name, content="x" * 64) for name in names for _ in range(7)])
        return names

    def erase(times):
        """Each in a transaction of its own."""
        names, start = loaded(times), perf_counter()
        for name in names:
            with sessions.begin() as session:
                planner.erase_subject(session, name)
        return perf_counter() - start

    def erase_together(times):
        """All in one transaction; its audit commits each event by itself."""
        names, start = loaded(times), perf_counter()
        with sessions.begin() as session:
            for name in names:
                planner.erase_subject(session, name)
        return perf_counter() - start

    return {"consent": consent, "erase": erase, "erase_together": erase_together}


def dpdpkit():
    """Its kit over its SQLAlchemy repository, on a database of its own that waits for the disk."""
    import dpdpkit as library
    import yaml
    from dpdpkit.config import STARTER_CONFIG
    from dpdpkit.fastapi.repository import SqlAlchemyRepository

    config = yaml.safe_load(STARTER_CONFIG)
    repository = SqlAlchemyRepository(database())
    repository.create_all()
    kit = library.kit_from_config(config, repository, notifier=library.MemoryNotifier(), signing_key="made up")
    library.sync_notice(kit, config)
    kit.consent.grant("one", "marketing")

    def consent(times):
        for _ in range(times):
            kit.consent.grant(f"p{next(NUMBERS)}", "marketing")

    def decide(times):
        for _ in range(times):
            assert kit.consent.check("one", "marketing")

    def verify(times):
        for _ in range(times):
            kit.ledger.verify()

    return {"consent": consent, "decide": decide, "verify": verify}


def main():
    """One library, asked line by line."""
    known = {"cedarpy": cedarpy, "pycasbin": pycasbin, "effaced": effaced, "dpdpkit": dpdpkit}[sys.argv[1]]()
    print("ready", flush=True)
    for line in sys.stdin:
        name, times = line.split()
        start = perf_counter()
        own = known[name](int(times))
        print(perf_counter() - start if own is None else own, flush=True)


if __name__ == "__main__":
    main()
