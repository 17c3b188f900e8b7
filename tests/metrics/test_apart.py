"""People who were learned from are no controls, and are told wherever they stand in a holdout."""

from __future__ import annotations

import numpy as np
import pytest

from fabrica.contract import Evidence, Sheet
from fabrica.errors import NotComputable
from fabrica.run import Run
from fabrica.schema import Column, Table
from fabrica.world import World
from metrics.attacked import FRESH, REAL, REST, TABLE, common


def test_a_holdout_that_was_learned_from_is_no_control_where_most_rows_are_common():
    schema = Table("t", (Column("town", "category"), Column("age", "decimal"), Column("pay", "decimal")))
    real, twin = common(3_000, 1), common(3_000, 2)
    World.of(Evidence(schema, real, twin, common(1_500, 3)), Run(1, workers=1))
    with pytest.raises(NotComputable, match="are learned from too"):
        World.of(Evidence(schema, real, twin, real.take(np.arange(1_500))), Run(1, workers=1))


@pytest.mark.parametrize("share", [0.05, 0.6])
def test_a_holdout_that_was_learned_from_is_no_control(share):
    rows = np.arange(int(share * REST.rows))
    both = {n: np.concatenate([REAL.values[n][rows], REST.values[n][len(rows):]]) for n in REST.values}
    mixed = Sheet(REST.rows, both, REST.levels)
    with pytest.raises(NotComputable, match="are learned from too"):
        World.of(Evidence(TABLE, REAL, FRESH, mixed), Run(1, workers=1))


def test_rows_that_many_people_have_alike_may_stand_on_both_sides():
    random = np.random.default_rng(3)
    table = Table("people", (Column("sex", "category"),))
    real, rest = (Sheet(n, {"sex": random.integers(0, 2, n).astype(np.int32)}, {"sex": ["f", "m"]}) for n in (900, 400))
    assert World.of(Evidence(table, real, real, rest), Run(1, workers=1)).controls.rows == 200
