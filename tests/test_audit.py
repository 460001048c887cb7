"""The clause report: every state rests on an entry of the ledger, and nothing is upheld because nobody looked.

Most of it is one story per policy, lived in `tests/audited.py`: nothing has happened, everything is kept for a year,
everything is broken on purpose, everything is mended. The lists at the end say which clauses the story moves.
"""

from __future__ import annotations

import pytest

from tests.audited import Story, story
from upheld import system
from upheld.ledger.report import (
    WHAT,
    ClauseReport,
    State,
    as_text,
)
from upheld.policy.check import clauses_of
from upheld.store import history

NAMES = ("bizmeka-ez-2016", "bizmeka-ez-2018", "nexr-2017", "kt-enterprise-2022", "kt-mns-2018")
DAY = 86_400_000_000
PUBLISHED = {"policy.published"}

# fmt: off
BROKEN_AND_MENDED = [
    pytest.param("bizmeka-ez-2016", "guarantees", marks=pytest.mark.clauses(
        "BZ16-1.0.d", "BZ16-2.3", "BZ16-5.1.0",
    )),
    pytest.param("bizmeka-ez-2018", "guarantees", marks=pytest.mark.clauses(
        "BZ18-1.0.d", "BZ18-2.3", "BZ18-5.1.0",
    )),
    pytest.param("kt-enterprise-2022", "guarantees", marks=pytest.mark.clauses(
        "KE22-2.1-2",
    )),
    pytest.param("kt-mns-2018", "guarantees", marks=pytest.mark.clauses(
        "MS18-2.P-0",
    )),
    pytest.param("nexr-2017", "guarantees", marks=pytest.mark.clauses(
        "NX17-2.1.a",
    )),
    pytest.param("kt-enterprise-2022", "words", marks=pytest.mark.clauses(
        "KE22-1.6-1", "KE22-1.6-n1", "KE22-1.6-2", "KE22-1.6-n2", "KE22-4.1-2", "KE22-4.1-3", "KE22-4.1-4",
    )),
    pytest.param("bizmeka-ez-2016", "items", marks=pytest.mark.clauses(
        "BZ16-2.3.6", "BZ16-5.2.A", "BZ16-12.A7.b", "BZ16-11.1.A",
    )),
    pytest.param("bizmeka-ez-2018", "items", marks=pytest.mark.clauses(
        "BZ18-2.3.A.6", "BZ18-5.2.A",
    )),
    pytest.param("kt-enterprise-2022", "items", marks=pytest.mark.clauses(
        "KE22-4.2-r3",
    )),
    pytest.param("bizmeka-ez-2016", "purposes", marks=pytest.mark.clauses(
        "BZ16-7.1.0", "BZ16-2.3.1", "BZ16-2.3.3", "BZ16-3.A.3", "BZ16-3.A.4", "BZ16-5.1.A", "BZ16-2.3.5",
        "BZ16-4.1.a", "BZ16-4.1.c", "BZ16-2.3.2", "BZ16-2.3.4", "BZ16-7.1.1", "BZ16-11.1.B.1",
        "BZ16-11.1.B.2",
    )),
    pytest.param("bizmeka-ez-2018", "purposes", marks=pytest.mark.clauses(
        "BZ18-2.3.A.1", "BZ18-2.3.A.3", "BZ18-2.3.A.8", "BZ18-3.A.3", "BZ18-3.A.4", "BZ18-5.1.A",
        "BZ18-2.3.A.5", "BZ18-2.3.A.7", "BZ18-2.3.A.9", "BZ18-2.4.a", "BZ18-4.1.a", "BZ18-4.1.c",
        "BZ18-2.3.A", "BZ18-2.3.A.2", "BZ18-2.3.A.4", "BZ18-2.5.a", "BZ18-2.3.B", "BZ18-2.3.B.1",
        "BZ18-2.3.B.2", "BZ18-2.4.b", "BZ18-2.5.b", "BZ18-10.1.B.1", "BZ18-10.1.A", "BZ18-10.1.B.2",
    )),
    pytest.param("kt-enterprise-2022", "purposes", marks=pytest.mark.clauses(
        "KE22-10.1.b-2", "KE22-2.3.a-r2", "KE22-4.1-1", "KE22-2.3.a-0", "KE22-2.3.a-r1", "KE22-2.3.a-r3",
        "KE22-2.3.a-r4", "KE22-2.3.b-0", "KE22-2.3.b-r1", "KE22-10.1.b-1", "KE22-10.1.b-3",
    )),
    pytest.param("kt-mns-2018", "purposes", marks=pytest.mark.clauses(
        "MS18-2.P-r2", "MS18-2.P-r3", "MS18-2.P-r1", "MS18-2.P-r4", "MS18-2.P-r1-ret", "MS18-2.P-r2-ret",
        "MS18-2.P-r4-ret", "MS18-2.P-r3-ret", "MS18-10.1.b-1", "MS18-10.1.b-3", "MS18-10.1.b-4",
    )),
    pytest.param("nexr-2017", "purposes", marks=pytest.mark.clauses(
        "NX17-1.1", "NX17-4.A", "NX17-1.0.a", "NX17-1.0.b", "NX17-4.B", "NX17-2.2.a", "NX17-1.2",
        "NX17-2.2.b", "NX17-2.3",
    )),
    pytest.param("bizmeka-ez-2016", "retention", marks=pytest.mark.clauses(
        "BZ16-5.1.B",
    )),
    pytest.param("bizmeka-ez-2018", "retention", marks=pytest.mark.clauses(
        "BZ18-5.1.B",
    )),
    pytest.param("bizmeka-ez-2016", "statutes", marks=pytest.mark.clauses(
        "BZ16-5.3.C", "BZ16-5.3.D", "BZ16-5.3.A", "BZ16-5.3.E", "BZ16-5.1.C.proviso", "BZ16-5.2.0",
        "BZ16-5.2.B", "BZ16-5.3.B",
    )),
    pytest.param("bizmeka-ez-2018", "statutes", marks=pytest.mark.clauses(
        "BZ18-5.4.C", "BZ18-5.4.D", "BZ18-5.4.A", "BZ18-5.4.E", "BZ18-5.1.C.proviso", "BZ18-5.2.0",
        "BZ18-5.2.B", "BZ18-5.4.B",
    )),
    pytest.param("kt-enterprise-2022", "statutes", marks=pytest.mark.clauses(
        "KE22-4.2-r7", "KE22-4.2-r6", "KE22-4.2-r8", "KE22-4.2-r9", "KE22-4.2-r10", "KE22-4.1-6",
        "KE22-4.2-0",
    )),
    pytest.param("kt-mns-2018", "statutes", marks=pytest.mark.clauses(
        "MS18-2.L-r3", "MS18-2.L-r4", "MS18-2.L-r5", "MS18-2.L-r6", "MS18-2.L-0", "MS18-2.P-n1",
        "MS18-5.0-2",
    )),
    pytest.param("bizmeka-ez-2016", "destruction", marks=pytest.mark.clauses(
        "BZ16-6.0", "BZ16-6.1.A.3",
    )),
    pytest.param("bizmeka-ez-2018", "destruction", marks=pytest.mark.clauses(
        "BZ18-6.0", "BZ18-6.1.A.3",
    )),
    pytest.param("kt-enterprise-2022", "destruction", marks=pytest.mark.clauses(
        "KE22-5.0-2", "KE22-5.1.a-3",
    )),
    pytest.param("kt-mns-2018", "destruction", marks=pytest.mark.clauses(
        "MS18-5.0-1",
    )),
    pytest.param("nexr-2017", "destruction", marks=pytest.mark.clauses(
        "NX17-5.2.b", "NX17-5.0", "NX17-5.2.a",
    )),
    pytest.param("bizmeka-ez-2016", "separation", marks=pytest.mark.clauses(
        "BZ16-6.1.A.1",
    )),
    pytest.param("bizmeka-ez-2018", "separation", marks=pytest.mark.clauses(
        "BZ18-6.1.A.1",
    )),
    pytest.param("kt-enterprise-2022", "separation", marks=pytest.mark.clauses(
        "KE22-5.1.a-2",
    )),
    pytest.param("bizmeka-ez-2016", "entrustments", marks=pytest.mark.clauses(
        "BZ16-8.0.g",
    )),
    pytest.param("bizmeka-ez-2018", "entrustments", marks=pytest.mark.clauses(
        "BZ18-8.0.g",
    )),
    pytest.param("kt-enterprise-2022", "entrustments", marks=pytest.mark.clauses(
        "KE22-7.0-6",
    )),
    pytest.param("kt-mns-2018", "entrustments", marks=pytest.mark.clauses(
        "MS18-7.0-6",
    )),
    pytest.param("kt-enterprise-2022", "transfers", marks=pytest.mark.clauses(
        "KE22-8.0-r6",
    )),
    pytest.param("bizmeka-ez-2016", "handlers", marks=pytest.mark.clauses(
        "BZ16-12.A2.a",
    )),
    pytest.param("bizmeka-ez-2018", "handlers", marks=pytest.mark.clauses(
        "BZ18-11.M2.a",
    )),
    pytest.param("bizmeka-ez-2016", "rights", marks=pytest.mark.clauses(
        "BZ16-10.1.b", "BZ16-10.5.b", "BZ16-10.6.a", "BZ16-10.5.a", "BZ16-10.1.c", "BZ16-10.7.a",
    )),
    pytest.param("bizmeka-ez-2018", "rights", marks=pytest.mark.clauses(
        "BZ18-9.1.b", "BZ18-9.5.b", "BZ18-9.6.a", "BZ18-9.5.a", "BZ18-9.1.c", "BZ18-9.2.c", "BZ18-9.7.a",
    )),
    pytest.param("kt-enterprise-2022", "rights", marks=pytest.mark.clauses(
        "KE22-9.5-1", "KE22-9.6-1", "KE22-9.1-1", "KE22-9.1-2", "KE22-9.1-3", "KE22-9.5-2", "KE22-9.1-5",
        "KE22-9.1-6", "KE22-9.7-1",
    )),
    pytest.param("kt-mns-2018", "rights", marks=pytest.mark.clauses(
        "MS18-8.2-2", "MS18-8.4-1", "MS18-8.1-1", "MS18-8.1-2", "MS18-8.1-3", "MS18-8.1-5", "MS18-8.1-6",
        "MS18-8.5-1",
    )),
    pytest.param("nexr-2017", "rights", marks=pytest.mark.clauses(
        "NX17-8.1.a", "NX17-3.2.c", "NX17-8.0", "NX17-3.1.A", "NX17-3.1.B", "NX17-3.1.C", "NX17-3.1.D",
    )),
    pytest.param("bizmeka-ez-2016", "safeguards", marks=pytest.mark.clauses(
        "BZ16-12.T1.a", "BZ16-12.T2.a", "BZ16-12.T2.b", "BZ16-12.T2.c", "BZ16-12.T4.a", "BZ16-12.T4.b",
        "BZ16-12.T4.c", "BZ16-12.A1.a", "BZ16-12.A1.b", "BZ16-12.A1.c", "BZ16-12.A2.c", "BZ16-12.A3.b",
        "BZ16-12.A3.c", "BZ16-12.A3.d", "BZ16-12.A5", "BZ16-13.0.a", "BZ16-11.2.A",
    )),
    pytest.param("bizmeka-ez-2018", "safeguards", marks=pytest.mark.clauses(
        "BZ18-11.T1.a", "BZ18-11.T2.a", "BZ18-11.T2.b", "BZ18-11.T2.c", "BZ18-11.T4.a", "BZ18-11.T4.b",
        "BZ18-11.T4.c", "BZ18-11.M1.a", "BZ18-11.M1.b", "BZ18-11.M1.c", "BZ18-11.M2.c", "BZ18-11.M3.b",
        "BZ18-11.M3.c", "BZ18-11.M3.d", "BZ18-11.M5.a", "BZ18-11.M5.b", "BZ18-12.0.a", "BZ18-10.2.A",
    )),
    pytest.param("kt-enterprise-2022", "safeguards", marks=pytest.mark.clauses(
        "KE22-11.T2-2", "KE22-11.T2-1", "KE22-11.T3-1", "KE22-11.T3-2", "KE22-11.T3-3", "KE22-11.M1-1",
        "KE22-11.M1-2", "KE22-11.M2-2", "KE22-11.M2-3", "KE22-11.M2-4", "KE22-11.M3-1", "KE22-11.M3-2",
        "KE22-11.M3-3", "KE22-11.M5", "KE22-12.0-1",
    )),
    pytest.param("kt-mns-2018", "safeguards", marks=pytest.mark.clauses(
        "MS18-11.T2-2", "MS18-11.T1-1", "MS18-11.T2-1", "MS18-11.T4-1", "MS18-11.T4-2", "MS18-11.T4-3",
        "MS18-11.M1-1", "MS18-11.M1-2", "MS18-11.M1-3", "MS18-11.M2-2", "MS18-11.M2-3", "MS18-11.M2-4",
        "MS18-11.M3-2", "MS18-11.M3-3", "MS18-11.M3-4", "MS18-11.M5", "MS18-13-1",
    )),
    pytest.param("nexr-2017", "safeguards", marks=pytest.mark.clauses(
        "NX17-6.1", "NX17-6.2.a", "NX17-6.2.c", "NX17-6.3.a", "NX17-6.3.b", "NX17-6.4.a", "NX17-6.4.b",
        "NX17-6.4.c", "NX17-6.4.d", "NX17-6.6.a", "NX17-6.7.b", "NX17-6.8", "NX17-6.9.a", "NX17-6.9.b",
    )),
    pytest.param("bizmeka-ez-2016", "agencies", marks=pytest.mark.clauses(
        "BZ16-13.2.0", "BZ16-13.2.A", "BZ16-13.2.B", "BZ16-13.2.C",
    )),
    pytest.param("bizmeka-ez-2018", "agencies", marks=pytest.mark.clauses(
        "BZ18-12.2.0", "BZ18-12.2.A", "BZ18-12.2.B", "BZ18-12.2.C",
    )),
    pytest.param("kt-enterprise-2022", "agencies", marks=pytest.mark.clauses(
        "KE22-13.0", "KE22-13.1", "KE22-13.2", "KE22-13.3", "KE22-13.4",
    )),
    pytest.param("kt-mns-2018", "agencies", marks=pytest.mark.clauses(
        "MS18-12.3", "MS18-12.3.a", "MS18-12.3.b", "MS18-12.3.c", "MS18-12.3.d",
    )),
    pytest.param("nexr-2017", "agencies", marks=pytest.mark.clauses(
        "NX17-9.0.a", "NX17-9.1", "NX17-9.2", "NX17-9.3", "NX17-9.4",
    )),
]
KEPT = [
    pytest.param("bizmeka-ez-2016", "guarantees", marks=pytest.mark.clauses(
        "BZ16-1.1.a", "BZ16-1.1.b", "BZ16-7.0.a", "BZ16-2.1", "BZ16-2.2.a", "BZ16-2.2.b", "BZ16-2.2.c",
        "BZ16-7.0.b",
    )),
    pytest.param("bizmeka-ez-2018", "guarantees", marks=pytest.mark.clauses(
        "BZ18-1.1.a", "BZ18-1.1.b", "BZ18-7.0.a", "BZ18-2.1", "BZ18-2.2.a", "BZ18-2.2.b", "BZ18-2.2.c",
        "BZ18-7.0.b",
    )),
    pytest.param("kt-enterprise-2022", "guarantees", marks=pytest.mark.clauses(
        "KE22-1.1-1", "KE22-1.1-2", "KE22-2.3-0", "KE22-2.1-1", "KE22-2.2-1", "KE22-2.3-n1", "KE22-6.1",
        "KE22-7.0-1",
    )),
    pytest.param("kt-mns-2018", "guarantees", marks=pytest.mark.clauses(
        "MS18-1.0-4", "MS18-1.1-1", "MS18-1.1-2", "MS18-6.0-1", "MS18-2.1-1", "MS18-2.1-2", "MS18-6.0-2",
        "MS18-7.0-1",
    )),
    pytest.param("bizmeka-ez-2016", "words", marks=pytest.mark.clauses(
        "BZ16-10.3.a",
    )),
    pytest.param("bizmeka-ez-2018", "words", marks=pytest.mark.clauses(
        "BZ18-9.3.a",
    )),
    pytest.param("kt-enterprise-2022", "words", marks=pytest.mark.clauses(
        "KE22-9.3",
    )),
    pytest.param("kt-mns-2018", "words", marks=pytest.mark.clauses(
        "MS18-8.3-1",
    )),
    pytest.param("nexr-2017", "words", marks=pytest.mark.clauses(
        "NX17-8.2.b",
    )),
    pytest.param("bizmeka-ez-2016", "items", marks=pytest.mark.clauses(
        "BZ16-7.1.3", "BZ16-7.1.4", "BZ16-7.1.2", "BZ16-12.A6.a", "BZ16-12.A6.b",
    )),
    pytest.param("bizmeka-ez-2018", "items", marks=pytest.mark.clauses(
        "BZ18-11.M6.a", "BZ18-11.M6.b",
    )),
    pytest.param("kt-enterprise-2022", "items", marks=pytest.mark.clauses(
        "KE22-4.2-r1", "KE22-4.2-r4", "KE22-4.2-r11", "KE22-10.1.a", "KE22-4.2-r2",
    )),
    pytest.param("kt-mns-2018", "items", marks=pytest.mark.clauses(
        "MS18-2.L-r7", "MS18-9.3.a", "MS18-9.2-1", "MS18-10.1.a", "MS18-11.M6",
    )),
    pytest.param("nexr-2017", "items", marks=pytest.mark.clauses(
        "NX17-4.0", "NX17-6.5.a", "NX17-6.5.b",
    )),
    pytest.param("bizmeka-ez-2016", "collection", marks=pytest.mark.clauses(
        "BZ16-3.A.1", "BZ16-3.A.2", "BZ16-3.0", "BZ16-3.B.1", "BZ16-3.B.3",
    )),
    pytest.param("bizmeka-ez-2018", "collection", marks=pytest.mark.clauses(
        "BZ18-3.A.1", "BZ18-3.A.2", "BZ18-3.0", "BZ18-3.B.1", "BZ18-3.B.3",
    )),
    pytest.param("kt-enterprise-2022", "collection", marks=pytest.mark.clauses(
        "KE22-3.1", "KE22-3.1.a", "KE22-3.2-1", "KE22-3.2-2", "KE22-3.3", "KE22-3.0", "KE22-3.4-1",
        "KE22-3.4-3",
    )),
    pytest.param("kt-mns-2018", "collection", marks=pytest.mark.clauses(
        "MS18-3.1-1", "MS18-3.0", "MS18-3.2-1", "MS18-3.2-3",
    )),
    pytest.param("bizmeka-ez-2016", "consent", marks=pytest.mark.clauses(
        "BZ16-4.2.a", "BZ16-4.2.b", "BZ16-4.1.b", "BZ16-4.2.c",
    )),
    pytest.param("bizmeka-ez-2018", "consent", marks=pytest.mark.clauses(
        "BZ18-4.2.a", "BZ18-4.2.b", "BZ18-4.1.b", "BZ18-4.2.c",
    )),
    pytest.param("kt-mns-2018", "consent", marks=pytest.mark.clauses(
        "MS18-4.2.c", "MS18-4.1-2", "MS18-4.2-0", "MS18-4.2.a", "MS18-4.1-1", "MS18-4.2.b-1",
        "MS18-4.2.b-2", "MS18-4.2.e",
    )),
    pytest.param("bizmeka-ez-2016", "retention", marks=pytest.mark.clauses(
        "BZ16-5.1.C",
    )),
    pytest.param("bizmeka-ez-2018", "retention", marks=pytest.mark.clauses(
        "BZ18-5.1.C",
    )),
    pytest.param("nexr-2017", "statutes", marks=pytest.mark.clauses(
        "NX17-2.1.b",
    )),
    pytest.param("bizmeka-ez-2016", "destruction", marks=pytest.mark.clauses(
        "BZ16-6.2.B", "BZ16-6.2.A",
    )),
    pytest.param("bizmeka-ez-2018", "destruction", marks=pytest.mark.clauses(
        "BZ18-6.2.B", "BZ18-6.2.A",
    )),
    pytest.param("kt-enterprise-2022", "destruction", marks=pytest.mark.clauses(
        "KE22-5.1.a-1", "KE22-5.0-1", "KE22-5.2.a", "KE22-5.2.b",
    )),
    pytest.param("kt-mns-2018", "destruction", marks=pytest.mark.clauses(
        "MS18-5.2.a", "MS18-5.2.b",
    )),
    pytest.param("nexr-2017", "destruction", marks=pytest.mark.clauses(
        "NX17-5.3.a", "NX17-5.3.b",
    )),
    pytest.param("bizmeka-ez-2016", "separation", marks=pytest.mark.clauses(
        "BZ16-6.1.A.2", "BZ16-6.1.B",
    )),
    pytest.param("bizmeka-ez-2018", "separation", marks=pytest.mark.clauses(
        "BZ18-6.1.A.2", "BZ18-6.1.B",
    )),
    pytest.param("kt-enterprise-2022", "separation", marks=pytest.mark.clauses(
        "KE22-5.1.b",
    )),
    pytest.param("kt-mns-2018", "separation", marks=pytest.mark.clauses(
        "MS18-5.1", "MS18-8.5-2",
    )),
    pytest.param("nexr-2017", "separation", marks=pytest.mark.clauses(
        "NX17-5.1.a", "NX17-5.1.c",
    )),
    pytest.param("bizmeka-ez-2016", "provisions", marks=pytest.mark.clauses(
        "BZ16-9.0", "BZ16-7.2.d", "BZ16-7.2.a", "BZ16-7.2.b", "BZ16-7.2.c",
    )),
    pytest.param("bizmeka-ez-2018", "provisions", marks=pytest.mark.clauses(
        "BZ18-7.1.0", "BZ18-7.1.1", "BZ18-7.1.2", "BZ18-7.1.3", "BZ18-7.1.4", "BZ18-7.1.5", "BZ18-7.2.a",
        "BZ18-7.2.b", "BZ18-7.2.c", "BZ18-7.2.d",
    )),
    pytest.param("bizmeka-ez-2016", "provision-exceptions", marks=pytest.mark.clauses(
        "BZ16-7.0.c", "BZ16-7.2.ex1.a", "BZ16-7.0.d", "BZ16-7.2.ex3", "BZ16-9.2.B", "BZ16-7.2.ex2",
        "BZ16-9.1.A",
    )),
    pytest.param("bizmeka-ez-2018", "provision-exceptions", marks=pytest.mark.clauses(
        "BZ18-7.0.c", "BZ18-7.2.ex1.a", "BZ18-7.0.d", "BZ18-7.2.ex3", "BZ18-7.2.ex1.b", "BZ18-7.2.ex2",
    )),
    pytest.param("kt-enterprise-2022", "provision-exceptions", marks=pytest.mark.clauses(
        "KE22-6.1.a-1", "KE22-6.1.a-2",
    )),
    pytest.param("kt-mns-2018", "provision-exceptions", marks=pytest.mark.clauses(
        "MS18-6.0-4", "MS18-6.0-3", "MS18-6.0-5",
    )),
    pytest.param("kt-enterprise-2022", "collection-exceptions", marks=pytest.mark.clauses(
        "KE22-2.4-0", "KE22-2.4.a", "KE22-2.4.b",
    )),
    pytest.param("bizmeka-ez-2016", "entrustments", marks=pytest.mark.clauses(
        "BZ16-8.0.a", "BZ16-8.1.1", "BZ16-8.0.b", "BZ16-8.0.c", "BZ16-8.0.d", "BZ16-8.0.e", "BZ16-8.0.f",
        "BZ16-8.1.2", "BZ16-8.1.3", "BZ16-8.1.4", "BZ16-8.1.5", "BZ16-8.1.6", "BZ16-8.1.7", "BZ16-8.1.8",
        "BZ16-8.1.9", "BZ16-8.1.10",
    )),
    pytest.param("bizmeka-ez-2018", "entrustments", marks=pytest.mark.clauses(
        "BZ18-8.0.a", "BZ18-8.1.1", "BZ18-8.0.b", "BZ18-8.0.c", "BZ18-8.0.d", "BZ18-8.0.e", "BZ18-8.0.f",
        "BZ18-8.1.2", "BZ18-8.1.3", "BZ18-8.1.4", "BZ18-8.1.5", "BZ18-8.1.6", "BZ18-8.1.7", "BZ18-8.1.8",
        "BZ18-8.1.9", "BZ18-8.1.10", "BZ18-8.1.11", "BZ18-8.1.12", "BZ18-8.1.14", "BZ18-8.1.15",
    )),
    pytest.param("kt-enterprise-2022", "entrustments", marks=pytest.mark.clauses(
        "KE22-7.0-r1", "KE22-7.0-r3", "KE22-7.0-r4", "KE22-7.0-s1", "KE22-7.0-2", "KE22-7.0-7",
        "KE22-7.0-3", "KE22-7.0-4", "KE22-7.0-5",
    )),
    pytest.param("kt-mns-2018", "entrustments", marks=pytest.mark.clauses(
        "MS18-7.0-r1", "MS18-7.0-r2", "MS18-7.0-r3", "MS18-7.0-r4", "MS18-7.0-r5", "MS18-7.0-r6",
        "MS18-7.0-r7", "MS18-7.0-2", "MS18-7.0-7", "MS18-7.0-3", "MS18-7.0-4", "MS18-7.0-5",
    )),
    pytest.param("kt-enterprise-2022", "transfers", marks=pytest.mark.clauses(
        "KE22-8.0-r1", "KE22-8.0-1", "KE22-8.0-r2", "KE22-8.0-r3", "KE22-8.0-r4", "KE22-8.0-r5",
        "KE22-8.0-n1", "KE22-8.0-n2",
    )),
    pytest.param("bizmeka-ez-2016", "handlers", marks=pytest.mark.clauses(
        "BZ16-12.A2.A", "BZ16-12.A2.b", "BZ16-12.A2.B", "BZ16-12.A2.C",
    )),
    pytest.param("bizmeka-ez-2018", "handlers", marks=pytest.mark.clauses(
        "BZ18-11.M2.A", "BZ18-11.M2.b", "BZ18-11.M2.B", "BZ18-11.M2.C",
    )),
    pytest.param("kt-enterprise-2022", "handlers", marks=pytest.mark.clauses(
        "KE22-11.M2-1", "KE22-11.M2.a", "KE22-11.M2.b", "KE22-11.M2.c",
    )),
    pytest.param("kt-mns-2018", "handlers", marks=pytest.mark.clauses(
        "MS18-11.M2-1", "MS18-11.M2.a", "MS18-11.M2.b", "MS18-11.M2.c",
    )),
    pytest.param("nexr-2017", "handlers", marks=pytest.mark.clauses(
        "NX17-6.2.b",
    )),
    pytest.param("bizmeka-ez-2016", "rights", marks=pytest.mark.clauses(
        "BZ16-10.2.a", "BZ16-10.2.d", "BZ16-10.1.a", "BZ16-10.2.c", "BZ16-10.3.b", "BZ16-10.2.b",
        "BZ16-10.6.b", "BZ16-10.6.c", "BZ16-10.6.e", "BZ16-10.6.d", "BZ16-10.7.b",
    )),
    pytest.param("bizmeka-ez-2018", "rights", marks=pytest.mark.clauses(
        "BZ18-9.2.a", "BZ18-9.2.f", "BZ18-9.1.a", "BZ18-9.2.e", "BZ18-9.3.b", "BZ18-9.2.b", "BZ18-9.6.b",
        "BZ18-9.6.c", "BZ18-9.6.e", "BZ18-9.6.d", "BZ18-9.7.b", "BZ18-6.1.app",
    )),
    pytest.param("kt-enterprise-2022", "rights", marks=pytest.mark.clauses(
        "KE22-9.2-1", "KE22-9.1-4", "KE22-9.6-2", "KE22-9.6-3", "KE22-9.6-5", "KE22-9.6-4", "KE22-9.2-2",
        "KE22-9.7-2",
    )),
    pytest.param("kt-mns-2018", "rights", marks=pytest.mark.clauses(
        "MS18-8.2-1", "MS18-8.1-4", "MS18-8.4-2", "MS18-8.4-3", "MS18-8.4-5", "MS18-8.4-4",
    )),
    pytest.param("nexr-2017", "rights", marks=pytest.mark.clauses(
        "NX17-3.2.a", "NX17-8.2.a", "NX17-3.2.b", "NX17-3.1", "NX17-3.3.a", "NX17-3.3.b",
    )),
    pytest.param("bizmeka-ez-2016", "acting-for", marks=pytest.mark.clauses(
        "BZ16-10.4.a", "BZ16-10.4.b",
    )),
    pytest.param("bizmeka-ez-2018", "acting-for", marks=pytest.mark.clauses(
        "BZ18-9.4.a", "BZ18-9.4.b", "BZ18-9.2.d",
    )),
    pytest.param("kt-enterprise-2022", "acting-for", marks=pytest.mark.clauses(
        "KE22-9.4-1", "KE22-9.4-2",
    )),
    pytest.param("kt-mns-2018", "acting-for", marks=pytest.mark.clauses(
        "MS18-8.3-2", "MS18-8.3-3", "MS18-8.1-7",
    )),
    pytest.param("nexr-2017", "acting-for", marks=pytest.mark.clauses(
        "NX17-3.4.b", "NX17-3.4.a",
    )),
    pytest.param("kt-mns-2018", "children", marks=pytest.mark.clauses(
        "MS18-9.1", "MS18-9.2-2", "MS18-9.2.a-1", "MS18-9.2.a-2", "MS18-9.3-0", "MS18-9.3.b-1",
        "MS18-9.3.b-2", "MS18-9.3.c", "MS18-9.3.d-1", "MS18-9.3.d-2",
    )),
    pytest.param("bizmeka-ez-2016", "cookies", marks=pytest.mark.clauses(
        "BZ16-11.0.a", "BZ16-11.2", "BZ16-11.0.c", "BZ16-11.2.B.1",
    )),
    pytest.param("bizmeka-ez-2018", "cookies", marks=pytest.mark.clauses(
        "BZ18-10.0.a", "BZ18-10.2", "BZ18-10.0.c", "BZ18-10.2.B.1",
    )),
    pytest.param("kt-enterprise-2022", "cookies", marks=pytest.mark.clauses(
        "KE22-10.0-1", "KE22-10.0-2", "KE22-10.2-1", "KE22-10.2.b",
    )),
    pytest.param("kt-mns-2018", "cookies", marks=pytest.mark.clauses(
        "MS18-10.0-1", "MS18-10.0-2", "MS18-10.2-1", "MS18-10.2.b",
    )),
    pytest.param("bizmeka-ez-2016", "safeguards", marks=pytest.mark.clauses(
        "BZ16-12.A3.a", "BZ16-12.A4.a", "BZ16-12.A4.b",
    )),
    pytest.param("bizmeka-ez-2018", "safeguards", marks=pytest.mark.clauses(
        "BZ18-11.M3.a", "BZ18-11.M4.a", "BZ18-11.M4.b",
    )),
    pytest.param("kt-enterprise-2022", "safeguards", marks=pytest.mark.clauses(
        "KE22-11.M4-1", "KE22-11.M4-2",
    )),
    pytest.param("kt-mns-2018", "safeguards", marks=pytest.mark.clauses(
        "MS18-11.M3-1", "MS18-11.M4-1", "MS18-11.M4-2",
    )),
    pytest.param("nexr-2017", "safeguards", marks=pytest.mark.clauses(
        "NX17-6.7.a",
    )),
    pytest.param("bizmeka-ez-2016", "changes", marks=pytest.mark.clauses(
        "BZ16-1.4.b", "BZ16-1.5.b", "BZ16-1.5.a", "BZ16-1.5.c", "BZ16-1.5.d", "BZ16-1.4.a",
    )),
    pytest.param("bizmeka-ez-2018", "changes", marks=pytest.mark.clauses(
        "BZ18-1.4.b", "BZ18-1.5.b", "BZ18-1.5.a", "BZ18-1.5.c", "BZ18-1.5.d", "BZ18-1.4.a",
    )),
    pytest.param("kt-enterprise-2022", "changes", marks=pytest.mark.clauses(
        "KE22-1.4-3", "KE22-1.5-1", "KE22-1.5-2", "KE22-1.5-3", "KE22-1.5-4", "KE22-7.0-n1", "KE22-1.4-1",
    )),
    pytest.param("kt-mns-2018", "changes", marks=pytest.mark.clauses(
        "MS18-1.4-3", "MS18-1.5-1", "MS18-1.5-2", "MS18-1.5-3", "MS18-1.5-4", "MS18-1.4-1",
    )),
    pytest.param("nexr-2017", "changes", marks=pytest.mark.clauses(
        "NX17-0.c", "NX17-10.b", "NX17-1.0.c",
    )),
    pytest.param("bizmeka-ez-2016", "contacts", marks=pytest.mark.clauses(
        "BZ16-13.0.c",
    )),
    pytest.param("bizmeka-ez-2018", "contacts", marks=pytest.mark.clauses(
        "BZ18-12.0.c",
    )),
    pytest.param("kt-enterprise-2022", "contacts", marks=pytest.mark.clauses(
        "KE22-12.0-2", "KE22-14.0-2", "KE22-14.0-1",
    )),
    pytest.param("kt-mns-2018", "contacts", marks=pytest.mark.clauses(
        "MS18-12.2",
    )),
    pytest.param("nexr-2017", "contacts", marks=pytest.mark.clauses(
        "NX17-7.2.b", "NX17-0.b", "NX17-7.2.a",
    )),
]
# fmt: on


def marked(request: pytest.FixtureRequest) -> list[str]:
    """The clauses that this very test is about."""
    return [str(clause) for mark in request.node.iter_markers("clauses") for clause in mark.args]


# ── The story ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "section"), KEPT)
def test_what_is_kept_is_upheld_by_entries_that_show_it(
    name: str, section: str, request: pytest.FixtureRequest
) -> None:
    told = story(name)
    for clause in marked(request):
        assert told.empty.clause(clause).state in (State.NO_EVIDENCE, State.NOT_UPHELD), clause
        kept = told.kept.clause(clause)
        assert kept.state is State.UPHELD, (clause, kept.what)
        assert_shown(told, kept)


@pytest.mark.parametrize(("name", "section"), BROKEN_AND_MENDED)
def test_what_is_broken_on_purpose_is_not_upheld_until_it_is_mended(
    name: str, section: str, request: pytest.FixtureRequest
) -> None:
    told = story(name)
    for clause in marked(request):
        assert told.empty.clause(clause).state is not State.UPHELD, clause
        kept = told.kept.clause(clause)
        assert kept.state is State.UPHELD, (clause, kept.what)
        assert_shown(told, kept)
        broken = next(
            one for one in (told.broken.clause(clause), told.recalled.clause(clause)) if one.state is State.NOT_UPHELD
        )
        assert broken.since is not None
        assert told.kept_at - DAY <= broken.since <= told.recalled.span.until, clause
        assert broken.what
        assert all(one.partition(":")[0] in WHAT for one in broken.what)
        mended = told.mended.clause(clause)
        assert mended.state is State.UPHELD, (clause, mended.what)
        assert any(gap.until is not None and gap.until > told.kept_at for gap in mended.gaps), clause
        assert mended.since is not None
        assert mended.since > broken.since


def assert_shown(told: Story, one: ClauseReport) -> None:
    """Every reference is an entry of the ledger, of that kind and instant."""
    assert one.evidence, one.clause
    with system.ledger_of(told.house.home) as ledger, history.reading(ledger) as connection:
        for exhibit in one.evidence:
            with_pruned = exhibit.kind in ACCESS
            try:
                recorded = history.entry_at(connection, exhibit.reference)
            except history.NoSuchEntry:
                assert with_pruned, exhibit
                continue
            assert (recorded.entry.kind, recorded.entry.at) == (exhibit.kind, exhibit.at)


ACCESS = {"read.granted", "read.refused", "lookup.made", "values.shown"}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_upheld_in_an_empty_home_but_what_its_publication_shows(name: str) -> None:
    told = story(name)
    for one in told.empty.clauses:
        if one.state is State.UPHELD:
            kinds = {exhibit.kind for exhibit in one.evidence}
            # The document on file and the ledger itself are looked at even then.
            assert kinds <= {"policy.published", "control.evidenced"}, one
            rules = {each.path.split(".")[0] for each in one.elements}
            assert rules & {"controller", "announced", "effective", "guarantees", "contacts", "safeguards"}, one


@pytest.mark.parametrize("name", NAMES)
def test_every_clause_of_the_document_has_an_answer_and_no_other(name: str) -> None:
    told = story(name)
    carried = set(clauses_of(told.house.document))
    for report in (told.empty, told.kept, told.broken, told.mended):
        assert {one.clause for one in report.clauses} == carried
        assert sum(report.counts().values()) == len(carried)


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_is_never_upheld(name: str) -> None:
    told = story(name)
    pure = [
        clause
        for clause, places in clauses_of(told.house.document).items()
        if all(path.startswith("statements.") for path, _ in places)
    ]
    assert pure
    for report in (told.empty, told.kept, told.broken, told.mended):
        assert {report.clause(clause).state for clause in pure} == {State.STATED}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_declared_and_not_run_is_not_upheld_from_its_publication(name: str) -> None:
    told = story(name)
    over = [one for one in told.kept.clauses if one.published_over]
    assert over
    publication = told.house.keeper.versions(told.house.policy)[0].effective_at
    for one in over:
        assert one.state is State.NOT_UPHELD
        assert one.since is not None
        assert one.since <= publication
        assert {exhibit.kind for exhibit in one.evidence} >= PUBLISHED
    text = as_text(told.kept)
    assert "published over by the officer" in text


@pytest.mark.parametrize("name", NAMES)
def test_no_embedded_home_shows_that_data_travels_encrypted(name: str) -> None:
    told = story(name)
    rows = [row for row in told.house.plan.controls.values() if row.checks == {"encrypted-in-transit"}]
    for row in rows:
        for clause in row.rule.cites():
            for report in (told.empty, told.kept, told.mended):
                found = report.clause(clause)
                assert found.state is not State.UPHELD
                notes = {each.note for each in found.elements if each.path == row.rule.path}
                assert notes == {"no-transport"}


@pytest.mark.clauses(
    "NX17-10.c", "NX17-0.d", "NX17-10.d", "NX17-10.a", "NX17-7.1.a", "NX17-7.1.b", "NX17-8.1.b",
    "BZ16-1.0.c", "BZ16-14.a", "BZ16-14.b", "BZ16-13.1.A", "BZ16-13.1.B",
    "BZ18-1.0.c", "BZ18-13.a", "BZ18-13.b", "BZ18-12.1.A", "BZ18-12.1.B",
    "KE22-15.1.a", "KE22-1.4-2", "KE22-15.1.b", "KE22-12.1.a", "KE22-12.1.b", "KE22-14.a",
    "MS18-14-1", "MS18-14-2", "MS18-1.0-3", "MS18-12.2.a", "MS18-12.2.b",
)  # fmt: skip
@pytest.mark.parametrize("name", NAMES)
def test_what_is_announced_holds_from_its_day_by_the_publication_on_record(
    name: str, request: pytest.FixtureRequest
) -> None:
    told = story(name)
    mine = [clause for clause in marked(request) if clause in clauses_of(told.house.document)]
    assert mine
    for clause in mine:
        found = told.empty.clause(clause)
        assert found.state is State.UPHELD
        assert {exhibit.kind for exhibit in found.evidence} >= PUBLISHED
        assert not found.gaps
