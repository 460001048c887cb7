"""The notice is there for everybody: in force, before and after, in both languages, with what changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import upheld
from tests.served import WEB_POLICY, Served, served
from tests.trial_home import at
from upheld.desk.documents import documents_of
from upheld.policy.notice import notice
from upheld.simulate.together import publish_all
from upheld.web.app import create_app
from upheld.web.settings import Settings

POLICIES = Path(__file__).resolve().parent.parent / "policies"
FIVE = ("bizmeka-ez-2016", "bizmeka-ez-2018", "kt-enterprise-2022", "kt-mns-2018", "nexr-2017")
LINES = ("bizmeka-ez", "kt-enterprise", "kt-mns", "nexr")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, upheld.Keeper]]:
    """The five policies on file, and a browser."""
    home = tmp_path_factory.mktemp("notices") / "home"
    clock = upheld.SetClock(at("2026-11-22"))
    with upheld.open(home, upheld.Options(clock=clock, light_hashing=True)) as keeper:
        publish_all(keeper, [(POLICIES / f"{name}.yaml").read_bytes() for name in FIVE])
        yield TestClient(create_app(Settings(keeper, home, "http://testserver"))), keeper


@pytest.mark.clauses("BZ18-1.0.d", "MS18-1.0-4")
@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("policy", LINES)
def test_the_notice_in_force_is_read_without_signing_in(
    public: tuple[TestClient, upheld.Keeper], policy: str, language: str
) -> None:
    client, keeper = public
    page = client.get(f"/notice/{policy}?locale={language}")
    assert page.status_code == 200
    found = documents_of(keeper, policy)
    printed = notice(found[-1].policy, language, "html", [one.policy for one in found])
    start, end = printed.index("<main>"), printed.index("</main>")
    assert printed[start:end] in page.text  # word for word what the document makes
    assert "set-cookie" not in page.headers or "upheld-locale" in page.headers["set-cookie"]


@pytest.mark.clauses("BZ16-14.b", "BZ18-13.b")
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_version_that_was_replaced_stays_readable(public: tuple[TestClient, upheld.Keeper], language: str) -> None:
    client, _ = public
    listed = client.get(f"/notice/bizmeka-ez/versions?locale={language}").text
    versions = re.findall(r'href="/notice/bizmeka-ez/versions/([\d-]+)"', listed)
    assert versions == ["2018-07-09", "2016-08-31"]
    for version in versions:
        page = client.get(f"/notice/bizmeka-ez/versions/{version}")
        assert page.status_code == 200
        assert version in page.text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_version_is_handed_out_on_paper(public: tuple[TestClient, upheld.Keeper], language: str) -> None:
    client, _ = public
    page = client.get(f"/notice/nexr/versions/2017-09-08/pdf?locale={language}")
    assert page.headers["content-type"] == "application/pdf"
    assert page.content.startswith(b"%PDF-")
    assert f"nexr-2017-09-08-{language}.pdf" in page.headers["content-disposition"]
    assert client.get("/notice/nexr/versions/1999-01-01/pdf").status_code == 404


@pytest.mark.parametrize("language", ["ko", "en"])
def test_two_versions_are_compared_by_what_they_mean(public: tuple[TestClient, upheld.Keeper], language: str) -> None:
    client, _ = public
    page = client.get(f"/notice/bizmeka-ez/compare?old=2016-08-31&new=2018-07-09&locale={language}")
    assert page.status_code == 200
    assert {"ko": "새로운 동의 필요", "en": "Fresh consent"}[language] in page.text
    backwards = client.get("/notice/bizmeka-ez/compare?old=2018-07-09&new=2016-08-31")
    assert backwards.status_code == 400
    assert client.get("/notice/bizmeka-ez/compare").status_code == 404


def test_an_unknown_policy_or_version_is_an_error_page_that_helps(public: tuple[TestClient, upheld.Keeper]) -> None:
    client, _ = public
    for path in ("/notice/nobody", "/notice/nexr/versions/1999-01-01", "/notice/..%2f..%2fetc"):
        page = client.get(path, headers={"accept-language": "en"})
        assert page.status_code == 404
        assert "First page" in page.text


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "home") as found:
        yield found


COMING = "2024-12-01"


@pytest.mark.clauses("BZ16-1.4.b", "BZ18-1.4.b", "KE22-1.4-3", "MS18-1.4-3")
def test_a_version_is_public_from_its_announcement_and_binds_from_its_date(house: Served) -> None:
    third = WEB_POLICY.replace("2020-01-01", "2024-11-01").replace("2020-02-01", COMING)
    house.keeper.publish(third.replace("ko: 안내, items", "ko: 새 안내, items").encode())
    browser = house.browser()
    assert COMING not in browser.get("/notice/trial/versions").text
    assert browser.get(f"/notice/trial/versions/{COMING}").status_code == 404
    house.clock.set(at("2024-11-02"))
    listed = browser.get("/notice/trial/versions").text
    assert COMING in listed
    assert "announced" in listed
    assert "새 안내" not in browser.get("/notice/trial", locale="ko").text
    house.clock.set(at(COMING))
    assert "새 안내" in browser.get("/notice/trial", locale="ko").text


def test_what_another_process_publishes_is_shown_here(house: Served) -> None:
    browser = house.browser()
    assert "2024-11-30" not in browser.get("/notice/trial/versions").text
    other = upheld.open(house.home, upheld.Options(clock=house.clock, light_hashing=True))
    other.publish(WEB_POLICY.replace("2020-01-01", "2024-09-07").replace("2020-02-01", "2024-11-30").encode())
    other.close()
    assert "2024-11-30" in browser.get("/notice/trial/versions").text
