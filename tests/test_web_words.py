"""Both languages are whole: no text outside the tables, no key without a page, no page with words of the other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.served import Served, served
from upheld.dates import Instant
from upheld.desk import spoken
from upheld.desk.accounts import StaffRole
from upheld.desk.documents import document_in_force
from upheld.desk.duties import CHECKLIST, LOOKED_FOR
from upheld.desk.invitations import Speaker
from upheld.desk.leaks import CONTENTS
from upheld.desk.records import recorded
from upheld.engine.acts import ACT_CODES, ReaderKind, Reason
from upheld.engine.duties import DUTIES, DutyState, Size
from upheld.engine.leaks import BEFORE_CLOSING, LeakCause, LeakStep
from upheld.engine.lifecycle import DueState, StepKind
from upheld.engine.notices import OWED
from upheld.engine.state import AboutKind, ActingKind, RequestState
from upheld.keeper.asking import AUTOMATED, RIGHTS, SUSPENSION_REFUSED_FOR
from upheld.keeper.handing_over import FACTS, REFUSED_MEANS
from upheld.keeper.looking import BROKEN, KEPT, SYSTEM_CHECK
from upheld.keeper.posting import NO_FAULT
from upheld.keeper.reviewing import ENDED, OUTCOMES
from upheld.keeper.telling import ADVERT, RECORDED
from upheld.law.stricter import By
from upheld.ledger.certificate_page import _STATES as CERTIFICATE_STATES
from upheld.ledger.entries import KINDS
from upheld.ledger.report import State
from upheld.policy.vocabulary import (
    EVIDENCE,
    TRANSPORTS,
    ConsentWay,
    DestructionMethod,
    Duty,
    FallbackIf,
    TermName,
    TransferBasis,
)
from upheld.store.outbox import MOVES
from upheld.store.vault import Tier
from upheld.web import calendar, consent, cookies, leaks, people, places, requests, reviews, safeguards, staff
from upheld.web.asked import LANGUAGES
from upheld.web.identities import SAID as TOLD
from upheld.web.words import TABLES, WORDS, refusals, say

WEB = Path(__file__).resolve().parent.parent / "src" / "upheld" / "web"
TEMPLATES = sorted((WEB / "pages").glob("*.j2"))
SOURCES = sorted(WEB.glob("*.py"))
SAME_IN_BOTH = {"base.name", "language.ko", "language.en"}
"""Names, and each language by its own word."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "held-up.": ("disputed", "suspended"),
    "held-up-why.": ("disputed", "suspended"),
    "menu.": places.NAMED,
    "group.": tuple(places.GROUPS),
    "group-help.": tuple(places.GROUPS),
    "requests.show-": requests.SHOWN,
    "requests.none-": requests.SHOWN,
    "language.": LANGUAGES,
    "role.": tuple(StaffRole),
    "duty.": tuple(Duty),
    "due.": tuple(DueState),
    "step.": tuple(StepKind),
    "request-state.": tuple(RequestState),
    "clause-state.": tuple(State),
    "answer-reason.": (
        *requests.REASONS,
        *requests.EXTENDED_FOR,
        "identity-not-proved",
        "nothing-held",
        "taken-back",
    ),
    "proof.": (*requests.ANY_PROOF, "mandate"),
    "acting.": tuple(ActingKind),
    "acting.add.": tuple(ActingKind),
    "desk.": ("automated-decision",),
    "grant-reason.": staff.WHY,
    "staff.": ("not-approved",),
    "review-outcome.": OUTCOMES,
    "review-reason.": reviews.GOES_ON_FOR,
    "person-problem.": ("channel-undeclared", "mandate-exceeded", "identity-not-proved", "address-unusable"),
    "look-reason.": people.REASONS,
    "work-role.": calendar.ROLES,
    "version-state.": ("in-force", "coming", "past"),
    "duty-state.": tuple(DutyState),
    "size.": tuple(Size),
    "leak-track.": ("persons", "authority"),
    "leak-cause.": tuple(LeakCause),
    "leak-step.": tuple(LeakStep),
    "leak-told.": leaks.STATES,
    "leak-content.": CONTENTS,
    "leak-missing.": (*CONTENTS, "proof", "drafted", "persons", "authority", *BEFORE_CLOSING, "closed"),
    "leak-problem.": ("leak-items-missing", "leak-span-wrong"),
    "safeguard-state.": ("missing", "fresh", "idle", "checked"),
    "deal-state.": ("running", "owes", "settled"),
    "per.": safeguards.REGISTERS,
    "evidence-kind.": tuple(EVIDENCE),
    "told-reason.": ("corrected", "ended-before", "return-or-destroy", "withdrawn"),
    "message-state.": (
        "queued",
        "sending",
        "uncertain",
        "sent",
        "acknowledged",
        "bounced",
        "failed",
        "unreachable",
        "withdrawn",
    ),
    "adverts.": ("text-missing",),
    "finding.": (*CHECKLIST, *LOOKED_FOR),
    "complete.": ("shown", "shown in part", "not shown"),
    "cannot.": ("truth", "cut-off", "cut-after", "signer", "pruned", "days", "beside", "unsealed"),
    "mail.": ("subject", "code", "shared", "link-subject", "link"),
    "about.": ("medium", "night", "representative", "provision", "entrustment"),
    "receipt.": consent.FORMS,
    "consent.": (
        "given",
        "withdrawn",
        "said-yes",
        "said-no",
        "said-withdrawn",
        "changed",
        "collection-first",
        "address-unusable",
    ),
    "leaks.in-language.": ("ko", "en"),
    "entry.": ("yes", "no"),
    "representative.": ("address-missing",),
    "banner.": cookies.SPOKEN,
    "right-name.": (AUTOMATED,),
    "cookies.": ("necessary", "session"),
    "right.": RIGHTS,
    "follow.": (*RequestState, "no-file", "too-many-files", "not-enough"),
    "another.": ("contact-missing", "mandate-missing"),
    "heard.": ("nothing-said", "text-changed", "evidence-missing", *(f"by-{way}" for way in ConsentWay)),
    "failed.": ("password", "second", "provider", "code", "address"),
    "failed-why.": (*TOLD, "provider", "answer"),
    "account.": ("passwords-differ", "password-short", "password-wrong"),
    "people.": ("text-missing", "nobody-found"),
    "request-problem.": (
        "day-unreadable",
        "day-past",
        "reason-missing",
        "proof-missing",
        "file-missing",
        "text-missing",
        "not-corrected",
        "reason.identity-not-proved",
        "reason.duty-missing",
    ),
}
"""Keys that a page puts together from a closed list."""


def texts_of(template: str) -> Iterator[str]:
    """What a template says by itself: text and the attributes that people hear or see, without expressions."""
    bare = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", template, flags=re.S)

    class Reader(HTMLParser):
        found: list[str]

        def handle_data(self, data: str) -> None:
            self.found.append(data)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [text or "" for name, text in attrs if name in ("aria-label", "title", "alt", "placeholder")]

    reader = Reader()
    reader.found = []
    reader.feed(bare)
    yield from reader.found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_words_of_its_own(path: Path) -> None:
    assert [text for text in texts_of(path.read_text("utf-8")) if re.search(r"[^\W\d_]{2,}", text)] == []


def test_every_sentence_is_there_in_both_languages() -> None:
    assert [key for key, text in WORDS.items() if not re.search("[가-힣]", text.ko) and key not in SAME_IN_BOTH] == []
    assert [key for key, text in WORDS.items() if re.search("[가-힣]", text.en) and key not in SAME_IN_BOTH] == []
    assert [key for key, text in WORDS.items() if placeholders(text.en) != placeholders(text.ko)] == []
    assert sum(map(len, TABLES)) == len(WORDS), "a key stands in two tables"


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"{(\w+)}", text))


REFUSALS = tuple(
    f"refused.{code}" for code in ("access-first", "already-answered", "reason-unlawful", "something-held")
)
"""Refusals of the keeper that have a sentence of their own."""


REACHED = ("keeper", "desk", "store", "policy/formats", "policy/letters.py", "web")
"""Where an `InputRefused` that a page can meet comes from; `cases`, `simulate` and the document have none."""
HAS_NO_CODE_IN_ITS_RAISE = frozenset({"publication-refused"})


def refusal_codes() -> set[str]:
    """Every code with which a call can be refused, read from the source."""
    found = set(HAS_NO_CODE_IN_ITS_RAISE)
    for part in REACHED:
        place = WEB.parent / part
        for path in [place] if place.is_file() else place.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "InputRefused":
                    code = node.args[0]
                    assert isinstance(code, ast.Constant), (
                        f"{path.name}:{node.lineno} has no code that can be looked up"
                    )
                    found.add(str(code.value))
    return found


def test_every_refusal_of_the_keeper_is_said_in_both_languages() -> None:
    assert {f"refused.{code}" for code in refusal_codes()} - set(refusals.WORDS) == set()


def test_a_refusal_of_the_keeper_is_korean_on_a_korean_page(house: Served) -> None:
    person = house.persons["asker"]
    (one,) = house.keeper.requests(person)
    desk = house.signed_in("officer", "ko")
    here = f"/console/trial/requests/{person}/{one.request_id}"
    desk.get(here)
    page = desk.send(f"{here}/answer", version=desk.field("version"), outcome="nothing-held", reason="")
    assert page.status_code == 400
    assert WORDS["refused.something-held"].ko in page.text or "본인 확인" in page.text
    text = " ".join(texts_of(page.text))
    assert ENGLISH_IN_KOREAN.findall(text) == [], text


def used_keys() -> set[str]:
    """Every key that a page can ask for."""
    found: set[str] = set()
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        found |= set(re.findall(r'say\("([\w.-]+)"[,)]', text))
        for branches in re.findall(r'say\(("[^()]*" if [^()]*)[,)]', text):
            found |= {key for key in re.findall(r'"([\w.-]+)"', branches) if "." in key}
    for family, codes in FAMILIES.items():
        found |= {f"{family}{code}" for code in codes}
    raised = re.compile(r'Refused\(\d+, "([\w-]+)"\)|, \d+, "([a-z-]+)"|"([a-z-]+)", refusal|else "(refused)"')
    for path in SOURCES:
        for names in raised.findall(path.read_text("utf-8")):
            found |= {f"{kind}.{code}" for code in names if code for kind in ("error", "help")}
    for code in ("not-found", "method-not-allowed", "too-large", *REFUSALS):
        found |= {f"error.{code}", f"help.{code}"}
    found |= {f"refused.{code}" for code in refusal_codes()}
    return found | {"menu.versions", "menu.notice", "menu.portal"}


def test_every_key_of_a_page_has_its_sentence() -> None:
    assert used_keys() - set(WORDS) == set()


def test_no_sentence_is_left_over() -> None:
    assert set(WORDS) - used_keys() == set()


def obstacles() -> set[str]:
    """Every code with which a publication can be refused, read from the source."""
    found = {"finding-unaccepted", "law-finding-unaccepted"}  # made of two words where a finding is of the law
    for path in (WEB.parent / "keeper").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _OBSTACLE:
                code = node.args[0]
                found |= {str(code.value)} if isinstance(code, ast.Constant) else set()
    return found


_OBSTACLE = ("Obstacle", "_obstacle")
CLOSED: dict[str, tuple[spoken.Table, Iterable[str]]] = {
    "kinds": (spoken.KINDS, KINDS),
    "fields": (spoken.FIELDS, {one.name.replace("_", "-") for kind in KINDS.values() for one in kind.fields}),
    "acts": (spoken.ACTS, (*ACT_CODES.values(), "acting", "grant", "request")),
    "readers": (spoken.READERS, ReaderKind),
    "matters": (spoken.ABOUT, AboutKind),
    "who speaks": (spoken.SPEAKERS, (*Speaker, *ActingKind)),
    "roles": (spoken.ROLES, (*calendar.ROLES, *StaffRole)),
    "reasons of a refusal": (spoken.REASONS, Reason),
    "outcomes of a request": (spoken.OUTCOMES, RequestState),
    "reasons of an answer": (
        spoken.ANSWERS,
        (
            *requests.REASONS,
            *requests.EXTENDED_FOR,
            *SUSPENSION_REFUSED_FOR,
            "identity-not-proved",
            "nothing-held",
            "taken-back",
        ),
    ),
    "rights": (spoken.RIGHTS, RIGHTS),
    "notices": (spoken.NOTICES, (*OWED, ADVERT)),
    "states of a message": (spoken.MESSAGES, {*MOVES, *(end for ends in MOVES.values() for end in ends)}),
    "why nobody was told": (
        spoken.UNTOLD,
        (*NO_FAULT, *FallbackIf, *Reason, "by-hand", "interrupted", "tried-again"),
    ),
    "media": (spoken.MEDIA, {*RECORDED, *TRANSPORTS.values()}),
    "steps of a leak": (spoken.STEPS, LeakStep),
    "causes of a leak": (spoken.CAUSES, LeakCause),
    "findings": (spoken.FINDINGS, (*CHECKLIST, *LOOKED_FOR)),
    "terms": (spoken.TERMS, TermName),
    "kinds of evidence": (spoken.EVIDENCE_KINDS, (*EVIDENCE, SYSTEM_CHECK)),
    "checks": (spoken.CHECKS, (KEPT, BROKEN)),
    "outcomes of a review": (spoken.REVIEWS, (*OUTCOMES, ENDED)),
    "why it goes on": (spoken.WENT_ON, reviews.GOES_ON_FOR),
    "looks": (spoken.LOOKS, (*people.REASONS, "sign-in")),
    "grants": (spoken.GRANTS, staff.WHY),
    "methods": (spoken.METHODS, DestructionMethod),
    "tiers": (spoken.TIERS, Tier),
    "bases of a transfer": (spoken.BASES, TransferBasis),
    "duties": (spoken.DUTY_NAMES, (*Duty, *DUTIES)),
    "facts of a merger": (spoken.MERGERS, (*FACTS, "withdrawn", "ended")),
    "what refusing means": (spoken.REFUSED, REFUSED_MEANS),
    "figures": (spoken.SIZES, Size),
    "who announced": (spoken.ANNOUNCED_BY, By),
    "certificates": (spoken.CERTIFICATES, [code for code, _, _ in CERTIFICATE_STATES]),
    "obstacles": (spoken.OBSTACLES, obstacles()),
    "sign-ins": (spoken.FAILED_FOR, (*TOLD, "provider", "answer")),
}
"""A list of words for codes of the ledger, and the closed set that it has to cover."""


@pytest.mark.parametrize("name", CLOSED)
def test_every_code_of_a_closed_set_of_the_ledger_has_its_words(name: str) -> None:
    words, codes = CLOSED[name]
    assert {str(one) for one in codes} - set(words) == set()
    assert set(words) - {str(one) for one in codes} == set(), "words of nothing"


def test_every_word_of_the_ledger_is_there_in_both_languages() -> None:
    tables = {id(table): table for tables in spoken.WORDS.values() for table in tables}.values()
    for table in (spoken.KINDS, spoken.FIELDS, *tables):
        assert [code for code, text in table.items() if not re.search("[가-힣]", text.ko)] == []
        assert [code for code, text in table.items() if not text.en or re.search("[가-힣]", text.en)] == []


def test_every_list_of_words_belongs_to_a_field_of_the_ledger() -> None:
    fields = {one.name for kind in KINDS.values() for one in kind.fields}
    pairs = {f"{kind.code} {one.name}" for kind in KINDS.values() for one in kind.fields}
    assert set(spoken.WORDS) - fields - pairs == set()


@pytest.mark.parametrize("locale", ["ko", "en"])
def test_an_entry_says_its_kind_its_fields_and_its_codes_in_words_with_the_code_beside(
    house: Served, locale: str
) -> None:
    desk, one = house.signed_in("officer", locale), Instant(house.keeper.now())
    document = document_in_force(house.keeper, "trial")
    house.keeper.seal()
    for kind in sorted(spoken.KINDS):
        for found in recorded(house.keeper, "trial", [kind], until=Instant(one + 1))[:1]:
            page = desk.get(f"/console/trial/ledger/{found.reference}").text
            assert f'{spoken.KINDS[kind].say(locale)} <code class="id">{kind}</code>' in page
            for path in found.entry.elements:
                assert spoken.title(document, path, locale) in page
            for name in found.entry.fields:
                words = spoken.field_word(name)
                assert words is not None
                assert f'<dt>{words.say(locale)} <code class="id">{name}</code></dt>' in page


def test_a_sentence_takes_what_belongs_into_it() -> None:
    assert say("desk.more", "en", count=3) == "3 more"
    assert say("desk.more", "ko", count=3) == "외 3건"
    with pytest.raises(KeyError):
        say("no.such-key", "en")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("words") / "home") as found:
        found.keeper.request(found.persons["asker"], "access", channel="letter")
        yield found


ENGLISH_IN_KOREAN = re.compile(r"\b(?:the|and|of|is|was|due|sign|open|request|policy|what)\b", re.I)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/requests",
        "/people",
        "/consents",
        "/calendar",
        "/duties",
        "/leaks",
        "/parties",
        "/safeguards",
        "/registers",
        "/advertising",
        "/report",
        "/ledger",
        "/account",
        "/accounts",
        "/reviews",
        "/people/{asker}",
    ],
)
def test_a_korean_page_of_the_desk_says_nothing_in_english(house: Served, path: str) -> None:
    there = path.format(asker=house.persons["asker"])
    page = house.signed_in("officer", "ko").get(f"/console/trial{there}")
    assert page.status_code == 200
    text = " ".join(texts_of(re.sub(r"<(code|pre)\b.*?</\1>", "", page.text, flags=re.S)))
    assert ENGLISH_IN_KOREAN.findall(text) == [], text


def test_the_language_is_the_one_chosen_then_the_browsers_then_that_which_binds(house: Served) -> None:
    browser = house.browser("en-US,en;q=0.9,ko;q=0.8")
    assert '<html lang="en">' in browser.get("/").text
    assert '<html lang="ko">' in browser.get("/", locale="ko").text
    assert '<html lang="ko">' in browser.get("/console/trial/sign-in").text  # it stays chosen
    assert '<html lang="en">' in house.browser("fr, *;q=0.1").get("/").text  # the trial's English binds
    assert '<html lang="ko">' in house.browser("fr, ko;q=0.2, en;q=0.1").get("/").text
    assert '<html lang="en">' in house.browser("ko;q=nonsense").get("/", locale="xx").text
