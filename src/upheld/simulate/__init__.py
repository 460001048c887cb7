"""Made-up people live for years under a policy, before it is published or to see what it does."""

from upheld.simulate.course import Course, Progress, simulate, start_of_clock
from upheld.simulate.picture import keep_summary, picture
from upheld.simulate.progress import told
from upheld.simulate.summary import Summary

__all__ = ["Course", "Progress", "Summary", "keep_summary", "picture", "simulate", "start_of_clock", "told"]
