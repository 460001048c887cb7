"""The clause report: every state rests on an entry of the ledger, and nothing is upheld because nobody looked.

Most of it is one story per policy, lived in `tests/audited.py`: nothing has happened, everything is kept for a year,
everything is broken on purpose, everything is mended. The lists at the end say which clauses the story moves.
"""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import upheld
from tests.audited import POLICIES, Audited, Story, story
from tests.trial_home import POLICY, at, member, opened
from upheld import system
from upheld.dates import Instant, moment
from upheld.engine.acts import HandlerId, Reader, ReaderKind, RequestId
from upheld.errors import InputRefused
from upheld.keeper.showing import missing
from upheld.ledger.entries import entry
from upheld.ledger.report import (
    NOTES,
    WHAT,
    Breach,
    ClauseReport,
    Exhibit,
    Finding,
    Report,
    Span,
    State,
    answered,
    as_html,
    as_json,
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


# ── How many persons, since when, over which span ─────────────────────────────────────────────────────────────────────


RECORD_OF_A_LAW = """
laws: {commerce: {clause: T-10, en: Commerce Act, ko: 상거래법}}
statutes:
  contracts: {clause: {all: T-10, items: T-11}, law: commerce 6, items: [name], until: closed + P5Y,
              en: records of contracts, ko: 계약에 관한 기록}
"""


@pytest.fixture
def house(tmp_path: Path) -> Audited:
    return Audited("nexr-2017", tmp_path / "home")


def lived(house: Audited, persons: int) -> None:
    """So many persons whose inquiry is answered."""
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "service")
    for _ in range(persons):
        house.leave(house.take_up(role, stay, taking))


@pytest.mark.clauses("NX17-5.2.a", "NX17-5.0", "NX17-2.2.b", "NX17-1.2", "NX17-5.2.b")
def test_values_past_their_grace_break_the_promise_for_as_many_persons_since_that_day(house: Audited) -> None:
    house.keeper.sweep()
    lived(house, 3)
    house.wait(3)
    assert house.audit().clause("NX17-5.2.a").state is State.NO_EVIDENCE
    house.wait(10)
    late = house.audit()
    for clause in ("NX17-5.2.a", "NX17-5.0", "NX17-2.2.b", "NX17-1.2", "NX17-5.2.b"):
        one = late.clause(clause)
        assert (one.state, one.persons) == (State.NOT_UPHELD, 3), clause
        assert moment(one.since or Instant(0), house.zone).date() == date(2017, 9, 14)  # five days after the 8th
    house.keeper.sweep()
    house.wait(2)
    mended = house.audit().clause("NX17-5.2.a")
    assert mended.state is State.UPHELD
    assert [(gap.what, gap.persons) for gap in mended.gaps] == [("destruction-overdue", 3)]


@pytest.mark.clauses("NX17-5.2.a")
def test_a_span_tells_what_was_not_upheld_inside_it_even_if_mended_since(house: Audited) -> None:
    started = house.clock.now()
    lived(house, 1)
    house.wait(20)
    during = house.clock.now()
    house.keeper.sweep()
    house.wait(20)
    lived(house, 1)
    house.wait(2)
    house.keeper.sweep()
    house.wait(1)
    past = house.audit(until=during).clause("NX17-5.2.a")
    assert (past.state, past.persons) == (State.NOT_UPHELD, 1)
    whole = house.audit(since=started).clause("NX17-5.2.a")
    assert (whole.state, len(whole.gaps)) == (State.UPHELD, 1)
    after = house.audit(since=Instant(during + DAY)).clause("NX17-5.2.a")
    assert (after.state, after.gaps) == (State.UPHELD, ())
    before = house.audit(until=Instant(started + 2 * DAY)).clause("NX17-5.2.a")
    assert before.state is State.NO_EVIDENCE


def test_a_past_span_knows_of_the_system_only_what_an_audit_found_then(house: Audited) -> None:
    lived(house, 1)
    house.wait(1)
    unlooked = house.clock.now()
    house.wait(30)
    house.audit()
    house.wait(1)
    looked = house.clock.now()
    assert house.audit(until=unlooked).clause("NX17-6.6.b").state is State.NO_EVIDENCE
    assert house.audit(until=looked).clause("NX17-6.6.b").state is State.UPHELD


def test_a_span_that_ends_before_it_begins_is_refused(house: Audited) -> None:
    now = house.clock.now()
    with pytest.raises(InputRefused, match="before it begins"):
        house.audit(since=now, until=Instant(now - DAY))


# ── Broken by hand ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clauses("NX17-6.6.b")
def test_one_changed_byte_of_the_ledger_is_not_upheld(house: Audited) -> None:
    lived(house, 2)
    house.keeper.seal()
    assert house.audit().clause("NX17-6.6.b").state is State.UPHELD
    with sqlite3.connect(house.home / "ledger.db") as ledger:
        body = ledger.execute("SELECT body FROM body WHERE leaf = 1").fetchone()[0]
        ledger.execute("UPDATE body SET body = ? WHERE leaf = 1", (body[:-1] + bytes([body[-1] ^ 1]),))
    ledger.close()
    broken = house.audit().clause("NX17-6.6.b")
    assert broken.state is State.NOT_UPHELD
    assert broken.what[0].startswith("ledger-broken")


@pytest.mark.clauses("NX17-6.7.a")
def test_a_grant_without_an_entry_is_not_upheld(house: Audited) -> None:
    house.hire()
    assert house.audit().clause("NX17-6.7.a").state is State.UPHELD
    with house.keeper.places.active.transaction() as transaction:
        transaction.execute("UPDATE handler SET handler_id = ? WHERE duty = 'marketer'", ("z" * 20,))
    broken = house.audit().clause("NX17-6.7.a")
    assert (broken.state, broken.what) == (State.NOT_UPHELD, ("grant-unrecorded",))


@pytest.mark.clauses("NX17-6.2.b")
def test_a_read_by_somebody_without_a_grant_lasts_until_it_is_dealt_with(house: Audited) -> None:
    house.hire()
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "service")
    life = house.take_up(role, stay, taking)
    house.read(life)
    assert house.audit().clause("NX17-6.2.b").state is State.UPHELD
    stranger = Reader(ReaderKind.HANDLER, HandlerId("b" * 20), frozenset({"service"}))
    house.wait(1)
    house.keeper.read(life.subject, "service", reader=stranger, items=("name",), use=life.taking.uses[0])
    house.wait(30)
    broken = house.audit().clause("NX17-6.2.b")
    assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("read-ungranted",))
    assert house.keeper.attest("nexr", "handlers.counsellor", mended=True) == "mended"
    house.wait(1)
    mended = house.audit().clause("NX17-6.2.b")
    assert mended.state is State.UPHELD
    assert [gap.what for gap in mended.gaps] == ["read-ungranted"]


def test_a_value_written_over_by_hand_is_no_ciphertext(tmp_path: Path) -> None:
    house = Audited("nexr-2017", tmp_path / "home")
    lived(house, 1)
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "service")
    life = house.take_up(role, stay, taking)
    house.audit()
    with house.keeper.places.active.transaction() as transaction:
        row = (b"a name that anybody can read", life.values["name"])
        transaction.execute("UPDATE value SET sealed = ? WHERE value_id = ?", row)
    broken = house.audit().clause("NX17-6.5.c")
    assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("plain-at-rest",))


def test_a_value_of_an_item_that_is_never_collected_is_not_upheld(tmp_path: Path) -> None:
    house = Audited("kt-mns-2018", tmp_path / "home")
    role, stay, taking = next(iter(house.takings()))
    life = house.take_up(role, stay, taking)
    never = house.document.items["belief"]
    assert "item-taken:belief" not in house.audit().clause(never.clauses["all"][0]).what
    with house.keeper.places.active.transaction() as transaction:
        value = next(iter(life.values.values()))
        transaction.execute("UPDATE value SET item = 'belief' WHERE value_id = ?", (value,))
    broken = house.audit().clause(never.clauses["all"][0])
    assert (broken.state, broken.persons) == (State.NOT_UPHELD, 1)
    assert "item-taken:belief" in broken.what


def test_a_record_of_a_law_that_holds_another_item_is_not_upheld(tmp_path: Path) -> None:
    with opened(tmp_path / "home", at("2024-02-27")) as house:
        keeper, clock = house.keeper, house.clock
        keeper.publish((POLICY + RECORD_OF_A_LAW).encode(), as_of=at("2020-02-01").date(), evidence="trial")
        person = member(house, "old", offers=False)
        clock.set(at("2024-03-01"))
        keeper.fact(person, "closed")
        clock.set(at("2024-03-03"))
        keeper.sweep()
        assert "outside-items" not in keeper.audit("trial").clause("T-11").what
        with keeper.places.separated.transaction() as transaction:
            transaction.execute("UPDATE value SET item = 'phone' WHERE item = 'name'")
        broken = keeper.audit("trial").clause("T-11")
        assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("outside-items",))


@pytest.mark.clauses("NX17-6.6.a")
def test_access_records_destroyed_before_their_time_are_not_upheld(house: Audited) -> None:
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "service")
    life = house.take_up(role, stay, taking)
    house.read(life)
    house.wait(200)
    house.keeper.sweep()
    house.keeper.prune("nexr", kept_for=upheld.dates.Period(months=6))
    house.wait(1)
    assert house.audit().clause("NX17-6.6.a").state is not State.NOT_UPHELD
    role, stay, taking = next(one for one in house.takings() if one[2].purpose == "marketing")
    house.read(house.take_up(role, stay, taking))
    house.wait(30)
    house.keeper.prune("nexr", kept_for=upheld.dates.Period(days=20))
    house.wait(1)
    broken = house.audit().clause("NX17-6.6.a")
    assert (broken.state, broken.what) == (State.NOT_UPHELD, ("records-short",))


def test_the_document_on_file_must_be_the_one_published(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    assert house.audit().clause("BZ18-1.3.a").state is State.UPHELD
    with house.keeper.places.active.transaction() as transaction:
        source = transaction.execute("SELECT source FROM policy_version").fetchone()[0]
        transaction.execute("UPDATE policy_version SET source = ?", (source + b"# an afterthought",))
    broken = house.audit().clause("BZ18-1.3.a")
    assert (broken.state, broken.what) == (State.NOT_UPHELD, ("source-changed",))


@pytest.mark.clauses("NX17-6.4.a")
def test_what_the_officer_published_over_is_not_upheld_and_shown_apart(tmp_path: Path) -> None:
    clock = upheld.SetClock(moment(Instant(1_504_900_000_000_000)))
    keeper = upheld.open(tmp_path / "home", upheld.Options(clock=clock, light_hashing=True, durable=False))
    document = POLICIES / "nexr-2017.yaml"
    keeper.publish(document, as_of=date(2017, 9, 8), evidence="scan-1", gaps=("safeguards.antivirus",))
    keeper.register("nexr", "host", "host-1")
    for _ in range(2):
        keeper.file_evidence("nexr", "antivirus", "antivirus-report", about="host-1")
        clock.set(moment(clock.now()) + timedelta(days=1))
    report = keeper.audit("nexr")
    found = report.clause("NX17-6.4.a")
    assert (found.state, found.published_over) == (State.NOT_UPHELD, True)
    assert report.findings == ("published-afterwards",)
    assert "put on file after it took effect" in as_text(report)


def test_a_version_announced_too_late_breaks_what_the_version_before_promised(tmp_path: Path) -> None:
    house = Audited("nexr-2017", tmp_path / "home")
    text = (POLICIES / "nexr-2017.yaml").read_text("utf-8")
    later = text.replace("date: 2017-09-01", "date: 2017-10-08").replace("date: 2017-09-08", "date: 2017-10-10")
    assert later != text
    house.wait(29)
    house.keeper.publish(later.encode())
    house.wait(30)
    broken = house.audit(version="2017-09-08", until=Instant(house.clock.now())).clause("NX17-10.b")
    assert broken.gaps == () or broken.gaps[0].what == "announced-late"
    own = house.audit(version="2017-10-10").clause("NX17-10.c")
    assert [gap.what for gap in own.gaps] == ["announced-late"]


def test_a_withdrawal_known_too_late_leaves_a_gap_until_it_was_known(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    life = house.provide_all()[0]
    given = house.clock.now()
    recipient = next(iter(house.plan.provisions))
    house.wait(1)
    channel = next(iter(house.plan.consent_channels))
    about = f"provision/{recipient}"
    house.keeper.withdraw(life.subject, about, channel=channel, at=Instant(given - 60_000_000))
    house.acknowledge_all()
    house.wait(1)
    found = house.audit().clause("BZ18-4.1.b")
    late = [gap for gap in found.gaps if gap.what == "too-late-to-prevent"]
    assert [(gap.element, gap.persons) for gap in late] == [(f"provisions.{recipient}", 1)]
    assert all(gap.until is not None for gap in late)
    assert found.state is State.UPHELD


@pytest.mark.clauses("BZ18-7.1.1", "BZ18-4.1.b")
def test_something_given_without_the_recipients_consent_is_not_upheld(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    life = house.provide_all()[0]
    assert house.audit().clause("BZ18-7.1.1").state is State.UPHELD
    house.wait(1)
    stranger = house.take_up(life.role, life.stay, life.taking)
    alias = house.keeper.views.alias(stranger.subject)
    values = tuple(stranger.values.values())[:1]
    smuggled = entry(
        "value.provided", house.clock.now(), house.policy, alias, ("provisions.mhows",), recipient="mhows",
        values=values, items=("name",), disclosure="s" * 20,
    )  # fmt: skip
    with house.keeper.places.active.transaction() as transaction:
        transaction.journal(smuggled)
    house.wait(1)
    broken = house.audit().clause("BZ18-7.1.1")
    assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("consent-missing",))


@pytest.mark.clauses("BZ18-4.2.b")
def test_something_entrusted_without_the_persons_consent_to_the_processor_is_not_upheld(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    contracts = house.contract_all()
    life = house.entrust_all()[0]
    house.wait(1)
    assert house.audit().clause("BZ18-4.2.b").state is State.UPHELD
    stranger = house.take_up(life.role, life.stay, life.taking)
    alias = house.keeper.views.alias(stranger.subject)
    smuggled = entry(
        "value.entrusted", house.clock.now(), house.policy, alias, ("entrustments.ktis",), processor="ktis",
        purpose=life.taking.purpose, values=tuple(stranger.values.values())[:1], items=("name",),
        contract=contracts["ktis"], disclosure="s" * 20,
    )  # fmt: skip
    with house.keeper.places.active.transaction() as transaction:
        transaction.journal(smuggled)
    house.wait(1)
    broken = house.audit().clause("BZ18-4.2.b")
    assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("consent-missing",))


@pytest.mark.clauses("BZ18-8.0.g", "BZ18-8.0.c", "BZ18-8.0.b")
def test_a_processor_that_returns_nothing_in_time_is_not_upheld_for_everybody_it_got(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    contracts = house.contract_all()
    house.entrust_all()
    house.wait(1)
    assert house.audit().clause("BZ18-8.0.b").state is State.UPHELD
    assert house.audit().clause("BZ18-8.0.c").state is State.UPHELD
    house.keeper.end_contract(house.policy, contracts["ktis"])
    ended = house.clock.now()
    house.wait(30)
    broken = house.audit().clause("BZ18-8.0.g")
    assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("return-overdue:ktis",))
    assert broken.since is not None
    assert ended < broken.since < ended + 3 * DAY
    house.keeper.returned(house.policy, contracts["ktis"])
    house.wait(1)
    assert house.audit().clause("BZ18-8.0.g").state is State.UPHELD


@pytest.mark.clauses("BZ18-8.0.c")
def test_a_contract_that_lacks_a_term_is_not_upheld_for_that_term(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    house.keeper.contract(house.policy, "ktis", terms=house.plan.entrustments["ktis"].terms - {"compliance"})
    house.wait(1)
    report = house.audit()
    assert report.clause("BZ18-8.0.c").state is State.NOT_UPHELD
    assert report.clause("BZ18-8.0.c").what == ("term-missing:ktis",)
    assert report.clause("BZ18-8.0.d").state is State.UPHELD


@pytest.mark.clauses("BZ18-9.5.b", "BZ18-9.5.a")
def test_a_request_without_an_answer_is_not_upheld_from_its_due_day(tmp_path: Path) -> None:
    house = Audited("bizmeka-ez-2018", tmp_path / "home")
    life = house.take_up(*next(iter(house.takings())))
    made = house.keeper.request(life.subject, "access", channel="website", proved=True)
    house.wait(30)
    for clause in ("BZ18-9.5.b", "BZ18-9.5.a"):
        broken = house.audit().clause(clause)
        assert (broken.state, broken.persons, broken.what) == (State.NOT_UPHELD, 1, ("answer-overdue",))
    house.keeper.answer(life.subject, RequestId(made.made or ""), "done")
    house.wait(1)
    mended = house.audit().clause("BZ18-9.5.a")
    assert (mended.state, [gap.what for gap in mended.gaps]) == (State.UPHELD, ["answer-overdue"])


def test_every_code_that_a_report_can_say_has_words_in_both_languages() -> None:
    keeper = Path(upheld.keeper.__file__).parent
    source = "".join(path.read_text("utf-8") for path in sorted(keeper.glob("*.py")))
    makers = "Breach|Answer|_broken|_act|_breaches|_read_wrong|_note_late"
    # What a transport answers begins with `Handed`: no finding of the audit.
    said = set(re.findall(rf"(?:{makers})\((?!Handed\b)[^\"()]*\"([a-z-]+)\"", source))
    assert len(said) > 20
    assert said <= set(WHAT)
    assert all(re.search("[가-힣]", korean) for _, korean in WHAT.values())
    notes = set(re.findall(r'note="([a-z-]+)"', source))
    assert notes
    assert notes <= set(NOTES)


# ── Put on record ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_acts_show_cannot_be_put_on_record_by_anybody(house: Audited) -> None:
    for element in ("purposes.required.service", "statements.NX17-9.0.b", "no.such.element"):
        with pytest.raises(InputRefused) as refused:
            house.keeper.attest("nexr", element)
        assert refused.value.code == "element-unattestable"


def test_the_same_put_on_record_twice_counts_once(house: Audited) -> None:
    for _ in range(2):
        assert house.keeper.attest("nexr", "agencies.police") == "particulars-review"
    house.keeper.seal()
    found = house.audit().clause("NX17-9.4")
    assert found.state is State.UPHELD
    assert len([one for one in found.evidence if one.kind == "control.evidenced"]) == 1


@pytest.mark.clauses("NX17-6.2.c")
def test_nobody_owes_evidence_for_who_has_left(house: Audited) -> None:
    house.hire()
    house.file_all()
    house.wait(200)
    for duty, handler in house.staff.items():
        house.keeper.revoke("nexr", handler, duty)
    house.wait(400)
    assert house.audit().clause("NX17-6.2.c").state is State.UPHELD


# ── A sample of cases ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_seed_draws_the_same_cases_with_their_certificates() -> None:
    house = story("nexr-2017").house
    first = house.audit(sample=3, seed=11)
    again = house.audit(sample=3, seed=11)
    other = house.audit(sample=3, seed=12)
    drawn = [one.cases for one in first.clauses]
    assert drawn == [one.cases for one in again.clauses]
    assert drawn != [one.cases for one in other.clauses]
    destroyed = first.clause("NX17-5.2.a").cases
    assert 0 < len(destroyed) <= 3
    issued = set(house.keeper.certificates("nexr"))
    named = {certificate for case in destroyed for certificate in case.certificates}
    on_file = sorted(named & issued)  # those of people forgotten since are gone with them
    assert on_file
    assert house.keeper.certificate(on_file[0])


# ── Written down ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_json_lists_a_clause_each_with_state_since_and_evidence() -> None:
    rows = json.loads(as_json(story("nexr-2017").mended))
    assert {row["state"] for row in rows} == {"upheld", "not-upheld", "no-evidence-yet", "stated"}
    for row in rows:
        assert {"clause", "state", "since", "evidence", "elements", "what", "persons", "gaps"} <= set(row)
        for exhibit in row["evidence"]:
            assert re.fullmatch(r"\d+:\d+", exhibit["reference"])
            assert set(exhibit) == {"reference", "kind", "at"}
        if row["state"] == "not-upheld":
            assert row["since"]
            assert row["what"]


def test_the_page_needs_nothing_else_and_speaks_both_languages() -> None:
    page = as_html(story("nexr-2017").mended)
    assert "<script" not in page
    assert "http" not in page
    assert "@media print" in page
    for heading in ("조항별 이행 보고서", "Clause report", "지켜지지 않음", "not upheld", "증거", "Evidence"):
        assert heading in page
    assert page.count('<th scope="row">') == 79


def test_the_page_escapes_what_a_document_says() -> None:
    report = story("nexr-2017").kept
    hostile = Report(
        report.policy, report.version, {"ko": "<b>", "en": "<script>alert(1)</script>"}, report.span, report.made_at,
        report.zone, report.clauses, report.names,
    )  # fmt: skip
    page = as_html(hostile)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_short_text_names_what_is_not_upheld_and_no_more() -> None:
    broken = story("nexr-2017").broken
    text = as_text(broken, brief=True)
    named = set(re.findall(r"NX17-[\w.]+", text))
    assert named == {one.clause for one in broken.clauses if one.state is State.NOT_UPHELD}
    assert "persons" in text


# ── What is owed, and when it is missing ──────────────────────────────────────────────────────────────────────────────

SEOUL = ZoneInfo("Asia/Seoul")
MONTH = upheld.dates.Period(months=1)


def day(number: int) -> Instant:
    """Nine in the morning of a day counted from 1 January 2018."""
    return Instant(upheld.dates.start_of(date(2018, 1, 1), SEOUL) + number * DAY + DAY * 9 // 24)


def whole(number: int) -> Instant:
    return upheld.dates.start_of(date(2018, 1, 1) + timedelta(days=number), SEOUL)


@pytest.mark.parametrize(
    ("filed", "first", "every", "triggers", "now", "found"),
    [
        ([], 0, MONTH, (), 1, []),  # the first may come by the end of the next day
        ([], 0, MONTH, (), 2, [(day(0), None)]),
        ([1], 0, MONTH, (), 20, []),
        ([5], 0, MONTH, (), 20, [(day(0), day(5))]),
        ([0], 0, MONTH, (), 40, [(whole(32), None)]),
        ([0, 40], 0, MONTH, (), 50, [(whole(32), day(40))]),
        ([0, 20], 0, MONTH, (), 50, []),
        ([0], 0, None, (), 900, []),
        ([], None, None, (), 900, []),  # nothing is owed before something happens
        ([], None, None, (10,), 900, [(day(10), None)]),
        ([11], None, None, (10,), 900, []),
        ([20], None, None, (10,), 900, [(day(10), day(20))]),
        ([9], None, None, (10,), 900, [(day(10), None)]),  # what was filed before it is no answer to it
        ([], None, None, (10,), 11, []),
    ],
)
def test_evidence_is_missing_from_its_due_day_until_it_comes(
    filed: list[int],
    first: int | None,
    every: upheld.dates.Period | None,
    triggers: tuple[int, ...],
    now: int,
    found: list[tuple[Instant, Instant | None]],
) -> None:
    begins = upheld.dates.FOREVER if first is None else day(first)
    given = missing(
        [day(each) for each in filed], begins, upheld.dates.FOREVER, every, tuple(day(each) for each in triggers),
        SEOUL, day(now),
    )  # fmt: skip
    assert given == found


def test_nothing_is_missing_for_what_left_the_register() -> None:
    left = day(40)
    given = missing([day(0)], day(0), left, MONTH, (), SEOUL, day(400))
    assert given == [(whole(32), left)]
    assert missing([day(0), day(30)], day(0), left, MONTH, (), SEOUL, day(400)) == []


# ── From findings to a state ──────────────────────────────────────────────────────────────────────────────────────────

SPAN = Span(Instant(100), Instant(200))
SHOWN = (Exhibit("1:0", "value.destroyed", Instant(120)),)


def breach(since: int, until: int | None, *persons: str) -> Breach:
    end = None if until is None else Instant(until)
    return Breach("destruction-overdue", "x", Instant(since), end, frozenset(persons))


@pytest.mark.parametrize(
    ("findings", "state", "gaps"),
    [
        ([], State.STATED, 0),
        ([Finding("a")], State.NO_EVIDENCE, 0),
        ([Finding("a", shown=SHOWN)], State.UPHELD, 0),
        ([Finding("a", shown=SHOWN), Finding("b")], State.UPHELD, 0),
        ([Finding("a", shown=SHOWN), Finding("b", standing=True)], State.NO_EVIDENCE, 0),
        ([Finding("a", stated=True)], State.STATED, 0),
        ([Finding("a", stated=True, shown=SHOWN)], State.STATED, 0),
        ([Finding("a", stated=True, shown=SHOWN), Finding("b")], State.NO_EVIDENCE, 0),
        ([Finding("a", breaches=(breach(110, None),))], State.NOT_UPHELD, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, None),))], State.NOT_UPHELD, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, 130),))], State.UPHELD, 1),
        ([Finding("a", breaches=(breach(110, 130),))], State.NO_EVIDENCE, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, 200),))], State.NOT_UPHELD, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(50, 100),))], State.UPHELD, 0),
        ([Finding("a", shown=SHOWN, breaches=(breach(200, None),))], State.UPHELD, 0),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, 130), breach(130, 140)))], State.UPHELD, 1),
        ([Finding("a", shown=SHOWN, breaches=(breach(110, 130), breach(150, 160)))], State.UPHELD, 2),
    ],
)
def test_one_lasting_breach_outweighs_everything_shown(findings: list[Finding], state: State, gaps: int) -> None:
    found = answered("X-1", findings, SPAN)
    assert (found.state, len(found.gaps)) == (state, gaps)


def test_persons_are_counted_once_however_many_elements_they_were_let_down_by() -> None:
    findings = [
        Finding("a", breaches=(breach(110, None, "p", "q"),)),
        Finding("b", breaches=(breach(150, None, "q", "r"),)),
    ]
    found = answered("X-1", findings, SPAN)
    assert (found.persons, found.since) == (3, 110)


def test_what_lasted_before_the_span_says_since_when() -> None:
    found = answered("X-1", [Finding("a", breaches=(breach(5, None, "p"),))], SPAN)
    assert (found.since, found.gaps[0].since) == (5, 100)
