"""What a policy says about one thing is told whole: an item, a purpose, a clause, a code, in both languages."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from upheld.cli import app
from upheld.engine.acts import Reason
from upheld.law import law_named
from upheld.policy.explain import NothingSaid, as_text, explain
from upheld.policy.explain_words import REFUSALS, SECTIONS
from upheld.policy.model import HEAD_ROWS, Policy, keys_of, sections
from upheld.policy.read import read_policy

ROOT = Path(__file__).resolve().parent.parent
SOUND = ROOT / "tests" / "documents" / "sound.yaml"
NAMES = ("bizmeka-ez-2016", "bizmeka-ez-2018", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")


@pytest.fixture(scope="module")
def clinic() -> Policy:
    return read_policy(SOUND.read_bytes(), SOUND.name)


def told(policy: Policy, what: str, locale: str = "en") -> str:
    return as_text(explain(policy, what, locale))


def entries(policy: Policy, what: str, title: str) -> list[str]:
    """The titles of the entries in one chapter, with their lines."""
    found = [chapter for chapter in explain(policy, what, "en") if chapter.title == title]
    return [f"{one.title} {' '.join(f'{line.title}={line.text}' for line in one.lines)}" for one in found[0].entries]


def test_an_item_is_told_with_purposes_grounds_receivers_times_and_its_end(clinic: Policy) -> None:
    (purpose,) = entries(clinic, "items.name", "Purposes")
    assert purpose.startswith("care (required) ")
    assert "legal basis=contract" in purpose
    assert "kept until=the end of the care" in purpose
    assert [one.split()[0] for one in entries(clinic, "items.name", "Given to third parties")] == ["bureau"]
    assert [one.split()[0] for one in entries(clinic, "items.name", "Processors")] == ["printer"]
    assert [one.split()[0] for one in entries(clinic, "items.name", "Transfers abroad")] == ["bureau-japan"]
    assert [one.split()[0] for one in entries(clinic, "items.name", "Who may look")] == ["doctors"]
    (first, *_) = entries(clinic, "items.name", "What happens at the end")
    assert first.startswith("kept apart for tax records (tax): 5 years after")


def test_an_item_that_nothing_keeps_is_destroyed_after_its_last_purpose(clinic: Policy) -> None:
    first, *ways = entries(clinic, "birth", "What happens at the end")
    assert first.startswith("destroyed when the last purpose")
    assert any("within 5 days" in way for way in ways)


def test_each_item_says_only_its_own_ground(clinic: Policy) -> None:
    (record,) = entries(clinic, "findings", "Purposes")
    assert "consent" in record
    assert "contract" not in record


def test_clauses_stand_behind_what_is_said(clinic: Policy) -> None:
    text = told(clinic, "items.name")
    assert all(f"[{clause}]" in text for clause in ("S-11", "S-13", "S-16", "S-18", "S-19", "S-17"))


def test_a_purpose_tells_its_items_and_who_works_for_it(clinic: Policy) -> None:
    text = told(clinic, "purposes.required.care")
    assert "date of birth (birth)" in text
    assert "printing of bills" in text
    assert "doctors" in text
    assert "kept apart for tax records" in text


def test_one_name_in_two_sections_is_told_for_both(clinic: Policy) -> None:
    titles = [chapter.title for chapter in explain(clinic, "care", "en")]
    assert {"Relations: care", "Purposes: care"} <= {*titles}


def test_a_fact_tells_what_counts_from_it(clinic: Policy) -> None:
    assert [one.split()[0] for one in entries(clinic, "paid", "Kept by law")] == ["tax"]
    assert {one.split()[0] for one in entries(clinic, "unsubscribed", "Purposes")} == {"the"}


def test_a_law_and_a_proof_tell_who_rests_on_them(clinic: Policy) -> None:
    assert "tax records" in told(clinic, "national-taxes")
    assert "representative" in told(clinic, "relation")


def test_a_clause_tells_each_element_and_only_the_keys_that_rest_on_it() -> None:
    policy = read_policy((ROOT / "policies" / "bizmeka-ez-2018.yaml").read_bytes(), "x")
    row, key, clause = next(
        (row, key, ids[0])
        for row in policy.rows()
        for key, ids in row.clauses.items()
        if key in keys_of(type(row)) and "all" in row.clauses and ids[0] not in row.clauses["all"]
    )
    chapter, *_ = explain(policy, clause, "en")
    (entry,) = [one for one in chapter.entries if row.name in one.title]
    resting = [one for one in keys_of(type(row)) if clause in row.cites(one)]
    assert key in resting
    assert 0 < len(entry.lines) <= len(resting)


def test_korean_is_told_in_korean(clinic: Policy) -> None:
    text = told(clinic, "성명", "ko")
    assert text.startswith("개인정보 항목: 성명 (name)")
    assert "세무 기록 (tax) 보관을 위해 분리 보관" in text
    assert "국세기본법 제85조의3" in text


def test_a_finding_is_told_with_the_places_where_the_policy_has_it(clinic: Policy) -> None:
    law = law_named("kr@2026-11-22")
    assert "This policy has none." in told(clinic, "open-list")
    with_law = as_text(explain(clinic, "law-silent-on", "en", law))
    assert "nothing is said of pseudonymised data" in with_law
    assert "This policy has none." not in with_law


def test_a_finding_of_the_law_says_its_article_what_to_do_and_that_it_needs_a_law() -> None:
    policy = read_policy((ROOT / "policies" / "nexr-2017.yaml").read_bytes(), "nexr-2017.yaml")
    text = as_text(explain(policy, "law-access-record-short", "en", law_named("kr@2026-11-22")))
    assert "law: Safety Standards 8(1) [SAFE, M]" in text
    assert "what to do: Raise `at-least`" in text
    assert "NX17-6.6.a]" in text
    assert "add --law, such as --law kr@2026-11-22" in told(policy, "law-access-record-short")


@pytest.mark.clauses("KE22-8.0-r6")
def test_a_clause_and_an_element_are_told_with_what_the_checks_find_there() -> None:
    policy = read_policy((ROOT / "policies" / "kt-enterprise-2022.yaml").read_bytes(), "kt-enterprise-2022.yaml")
    assert any("two-periods: " in one for one in entries(policy, "KE22-8.0-r6", "What the checks find here"))
    assert any("two-periods: " in one for one in entries(policy, "salesforce-japan", "What the checks find here"))
    assert "여기에 대한 점검 결과" in told(policy, "KE22-8.0-r6", "ko")


def test_the_age_of_a_child_is_told_as_an_age() -> None:
    policy = read_policy((ROOT / "policies" / "kt-mns-2018.yaml").read_bytes(), "kt-mns-2018.yaml")
    assert "a child is below the age of: 14" in told(policy, "children.age")
    assert "아동 연령 (미만): 14" in told(policy, "children.age", "ko")


def test_a_refusal_is_told_with_the_rules_it_can_come_from(clinic: Policy) -> None:
    text = told(clinic, "consent-missing")
    assert "the newsletter" in text
    assert "care (required)" not in text


def test_every_refusal_and_every_section_has_its_words() -> None:
    assert [*REFUSALS] == [str(reason) for reason in Reason]
    assert {*SECTIONS} == {*sections(), *HEAD_ROWS}
    assert all(SECTIONS[name].ko == spec.ko for name, spec in sections().items())
    assert {one for _, names in REFUSALS.values() for one in names} <= {*SECTIONS}


def test_what_is_nowhere_is_refused_with_names_that_come_near(clinic: Policy) -> None:
    with pytest.raises(NothingSaid) as refused:
        explain(clinic, "emali", "en")
    assert str(refused.value).startswith("`emali` is nothing here; near it: email")
    near = str(refused.value).partition("near it: ")[2].split(", ")
    assert len(near) == len({*near})
    assert explain(clinic, "email", "fr")  # no wording of that language is known: English stands in


@pytest.mark.parametrize("name", NAMES)
def test_every_element_of_the_real_policies_can_be_told_in_both_languages(name: str) -> None:
    policy = read_policy((ROOT / "policies" / f"{name}.yaml").read_bytes(), name)
    kinds = ("items", "purposes", "facts", "parties", "statutes", "rights")
    asked = [row.path for row in policy.rows() if row.path.partition(".")[0] in kinds][::7]
    for locale in ("en", "ko"):
        assert all(told(policy, path, locale).count("\n") >= 1 for path in asked)


def test_the_command_prints_it_and_fails_on_an_unknown_name() -> None:
    good = CliRunner().invoke(app, ["explain", str(SOUND), "email"])
    assert good.exit_code == 0
    assert good.stdout.startswith("Items: e-mail address (email)")
    assert CliRunner().invoke(app, ["explain", str(SOUND), "nothing-of-that"]).exit_code != 0
