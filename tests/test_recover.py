"""Any place put back to any earlier copy: noticed, brought up to date, and nothing destroyed is ever readable again."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import upheld
from tests.homes import column, copied, databases, kept_bytes
from tests.homes import put_back as put_back_in
from tests.trial_home import (
    POLICY,
    House,
    Row,
    at,
    furnished,
    member,
    opened,
    proved,
    readable,
    rows_in,
    text_of,
    vault_of,
)
from upheld import system
from upheld.engine.acts import RequestId, ValueId
from upheld.errors import StoreFailed
from upheld.keeper import replaying
from upheld.keeper.replaying import DocumentMissing
from upheld.ledger.entries import KINDS
from upheld.store import history
from upheld.store.leases import HomeInUse
from upheld.store.place import Recovering
from upheld.store.sealing import LedgerOld
from upheld.store.vault import Tier
from upheld.store.verifying import verify_copy

END = at("2025-03-20")
STAGES = ("entered", "lived", "swept", "end")
PLACES = ("active", "separated", "keys")
TABLES = {
    "subject": "subject_id, policy, kind, entered_at, minor_until",
    "engagement": "subject_id, engagement_id, kind, begun_at, known_at, organisation",
    "fact": "subject_id, fact_id, code, at, known_at, engagement_id, about, value_ids",
    "delivery": "subject_id, source, key_digest, content, answer, known_at",
    "consent": "subject_id, consent_id, about_kind, about, given, at, known_at, version, text_digest, locale, channel, "
    "recorded_by",
    "request": "subject_id, request_id, own_right, channel, received_at, known_at, proved_at, value_ids, purposes, "
    "state, settled_at, settled_known_at, lifted_at, freezes, due_at, asked_by, acting_id, postponed_until, extended, "
    "answered_by, reason, passed_to, objects_to, for_child",
    "acting": "subject_id, acting_id, kind, from_at, known_at, until_at, rights, items, ended_at",
    "review": "subject_id, about, engagement_id, policy, element, named, since, due_at",
    "disclosure": "subject_id, disclosure_id, kind, recipient, value_ids, at, known_at, engagement_id, recalled_at, "
    "acknowledged_at, until_at",
    "told": "subject_id, told_id, disclosure_id, recipient, reason, request_id, at, acknowledged_at",
    "certificate": "subject_id, certificate_id, policy, at, body",
    "controller_fact": "policy, fact_id, code, at, known_at, about",
    "contract": "policy, contract_id, party, from_at, until_at, terms, sub_consent, closed_at",
    "handler": "policy, handler_id, duty, party, granted_at, until_at, revoked_at",
    "evidence": "policy, control, kind, about, at, known_at, digest",
    "register": "policy, register, name, from_at, until_at",
    "shown_text": "digest, locale, text",
    "policy_version": "policy, version, digest, announced_at, effective_at, gaps",
}
"""All that the active place knows besides contents. Compared row by row."""


def rows_of(home: Path, table: str) -> list[str]:
    return sorted(map(str, column(home / "active.db", f"SELECT {TABLES[table]} FROM {table}")))


LONGER = POLICY.replace("date: 2020-02-01", "date: 2024-09-01").replace("date: 2020-01-01", "date: 2024-08-01")


def lived(house: House) -> None:
    """Everything a ledger can say about people, between the first copy and the second."""
    keeper, people = house.keeper, house.persons
    keeper.fact(people["leaver"], "closed")
    keeper.withdraw(people["refuser"], "purpose/offers", channel="website")
    keeper.consent(people["stayer"], "provision/mall", channel="website")
    given = keeper.provide(people["stayer"], "mall", ("name",))
    assert given.granted
    name = next(value.value_id for value, _, _ in keeper.holdings(people["stayer"]) if value.item == "name")
    asked = RequestId(
        keeper.request(people["stayer"], "rectification", channel="website", proved=True, values=(name,)).made or ""
    )
    assert keeper.correct(people["stayer"], name, text_of("stayer", "other-name"), request=asked).granted
    keeper.answer(people["stayer"], asked, "done")
    keeper.acknowledge(people["stayer"], given.made or "")
    keeper.fact(people["late"], "dispute-opened", about="fees", values=(name,), source="crm", key="ORDER 12-a")
    letter = RequestId(keeper.request(people["late"], "suspension", channel="website").made or "")
    keeper.prove(people["late"], letter, proof="login")
    keeper.lift(people["late"], letter)
    contract = keeper.contract("trial", "mall")
    keeper.end_contract("trial", contract)
    keeper.returned("trial", contract)
    keeper.controller_fact("trial", "transfer-stopped", about="mall")
    keeper.register("trial", "host", "host-1")
    newcomer = member(house, "newcomer")
    keeper.begin(newcomer, "membership")
    house.clock.set(at("2024-08-31"))
    keeper.fact(
        people["newcomer"], "closed", engagement=next(iter(keeper.views.get(newcomer, keeper.now()).state.engagements))
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home, copied at four moments: `entered`, `lived`, `swept` and the `end` to which all must come back."""
    folder = tmp_path_factory.mktemp("story")
    home = folder / "home"
    with opened(home, at("2024-02-27")) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish(POLICY.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        member(house, "old", offers=False)
        clock.set(at("2024-03-01"))
        keeper.fact(house.persons["old"], "closed")
        clock.set(at("2024-03-03"))
        keeper.sweep()
        clock.set(at("2024-08-20"))
        for who in ("leaver", "refuser", "stayer", "late"):
            member(house, who)
        keeper.seal()
        copied(home, folder / "entered")
        clock.set(at("2024-08-30"))
        lived(house)
        keeper.seal()
        copied(home, folder / "lived")
        clock.set(at("2024-09-05"))
        assert keeper.sweep().destroyed
        copied(home, folder / "swept")
        keeper.fact(house.persons["late"], "closed")
        clock.set(END)
        assert keeper.sweep().destroyed
        keeper.seal()
    copied(home, folder / "end")
    return folder


def put_back(story: Path, to: Path, old: dict[str, str]) -> Path:
    """The home at the end, with some places as they were at an earlier stage: file and log as they lay there."""
    home = copied(story / "end", to / "home")
    for place, stage in old.items():
        put_back_in(home, story / stage, place)
    return home


def every_row(story: Path) -> list[Row]:
    """Every ciphertext that ever lay in a file that somebody may have a copy of."""
    return [row for stage in STAGES for row in rows_in(story / stage)]


def destroyed_at_end(story: Path) -> frozenset[ValueId]:
    return frozenset(row.value_id for row in rows_in(story / "end") if row.state == "destroyed")


COMBINATIONS = [
    dict(zip(places, stages, strict=True))
    for count in (1, 2, 3)
    for places in itertools.combinations(PLACES, count)
    for stages in itertools.product(STAGES[:3], repeat=count)
]
ONE_STAGE = [old for old in COMBINATIONS if len(set(old.values())) == 1]


def check_recovery(story: Path, folder: Path, old: dict[str, str]) -> Path:
    home = put_back(story, folder, old)
    gone = destroyed_at_end(story)
    if "keys" not in old:
        # With the present key store no copy of anything destroyed opens, before anybody recovers. INVARIANT: I4
        assert not gone & readable(home, every_row(story)).keys()
    with opened(home, END) as house:
        with pytest.raises(Recovering, match="recover"):
            house.keeper.sweep()
        done = house.keeper.recover()
        assert set(old) <= set(done.places) | {"separated"}
        assert not gone & readable(home, every_row(story)).keys()
        assert house.keeper.open_steps() == []
        assert not set(done.lost) & gone
        house.keeper.sweep()
        proved(home, house.keeper)
        kept = {row.value_id for row in rows_in(story / "end") if row.sealed is not None}
        now = {value for value, tiers in readable(home, rows_in(home)).items() if len(tiers) == 1}
        assert now == kept - set(done.lost)
        assert not gone & readable(home, every_row(story)).keys()
    with opened(home, END) as house:
        assert house.keeper.notice() == ()
    return home


@pytest.mark.clauses("BZ18-6.2.B", "BZ16-6.2.B", "KE22-5.2.b", "MS18-5.2.b", "NX17-5.3.a")
@pytest.mark.parametrize("old", ONE_STAGE, ids=str)
def test_an_old_copy_is_noticed_and_nothing_destroyed_comes_back(
    story: Path, tmp_path: Path, old: dict[str, str]
) -> None:
    check_recovery(story, tmp_path, old)


@pytest.mark.deep
@pytest.mark.parametrize("old", [old for old in COMBINATIONS if old not in ONE_STAGE], ids=str)
def test_copies_of_different_age_together(story: Path, tmp_path: Path, old: dict[str, str]) -> None:
    check_recovery(story, tmp_path, old)


OLDER = [
    dict(zip((*PLACES, "ledger"), stages, strict=True))
    for stages in itertools.product(STAGES, STAGES, STAGES, STAGES[:3])
]
"""An older ledger beside places of any age."""


@pytest.mark.deep
@pytest.mark.parametrize("old", OLDER, ids=str)
def test_an_older_ledger_brings_nothing_back_that_anything_there_knows_destroyed(
    story: Path, tmp_path: Path, old: dict[str, str]
) -> None:
    home = put_back(story, tmp_path, old)
    known = max((old[place] for place in ("active", "keys", "ledger")), key=STAGES.index)
    gone = {row.value_id for row in rows_in(story / known) if row.state == "destroyed"}
    with opened(home, END) as house:
        if not house.keeper.notice():
            assert len(set(old.values()) - {old["separated"]}) <= 1
            return
        done = house.keeper.recover(incident="ledger-lost-2025-03")
        assert not gone & readable(home, every_row(story)).keys()
        now = {value for value, tiers in readable(home, rows_in(home)).items() if len(tiers) == 1}
        kept = {row.value_id for row in rows_in(story / "end") if row.sealed is not None}
        assert not kept - now - set(done.lost) or old["active"] != "end"
    with opened(home, END) as house:
        assert house.keeper.notice() == ()


# ── what comes back ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("stage", ["entered", "lived", "swept"])
def test_an_old_active_place_learns_every_fact_consent_request_and_disclosure_again(
    story: Path, tmp_path: Path, stage: str
) -> None:
    home = check_recovery(story, tmp_path, {"active": stage})
    # The text that a certificate's or a notice's reader saw is the same to the byte, or it is not there.
    assert {table: rows_of(home, table) for table in TABLES} == {
        table: rows_of(story / "end", table) for table in TABLES
    }
    statement = "SELECT value_id, item, uses, collected_at, replaced_at, state FROM value ORDER BY value_id"
    lost = set(column(home / "active.db", "SELECT value_id FROM value WHERE state = 'destroyed'"))
    now = {row[0]: row[1:] for row in column(home / "active.db", statement)}
    for value, *rest in column(story / "end" / "active.db", statement):
        assert now[value][:-1] == tuple(rest[:-1])
        assert value in lost or now[value][-1] == rest[-1]


def test_what_was_collected_since_the_copy_is_lost_and_said_to_be(story: Path, tmp_path: Path) -> None:
    home = put_back(story, tmp_path, {"active": "entered"})
    with opened(home, END) as house:
        done = house.keeper.recover()
        texts = readable(story / "end", rows_in(story / "end"))
        since = {row.value_id for row in rows_in(story / "end") if row.sealed} - {
            row.value_id for row in rows_in(story / "entered")
        }
        assert set(done.lost) == since - {row.value_id for row in rows_in(home) if row.tier is Tier.SEPARATED}
        assert text_of("stayer", "other-name") in {text for value in done.lost for text in texts[value].values()}
        said: list[Any] = [
            one.entry.fields["values"]
            for one in history.entries(house.keeper.places.sealer.connection, kinds=("value.lost",))
        ]
        assert {value for values in said for value in values} == set(done.lost)


def test_a_wrong_value_is_never_current_again_even_when_the_right_one_is_lost(story: Path, tmp_path: Path) -> None:
    home = put_back(story, tmp_path, {"active": "entered"})
    person = column(home / "active.db", "SELECT subject_id FROM value WHERE item = 'name'")
    with opened(home, END) as house:
        house.keeper.recover()
        for one in set(person):
            read = house.keeper.read(one, "service", reader=house.keeper.application("desk"), items=("name",))
            assert text_of("stayer", "name") not in read.texts.values()


@pytest.mark.clauses("BZ18-9.1.c")
def test_a_withdrawal_that_the_copy_does_not_know_still_binds(story: Path, tmp_path: Path) -> None:
    home = put_back(story, tmp_path, {"active": "entered"})
    refuser = column(story / "end" / "active.db", "SELECT subject_id FROM consent WHERE given = 0")[0]
    with opened(home, END) as house:
        house.keeper.recover()
        read = house.keeper.read(refuser, "offers", reader=house.keeper.application("desk"), items=("phone",))
        assert not read.granted
        assert house.keeper.consents(refuser)["purpose/offers"] == "withdrawn"


def test_recovering_again_changes_nothing_more(story: Path, tmp_path: Path) -> None:
    home = check_recovery(story, tmp_path, {"active": "lived", "keys": "swept", "separated": "lived"})

    def dump() -> dict[str, object]:
        return {**{table: rows_of(home, table) for table in TABLES}, "rows": rows_in(home)}

    before = dump()
    with opened(home, END) as house:
        size = history.size_of(house.keeper.places.sealer.connection)
        again = house.keeper.recover()
        assert (again.places, again.lost, dict(again.counts)) == ((), [], {})
        assert history.size_of(house.keeper.places.sealer.connection) == size
    assert dump() == before


def test_look_ups_find_the_same_persons_after_an_old_key_store(story: Path, tmp_path: Path) -> None:
    home = put_back(story, tmp_path, {"keys": "lived"})
    with opened(home, END) as house:
        house.keeper.recover()
        desk = house.keeper.application("desk")
        for who, found in (("stayer", 1), ("leaver", 0), ("refuser", 1)):
            hits = house.keeper.lookup("trial", "email", text_of(who, "email"), reader=desk, reason="desk")
            assert len(hits) == found, who


def test_a_person_entered_since_the_key_store_was_copied_keeps_the_alias_of_the_ledger(
    story: Path, tmp_path: Path
) -> None:
    home = put_back(story, tmp_path, {"keys": "entered"})
    with opened(home, END) as house:
        house.keeper.recover()
    assert sorted(map(str, column(home / "keys.db", "SELECT subject_id, alias FROM alias"))) == sorted(
        map(str, column(story / "end" / "keys.db", "SELECT subject_id, alias FROM alias"))
    )


def test_keys_that_an_old_key_store_brought_back_are_destroyed_and_scrubbed(story: Path, tmp_path: Path) -> None:
    home = put_back(story, tmp_path, {"keys": "lived"})
    needed = {(row.tier, row.key_id) for row in rows_in(story / "end")}
    back = {
        wrapped
        for tier in Tier
        for key, wrapped in column(home / "keys.db", f"SELECT key_id, wrapped FROM {tier.value}_key")
        if (tier, key) not in needed
    }
    assert back
    with opened(home, END) as house:
        house.keeper.recover()
        files = kept_bytes(home)
        assert not [one for one in back if one in files]


@pytest.mark.parametrize(
    "places", [("active",), ("keys",), ("active", "keys"), ("active", "separated", "keys")], ids=str
)
def test_who_was_forgotten_stays_forgotten(tmp_path: Path, places: tuple[str, ...]) -> None:
    home = tmp_path / "home"
    gone = furnished(home)["gone"]
    with opened(home) as house:
        house.keeper.seal()
    copied(home, tmp_path / "before")
    with opened(home) as house:
        assert house.keeper.sweep().forgotten == 1
    put_back_in(home, tmp_path / "before", *places)
    with opened(home) as house:
        house.keeper.recover()
        assert gone not in column(home / "active.db", "SELECT subject_id FROM subject")
        assert gone not in column(home / "keys.db", "SELECT subject_id FROM alias")
        assert gone.encode() not in kept_bytes(home, "keys")
        proved(home, house.keeper)


# ── nothing else meanwhile ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_verb_answers_recovering_until_the_home_is_up_to_date(story: Path, tmp_path: Path) -> None:
    home = put_back(story, tmp_path, {"active": "swept"})
    person = column(story / "end" / "active.db", "SELECT subject_id FROM subject")[0]
    with opened(home, END) as house:
        keeper = house.keeper
        desk = keeper.application("desk")
        verbs: dict[str, Callable[[], object]] = {
            "enter": lambda: keeper.enter("trial", "member"),
            "begin": lambda: keeper.begin(person, "membership"),
            "collect": lambda: keeper.collect(person, "service", {"name": "x"}),
            "consent": lambda: keeper.consent(person, "purpose/offers", channel="website"),
            "withdraw": lambda: keeper.withdraw(person, "purpose/offers", channel="website"),
            "fact": lambda: keeper.fact(person, "closed"),
            "read": lambda: keeper.read(person, "service", reader=desk, items=("name",)),
            "show": lambda: keeper.show(person, reader=desk),
            "provide": lambda: keeper.provide(person, "mall", ("name",)),
            "correct": lambda: keeper.correct(person, ValueId(1), "x"),
            "lookup": lambda: keeper.lookup("trial", "email", "x", reader=desk, reason="desk"),
            "request": lambda: keeper.request(person, "access", channel="website"),
            "holdings": lambda: keeper.holdings(person),
            "publish": lambda: keeper.publish(LONGER.encode()),
            "contract": lambda: keeper.contract("trial", "mall"),
            "certificates": lambda: keeper.certificates("trial"),
            "seal": keeper.seal,
            "sweep": keeper.sweep,
            "resume": keeper.resume,
            "overdue": lambda: keeper.overdue("trial"),
        }
        for verb in verbs.values():
            with pytest.raises(Recovering, match="active is an old copy"):
                verb()
        keeper.recover()
        assert keeper.received_by(person) is not None


def test_nobody_else_may_have_the_home_open_while_it_is_recovered(story: Path, tmp_path: Path) -> None:
    """Another process may hold keys made ahead of need: they belong to no value yet, and must not be cleaned away."""
    home = put_back(story, tmp_path, {"active": "swept"})
    with opened(home, END) as house, opened(home, END) as neighbour:
        with pytest.raises(HomeInUse, match="stop it"):
            house.keeper.recover()
        with pytest.raises(Recovering):
            neighbour.keeper.sweep()
    with opened(home, END) as house:
        assert house.keeper.recover().places


def test_a_document_published_since_must_be_given_and_is_named(story: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    copied(story / "lived", home)
    with opened(home, at("2024-08-31")) as house:
        house.keeper.publish(LONGER.encode())
        house.keeper.seal()
    put_back_in(home, story / "lived", "active")
    with opened(home, at("2024-08-31")) as house:
        with pytest.raises(DocumentMissing, match="2024-09-01"):
            house.keeper.recover()
        with pytest.raises(Recovering):
            house.keeper.versions("trial")
        house.keeper.recover(documents=[LONGER.encode()])
        assert [plan.version for plan in house.keeper.versions("trial")] == ["2020-02-01", "2024-09-01"]


# ── an old ledger ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_old_ledger_stops_until_a_newer_one_comes(story: Path, tmp_path: Path) -> None:
    home = put_back(story, tmp_path, {"ledger": "lived"})
    with opened(home, END) as house:
        with pytest.raises(Recovering, match="the ledger is older"):
            house.keeper.sweep()
        with pytest.raises(LedgerOld, match="incident"):
            house.keeper.recover()
    put_back_in(home, story / "end", "ledger")
    with opened(home, END) as house:
        assert house.keeper.notice() == ()
        house.keeper.sweep()


def test_the_officer_goes_on_from_an_old_ledger_under_an_incident_that_stays_on_record(
    story: Path, tmp_path: Path
) -> None:
    home = put_back(story, tmp_path, {"ledger": "lived"})
    with opened(home, END) as house:
        done = house.keeper.recover(incident="ledger-lost-2025-03")
        assert done.counts["batches-cut-off"]
        assert done.lost == []
        house.keeper.sweep()
        recorded = [one.entry for one in history.entries(house.keeper.places.sealer.connection, kinds=("recovered",))]
        assert {one.fields.get("incident") for one in recorded} == {"ledger-lost-2025-03"}
        key = (home / "public.pem").read_text()
        with system.ledger_of(home) as ledger:
            assert verify_copy(ledger, public_key=key).ok
    with opened(home, END) as house:
        assert house.keeper.notice() == ()


@pytest.mark.parametrize("active", ["entered", "lived"])
def test_what_an_older_ledger_knows_destroyed_is_destroyed_in_places_that_are_older_still(
    story: Path, tmp_path: Path, active: str
) -> None:
    home = put_back(story, tmp_path, {"active": active, "keys": active, "ledger": "swept"})
    gone = {row.value_id for row in rows_in(story / "swept") if row.state == "destroyed"}
    assert gone & readable(home, every_row(story)).keys()
    with opened(home, END) as house:
        with pytest.raises(LedgerOld, match="separated has seen"):
            house.keeper.recover()
        done = house.keeper.recover(incident="ledger-lost-2025-03")
        assert {"active", "keys"} <= set(done.places)
        assert not gone & readable(home, every_row(story)).keys()


def test_certificates_that_an_older_ledger_does_not_hold_are_counted_and_say_so(story: Path, tmp_path: Path) -> None:
    home = put_back(story, tmp_path, {"ledger": "lived"})
    with opened(home, END) as house:
        done = house.keeper.recover(incident="ledger-lost-2025-03")
        since = house.keeper.certificates("trial")[-done.counts["certificates-unproved"] :]
        assert since
        for one in since:
            with pytest.raises(StoreFailed, match="nothing proves it"):
                house.keeper.certificate(one)
        for one in house.keeper.certificates("trial")[: -len(since)]:
            assert house.keeper.certificate(one)


class Cut(Exception):
    """Somebody pulled the plug."""


def test_a_recovery_cut_short_forgets_neither_its_incident_nor_what_is_lost(
    story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {"active": "entered", "keys": "lived", "ledger": "swept"}
    whole = put_back(story, tmp_path / "whole", old)
    with opened(whole, END) as house:
        wanted = house.keeper.recover(incident="ledger-lost-2025-03")
    home = put_back(story, tmp_path, old)

    def cut(*_: object) -> None:
        raise Cut

    with opened(home, END) as house:
        monkeypatch.setattr(house.keeper, "_tidy", cut)
        with pytest.raises(Cut):
            house.keeper.recover(incident="ledger-lost-2025-03")
    with opened(home, END) as house:
        assert "a recovery was begun and is not over" in house.keeper.notice()
        done = house.keeper.recover()
        assert done.incident == "ledger-lost-2025-03"
        assert set(wanted.lost) == set(done.lost) != set()
        assert (done.places, done.unknown) == (wanted.places, wanted.unknown)
        assert done.counts["batches-cut-off"] == wanted.counts["batches-cut-off"] > 0
        recorded = [one.entry for one in history.entries(house.keeper.places.sealer.connection, kinds=("recovered",))]
        assert {one.fields.get("incident") for one in recorded} == {"ledger-lost-2025-03"}


def test_a_home_put_back_whole_is_found_by_a_checkpoint_that_somebody_kept(story: Path, tmp_path: Path) -> None:
    anchor = history_note(story / "end")
    home = tmp_path / "home"
    copied(story / "lived", home)
    with opened(home, END) as house:
        assert house.keeper.notice() == ()
        with pytest.raises(LedgerOld, match="anchor"):
            house.keeper.recover(anchors=[anchor])


def history_note(home: Path) -> str:
    with system.ledger_of(home) as ledger, history.reading(ledger) as connection:
        return history.newest_note(connection)


# ── what was not sealed ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_store_that_lacks_keys_of_values_not_sealed_yet_is_noticed_too(story: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    copied(story / "lived", home)
    with opened(home, at("2024-08-31")) as house:
        person = member(house, "today")
    put_back_in(home, story / "lived", "keys")
    with opened(home, at("2024-08-31")) as house:
        with pytest.raises(Recovering, match="keys is an old copy"):
            house.keeper.holdings(person)
        done = house.keeper.recover()
        assert len(done.lost) == 3
        assert not house.keeper.read(
            person, "service", reader=house.keeper.application("desk"), items=("name",)
        ).granted


def test_a_key_that_no_value_needs_goes_after_a_day(story: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    copied(story / "end", home)
    place, vault = vault_of(home)
    place.close()
    del vault
    with opened(home, END) as house:
        fresh, _ = house.keeper.places.vault.take(Tier.ACTIVE, 0)
    with opened(home, END) as house:
        house.keeper.recover()
        assert house.keeper.places.vault.ciphers(Tier.ACTIVE, [fresh])
    with opened(home, at("2025-03-22")) as house:
        house.keeper.recover()
        assert not house.keeper.places.vault.ciphers(Tier.ACTIVE, [fresh])
        assert not house.keeper.recover().counts


@pytest.mark.parametrize("place", ["active", "separated", "keys", "ledger"])
@pytest.mark.parametrize("flaw", ["missing", "empty", "garbage"])
def test_a_file_that_is_lost_or_no_database_is_named_and_never_made_anew(
    story: Path, tmp_path: Path, place: str, flaw: str
) -> None:
    home = put_back(story, tmp_path, {})
    if databases(home):
        return  # a server's databases are its own to miss
    path = home / f"{place}.db"
    for each in home.glob(f"{place}.db*"):
        each.unlink()
    if flaw != "missing":
        path.write_bytes(b"" if flaw == "empty" else b"no database" * 500)
    if (place, flaw) == ("ledger", "missing"):
        with opened(home, END) as house, pytest.raises(Recovering, match="the ledger is older"):
            house.keeper.sweep()
        return
    with pytest.raises(upheld.HomeUnusable, match=f"{place}.db .*copy of it back"), opened(home, END):
        pass
    assert path.exists() == (flaw != "missing")


IN_THE_LEDGER_ALONE = {
    "looks": "access.pruned address.read lookup.made paper.seen read.fell-short read.granted read.refused values.shown",
    "refusals": "act.refused input.rejected publication.refused",
    "versions": "notice.kept notice.shown policy.drafted rehearsal.cleared rehearsal.ran",
    "destroying": "certificate.issued copy.removed key.destroyed key.swapped paper.unreadable sweep.ran",
    "of a person": "advert.sent copy.held engagement.ended exception.late hold.set separation.opened transfer.recorded",
    "the house": "breach.known breach.moved duty.done house.counted inspection.closed inspection.opened recovered",
    "staff and keys": "identity.bound keys.made keys.rotated sign-in.failed staff.signed-in",
}
"""Kinds that nothing has to be done again for: what they tell stands in the ledger, or another entry does it."""


def test_every_kind_of_entry_is_done_again_or_said_to_leave_nothing_to_do() -> None:
    done = {*replaying._HANDLERS, *replaying._HOUSE_HANDLERS, "policy.published"}
    assert sorted(set(KINDS) - done) == sorted(" ".join(IN_THE_LEDGER_ALONE.values()).split())
