"""The document's types: one frozen class for the rows of each section, and `Policy`, which holds them all.

Every key of the language is a field made by `key(...)`; the reader, the JSON Schema and `docs/policy.md` come from
these fields and from nowhere else. Attributes are named like the keys (`use-until` is `use_until`, `from` is `from_`).
A row that is not blocked has every key that is `needed`; fields are optional in their types for the blocked ones.
"""

# ruff: noqa: RUF009 - `key(...)` is a field with what the language says about it, evaluated once on purpose

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Final

from upheld.dates import Period
from upheld.policy import vocabulary
from upheld.policy.ends import End
from upheld.policy.shapes import (
    ByItem,
    Code,
    Codes,
    Countries,
    Date,
    Deadline,
    DeadlineShape,
    DueShape,
    EndShape,
    Fallback,
    Freeze,
    Items,
    LawRef,
    LawRefs,
    Locales,
    ManyOf,
    Name,
    Names,
    Number,
    OneOf,
    Parts,
    PeriodShape,
    Plain,
    Reference,
    Shape,
    Steps,
    Text,
    Zone,
    attribute,
)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the language: the shape of its value, its Korean title, its meaning, whether it must be there."""

    shape: Shape
    ko: str
    means: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A key whose value is a table of rows of its own (`uses`, `terms`)."""

    row: type[Row]
    ko: str
    means: str
    needed: bool = False
    named: bool = False
    fixed: Mapping[str, frozenset[str]] | None = None


def key(shape: Shape, ko: str, means: str, *, needed: bool = False, default: object = None) -> Any:
    """A field that is a key of the language. `default` may be a class to be called, as `dict`."""
    said = {"key": Key(shape, ko, means, needed)}
    return (
        field(default_factory=default, metadata=said)
        if isinstance(default, type)
        else field(default=default, metadata=said)
    )


def rows(row: type[Row], ko: str, means: str, **more: Any) -> Any:
    """A field that is a table of sub-rows."""
    return field(default_factory=dict, metadata={"key": Rows(row, ko, means, **more)})


def _any(*names: str) -> Mapping[str, frozenset[str]]:
    """Fixed names of rows that take every key of their class."""
    return dict.fromkeys(names, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every element has. `clauses` maps the element's keys, and `all` for itself, to ids of the source."""

    path: str
    name: str
    line: int
    column: int
    clauses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    builtin: bool = False
    """True for what the document leaves to the language and the law; such a row cites `law`."""
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)
    """Where each key that holds for the row is written, be it in the row or in an `every` above it."""
    law: tuple[LawRef, ...] = key(LawRefs(), "근거 법령", "the law it rests on; may stand in for a clause", default=())
    reading: str | None = key(Plain(), "해석", "how a doubt of the source was settled; never published")
    blocked: str | None = key(Plain("reason"), "보류 사유", "declared but not run; everything under it is refused")
    seen: vocabulary.Seen = key(
        OneOf(vocabulary.Seen), "공개 범위", "`internal` keeps it out of the notice", default=vocabulary.Seen.PUBLIC
    )

    def cites(self, key: str = "all") -> tuple[str, ...]:
        """The clause ids that stand behind `key`; those of the element where the key has none; else its law."""
        return self.clauses.get(key) or self.clauses.get("all") or tuple(f"law: {one}" for one in self.law)

    def place_of(self, key: str) -> tuple[int, int]:
        """Line and column of `key`, or of the row."""
        return self.places.get(key, (self.line, self.column))


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee(Row):
    """Something the engine keeps under every policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller(Row):
    """Who publishes the policy and is bound by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated(Row):
    """`announced` and `effective`: a local day."""

    date: datetime.date | None = key(Date(), "날짜", "the local day", needed=True)


# ---------------------------------------------------------------------------------------------------------- words


@dataclass(frozen=True, slots=True, kw_only=True)
class Law(Row):
    """A law that a rule may cite as `law: pipa 35`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party(Row):
    """A company that gets data."""

    seat: tuple[str, ...] = key(Countries(), "소재국", "its country", default=())
    address: Mapping[str, str] | None = key(Text(), "주소", "where it is")
    contact: Mapping[str, str] | None = key(Text(), "연락처", "how it is reached")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(Row):
    """Who a person is to this policy."""

    identified: vocabulary.Identified | None = key(
        OneOf(vocabulary.Identified), "식별", "`never`: no identity may be asked for"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement(Row):
    """A relation between a person and us that begins and ends."""

    begins: End | None = key(EndShape(), "시작", "what begins it; `begun` if left out")
    ends: End | None = key(EndShape(), "종료", "what ends it; `ended` if left out")
    review_after: Period | None = key(PeriodShape(), "검토 기한", "open that long, the officer asks; P1Y if left out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact(Row):
    """Something the world tells us, from which periods count."""

    about: tuple[str, ...] = key(
        Names("engagements", ("person", "purpose", "controller", "party")),
        "대상",
        "what it concerns; the engagements that begin or end by it if left out, else `person`",
        default=(),
    )
    closes: str | None = key(Name("facts"), "해소", "the fact that it closes, as a payment closes a fee")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Row):
    """A way in."""

    proof: str | None = key(Name("proofs"), "증명", "the least proof that a request by this way needs")
    site: str | None = key(Plain(), "누리집", "its address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Row):
    """Where we tell people something."""

    site: str | None = key(Plain(), "누리집", "its address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof(Row):
    """What people show: identity proofs, forms, an agent's papers."""

    any_of: tuple[str, ...] = key(Names("proofs"), "택일", "any one of these does", default=())
    all_of: tuple[str, ...] = key(Names("proofs"), "모두", "all of these together", default=())
    copy: vocabulary.Copy | None = key(OneOf(vocabulary.Copy), "사본", "what becomes of a copy; copies never stay")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftWord(Row):
    """A word of the source without a number, and the number we hold ourselves to."""

    means: Period | None = key(PeriodShape(), "기간", "the time it stands for", needed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Row):
    """A kind of personal data."""

    nature: vocabulary.Nature = key(
        OneOf(vocabulary.Nature), "성격", "what rules of law it brings along", default=vocabulary.Nature.PLAIN
    )
    collected: vocabulary.Collected | None = key(
        OneOf(vocabulary.Collected), "수집", "`never`: printed somewhere, taken by no one"
    )
    needs: vocabulary.ItemNeed | None = key(
        OneOf(vocabulary.ItemNeed), "조건", "a fresh proof each time it is taken or shown"
    )


# ------------------------------------------------------------------------------------------------ why, and agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Row):
    """A sub-purpose; where there are any, a read names one that is not blocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose(Row):
    """Why items are processed. `required` tells the table it stands in."""

    required: bool = True
    whose: tuple[str, ...] = key(Names("subjects"), "정보주체", "whose data", needed=True, default=())
    items: tuple[str, ...] = key(Items(), "항목", "which items", needed=True, default=())
    basis: Mapping[str, vocabulary.Basis] = key(
        ByItem(vocabulary.Basis),
        "처리 근거",
        "the lawful ground, by item; consent for optional ones",
        needed=True,
        default=dict,
    )
    per: tuple[str, ...] = key(
        Names("engagements"), "관계", "each collecting and reading names one; none: per person", default=()
    )
    until: End | None = key(EndShape(), "이용 기간", "until when the items may be used", needed=True)
    review_after: Period | None = key(PeriodShape(), "검토 기한", "when an open end is looked at; P1Y if left out")
    uses: Mapping[str, Use] = rows(Use, "세부 목적", "sub-purposes", named=True)
    source: tuple[vocabulary.Source, ...] = key(
        ManyOf(vocabulary.Source),
        "출처",
        "where the items come from; `person` if left out",
        default=(vocabulary.Source.PERSON,),
    )
    via: tuple[str, ...] = key(Names("channels"), "수집 경로", "the ways by which it is collected", default=())
    needs: tuple[vocabulary.PurposeNeed, ...] = key(
        ManyOf(vocabulary.PurposeNeed), "조건", "what must hold besides", default=()
    )
    held_for: vocabulary.HeldFor | None = key(
        OneOf(vocabulary.HeldFor), "보유 자격", "held for the organisation whose engagement it is, for no end of ours"
    )
    refused: Mapping[str, str] | None = key(Text(), "거부 시 불이익", "what refusing costs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting(Row):
    """A way of collecting; if the section is there, the only ways."""

    source: tuple[vocabulary.Source, ...] = key(
        ManyOf(vocabulary.Source), "출처", "where the items come from", default=()
    )
    by: tuple[str, ...] = key(Names("channels"), "경로", "by which channels", default=())
    for_: tuple[str, ...] = key(Names("purposes"), "목적", "for which purposes", default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionException(Row):
    """A case of collecting or using without the consent that the purposes rest on."""

    basis: vocabulary.Basis | None = key(OneOf(vocabulary.Basis), "처리 근거", "the lawful ground then", needed=True)
    for_: tuple[str, ...] = key(Names("purposes"), "목적", "for which purposes; all if left out", default=())
    needs: tuple[vocabulary.ExceptionNeed, ...] = key(
        ManyOf(vocabulary.ExceptionNeed), "요건", "all of it must be on record", needed=True, default=()
    )
    recorded: vocabulary.CollectionRecorded | None = key(
        OneOf(vocabulary.CollectionRecorded), "기록", "where it is recorded"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreeing(Row):
    """How people agree on a channel; the row's name is the channel."""

    by: tuple[vocabulary.ConsentWay, ...] = key(
        ManyOf(vocabulary.ConsentWay), "동의 방법", "one choice each, nothing preset", needed=True, default=()
    )
    says: tuple[vocabulary.ConsentSays, ...] = key(
        ManyOf(vocabulary.ConsentSays), "고지 내용", "what the text shown holds besides what the law asks", default=()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium(Row):
    """A medium of advertising; the row's name is the medium."""

    for_: tuple[str, ...] = key(Names("purposes"), "목적", "for which purposes", default=())
    at_night: vocabulary.AtNight = key(
        OneOf(vocabulary.AtNight), "야간 전송", "never if left out", default=vocabulary.AtNight.NEVER
    )


# --------------------------------------------------------------------------------------------- how long, and the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention(Row):
    """One ground that keeps values after their use."""

    of: tuple[str, ...] = key(Names("purposes"), "대상 목적", "whose values", default=())
    items: tuple[str, ...] = key(Items(("of-the-dispute",)), "항목", "which values", default=())
    kind: vocabulary.GroundKind = key(
        OneOf(vocabulary.GroundKind),
        "종류",
        "fixes tier and what survives an erasure",
        default=vocabulary.GroundKind.RETENTION,
    )
    basis: vocabulary.Basis | None = key(OneOf(vocabulary.Basis), "처리 근거", "for kind `retention` only")
    from_: str | None = key(Name("facts"), "기산", "when the ground arises; the first fact of `until` if left out")
    until: End | None = key(EndShape(), "보유 기간", "until when it keeps", needed=True)
    review_after: Period | None = key(PeriodShape(), "검토 기한", "when an open end is looked at; P1Y if left out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statute(Row):
    """A record class that a law keeps."""

    law: tuple[LawRef, ...] = key(LawRefs(), "근거 법령", "the law that keeps it", needed=True, default=())
    items: tuple[str, ...] = key(Items(), "항목", "what the record holds", needed=True, default=())
    from_: str | None = key(Name("facts"), "기산", "the event; the first fact of `until` if left out")
    until: End | None = key(EndShape(), "보존 기간", "one period, from that very event", needed=True)
    instead_of: str | None = key(Name("statutes"), "특칙", "the row of which it is a special case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroying(Row):
    """How values are destroyed."""

    starts: Deadline | None = key(DeadlineShape(("at-once",)), "착수", "when it begins; P1D if left out")
    within: Deadline | None = key(DeadlineShape(), "기한", "when it is done; P5D if left out")
    after: tuple[str, ...] = key(Names("facts"), "사유", "the facts that make a value needless", default=())
    by: tuple[vocabulary.DestructionMethod, ...] = key(ManyOf(vocabulary.DestructionMethod), "방법", "how", default=())
    shown_by: tuple[vocabulary.DestructionProof, ...] = key(
        ManyOf(vocabulary.DestructionProof), "증빙", "what shows it", default=()
    )
    approval: tuple[str, ...] = key(
        Names("handlers"), "파기 승인", "staff of whom one approves first what another destroys", default=()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Separating(Row):
    """Where a value waits whose purpose is over but which something keeps."""

    needs: vocabulary.SeparationNeed | None = key(OneOf(vocabulary.SeparationNeed), "요건", "what entry needs")
    only_for: vocabulary.SeparationUse | None = key(OneOf(vocabulary.SeparationUse), "용도", "what it may be used for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep(Row):
    """What the system itself holds about people."""

    basis: vocabulary.Basis | None = key(OneOf(vocabulary.Basis), "처리 근거", "the lawful ground")
    until: End | None = key(EndShape(), "보유 기간", "until when")


# --------------------------------------------------------------------------------------------------- giving data away


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision(Row):
    """Giving items to a third party for its own purpose."""

    to: str | None = key(Name("parties"), "제공받는 자", "the recipient; the row's name if left out")
    items: tuple[str, ...] = key(Items(), "항목", "which items", needed=True, default=())
    whose: tuple[str, ...] = key(Names("subjects"), "정보주체", "whose data", needed=True, default=())
    per: tuple[str, ...] = key(Names("engagements"), "관계", "only while that engagement is open", default=())
    their_use: Mapping[str, str] | None = key(Text(), "이용 목적", "the recipient's purpose", needed=True)
    consent: vocabulary.OwnConsent | None = key(
        OneOf(vocabulary.OwnConsent), "동의", "a consent that names this recipient", needed=True
    )
    by: tuple[vocabulary.ConsentWay, ...] = key(
        ManyOf(vocabulary.ConsentWay), "동의 방법", "the ways of agreeing that count; all if left out", default=()
    )
    use_until: End | None = key(EndShape(), "이용 기간", "until when the recipient may use it")
    until: End | None = key(EndShape(), "보유 기간", "until when the recipient may keep it", needed=True)
    at_end: vocabulary.AtEnd | None = key(
        OneOf(vocabulary.AtEnd), "종료 시", "what the recipient is asked then", needed=True
    )
    longer_by: vocabulary.LongerBy | None = key(
        OneOf(vocabulary.LongerBy), "연장", "the recipient may keep longer under a law on file"
    )
    refused: Mapping[str, str] | None = key(Text(), "거부 시 불이익", "what refusing costs")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionException(Row):
    """Another way out than by a provision."""

    needs: tuple[vocabulary.ExceptionNeed, ...] = key(
        ManyOf(vocabulary.ExceptionNeed), "요건", "all of it must be on record", needed=True, default=()
    )
    items: tuple[str, ...] = key(Items(), "항목", "which items; any if left out", default=())
    recorded: vocabulary.Recorded | None = key(OneOf(vocabulary.Recorded), "기록", "where it is recorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(Row):
    """A term of the contract with a processor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrustment(Row):
    """A processor, for our purposes."""

    to: str | None = key(Name("parties"), "수탁자", "the processor; the row's name if left out")
    for_: tuple[str, ...] = key(Names("purposes"), "목적", "for which purposes", needed=True, default=())
    items: tuple[str, ...] = key(
        Items(), "항목", "never more than those purposes have; all of it if left out", default=()
    )
    task: Mapping[str, str] | None = key(Text(), "위탁 업무", "the task; what the purposes say if left out")
    consent: vocabulary.OwnConsent | None = key(
        OneOf(vocabulary.OwnConsent), "동의", "a consent that names this processor; not asked if left out"
    )
    under: str | None = key(Name("entrustments"), "재위탁", "the parent of a sub-processor")
    contract: vocabulary.Contract | None = key(
        OneOf(vocabulary.Contract), "계약", "no contract in force, no data", needed=True
    )
    terms: Mapping[str, Term] = rows(
        Term, "계약 조항", "what the contract must say", needed=True, fixed=_any(*vocabulary.TermName)
    )
    at_end: vocabulary.AtEnd | None = key(OneOf(vocabulary.AtEnd), "종료 시", "what becomes of the data", needed=True)
    within: Deadline | None = key(DeadlineShape(), "기한", "how soon after the end; P5D if left out")
    inspected: Period | None = key(PeriodShape(), "점검 주기", "how often it is inspected; P1Y if left out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(Row):
    """Data that leaves the country, on top of the row it stands for."""

    to: str | None = key(Name("parties"), "이전받는 자", "to whom", needed=True)
    as_: vocabulary.TransferAs | None = key(OneOf(vocabulary.TransferAs), "형태", "the row it stands for", needed=True)
    basis: vocabulary.TransferBasis | None = key(
        OneOf(vocabulary.TransferBasis), "이전 근거", "the lawful ground", needed=True
    )
    stored_in: tuple[str, ...] = key(Countries(), "보관국", "where it is stored", needed=True, default=())
    seen_from: tuple[str, ...] = key(Countries(), "열람국", "from where it can be seen", default=())
    items: tuple[str, ...] = key(Items(), "항목", "which items", needed=True, default=())
    how: Mapping[str, str] | None = key(Text(), "이전 방법", "how it travels", needed=True)
    until: End | None = key(
        EndShape(),
        "보유 기간",
        "until when the copy abroad stays; `consented` is the first of its two consents",
        needed=True,
    )
    when: vocabulary.TransferWhen | None = key(OneOf(vocabulary.TransferWhen), "이전 시기", "when it leaves")
    refusable: vocabulary.Refusable | None = key(OneOf(vocabulary.Refusable), "거부 시기", "when one may refuse")
    refused: Mapping[str, str] | None = key(Text(), "거부 시 불이익", "what refusing costs")


# ------------------------------------------------------------------------------------------------------------- people


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler(Row):
    """A kind of staff."""

    for_: tuple[str, ...] = key(Names("purposes"), "목적", "what it may read for", default=())
    duties: tuple[vocabulary.Duty, ...] = key(ManyOf(vocabulary.Duty), "직무", "what it may do", default=())
    granted_with: tuple[vocabulary.GrantRecord, ...] = key(
        ManyOf(vocabulary.GrantRecord), "부여 요건", "what a grant needs on record", default=()
    )
    granted_for: Period | None = key(PeriodShape(), "부여 기간", "how long a grant lasts")
    reviewed: Period | None = key(PeriodShape(), "검토 주기", "how often grants are looked at")


FREEZE: Final = Parts(
    Freeze,
    (
        ("from", Name("facts"), True),
        ("until", EndShape(), True),
        ("except", OneOf(vocabulary.FreezeExcept), False),
        ("covers", OneOf(vocabulary.FreezeCovers), False),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Right(Row):
    """A right of the person; the stricter of this and the law holds."""

    open: vocabulary.Opening | None = key(OneOf(vocabulary.Opening), "상시", "when it can be used")
    by: tuple[str, ...] = key(Names("channels"), "방법", "by which channels", default=())
    form: str | None = key(Name("proofs"), "서식", "the form a written request takes")
    within: Deadline | None = key(DeadlineShape(), "기한", "how soon it is answered")
    freeze: Freeze | None = key(FREEZE, "처리 정지", "how long the values named stand still")
    gives: tuple[vocabulary.Gives, ...] = key(ManyOf(vocabulary.Gives), "제공", "what the person gets", default=())
    tells: tuple[vocabulary.Tells, ...] = key(
        ManyOf(vocabulary.Tells), "통지", "who is told of the outcome", default=()
    )
    refusal: vocabulary.Refusal | None = key(OneOf(vocabulary.Refusal), "거절", "how a refusal is given")
    covers: tuple[vocabulary.Covers, ...] = key(
        ManyOf(vocabulary.Covers), "범위", "what it can be asked for", default=()
    )
    until: End | None = key(EndShape(), "지속", "how long it holds")
    stops: vocabulary.Stops | None = key(OneOf(vocabulary.Stops), "중단", "from when use stops")
    leaves: vocabulary.Leaves | None = key(OneOf(vocabulary.Leaves), "상태", "what is left behind")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActingFor(Row):
    """Who may act for a person."""

    shows: tuple[str, ...] = key(Names("proofs"), "제출 서류", "all of these papers", needed=True, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRule(Row):
    """A rule about children; which keys a row takes depends on its name."""

    under: int | None = key(Number(1, 19), "연령", "below which age one is a child")
    asked: vocabulary.ChildAsked | None = key(OneOf(vocabulary.ChildAsked), "확인", "when the age is asked")
    words: vocabulary.ChildWords | None = key(OneOf(vocabulary.ChildWords), "표현", "in what words children are told")
    says: tuple[vocabulary.ChildSays, ...] = key(
        ManyOf(vocabulary.ChildSays), "고지 내용", "what they are told", default=()
    )
    else_: vocabulary.ChildElse | None = key(OneOf(vocabulary.ChildElse), "그 외", "what holds where it cannot be done")
    from_child: tuple[str, ...] = key(Items(), "아동에게서", "what the child may be asked for", default=())
    from_representative: tuple[str, ...] = key(
        Items(), "대리인에게서", "what the representative is asked for", default=()
    )
    only_for: vocabulary.OnlyFor | None = key(OneOf(vocabulary.OnlyFor), "용도", "what these items may be used for")
    given_to: vocabulary.GivenTo | None = key(OneOf(vocabulary.GivenTo), "제공", "who gets them")
    by: tuple[vocabulary.ConsentWay, ...] = key(
        ManyOf(vocabulary.ConsentWay), "동의 방법", "how consent is given", default=()
    )
    gives: tuple[vocabulary.RightName, ...] = key(ManyOf(vocabulary.RightName), "권리", "which rights", default=())
    to: vocabulary.Representative | None = key(OneOf(vocabulary.Representative), "행사자", "who has them")
    from_: str | None = key(Name("facts", ("representative",)), "부터", "who consents; or from which fact")
    until: End | None = key(EndShape(), "까지", "until when")
    except_: vocabulary.FreezeExcept | None = key(OneOf(vocabulary.FreezeExcept), "예외", "what goes on while frozen")
    sent: tuple[vocabulary.ChildNeverSent, ...] = key(
        ManyOf(vocabulary.ChildNeverSent), "전송 금지", "what is never sent", default=()
    )
    asked_by: tuple[vocabulary.ChildNeverAsked, ...] = key(
        ManyOf(vocabulary.ChildNeverAsked), "요구 금지", "by what nothing is asked", default=()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie(Row):
    """A cookie; its purpose stands under `purposes` with `source: cookie`."""

    for_: tuple[str, ...] = key(
        Names("purposes", ("necessary",)), "목적", "purposes, or necessary", needed=True, default=()
    )
    lasts: Period | None = key(PeriodShape(), "수명", "how long it lasts; for the session if left out")
    preset: vocabulary.Preset | None = key(OneOf(vocabulary.Preset), "기본값", "what is set before anyone chose")
    honours: tuple[vocabulary.Honours, ...] = key(
        ManyOf(vocabulary.Honours), "존중", "whose refusal it obeys", default=()
    )


# ---------------------------------------------------------------------------------------- protection, change and help


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguard(Row):
    """A technical or managerial promise: a check of the system, or evidence that people owe."""

    check: tuple[vocabulary.EngineCheck, ...] = key(
        ManyOf(vocabulary.EngineCheck), "자동 점검", "the system looks itself", default=()
    )
    evidence: tuple[str, ...] = key(Codes(), "증빙", "what people file", default=())
    due: tuple[Period | str, ...] = key(DueShape(), "주기", "a fact starts a due date, a period repeats", default=())
    per: vocabulary.Register | None = key(OneOf(vocabulary.Register), "단위", "one for each in that register")
    owner: str | None = key(Name("contacts"), "책임자", "who answers for it", needed=True)
    blocks: vocabulary.Blocks | None = key(OneOf(vocabulary.Blocks), "제한", "what stops while it is missing")
    at_least: Period | None = key(PeriodShape(), "최소 보관", "the least time a record is kept")


FALLBACK: Final = Parts(
    Fallback,
    (
        ("if", OneOf(vocabulary.FallbackIf), True),
        ("at", Names("places"), True),
        ("for", PeriodShape(), False),
        ("papers", Number(), False),
        ("regional", OneOf(vocabulary.RegionalIf), False),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Row):
    """What a new version owes to people before it holds."""

    at: tuple[str, ...] = key(Names("places"), "장소", "where people are told", default=())
    ahead: Period | None = key(PeriodShape(), "사전 기간", "how long before; dates are compared")
    because: tuple[vocabulary.ChangeCause, ...] = key(
        ManyOf(vocabulary.ChangeCause), "사유", "the only causes; one is recorded with a new version", default=()
    )
    within: Deadline | None = key(DeadlineShape(), "게시 기한", "from its acceptance to its posting")
    says: tuple[vocabulary.ChangeSays, ...] = key(
        ManyOf(vocabulary.ChangeSays), "공고 내용", "what the announcement holds", default=()
    )
    asks: vocabulary.FreshConsent | None = key(OneOf(vocabulary.FreshConsent), "동의", "what is asked")
    or_else: tuple[Fallback, ...] = key(Steps(FALLBACK), "대안", "steps in order where that cannot be done", default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Row):
    """An office that people can turn to; office holders stand in the officer register."""

    takes: tuple[vocabulary.Takes, ...] = key(ManyOf(vocabulary.Takes), "접수", "what it takes", default=())
    within: Deadline | None = key(DeadlineShape(), "기한", "how soon it answers")
    team: Mapping[str, str] | None = key(Text(), "부서", "its team")
    phone: str | None = key(Plain("phone number"), "전화", "its phone")
    answers_calls_of: str | None = key(Name("contacts"), "대리 응답", "whose calls it answers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency(Row):
    """A body outside where people find remedy."""

    offers: Mapping[str, str] | None = key(Text(), "업무", "what it offers")
    address: Mapping[str, str] | None = key(Text(), "주소", "where it is")
    site: str | None = key(Plain(), "누리집", "its address")
    phone: str | None = key(Plain("phone number"), "전화", "its phone")
    shown_in: tuple[vocabulary.ShownIn, ...] = key(ManyOf(vocabulary.ShownIn), "안내", "where it is shown", default=())
    reviewed: Period | None = key(PeriodShape(), "검토 주기", "how often its particulars are checked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Row):
    """A sentence that only has to be said."""

    under: str | None = key(Code(), "위치", "the section it is printed under", needed=True)
    also: tuple[vocabulary.AlsoSaid, ...] = key(
        ManyOf(vocabulary.AlsoSaid), "추가 안내", "where else it is shown", default=()
    )


# ---------------------------------------------------------------------------------------------------------- the whole


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the document. `named` rows need a public name; `parts` are tables inside it, each of such rows."""

    row: type[Row]
    ko: str
    means: str
    named: bool = False
    word: bool = False
    """Whether its rows are words, which some rule must use."""
    fixed: Mapping[str, frozenset[str]] | None = None
    """The only names its rows can have, and the keys that each takes (all where empty)."""
    parts: tuple[str, ...] = ()
    listed: bool = False
    """Whether it is a list, not a table."""
    row_is: str = ""
    """The table that the names of its rows come from, where they are references themselves."""
    row_unless: str = ""
    """The key that, where it is written, is the reference instead of the row's name."""


def section(row: type[Row], ko: str, means: str, **more: Any) -> Any:
    """A field of `Policy` that is a section of the document."""
    return field(default_factory=dict, metadata={"section": Section(row, ko, means, **more)})


CHILD_ROWS: Final[Mapping[str, frozenset[str]]] = {
    "age": frozenset({"under", "asked"}),
    "told": frozenset({"words", "says", "else"}),
    "representative": frozenset({"from-child", "from-representative", "only-for", "given-to", "until"}),
    "consent": frozenset({"by", "from"}),
    "rights": frozenset({"gives", "to"}),
    "freeze": frozenset({"from", "until", "except"}),
    "never": frozenset({"sent", "asked-by"}),
}
DESTRUCTION_ROWS: Final[Mapping[str, frozenset[str]]] = {
    "at-expiry": frozenset({"starts", "within", "approval"}),
    "when-needless": frozenset({"starts", "within", "after", "approval"}),
    "electronic": frozenset({"by", "shown-by", "starts", "within"}),
    "paper": frozenset({"by", "shown-by", "starts", "within"}),
}
SEPARATION_ROWS: Final[Mapping[str, frozenset[str]]] = {
    "electronic": frozenset({"needs"}),
    "paper": frozenset({"needs"}),
    "entry": frozenset({"needs"}),
    "use": frozenset({"only-for"}),
}
UPKEEP_ROWS: Final = (
    "consent-evidence",
    "requests",
    "letters",
    "mandates",
    "notices",
    "sessions",
    "staff",
    "access-records",
    "aliases",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole document. Every mapping is from a row's name to the row, in the order of the file.

    `purposes` holds required and optional ones together, `item_groups` the groups flat. `empty_sections` holds the
    `every` of a table that has no row below it (a document that says so much and no more), by the table's path.
    """

    file: str
    upheld: str = ""
    policy: str = ""
    controller: Controller
    locales: tuple[str, ...] = ()
    translation: vocabulary.Translation | None = None
    time_zone: str = ""
    announced: Dated
    effective: Dated
    guarantees: Mapping[str, Guarantee] = section(
        Guarantee, "기본 보장", "what the engine keeps under every policy", fixed=_any(*vocabulary.Guarantee)
    )
    laws: Mapping[str, Law] = section(Law, "법령", "each law that a rule may cite", named=True, word=True)
    parties: Mapping[str, Party] = section(Party, "업체", "companies that get data", named=True, word=True)
    subjects: Mapping[str, Subject] = section(Subject, "정보주체", "kinds of persons", named=True, word=True)
    engagements: Mapping[str, Engagement] = section(
        Engagement, "이용 관계", "what begins and ends between a person and us", named=True, word=True
    )
    facts: Mapping[str, Fact] = section(Fact, "사실", "what the world tells us", named=True, word=True)
    channels: Mapping[str, Channel] = section(Channel, "경로", "ways in", named=True, word=True)
    places: Mapping[str, Place] = section(Place, "알리는 곳", "where we tell people", named=True, word=True)
    proofs: Mapping[str, Proof] = section(Proof, "증명", "what people show", named=True, word=True)
    soft_words: Mapping[str, SoftWord] = section(
        SoftWord, "불확정 기간", "words without a number", named=True, word=True
    )
    items: Mapping[str, Item] = section(
        Item, "개인정보 항목", "kinds of data, and groups of them", named=True, word=True
    )
    item_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    purposes: Mapping[str, Purpose] = section(
        Purpose, "처리 목적", "why items are used", named=True, parts=("required", "optional")
    )
    collection: Mapping[str, Collecting] = section(Collecting, "수집 방법", "the only ways of collecting")
    collection_exceptions: Mapping[str, CollectionException] = section(
        CollectionException, "수집의 예외", "the only cases of collecting without consent"
    )
    consent: Mapping[str, Agreeing] = section(Agreeing, "동의 방법", "how people agree, by channel", row_is="channels")
    advertising: Mapping[str, Medium] = section(Medium, "광고성 정보", "media of advertising")
    retention: Mapping[str, Retention] = section(Retention, "보유", "what is kept after its use", named=True)
    statutes: Mapping[str, Statute] = section(Statute, "법령상 보존", "what a law keeps", named=True)
    destruction: Mapping[str, Destroying] = section(Destroying, "파기", "how it ends", fixed=DESTRUCTION_ROWS)
    separation: Mapping[str, Separating] = section(Separating, "분리 보관", "kept apart", fixed=SEPARATION_ROWS)
    upkeep: Mapping[str, Upkeep] = section(
        Upkeep, "시스템 기록", "what the system itself holds", fixed=_any(*UPKEEP_ROWS)
    )
    provisions: Mapping[str, Provision] = section(
        Provision, "제3자 제공", "giving data to third parties", row_is="parties", row_unless="to"
    )
    provision_exceptions: Mapping[str, ProvisionException] = section(
        ProvisionException, "제공의 예외", "the only other ways out"
    )
    entrustments: Mapping[str, Entrustment] = section(
        Entrustment, "처리위탁", "processors", row_is="parties", row_unless="to"
    )
    transfers: Mapping[str, Transfer] = section(Transfer, "국외 이전", "out of the country")
    handlers: Mapping[str, Handler] = section(Handler, "개인정보취급자", "who may look", named=True)
    rights: Mapping[str, Right] = section(
        Right, "정보주체의 권리", "what people may ask", fixed=_any(*vocabulary.RightName)
    )
    acting_for: Mapping[str, ActingFor] = section(
        ActingFor, "대리", "who acts for a person", named=True, fixed=_any("representative", "agent")
    )
    children: Mapping[str, ChildRule] = section(ChildRule, "아동", "rules about children", fixed=CHILD_ROWS)
    cookies: Mapping[str, Cookie] = section(Cookie, "쿠키", "cookies")
    safeguards: Mapping[str, Safeguard] = section(Safeguard, "안전성 확보조치", "promises of protection", named=True)
    changes: Mapping[str, Change] = section(
        Change,
        "변경",
        "what a new version owes",
        fixed=_any("any", "meaning", "unfavourable", "business-transfer"),
    )
    contacts: Mapping[str, Contact] = section(Contact, "담당", "offices", named=True)
    agencies: Mapping[str, Agency] = section(Agency, "구제 기관", "bodies that help", named=True)
    statements: Mapping[str, Statement] = section(
        Statement, "알림 문장", "sentences that only have to be said", named=True, listed=True
    )
    empty_sections: Mapping[str, Row] = field(default_factory=dict)
    references: tuple[Reference, ...] = field(default=(), repr=False)
    head_places: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False)
    """Where each key of the head is written."""

    def rows(self) -> Iterator[Row]:
        """Every element in the order of the language, sub-rows after their row, builtin rows included."""
        yield from (self.controller, self.announced, self.effective)
        for name in sections():
            for row in getattr(self, attribute(name)).values():
                yield row
                yield from sub_rows(row)
        yield from self.empty_sections.values()

    def row(self, path: str) -> Row | None:
        """The element at a dotted path."""
        return next((row for row in self.rows() if row.path == path), None)


def sub_rows(row: Row) -> Iterator[Row]:
    """The rows inside a row."""
    for name, spec in keys_of(type(row)).items():
        if isinstance(spec, Rows):
            yield from getattr(row, attribute(name)).values()


def keys_of(row: type[Row]) -> Mapping[str, Key | Rows]:
    """The keys that rows of a class take, as the document writes them."""
    known: Any = row  # a class is hashable; mypy looks at what its instances are
    return _keys_of(known)


@cache
def _keys_of(row: Any) -> Mapping[str, Key | Rows]:
    found = {each.name.rstrip("_").replace("_", "-"): each.metadata.get("key") for each in fields(row)}
    return {name: spec for name, spec in found.items() if spec is not None}


@cache
def sections() -> Mapping[str, Section]:
    """The sections of the document, as it writes them."""
    found = {each.name.replace("_", "-"): each.metadata.get("section") for each in fields(Policy)}
    return {name: spec for name, spec in found.items() if spec is not None}


HEAD: Final[Mapping[str, Key]] = {
    "upheld": Key(Plain("1"), "언어 판", "version of this language", needed=True),
    "policy": Key(Code(), "방침 코드", "the policy's code, for ever", needed=True),
    "locales": Key(Locales(), "언어", "languages of the texts; the first binds", needed=True),
    "translation": Key(OneOf(vocabulary.Translation), "번역", "who made the other languages"),
    "time-zone": Key(Zone(), "시간대", "in which dates and periods are reckoned", needed=True),
}
"""Head keys with a plain value."""

HEAD_ROWS: Final[Mapping[str, tuple[type[Row], str, str]]] = {
    "controller": (Controller, "개인정보처리자", "who publishes the policy"),
    "announced": (Dated, "공고일", "when it was announced"),
    "effective": (Dated, "시행일", "from when it is in force"),
}
"""Head keys that are elements, with clauses."""
