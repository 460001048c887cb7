"""Look-up tokens that are owed: of values that are held, whose token is not known to be in the key store.

Whoever takes a value says its token after it, and waits for nothing. What can come in between is that the process ends,
that there is no room, or that the server falls over and forgets. So *a value is sealed only when its look-up token is
on the disk*: whoever seals looks for those of what is about to be sealed, by whomever it was taken. What is missing is
put in first, about persons that are claimed, and only if the value is held still.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from upheld.engine.acts import SubjectId, ValueId
from upheld.errors import StoreFailed
from upheld.ledger.batch import read_body
from upheld.ledger.entries import Entry, unpacked
from upheld.store.engine import answers
from upheld.store.ids import placed_value
from upheld.store.place import Place
from upheld.store.sealing import Written
from upheld.store.token_roots import TokenRow, marked
from upheld.store.vault import Tier, Vault, bound, opened

MAKE: Final = frozenset({"value.collected", "value.corrected"})
"""Kinds of entries that bring values into being."""
_HELD: Final = "SELECT 1 FROM value WHERE bucket = ? AND value_id = ? AND state = 'held'"
_HELD_ROW: Final = (
    "SELECT subject_id, item, key_id, sealed FROM value WHERE bucket = ? AND value_id = ? AND state = 'held'"
)
_AT_ONCE: Final = 500
"""Values that are asked for in one message."""


class TokensOwed(StoreFailed):
    """Look-up tokens of what was to be sealed are not known to be on the disk: put them in, and seal again."""


class OwedTokens:
    """Puts in what is owed of look-up tokens. `look_up`: policy and item of what people are looked up by."""

    def __init__(self, active: Place, vault: Vault, look_up: Collection[tuple[str, str]], whole: bool) -> None:
        self._active = active
        self._vault = vault
        self._look_up = frozenset(look_up)
        self._whole = whole
        """Whether this user of the databases may see persons and keys; who may not looks for nothing."""

    def pay(self) -> bool:
        """Put in what is owed, of values that are still held and under roots that are still there: before they are
        looked for, and before a seal. Whether anything was owed. Raises StoreFailed.
        """
        vault = self._vault
        vault.doubt()
        if not vault.owed:
            return False
        with vault.paying:
            owed = list(vault.owed)
            with vault.place.transaction({row[-1] for row in owed}) as transaction:
                roots = {tier.value: one.found(transaction.connection).held for tier, one in vault.roots.items()}
                with self._active.aside() as connection:
                    held = [row for row in owed if connection.execute(_HELD, placed_value(row[4])).fetchall()]
                if held := [row for row in held if marked(row[3]) in roots[row[0]]]:
                    vault.put_tokens(transaction, held)
            del vault.owed[: len(owed)]
        return True

    def outlast(self) -> None:
        """What this process has put in is on the disk, and what others have. Raises StoreFailed."""
        self.pay()
        self._vault.outlast()
        self.pay()

    def check(self, written: Iterable[Written]) -> None:
        """Before this is sealed: its look-up tokens are on the disk of the key store, whoever was to put them in.

        Raises TokensOwed where that is not known: then they are owed, and nothing may be sealed yet.
        """
        made = self._made_in(written)
        if not made:
            return
        line = self._vault.place.line
        if self._whole:
            self._vault.owed += self._missing(made)
        self._vault.outlast()
        if self._vault.owed or self._vault.place.line != line:
            raise TokensOwed("look-up tokens were missing each time that it was to be sealed; try again")

    def owe(self, entries: Iterable[Entry]) -> None:
        """What is missing of values that these entries brought into being is owed."""
        for roots in self._vault.roots.values():
            roots.forget()
        self._vault.owed += self._missing(dict(self._looked_up(entries)))

    def _made_in(self, written: Iterable[Written]) -> dict[ValueId, str]:
        """The policies of values by which somebody is looked up, and that this brings into being."""
        if not self._look_up:
            return {}
        bodies = [one.body for one in written if any(each.kind in MAKE for each in one.seen)]
        return dict(self._looked_up(unpacked(data) for body in bodies for data in read_body(body)[1]))

    def _looked_up(self, entries: Iterable[Entry]) -> Iterator[tuple[ValueId, str]]:
        for each in entries:
            for value, item in values_of(each).items():
                if (each.policy, item) in self._look_up:
                    yield value, each.policy

    def _missing(self, made: Mapping[ValueId, str]) -> list[TokenRow]:
        """Tokens that are not there, of those of the values that are held."""
        roots = self._vault.roots[Tier.ACTIVE].known()
        there = self._vault.counted(made)
        lacking = [one for one in made if there[one] < len(roots.held)]
        rows: list[TokenRow] = []
        for start in range(0, len(lacking), _AT_ONCE):
            some = lacking[start : start + _AT_ONCE]
            with self._active.aside() as connection:
                found = answers(connection, [(_HELD_ROW, placed_value(one)) for one in some])
            held = {one: row for one, answer in zip(some, found, strict=True) for row in answer}
            ciphers = self._vault.fetched(Tier.ACTIVE, [row[2] for row in held.values()])
            for value, (subject_id, item, key_id, blob) in held.items():
                who, policy = SubjectId(subject_id), made[value]
                if key_id in ciphers:  # or it is being destroyed
                    text = _text(ciphers[key_id], bytes(blob), bound(Tier.ACTIVE, policy, who, value, item, key_id))
                    rows += [] if text is None else roots.rows(policy, item, text, value, who)
        return rows


def _text(cipher: AESGCM, blob: bytes, binding: bytes) -> str | None:
    """What is looked up. Of a row that was changed from outside nothing: that is told to whoever reads it, and keeps
    nobody from sealing.
    """
    try:
        return opened(cipher, blob, binding).decode()
    except StoreFailed:
        return None


def values_of(each: Entry) -> dict[ValueId, str]:
    """The values that an entry brings into being, and their items."""
    match each.kind:
        case "value.collected":
            values, items = (cast("tuple[int, ...]", each.fields[one]) for one in ("values", "items"))
            return dict(zip(map(ValueId, values), cast("tuple[str, ...]", items), strict=True))
        case "value.corrected":
            return {ValueId(cast(int, each.fields["new"])): cast(str, each.fields["item"])}
        case _:
            return {}
