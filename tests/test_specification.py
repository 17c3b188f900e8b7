"""A specification gives what it declares: exact laws, the correlations that were asked for, and help where it errs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner
from scipy import stats

import fabrica
from fabrica.cli import commands
from fabrica.contract import Conditional
from fabrica.declared import DeclaredCoder
from fabrica.errors import SchemaError
from fabrica.laws import LAWS, law
from fabrica.run import Run
from fabrica.specification.completed import completed
from fabrica.specification.correlations import latent

N = 20_000
NORMAL = {"distribution": "normal", "mean": 0, "std": 1}

#: each form of each distribution, and the same as SciPy says it, by hand
TRUTHS = {
    "normal": [({"mean": 44, "std": 15}, stats.norm(44, 15))],
    "lognormal": [({"mu": 1, "sigma": 0.5}, stats.lognorm(0.5, scale=np.e)),
                  ({"median": 3, "sigma": 0.5}, stats.lognorm(0.5, scale=3)),
                  ({"mean": np.exp(1.125), "std": np.exp(1.125) * np.sqrt(np.expm1(0.25))},
                   stats.lognorm(0.5, scale=np.e))],
    "uniform": [({"low": -2, "high": 5}, stats.uniform(-2, 7))],
    "exponential": [({"mean": 4}, stats.expon(scale=4)), ({"scale": 4}, stats.expon(scale=4)),
                    ({"rate": 0.25}, stats.expon(scale=4))],
    "gamma": [({"shape": 2, "scale": 3}, stats.gamma(2, scale=3)), ({"shape": 2, "rate": 0.5}, stats.gamma(2, scale=2)),
              ({"mean": 6, "std": np.sqrt(18)}, stats.gamma(2, scale=3))],
    "beta": [({"a": 2, "b": 5}, stats.beta(2, 5)), ({"alpha": 2, "beta": 5}, stats.beta(2, 5)),
             ({"mean": 2 / 7, "std": stats.beta(2, 5).std()}, stats.beta(2, 5))],
    "weibull": [({"shape": 1.5, "scale": 2}, stats.weibull_min(1.5, scale=2))],
    "pareto": [({"shape": 2.5, "low": 3}, stats.pareto(2.5, scale=3)),
               ({"shape": 2.5, "scale": 3}, stats.pareto(2.5, scale=3))],
    "triangular": [({"low": 1, "mode": 2, "high": 8}, stats.triang(1 / 7, 1, 7))],
    "pert": [({"low": 1, "mode": 2, "high": 8}, stats.beta(1 + 4 / 7, 1 + 24 / 7, 1, 7))],
    "student": [({"df": 4, "mean": 1, "scale": 2}, stats.t(4, 1, 2))],
    "logistic": [({"mean": 1, "scale": 2}, stats.logistic(1, 2))],
    "integers": [({"low": 1, "high": 6}, stats.randint(1, 7))],
    "poisson": [({"mean": 3}, stats.poisson(3)), ({"rate": 3}, stats.poisson(3)), ({"mean": 2e4}, stats.poisson(2e4))],
    "binomial": [({"n": 10, "p": 0.3}, stats.binom(10, 0.3))],
    "negative_binomial": [({"n": 3, "p": 0.4}, stats.nbinom(3, 0.4)),
                          ({"mean": 4.5, "std": np.sqrt(4.5 / 0.4)}, stats.nbinom(3, 0.4))],
    "geometric": [({"p": 0.3}, stats.geom(0.3))],
}
FORMS = [(name, said, truth) for name, forms in TRUTHS.items() for said, truth in forms]


def frame(columns, correlations=None, rows=N, seed=1) -> pd.DataFrame:
    return fabrica.specify({"columns": columns, "correlations": correlations}).sample(rows, seed=seed).to_pandas()


def surprise(values: np.ndarray, truth, whole: bool) -> float:
    """The p-value of a KS test, or of a chi-square test over cells of enough expected values."""
    if not whole or truth.std() > 50:
        return stats.kstest(values, truth.cdf).pvalue
    edges = np.unique(truth.ppf(np.linspace(0.005, 0.995, 60)))
    seen = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    wanted = np.diff(np.concatenate([[0], truth.cdf(edges), [1]])) * len(values)
    kept = wanted > 1
    return stats.chisquare(seen[kept], wanted[kept] * seen[kept].sum() / wanted[kept].sum()).pvalue


# ---------------------------------------------------------------- laws


@pytest.mark.parametrize(("name", "said", "truth"), FORMS, ids=[f"{n}-{'-'.join(s)}" for n, s, _ in FORMS])
def test_every_distribution_is_exact(name, said, truth):
    values = frame({"x": {"distribution": name, **said}})["x"].to_numpy(float)
    assert surprise(values, truth, LAWS[name].whole) > 1e-3


def test_every_form_of_every_distribution_is_tried():
    tried = {name: {frozenset(said) for said, _ in forms} for name, forms in TRUTHS.items()}
    assert tried == {name: {frozenset(p.split()[0] for p in names) for names, _ in known.forms}
                     for name, known in LAWS.items()}


def test_another_parameter_would_be_noticed():
    values = frame({"x": {"distribution": "gamma", "shape": 2, "scale": 3}})["x"].to_numpy()
    assert surprise(values, stats.gamma(2.1, scale=3), False) < 1e-3
    counts = frame({"x": {"distribution": "poisson", "mean": 3}})["x"].to_numpy()
    assert surprise(counts, stats.poisson(3.1), True) < 1e-3


def test_rows_scatter_as_independent_draws_do():
    """Means of samples scatter by std / sqrt(n): neither less (evened out) nor more."""
    model = fabrica.specify({"columns": {"x": NORMAL}})
    means = [np.mean(model.sample(100, seed=seed)["x"].to_numpy()) for seed in range(200)]
    assert 0.08 < np.std(means) < 0.12


@pytest.mark.parametrize("bounds", [(8, 9), (-9, -8), (-0.5, 0.25)])
def test_bounds_truncate_even_far_out(bounds):
    values = frame({"x": {**NORMAL, "bounds": list(bounds)}})["x"].to_numpy()
    assert values.min() >= bounds[0] and values.max() <= bounds[1] and len(np.unique(values)) > 0.999 * N
    assert surprise(values, stats.truncnorm(*bounds), False) > 1e-3


def test_bounds_of_counts():
    values = frame({"x": {"distribution": "poisson", "mean": 5, "bounds": [2.5, 8]}})["x"].to_numpy()
    wanted = stats.poisson(5).pmf(np.arange(3, 9))
    assert stats.chisquare(np.bincount(values)[3:], N * wanted / wanted.sum()).pvalue > 1e-3
    assert set(values) == set(range(3, 9))


def test_decimals_round_inside_the_bounds():
    table = frame({"x": {**NORMAL, "decimals": 1, "bounds": [-0.27, 0.27]}, "n": {**NORMAL, "std": 9, "decimals": 0},
                   "m": {"distribution": "lognormal", "mean": 100, "std": 50, "decimals": 2}})
    assert set(table["x"]) == {-0.2, -0.1, 0.0, 0.1, 0.2}
    assert table["n"].dtype == np.int64 and abs(table["n"].std() - 9) < 0.2
    assert (table["m"] == table["m"].round(2)).all()


def test_missing_cells_are_tied_to_nothing():
    table = frame({"x": {**NORMAL, "missing": 0.2}, "y": NORMAL}, [["x", "y", 0.9]])
    gone = table["x"].isna()
    assert stats.binomtest(int(gone.sum()), N, 0.2).pvalue > 1e-3
    assert stats.ks_2samp(table["y"][gone], table["y"][~gone]).pvalue > 1e-3
    assert abs(table["x"].corr(table["y"], "spearman") - 0.9) < 0.01


def test_what_is_not_a_number():
    table = fabrica.sample({"columns": {
        "id": {"distribution": "sequence", "start": 10, "step": 5},
        "code": {"distribution": "sequence", "prefix": "C-", "width": 4},
        "ok": {"distribution": "bernoulli", "p": 0.3},
        "where": {"distribution": "categorical", "levels": {"north": 0.7, "south": 0.3, "sea": 0}},
        "alike": {"distribution": "categorical", "levels": ["a", "b"]},
        "day": {"distribution": "date", "low": "2024-02-28", "high": "2024-03-01"},
        "when": {"distribution": "datetime", "low": "2024-01-01 10:00:00", "high": "2024-01-01 10:00:09"},
        "one": {"distribution": "constant", "value": 2.5}}}, N, seed=3)
    assert table.schema.types == [pa.int64(), pa.string(), pa.bool_(), pa.string(), pa.string(), pa.date32(),
                                  pa.timestamp("s"), pa.float64()]
    rows = table.to_pandas()
    assert rows["id"].tolist() == list(range(10, 10 + 5 * N, 5)) and rows["code"].iloc[-1] == f"C-{N}"
    assert rows["code"].iloc[0] == "C-0001" and (rows["one"] == 2.5).all()
    assert stats.binomtest(int(rows["ok"].sum()), N, 0.3).pvalue > 1e-3
    assert set(rows["where"]) == {"north", "south"}
    assert stats.binomtest(int((rows["where"] == "north").sum()), N, 0.7).pvalue > 1e-3
    assert stats.chisquare(rows["day"].value_counts()).pvalue > 1e-3 and rows["day"].nunique() == 3
    assert stats.chisquare(rows["when"].value_counts()).pvalue > 1e-3 and rows["when"].nunique() == 10


# ---------------------------------------------------------------- correlations

MIXED = {"age": {"distribution": "normal", "mean": 44, "std": 15, "bounds": [18, 95], "decimals": 0},
         "income": {"distribution": "lognormal", "mean": 40_000, "std": 30_000, "decimals": 2},
         "visits": {"distribution": "poisson", "mean": 1.5},
         "ill": {"distribution": "bernoulli", "p": 0.2},
         "stage": {"distribution": "categorical", "levels": {"I": 0.5, "II": 0.3, "III": 0.2}},
         "coarse": {**NORMAL, "decimals": 0},
         "since": {"distribution": "date", "low": "2015-01-01", "high": "2024-12-31"}}
WISHED = [["age", "income", 0.5], ["age", "visits", 0.6], ["visits", "ill", 0.4], ["ill", "stage", 0.45],
          ["income", "coarse", -0.5], ["age", "since", -0.3], ["stage", "visits", 0.3]]


def numbers(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: pd.to_datetime(c).astype("int64") if name == "since" else c.astype("category").cat.codes
                         if name == "stage" else c.astype(float) for name, c in table.items()})


@pytest.mark.parametrize("measure", ["spearman", "pearson"])
def test_declared_correlations_are_seen_in_the_finished_cells(measure):
    table = numbers(frame(MIXED, {"measure": measure, "pairs": WISHED}, rows=100_000))
    for a, b, value in WISHED:
        assert abs(table[a].corr(table[b], measure) - value) < 0.015, (a, b)


def test_what_is_not_named_follows_from_what_is():
    """A chain of three: the ends are independent given the middle. Who is in no pair hangs together with nothing."""
    said = {"measure": "normal", "pairs": [["a", "b", 0.8], ["b", "c", 0.7]]}
    seen = frame(dict.fromkeys("abcd", NORMAL), said).corr()
    assert abs(seen.loc["a", "c"] - 0.56) < 0.015 and abs(seen.loc["a", "d"]) < 0.02
    apart = frame(dict.fromkeys("abc", NORMAL), {"measure": "normal", "pairs": [
        ["a", "b", 0.6], ["b", "c", 0.6], ["a", "c", 0]]}).corr()
    assert abs(apart.loc["a", "c"]) < 0.02 and abs(apart.loc["a", "b"] - 0.6) < 0.015


@pytest.mark.parametrize("leaves", [3, 8])
def test_completion_has_what_was_named_and_its_inverse_is_empty_elsewhere(leaves):
    """Dempster's theorem, on a star and on a ring."""
    size = leaves + 1
    for edges in ([(0, i) for i in range(1, size)], [(i, (i + 1) % size) for i in range(size)]):
        wanted, named = np.eye(size), np.eye(size, dtype=bool)
        for a, b in edges:
            wanted[a, b] = wanted[b, a] = 0.7
            named[a, b] = named[b, a] = True
        found = completed(wanted, named)
        assert np.allclose(found[named], wanted[named]) and np.linalg.eigvalsh(found)[0] > 0
        assert np.abs(np.linalg.inv(found)[~named]).max() < 1e-6


def test_normal_correlations_are_those_of_the_normals_behind():
    columns = {"x": {"distribution": "exponential", "mean": 2}, "y": {"distribution": "gamma", "mean": 3, "std": 1}}
    table = frame(columns, {"measure": "normal", "columns": ["x", "y"], "matrix": [[1, 0.8], [0.8, 1]]})
    x = stats.norm.ppf(stats.expon(scale=2).cdf(table["x"]))
    y = stats.norm.ppf(stats.gamma(9, scale=1 / 3).cdf(table["y"]))
    assert abs(np.corrcoef(x, y)[0, 1] - 0.8) < 0.01


def test_careless_twins_are_caught():
    """Who ignores correlations, or takes the wish for the correlation of the normals, is seen."""
    pair = {name: MIXED[name] for name in ("visits", "ill")}
    ignored = numbers(frame(pair))
    blunt = numbers(frame(pair, {"measure": "normal", "pairs": [["visits", "ill", 0.4]]}))
    for twin in (ignored, blunt):
        assert abs(twin["visits"].corr(twin["ill"], "spearman") - 0.4) > 0.05


def test_columns_hang_together_out_to_the_tails():
    """Rows beyond 1 in 1,000 of x are beyond it in y as often as two normals with r = .9 say: far within one code."""
    table = frame({"x": NORMAL, "y": NORMAL}, {"measure": "normal", "pairs": [["x", "y", 0.9]]}, rows=400_000)
    far = stats.norm.ppf(0.999)
    both = int(((table["x"] > far) & (table["y"] > far)).sum())
    wanted = stats.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]]).cdf([-far, -far])
    assert stats.binomtest(both, 400_000, wanted).pvalue > 1e-3


def test_two_columns_may_be_one():
    table = frame({"x": NORMAL, "y": {"distribution": "uniform", "low": 0, "high": 1}}, [["x", "y", 1]])
    assert table["x"].corr(table["y"], "spearman") > 0.998


# ---------------------------------------------------------------- a model like all others


def test_round_trip_through_a_file(tmp_path):
    model = fabrica.specify({"table": "people", "columns": MIXED | {
        "id": {"distribution": "sequence"}, "v": {"distribution": "constant", "value": "x"},
        "gap": {**NORMAL, "missing": 0.5, "bounds": [-1, 1]}}, "correlations": WISHED})
    model.save(tmp_path / "m.fab")
    again = fabrica.load(tmp_path / "m.fab")
    assert again.sample(5_000, seed=2).equals(model.sample(5_000, seed=2))
    assert again.words() == model.words() and again.table == model.table and again.table.primary_key == ("id",)
    assert "declared" in model.words()[0] and any("lognormal" in line for line in model.words())


@pytest.mark.parametrize("plain", [{"law": "normal", "parameters": {"mean": 0, "std": -1}, "bounds": None},
                                   {"law": "os.system", "parameters": {}, "bounds": None}, {"levels": [], "shares": []},
                                   {"law": "normal", "parameters": {"mean": 0, "std": 1}, "bounds": 3}, {}])
def test_a_damaged_coder_is_refused(plain):
    from fabrica.state import State

    good = fabrica.specify({"columns": {"x": NORMAL}}).encoder.coders[0].state()
    with pytest.raises(fabrica.FabricaError, match="makes no sense"):
        DeclaredCoder.from_state(State({**good.plain, "source": plain}))


def test_the_same_rows_on_any_number_of_workers():
    model = fabrica.specify({"columns": MIXED, "correlations": WISHED})
    assert model.sample(150_000, workers=1).equals(model.sample(150_000, workers=3))
    assert not model.sample(100, seed=1).equals(model.sample(100, seed=2))


def test_rows_come_in_chunks():
    model = fabrica.specify({"columns": {"id": {"distribution": "sequence"}, "x": NORMAL}})
    sizes, last = [], 0
    for batch in model.sample_batches(1_000_000, Run(0, workers=1)):
        sizes.append(batch.num_rows)
        assert batch["id"][0].as_py() == last + 1
        last = batch["id"][-1].as_py()
    assert last == 1_000_000 and max(sizes) <= 65_536


def test_cells_are_encoded_and_completed():
    """Codes and back keep each value; cells that are known tie the others, as in every model that can."""
    model = fabrica.specify({"columns": MIXED, "correlations": WISHED})
    rows = model.sample(2_000, seed=4)
    block = model.encoder.encode(rows.to_batches()[0], Run(0))
    back = model.encoder.decode(block, range(2_000), Run(1))
    pd.testing.assert_frame_equal(back.to_pandas(), rows.to_pandas(), check_dtype=False, check_categorical=False)
    assert isinstance(model.model, Conditional)
    known = np.zeros((2_000, len(block.columns)), bool)
    known[:, 1] = True  # the incomes
    whole = model.model.complete(block, known, Run(5))
    drawn = numbers(model.encoder.decode(whole, range(2_000), Run(6)).to_pandas())
    assert np.allclose(drawn["income"], rows["income"].to_numpy())
    assert abs(drawn["income"].corr(drawn["age"], "spearman") - 0.5) < 0.06


def test_from_the_command_line(tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text("columns:\n  x: {distribution: normal, mean: 5, std: 2, bounds: [0, 10], decimals: 1}\n"
                    "  day: {distribution: date, low: 2024-01-01, high: 2024-12-31}\ncorrelations: [[x, day, 0.5]]\n")
    out = tmp_path / "out.csv"
    assert commands._outcome(["sample", str(spec), "-n", "1000", "-o", str(out)]) == 0
    table = pd.read_csv(out)
    assert len(table) == 1000 and table["x"].between(0, 10).all() and table["day"].str.match("2024-..-..$").all()
    assert fabrica.sample(spec, 1000).to_pandas()["x"].tolist() == table["x"].tolist()
    told = CliRunner().invoke(commands.fabrica_group, ["inspect", str(spec), "--json"])
    assert "normal with mean 5" in json.dumps(json.loads(told.output)["words"])


# ---------------------------------------------------------------- errors

WRONG = {
    "no distribution named 'nromal'; there are: .*normal": {"x": {"distribution": "nromal"}},
    r"normal has other parameters than these: mean, sdt; it takes {mean, std > 0}": {
        "x": {"distribution": "normal", "mean": 1, "sdt": 3}},
    r"it takes {mean > 0, std > 0}, or {mu, sigma > 0}": {"x": {"distribution": "lognormal", "mean": 3}},
    "`std` must be > 0, not -3": {"x": {"distribution": "normal", "mean": 1, "std": -3}},
    "`n` must be a whole number > 0": {"x": {"distribution": "binomial", "n": 2.5, "p": 0.5}},
    "write mean: 1e6 as a number, such as": {"x": {"distribution": "exponential", "mean": "1e6"}},
    "`mean` must be a number": {"x": {"distribution": "exponential", "mean": "__import__('os')"}},
    "`mode` must be between": {"x": {"distribution": "triangular", "low": 0, "mode": 3, "high": 2.9}},
    "`std` must be below the square root": {"x": {"distribution": "beta", "mean": 0.5, "std": 0.6}},
    "no column can hold": {"x": {"distribution": "lognormal", "mu": 1000, "sigma": 2}},
    "no column of the kind integer can hold": {"x": {"distribution": "lognormal", "mu": 60, "sigma": 2, "decimals": 0}},
    "`step` must be a whole number of at most": {"x": {"distribution": "sequence", "step": 1 << 40}},
    "bounds hold nothing of this normal": {"x": {**NORMAL, "bounds": [50, 60]}},
    "`bounds` must be": {"x": {**NORMAL, "bounds": [3, 2]}},
    "no number of 1 decimals inside": {"x": {**NORMAL, "bounds": [0.21, 0.24], "decimals": 1}},
    "`decimals` must be": {"x": {**NORMAL, "decimals": -1}},
    "`missing` must be a share": {"x": {**NORMAL, "missing": 5}},
    "must sum to 1, not 0.9": {"x": {"distribution": "categorical", "levels": {"a": 0.5, "b": 0.4}}},
    "put them in quotes": {"x": {"distribution": "categorical", "levels": {True: 0.5, "b": 0.5}}},
    "must be written as 2024-01-31": {"x": {"distribution": "date", "low": "soon", "high": "later"}},
    "no field named 'values'": {"x": {"distribution": "constant", "values": 3}},
    "must be a mapping with a `distribution`": {"x": "normal"},
}


@pytest.mark.parametrize("what", WRONG)
def test_an_error_names_the_column_and_helps(what):
    with pytest.raises(fabrica.FabricaError, match=f"column 'x': .*{what}"):
        fabrica.specify({"columns": WRONG[what]})


FLAG = {"distribution": "bernoulli", "p": 0.1}
CONTRARY = {
    "no column with a distribution named 'z'": [["a", "z", 0.5]],
    "cannot have the spearman correlation 0.9: .* between -0.52 and 0.52": [["a", "flag", 0.9]],
    "must be between -1 and 1": [["a", "b", 1.5]],
    "stands twice": [["a", "b", 0.5], ["b", "a", 0.5]],
    "list of": "a~b",
    "no measure of correlation named 'kendall'": {"measure": "kendall", "pairs": []},
    "`matrix` must be symmetric": {"columns": ["a", "b"], "matrix": [[1, 0.5], [0.4, 1]]},
    "a row and a column": {"columns": ["a", "b"], "matrix": [[1, 0.5]]},
    "has one value only": [["a", "one", 0.5]],
}


@pytest.mark.parametrize("what", CONTRARY)
def test_correlations_that_cannot_be(what):
    columns = {"a": NORMAL, "b": NORMAL, "flag": FLAG, "one": {"distribution": "constant", "value": 1}}
    with pytest.raises(fabrica.FabricaError, match=f"correlations: .*{what}"):
        fabrica.specify({"columns": columns, "correlations": CONTRARY[what]})


def test_contradicting_correlations_are_answered_with_the_nearest():
    columns = dict.fromkeys("abc", NORMAL)
    with pytest.raises(fabrica.FabricaError, match="not positive definite") as caught:
        fabrica.specify({"columns": columns, "correlations": [["a", "b", 0.9], ["b", "c", 0.9], ["a", "c", 0]]})
    offered = caught.value.hint.split("together: ")[1]
    pairs = [[a, b, float(r)] for a, b, r in (p.split(", ") for p in offered.strip("[]").split("], ["))]
    assert len(pairs) == 3
    table = frame(columns, pairs)  # what is offered is accepted
    assert all(abs(table[a].corr(table[b], "spearman") - r) < 0.025 for a, b, r in pairs)


def test_correlations_that_were_rounded_are_moved_a_little():
    coders = {n: DeclaredCoder(n, "decimal", law("normal", {"mean": 0, "std": 1})) for n in "abc"}
    rounded = [["a", "b", 0.71], ["b", "c", 0.71], ["a", "c", 0.0]]  # of 1/sqrt(2), whose matrix is singular
    found, notes = latent({"measure": "normal", "pairs": rounded}, coders)
    assert np.linalg.eigvalsh(found)[0] > 0 and abs(found[0, 1] - 0.71) < 0.006 and "moved" in notes[0]


@pytest.mark.parametrize(("text", "what"), [
    ("columns: [", "spec.yaml, line 1: is neither YAML nor JSON"),
    ("columns:\n  x: !!python/object/apply:os.getcwd []", "line 2: is neither"),
    ("", "needs `columns`"), ("- 1", "needs"),
    ("columns: {x: {distribution: constant, value: 1}}\nrows: 5", "no field of a specification named 'rows'"),
    ("columns: {x: {distribution: date, low: 2024-02-31, high: 2024-03-01}}", "neither YAML"),
    ("columns: {x: {distribution: nromal}}", "spec.yaml, column 'x': no distribution")])
def test_a_bad_file_is_one_clear_error(tmp_path, text, what):
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(fabrica.FabricaError, match=what):
        fabrica.sample(tmp_path / "spec.yaml", 5)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(fabrica.FabricaError, match="cannot be read"):
        fabrica.load(tmp_path / "nowhere.yaml")


# ---------------------------------------------------------------- ends and edges


@pytest.mark.parametrize("mean", [7e10, 1e11])
def test_a_law_that_scipy_cannot_turn_round_is_refused(mean: float) -> None:
    with pytest.raises(SchemaError, match="no column can hold"):
        fabrica.specify({"columns": {"x": {"distribution": "poisson", "mean": mean}}})


def test_a_sure_success_comes_at_the_first_trial() -> None:
    twin = fabrica.sample({"columns": {"x": {"distribution": "geometric", "p": 1.0}}}, 50)
    assert set(twin["x"].to_pylist()) == {1}


@pytest.mark.parametrize("law", [
    {"distribution": "negative_binomial", "mean": 100, "std": 300},
    {"distribution": "beta", "alpha": 0.05, "beta": 1.0, "decimals": 3},
])
@pytest.mark.parametrize("wanted", [0.5, -0.3])
def test_ranks_hang_together_as_declared_where_a_point_mass_meets_a_long_tail(law: dict, wanted: float) -> None:
    said = {"columns": {"x": law, "y": {"distribution": "normal", "mean": 0, "std": 1}},
            "correlations": [["x", "y", wanted]]}
    x, y = (np.array(c) for c in fabrica.sample(said, 60_000, seed=3).to_pydict().values())
    assert stats.spearmanr(x, y).statistic == pytest.approx(wanted, abs=0.02)


def test_values_without_a_variance_have_no_correlation() -> None:
    said = {"columns": {"x": {"distribution": "pareto", "shape": 1.5, "low": 1},
                        "y": {"distribution": "normal", "mean": 0, "std": 1}},
            "correlations": {"measure": "pearson", "pairs": [["x", "y", 0.5]]}}
    with pytest.raises(SchemaError, match="no variance"):
        fabrica.specify(said)
    said["columns"]["x"]["bounds"] = [1, 50]
    fabrica.specify(said)


def test_a_perfect_correlation_is_moved_with_a_word() -> None:
    said = {"columns": {n: {"distribution": "normal", "mean": 0, "std": 1} for n in "xy"},
            "correlations": [["x", "y", 1.0]]}
    assert any("moved" in note for note in fabrica.specify(said).facts["notes"])


def test_a_rounded_number_that_is_known_is_all_that_rounds_to_it() -> None:
    """y given that x is written as 0 scatters as it does among the rows that say so."""
    law = {"distribution": "normal", "mean": 0, "std": 1}
    model = fabrica.specify({"columns": {"x": {**law, "decimals": 0}, "y": law}, "correlations": [["x", "y", 0.9]]})
    rows = model.sample(40_000, seed=4)
    x, y = (np.array(rows[n]) for n in "xy")
    block = model.encoder.encode(rows.filter(pa.array(x == 0)), Run(1))
    drawn = model.model.complete(block, np.tile([True, False], (len(block), 1)), Run(2))
    found = np.array(model.encoder.decode(drawn, range(len(block)), Run(3)).column("y"))
    assert found.std() == pytest.approx(y[x == 0].std(), rel=0.05)


@pytest.mark.parametrize("text", ["columns: {a: {distribution: normal}, a: {distribution: normal, mean: 5}}",
                                  '{"columns": {"a": {"distribution": "normal"}, "a": {"distribution": "normal"}}}'])
def test_a_name_that_stands_twice_is_refused(text, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(fabrica.FabricaError, match="line 1: 'a' stands twice"):
        fabrica.specify(path)
