"""Ids are ours: opaque, never reused. A value's id carries where it lies (bucket, month), nothing about the person."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from datetime import date

from upheld.engine.acts import SubjectId, ValueId

BUCKETS = 1024
_EPOCH_YEAR = 2000


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


def bucket_of_value(value: ValueId) -> int:
    """The bucket that a value's id begins with."""
    return value >> 53
