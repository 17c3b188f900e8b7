"""What all tests share: one thread a process for native libraries, and property tests without a clock."""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # tests run side by side: each keeps to its own core

from hypothesis import HealthCheck, settings  # noqa: E402

HOUSE = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("house", derandomize=True, max_examples=50, **HOUSE)  # the same examples on every run
settings.register_profile("search", max_examples=200, **HOUSE)  # for `make test-all`: others each time
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))
