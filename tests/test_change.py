"""What a new version changes in meaning, what that demands, and of whom."""

import json
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upheld.dates import Instant, Period, end_of, instant
from upheld.policy import shapes
from upheld.policy.change import Changes, Difference, Kind, _never_later, _no_longer, changes_between
from upheld.policy.change_pages import as_html, as_json, as_text
from upheld.policy.change_rules import SECTIONS, Demand, Favours
from upheld.policy.ends import EarlierOf, End, LaterOf, Plus, Point
from upheld.policy.model import Key, Policy, keys_of, sections
from upheld.policy.read import read_policy

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("bizmeka-ez-2016", "bizmeka-ez-2018", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")
PAGE = (ROOT / "docs" / "diff-bizmeka.md").read_text("utf-8")
SEOUL = ZoneInfo("Asia/Seoul")


def policy_of(name: str) -> Policy:
    return read_policy((ROOT / "policies" / f"{name}.yaml").read_bytes(), name)


POLICIES = {name: policy_of(name) for name in NAMES}
BIZMEKA = changes_between(POLICIES["bizmeka-ez-2016"], POLICIES["bizmeka-ez-2018"])
CLUB = """\
upheld: 1
policy: club
controller: {clause: C-1, en: Example Club, ko: 예시 클럽}
locales: [en, ko]
time-zone: Asia/Seoul
announced: {clause: C-2, date: 2024-01-01}
effective: {clause: C-2, date: 2024-02-01}
laws: {commerce: {clause: C-6, en: Commerce Act, ko: 상거래법}}
parties: {printer: {clause: C-7, en: Example Printers, ko: 예시 인쇄}, friend: {clause: C-8, en: Friend Ltd., ko: 친구}}
subjects: {member: {clause: C-3, en: member, ko: 회원}, guest: {clause: C-3, en: guest, ko: 손님}}
engagements: {membership: {clause: C-3, begins: joined, ends: left-club, en: membership, ko: 회원 자격}}
facts:
  joined: {clause: C-3, en: joined, ko: 가입}
  left-club: {clause: C-3, en: left, ko: 탈퇴}
  paid: {clause: C-6, en: paid, ko: 납부, about: membership}
channels: {website: {clause: C-3, en: website, ko: 홈페이지}, visit: {clause: C-3, en: visit, ko: 방문}}
soft-words: {soon: {clause: C-9, en: soon, ko: 곧, means: P3D}}
items:
  name: {clause: C-4, en: name, ko: 성명}
  email: {clause: C-4, en: e-mail, ko: 이메일}
  phone: {clause: C-4, en: phone, ko: 전화번호}
  faith: {clause: C-4, en: faith, ko: 종교, nature: sensitive}
purposes:
  required:
    running: {clause: C-4, en: running the club, ko: 운영, whose: [member, guest], per: membership, via: visit,
              items: [name, email, phone], basis: {all: consent, phone: contract}, until: ended}
  optional:
    letter: {clause: C-5, en: the letter, ko: 소식지, whose: member, items: [name, email, faith],
             until: collected + P1Y, uses: {send: {en: sending, ko: 발송}, count: {en: counting, ko: 집계}}}
advertising: {mail: {clause: C-5, en: e-mail, ko: 이메일, for: letter, at-night: never}}
retention: {after: {clause: C-6, en: afterwards, ko: 보관, of: running, items: name, basis: legitimate-interest,
            until: left-club + P6M}}
statutes: {books: {clause: C-6, law: commerce 6, en: books, ko: 장부, items: name, until: paid + P5Y}}
provisions: {friend: {clause: C-8, whose: member, per: membership, items: [name, email], consent: own,
             their-use: {en: offers, ko: 홍보}, until: ended, at-end: return-or-destroy}}
entrustments: {printer: {clause: C-7, for: letter, items: name, task: {en: printing, ko: 인쇄}, contract: signed,
               terms: {confidentiality: {clause: C-7}}, at-end: return-or-destroy}}
rights: {access: {clause: C-9, by: [website, visit], within: soon}}
contacts: {officer: {clause: C-9, en: officer, ko: 책임자, takes: questions, phone: '02'}}
changes: {any: {clause: C-2, ahead: P7D}}
"""


def club(*edits: tuple[str, str]) -> Policy:
    """The club's policy with texts replaced; each must stand in it once."""
    text = CLUB
    for old, new in edits:
        assert text.count(old) == 1, f"{old}: {text.count(old)}"
        text = text.replace(old, new)
    return read_policy(text.encode(), "club.yaml")


def found(*edits: tuple[str, str]) -> list[Difference]:
    """The differences that these edits make, without those that demand nothing."""
    return [one for one in changes_between(club(), club(*edits)).differences if one.demand is not Demand.NOTHING]


def only(*edits: tuple[str, str]) -> Difference:
    """The one difference that these edits make."""
    differences = found(*edits)
    assert len(differences) == 1, differences
    return differences[0]


# ------------------------------------------------------------------------------------------ what demands nothing


@pytest.mark.parametrize("name", NAMES)
def test_a_version_does_not_differ_from_itself(name: str) -> None:
    assert changes_between(POLICIES[name], policy_of(name)).differences == ()


def shuffled(policy: Policy, order: random.Random) -> Policy:
    """The same rows and lists in another order, other clauses, other words, other readings."""

    def mixed(names: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(order.sample(names, len(names)))

    def row(one: Any) -> Any:
        more: dict[str, Any] = {
            "texts": {locale: f"{text} {order.random()}" for locale, text in one.texts.items()},
            "clauses": {key: tuple(f"{each}-x" for each in ids) for key, ids in one.clauses.items()},
            "reading": "otherwise" if one.reading else None,
        }
        for name, spec in keys_of(type(one)).items():
            value = getattr(one, shapes.attribute(name))
            kind = spec.shape if isinstance(spec, Key) else None
            if isinstance(kind, shapes.Text) and value and name not in ("team", "address", "contact"):
                more[shapes.attribute(name)] = {locale: f"{text} {order.random()}" for locale, text in value.items()}
            elif isinstance(kind, shapes.ManyOf | shapes.Names | shapes.Items | shapes.LawRefs) and value:
                more[shapes.attribute(name)] = mixed(value)
            elif not isinstance(spec, Key) and value:
                more[shapes.attribute(name)] = {code: row(each) for code, each in value.items()}
        return replace(one, **more)

    changed: dict[str, Any] = {"controller": row(policy.controller)}
    for name in sections():
        rows = getattr(policy, shapes.attribute(name))
        changed[shapes.attribute(name)] = {code: row(rows[code]) for code in mixed(tuple(rows))}
    return replace(policy, **changed)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_order_words_and_clause_ids_demand_nothing(name: str, seed: int) -> None:
    differences = changes_between(POLICIES[name], shuffled(POLICIES[name], random.Random(seed))).differences
    assert [one for one in differences if one.demand is not Demand.NOTHING] == []
    assert {one.kind for one in differences if one.section != "statements"} <= {Kind.WORDING, Kind.CLAUSES}


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_order_words_and_clause_ids_change_no_demand_of_another_change(seed: int) -> None:
    other = shuffled(POLICIES["bizmeka-ez-2018"], random.Random(seed))
    changes = changes_between(shuffled_words_of("bizmeka-ez-2016"), other)
    kept = [(one.demand, one.path, one.key, frozenset(one.whom)) for one in changes.differences if runs(one)]
    plain = [
        (one.demand, one.path, one.key, frozenset(one.whom))
        for one in changes_between(shuffled_words_of("bizmeka-ez-2016"), BIZMEKA_2018_UNNAMED).differences
        if runs(one)
    ]
    assert Counter(kept) == Counter(plain)


def runs(one: Difference) -> bool:
    return one.demand is not Demand.NOTHING and one.section != "statements"


def shuffled_words_of(name: str) -> Policy:
    """With words of its own everywhere, so that nothing is paired by its text."""
    return shuffled(POLICIES[name], random.Random(1))


BIZMEKA_2018_UNNAMED = shuffled(POLICIES["bizmeka-ez-2018"], random.Random(2))


def test_an_element_with_another_name_and_the_same_text_demands_nothing() -> None:
    renamed = [("channels: {website:", "channels: {web:"), ("by: [website, visit]", "by: [web, visit]")]
    differences = changes_between(club(), club(*renamed)).differences
    assert [(one.demand, one.kind) for one in differences] == [(Demand.NOTHING, Kind.RENAMED)]


def test_a_deadline_means_its_period_and_not_its_word() -> None:
    edits = ("soft-words: {soon: {clause: C-9, en: soon, ko: 곧, means: P3D}}\n", ""), ("within: soon", "within: P3D")
    assert found(*edits) == []


def test_declaring_and_not_running_demands_nothing() -> None:
    blocked = "provisions: {printer: {clause: C-8, blocked: no use is named}, friend: {"
    differences = changes_between(club(), club(("provisions: {friend: {", blocked))).differences
    assert [(one.demand, one.kind, one.path) for one in differences] == [
        (Demand.NOTHING, Kind.NOT_RUN, "provisions.printer")
    ]


# ------------------------------------------------------------------------------------------ what demands consent

GROWS = {
    "a further item of a purpose that rests on consent": (
        ("items: [name, email, faith]", "items: [name, email, faith, phone]"),
        "purposes.optional.letter",
    ),
    "a further use": (("count: {en: counting", "sell: {en: selling, ko: 판매}, count: {en: counting"), "sell"),
    "further persons": (
        ("ko: 소식지, whose: member", "ko: 소식지, whose: [member, guest]"),
        "purposes.optional.letter",
    ),
    "a longer use": (("until: collected + P1Y", "until: collected + P13M"), "purposes.optional.letter"),
    "a use whose end cannot be compared": (
        ("until: collected + P1Y", "until: consented + P1Y"),
        "purposes.optional.letter",
    ),
    "keeping longer": (("until: left-club + P6M", "until: left-club + P7M"), "retention.after"),
    "keeping more": (("of: running, items: name,", "of: running, items: [name, email],"), "retention.after"),
    "a further item for a recipient": (
        ("items: [name, email], consent: own", "items: [name, email, phone], consent: own"),
        "provisions.friend",
    ),
    "longer with a recipient": (("until: ended, at-end", "until: ended + P1Y, at-end"), "provisions.friend"),
    "advertising at night": (("at-night: never", "at-night: own-consent"), "advertising.mail"),
    "a basis that becomes consent": (
        ("basis: {all: consent, phone: contract}", "basis: consent"),
        "purposes.required.running",
    ),
}


@pytest.mark.parametrize("case", GROWS)
def test_what_grows_and_rests_on_consent_demands_consent_and_to_shrink_it_is_told(case: str) -> None:
    (old, new), path = GROWS[case]
    grown = only((old, new))
    assert grown.demand is Demand.CONSENT
    assert path in grown.path
    back = [one for one in changes_between(club((old, new)), club()).differences if one.demand is not Demand.NOTHING]
    assert [one.path for one in back] == [grown.path]
    if "compared" not in case:
        assert back[0].demand is Demand.NOTICE
    if case != "a basis that becomes consent" and "compared" not in case:
        assert (grown.favours, back[0].favours) == (Favours.CONTROLLER, Favours.PERSON)


@pytest.mark.clauses("NX17-1.0.c", "BZ18-4.1.a")
def test_consent_is_asked_of_those_whose_data_it_is() -> None:
    assert only(("items: [name, email, faith]", "items: [name, email, faith, phone]")).whom == ("member",)
    assert only(("ko: 소식지, whose: member", "ko: 소식지, whose: [member, guest]")).whom == ("guest",)


def test_items_of_one_purpose_are_parted_by_what_they_rest_on() -> None:
    written = "items: [name, email, phone], basis: {all: consent, phone: contract}"
    before = club((written, "items: [email, phone], basis: {all: consent, phone: contract}"))
    after = club(
        (written, "items: [name, email, phone, faith], basis: {all: contract, email: consent, faith: consent}")
    )
    both = [one for one in changes_between(before, after).differences if one.key == "items"]
    assert {(one.demand, one.text.en.rpartition(" ")[2]) for one in both} == {
        (Demand.CONSENT, "faith"),
        (Demand.NOTICE, "name"),
    }


def test_a_sensitive_item_is_named_as_asked_apart() -> None:
    one = only(("items: [name, email, phone], basis", "items: [name, email, phone, faith], basis"))
    assert one.asked_apart == ("faith",)


def test_a_new_service_is_agreed_to_on_taking_it_up() -> None:
    hr = next(one for one in BIZMEKA.differences if one.path == "purposes.required.hr")
    assert (hr.whom, hr.takes_up) == (("staff",), ("hr",))
    device = next(one for one in BIZMEKA.differences if one.path == "purposes.optional.device")
    assert device.takes_up == ()


def test_a_new_processor_demands_a_notice_and_where_the_policy_promises_consent_a_consent() -> None:
    new = (
        "printer: {clause: C-7, for: letter",
        "friend: {clause: C-7, for: letter, task: {en: post, ko: 우편}, contract: "
        "signed, terms: {confidentiality: {clause: C-7}}, at-end: return-or-destroy}, "
        "printer: {clause: C-7, for: letter",
    )
    assert only(new).demand is Demand.NOTICE
    ant = next(one for one in BIZMEKA.differences if one.path == "entrustments.ant")
    assert ant.demand is Demand.CONSENT


def test_what_the_policy_promises_beyond_the_law_is_said_to_be_its_promise() -> None:
    ant = next(one for one in BIZMEKA.differences if one.path == "entrustments.ant")
    assert (ant.demand, ant.by_law) == (Demand.CONSENT, Demand.NOTICE)
    assert "promised by the policy; the law alone asks for a notice" in as_text(BIZMEKA)
    assert "법령상으로는 고지 대상" in as_html(BIZMEKA, "ko")
    others = [one for one in BIZMEKA.differences if one.section != "entrustments"]
    assert {one.by_law for one in others} == {None}


def test_the_condition_of_a_new_purpose_is_told_apart_and_favours_the_person() -> None:
    new = (
        "count: {en: counting, ko: 집계}}}",
        "count: {en: counting, ko: 집계}}}\n    meet: {clause: C-5, en: meeting, ko: 만남, "
        "whose: member, items: email, until: collected + P1Y, needs: both-accepted}",
    )
    both = found(new)
    assert {(one.key, one.demand, one.favours) for one in both} == {
        ("", Demand.CONSENT, Favours.CONTROLLER),
        ("needs", Demand.NOTICE, Favours.PERSON),
    }


@pytest.mark.clauses("BZ18-5.1.C")
def test_a_dispute_that_may_be_about_more_asks_for_consent() -> None:
    (wider,) = [one for one in BIZMEKA.differences if (one.path, one.key) == ("retention.dispute", "of")]
    assert (wider.demand, wider.favours) == (Demand.CONSENT, Favours.CONTROLLER)


def test_a_law_that_keeps_longer_is_told_and_not_asked() -> None:
    one = only(("until: paid + P5Y", "until: paid + P10Y"))
    assert (one.demand, one.favours) == (Demand.NOTICE, Favours.CONTROLLER)


def test_a_slower_answer_and_a_lost_channel_are_told() -> None:
    assert only(("means: P3D", "means: P9D")).demand is Demand.NOTICE
    lost = only(("by: [website, visit]", "by: website"))
    assert (lost.path, lost.favours) == ("rights.access", Favours.CONTROLLER)


def test_stopping_a_row_is_dropping_it_and_running_it_is_adding_it() -> None:
    stop = ("friend: {clause: C-8, whose", "friend: {clause: C-8, blocked: no, whose")
    assert (only(stop).demand, only(stop).kind) == (Demand.NOTICE, Kind.DROPPED)
    back = [one for one in changes_between(club(stop), club()).differences if one.demand is not Demand.NOTHING]
    assert [(one.demand, one.kind) for one in back] == [(Demand.CONSENT, Kind.ADDED)]


def test_two_policies_are_no_two_versions() -> None:
    with pytest.raises(ValueError, match="are two policies"):
        changes_between(POLICIES["nexr-2017"], POLICIES["kt-mns-2018"])


# -------------------------------------------------------------------------------------------------- announcement


def test_the_announcement_is_held_against_what_the_older_version_promised() -> None:
    late = (("announced: {clause: C-2, date: 2024-01-01}", "announced: {clause: C-2, date: 2024-01-26}"),)
    assert changes_between(club(), club()).announcement.kept
    announcement = changes_between(club(), club(*late)).announcement
    assert (announcement.kept, announcement.days, announcement.promised) == (False, 6, Period(days=7))
    exact = club(("announced: {clause: C-2, date: 2024-01-01}", "announced: {clause: C-2, date: 2024-01-25}"))
    assert changes_between(club(), exact).announcement.kept


def test_less_time_between_announcement_and_effect_is_told() -> None:
    one = next(one for one in BIZMEKA.differences if one.section == "effective")
    assert (one.demand, one.favours) == (Demand.NOTICE, Favours.CONTROLLER)


# ---------------------------------------------------------------------------------------------------------- ends

FACTS = ("one", "two", "three")
POINTS = st.sampled_from([Point(name) for name in FACTS])
LENGTHS = st.sampled_from(
    [Period(days=d) for d in (1, 27, 28, 30, 31, 365, 366)] + [Period(months=m) for m in (1, 2, 12)] + [Period(years=1)]
)
ATOMS = st.one_of(POINTS, st.builds(Plus, POINTS, LENGTHS))
ENDS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda a, b: LaterOf((a, b)), inner, inner), st.builds(lambda a, b: EarlierOf((a, b)), inner, inner)
    ),
    max_leaves=4,
)
DAYS = st.integers(0, 800)


def reckoned(end: End, at: dict[str, Instant]) -> Instant:
    """The instant of an end when every fact has happened."""
    match end:
        case Point():
            return at[end.fact]
        case Plus():
            return end_of(at[end.point.fact], end.period, SEOUL)
        case LaterOf():
            return max(reckoned(one, at) for one in end.of)
        case EarlierOf():
            return min(reckoned(one, at) for one in end.of)


@given(ENDS, ENDS, st.tuples(DAYS, DAYS, DAYS))
def test_an_end_called_no_later_never_comes_later(a: End, b: End, days: tuple[int, int, int]) -> None:
    start = datetime(2023, 1, 1, 12, tzinfo=UTC)
    at = {name: instant(start + timedelta(days=day)) for name, day in zip(FACTS, days, strict=True)}
    if _never_later(a, b):
        assert reckoned(a, at) <= reckoned(b, at)


@given(ENDS)
def test_an_end_is_no_later_than_itself_or_than_the_later_of_it_and_another(end: End) -> None:
    assert _never_later(end, end)
    assert _never_later(end, LaterOf((end, Point("three"))))
    assert _never_later(EarlierOf((end, Point("three"))), end)
    assert _never_later(end, None)
    assert not _never_later(None, end)


@given(LENGTHS, LENGTHS, DAYS)
def test_a_period_called_no_longer_never_takes_longer(a: Period, b: Period, day: int) -> None:
    at = instant(datetime(2023, 1, 1, 12, tzinfo=UTC) + timedelta(days=day))
    if _no_longer(a, b):
        assert end_of(at, a, SEOUL) <= end_of(at, b, SEOUL)


# -------------------------------------------------------------------------------- the list that was made by hand


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading of the page."""
    below = PAGE.partition(heading)[2]
    lines = re.findall(r"(?:^\|.*\n)+", below, re.M)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def of_element(name: str) -> list[Difference]:
    path, _, key = name.partition(":")
    found = [one for one in BIZMEKA.differences if one.path == path and (not key or one.key == key)]
    return [one for one in found if key or not one.key or ".uses." in path]


WEIGHT = {"nothing": 0, "–": 0, "notice": 1, "consent": 2}


@pytest.mark.parametrize("row", table("and the\nfigures above"), ids=lambda row: row[0])
def test_a_row_of_the_page_says_what_is_found(row: list[str]) -> None:
    number, by_hand, found_there, where, verdict, why = row
    demands: list[tuple[str, str]] = []
    for name in re.findall(r"`([^`]+)`", where):
        assert of_element(name), f"{number}: {name}"
        demands += [(one.demand.value, (one.by_law or one.demand).value) for one in of_element(name)]
    most = max((demand for demand, _ in demands), key=WEIGHT.__getitem__, default="–")
    by_law = max((law for _, law in demands), key=WEIGHT.__getitem__, default="–")
    assert found_there == (most if most == by_law else f"{most} (law: {by_law})")
    agrees = bool({"nothing" if one == "–" else one for one in (most, by_law)} & {*by_hand.split(" or ")})
    assert verdict == ("agree" if agrees else "differ")
    assert why or agrees, f"{number} differs without an argument"


def test_the_figures_of_the_page_are_those_of_its_rows() -> None:
    rows = table("and the\nfigures above")
    agree = sum(row[4] == "agree" for row in rows)
    assert f"**They agree on {agree} of {len(rows)} rows and differ on {len(rows) - agree}.**" in PAGE
    counts = {demand: len(BIZMEKA.demanding(demand)) for demand in Demand}
    head = f"finds {len(BIZMEKA.differences)} differences: {counts[Demand.CONSENT]} demand a fresh consent, "
    assert head + f"{counts[Demand.NOTICE]} demand a\nnotice" in PAGE or f"{counts[Demand.NOTICE]} a" in PAGE
    assert f"{counts[Demand.NOTHING]} nothing" in PAGE
    split = [int(number) for number in re.findall(r"^- in (\d+) ", PAGE, re.M)]
    assert sum(split) == len(rows) - agree


def test_every_difference_that_demands_something_stands_on_the_page() -> None:
    named = [*table("and the\nfigures above"), *table("## Found and not in the list by hand")]
    known = set(chain.from_iterable(re.findall(r"`([^`]+)`", " ".join(row[:4])) for row in named))
    demanding = [one for one in BIZMEKA.differences if one.demand is not Demand.NOTHING]
    missing = {f"{one.path}:{one.key}" if one.key else one.path for one in demanding} - known
    assert missing == set()
    for element, demand, _ in table("## Found and not in the list by hand"):
        assert {one.demand.value for one in of_element(element.strip("`"))} == {demand}


# --------------------------------------------------------------------------------------------------------- forms


@pytest.fixture(scope="module")
def changes() -> Changes:
    return BIZMEKA


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_text_and_page_say_every_difference(changes: Changes, locale: str) -> None:
    class Reader(HTMLParser):
        text = ""

        def handle_data(self, data: str) -> None:
            self.text += data

    reader = Reader()
    reader.feed(as_html(changes, locale))
    for one in changes.differences:
        assert one.text.say(locale) in as_text(changes, locale)
        assert one.text.say(locale) in reader.text
    assert not re.search(r"<script|https?://|src=", as_html(changes, locale))


def test_json_has_both_languages_the_clauses_and_who_is_asked(changes: Changes) -> None:
    body = json.loads(as_json(changes))
    assert body["counts"] == {demand.value: len(changes.demanding(demand)) for demand in Demand}
    row = next(one for one in body["differences"] if one["new"]["path"] == "provisions.mhows")
    assert row["demand"] == "consent"
    assert row["old"] == {"path": None, "clauses": []}
    assert row["new"]["clauses"] == ["BZ18-7.1.0", "BZ18-7.1.1"]
    assert [who["ko"] for who in row["whom"]] == ["신청인 또는 대표자"]
    assert row["text"]["ko"].startswith("제공받는 자 추가: kt mhows")
    assert as_json(changes) == as_json(changes)


def test_every_section_and_key_of_the_rules_is_one_of_the_language() -> None:
    assert {*SECTIONS} == {*sections()}
    for name, rule in SECTIONS.items():
        assert {*rule.keys} - {*keys_of(sections()[name].row)} == set()


def test_the_dates_are_those_of_the_versions(changes: Changes) -> None:
    assert changes.old == (date(2016, 8, 25), date(2016, 8, 31))
    assert changes.new == (date(2018, 7, 9), date(2018, 7, 9))
