"""The words of a case: each verb with what it takes. The reader, the stage and `docs/cases.md` all go by this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Takes(StrEnum):
    """What may stand behind a word."""

    NAME = "a name"
    NAMES = "a name or a list of names"
    TABLE = "a table of names"
    DATE = "a date"
    YES = "yes or no"
    NAME_OR_TABLE = "a name or a table of names"


class Names(StrEnum):
    """Which names of the policy a word means; a name outside is a problem of the file."""

    FREE = "free"
    SUBJECTS = "subjects"
    ENGAGEMENTS = "engagements"
    PURPOSES = "purposes"
    ITEMS = "items"
    FACTS = "facts"
    CHANNELS = "channels"
    CONSENT_CHANNELS = "consent"
    RECIPIENTS = "provisions"
    PROCESSORS = "entrustments"
    EXCEPTIONS = "provision-exceptions"
    UNASKED = "collection-exceptions"
    DUTIES = "handlers"
    CONTROLS = "safeguards"
    ELEMENTS = "elements"
    RIGHTS = "rights"
    MEDIA = "advertising"
    MATTERS = "matters"
    STATES = "states"
    GIVEN = "given or withdrawn"
    CLAUSES = "clauses"


@dataclass(frozen=True, slots=True)
class Word:
    """What stands behind one word: its shape, and whose names it uses (`left` for the keys of a table)."""

    takes: Takes
    names: Names = Names.FREE
    left: Names = Names.FREE


@dataclass(frozen=True, slots=True)
class Verb:
    """One kind of step. `looks` only looks: it has no verdict of its own to expect."""

    word: Word
    says: str
    keys: Mapping[str, Word] = field(default_factory=dict)
    looks: bool = False


NAME, NAMES = Word(Takes.NAME), Word(Takes.NAMES)
DATE, YES = Word(Takes.DATE), Word(Takes.YES)
ITEMS = Word(Takes.NAMES, Names.ITEMS)
ENGAGEMENT = Word(Takes.NAME, Names.ENGAGEMENTS)


def _table(left: Names, names: Names) -> Word:
    return Word(Takes.TABLE, names, left)


UNASKED: Final[Mapping[str, Word]] = {
    "except": Word(Takes.NAME, Names.UNASKED),
    "under": NAME,
    "article": NAME,
    "difficulty": NAME,
    "approved": NAME,
    "shown": NAMES,
}
"""How data comes in without consent: the exception, its law and article or difficulty, who approved, which papers."""

ACTS: Final[Mapping[str, Verb]] = {
    "enter": Verb(
        Word(Takes.NAME, Names.SUBJECTS),
        "a person becomes known, as one of the policy's kinds",
        {"as": NAME, "born": DATE, "under-age": YES},
    ),
    "begin": Verb(
        Word(Takes.NAMES, Names.ENGAGEMENTS), "engagements begin; `for` names the customer company", {"for": NAME}
    ),
    "consent": Verb(
        Word(Takes.NAMES, Names.MATTERS),
        "agrees to each matter apart; a bare name is a purpose",
        {"by": Word(Takes.NAME, Names.CONSENT_CHANNELS), "of": NAME, "verified": NAME, "late": NAME},
    ),
    "withdraw": Verb(
        Word(Takes.NAMES, Names.MATTERS),
        "takes consent back; `confirmed` ends what cannot go on without it",
        {"by": NAME, "of": NAME, "confirmed": YES, "late": NAME},
    ),
    "collect": Verb(
        _table(Names.PURPOSES, Names.ITEMS),
        "items come in for a purpose; `by: nobody` names no way of coming",
        {"by": NAME, "with": NAMES, "use": NAME, "in": ENGAGEMENT, **UNASKED},
    ),
    "reuse": Verb(
        _table(Names.PURPOSES, Names.ITEMS), "what is held serves one more purpose", {"in": ENGAGEMENT, **UNASKED}
    ),
    "read": Verb(
        ITEMS,
        "somebody looks, for a purpose; `by` is one of the staff, `the-job`, `themselves` or `fellow`",
        {
            "for": Word(Takes.NAME, Names.PURPOSES),
            "by": NAME,
            "use": NAME,
            "in": ENGAGEMENT,
            "from": NAME,
            "shows": ITEMS,
        },
    ),
    "read-apart": Verb(
        Word(Takes.NAME, Names.ELEMENTS),
        "somebody looks at what is kept apart, for the ground that keeps it",
        {"by": NAME, "shows": ITEMS},
    ),
    "show": Verb(NAME, "the person is shown what is held (`access` or `portability`)", {"proved": YES, "shows": ITEMS}),
    "fact": Verb(
        Word(Takes.NAMES, Names.FACTS),
        "the world reports; `late` or `happened` when it did so afterwards; `key` is the sender's own number",
        {"happened": DATE, "late": NAME, "about": NAME, "of": ITEMS, "in": ENGAGEMENT, "key": NAME},
    ),
    "correct": Verb(ITEMS, "a wrong value gives way to a right one", {"answering": Word(Takes.NAME, Names.RIGHTS)}),
    "ask": Verb(
        Word(Takes.NAME, Names.RIGHTS),
        "a request comes in; `due` is the last day for the answer",
        {
            "by": Word(Takes.NAME, Names.CHANNELS),
            "proved": YES,
            "about": ITEMS,
            "purposes": Word(Takes.NAMES, Names.PURPOSES),
            "late": NAME,
            "due": DATE,
            "of": NAME,
            "with": NAMES,
        },
    ),
    "act-for": Verb(
        NAME,
        "an `agent` or a `representative` acts for the person from now on, on the papers shown `with`",
        {"with": NAMES, "rights": NAMES, "items": ITEMS, "until": DATE},
    ),
    "act-no-longer": Verb(NAME, "the `agent` or `representative` acts for the person no longer"),
    "prove": Verb(Word(Takes.NAME, Names.RIGHTS), "who asked proves who they are", {"with": NAMES}),
    "incomplete": Verb(
        Word(Takes.NAME, Names.RIGHTS), "something is missing of the request, and is asked for", {"missing": NAMES}
    ),
    "postpone": Verb(
        Word(Takes.NAME, Names.RIGHTS),
        "access waits for a reason, and is open again by itself",
        {"until": DATE, "reason": NAME},
    ),
    "extend": Verb(
        Word(Takes.NAME, Names.RIGHTS), "more time for an answer about an automated decision", {"reason": NAME}
    ),
    "pass-on": Verb(
        Word(Takes.NAME, Names.RIGHTS), "the request goes to the controller the data came from", {"to": NAME}
    ),
    "answer": Verb(
        Word(Takes.NAME, Names.RIGHTS),
        "the request is answered: done, partly, refused, not-identified, nothing-held, taken-back; `confirmed` ends "
        "what cannot go on without what is erased",
        {"outcome": NAME, "reason": NAME, "by": NAME, "confirmed": YES},
    ),
    "lift": Verb(Word(Takes.NAME, Names.RIGHTS), "the person lifts a suspension"),
    "accept-again": Verb(Word(Takes.NAME, Names.RIGHTS), "staff accept a request that was refused before"),
    "review": Verb(
        NAME,
        "somebody looked at what is left open (`engagement`, or an element) and keeps, closes or destroys it",
        {"outcome": NAME, "reason": NAME, "in": ENGAGEMENT},
    ),
    "provide": Verb(
        _table(Names.RECIPIENTS, Names.ITEMS), "items go to a recipient for its own purpose", {"in": ENGAGEMENT}
    ),
    "entrust": Verb(
        _table(Names.PROCESSORS, Names.ITEMS),
        "items go to a processor for a purpose of ours",
        {"for": Word(Takes.NAME, Names.PURPOSES), "in": ENGAGEMENT},
    ),
    "disclose": Verb(
        _table(Names.EXCEPTIONS, Names.ITEMS),
        "items go out under an exception; `shown` is what is on record",
        {"shown": NAMES, "under": NAME},
    ),
    "send": Verb(
        Word(Takes.NAME, Names.PURPOSES), "a promotional message goes out", {"by": Word(Takes.NAME, Names.MEDIA)}
    ),
    "merger": Verb(
        NAME,
        "the business passes on: `merger`, `whole-business`, `part-of-business`; in sixty days unless `effective` says",
        {"to": NAME, "effective": DATE, "refusing": NAME},
    ),
    "tell-merger": Verb(NAMES, "everybody is told of it by the first medium that reaches them", {"bounces": NAMES}),
    "post": Verb(NAME, "the notice of the merger goes up at a place of the policy"),
    "take-down": Verb(NAME, "it is taken down again"),
    "print": Verb(
        NAMES,
        "newspapers print it, since posting is hindered; those of a `region` where so many `residents` live",
        {"region": NAME, "residents": NAME},
    ),
    "refuse-merger": Verb(NAME, "a person refuses to be handed over, by this channel"),
    "hand-over": Verb(NAMES, "everybody whose turn it is passes on: exactly these people, or `nobody`"),
    "acknowledge": Verb(NAME, "a recipient answers that it did what it was told"),
    "look-up": Verb(
        _table(Names.ITEMS, Names.FREE), "a person is looked up by one item", {"finds": NAMES, "reason": NAME}
    ),
    "contract": Verb(
        NAMES,
        "a contract comes into force, with all terms unless `terms` lists them",
        {"terms": NAMES, "agreed": YES, "until": DATE},
    ),
    "end-contract": Verb(NAMES, "a contract ends"),
    "returned": Verb(NAMES, "the processor has shown that it returned or destroyed everything"),
    "our-fact": Verb(NAME, "something happened to the organisation itself", {"about": NAME, "late": NAME}),
    "grant": Verb(
        Word(Takes.NAME, Names.DUTIES),
        "somebody gets a role, with everything on record unless `shown` lists it",
        {"as": NAME, "shown": NAMES, "party": NAME},
    ),
    "revoke": Verb(Word(Takes.NAME, Names.DUTIES), "somebody loses a role", {"of": NAME}),
    "approve-destruction": Verb(
        NAME, "one of the staff approves that what has fallen due is destroyed by somebody else", {"of": NAME}
    ),
    "evidence": Verb(
        _table(Names.CONTROLS, Names.FREE), "evidence of a safeguard is filed", {"about": NAME, "late": NAME}
    ),
    "register": Verb(_table(Names.FREE, Names.FREE), "a host, room, system or employee enters the register"),
    "unregister": Verb(_table(Names.FREE, Names.FREE), "it leaves the register"),
    "holiday": Verb(DATE, "an officer adds a day on which no answer falls due"),
    "attest": Verb(
        Word(Takes.NAMES, Names.ELEMENTS),
        "somebody puts on record that an element was kept where no act shows it: an inspection, a review, a posting",
        {"late": NAME},
    ),
    "publish": Verb(NAME, "a further version of the policy goes on file"),
}

LOOKS: Final[Mapping[str, Verb]] = {
    "held": Verb(
        Word(Takes.NAME_OR_TABLE, Names.ITEMS, Names.STATES),
        "where everything is: `active`, `separated`, `destroyed`; or `nothing`, or `forgotten`",
        looks=True,
    ),
    "kept-by": Verb(
        _table(Names.ITEMS, Names.ELEMENTS), "the elements of the policy that keep an item now", looks=True
    ),
    "received": Verb(_table(Names.FREE, Names.ITEMS), "who got what", looks=True),
    "told": Verb(NAMES, "recipients that were told of a correction, withdrawal or end", looks=True),
    "certified": Verb(ITEMS, "items whose destruction is certified, each certificate checked", looks=True),
    "consents": Verb(_table(Names.GIVEN, Names.MATTERS), "how each matter stands", {"on": DATE}, looks=True),
    "requests": Verb(_table(Names.RIGHTS, Names.FREE), "where each request stands", looks=True),
    "in-merger": Verb(_table(Names.FREE, Names.FREE), "where people stand in the newest merger", looks=True),
    "reviews": Verb(NAMES, "what is up for a look: `engagement`, elements, or `nothing`", looks=True),
    "owed": Verb(
        _table(Names.CONTROLS, Names.FREE),
        "for whom or what evidence is missing or stale: a name, `house`, or `nobody`",
        looks=True,
    ),
    "gaps": Verb(Word(Takes.NAMES, Names.ELEMENTS), "what was published although it cannot be run", looks=True),
    "recorded": Verb(NAMES, "kinds of entries that the ledger has by now", looks=True),
    "on-disk": Verb(NAME, "`nothing`: no file of the home holds a given content in clear", looks=True),
    "ledger": Verb(NAME, "`unbroken`: the ledger verifies from its first entry", looks=True),
    "grown-up": Verb(YES, "whether the age of consent is reached", looks=True),
    "audited": Verb(
        _table(Names.CLAUSES, Names.FREE),
        "what the clause report says of a clause: `upheld`, `not-upheld`, `no-evidence-yet`, `stated`",
        looks=True,
    ),
    "in-force": Verb(NAME, "the version in force by its date, or `none`", looks=True),
    "password": Verb(ITEMS, "the stored hash knows the right password and no other", looks=True),
    "question": Verb(
        Word(Takes.NAME, Names.MATTERS), "the text that asks for a consent names these", {"says": NAMES}, looks=True
    ),
}

VERBS: Final[Mapping[str, Verb]] = {**ACTS, **LOOKS}

EVERYWHERE: Final[Mapping[str, Word]] = {"who": NAME}
EXPECTED: Final[Mapping[str, Word]] = {
    "expect": NAME,
    "because": NAMES,
    "citing": NAMES,
    "law": NAME,
    "tells": NAMES,
}
VERDICTS: Final = ("granted", "refused", "invalid")
STATES: Final = ("active", "separated", "destroyed")


def keys_of(verb: Verb) -> Mapping[str, Word]:
    """Every key that a step with this verb takes besides the verb itself."""
    return {**verb.keys, **EVERYWHERE, **({} if verb.looks else EXPECTED)}
