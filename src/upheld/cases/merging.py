"""The verbs of a merger: a case is opened, people are told, posted for, refuse, and pass on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from upheld.cases.model import Step
from upheld.cases.stage import Came, Stage
from upheld.connect.transport import Answer, Handed, Letter
from upheld.dates import local_date
from upheld.engine.acts import SubjectId
from upheld.keeper import Bundle, Terms
from upheld.keeper.posting import Region
from upheld.policy.vocabulary import served_by

NOTICE: Final = "business-transfer"
_SAID: Final = Terms(
    "The business passes on.", "The made-up transferee", "office@example.org", "answer this message with no"
)


class _Everywhere:
    """A transport of a made-up house: it takes every letter, but those that a case sends back."""

    def __init__(self, medium: str) -> None:
        self.medium = medium

    def send(self, letter: Letter) -> Answer:
        """Taken."""
        return Answer(Handed.SENT)

    def close(self) -> None:
        """Nothing is open."""


def _case(stage: Stage) -> str:
    return stage.keeper.mergers(stage.code)[-1].case_id


def _touch(stage: Stage, *elements: str) -> None:
    stage.elements |= {"changes.business-transfer", *elements}


def merger(stage: Stage, step: Step) -> Iterator[Came]:
    """Opens a case; it takes effect on the day given, or in sixty days."""
    fact = step.word("merger") or ""
    day = step.day("effective") or local_date(stage.clock.now(), stage.zone) + timedelta(days=60)
    stage.keeper.merger(
        stage.code,
        fact,
        step.word("to") or "transferee",
        dict.fromkeys(stage.policy.locales, _SAID),
        effective_on=day,
        refused_means=step.word("refusing") or "stays",
    )
    _touch(stage)
    yield Came(f"merger {fact}")


def tell_merger(stage: Stage, step: Step) -> Iterator[Came]:
    """Queues the notice and works the outbox; `bounces` names those whose letter comes back."""
    media, case = step.words("tell-merger"), _case(stage)
    stage.keeper.tell_merger(stage.code, case, media)
    stage.keeper.deliver(*(_Everywhere(served_by(one)) for one in media))
    for name in step.words("bounces"):
        person = stage.people[name].subject_id
        for one in stage.keeper.messages(stage.code, subject=person, about=case, state="sent"):
            stage.keeper.bounced(one.message_id)
    _touch(stage, "places.person", "upkeep.notices")
    yield Came("tell of the merger")


def post(stage: Stage, step: Step) -> Iterator[Came]:
    """Puts the notice of the case up at a place of the policy."""
    place = step.word("post") or ""
    stage.keeper.post(stage.code, NOTICE, _case(stage), place, evidence=b"a made-up picture of the page")
    _touch(stage, f"places.{place}")
    yield Came(f"post at {place}")


def take_down(stage: Stage, step: Step) -> Iterator[Came]:
    """Takes the last posting down."""
    place = step.word("take-down") or ""
    found = [one for one in stage.keeper.postings(stage.code, about=_case(stage)) if one.place == place]
    stage.keeper.taken_down(stage.code, found[-1].posting_id)
    yield Came(f"take down from {place}")


def print_notice(stage: Stage, step: Step) -> Iterator[Came]:
    """Puts the notice of the case into newspapers."""
    region, residents = step.word("region"), step.word("residents") or "0"
    where = Region(region, int(residents)) if region else None
    for paper in step.words("print"):
        stage.keeper.printed(stage.code, NOTICE, _case(stage), paper, evidence=b"a made-up cutting", region=where)
    _touch(stage, "places.newspapers")
    yield Came("print the notice")


def refuse_merger(stage: Stage, step: Step) -> Iterator[Came]:
    """Somebody refuses to be handed over."""
    person, channel = stage.person(step), step.word("refuse-merger") or ""
    stage.keeper.refuse_transfer(person.subject_id, _case(stage), channel=channel)
    _touch(stage)
    yield Came(f"refuse the merger by {channel}")


def hand_over(stage: Stage, step: Step) -> Iterator[Came]:
    """Hands over everybody whose turn it is; the names are those whom it must be, or `nobody`."""
    out: list[Bundle] = []
    stage.keeper.hand_over(stage.code, _case(stage), out.append)
    names: dict[SubjectId, str] = {person.subject_id: name for name, person in stage.people.items()}
    came = sorted(names[one.subject_id] for one in out)
    wanted = sorted(one for one in step.words("hand-over") if one != "nobody")
    wrong = () if came == wanted else (f"handed over: {', '.join(came) or 'nobody'}, expected {wanted or 'nobody'}",)
    _touch(stage)
    yield Came("hand over", amiss=wrong)


def in_merger(stage: Stage, step: Step) -> Iterator[str]:
    """Where people stand in the newest case."""
    states = stage.keeper.merger_state(stage.code, _case(stage)).states
    for state, names in step.table("in-merger").items():
        for name in names:
            found = states.get(stage.people[name].subject_id, "not concerned")
            if found != state:
                yield f"{name} is {found} in the merger, expected {state}"


MERGING: Final[Mapping[str, Callable[[Stage, Step], Iterator[Came]]]] = {
    "merger": merger,
    "tell-merger": tell_merger,
    "post": post,
    "take-down": take_down,
    "print": print_notice,
    "refuse-merger": refuse_merger,
    "hand-over": hand_over,
}
"""Each verb and what plays it."""
