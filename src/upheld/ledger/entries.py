"""What an entry of the ledger can say: a closed table of kinds, and the encoder that lets nothing else through.

An entry is `kind, at, policy, who, elements` and then the fields of its kind. Each field has one of these types, none
of which holds free text, so nothing that a person typed can reach the ledger:

=========  ====================================================================================================
locale     a language as a document writes it, `ko`, `en-GB`
code       dotted kebab-case of at most 64 characters (`purposes.required.identity`), never nine digits in a row,
           so neither a telephone number nor a resident number passes for one
codes      several of them
id / ids   20 characters of lower-case base32, or a whole number of 64 bits (values); several are stored as one column
int        a whole number of 64 bits
instant    microseconds since 1970-01-01T00:00Z
digest     32 bytes, given as bytes or as 64 hexadecimal characters, read back as bytes
bool       true or false
counts     code → int
stream     the name of a stream of batches, `place/policy/class/incarnation`
=========  ====================================================================================================

A new kind is one row of `KINDS`. Rows are for ever: nothing in them is moved, renamed or taken out, or old ledgers
could not be read; a new field is optional and stands at the end.
"""

import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple, NoReturn, cast

import msgspec

from upheld.errors import UpheldError

Value = str | int | bool | bytes | tuple[str, ...] | tuple[int, ...] | list[str] | list[int] | Mapping[str, int] | None
"""What a field can be given as."""
Packed = str | int | bool | bytes | list[str] | Mapping[str, int] | None
"""What a field is stored as."""

ID_LENGTH: Final = 20


class BatchClass(IntEnum):
    """Evidence is kept; access records are destroyed when their time is over. They never share a batch."""

    EVIDENCE = 0
    ACCESS = 1

    @property
    def word(self) -> str:
        return self.name.lower()


class EntryRefused(UpheldError):
    """Something that the table of kinds has no place for. Names the kind and the field, never the value."""

    def __init__(self, kind: str, field: str, reason: str) -> None:
        super().__init__(f"the ledger takes no `{field}` of `{kind}` like this: {reason}")
        self.kind = kind
        self.field = field
        self.reason = reason


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened.

    `at` is an instant; `policy` the code of the policy under which it happened; `who` the alias of the person it is
    about, a tuple of aliases when it is about several (in the order of the entry's values when there are as many), or
    None; `elements` are the paths of the policy elements that decided; `fields` those of the kind.
    """

    kind: str
    at: int
    policy: str
    who: str | tuple[str, ...] | None = None
    elements: tuple[str, ...] = ()
    fields: Mapping[str, Value] = MappingProxyType({})

    def with_elements(self, elements: tuple[str, ...]) -> "Entry":
        """The same entry, resting on these elements."""
        return Entry(self.kind, self.at, self.policy, self.who, elements, self.fields)

    @property
    def persons(self) -> tuple[str, ...]:
        """The aliases it is about: none, one or several."""
        match self.who:
            case None:
                return ()
            case str():
                return (self.who,)
            case _:
                return self.who


def entry(
    kind: str,
    at: int,
    policy: str,
    /,
    who: str | tuple[str, ...] | None = None,
    elements: tuple[str, ...] = (),
    **fields: Value,
) -> Entry:
    """`entry("value.corrected", at, "nexr", alias, ("rights.rectification",), old=one, new=other)`"""
    return Entry(kind, at, policy, who, elements, fields)


# ── Types of fields ───────────────────────────────────────────────────────────────────────────────────────────────────

_CODE = re.compile(r"(?!.*(?:[0-9][.-]?){9})[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*", re.ASCII)
_LONGEST_CODE: Final = 64
_LONGEST_PATH: Final = 160
_BASE32: Final = b"abcdefghijklmnopqrstuvwxyz234567"
_STREAM = re.compile(r"([a-z0-9.-]{1,64})/([a-z0-9.-]{1,64})/(access|evidence)/([a-z2-7]{20})", re.ASCII)
_LIMIT: Final = 1 << 63
_NUMBER: Final = 8


@lru_cache(maxsize=8192)
def _code(value: str) -> str:
    if type(value) is not str or len(value) > _LONGEST_CODE or not _CODE.fullmatch(value):
        raise ValueError("not a code: dotted kebab-case of at most 64 characters")
    return value


_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?", re.ASCII)


def _locale(value: str) -> str:
    if type(value) is not str or not _LOCALE.fullmatch(value):
        raise ValueError("not a language such as `ko` or `en-GB`")
    return value


@lru_cache(maxsize=8192)
def _codes(values: tuple[str, ...]) -> list[str]:
    if type(values) is not tuple:
        raise ValueError("not a tuple of codes")
    return [_code(value) for value in values]


@lru_cache(maxsize=8192)
def _paths(values: tuple[str, ...]) -> list[str]:
    if type(values) is not tuple:
        raise ValueError("not a tuple of element paths")
    for value in values:
        if type(value) is not str or len(value) > _LONGEST_PATH or not _CODE.fullmatch(value):
            raise ValueError("not an element path: dotted kebab-case of at most 160 characters")
    return list(values)


def _code_list(value: Value) -> list[str]:
    return _codes(cast("tuple[str, ...]", tuple(value) if isinstance(value, list) else value))


def _id(value: Value) -> str | int:
    if type(value) is str and len(value) == ID_LENGTH and not value.encode().translate(None, _BASE32):
        return value
    if type(value) is int and 0 <= value < _LIMIT:
        return value
    raise ValueError("not an id: 20 characters of lower-case base32, or a whole number of 64 bits")


def _ids(value: Value) -> str | bytes:
    if type(value) is tuple and len(value) == 1 and type(value[0]) is int and 0 <= value[0] < _LIMIT:
        return value[0].to_bytes(_NUMBER, "little")
    if isinstance(value, tuple | list):
        if value and type(value[0]) is int:
            return _numbers(cast("Sequence[int]", value))
        texts = cast("Sequence[str]", value)
        joined = "".join(texts)
        if not joined.encode().translate(None, _BASE32) and not set(map(len, texts)) - {ID_LENGTH}:
            return joined
    raise ValueError("not a tuple of ids: each has 20 characters of lower-case base32, or each is a whole number")


def _numbers(values: Sequence[int]) -> bytes:
    if len(values) == 1 and type(values[0]) is int and 0 <= values[0] < _LIMIT:
        return values[0].to_bytes(_NUMBER, "little")
    if set(map(type, values)) != {int} or min(values) < 0:
        raise ValueError("not a tuple of ids: each is a whole number from 0")
    try:
        return struct.pack(f"<{len(values)}q", *values)
    except struct.error as problem:
        raise ValueError("not a tuple of ids: each is a whole number of 64 bits") from problem


def _who(value: Value) -> str | None:
    if value is None:
        return None
    stored = _id(value) if isinstance(value, str) else _ids(value)
    if not isinstance(stored, str):
        raise ValueError("not an alias: 20 characters of lower-case base32")
    return stored or None


def _split(joined: str | bytes) -> tuple[str, ...] | tuple[int, ...]:
    if isinstance(joined, bytes):
        return struct.unpack(f"<{len(joined) // _NUMBER}q", joined)
    return tuple([joined[start : start + ID_LENGTH] for start in range(0, len(joined), ID_LENGTH)])


def _several(stored: object) -> str | tuple[str, ...] | None:
    """The aliases of a stored `who`."""
    if not isinstance(stored, str):
        return None
    return stored if len(stored) == ID_LENGTH else cast("tuple[str, ...]", _split(stored))


def _int(value: Value) -> int:
    if type(value) is not int or not -_LIMIT <= value < _LIMIT:
        raise ValueError("not a whole number of 64 bits")
    return value


def _instant(value: Value) -> int:
    if type(value) is not int or not -_LIMIT <= value < _LIMIT:
        raise ValueError("not an instant: a whole number of microseconds")
    return value


def _digest(value: Value) -> bytes:
    given = bytes.fromhex(value) if type(value) is str and len(value) == 64 else value
    if type(given) is not bytes or len(given) != 32:
        raise ValueError("not a digest: 32 bytes, or 64 hexadecimal characters")
    return given


def _bool(value: Value) -> bool:
    if type(value) is not bool:
        raise ValueError("neither true nor false")
    return value


def _counts(value: Value) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise ValueError("not a table of counts")
    return {_code(code): _int(value[code]) for code in sorted(value)}


def _stream(value: Value) -> str:
    if type(value) is not str or not _STREAM.fullmatch(value):
        raise ValueError("not a stream: place/policy/class/incarnation")
    return value


def _same(stored: object) -> Value:
    return cast(Value, stored)


class FieldType(NamedTuple):
    """How a field is checked and stored, and how it is read back."""

    store: Callable[..., Packed]
    restore: Callable[..., Value]


TYPES: Final[Mapping[str, FieldType]] = MappingProxyType(
    {
        "code": FieldType(_code, _same),
        "locale": FieldType(_locale, _same),
        "codes": FieldType(_code_list, tuple),
        "id": FieldType(_id, _same),
        "ids": FieldType(_ids, _split),
        "int": FieldType(_int, _same),
        "instant": FieldType(_instant, _same),
        "digest": FieldType(_digest, _same),
        "bool": FieldType(_bool, _same),
        "counts": FieldType(_counts, _same),
        "stream": FieldType(_stream, _same),
    }
)


# ── Kinds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Field(NamedTuple):
    name: str
    type: str
    required: bool
    store: Callable[..., Packed]
    restore: Callable[..., Value]


class Kind(NamedTuple):
    """One row of the table: the code, whether its entries are evidence or access records, and its own fields."""

    code: str
    batch_class: BatchClass
    fields: tuple[Field, ...]
    names: frozenset[str]
    places: Mapping[str, tuple[int, Callable[..., Packed], bool]]
    """Field → where it stands after the head, how it is stored, and whether it must be there."""
    required: tuple[str, ...]


def kind_of(code: str, batch_class: BatchClass, fields: tuple[Field, ...]) -> Kind:
    """A row of the table."""
    places = {field.name: (place, field.store, field.required) for place, field in enumerate(fields)}
    required = tuple(field.name for field in fields if field.required)
    return Kind(code, batch_class, fields, frozenset(places), MappingProxyType(places), required)


def _field(written: str) -> Field:
    name, _, declared = written.partition(":")
    kind = declared.rstrip("?")
    return Field(name, kind, not declared.endswith("?"), *TYPES[kind])


def _rows(batch_class: BatchClass, rows: Mapping[str, str]) -> Iterable[tuple[str, Kind]]:
    for code, written in rows.items():
        fields = tuple(_field(each) for each in written.split())
        yield code, kind_of(code, batch_class, fields)


_EVIDENCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        # a person comes, says yes and no
        "subject.entered": "kind:code minor:bool?",
        "engagement.begun": "engagement:id kind:code begun_at:instant? organisation:code?",
        "engagement.ended": "engagement:id kind:code reason:code?",
        "fact.recorded": "fact:code engagement:id? about:ids? values:ids? known_at:instant source:code? key:digest? "
        "id:id? named:code?",
        "consent.given": "consent:id about_kind:code about:code version:code text:digest locale:locale channel:code "
        "by:code engagement:id? known_at:instant? acting:id? verified:code?",
        "consent.withdrawn": "consent:id about_kind:code about:code version:code text:digest? locale:locale? "
        "channel:code by:code engagement:id? known_at:instant? acting:id?",
        "notice.shown": "notice:code version:code? text:digest? locale:locale? channel:code about:code? request:id?",
        # data arrives, is used and changes
        "value.collected": "values:ids items:codes purpose:code engagement:id? channel:code capacity:code? consent:id? "
        "exception:code? law:code? article:code? difficulty:code? approver:id? papers:digest?",
        "value.copied": "values:ids place:code",
        "value.reused": "values:ids purpose:code engagement:id? items:codes? exception:code? law:code? article:code? "
        "difficulty:code? approver:id? papers:digest?",
        "value.corrected": "old:id new:id item:code? request:id?",
        "value.provided": "recipient:code values:ids items:codes disclosure:id until:instant? purpose:code? "
        "engagement:id?",
        "value.disclosed": "exception:code disclosure:id values:ids law:code? items:codes? approver:id? disputed:ids?",
        "value.entrusted": "processor:code purpose:code values:ids items:codes? contract:id? disclosure:id? "
        "engagement:id?",
        "act.refused": "act:code reasons:codes purpose:code? recipient:code? items:codes? count:int?",
        "transfer.recorded": "recipient:code country:code basis:code values:ids items:codes? "
        "disclosure:id? stopped:bool?",
        "advert.sent": "message:id medium:code purpose:code consent:id? reconfirmed_at:instant?",
        # a person asks
        "request.received": "request:id right:code channel:code? values:ids? by:code? due_at:instant? "
        "proved_at:instant? purposes:codes? known_at:instant? freezes:bool? acting:id? objects_to:id? for_child:bool? "
        "proofs:codes?",
        "request.proved": "request:id proof:code right:code? by:code? proofs:codes?",
        "request.incomplete": "request:id right:code missing:codes?",
        "request.postponed": "request:id right:code reason:code until:instant due_at:instant",
        "request.extended": "request:id right:code reason:code due_at:instant extended:int",
        "request.passed": "request:id right:code party:code due_at:instant?",
        "request.answered": "request:id right:code outcome:code values:ids? channel:code? reason:code? due_at:instant? "
        "answered_by:id? remedies:codes? objection:code?",
        "acting.granted": "acting:id kind:code until:instant? rights:codes? items:codes? proofs:codes? "
        "known_at:instant?",
        "acting.ended": "acting:id kind:code reason:code?",
        "hold.set": "request:id hold:code values:ids",
        "hold.lifted": "request:id hold:code values:ids",
        # somebody looks at what is left open
        "review.due": "about:code engagement:id? named:code? since:instant due_at:instant",
        "review.done": "about:code outcome:code engagement:id? named:code? reason:code? due_at:instant?",
        # data leaves
        "separation.opened": "values:ids generation:int",
        "value.separated": "values:ids grounds:codes generation:int? items:codes? due_at:instant?",
        "destruction.ordered": "values:ids items:codes due_at:instant grounds:codes approval:id? request:id? "
        "tier:code?",
        "key.destroyed": "values:ids",
        "key.swapped": "values:ids",
        "copy.held": "values:ids",
        "copy.removed": "values:ids",
        "value.destroyed": "values:ids certificate:id due_at:instant? ordered_at:instant? items:codes? "
        "scrubbed_at:instant?",
        "value.lost": "values:ids place:code? reason:code?",
        "certificate.issued": "certificate:id digest:digest state:code?",
        "recipient.told": "recipient:code request:id? disclosure:id? values:ids? message:id? reason:code?",
        "recipient.acknowledged": "recipient:code request:id? disclosure:id? message:id? contract:id?",
        "work-order.opened": "order:id place:code due_at:instant values:ids",
        "work-order.done": "order:id place:code values:ids method:code by:code? witness:code? evidence:digest?",
        "exception.late": "exception:code fact:code values:ids at:instant? known_at:instant? disclosure:id? "
        "reasons:codes?",
        "subject.forgotten": "",
        # the house
        "policy.published": "version:code digest:digest announced_at:instant effective_at:instant gaps:codes "
        "notice:digest? gate:code? by:code? reason:code? evidence:digest? first_night:counts? decided_by:code?",
        "control.evidenced": "control:code evidence:code about:digest? due_at:instant? outcome:code? named:code? "
        "known_at:instant?",
        "contract.recorded": "party:code contract:id kind:code? until:instant? digest:digest? terms:codes? "
        "sub_consent:bool?",
        "contract.ended": "party:code contract:id kind:code? reason:code?",
        "handler.granted": "handler:id duty:code by:id? reason:code? until:instant? party:code?",
        "handler.revoked": "handler:id duty:code by:id? reason:code?",
        "register.entered": "register:code name:code left:bool?",
        "keys.made": "store:code made:int",
        "sweep.ran": "counts:counts",
        "recovered": "place:code counts:counts incident:code?",
        "input.rejected": "code:code place:code",
        "clock.stopped": "reached:instant claimed:instant",
        "access.pruned": "stream:stream first:int last:int rule:code before:instant counts:counts?",
        # versions
        "policy.drafted": "digest:digest",
        "notice.kept": "version:code locale:locale form:code digest:digest",
        "publication.refused": "version:code digest:digest reasons:codes",
        "publication.finding": "version:code finding:code",
        "rehearsal.ran": "version:code digest:digest counts:counts failed:codes?",
        "rehearsal.cleared": "reason:code",
        # papers: what the system itself holds about people
        "paper.filed": "paper:id kind:code digest:digest until:instant? about:id? named:code? handler:id?",
        "paper.condemned": "papers:ids handler:id?",
        "paper.unreadable": "papers:ids",
        "paper.destroyed": "papers:ids handler:id?",
        "paper.lost": "papers:ids handler:id?",
        # telling people
        "notice.queued": "message:id notice:code medium:code named:code? about:id? purpose:code? paper:id? state:code? "
        "reason:code? to:code?",
        "notice.moved": "message:id notice:code state:code reason:code? attempt:int? by:id?",
        "notice.posted": "posting:id notice:code named:code place:code printed:code? reason:code digest:digest? "
        "region:code? counts:counts?",
        "notice.taken-down": "posting:id notice:code",
        # a merger or transfer of the business
        "merger.opened": "case:id fact:code transferee:code effective_at:instant refused_means:code ends_here:bool "
        "to_refuse:code kinds:codes? paper:id",
        "merger.closed": "case:id counts:counts",
        "handover.refused": "case:id channel:code ends:bool",
        "handover.begun": "case:id disclosure:id recipient:code values:ids items:codes",
        "handover.done": "case:id disclosure:id",
        # what the house does unasked, and the figures of it that such duties hang on
        "duty.done": "duty:code about:code? findings:codes? digest:digest? by:id? counts:counts? known_at:instant?",
        "house.counted": "figure:code number:int by:id?",
        # a leak, from the first awareness on
        "breach.known": "case:id cause:code items:codes from_at:instant until:instant known_at:instant place:code? "
        "suspected:bool? by:id?",
        "breach.moved": "case:id step:code known_at:instant paper:id? digest:digest? counts:counts? items:codes? "
        "by:id?",
        # programs of the house
        "application.opened": "application:id named:code purposes:codes duties:codes digest:digest",
        "application.rotated": "application:id digest:digest",
        "application.closed": "application:id",
        # keys of the house itself
        "keys.rotated": "store:code before:digest after:digest made:int?",
        # who of the staff is whom at the house's own sign-in
        "identity.bound": "account:id provider:code ended:bool? by:id?",
        # four eyes
        # links by which somebody agrees, for a person or a child
        "invitation.made": "link:digest speaker:code until:instant",
        "approval.given": "approval:id what:code by:id approver:id about:id? until:instant?",
        # the officer's word after `clock.stopped`
        "clock.confirmed": "",
    }
)
_ACCESS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "read.granted": "purpose:code use:code? values:ids items:codes? reader:code reader_id:id? reason:code? "
        "origin:id?",
        "read.refused": "purpose:code reasons:codes values:ids reader:code reader_id:id? origin:id? count:int?",
        "read.fell-short": "values:ids purpose:code?",
        "values.shown": "right:code request:id? values:ids channel:code? origin:id? disputed:ids?",
        "lookup.made": "item:code reader:code reader_id:id? reason:code found:int? origin:id?",
        "paper.seen": "paper:id kind:code handler:id?",
        "address.read": "message:id notice:code values:ids items:codes? disputed:bool?",
        "cookie.chosen": "choice:id version:code allowed:codes? control:code",
        "staff.signed-in": "reader_id:id outcome:code origin:id?",
        # somebody did not get in; `about` is a keyed digest of the name or address that was tried
        "sign-in.failed": "area:code step:code why:code account:id? about:digest?",
        "inspection.opened": "inspection:id reason:code reader_id:id origin:id?",
        "inspection.closed": "inspection:id counts:counts",
    }
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    dict([*_rows(BatchClass.EVIDENCE, _EVIDENCE), *_rows(BatchClass.ACCESS, _ACCESS)])
)


# ── To bytes and back ─────────────────────────────────────────────────────────────────────────────────────────────────

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[object]).decode
_HEAD: Final = 5


class Written(msgspec.Struct, frozen=True, gc=False):
    """An entry that is checked and packed: what it goes with, when it was, and its bytes."""

    policy: str
    batch_class: BatchClass
    at: int
    data: bytes


Evidence = Entry | Written
"""What is put on record."""


class Form:
    """Entries that differ in nothing but when it was, of whom, which values, and perhaps one field more: the rest is
    checked and packed once.

        form = Form(entry("read.granted", at, "nexr", alias, elements, values=values, purpose="offers", reader=kind))
        form.filled(at, alias, values).data == packed(entry(...))

    `besides` names an optional field that stands after the values and before the last one given, filled in as well.

    Raises:
        EntryRefused: as `packed`.
    """

    __slots__ = (
        "_after", "_after_values", "_batch_class", "_before", "_besides", "_between", "_like", "_policy", "_who_after",
    )  # fmt: skip

    def __init__(self, like: Entry, besides: str | None = None) -> None:
        row, kind = _row(like), KINDS[like.kind]
        parts = [_encode(one) for one in row]
        place = _OWN + kind.places["values"][0]
        last = place if besides is None else _OWN + kind.places[besides][0]
        if besides is not None and not place < last < len(row) - 1:
            raise ValueError(f"`{besides}` does not stand between the values and the end of `{like.kind}`")
        self._like = like
        self._policy = like.policy
        self._batch_class = kind.batch_class
        self._before = _encode([0] * len(row))[: -len(row)] + parts[0]
        self._who_after = parts[2]
        self._between = b"".join(parts[4:place])
        self._besides = besides
        self._after_values = b"".join(parts[place + 1 : last])
        self._after = b"".join(parts[last + 1 :])

    def filled(
        self, at: int, who: str | tuple[str, ...] | None, values: tuple[int, ...], besides: str | None = None
    ) -> Written:
        """The entry of that instant, those persons and values. Raises EntryRefused as `packed`."""
        try:
            parts = [
                self._before, _encode(_instant(at)), self._who_after, _encode(_who(who)),
                self._between, _encode(_ids(values)), self._after_values,
            ]  # fmt: skip
            if self._besides is not None:
                parts.append(_NONE if besides is None else _encode(_id(besides)))
            parts.append(self._after)
        except (TypeError, ValueError):
            like, fields = self._like, {**self._like.fields, "values": values}
            if self._besides is not None:
                fields[self._besides] = besides
            packed(Entry(like.kind, at, like.policy, who, like.elements, fields))
            raise
        return Written(self._policy, self._batch_class, at, b"".join(parts))


_NONE: Final = _encode(None)


def packed(entry: Entry) -> bytes:
    """The bytes of an entry, the same for the same entry.

    Raises:
        EntryRefused: the kind is not in the table, a field is missing, unknown, or not of its type.
    """
    return _encode(_row(entry))


_OWN: Final = 5
"""How many columns stand before a kind's own."""


def _row(entry: Entry) -> list[object]:
    kind = KINDS.get(entry.kind)
    if kind is None:
        raise EntryRefused(str(entry.kind)[:_LONGEST_CODE], "kind", "no such row in the table of kinds")
    given = entry.fields
    at = "at"
    try:
        row: list[object] = [entry.kind, _instant(entry.at)]
        at = "policy"
        row.append(_code(entry.policy))
        at = "who"
        row.append(_who(entry.who))
        at = "elements"
        row.append(_paths(entry.elements))
        own: list[Packed] = [None] * len(kind.fields)
        places, unknown, last, wanted = kind.places, False, -1, len(kind.required)
        for at, value in given.items():
            place = places.get(at)
            if place is None:
                unknown = True
            elif value is not None:
                number, store, required = place
                own[number] = store(value)
                wanted -= required
                if number > last:
                    last = number
        if wanted:
            at = next(one for one in kind.required if given.get(one) is None)
            raise ValueError("it is missing")
    except (TypeError, ValueError) as problem:
        raise EntryRefused(
            entry.kind, at, str(problem) if type(problem) is ValueError else "of another type"
        ) from problem
    if unknown:
        _check_names(kind, given)
    # Optional fields at the end that were not given are left out: a row of the table can grow, old entries still read.
    row += own[: last + 1]
    return row


def _check_names(kind: Kind, given: Mapping[str, Value]) -> None:
    unknown = sorted(name for name in given if name not in kind.names)
    if unknown:
        raise EntryRefused(
            kind.code, str(unknown[0])[:_LONGEST_CODE], f"its fields are: {', '.join(sorted(kind.names)) or 'none'}"
        )


def unpacked(data: bytes) -> Entry:
    """The entry of these bytes; optional fields that were not given are left out.

    Raises:
        EntryRefused: these are not the bytes that `packed` makes of an entry.
    """
    entry = restored(data)
    if packed(entry) != data:
        raise EntryRefused(entry.kind, "entry", "not the encoding of this entry")
    return entry


def restored(data: bytes) -> Entry:
    """The entry of bytes that are known to come from `packed`: read without packing it again to compare.

    Raises:
        EntryRefused: these are no bytes of an entry.
    """
    return entry_of(row_of(data))


Row = list[object]
"""An entry as it is stored: kind, at, policy, who, elements, then its fields as they are packed."""


def row_of(data: bytes) -> Row:
    """The stored row of an entry, for who goes through millions and looks at little of each. Raises EntryRefused."""
    try:
        return _decode(data)
    except msgspec.DecodeError as problem:
        _refuse(problem)


def place_of(kind: str, field: str) -> int:
    """Where a field of a kind stands in its rows; a row may be shorter. Raises KeyError for an unknown field."""
    names = [one.name for one in KINDS[kind].fields]
    if field not in names:
        raise KeyError(field)
    return _HEAD + names.index(field)


def entry_of(row: Row) -> Entry:
    """The entry of a stored row. Raises EntryRefused."""
    try:
        kind = KINDS[cast(str, row[0])]
        if len(row) > _HEAD + len(kind.fields):
            raise ValueError("more fields than the kind has")
        fields = {
            name: restore(stored)
            for (name, _, _, _, restore), stored in zip(kind.fields, row[_HEAD:], strict=False)
            if stored is not None
        }
        return Entry(
            kind.code,
            cast(int, row[1]),
            cast(str, row[2]),
            _several(row[3]),
            tuple(cast("list[str]", row[4])),
            fields,
        )
    except (KeyError, IndexError, TypeError, ValueError, struct.error) as problem:
        _refuse(problem)


def _refuse(problem: Exception) -> NoReturn:
    raise EntryRefused("unknown", "entry", "not the encoding of an entry of any kind") from problem


class Glance(NamedTuple):
    """What of an entry is counted and looked up, read without the fields of its kind. `values`: how many it names."""

    kind: str
    at: int
    policy: str
    persons: tuple[str, ...]
    elements: tuple[str, ...]
    values: int


_VALUES_AT: Final[Mapping[str, int]] = MappingProxyType(
    {
        code: _HEAD + place
        for code, kind in KINDS.items()
        for place, field in enumerate(kind.fields)
        if field.name == "values"
    }
)


def glance(data: bytes) -> Glance:
    """The head of an entry. For bytes that are known to come from `packed`: fields are not checked."""
    try:
        row = _decode(data)
        kind, at, policy, who, elements = cast("tuple[str, int, str, str | None, list[str]]", tuple(row[:_HEAD]))
        persons = () if who is None else (who,) if len(who) == ID_LENGTH else cast("tuple[str, ...]", _split(who))
        place = _VALUES_AT.get(kind, 0)
        stored = row[place] if 0 < place < len(row) else None
        values = 0
        if stored is not None:
            values = len(cast(bytes, stored)) // (_NUMBER if isinstance(stored, bytes) else ID_LENGTH)
        return Glance(kind, at, policy, persons, tuple(elements), values)
    except (msgspec.DecodeError, IndexError, TypeError, ValueError) as problem:
        _refuse(problem)


def stream_name(place: str, policy: str, batch_class: BatchClass, incarnation: str) -> str:
    """The name of a stream of batches. Raises `ValueError` when a part of it is not a code or an id."""
    return f"{_code(place)}/{_code(policy)}/{batch_class.word}/{_id(incarnation)}"
