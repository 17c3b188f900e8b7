"""What every metric promises: findings that can be stored, alike for the same seed, about columns of the table."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fabrica.checks.promise import keep
from fabrica.contract import Evidence, Metric
from fabrica.errors import NotComputable
from fabrica.report import Finding
from fabrica.run import Run

__all__ = ["check_metric"]


def check_metric(metric: Metric, evidence: Evidence) -> Sequence[Finding]:
    """The promises of a metric on this evidence; gives the findings. ``NotComputable`` is an honest answer: none."""
    rows = {name: values.copy() for name, values in evidence.synthetic.values.items()}
    try:
        found = metric.judge(evidence, Run(1))
        again = metric.judge(evidence, Run(1))
    except NotComputable as reason:
        keep(str(reason), "a number that cannot be computed says why")
        return ()
    keep(len(found) > 0, "a metric finds something, or says why it cannot")
    keep(all(isinstance(f, Finding) for f in found), "a metric gives findings")
    plain = [f.to_json() for f in found]
    keep(json.loads(json.dumps(plain, allow_nan=False)) == json.loads(json.dumps([f.to_json() for f in again])),
         "the same seed finds the same, and it can be written as JSON")
    keep(all(f.metric for f in found), "a finding carries a name")
    keep(all(f.against in metric.numbers.get(f.metric, ()) for f in found if not f.place),
         "numbers of the whole table are announced, and against what they are measured")
    known = {c.name for c in evidence.table.columns} | set(evidence.real.values)
    keep(all(place in known for f in found for place in f.place), "findings are about columns of the table")
    keep(all(f.low is None or f.high is None or f.low <= f.high for f in found), "an interval has its ends in order")
    keep(all(f.against in ("train", "holdout", "none") for f in found), "a finding says what it was measured against")
    keep(all((rows[n] == v).all() or (rows[n] != rows[n]).any() for n, v in evidence.synthetic.values.items()),
         "the evidence is left as it was")
    return found
