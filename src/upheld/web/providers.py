"""The house's own sign-in, as the service is told of it: a file of providers, their secrets from the environment.

- name: house                       # in addresses and in UPHELD_SIGN_IN_HOUSE_SECRET
  title: {en: Example account, ko: 예시 계정}
  issuer: https://login.example.org
  client-id: upheld
  for: staff                        # or persons
  policies: [shop]                  # left out: all
  claims: {account: sub}            # for persons: item → claim, such as {email: email}
  factors: [mfa]                    # values of amr or acr by which a second factor was asked for there
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import httpx2
import msgspec

from upheld.connect.openid import Provider, ProviderSettings

ACCOUNT = "account"
"""What stands in the place of an item for staff."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_SCOPES = {"email": "email", "email_verified": "email", "phone_number": "phone", "preferred_username": "profile"}


@dataclass(frozen=True, slots=True)
class HouseProvider:
    """A provider and what it is for. `claims`: item or `account` → claim of its token or `userinfo`, best first."""

    provider: Provider
    title: Mapping[str, str]
    area: Literal["console", "portal"]
    policies: frozenset[str] | None
    claims: Mapping[str, str]

    @property
    def name(self) -> str:
        """Its name in addresses."""
        return self.provider.settings.name

    def serves(self, area: str, policy: str) -> bool:
        """Whether it is offered there."""
        return area == self.area and (self.policies is None or policy in self.policies)


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One provider as the file has it."""

    name: str
    title: dict[str, str]
    issuer: str
    client_id: str
    for_: Literal["staff", "persons"] = msgspec.field(name="for")
    policies: list[str] | None = None
    claims: dict[str, str] = {}
    factors: list[str] = []


def providers_in(
    document: bytes, environment: Mapping[str, str], seconds: Callable[[], int], http: httpx2.Client | None = None
) -> tuple[HouseProvider, ...]:
    """The providers of a file. Raises ValueError that says what to mend."""
    try:
        written = msgspec.yaml.decode(document, type=list[_Written])
    except msgspec.DecodeError as problem:
        raise ValueError(f"the file of providers: {problem}") from problem
    if len({one.name for one in written}) != len(written):
        raise ValueError("the file of providers: two of one name")
    return tuple(_provider(one, environment, seconds, http) for one in written)


def _provider(
    one: _Written, environment: Mapping[str, str], seconds: Callable[[], int], http: httpx2.Client | None
) -> HouseProvider:
    if not _NAME.fullmatch(one.name):
        raise ValueError(f"the file of providers: `{one.name}` is no name; small letters, digits and hyphens")
    claims = one.claims or ({ACCOUNT: "sub"} if one.for_ == "staff" else {"email": "email"})
    if one.for_ == "staff" and set(claims) != {ACCOUNT}:
        raise ValueError(f"`{one.name}` is for staff: claims is {{{ACCOUNT}: CLAIM}}")
    settings = ProviderSettings(
        one.name,
        one.issuer,
        one.client_id,
        environment.get(f"UPHELD_SIGN_IN_{one.name.upper().replace('-', '_')}_SECRET", ""),
        tuple(dict.fromkeys(_scopes(claims.values()))),
        frozenset(one.factors),
        tuple(claims.values()),
    )
    return HouseProvider(
        Provider(settings, seconds, http),
        one.title,
        "console" if one.for_ == "staff" else "portal",
        None if one.policies is None else frozenset(one.policies),
        claims,
    )


def _scopes(claims: Iterable[str]) -> Iterator[str]:
    for claim in claims:
        if claim in _SCOPES:
            yield _SCOPES[claim]
