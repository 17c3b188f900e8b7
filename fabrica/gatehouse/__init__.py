"""The release gate: a policy, tests with error bounds, and one decision: PASS, FAIL or INCONCLUSIVE."""
