"""How likely a row is, by the SDK: strangers are less likely than those like whom many were learned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import fabrica
from fabrica.errors import SettingError


def test_a_table_that_lacks_a_column_is_refused():
    model = fabrica.fit({"a": list(range(50)) * 4, "b": list("xy") * 100}, engine="bayesnet")
    with pytest.raises(fabrica.FabricaError, match="lacks 'b'"):
        model.log_prob({"a": [1, 2]})


def people(rows: int, key: int) -> pd.DataFrame:
    random = np.random.Generator(np.random.Philox(key))
    age = random.integers(18, 80, rows)
    return pd.DataFrame({"age": age, "group": np.where(age > 50, "old", "young"),
                         "pay": np.round(age * 30 + random.normal(0, 50, rows), 1)})


@pytest.mark.parametrize("engine", ["bayesnet", "boosted"])
def test_strangers_are_unlikely(engine, tmp_path):
    model = fabrica.fit(people(3_000, 1), engine=engine)
    fresh, strange = people(200, 2), people(200, 3)
    strange["group"] = np.where(strange["group"] == "old", "young", "old")
    assert model.log_prob(fresh).mean() > model.log_prob(strange).mean() + 1
    file = tmp_path / "fresh.csv"
    fresh.to_csv(file, index=False)
    assert model.log_prob(fresh).shape == (200,)


def test_a_file_is_asked_about_as_it_was_learned(tmp_path):
    file = tmp_path / "people.csv"
    people(1_000, 4).to_csv(file, index=False)
    model = fabrica.fit(file, engine="bayesnet")
    assert np.isfinite(model.log_prob(file)).all() and len(model.log_prob(file)) == 1_000


def test_an_engine_without_likelihoods_says_so():
    with pytest.raises(SettingError, match="no likelihoods"):
        fabrica.fit(people(200, 5), engine="independent").log_prob(people(5, 6))
