"""Alpha-precision, copies, coverage, missingness and validity: definitions as loops, laws, and what cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from fabrica.metrics.fidelity.alpha_precision import ALPHAS, Closeness, Space, nearest
from fabrica.metrics.fidelity.copies import among, row_marks
from fabrica.schema import Column, Table
from fabrica.sheets import IdentSheet

from .worlds import find, judge, people, sheet, shuffled, table, two_sheets

# ---------------------------------------------------------------- alpha-precision and beta-recall


def published(real, twin):
    """The form that the papers report, alpha by alpha."""
    middle, around = real.mean(0), twin.mean(0)
    inner, radius = (np.linalg.norm(t - middle, axis=1) for t in (real, twin))
    gap = np.linalg.norm(real[:, None] - twin[None], axis=2)
    own = np.linalg.norm(real[:, None] - real[None], axis=2) + np.diag([np.inf] * len(real))
    depth = np.linalg.norm(twin[gap.argmin(1)] - around, axis=1)
    curves = [[np.mean(radius <= np.quantile(inner, a) + 1e-9) for a in ALPHAS],
              [np.mean((gap.min(1) <= own.min(1) + 1e-9) & (depth <= np.quantile(depth, a) + 1e-9)) for a in ALPHAS]]
    return [1 - np.abs(ALPHAS - np.array(c)).sum() / ALPHAS.sum() for c in curves]


def test_alpha_precision_equals_the_published_form():
    draw = np.random.default_rng(0)
    real, twin = draw.normal(size=(60, 3)), draw.normal(0.3, 1.2, size=(60, 3))
    got = Closeness.of(real, twin, nearest(real, real, skip=True)[0])
    assert [got.precision(), got.recall()] == pytest.approx(published(real, twin), abs=1e-9)


def test_alpha_precision_laws():
    real, fresh = people(2000, 1), people(2000, 2)
    found = judge("alpha_precision", real, fresh, people(2000, 3))
    for metric in ("alpha_precision", "beta_recall"):
        one = find(found, metric)
        assert one.low <= one.value <= one.high and one.value == pytest.approx(one.floor, abs=0.06)
    moved = {n: v * 0 if n in real.levels else v + 100 for n, v in fresh.values.items()}
    far = type(real)(2000, moved, real.levels)
    bad = judge("alpha_precision", real, far)
    assert find(bad, "alpha_precision").value < 0.7 and find(bad, "beta_recall").value < 0.2
    loose = judge("alpha_precision", real, shuffled(real), people(2000, 3))
    assert find(loose, "beta_recall").value < find(loose, "beta_recall").floor


def test_in_the_fair_space_every_column_weighs_the_same():
    real = people(3000, 1, missing=0)
    for name in real.values:
        alone = IdentSheet(real.rows, {name: real.values[name]}, {n: v for n, v in real.levels.items() if n == name})
        points = Space.of(alone).points(alone)
        apart = ((points[:1500] - points[1500:]) ** 2).sum(1).mean()
        assert apart == pytest.approx(2, rel=0.1)


def test_alpha_precision_needs_rows():
    assert all(f.problem for f in judge("alpha_precision", people(20, 1), people(20, 2)))


# ---------------------------------------------------------------- copies


@given(two_sheets(numeric=1, levels=2))
def test_copies_equal_the_definition(pair):
    real, twin = pair
    rows = [set(map(str, zip(*(t.values[n].tolist() for n in t.values), strict=True))) for t in pair]
    every = list(map(str, zip(*(twin.values[n].tolist() for n in twin.values), strict=True)))
    found = find(judge("copies", real, twin), "copies")
    assert found.value == pytest.approx(sum(r in rows[0] for r in every) / len(every))


def test_the_same_table_is_all_copies():
    real = people(300, 1)
    found = judge("copies", real, real, people(300, 2))
    assert find(found, "copies").value == 1
    assert find(found, "copies").floor < 0.2
    assert find(found, "copies_excess").low > 0.5
    fresh = judge("copies", real, people(300, 3), people(150, 2))
    excess = find(fresh, "copies_excess")
    assert excess.low <= 0 <= excess.high


@given(two_sheets(numeric=1, levels=2), two_sheets(numeric=1, levels=2))
def test_chance_is_the_share_of_fresh_rows_that_equal_a_row(pair, other):
    (real, twin), rest = pair, other[0]
    said, fresh = ([str([t.values[n].tolist()[i] for n in t.values]) for i in range(t.rows)] for t in (real, rest))
    found = find(judge("copies", real, twin, rest), "copies")
    assert found.floor == pytest.approx(sum(r in said for r in fresh) / len(fresh))
    assert found.detail["floor_from"] == "holdout"
    alone = find(judge("copies", real, twin), "copies")
    assert alone.floor == pytest.approx(sum(said.count(r) > 1 for r in said) / len(said))


def common_rows(rows, seed):
    return sheet(x=np.random.default_rng(seed).zipf(1.5, rows) % 2000)


def law_chance_is_not_scaled(floor=lambda real, twin, rest: find(judge("copies", real, twin, rest), "copies").floor):
    """A fresh sample copies as often as chance says, however small the holdout is."""
    real, twin, rest = (common_rows(n, i) for i, n in enumerate((20_000, 20_000, 4_000)))
    assert floor(real, twin, rest) == pytest.approx(find(judge("copies", real, twin), "copies").value, abs=0.01)
    assert floor(real, twin, None) == pytest.approx(find(judge("copies", real, twin), "copies").value, abs=0.01)


def test_chance_is_not_scaled():
    law_chance_is_not_scaled()

    def scaled(real, twin, rest):
        return find(judge("copies", rest, twin), "copies").value * real.rows / rest.rows

    with pytest.raises(AssertionError):
        law_chance_is_not_scaled(scaled)


def test_rows_of_few_kinds_are_no_excess_of_copies():
    """Who is in a small holdout is luck: of fresh rows of few kinds, one in forty has an excess surely above 0."""
    random, above = np.random.default_rng(5), 0
    for _ in range(60):
        real, twin, rest = (sheet(x=random.integers(0, 5, n), y=random.zipf(2, n) % 40) for n in (160, 200, 40))
        above += find(judge("copies", real, twin, rest), "copies_excess").low > 0
    assert above <= 6


def test_copies_without_holdout_say_so():
    assert find(judge("copies", people(40, 1), people(40, 2)), "copies_excess").problem


def test_among_is_the_chance_of_being_drawn():
    draw = np.random.default_rng(0)
    hits = np.mean([draw.permutation(30)[:12].min() < 4 for _ in range(20_000)])
    assert among(np.array([4]), 30, 12)[0] == pytest.approx(hits, abs=0.01)
    assert among(np.array([0, 30]), 30, 12).tolist() == [0, 1]


def law_texts_count_as_written(marks=row_marks):
    """Two texts of one length and as many words are not copies of each other."""
    a, b = ({"note (length)": np.array([3.0]), "note (words)": np.array([1.0])} for _ in range(2))
    one, other = (IdentSheet(1, v, {}, {"note": np.array([i])}) for i, v in enumerate((a, b)))
    assert marks(one) != marks(other)
    assert marks(one) == marks(IdentSheet(1, a, {}, {"note": np.array([0]), "id": np.array([9])})), "keys do not count"


def test_texts_count_as_written():
    law_texts_count_as_written()
    with pytest.raises(AssertionError):
        law_texts_count_as_written(lambda s: row_marks(IdentSheet(s.rows, s.values, s.levels)))


def test_negative_zero_missing_and_tiny_noise_are_the_same_row():
    a, b = sheet(x=[0.0, np.nan, 0.1]), sheet(x=[-0.0, -np.nan, 0.1 + 1e-12])
    assert row_marks(a).tolist() == row_marks(b).tolist()


# ---------------------------------------------------------------- coverage


def test_coverage_of_levels_and_range():
    names = {"k": ["a", "b", "c", "d"]}
    real, twin = sheet(names, k=[0, 1, 2, -1], x=[0, 10, 5, 5]), sheet(names, k=[0, 0, 3, 3], x=[5, 20, 6, 7])
    found = judge("coverage", real, twin)
    assert find(found, "coverage", "k").value == pytest.approx(1 / 3)
    assert find(found, "coverage", "x").value == pytest.approx(0.5)
    assert find(found, "coverage").value == pytest.approx((1 / 3 + 0.5) / 2)
    assert find(found, "coverage", "k").detail["alone"] == 3


def test_rare_levels_are_those_of_five_to_one_percent():
    names = {"k": ["common", "rare", "alone"]}
    real = sheet(names, k=np.r_[np.zeros(1000), np.ones(6), [2, 2]])
    found = judge("coverage", real, sheet(names, k=np.zeros(500)))
    assert find(found, "coverage_rare", "k").value == 0
    assert find(found, "coverage_rare", "k").detail["levels"] == 1
    assert find(judge("coverage", real, real), "coverage_rare", "k").value == 1


def test_what_cannot_be_covered_is_said():
    one = sheet({"k": ["a"]}, x=[1, 1], y=[np.nan, np.nan], k=[-1, -1])
    found = judge("coverage", one, one)
    assert set(find(found, "coverage").detail["left_out"]) == {"x", "y", "k"}
    assert find(found, "coverage").problem and find(found, "coverage_rare").problem


# ---------------------------------------------------------------- missingness


def test_missing_rates_pairs_and_dependence():
    draw = np.random.default_rng(0)
    x = draw.normal(size=2000)
    gone = x > 0.7  # missing not at random
    real = sheet(x=x, y=np.where(gone, np.nan, 1.0), z=np.where(gone, np.nan, 2.0))
    lucky = draw.permutation(gone)
    twin = sheet(x=x, y=np.where(lucky, np.nan, 1.0), z=np.where(draw.permutation(gone), np.nan, 2.0))
    same, other = judge("missingness", real, real), judge("missingness", real, twin)
    for metric in ("missingness", "missingness_pairs", "missingness_values"):
        assert find(same, metric).value == 0
    assert find(other, "missingness").value == pytest.approx(0, abs=1e-9), "rates alone are kept"
    assert find(other, "missingness_pairs").value == pytest.approx(100 * (gone.mean() - gone.mean() ** 2), abs=3)
    assert find(other, "missingness_values", "y", "x").value > 60
    assert find(other, "missingness", "y").detail["real"] == pytest.approx(100 * gone.mean())


def test_nothing_missing_is_no_error_and_says_that_there_was_nothing():
    found = judge("missingness", people(100, 1, missing=0), people(100, 2, missing=0))
    assert find(found, "missingness").value == 0 and find(found, "missingness").detail["columns"] == 0
    assert find(found, "missingness_pairs").problem and find(found, "missingness_values").problem


def test_a_twin_without_missing_cells_is_wrong_by_their_rate():
    real = sheet(x=[1, np.nan, 3, np.nan])
    found = judge("missingness", real, sheet(x=[1, 2, 3, 4]))
    assert find(found, "missingness", "x").value == 50


# ---------------------------------------------------------------- validity


def test_impossible_cells_are_counted_by_reason():
    names = {"k": ["a", "b", "new"]}
    real = sheet(names, k=np.tile([0, 1], 60), n=np.tile([1, 2], 60), p=np.tile([0.1, 0.9], 60))
    twin = sheet(names, k=[0, 2, 1, -1], n=[1, 1.5, 2, 1], p=[0.5, 0.5, 2.0, 0.5])
    schema = Table("t", (Column("k", "category"), Column("n", "integer"), Column("p", "decimal", bounds=(0, 1))))
    found = judge("validity", real, twin, schema=schema)
    assert find(found, "validity").value == 75
    source = {"floor_from": "the original itself"}
    assert find(found, "validity", "k").detail == {"a level never seen": 1, "missing": 1} | source
    assert find(found, "validity", "n").detail == {"a fraction": 1} | source
    assert find(found, "validity", "p").detail == {"out of bounds": 1} | source
    assert find(found, "validity").floor == 0
    assert find(found, "validity_range").value == pytest.approx(100 / 8)


def test_the_original_itself_is_valid_and_its_missing_cells_too():
    real = people(500, 1)
    found = judge("validity", real, real, people(500, 2))
    assert find(found, "validity").value == 0 and find(found, "validity_range").value == 0


def test_keys_must_be_there_and_unique():
    base = people(4, 1, missing=0)
    keyed = [IdentSheet(4, base.values, base.levels, {"id": np.array(i)}) for i in ([1, 2, 3, 4], [5, 5, -1, 6])]
    schema = Table("t", (*table(base).columns, Column("id", "key")), primary_key=("id", "sex"))
    found = judge("validity", *keyed, schema=schema)
    one = find(found, "validity_keys", "id")
    assert (one.value, one.floor) == (50, 0)
    assert find(found, "validity_keys", "id", "sex").value >= 25
    assert find(judge("validity", base, base), "validity_keys").problem == "the table has no key"


def test_words_among_numbers_are_impossible_once():
    real = sheet(x=np.arange(200))
    twin = IdentSheet(2, {"x": np.array([1.0, np.nan])}, {}, {}, {"x": np.array([False, True])})
    found = judge("validity", real, twin)
    assert find(found, "validity", "x").detail == {"another kind": 1, "floor_from": "the original itself"}


# ---------------------------------------------------------------- identifiers


def keyed(real: list[int], twin: list[int], notation: Any) -> list:
    sheets = [IdentSheet(len(i), {}, {}, {"id": np.array(i)}) for i in (real, twin)]
    return judge("copies", *sheets, schema=Table("t", (Column("id", "key", "string", notation=notation),)))


def test_real_identifiers_are_found_and_running_numbers_are_none():
    leaked = find(keyed(list(range(200)), [*range(50), *range(1000, 1150)], {"kind": "email"}), "copies_keys", "id")
    assert leaked.value == 0.25 and leaked.floor < 1e-6
    fresh = find(keyed(list(range(200)), list(range(1000, 1200)), {"kind": "email"}), "copies_keys")
    assert fresh.value == 0
    running = keyed(list(range(200)), list(range(200)), {"kind": "sequence", "start": 1, "step": 1})
    assert find(running, "copies_keys").problem


def test_chance_is_how_much_of_a_template_is_taken():
    found = keyed(list(range(50)), list(range(100)), {"kind": "reference", "look": {"template": "A\\a#"}})
    assert find(found, "copies_keys", "id").floor == pytest.approx(50 / 260)


def test_rare_levels_do_not_make_copies_of_the_others():
    """Nobody can copy by chance a level that is his alone: chance is that of the rows without one."""
    r = np.random.default_rng(3)
    names = {"town": [f"t{i}" for i in range(400)], "sex": ["f", "m"]}

    def rows(seed: int, rare: int) -> IdentSheet:
        draw = np.random.default_rng(seed)
        town = np.r_[draw.integers(0, 6, 600 - rare), 100 + r.integers(0, 300, rare)]
        return sheet(names, town=town, sex=draw.integers(0, 2, 600))

    found = judge("copies", rows(1, 120), rows(2, 0), rows(3, 120))
    assert find(found, "copies").value == 1 and find(found, "copies").floor > 0.99
