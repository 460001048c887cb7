"""How a document becomes a policy: places, the margin, `every`, names, ends, and what silence means."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from upheld.dates import NO_PERIOD, Period
from upheld.errors import PolicyRefused
from upheld.policy.check import clauses_of
from upheld.policy.ends import EarlierOf, EndUnreadable, LaterOf, Plus, Point, facts_in, is_certain, parse_atom, text_of
from upheld.policy.model import Policy, Row, sections
from upheld.policy.read import problems_in, read_policy
from upheld.policy.shapes import Deadline, LawRef, attribute
from upheld.policy.vocabulary import Basis, ConsentWay, Guarantee, Nature, RightName, Seen, Source

DOCUMENTS = Path(__file__).parent / "documents"

HEAD = """upheld: 1
policy: shop
controller: {clause: C-1, en: Example Ltd., ko: 예시 주식회사}
locales: [en, ko]
time-zone: Asia/Seoul
announced: {clause: C-2, date: 2024-01-01}
effective: {clause: C-2, date: 2024-02-01}
"""
WORDS = """
subjects: {user: {clause: C-3, en: user, ko: 이용자}}
engagements: {account: {clause: C-3, ends: closed, en: account, ko: 계정}}
facts: {closed: {clause: C-3, en: closed, ko: 해지}}
items:
  name:  {clause: C-4, en: name, ko: 성명}
  email: {clause: C-4, en: e-mail, ko: 이메일}
  card:  {clause: C-4, en: card, ko: 카드, nature: financial}
  person: [name, email]
  payer: [person, card]
"""
PURPOSES = """
purposes:
  required:
    service: {clause: C-5, en: service, ko: 서비스, whose: user, per: account, items: payer, basis: contract,
              until: closed}
"""


def read(text: str) -> Policy:
    return read_policy(text.encode(), "shop.yaml")


def codes(text: str) -> list[str]:
    return [problem.code for problem in problems_in(text.encode(), "shop.yaml")]


@pytest.fixture(scope="module")
def shop() -> Policy:
    return read(HEAD + WORDS + PURPOSES)


@pytest.fixture(scope="module")
def everything() -> Policy:
    path = DOCUMENTS / "good" / "everything.yaml"
    return read_policy(path.read_bytes(), path.name)


# ------------------------------------------------------------------------------------------------------- the head


def test_the_head_is_typed(shop: Policy) -> None:
    assert (shop.policy, shop.locales, shop.time_zone, shop.file) == ("shop", ("en", "ko"), "Asia/Seoul", "shop.yaml")
    assert shop.controller.texts == {"en": "Example Ltd.", "ko": "예시 주식회사"}
    assert shop.controller.clauses == {"all": ("C-1",)}
    assert (shop.announced.date, shop.effective.date) == (date(2024, 1, 1), date(2024, 2, 1))


def test_every_row_knows_its_place_in_the_file(shop: Policy) -> None:
    lines = (HEAD + WORDS + PURPOSES).split("\n")
    for path in ("facts.closed", "items.card", "purposes.required.service", "engagements.account"):
        row = shop.row(path)
        assert row is not None
        assert lines[row.line - 1][row.column - 1 :].startswith(f"{row.name}:")
        for key in row.places:
            line, column = row.place_of(key)
            assert lines[line - 1][column - 1 :].startswith(f"{key}:")


def test_a_place_counts_signs_and_not_bytes() -> None:
    text = HEAD + WORDS + PURPOSES.replace("ko: 서비스, whose: user", "ko: 서비스, whoes: user, whose: user")
    (problem,) = problems_in(text.encode(), "shop.yaml")
    assert text.split("\n")[problem.line - 1][problem.column - 1 :].startswith("whoes")


def test_no_scalar_is_taken_for_a_number_or_a_truth_value() -> None:
    text = HEAD + WORDS + PURPOSES + "contacts: {desk: {clause: 1.10, en: no, ko: 010, phone: 0118}}\n"
    desk = read(text).contacts["desk"]
    assert (desk.clauses, desk.texts, desk.phone) == ({"all": ("1.10",)}, {"en": "no", "ko": "010"}, "0118")


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_endings_and_a_byte_order_mark_change_nothing(ending: str) -> None:
    text = HEAD + WORDS + PURPOSES
    other = read_policy(b"\xef\xbb\xbf" + text.replace("\n", ending).encode(), "shop.yaml")
    assert other == read(text)


# ------------------------------------------------------------------------------------- the margin: clauses and `every`

EVERY = """
channels: {form: {clause: C-6, en: form, ko: 서식}, letter: {clause: C-6, en: letter, ko: 서면}}
rights:
  every: {clause: {all: E-0, by: E-1, within: E-2}, by: form, within: P3D}
  access: {clause: {all: R-1, by: R-2}, by: letter}
  erasure: {}
  suspension: {clause: R-3, within: P1D, reading: Sooner.}
"""


def test_an_element_gets_what_every_says_and_its_clauses_with_it() -> None:
    erasure = read(HEAD + WORDS + PURPOSES + EVERY).rights["erasure"]
    assert erasure.clauses == {"all": ("E-0",), "by": ("E-1",), "within": ("E-2",)}
    assert (erasure.by, erasure.within) == (("form",), Deadline(Period(days=3)))


def test_a_key_that_an_element_sets_itself_no_longer_cites_every() -> None:
    rights = read(HEAD + WORDS + PURPOSES + EVERY).rights
    assert rights["access"].clauses == {"all": ("E-0", "R-1"), "by": ("R-2",), "within": ("E-2",)}
    assert rights["access"].by == ("letter",)
    assert rights["suspension"].clauses == {"all": ("E-0", "R-3"), "by": ("E-1",)}


def test_a_clause_in_every_that_no_element_takes_up_is_an_error() -> None:
    assert "clause-uncarried" in codes(HEAD + WORDS + PURPOSES + EVERY.replace("within: E-2}", "tells: E-2}"))


NESTED = """
purposes:
  every: {clause: {all: O-1, until: O-2}, whose: user, per: account, items: payer, until: closed, basis: consent}
  required:
    every: {clause: {all: I-1, basis: I-2}, basis: contract}
    service: {clause: C-5, en: service, ko: 서비스}
  optional:
    news: {clause: C-6, en: news, ko: 소식}
"""


def test_an_inner_every_wins_over_the_outer_one_and_their_clauses_add_up() -> None:
    purposes = read(HEAD + WORDS + NESTED).purposes
    assert purposes["service"].clauses == {"all": ("O-1", "I-1", "C-5"), "until": ("O-2",), "basis": ("I-2",)}
    assert set(purposes["service"].basis.values()) == {Basis.CONTRACT}
    assert purposes["news"].clauses == {"all": ("O-1", "C-6"), "until": ("O-2",)}
    assert set(purposes["news"].basis.values()) == {Basis.CONSENT}


def test_a_key_set_by_an_inner_every_no_longer_cites_the_outer_one() -> None:
    text = NESTED.replace("until: O-2}", "until: O-2, basis: O-3}")
    purposes = read(HEAD + WORDS + text).purposes
    assert purposes["service"].clauses["basis"] == ("I-2",)
    assert purposes["news"].clauses["basis"] == ("O-3",)


def test_an_every_with_nothing_below_it_still_carries_its_clause() -> None:
    policy = read(HEAD + WORDS + PURPOSES + "statutes: {every: {clause: S-1, reading: No law is named.}}\n")
    assert policy.statutes == {}
    assert policy.empty_sections["statutes"].clauses == {"all": ("S-1",)}
    assert clauses_of(policy)["S-1"] == (("statutes.every", "all"),)


def test_a_clause_for_a_key_that_is_not_there_is_an_error() -> None:
    assert codes(HEAD + WORDS + PURPOSES.replace("clause: C-5", "clause: {all: C-5, refused: C-6}")) == [
        "clause-for-no-key"
    ]


def test_a_clause_in_the_margin_is_found_by_its_id(everything: Policy) -> None:
    carried = clauses_of(everything)
    assert carried["E-14.b"] == (("purposes.required.service.uses.billing", "all"),)
    assert ("purposes.required.banking", "until") in carried["E-14.u"]
    assert all(ids for row in everything.rows() for ids in row.clauses.values())


def test_every_id_written_in_a_document_is_carried() -> None:
    for path in sorted((DOCUMENTS / "good").glob("*.yaml")):
        written = set(re.findall(r"\b[ET]-[0-9]+(?:\.[a-z])?\b", path.read_text(encoding="utf-8")))
        assert set(clauses_of(read_policy(path.read_bytes(), path.name))) == written


def test_a_refusal_cites_the_key_then_the_element_then_its_law(everything: Policy) -> None:
    freeze = everything.rights["rectification"]
    assert (freeze.cites("freeze"), freeze.cites("tells")) == (("E-30.f",), ("E-30",))
    assert everything.guarantees["notice-from-document"].cites() == ("law: pipa 30",)


def test_sub_rows_share_the_clause_of_their_row_unless_they_have_one(everything: Policy) -> None:
    uses = everything.purposes["service"].uses
    assert uses["running"].clauses == {"all": ("E-14",)}
    assert uses["billing"].clauses == {"all": ("E-14.b",)}


# --------------------------------------------------------------------------------------------------- typed rows


def test_groups_become_the_items_in_them_once_each_in_order(shop: Policy) -> None:
    assert shop.purposes["service"].items == ("name", "email", "card")
    assert shop.item_groups == {"person": ("name", "email"), "payer": ("name", "email", "card")}
    assert list(shop.items) == ["name", "email", "card"]


def test_a_basis_is_known_for_every_item(everything: Policy) -> None:
    assert everything.purposes["service"].basis == {
        "name": Basis.CONTRACT,
        "email": Basis.CONTRACT,
        "account": Basis.CONTRACT,
        "password": Basis.CONTRACT,
        "health": Basis.CONSENT,
        "passport-no": Basis.CONSENT,
    }


def test_an_optional_purpose_rests_on_consent_without_saying_so(everything: Policy) -> None:
    assert everything.purposes["offers"].basis == {"name": Basis.CONSENT, "email": Basis.CONSENT}
    assert [row.required for row in everything.purposes.values()] == [True] * 4 + [False] * 3


def test_purposes_stand_under_their_bare_names_with_their_full_paths(everything: Policy) -> None:
    assert everything.purposes["offers"].path == "purposes.optional.offers"
    assert everything.purposes["service"].path == "purposes.required.service"


def test_one_name_does_where_a_list_may_stand(everything: Policy) -> None:
    assert everything.purposes["service"].via == ("website",)
    assert everything.purposes["service"].source == (Source.PERSON, Source.GENERATED)
    assert everything.consent["website"].by == (ConsentWay.TICK,)
    assert everything.rights["access"].by == ("website", "letter")


def test_a_plain_text_is_the_name_in_every_language(everything: Policy) -> None:
    assert everything.parties["cloud"].texts == {"en": "Cloud Inc.", "ko": "Cloud Inc."}
    assert everything.provisions["shop"].their_use == {"en": "sale", "ko": "sale"}


def test_a_law_is_its_name_and_the_article(everything: Policy) -> None:
    assert everything.statutes["books"].law == (LawRef("tax", "85-3"),)
    assert everything.provision_exceptions["law"].law == (LawRef("tax"),)
    assert str(LawRef("tax", "85-3")) == "tax 85-3"


def test_words_of_python_get_an_underscore(everything: Policy) -> None:
    assert everything.handlers["clerk"].for_ == ("service", "tips")
    assert everything.children["told"].else_ is not None
    freeze = everything.rights["rectification"].freeze
    assert freeze is not None
    assert (freeze.from_, freeze.except_, freeze.until) == ("received", "statute", Point("settled"))
    first, second = everything.changes["business-transfer"].or_else
    assert (first.if_, first.for_, second.papers) == ("unreachable-without-fault", Period(days=30), 2)
    assert attribute("use-until") == "use_until"


def test_a_soft_word_becomes_its_number_and_keeps_its_name(everything: Policy) -> None:
    assert everything.rights["access"].within == Deadline(Period(days=3), "promptly")
    assert everything.destruction["at-expiry"].starts == Deadline(NO_PERIOD, "at-once")


def test_a_period_is_kept_as_it_is_written(everything: Policy) -> None:
    text = HEAD + WORDS + PURPOSES.replace("until: closed}", "until: closed + P12M}")
    assert read(text).purposes["service"].until == Plus(Point("closed"), Period(months=12))


def test_the_marker_of_a_dispute_stays_a_marker(everything: Policy) -> None:
    assert everything.retention["dispute"].items == ("of-the-dispute",)


def test_what_is_blocked_may_lack_what_a_row_must_have() -> None:
    bare = "parties: {mall: {clause: C-7, en: Mall, ko: 몰}}\nprovisions: {mall: {clause: C-7%s}}\n"
    assert codes(HEAD + WORDS + PURPOSES + bare % "").count("key-missing") == 6
    policy = read(HEAD + WORDS + PURPOSES + bare % ", blocked: no purpose is printed")
    assert policy.provisions["mall"].blocked == "no purpose is printed"
    assert policy.provisions["mall"].to == "mall"


def test_every_element_has_a_path_of_its_own(everything: Policy) -> None:
    paths = [row.path for row in everything.rows()]
    assert len(paths) == len(set(paths))
    for path in paths:
        row = everything.row(path)
        assert row is not None
        assert row.path == path


def test_statements_are_known_by_their_clause_and_not_by_their_position(everything: Policy) -> None:
    assert [row.path for row in everything.statements.values()] == ["statements.E-38", "statements.E-38#2"]


# ----------------------------------------------------------------------------------------------------- until when


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("cancelled", Point("cancelled")),
        ("cancelled + P6M", Plus(Point("cancelled"), Period(months=6))),
        ("cancelled+P2W", Plus(Point("cancelled"), Period(days=14))),
        (
            "tax-filing-deadline of fee-charged + P5Y",
            Plus(Point("fee-charged", "tax-filing-deadline"), Period(years=5)),
        ),
        ("year-end of booked", Point("booked", "year-end")),
    ],
)
def test_an_atom_of_an_end_is_one_line_of_text(text: str, end: Point | Plus) -> None:
    assert parse_atom(text) == end
    assert parse_atom(text_of(end)) == end


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("P5Y", "period-without-start"),
        ("+ P5Y", "period-without-start"),
        ("cancelled + ", "period-unreadable"),
        ("cancelled + P", "period-unreadable"),
        ("cancelled + P1Y6", "period-unreadable"),
        ("cancelled + P300Y", "period-unreadable"),
        ("cancelled + P1DT1H", "period-unreadable"),
        ("tax-day of paid", "calendar-rule-unknown"),
        ("cancelled - P1Y", "end-unreadable"),
        ("Cancelled", "end-unreadable"),
        ("cancelled + P1Y + P1D", "period-unreadable"),
        ("", "end-unreadable"),
    ],
)
def test_what_is_no_end_says_why(text: str, code: str) -> None:
    with pytest.raises(EndUnreadable) as unreadable:
        parse_atom(text)
    assert unreadable.value.code == code
    assert unreadable.value.remedy


def test_ends_nest_and_name_each_fact_once() -> None:
    text = PURPOSES.replace(
        "until: closed}", "until: {later-of: [closed, {earlier-of: [closed + P1Y, collected + P3Y]}]}}"
    )
    until = read(HEAD + WORDS + text).purposes["service"].until
    closed, collected = Point("closed"), Plus(Point("collected"), Period(years=3))
    assert until == LaterOf((closed, EarlierOf((Plus(closed, Period(years=1)), collected))))
    assert facts_in(until) == ("closed", "collected")
    assert text_of(until) == "{later-of: [closed, {earlier-of: [closed + P1Y, collected + P3Y]}]}"


def test_an_end_is_certain_only_if_nothing_can_keep_it_open() -> None:
    sure, open_end = Point("collected"), Point("paid")
    known = frozenset({"collected"})
    assert is_certain(EarlierOf((sure, open_end)), known)
    assert not is_certain(LaterOf((sure, open_end)), known)


# ------------------------------------------------------------------------------------------------- what silence means


def test_silence_about_destruction_leaves_the_rows_of_the_law(shop: Policy) -> None:
    assert list(shop.destruction) == ["at-expiry", "when-needless", "electronic", "paper"]
    for row in shop.destruction.values():
        assert row.builtin
        assert row.cites() == ("law: pipa 21",)
        assert (row.starts, row.within) == (Deadline(Period(days=1)), Deadline(Period(days=5)))
    assert shop.destruction["when-needless"].after == ("ended",)


def test_a_written_row_stands_before_the_builtin_ones(everything: Policy) -> None:
    assert not everything.destruction["at-expiry"].builtin
    assert not everything.rights["access"].builtin
    assert everything.rights["portability"].builtin
    assert set(everything.rights) == {right.value for right in RightName}
    assert not everything.children["age"].builtin


def test_silence_about_rights_opens_every_channel_within_ten_days() -> None:
    channels = "channels: {form: {clause: C-6, en: form, ko: 서식}, letter: {clause: C-6, en: letter, ko: 서면}}\n"
    policy = read(HEAD + WORDS + PURPOSES + channels)
    assert policy.rights["access"].by == ("form", "letter")
    assert policy.rights["access"].within == Deadline(Period(days=10))
    assert policy.rights["access"].law == (LawRef("pipa", "35"),)
    assert {name: row.by for name, row in policy.consent.items()} == dict.fromkeys(
        ("form", "letter"), (ConsentWay.TICK, ConsentWay.SIGNED_FORM)
    )


def test_silence_about_giving_away_gives_nothing_away(shop: Policy) -> None:
    assert not shop.provisions
    assert not shop.entrustments
    assert not shop.transfers
    assert not shop.retention
    assert not shop.statutes


def test_silence_about_children_keeps_the_law_of_fourteen(shop: Policy) -> None:
    assert shop.children["age"].under == 14
    assert shop.children["age"].law == (LawRef("pipa", "22-2"),)


def test_every_builtin_row_cites_a_law_and_no_clause(shop: Policy) -> None:
    builtin = [row for row in shop.rows() if row.builtin]
    assert builtin
    for row in builtin:
        assert row.law, row.path
        assert not row.clauses, row.path


def test_defaults_inside_a_row_are_said(everything: Policy, shop: Policy) -> None:
    assert shop.engagements["account"].begins == Point("begun")
    assert shop.facts["closed"].about == ("account",)
    assert shop.purposes["service"].review_after == Period(years=1)
    assert shop.items["name"].nature is Nature.PLAIN
    assert shop.items["name"].seen is Seen.PUBLIC
    assert everything.statutes["short"].from_ == "fee-charged"
    assert everything.entrustments["clouds"].within == Deadline(Period(days=5))
    assert everything.entrustments["clouds"].inspected == Period(years=1)
    assert everything.provisions["mall"].to == "mall"
    assert everything.purposes["visits"].review_after is None


def test_a_processor_without_items_gets_those_of_its_purposes_and_no_more() -> None:
    rest = """
parties: {host: {clause: C-8, en: Host, ko: 호스트}}
entrustments:
  host: {clause: C-8, for: service, contract: signed, terms: {compliance: {clause: C-8}}, at-end: return-or-destroy}
"""
    assert read(HEAD + WORDS + PURPOSES + rest).entrustments["host"].items == ("name", "email", "card")


def test_a_fact_without_a_subject_is_about_the_person(everything: Policy) -> None:
    assert everything.facts["joined"].about == ("membership",)
    assert everything.facts["shut-down"].about == ("controller",)
    text = HEAD + WORDS.replace("facts: {", "facts: {moved: {clause: C-3, en: moved, ko: 이사}, ")
    text += PURPOSES.replace("until: closed}", "until: {earlier-of: [closed, moved]}}")
    assert read(text).facts["moved"].about == ("person",)


# ------------------------------------------------------------------------------------------------ all problems at once


def test_all_problems_come_in_one_pass_in_the_order_of_the_file() -> None:
    text = (HEAD + WORDS + PURPOSES).replace("Asia/Seoul", "Asia/Soul").replace("nature: financial", "nature: finance")
    text = (
        text.replace("items: payer", "items: payers")
        .replace("ko: 계정", "kr: 계정")
        .replace("until: closed}", "until: P1Y}")
    )
    problems = problems_in(text.encode(), "shop.yaml")
    assert [problem.code for problem in problems] == [
        "time-zone-unknown",
        "text-missing",
        "locale-undeclared",
        "word-unknown",
        "name-unknown",
        "period-without-start",
    ]
    assert [(p.line, p.column) for p in problems] == sorted((p.line, p.column) for p in problems)


def test_a_problem_reads_file_line_column_code_then_the_users_words_and_the_remedy() -> None:
    text = HEAD + WORDS + PURPOSES.replace("whose: user", "whose: uses")
    (problem,) = problems_in(text.encode(), "shop.yaml")
    assert str(problem) == (
        f"shop.yaml:{problem.line}:{problem.column} name-unknown "
        "`uses` is not declared in `subjects`. Did you mean `user`?"
    )


def test_a_refused_policy_says_every_error_at_once() -> None:
    text = (HEAD + WORDS + PURPOSES).replace("Asia/Seoul", "Asia/Soul").replace("nature: financial", "nature: finance")
    with pytest.raises(PolicyRefused, match=r"2 errors[\s\S]*time-zone-unknown[\s\S]*word-unknown"):
        read(text)


def test_a_fault_in_every_is_told_once_and_not_for_each_row() -> None:
    text = EVERY.replace("by: form, within: P3D", "by: forms, within: P3D")
    assert codes(HEAD + WORDS + PURPOSES + text).count("name-unknown") == 1


def test_a_slip_in_a_name_does_not_make_the_right_name_unused() -> None:
    assert codes(HEAD + WORDS + PURPOSES.replace("whose: user", "whose: usre")) == ["name-unknown"]
    assert codes(HEAD + WORDS + PURPOSES.replace("  required:", "  requried:")) == ["key-unknown"]


def test_a_word_used_only_by_an_unused_word_is_not_told_again() -> None:
    words = WORDS.replace(
        "facts: {", "proofs: {a: {clause: C-9, en: a, ko: 가, all-of: b}, b: {clause: C-9, en: b, ko: 나}}\nfacts: {"
    )
    problems = problems_in((HEAD + words + PURPOSES).encode(), "shop.yaml")
    assert [problem.message for problem in problems] == ["no rule uses `a` of `proofs`"]


def test_reading_is_the_same_every_time() -> None:
    source = (DOCUMENTS / "good" / "everything.yaml").read_bytes()
    assert read_policy(source, "a") == read_policy(source, "a")


def test_the_policy_has_a_mapping_for_every_section(shop: Policy) -> None:
    for name in sections():
        rows = getattr(shop, attribute(name))
        assert all(isinstance(row, Row) and row.name == code for code, row in rows.items())
    assert {*Guarantee} >= {Guarantee(name) for name in shop.guarantees}


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ("within: P5D}", "within: 5 days}", "period-unreadable", "Write `P5D`"),
        ("within: P5D}", "within: 6개월 이내}", "period-unreadable", "Write `P6M`"),
        ("  tax:     {clause", " tax:     {clause", "yaml-unreadable", "further left or right"),
        ("  charts:", "\tcharts:", "yaml-unreadable", "Use spaces"),
        ("phone: 02-000-0001}", "phone: '02-000-0001}", "yaml-unreadable", "never closed"),
        ("ko: 진료 예약과 안내", "kr: 진료 예약과 안내", "locale-undeclared", "Write `ko`"),
        ("items: identity\n", "items: identity, rrn\n", "name-unknown", "`[identity, rrn]`"),
        (
            "    refused: {ko: 제공하지 않으면 예약",
            "    zzzzzzzz: {ko: 제공하지 않으면 예약",
            "key-unknown",
            "docs/policy.md",
        ),
    ],
)
def test_what_an_officer_mistypes_is_told_with_what_was_meant(old: str, new: str, code: str, told: str) -> None:
    text = (Path(__file__).resolve().parent.parent / "examples" / "clinic.yaml").read_text("utf-8")
    assert text.count(old) >= 1
    problems = [one for one in problems_in(text.replace(old, new, 1).encode(), "clinic.yaml") if one.code == code]
    assert any(told in f"{one.message}. {one.remedy}" for one in problems), problems
