"""The notice page of each of the five policies says what the document enforces: all of it, and nothing else."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import upheld
from tests.trial_home import at
from upheld.engine.plan import Plan
from upheld.policy.plain import fixed_title
from upheld.policy.read import read_policy
from upheld.web.app import create_app
from upheld.web.settings import Settings

POLICIES = Path(__file__).resolve().parent.parent / "policies"
DOCUMENTS = ("nexr-2017", "bizmeka-ez-2016", "bizmeka-ez-2018", "kt-mns-2018", "kt-enterprise-2022")


def words_of(page: str) -> str:
    bare = re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.S)
    return " ".join(html.unescape(bare).split())


@pytest.mark.clauses(
    "NX17-0.a", "BZ16-1.0.b", "BZ16-1.2", "BZ16-1.3.a", "BZ16-1.3.b", "BZ18-1.0.b", "BZ18-1.2", "BZ18-1.3.a",
    "BZ18-1.3.b", "KE22-1.2", "KE22-1.3-1", "KE22-1.3-2", "MS18-1.0-1", "MS18-1.0-2", "MS18-1.2", "MS18-1.3-1",
    "MS18-1.3-2",
)  # fmt: skip
@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_notice_page_names_who_answers_each_purpose_and_each_safeguard(tmp_path: Path, name: str) -> None:
    source = (POLICIES / f"{name}.yaml").read_bytes()
    policy = read_policy(source, name)
    options = upheld.Options(clock=upheld.SetClock(at("2026-01-05")), light_hashing=True)
    with upheld.open(tmp_path / "home", options) as keeper:
        keeper.publish(source, as_of=policy.effective.date, evidence="trial")
        enforced = keeper.views.line(policy.policy).latest
        client = TestClient(create_app(Settings(keeper, tmp_path / "home")), headers={"accept-language": "ko"})
        page = client.get(f"/notice/{policy.policy}")
    assert page.status_code == 200
    said = words_of(page.text)
    rows = {row.path: row for row in policy.rows()}
    told = {path: " ".join(fixed_title(rows[path], "ko").split()) for path in _told(enforced)}
    assert told
    assert {path: title for path, title in told.items() if title not in said} == {}
    published = {path for path in rows if re.fullmatch(r"purposes\.(required|optional)\.[\w-]+", path)}
    assert published - {use.rule.path for use in enforced.purposes.values()} == set()


def _told(enforced: Plan) -> list[str]:
    return [
        "controller",
        *(use.rule.path for use in enforced.purposes.values()),
        *(control.rule.path for control in enforced.controls.values()),
        *(f"parties.{one.party}" for one in enforced.provisions.values()),
    ]
