"""Stories of persons in a real browser at phone width, without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import Site, chrome, site_of
from tests.served import Served, served, text_of
from tests.test_web_consent import YOUNG_POLICY
from tests.test_web_cookies import SITE_POLICY
from tests.trial_home import at
from upheld.desk.invitations import invite
from upheld.engine.state import RequestState

PHONE = 390


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("stories") / "home") as house, chrome() as browser:
        for policy in (YOUNG_POLICY, SITE_POLICY):
            house.keeper.publish(policy.encode(), as_of=at("2020-02-01").date(), evidence="trial")
        with site_of(house, browser) as found:
            yield found


def later(house: Served) -> None:
    house.clock.set(house.clock.now() + 1_000_000)


@pytest.mark.clauses("BZ18-9.1.a", "BZ18-9.1.c", "KE22-9.1-1", "KE22-9.1-6", "MS18-8.1-1", "MS18-8.1-6")
def test_one_person_from_consent_to_what_is_held_withdrawal_and_erasure_in_plain_korean(site: Site) -> None:
    house, keeper = site.house, site.house.keeper
    person = house.persons["walker"] = keeper.enter("trial", "member")
    keeper.begin(person, "membership")
    context = site.context(PHONE, scripts=False)
    page = context.new_page()
    page.goto(f"/consent/trial/{invite(keeper, 'trial', person)}?locale=ko")
    assert page.locator("input[type=checkbox]:checked").count() == 0
    page.check("label:has-text('동의합니다: 안내')")
    page.click("text=선택한 대로 저장")
    assert "동의가 기록되었습니다" in page.inner_text("main")
    assert keeper.consents(person) == {"purpose/offers": "given"}

    given = {item: text_of("walker", item) for item in ("name", "email")}
    assert keeper.collect(person, "service", given, channel="website").granted
    assert keeper.collect(person, "offers", {"phone": text_of("walker", "phone")}, channel="website").granted
    site.come_in(page, {item: text_of("walker", item) for item in ("email", "phone")})
    held = page.inner_text("main")
    for told in ("성명", "이메일", "전화", "안내", "보유 중인 개인정보"):
        assert told in held

    page.click("text=동의·철회하기")
    page.click("a:has-text('철회')")
    assert "이후 파기하는 항목" in page.inner_text("main")
    assert keeper.consents(person)["purpose/offers"] == "given"
    page.click("text=지금 철회")
    assert "동의를 철회했습니다" in page.inner_text("main")
    assert keeper.consents(person)["purpose/offers"] == "withdrawn"

    page.goto("/portal/trial/mine")
    page.click("text=권리 행사하기")
    page.check("#right-erasure")
    page.click("main form button")
    follows = page.url
    assert "처리하고 있습니다" in page.inner_text("main")
    assert "일 남음" in page.inner_text("main")
    (one,) = keeper.requests(person)
    assert (one.right, one.state) == ("erasure", RequestState.OPEN)
    later(house)
    keeper.answer(person, one.request_id, "partly", reason="kept-by-duty")
    page.goto(follows)
    answer = page.inner_text("main")
    for told in ("일부를 처리했습니다", "보존 의무에 따라 일부를 계속 보존함", "이의 제기"):
        assert told in answer
    context.close()


@pytest.mark.clauses("MS18-8.1-7", "MS18-9.1", "MS18-9.3-0", "MS18-9.3.a", "MS18-9.3.b-1")
def test_a_child_and_its_representative(site: Site) -> None:
    house, keeper = site.house, site.house.keeper
    child = keeper.enter("young", "member", minor=True)
    keeper.begin(child, "membership")
    context = site.context(PHONE, scripts=False)
    page = context.new_page()
    page.goto(f"/consent/young/{invite(keeper, 'young', child)}?locale=ko")
    assert "법정대리인의 동의가 필요합니다" in page.inner_text("main")
    page.fill("#guardian-name", "made-up guardian")
    page.fill("#guardian-email", "guardian@example.org")
    sent = len(house.sent)
    page.click("text=동의 요청 보내기")
    assert "주소를 보냈습니다" in page.inner_text("main")
    site.wait_for_mail(page, sent)
    context.close()
    site.restart()
    keeper = site.house.keeper
    theirs = site.context(PHONE, scripts=False)
    page = theirs.new_page()
    page.goto(f"{house.sent[-1].link}?locale=ko")
    assert "법정대리인으로 알려 주어" in page.inner_text("main")
    page.check("label:has-text('아동 개인정보의 수집')")
    page.click("text=선택한 대로 저장")
    assert keeper.consents(child) == {"representative/collection": "given"}
    assert keeper.collect(child, "service", {"name": "made-up", "email": "c@example.org"}).granted
    later(house)
    page.click("a:has-text('철회')")
    page.click("text=지금 철회")
    assert keeper.consents(child) == {"representative/collection": "withdrawn"}
    assert not keeper.collect(child, "service", {"name": "made-up"}).granted
    theirs.close()
