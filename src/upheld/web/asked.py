"""What was asked of a page: parsed once at the edge, checked before any page function runs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from upheld.desk.accounts import Account
from upheld.desk.documents import Document, document_in_force
from upheld.desk.sessions import Session
from upheld.engine.acts import Reader, SubjectId
from upheld.engine.plan import Plan
from upheld.keeper import Keeper
from upheld.web.answer import Refused
from upheld.web.providers import HouseProvider
from upheld.web.settings import Settings

if TYPE_CHECKING:
    from upheld.web.route import Route

LANGUAGES = ("ko", "en")
LONGEST_FIELD = 4_000


@dataclass(frozen=True)
class Signed:
    """A member of staff who is signed in, and what they may do now."""

    account: Account
    session: Session
    reader: Reader
    duties: tuple[str, ...]


@dataclass
class Asked:
    """One request of a browser. `policy` is the code in the path, empty on pages about no policy."""

    settings: Settings
    table: Mapping[str, Route]
    """Every page by name, for links."""
    route: Route
    path: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, tuple[str, ...]]
    cookies: Mapping[str, str]
    source: str
    locale: str
    visitor: str
    """A random token of this browser, made when it first comes; what forms carry is bound to it."""
    policy: str = ""
    staff: Signed | None = None
    person: Session | None = None
    uploads: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Files of the form, by field; only on pages whose row in the route table takes files."""
    came_from: str = ""
    """The page of ours that led here, for the way back from a page that says no; empty where there is none."""
    has_form: bool = False
    """Whether the page carries a form of ours: only then the browser gets the token that forms are bound to."""

    @property
    def keeper(self) -> Keeper:
        """The one door."""
        return self.settings.keeper

    @property
    def plan(self) -> Plan:
        """The version in force, compiled."""
        line = self.keeper.views.line(self.policy)
        return line.at(self.keeper.now()) or line.plans[0]

    @property
    def document(self) -> Document:
        """The version in force, as it was written."""
        return document_in_force(self.keeper, self.policy)

    @property
    def providers(self) -> tuple[HouseProvider, ...]:
        """The house's own sign-ins that are offered in this part of the site."""
        return tuple(one for one in self.settings.providers if one.serves(self.route.area, self.policy))

    def url(self, name: str, **parts: object) -> str:
        """The address of a page of ours, under this policy unless another is named."""
        route = self.table[name]
        given = {key: str(part) for key, part in parts.items()}
        if "{policy}" in route.path:
            given.setdefault("policy", self.policy)
        return route.filled(given)

    def field(self, name: str) -> str:
        """One field of the form, without blanks around it; empty when it was not sent."""
        given = self.form.get(name, ("",))[0].strip()
        if len(given) > LONGEST_FIELD:
            raise Refused(413, "field-too-long")
        return given

    def secret(self, name: str) -> str:
        """A password, as it was typed."""
        return self.form.get(name, ("",))[0]

    def choice(self, name: str, among: Mapping[str, object] | tuple[str, ...]) -> str:
        """One field that must be one of the offered. Raises Refused: nobody but a forged form sends another."""
        given = self.field(name)
        if given not in among:
            raise Refused(400, "choice-unknown")
        return given

    def choices(self, name: str, among: Mapping[str, object] | tuple[str, ...]) -> tuple[str, ...]:
        """Every box that was ticked, in the order of the offered. Raises Refused for one that was not offered."""
        given = self.form.get(name, ())
        if any(one not in among for one in given):
            raise Refused(400, "choice-unknown")
        return tuple(one for one in among if one in given)

    def day(self, name: str) -> date | None:
        """A day that was entered; None for an empty field. Raises Refused for a text that is no day."""
        given = self.field(name)
        try:
            return date.fromisoformat(given) if given else None
        except ValueError:
            raise Refused(400, "day-unreadable") from None

    def signed(self) -> Signed:
        """The member of staff; the route has made sure that there is one."""
        if self.staff is None:
            raise Refused(403, "sign-in-needed")
        return self.staff

    def subject(self) -> SubjectId:
        """The person; the route has made sure that there is one."""
        if self.person is None:
            raise Refused(403, "sign-in-needed")
        return SubjectId(self.person.who)

    # ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def form_token(self) -> str:
        """What every form of ours carries: bound to this browser and, when signed in, to the session."""
        self.has_form = True
        session = self.staff.session.digest if self.staff else self.person.digest if self.person else b""
        return hmac.digest(bytes.fromhex(self.visitor), b"form" + session, hashlib.sha256).hex()

    def form_token_right(self) -> bool:
        """Whether the form that came is one of ours, made for this browser and session."""
        return hmac.compare_digest(self.form.get("form-token", ("",))[0].encode(), self.form_token().encode())

    # ── cookies ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def cookie_name(self, kind: str) -> str:
        """Under TLS with the prefix that keeps other hosts of the domain from setting it."""
        name = f"upheld-{kind}-{self.policy}" if self.policy else f"upheld-{kind}"
        return f"__Host-{name}" if self.settings.secure else name


def wanted_language(query: Mapping[str, str], cookies: Mapping[str, str], accepts: str, binding: str) -> str:
    """The language chosen here, else the one chosen before, else the browser's first of ours, else that of the text
    which binds; English where that is none of ours.
    """
    for given in (query.get("locale"), cookies.get("upheld-locale")):
        if given in LANGUAGES:
            return given
    liked = sorted((_liked(one) for one in accepts.split(",")[:20]), key=lambda one: -one[1])
    return next((language for language, weight in liked if language in LANGUAGES and weight > 0), _ours(binding))


def _ours(locale: str) -> str:
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else "en"


def _liked(part: str) -> tuple[str, float]:
    language, _, weight = part.strip().partition(";q=")
    try:
        return language[:2].lower(), float(weight or 1)
    except ValueError:
        return "", 0
