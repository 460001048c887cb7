"""The API from another program: typed, with retries that do nothing twice, and lists of any length in one call.

    shop = Client("https://privacy.example.org", client_id, client_secret)
    person = shop.enter("member")
    shop.collect(person, "identity", {"name": "..."})

A refused decision raises `Refused`, with the reasons and clauses of the policy. Every call that changes something
carries an idempotency key of its own; a lost answer is asked for again under the same key.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import httpx2
import msgspec

TRIES = 4
"""How often a call is tried when the network or the service fails."""
_LONGEST_WAIT = 60.0
_PAGE = 200
_AT_ONCE = {"collect": 100, "read": 1000}
T = TypeVar("T")


class Cause(msgspec.Struct, frozen=True):
    """What decided: an element of the policy with its clauses, and the reason if it refuses."""

    element: str
    clauses: list[str]
    reason: str | None = None
    layer: str | None = None
    law: str | None = None
    detail: str = ""


class Problem(msgspec.Struct, frozen=True):
    """What the service says no with."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    reasons: list[Cause] = []


class Failed(Exception):
    """A call was not done. `problem` says why; its text has no content of the call."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        because = "; ".join(
            f"{one.reason} by {', '.join((one.element, *one.clauses))}" for one in problem.reasons if one.reason
        )
        super().__init__(f"{problem.status} {problem.code}: {because or problem.title}")

    def __reduce__(self) -> tuple[type[Failed], tuple[Problem]]:
        """It crosses from one process to another whole."""
        return type(self), (self.problem,)


class Refused(Failed):
    """The policy does not allow it, or the program lacks the duty."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of the policy; empty where the program lacks the duty."""
        return tuple(one.reason for one in self.problem.reasons if one.reason)

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses cited."""
        return tuple(dict.fromkeys(clause for one in self.problem.reasons for clause in one.clauses))


class Done(msgspec.Struct, frozen=True):
    """A verb was decided and done. `values`: item → ids of values; `made`: the id of what it made."""

    at: datetime
    because: list[Cause]
    made: str | None = None
    values: dict[str, list[str]] = {}
    tells: list[str] = []
    repeated: bool = False


class Erased(msgspec.Struct, frozen=True):
    """Erasure was asked, answered and done. `made`: the request; `gone`: how many values went, key and content."""

    at: datetime
    because: list[Cause]
    made: str
    gone: int
    tells: list[str] = []
    repeated: bool = False


class Texts(msgspec.Struct, frozen=True):
    """Contents, by value."""

    at: datetime
    values: dict[str, list[str]]
    texts: dict[str, str]
    made: str | None = None
    repeated: bool = False

    def text(self, item: str) -> str:
        """The newest content of an item. Raises KeyError when none was shown."""
        return self.texts[self.values[item][-1]]


class One(msgspec.Struct, frozen=True):
    """One of several collections: done, or a problem of its own."""

    subject: str
    done: Done | None = None
    problem: Problem | None = None


class ReadOut(msgspec.Struct, frozen=True):
    """Contents that may be seen, and why the others may not, by value."""

    texts: dict[str, str]
    refused: dict[str, list[Cause]]


class Holding(msgspec.Struct, frozen=True):
    """A value without its content."""

    value: str
    item: str
    state: str
    collected_at: datetime
    purposes: list[str]
    kept_by: list[str]
    disputed: bool = False
    """Frozen until a request about it is settled."""


class Asked(msgspec.Struct, frozen=True):
    """A request and where it stands."""

    request: str
    right: str
    state: str
    received_at: datetime
    due_at: datetime | None
    proved: bool


class Mandated(msgspec.Struct, frozen=True):
    """Who acts for a person, without a name. Empty `rights` or `items`: every one."""

    acting: str
    kind: str
    since: datetime
    until: datetime | None
    rights: list[str]
    items: list[str]


class _Decided(msgspec.Struct, frozen=True):
    entries: list[One]


class _Entered(msgspec.Struct, frozen=True):
    subject: str


class _Found(msgspec.Struct, frozen=True):
    subjects: list[str]


class _Consents(msgspec.Struct, frozen=True):
    consents: dict[str, str]


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int


class _Page(msgspec.Struct, frozen=True):
    items: list[msgspec.Raw]
    next: str | None = None


class Collection(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is collected from one of several persons."""

    subject: str
    purpose: str
    items: dict[str, str]
    engagement: str | None = None
    channel: str | None = None


class Client:
    """The API as one program. Safe to share between threads; close it, or use it as a context."""

    def __init__(
        self,
        address: str,
        client_id: str,
        secret: str,
        *,
        http: httpx2.Client | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http or httpx2.Client(base_url=address, timeout=30)
        self._who = (client_id, secret)
        self._wait = wait
        self._token = ""
        self._until = 0.0
        self._turn = threading.Lock()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    # ── verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def enter(self, kind: str, **more: object) -> str:
        """A person becomes known; returns their id. `born`, `minor`, `at` where the policy asks for them."""
        return self._post("/subjects", {"kind": kind, **more}, _Entered).subject

    def look_up(self, item: str, text: str, reason: str) -> list[str]:
        """Who holds exactly this text."""
        return self._post("/subjects/look-up", {"item": item, "text": text, "reason": reason}, _Found).subjects

    def begin(self, subject: str, kind: str, **more: object) -> Done:
        """An engagement begins."""
        return self._post(f"/subjects/{subject}/engagements", {"kind": kind, **more}, Done)

    def collect(self, subject: str, purpose: str, items: Mapping[str, str], **more: object) -> Done:
        """Items for one purpose: all of them or none."""
        return self._post(f"/subjects/{subject}/collect", {"purpose": purpose, "items": items, **more}, Done)

    def collect_all(self, entries: Sequence[Collection]) -> list[One]:
        """Any number of collections, each decided by itself, a hundred in one commit."""
        decided: list[One] = []
        for some in _portions(entries, _AT_ONCE["collect"]):
            decided += self._post("/collect", {"entries": some}, _Decided).entries
        return decided

    def read(self, subject: str, purpose: str, *items: str, **more: object) -> Texts:
        """Contents for one purpose."""
        return self._post(f"/subjects/{subject}/read", {"purpose": purpose, "items": items, **more}, Texts)

    def read_all(self, purpose: str, values: Sequence[tuple[str, str]], use: str | None = None) -> ReadOut:
        """Any number of values, as (person, value), each decided by itself."""
        texts: dict[str, str] = {}
        refused: dict[str, list[Cause]] = {}
        for some in _portions(values, _AT_ONCE["read"]):
            wanted = [{"subject": subject, "value": value} for subject, value in some]
            body = {"purpose": purpose, "values": wanted, **({"use": use} if use else {})}
            out = self._post("/read", body, ReadOut)
            texts |= out.texts
            refused |= out.refused
        return ReadOut(texts, refused)

    def consent(self, subject: str, about: str, channel: str, **more: object) -> Done:
        """Consent to one thing, such as `purpose/offers`. `text` and `locale`: what was shown."""
        return self._post(f"/subjects/{subject}/consents", {"about": about, "channel": channel, **more}, Done)

    def withdraw(self, subject: str, about: str, channel: str, **more: object) -> Done:
        """Consent taken back."""
        return self._post(f"/subjects/{subject}/withdrawals", {"about": about, "channel": channel, **more}, Done)

    def consents(self, subject: str) -> dict[str, str]:
        """The state of each matter."""
        return self._called("GET", f"/subjects/{subject}/consents", _Consents).consents

    def fact(self, subject: str, code: str, **more: object) -> Done:
        """Something happened. `source` and `key` make it count once for ever."""
        return self._post(f"/subjects/{subject}/facts", {"code": code, **more}, Done)

    def provide(self, subject: str, recipient: str, *items: str, **more: object) -> Texts:
        """Items for a recipient. Contents come once: after a lost answer `texts` may be empty."""
        return self._post(f"/subjects/{subject}/provisions", {"recipient": recipient, "items": items, **more}, Texts)

    def entrust(self, subject: str, processor: str, purpose: str, *items: str, **more: object) -> Texts:
        """Items for a processor; as `provide`."""
        body = {"processor": processor, "purpose": purpose, "items": items, **more}
        return self._post(f"/subjects/{subject}/entrustments", body, Texts)

    def request(self, subject: str, right: str, channel: str, **more: object) -> Done:
        """A person exercises a right."""
        return self._post(f"/subjects/{subject}/requests", {"right": right, "channel": channel, **more}, Done)

    def reuse(self, subject: str, purpose: str, *values: str, **more: object) -> Done:
        """Values that are held already, for one more purpose."""
        return self._post(f"/subjects/{subject}/reuse", {"purpose": purpose, "values": values, **more}, Done)

    def disclose(self, subject: str, exception: str, *items: str, **more: object) -> Texts:
        """Items under an exception that the policy declares; `shown`: what is on record for it. As `provide`."""
        return self._post(f"/subjects/{subject}/disclosures", {"exception": exception, "items": items, **more}, Texts)

    def advertise(self, subject: str, purpose: str, medium: str) -> Done:
        """Whether a promotional message may go out now, by this medium; it is on record as sent."""
        return self._post(f"/subjects/{subject}/adverts", {"purpose": purpose, "medium": medium}, Done)

    def read_separated(self, subject: str, ground: str, *values: str) -> Texts:
        """What is kept apart, for the ground that keeps it (`statutes.tax`)."""
        return self._post(f"/subjects/{subject}/read-separated", {"ground": ground, "values": values}, Texts)

    def prove(self, subject: str, request: str, *proofs: str) -> Done:
        """Who asked is proved, by these proofs."""
        return self._of_request(subject, request, "proofs", {"proofs": proofs})

    def incomplete(self, subject: str, request: str, *missing: str) -> Done:
        """Something is missing; the person is asked for it."""
        return self._of_request(subject, request, "incomplete", {"missing": missing})

    def postpone(self, subject: str, request: str, until: datetime, reason: str) -> Done:
        """Access is put off until an instant, for a reason."""
        return self._of_request(subject, request, "postponements", {"until": until, "reason": reason})

    def extend(self, subject: str, request: str, reason: str) -> Done:
        """As long again, for a reason."""
        return self._of_request(subject, request, "extensions", {"reason": reason})

    def pass_on(self, subject: str, request: str, party: str) -> Done:
        """The request goes to the controller from whom the data came."""
        return self._of_request(subject, request, "passed", {"party": party})

    def answer(
        self, subject: str, request: str, outcome: str, reason: str | None = None, *, confirmed: bool = False
    ) -> Done:
        """The request is answered: `done`, `partly`, `refused`, `nothing-held`, ...; all but `done` with a reason.
        `confirmed`: the person wants to end what an erasure ends.
        """
        body = {"outcome": outcome, "reason": reason, "confirmed": confirmed}
        return self._of_request(subject, request, "answers", body)

    def erase(self, subject: str, channel: str, **more: object) -> Erased:
        """A person wants to be erased, and is: asked, answered, and keys and contents gone when this returns."""
        return self._post(f"/subjects/{subject}/erasures", {"channel": channel, **more}, Erased)

    def lift(self, subject: str, request: str) -> Done:
        """The person lifts a suspension."""
        return self._of_request(subject, request, "lifted", {})

    def mandate(self, subject: str, kind: str, *shown: str, **more: object) -> Done:
        """Somebody acts for the person (`agent`, `representative`), by these papers; `made` is the id to ask under."""
        return self._post(f"/subjects/{subject}/mandates", {"kind": kind, "shown": shown, **more}, Done)

    def mandate_ends(self, subject: str, acting: str, **more: object) -> Done:
        """Nobody acts under that id any more."""
        return self._post(f"/subjects/{subject}/mandates/{acting}/ended", more, Done)

    def mandates(self, subject: str) -> list[Mandated]:
        """Who acts for a person now."""
        return list(self._listed(f"/subjects/{subject}/mandates", Mandated))

    def _of_request(self, subject: str, request: str, path: str, body: Mapping[str, object]) -> Done:
        return self._post(f"/subjects/{subject}/requests/{request}/{path}", body, Done)

    def requests(self, subject: str) -> list[Asked]:
        """A person's requests."""
        return list(self._listed(f"/subjects/{subject}/requests", Asked))

    def holdings(self, subject: str) -> list[Holding]:
        """What is held on a person, without contents."""
        return list(self._listed(f"/subjects/{subject}/holdings", Holding))

    def certificates(self) -> list[str]:
        """The ids of all certificates of destruction."""
        return list(self._listed("/certificates", str))

    def certificate(self, certificate: str) -> bytes:
        """A signed certificate, to be kept or checked offline."""
        return self._tried("GET", f"/certificates/{certificate}", None, {}).content

    # ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _post(self, path: str, body: Mapping[str, object], gives: type[T]) -> T:
        given = {name: one for name, one in body.items() if one is not None}
        return self._called("POST", path, gives, msgspec.json.encode(given))

    def _called(self, method: str, path: str, gives: type[T], body: bytes | None = None) -> T:
        return msgspec.json.decode(self._tried(method, path, body, {}).content, type=gives)

    def _listed(self, path: str, kind: type[T]) -> Iterator[T]:
        query = {"limit": str(_PAGE)}
        while True:
            page = msgspec.json.decode(self._tried("GET", path, None, query).content, type=_Page)
            for one in page.items:
                yield msgspec.json.decode(one, type=kind)
            if page.next is None:
                return
            query["cursor"] = page.next

    def _tried(self, method: str, path: str, body: bytes | None, query: Mapping[str, str]) -> httpx2.Response:
        """Try until it is answered. Another try goes out under the same key. Raises Failed, httpx2.TransportError."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(16)} if body else {}
        for number in range(1, TRIES + 1):
            try:
                answer = self._sent(method, path, body, query, headers)
            except httpx2.TransportError:
                if number == TRIES:
                    raise
                self._wait(_pause(number))
                continue
            if answer.is_success:
                return answer
            problem = _problem(answer)
            if number == TRIES or not self._worth_another(answer, problem):
                raise (Refused if problem.status == 403 else Failed)(problem)
            self._wait(_asked_to_wait(answer) or _pause(number))
        raise AssertionError("unreachable")

    def _sent(
        self, method: str, path: str, body: bytes | None, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> httpx2.Response:
        sent = {**headers, "Authorization": f"Bearer {self._live_token()}"}
        return self._http.request(method, f"/v1{path}", content=body, params=dict(query), headers=sent)

    def _worth_another(self, answer: httpx2.Response, problem: Problem) -> bool:
        if answer.status_code == 401:
            with self._turn:
                self._until = 0.0
            return True
        return answer.status_code in (429, 502, 503, 504) or problem.code == "under-way"

    def _live_token(self) -> str:
        with self._turn:
            if time.monotonic() >= self._until:
                form = {"grant_type": "client_credentials"}
                answer = self._http.post("/v1/token", data=form, auth=self._who)
                if not answer.is_success:
                    raise Failed(Problem("urn:upheld:no-token", "There is no token", answer.status_code, "no-token"))
                made = msgspec.json.decode(answer.content, type=_Token)
                self._token, self._until = made.access_token, time.monotonic() + made.expires_in * 0.9
            return self._token


def _portions(all_of_them: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(all_of_them), most):
        yield all_of_them[start : start + most]


def _problem(answer: httpx2.Response) -> Problem:
    try:
        return msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        return Problem("about:blank", "The service did not answer as it should", answer.status_code, "unreadable")


def _pause(number: int) -> float:
    """Longer each time, and not all programs at the same moment."""
    return min(0.2 * 2.0**number, _LONGEST_WAIT) * random.uniform(0.5, 1.0)


def _asked_to_wait(answer: httpx2.Response) -> float | None:
    said = answer.headers.get("retry-after", "")
    return min(float(said), _LONGEST_WAIT) if said.isdigit() else None
