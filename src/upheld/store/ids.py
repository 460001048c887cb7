"""Ids are ours: opaque, never reused. A value's id carries where it lies (bucket, month), nothing about the person."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from datetime import date

from upheld.engine.acts import SubjectId, ValueId

BUCKETS = 1024
_EPOCH_YEAR = 2000
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_KEY_RANDOM = 37
DAY_OF_KEY = 47
"""Bits of a key's id below the day on which it was made."""


class IdTaken(Exception):
    """A value of the same bucket, month and subject's hash drew the same number: draw again."""


def bucket_of(subject_id: SubjectId) -> int:
    """The bucket that leads every row of a subject."""
    return zlib.crc32(subject_id.encode()) % BUCKETS


def new_id(random_bytes: Callable[[int], bytes]) -> str:
    """Twenty characters of base32: one hundred random bits."""
    return base64.b32encode(random_bytes(13))[:20].decode().lower()


def value_id(subject_id: SubjectId, day: date, random_bytes: Callable[[int], bytes]) -> ValueId:
    """10 bits bucket, 12 bits month, 16 bits of the subject's hash, 25 random bits: neighbours fall due together."""
    whole = zlib.crc32(subject_id.encode())
    month = max(0, min((day.year - _EPOCH_YEAR) * 12 + day.month, 0xFFF))
    nearby = whole >> 16  # the bucket is of the low bits: together they tell 67 million places apart
    return ValueId(
        (whole % BUCKETS) << 53 | month << 41 | nearby << 25 | int.from_bytes(random_bytes(4), "big") & (1 << 25) - 1
    )


def bucket_of_value(value: int) -> int:
    """The bucket that a value's id begins with."""
    return value >> 53


def placed_value(value: int) -> tuple[int, int]:
    """Bucket and id of a value: its key, as statements name it."""
    return value >> 53, value


def key_id(day: int, bucket: int, random_bytes: Callable[[int], bytes]) -> int:
    """16 bits day of making, 10 bits bucket, 37 random bits: the id of the key of a value."""
    drawn = int.from_bytes(random_bytes(5), "big") & (1 << _KEY_RANDOM) - 1
    return (day & 0xFFFF) << DAY_OF_KEY | bucket << _KEY_RANDOM | drawn


def placed_key(key: int) -> tuple[int, int]:
    """Bucket and id of the key of a value. Ids made before there was a bucket have random bits there: a bucket too."""
    return key >> _KEY_RANDOM & BUCKETS - 1, key


def paper_id_in(bucket: int, drawn: str) -> str:
    """An id as it was drawn, for a paper whose key is to lie in this bucket."""
    return _BASE32[bucket >> 5] + _BASE32[bucket & 31] + drawn[2:]


def placed_paper_key(paper_id: str) -> tuple[int, str]:
    """Bucket and id of the key of a paper: its first two characters are ten random bits."""
    return _BASE32.find(paper_id[:1]) * 32 + _BASE32.find(paper_id[1:2]), paper_id
