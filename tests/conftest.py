"""What all tests share: one Hypothesis profile that gives the same examples on every machine."""

import os

from hypothesis import HealthCheck, settings

# Derandomised, so a red run here is a red run elsewhere; `make deep` looks further and longer.
settings.register_profile("house", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("UPHELD_EXAMPLES", "house"))
