"""RFC 6962 Merkle trees over SHA-256: roots, a frontier to append to, proofs of inclusion and of consistency.

A node is named by (level, index): the hash over the leaves `[index << level, (index + 1) << level)`, all of them there.
Source: RFC 6962, sections 2.1 to 2.1.2; the checks of proofs follow RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()
NodeAt = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree (level, index)."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes. Pairing neighbours and carrying an odd last one up gives the tree of RFC 6962."""
    if len(leaves) == 1:
        return leaves[0]
    if not leaves:
        return EMPTY
    level, digest = list(leaves), sha256
    while len(level) > 1:
        odd = level.pop() if len(level) % 2 else None
        level = [digest(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)]
        if odd is not None:
            level.append(odd)
    return level[0]


class Frontier:
    """The right edge of a growing tree: all that is needed to append and to tell the root. Holds log2(size) hashes."""

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        """`edge`: the hashes of the complete subtrees that `size` is the sum of, the largest first."""
        self.size = size
        self._edge = list(edge)
        if len(self._edge) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(self._edge)}")

    @property
    def edge(self) -> tuple[bytes, ...]:
        return tuple(self._edge)

    def append(self, leaf: bytes, completed: Callable[[int, int, bytes], None] | None = None) -> None:
        """Adds a leaf hash. `completed(level, index, hash)` is called for each inner node that is now complete."""
        node, level, size = leaf, 0, self.size
        while size & 1:
            node = node_hash(self._edge.pop(), node)
            size >>= 1
            level += 1
            if completed is not None:
                completed(level, size, node)
        self._edge.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self._edge:
            return EMPTY
        node = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            node = node_hash(left, node)
        return node


def inclusion_proof(index: int, size: int, node_at: NodeAt) -> tuple[bytes, ...]:
    """The hashes that lead from leaf `index` to the root of the first `size` leaves.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError(f"no leaf {index} among {size}")
    return tuple(_path(index, 0, size, node_at))


def _path(index: int, start: int, end: int, node_at: NodeAt) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, node_at), range_hash(middle, end, node_at)]
    return [*_path(index, middle, end, node_at), range_hash(start, middle, node_at)]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def range_hash(start: int, end: int, node_at: NodeAt) -> bytes:
    """The hash over leaves [start, end), where `start` is a multiple of the power of two that covers the range."""
    if start == end:
        return EMPTY
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node_at(level, start >> level)
    middle = start + _split(count)
    return node_hash(range_hash(start, middle, node_at), range_hash(middle, end, node_at))


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a proof of inclusion leads to; it shows inclusion when that is the signed root.

    Raises:
        ValueError: the proof has not the length that such a leaf needs.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} among {size}")
    first, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ValueError("the proof is too long")
        if first & 1 or first == last:
            node = node_hash(sibling, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise ValueError("the proof is too short")
    return node


def consistency_proof(old: int, new: int, node_at: NodeAt) -> tuple[bytes, ...]:
    """The hashes that show that the tree of `new` leaves begins with the tree of `old` leaves, 0 < old <= new."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves does not follow one of {old}")
    return tuple(_consistency(old, 0, new, True, node_at))


def _consistency(old: int, start: int, end: int, known: bool, node_at: NodeAt) -> list[bytes]:
    if old == end - start:
        return [] if known else [range_hash(start, end, node_at)]
    half = _split(end - start)
    if old <= half:
        return [*_consistency(old, start, start + half, known, node_at), range_hash(start + half, end, node_at)]
    return [*_consistency(old - half, start + half, end, False, node_at), range_hash(start, start + half, node_at)]


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """True when `proof` shows that the tree with `new_root` extends the one with `old_root`."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old_node = new_node = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and old_node == old_root and new_node == new_root
