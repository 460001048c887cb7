"""Whom a version that takes effect wakes: the sweep of its first night and the figure told before look at the same."""

from __future__ import annotations

from upheld.dates import Instant, Period, last_day_ended, local_date
from upheld.engine.plan import Plan
from upheld.engine.versions import touched
from upheld.keeper.door import Door


class Waking(Door):
    """Finding those whom a new version can touch."""

    def _woken(self, old: Plan, new: Plan, at: Instant) -> set[tuple[int, str]]:
        """Whom a version that takes effect may touch: by days that have gone by, by what they hold or was given away.

        Costs what falls due where a period was changed, a pass over the values where something was dropped, and
        everybody only where the ends of engagements, the meaning of facts or destruction itself were changed.
        """
        change = touched(old, new)
        with self.places.active.reading() as connection:
            if change.everybody:
                return set(connection.execute(_EVERYBODY, (new.policy,)))
            found: set[tuple[int, str]] = set()
            for fact, calendar, period in change.ends:
                bare = calendar is None and period == Period()
                last = local_date(at, new.zone).toordinal() if bare else last_day_ended(at, calendar, period, new.zone)
                found.update(connection.execute(_ANCHORED, (new.policy, fact, 0, last)))
            for item in sorted(change.items):
                found.update(connection.execute(_HOLDING, (item, new.policy)))
            for recipient in sorted(change.recipients):
                found.update(connection.execute(_GIVEN_TO, (recipient, new.policy)))
        return found


_EVERYBODY = "SELECT bucket, subject_id FROM subject WHERE policy = ?"
_HOLDING = (
    "SELECT DISTINCT v.bucket, v.subject_id FROM value v JOIN subject s ON s.bucket = v.bucket "
    "AND s.subject_id = v.subject_id WHERE v.item = ? AND v.state IN ('held', 'separated') AND s.policy = ?"
)
_GIVEN_TO = (
    "SELECT DISTINCT d.bucket, d.subject_id FROM disclosure d JOIN subject s ON s.bucket = d.bucket "
    "AND s.subject_id = d.subject_id WHERE d.recipient = ? AND s.policy = ?"
)
_ANCHORED = "SELECT bucket, subject_id FROM anchor WHERE policy = ? AND fact = ? AND day > ? AND day <= ?"
