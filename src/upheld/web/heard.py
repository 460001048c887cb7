"""Consent that did not come by a page: the counsellor reads the questions out, or has a letter, fax, message or form.

What is recorded is the text that stands on this page, the channel, and the evidence that the policy asks for there.
"""

from __future__ import annotations

from dataclasses import dataclass

from upheld.desk.consents import Matter, is_child, matters_of, web_channel
from upheld.desk.scanning import let_in
from upheld.keeper.living import Shown as Text
from upheld.store.views import Seen
from upheld.web.answer import Answer, Moved, Refused, Shown
from upheld.web.asked import Asked
from upheld.web.people import about_title, may_see

EVIDENCE = "consent-evidence"
"""The kind of paper that shows a consent."""


@dataclass(frozen=True, slots=True)
class Way:
    """A channel on which consent can be recorded here: its name, and how people agree on it."""

    name: str
    by: tuple[str, ...]


def ask(asked: Asked) -> Answer:
    """Choose the channel, then read the questions of this person out."""
    return _page(asked, may_see(asked), "", 200)


def take(asked: Asked) -> Answer:
    """Record what was said: each matter by itself, each with its evidence; also what was taken back."""
    seen = may_see(asked)
    ways = _ways(asked)
    channel = asked.choice("channel", ways)
    matters = {one.about: one for one in _matters(asked, seen)}
    said = [matters[about] for about in asked.form.get("agree", ()) if about in matters and matters[about].waits]
    back = [about for about in asked.form.get("withdraw", ()) if asked.keeper.consents(seen.subject_id).get(about)]
    if not (said or back):
        return _page(asked, seen, "nothing-said", 400)
    if any(asked.field(f"shown {one.about}") != one.digest for one in said):
        return _page(asked, seen, "text-changed", 409)
    evidence = _evidence(asked)
    if evidence is None:
        return _page(asked, seen, "evidence-missing", 400)
    by = "representative" if is_child(asked.keeper, seen) else "subject"
    for one in said:
        text = Text(one.text, one.locale)
        _kept(
            asked, seen, asked.keeper.consent(seen.subject_id, one.about, channel=channel, shown=text, by=by), evidence
        )
    for about in back:
        done = asked.keeper.withdraw(seen.subject_id, about, channel=channel, by=by, confirmed=True)
        _kept(asked, seen, done, evidence)
    return Moved(asked.url("person", subject=seen.subject_id))


def _kept(asked: Asked, seen: Seen, outcome: object, evidence: bytes) -> None:
    granted, made = getattr(outcome, "granted", False), getattr(outcome, "made", None)
    if not granted:
        raise Refused(403, "consent-refused")
    asked.keeper.file_paper(asked.policy, EVIDENCE, evidence, owner=seen.subject_id, about=made)


def _evidence(asked: Asked) -> bytes | None:
    """A file (the signed form, the letter, the message), else where the recording lies."""
    files = [one for one in asked.uploads.get("evidence", ()) if one]
    if files:
        let_in(files[0], asked.settings.scan)
        return files[0]
    return asked.field("reference").encode() or None


def _matters(asked: Asked, seen: Seen) -> tuple[Matter, ...]:
    kind = seen.state.kind
    return matters_of(asked.keeper, asked.policy, asked.document, asked.plan, asked.locale, kind=kind, seen=seen)


def _ways(asked: Asked) -> dict[str, Way]:
    """The channels on which the policy takes consent, but for the one that the consent page is."""
    plan, document = asked.plan, asked.document
    here = web_channel(plan, document)
    names = [name for name in (plan.consent_channels or plan.channels) if name != here]
    rows = document.policy.consent
    return {
        name: Way(document.name("channels", name, asked.locale), tuple(str(way) for way in rows[name].by))
        if name in rows
        else Way(document.name("channels", name, asked.locale), ())
        for name in names
    }


def _page(asked: Asked, seen: Seen, problem: str, status: int) -> Shown:
    ways = _ways(asked)
    wanted = asked.field("channel") or asked.query.get("channel", "")
    channel = wanted if wanted in ways else next(iter(ways), "")
    matters = [one for one in _matters(asked, seen) if one.waits]
    given = [about for about, state in sorted(asked.keeper.consents(seen.subject_id).items()) if state == "given"]
    return Shown(
        "heard",
        {
            "subject": seen.subject_id,
            "ways": {name: way.name for name, way in ways.items()},
            "channel": channel,
            "how": ways[channel].by if channel else (),
            "needed": [one for one in matters if one.required],
            "free": [one for one in matters if not one.required],
            "agreed": [(about, about_title(asked, about)) for about in given],
            "title_of": lambda about: about_title(asked, about),
            "child": is_child(asked.keeper, seen),
            "scanned": asked.settings.scan is not None,
            "problem": problem,
        },
        status,
    )
