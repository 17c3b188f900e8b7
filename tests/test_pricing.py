"""The price of fairness on joints whose price is known, what a question must be, and the picture."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabrica
from fabrica.errors import FabricaError
from fabrica.interval import Interval
from fabrica.page.frontier import picture, words

#: P(x | s) for two groups, and P(y = yes | s, x): no odds near even, so that whoever learned them decides alike
SHARE = {"f": 0.4, "m": 0.6}
OF_X = {"f": {"u": 0.5, "v": 0.4, "w": 0.1}, "m": {"u": 0.1, "v": 0.4, "w": 0.5}}
LIKELY = {("f", "u"): 0.05, ("f", "v"): 0.25, ("f", "w"): 0.80, ("m", "u"): 0.05, ("m", "v"): 0.55, ("m", "w"): 0.90}
NEAR = 0.025  #: 12,000 rows of each, three standard errors of a share and what a model learns wrong


def drawn(rows: int, seed: int, likely: dict = LIKELY, of_x: dict = OF_X) -> pa.Table:
    random = np.random.default_rng(seed)
    s = random.choice(["f", "m"], rows, p=[SHARE["f"], SHARE["m"]])
    x = np.array([random.choice(["u", "v", "w"], p=list(of_x[one].values())) for one in s])
    yes = random.random(rows) < np.array([likely[pair] for pair in zip(s, x, strict=True)])
    return pa.table({"s": s, "x": x, "y": np.where(yes, "yes", "no")})


def known(parity: float, likely: dict = LIKELY, of_x: dict = OF_X) -> dict[str, float]:
    """By brute force: the law under the dial, the best decisions under it, and what they are worth under the truth."""
    rate = {s: sum(of_x[s][x] * likely[s, x] for x in "uvw") for s in "fm"}
    common = sum(SHARE[s] * rate[s] for s in "fm")
    right, said, true, squares = 0.0, {}, {}, 0.0
    for s in "fm":
        wished = (1 - parity) * rate[s] + parity * common
        yes, no = wished / rate[s], (1 - wished) / (1 - rate[s])
        squares += SHARE[s] * (rate[s] / yes + (1 - rate[s]) / no)
        says = {x: likely[s, x] * yes > (1 - likely[s, x]) * no for x in "uvw"}
        said[s] = sum(of_x[s][x] for x in "uvw" if says[x])
        true[s] = sum(of_x[s][x] * likely[s, x] for x in "uvw" if says[x]) / rate[s]
        right += SHARE[s] * sum(of_x[s][x] * (likely[s, x] if says[x] else 1 - likely[s, x]) for x in "uvw")
    return {"rows": (1 - parity) * abs(rate["f"] - rate["m"]), "predicted": abs(said["f"] - said["m"]),
            "opportunity": abs(true["f"] - true["m"]), "accuracy": right, "worth": 1 / squares}


@cache
def model():
    return fabrica.fit(drawn(12_000, 1), engine="bayesnet", seed=1, workers=1)


@cache
def frontier():
    return fabrica.frontier(model(), drawn(12_000, 2), protected="s", outcome="y", favourable="yes", seeds=2,
                            points=[0.5, 1], workers=1)


def test_the_price_is_the_known_one():
    """Gap of rows and of decisions, of true positive rates, and accuracy, against brute force on the joint."""
    found = frontier()
    assert [point.parity for point in found.points] == [0, 0.5, 1]
    assert len({round(known(parity)["accuracy"], 3) for parity in (0, 0.5, 1)}) == 3, "the world must have a price"
    for point in found.points:
        for name, value in known(point.parity).items():
            found_value = point.worth if name == "worth" else getattr(point, name).value
            assert found_value == pytest.approx(value, abs=NEAR), (point.parity, name)
        cost = known(0)["accuracy"] - known(point.parity)["accuracy"]
        assert point.cost.value == pytest.approx(cost, abs=NEAR)
        assert point.wished == pytest.approx((1 - point.parity) * found.points[0].rows.value)
        assert all(getattr(point, name).low <= getattr(point, name).value <= getattr(point, name).high
                   for name in ("rows", "predicted", "opportunity", "accuracy", "auc", "cost", "moved"))
    assert found.real.value == pytest.approx(known(0)["rows"], abs=NEAR)
    assert found.points[0].cost == Interval(0, 0, 0), "held against itself nothing is lost"
    assert found.points[0].worth == 1


def test_a_price_of_rows_of_parity_zero_would_be_caught():
    """The careless twin: whoever forgets to turn the dial reports the numbers of parity 0."""
    careless, right = known(0), frontier().at(1)
    for name in ("rows", "predicted", "opportunity", "accuracy"):
        assert abs(getattr(right, name).value - careless[name]) > 2 * NEAR
    assert abs(right.worth - careless["worth"]) > 2 * NEAR


def test_dropping_the_column_does_nothing_where_others_tell_it():
    """x tells s, so what is learned without s is as unequal; where nothing tells it, dropping is all that is needed."""
    twins = {"f": {"u": 0.98, "v": 0.01, "w": 0.01}, "m": {"u": 0.01, "v": 0.01, "w": 0.98}}
    even = {"f": {"u": 0.3, "v": 0.4, "w": 0.3}, "m": {"u": 0.3, "v": 0.4, "w": 0.3}}
    by_sex = {(s, x): 0.8 if s == "m" else 0.2 for s in "fm" for x in "uvw"}
    for of_x, gone in ((twins, False), (even, True)):
        made = fabrica.fit(drawn(4_000, 3, by_sex, of_x), engine="bayesnet", seed=1, workers=1)
        found = fabrica.frontier(made, drawn(4_000, 4, by_sex, of_x), protected="s", outcome="y", favourable="yes",
                                 seeds=1, points=[0], workers=1)
        assert found.points[0].predicted.value > 0.9
        assert (found.dropped.predicted.value < 0.1) == gone
        assert found.dropped.moved.value == pytest.approx(found.points[0].predicted.value
                                                          - found.dropped.predicted.value)


def test_what_explains_the_gap_is_no_gap():
    """Where y depends on x alone the gap given x is nothing, and the dial leaves accuracy as it is."""
    fair = {(s, x): {"u": 0.1, "v": 0.3, "w": 0.8}[x] for s in "fm" for x in "uvw"}
    made = fabrica.fit(drawn(5_000, 5, fair), engine="bayesnet", seed=1, workers=1)
    asked = {"protected": "s", "outcome": "y", "favourable": "yes", "seeds": 1, "points": [1], "workers": 1}
    explained = fabrica.frontier(made, drawn(5_000, 6, fair), given="x", **asked)
    plain = fabrica.frontier(made, drawn(5_000, 6, fair), **asked)
    assert plain.points[0].rows.value > 0.2 > 0.05 > explained.points[0].rows.value
    assert plain.points[0].predicted.value > 0.2 > 0.05 > explained.points[0].predicted.value
    assert abs(explained.at(1).cost.value) < 0.01


def test_intersections_and_small_groups():
    rows = drawn(6_000, 7)
    other = np.random.default_rng(8).choice(["k", "l", "rare"], 6_000, p=[0.5, 0.498, 0.002])
    rows = rows.append_column("t", pa.array(other))
    made = fabrica.fit(rows.slice(0, 4_000), engine="bayesnet", seed=1, workers=1)
    found = fabrica.frontier(made, rows.slice(4_000), protected=["s", "t"], outcome="y", favourable="yes", seeds=1,
                             points=[0, 1], workers=1)
    assert {group.name for group in found.points[0].groups} == {"f, k", "f, l", "m, k", "m, l"}
    assert found.at(1).rows.value < 0.06 < 0.3 < found.at(0).rows.value


def test_the_same_seed_gives_the_same_frontier_on_any_number_of_workers():
    asked = {"protected": "s", "outcome": "y", "favourable": "yes", "seeds": 1, "points": [1], "rows": 1_000}
    one, three = (fabrica.frontier(model(), drawn(500, 9), workers=workers, **asked) for workers in (1, 3))
    assert one.to_json() == three.to_json()


@pytest.mark.parametrize(("changed", "said"), [
    ({"protected": "t"}, "no column named 't'"), ({"outcome": "t"}, "no column named 't'"),
    ({"given": ["t"]}, "no column named 't'"), ({"protected": "y"}, "named twice"), ({"protected": []}, "no column"),
    ({"favourable": "perhaps"}, "favourable, .*no value .*the model makes: no, yes"),
    ({"favourable": "yes|no"}, "every row of the holdout"),
    ({"favourable": ""}, "favourable"), ({"points": [2]}, "from 0 to 1"), ({"points": [float("nan")]}, "from 0 to 1"),
    ({"seeds": 0}, "at least 1"), ({"rows": 0}, "at least 1"),
    ({"holdout": drawn(20, 1)}, "fewer than two groups"), ({"holdout": drawn(50, 1).drop_columns(["x"])}, "lacks 1"),
    ({"holdout": drawn(300, 1).filter(pa.compute.equal(drawn(300, 1)["y"], "no"))}, "no row of the holdout"),
    ({"holdout": drawn(300, 1).set_column(2, "y", pa.nulls(300, pa.string()))}, "no row of the holdout"),
])
def test_a_bad_question_is_one_clear_error(changed, said):
    asked = {"holdout": drawn(300, 1), "protected": "s", "outcome": "y", "favourable": "yes", "rows": 500, **changed}
    with pytest.raises(FabricaError, match=said):
        fabrica.frontier(model(), asked.pop("holdout"), **asked)


def test_the_favourable_levels_are_told_and_none_of_the_holdout():
    holdout = drawn(300, 1).set_column(2, "y", pa.array(["secret"] * 300))
    with pytest.raises(FabricaError) as error:
        fabrica.frontier(model(), holdout, protected="s", outcome="y", favourable="yess")
    assert "no, yes" in str(error.value) and "secret" not in str(error.value)


def test_a_specification_has_a_frontier_too():
    """Groups that are alike: no gap, and nothing to pay."""
    spec = {"columns": {"s": {"distribution": "categorical", "levels": {"f": 0.5, "m": 0.5}},
                        "x": {"distribution": "normal", "mean": 0, "std": 1},
                        "y": {"distribution": "categorical", "levels": {"no": 0.7, "yes": 0.3}}},
            "correlations": [["x", "y", 0.6]]}
    found = fabrica.frontier(spec, fabrica.sample(spec, 2_000, seed=5), protected="s", outcome="y", favourable="yes",
                             seeds=1, points=[1], workers=1)
    assert found.rows == 2_000 and found.at(1).rows.value < 0.06
    assert found.at(1).cost.low <= 0.01 and found.at(1).accuracy.value > 0.7


def test_it_tells_how_far_it_is():
    heard = []
    asked = {"protected": "s", "outcome": "y", "favourable": "yes", "seeds": 1, "points": [1], "rows": 500}
    fabrica.frontier(model(), drawn(300, 9), listener=heard.append, workers=1, **asked)
    assert {news.note.partition(":")[0] for news in heard} >= {"parity 0", "parity 1"}
    assert all(a.whole <= b.whole for a, b in pairwise([n for n in heard if n.note.startswith("parity")]))


def test_groups_of_fewer_than_five_real_rows_of_one_kind_are_not_compared():
    """f has the outcome in four rows: its share in the holdout would tell of them, and so would its gap to another."""
    few = {**{("f", x): 0.0 for x in "uvw"}, **{("m", x): 0.5 for x in "uvw"}}
    holdout = drawn(400, 3, few).to_pandas()
    holdout.loc[holdout.index[holdout.s == "f"][:4], "y"] = "yes"
    with pytest.raises(FabricaError, match="5 of them of either outcome"):
        fabrica.frontier(model(), holdout, protected="s", outcome="y", favourable="yes", seeds=1, points=[], rows=500,
                         workers=1)


# ---------------------------------------------------------------- the picture and the words


def test_what_is_saved_is_what_was_found(tmp_path):
    found = frontier()
    plain = json.loads(found.save(tmp_path / "frontier.json").read_text(encoding="utf-8"))
    assert plain == json.loads(json.dumps(found.to_json()))
    assert "not representative" in plain["remark"] and "not representative" in str(found)
    ElementTree.parse(found.save(tmp_path / "frontier.svg"))
    with pytest.raises(FabricaError, match=r"0, 0\.5, 1"):
        found.at(0.7)


def moved(plain: dict, names: str, factor: float) -> dict:
    """The same plain values with other names, and all numbers times a factor."""
    def other(value):
        if isinstance(value, dict):
            return {key: other(one) for key, one in value.items()}
        return value * factor if isinstance(value, float) else value

    points = [{**other(point), "parity": point["parity"], "opportunity": None} for point in plain["points"]]
    question = {**plain["question"], "protected": [names], "outcome": names, "legitimate": [names]}
    return {**plain, "question": question, "points": points, "dropped": {**other(plain["dropped"]), "parity": 0.0}}


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1), st.sampled_from([0.0, 1e-9, 0.3, 1.0]))
def test_any_name_and_any_number_can_be_drawn(names, factor):
    plain = moved(frontier().to_json(), f"{names}<script>&\"'", factor)
    assert "(–" not in words(plain)
    tree = ElementTree.fromstring(picture(plain))
    assert not [node for node in tree.iter() if node.tag.endswith("script")]
    for node in tree.iter():
        assert "nan" not in " ".join(node.attrib.values()) and "inf" not in " ".join(node.attrib.values())
        for name in ("cx", "cy"):
            assert 0 <= float(node.attrib.get(name, 0)) <= 900


def test_words_claim_only_what_the_interval_shows():
    plain = frontier().to_json()
    for moved_to, said in (({"value": 0.4, "low": 0.3, "high": 0.5}, "is gone"),
                           ({"value": -0.4, "low": -0.5, "high": -0.3}, "grows"),
                           ({"value": 0.4, "low": -0.1, "high": 0.9}, "as far as these rows can tell")):
        text = words({**plain, "dropped": {**plain["dropped"], "moved": moved_to}})
        assert said in next(line for line in text.splitlines() if line.startswith("Without s"))
    missed = {**plain["points"][1], "wished": plain["points"][1]["rows"]["high"] + 0.1}
    assert "not what was wished" not in words(plain)
    assert "At parity 0.5 the gap" in words({**plain, "points": [plain["points"][0], missed]})


def test_points_lie_where_the_numbers_say():
    """Higher accuracy is higher in the picture; a wider gap lies further right."""
    from fabrica.page.frontier import Axes

    axes = Axes(10, 110, (0.0, 0.2), (0.8, 0.9))
    assert axes.at(0.0, 0.8)[0] == 10 and axes.at(0.2, 0.8)[0] == 110
    assert axes.at(0.1, 0.9)[1] < axes.at(0.1, 0.8)[1]
