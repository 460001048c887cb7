"""The tree is that of RFC 6962, and its proofs show what they claim and nothing else."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upheld.ledger.merkle import (
    EMPTY,
    Frontier,
    NodeAt,
    consistency_proof,
    consistent,
    inclusion_proof,
    leaf_hash,
    node_hash,
    range_hash,
    root_from_inclusion,
    root_of,
)

SIZES = st.integers(1, 300)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def naive(tree: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if len(tree) == 1:
        return tree[0]
    k = 1
    while k * 2 < len(tree):
        k *= 2
    return node_hash(naive(tree[:k]), naive(tree[k:]))


def nodes(tree: list[bytes]) -> NodeAt:
    return lambda level, index: naive(tree[index << level : (index + 1) << level])


# Data and roots of the reference implementation's own tests (certificate-transparency, merkletree).
VECTORS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def test_roots_are_those_of_the_reference_implementation() -> None:
    hashed = [leaf_hash(data) for data in VECTORS]
    assert [root_of(hashed[:size]).hex() for size in range(1, 9)] == list(ROOTS)
    assert sha256(b"").digest() == EMPTY == root_of([]) == Frontier().root() == range_hash(0, 0, nodes([]))


@given(SIZES)
def test_each_way_to_the_root_gives_the_same(size: int) -> None:
    tree = leaves(size)
    frontier = Frontier()
    completed: dict[tuple[int, int], bytes] = {}
    for leaf in tree:
        frontier.append(leaf, lambda level, index, digest: completed.__setitem__((level, index), digest))
    assert frontier.root() == root_of(tree) == naive(tree) == range_hash(0, size, nodes(tree))
    assert all(digest == nodes(tree)(*place) for place, digest in completed.items())
    assert len(completed) == size - size.bit_count(), "every complete inner node was told once"
    again = Frontier(size, frontier.edge)
    again.append(leaf_hash(b"next"))
    assert again.root() == root_of([*tree, leaf_hash(b"next")])


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier(5, [b"x" * 32])


@given(st.data(), SIZES)
def test_an_inclusion_proof_leads_to_the_root(data: st.DataObject, size: int) -> None:
    tree, index = leaves(size), data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, nodes(tree))
    assert root_from_inclusion(index, size, tree[index], proof) == root_of(tree)


@given(st.data(), SIZES)
def test_an_inclusion_proof_shows_no_other_leaf_place_or_size(data: st.DataObject, size: int) -> None:
    tree, index = leaves(size), data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, nodes(tree)))
    root = root_of(tree)
    assert root_from_inclusion(index, size, leaf_hash(b"other"), proof) != root
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        assert not _shows(other, size, tree[index], proof, root)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:place], leaf_hash(proof[place]), *proof[place + 1 :]]
        assert not _shows(index, size, tree[index], changed, root)
        assert not _shows(index, size, tree[index], proof[:-1], root)
    assert not _shows(index, size, tree[index], [*proof, root], root)


def _shows(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> bool:
    try:
        return root_from_inclusion(index, size, leaf, proof) == root
    except ValueError:
        return False


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(index, size, nodes(leaves(3)))
    with pytest.raises(ValueError, match="no leaf"):
        root_from_inclusion(index, size, b"x" * 32, ())


@given(st.data(), SIZES)
def test_a_consistency_proof_shows_that_the_new_tree_begins_with_the_old(data: st.DataObject, new: int) -> None:
    tree, old = leaves(new), data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, nodes(tree))
    assert consistent(old, root_of(tree[:old]), new, root_of(tree), proof)


def test_a_tree_that_did_not_grow_is_consistent_with_itself_alone_and_needs_no_proof() -> None:
    tree = leaves(5)
    root, other = root_of(tree), root_of(leaves(4))
    assert consistent(5, root, 5, root, ())
    assert not consistent(5, root, 5, other, ())
    assert not consistent(5, root, 5, root, (root,))
    assert not consistent(5, root, 5, other, (root,))


@given(st.data(), st.integers(2, 200))
def test_no_consistency_proof_hides_a_rewritten_history(data: st.DataObject, new: int) -> None:
    tree, old = leaves(new), data.draw(st.integers(1, new - 1))
    place = data.draw(st.integers(0, old - 1))
    rewritten = [*tree[:place], leaf_hash(b"rewritten"), *tree[place + 1 :]]
    for history in (tree, rewritten):
        proof = consistency_proof(old, new, nodes(history))
        assert not consistent(old, root_of(tree[:old]), new, root_of(rewritten), proof)
    proof = consistency_proof(old, new, nodes(tree))
    assert not consistent(old, root_of(tree[:old]), new, root_of(tree), [*proof, root_of(tree)])
    assert not consistent(old, root_of(tree[:old]), new, root_of(tree), proof[:-1])
