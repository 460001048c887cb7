"""The mistakes that officers make, each told where it stands, all of them at once, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from upheld.cli import app
from upheld.errors import Level, Problem
from upheld.policy.read import problems_in

SHOP = (Path(__file__).parent / "documents" / "shop.yaml").read_text("utf-8")

MISTAKES = {
    "a key misspelt": ("basis: contract", "bassis: contract", ["23:5 key-missing", "23:29 key-unknown"]),
    "a section misspelt": ("purposes:", "purpose:", ["20:1 key-unknown"]),
    "a key of `every` misspelt": (
        "whose: customer",
        "who: customer",
        ["21:15 key-unknown", "23:5 key-missing", "26:5 key-missing"],
    ),
    "an item that is not there": ("[name, mobile, goods]", "[name, mobil, goods]", ["23:60 name-unknown"]),
    "a fact that is not there": ("until: delivered + P7D", "until: deliverd + P7D", ["23:95 name-unknown"]),
    "a law that is not there": ("law: e-commerce 6", "law: ecommerce 6", ["29:33 name-unknown"]),
    "a day that no month has": ("date: 2026-01-02", "date: 2026-02-30", ["7:32 date-unreadable"]),
    "a date with dots": ("date: 2026-01-02", "date: 2026.01.02", ["7:32 date-unreadable"]),
    "a date from the other end": ("date: 2026-01-02", "date: 02-01-2026", ["7:32 date-unreadable"]),
    "a tab": ("  every:     {clause: S-1}", "\tevery:     {clause: S-1}", ["16:1 yaml-unreadable"]),
    "a row twice": (
        "  mobile:    {en: mob",
        "  name:    {en: mob",
        ["18:3 duplicate-key", "23:60 name-unknown", "26:36 name-unknown"],
    ),
    "a section twice": ("channels:", "laws: {x: {clause: S-1, en: a, ko: b}}\nchannels:", ["14:1 duplicate-key"]),
    "three mistakes in one row": (
        "items: [name, goods], until: delivered + P5Y",
        "items: [nam, godds], until: deliverd + 5Y",
        ["29:55 name-unknown", "29:60 name-unknown", "29:75 name-unknown", "29:75 period-unreadable"],
    ),
    "a table where a list belongs": ("[name, mobile, goods]", "{name: {a: [b]}}", ["23:53 shape-wrong"]),
    "a list where a text belongs": ("en: customer", "en: [customer]", ["11:15 text-missing", "11:43 shape-wrong"]),
    "a clause for a key that is not there": (
        "customer: {clause: S-1",
        "customer: {clause: {nope: S-1}",
        ["11:34 clause-for-no-key"],
    ),
    "yes where a word belongs": ("by: tick", "by: yes", ["27:42 word-unknown"]),
    "a number with a zero before it": ("P7D", "010", ["23:95 period-unreadable"]),
    "a version of the language to come": ("upheld: 1", "upheld: 2", ["1:1 version-unknown"]),
    "a version with a point": ("upheld: 1", "upheld: 1.0", ["1:1 version-unknown"]),
    "a list as a key": (
        "laws:        {e-commerce",
        "laws:        {[a, b]: {clause: S-3, en: q, ko: q}, e-commerce",
        ["10:15 key-not-text"],
    ),
    "a number as a name": (
        "laws:        {e-commerce",
        "laws:        {1: {clause: S-3, en: q, ko: q}, e-commerce",
        ["10:15 name-unreadable"],
    ),
    "an anchor": ("  every:     {clause: S-1}", "  every: &e    {clause: S-1}", ["16:10 anchor"]),
    "tables merged": (
        "  every:     {clause: S-1}",
        "  <<: {clause: S-1}",
        ["16:3 merge-key", "17:3 clause-missing", "18:3 clause-missing", "19:3 clause-missing"],
    ),
    "a period in words": ("P7D", "7 days", ["23:95 period-unreadable"]),
    "a period in small letters": ("P7D", "p7d", ["23:95 period-unreadable"]),
    "a period backwards": ("delivered + P7D", "delivered - P7D", ["23:95 end-unreadable"]),
    "half a year as a fraction": ("P7D", "P1.5Y", ["23:95 period-unreadable"]),
    "a text in one language": ("en: customer, ko: 고객", "en: customer", ["11:15 text-missing"]),
    "a text in a language too many": (
        "en: customer, ko: 고객",
        "en: customer, ko: 고객, fr: client",
        ["11:61 locale-undeclared"],
    ),
    "no clause": ("customer: {clause: S-1, ", "customer: {", ["11:15 clause-missing"]),
    "a ground left out": ("basis: contract, ", "", ["23:5 key-missing"]),
    "a name in capitals": ("{customer:", "{Customer:", ["11:15 name-unreadable", "21:22 name-unknown"]),
    "a name of two words": ("{customer:", "{my customer:", ["11:15 name-unreadable", "21:22 name-unknown"]),
    "a name in Korean": ("{customer:", "{고객:", ["11:15 name-unreadable", "21:22 name-unknown"]),
    "a comma in a text": ("en: delivering your order", "en: delivering, your order", ["24:32 flow-comma"]),
    "a colon in a text": ("en: delivering your order", "en: delivering: your order", ["23:15 yaml-unreadable"]),
    "a bracket left open": ("items: [name, goods]", "items: [name, goods", ["29:54 yaml-unreadable"]),
    "a quote left open": ("en: delivering your order", 'en: "delivering your order', ["24:20 yaml-unreadable"]),
    "a time zone by its letters": ("Asia/Seoul", "KST", ["6:12 time-zone-unknown"]),
    "in force before it is announced": ("2026-01-09", "2025-01-09", ["8:26 effective-before-announced"]),
    "a word that nothing uses": (
        "  goods:     {en",
        "  shoe:     {en: shoe, ko: 신발}\n  goods:     {en",
        ["19:3 word-unused"],
    ),
    "two documents": ("laws: ", "---\nlaws: ", ["10:1 several-documents"]),
    "a tag": ("upheld: 1", "upheld: !!int 1", ["1:9 tag"]),
    "a tag that would run a program": (
        "policy: sample-shop",
        'policy: !!python/object/apply:os.system ["id"]',
        ["2:9 shape-wrong", "2:9 tag"],
    ),
    "a key without a value": ("time-zone: Asia/Seoul", "time-zone:", ["1:1 head-missing", "6:1 value-missing"]),
    "a sign for nothing": ("time-zone: Asia/Seoul", "time-zone: ~", ["6:12 time-zone-unknown"]),
    "a sign that nobody sees": ("sample-shop", "sample\0shop", ["2:15 yaml-unreadable"]),
    "a wide colon": ("policy: sample-shop", "policy：sample-shop", ["2:7 yaml-unreadable"]),
    "a space that never breaks": ("policy: sample-shop", "policy:\u00a0sample-shop", ["2:8 yaml-unreadable"]),
    "an optional purpose by contract": (
        "news:     {clause: S-2, items",
        "news:     {clause: S-2, basis: contract, items",
        ["26:29 optional-without-consent"],
    ),
    "a row out of line": ("  name:      {en", "   name:      {en", ["17:4 yaml-unreadable"]),
    "a controller that hides": (
        "controller: {clause",
        "controller: {seen: internal, clause",
        ["3:14 must-be-public"],
    ),
    "an item that hides": ("name:      {en", "name:      {seen: internal, en", ["17:15 must-be-public"]),
    "a law that keeps in secret": (
        "contracts: {clause",
        "contracts: {seen: internal, clause",
        ["29:15 must-be-public"],
    ),
    "a right by another name": ("{erasure:", "{deletion:", ["31:15 row-unknown"]),
}
"""What happened → the text, the text that stands there instead, and where each problem is told."""

FILES = {
    "nothing at all": (b"", "1:1 not-a-policy"),
    "nothing but a comment": (b"# nothing\n", "1:1 not-a-policy"),
    "a list": (b"- a\n- b\n", "1:1 not-a-policy"),
    "one word": (b"hello", "1:1 not-a-policy"),
    "two hundred brackets": (b"a: " + b"[" * 200 + b"]" * 200, "1:27 nested-too-deep"),
    "sixty steps to the right": (b"".join(b" " * i + b"k%d:\n" % i for i in range(60)), "25:25 nested-too-deep"),
    "more than five megabytes": (SHOP.encode() + b"# " + b"x" * 5_100_000, "1:1 document-too-large"),
    "another coding": (SHOP.encode("utf-16"), "1:1 not-utf-8"),
    "an old Korean coding": (SHOP.encode("euc-kr"), "3:48 not-utf-8"),
}


def errors(source: bytes) -> list[Problem]:
    return [one for one in problems_in(source, "shop.yaml") if one.level is Level.ERROR]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_where_it_stands_with_what_to_do(mistake: str) -> None:
    right, wrong, places = MISTAKES[mistake]
    assert right in SHOP
    told = errors(SHOP.replace(right, wrong, 1).encode())
    assert [f"{one.line}:{one.column} {one.code}" for one in told] == places
    for one in told:
        assert len(one.remedy) > 5, one
        assert one.message[0].islower() or one.message[0] in "`{", one


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_policy_is_told_so_in_one_line(what: str) -> None:
    source, place = FILES[what]
    (told,) = errors(source)
    assert f"{told.line}:{told.column} {told.code}" == place


def test_what_a_file_was_saved_as_is_told() -> None:
    assert "UTF-16" in errors(SHOP.encode("utf-16"))[0].message
    assert "cp949" in errors(SHOP.encode("euc-kr"))[0].message


def test_marks_and_line_ends_of_other_systems_are_no_mistake() -> None:
    for source in (SHOP.encode(), SHOP.encode("utf-8-sig"), SHOP.replace("\n", "\r\n").encode()):
        assert errors(source) == []


def test_eight_mistakes_are_told_in_one_go_and_the_command_fails(tmp_path: Path) -> None:
    text = SHOP
    for right, wrong in (
        ("whose: customer", "who: customer"), ("mobile, goods]", "mobil, goods]"), ("P5Y", "5 years"),
        ("by: tick", "by: click"), ("2026-01-09", "soon"), ("locales: [en, ko]", "locales: [en, ko]\nfoo: bar"),
    ):  # fmt: skip
        text = text.replace(right, wrong, 1)
    file = tmp_path / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    said = CliRunner().invoke(app, ["check", str(file)])
    assert said.exit_code == 1
    assert "8 errors" in said.stdout
    assert said.stdout.index(":5:1 ") < said.stdout.index(":9:32 ") < said.stdout.index(":30:76 ")
    file.write_text(SHOP, encoding="utf-8")
    assert CliRunner().invoke(app, ["check", "--record", str(file)]).exit_code == 0


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]" for i in range(9)]
    told = errors("\n".join(lines).encode())
    assert sum(one.code == "alias" for one in told) == 81
    assert sum(one.code == "anchor" for one in told) == 10
