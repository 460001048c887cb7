"""Made-up people live for years under a policy, before it is published or to see what it does."""

from upheld.simulate.course import Course, Progress, simulate, start_of_clock
from upheld.simulate.summary import Summary

__all__ = ["Course", "Progress", "Summary", "simulate", "start_of_clock"]
