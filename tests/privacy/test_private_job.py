"""The commands and the SDK under differential privacy, from the file to the ledger; and every way to get it wrong."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import fabrica
from fabrica.account import Account, spend
from fabrica.artefacts import traces
from fabrica.cli.commands import _outcome as cli
from fabrica.errors import BudgetSpent, FabricaError, InputError, OutputError, SchemaError, SettingError, UnknownName
from fabrica.identifying import KINDS
from fabrica.privacy.event import Keys
from fabrica.privacy.ledger import Purse
from fabrica.privacy.terms import Privacy

ROWS = 3_000
CANARY = "Zyxwvut"


@pytest.fixture(scope="module")
def people() -> pa.Table:
    random = np.random.default_rng(1)
    age = random.integers(18, 90, ROWS)
    town = random.choice(["Rome", "Oslo", "Bern"], ROWS).astype(object)
    town[17] = CANARY
    income = np.where(random.random(ROWS) < age / 120, "high", "low")
    spent = np.round(random.exponential(50, ROWS), 2)
    spent[17] = 123_456_789.12
    return pa.table({"person": [f"p{i // 3}" for i in range(ROWS)], "age": age, "town": town.tolist(), "spent": spent,
                     "income": income, "note": [f"note {i}" for i in range(ROWS)]})


@pytest.fixture(scope="module")
def file(people, tmp_path_factory):
    path = tmp_path_factory.mktemp("private") / "people.csv"
    pyarrow.csv.write_csv(people, path)
    return path


def test_a_model_has_its_ledger_and_its_rows_hang_together(people):
    model = fabrica.fit(people, privacy=fabrica.Privacy(epsilon=3.0), target="income")
    assert model.engine == "aim" and 2.9 < model.ledger.epsilon() <= 3.0
    assert abs(model.facts["rows"] - ROWS) < 300
    made = model.sample(ROWS, seed=1)
    age, high = np.array(made["age"].to_pylist()), np.array(made["income"].to_pylist()) == "high"
    assert abs(high[age > 70].mean() - 0.66) < 0.15 and abs(high[age < 30].mean() - 0.2) < 0.15
    assert made.equals(model.sample(ROWS, seed=1)) and not made.equals(model.sample(ROWS, seed=2))
    text = str(model.ledger)
    assert "added or removed" in text and "discrete Gaussian noise" in text and "exponential mechanism" in text
    assert "not covered" in text and "epsilon 3" in "\n".join(model.words())


def test_whoever_is_alone_leaves_no_trace(people, tmp_path):
    """A name and an amount that one person has stand in no artefact: rows, model, schema, ledger, words."""
    out = tmp_path / "out"
    source = tmp_path / "people.csv"
    pyarrow.csv.write_csv(people, source)
    assert cli(["synth", str(source), "-o", str(out), "--epsilon", "10", "--holdout", "0", "-q"]) == 0
    assert traces([out], {"name": CANARY, "amount": 123_456_789.12, "its digits": "123456789"}) == []
    assert max(fabrica.load(out / "model.fab").sample(20_000, seed=3)["spent"].to_pylist()) < 10_000


def test_synth_writes_a_ledger_and_the_command_shows_it(file, tmp_path, capsys):
    out = tmp_path / "out"
    terms = ["--epsilon", "1", "--delta", "1e-7", "--target", "income"]
    assert cli(["synth", str(file), "-o", str(out), *terms]) == 0
    said = capsys.readouterr().out
    assert "keep both inside" in said and "epsilon" in said and "--unit" in said
    assert cli(["ledger", str(out)]) == 0
    text = capsys.readouterr().out
    assert "at delta 1e-07" in text and "rows: discrete Gaussian" in text
    assert cli(["ledger", str(out / "model.fab"), "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["epsilon"] <= 1 and plain["terms"]["delta"] == 1e-7
    recipe = fabrica.Recipe.load(out / "recipe.json")
    assert recipe.engine == "aim" and recipe.terms == Privacy(1.0, 1e-7)
    assert cli(["synth", "--recipe", str(out / "recipe.json"), "-o", str(tmp_path / "again"), "-q"]) == 0
    assert (tmp_path / "again" / "ledger.json").exists()


def test_an_old_ledger_does_not_stay_beside_rows_that_nobody_paid_for(file, tmp_path, capsys):
    asked = ["synth", str(file), "-o", str(tmp_path / "out"), "--holdout", "0", "-q"]
    assert cli([*asked, "--epsilon", "3", "--engine", "mst"]) == 0 and (tmp_path / "out" / "ledger.json").exists()
    assert cli([*asked, "--engine", "independent"]) == 0 and not (tmp_path / "out" / "ledger.json").exists()
    assert cli(["ledger", str(tmp_path / "out")]) != 0
    assert "not learned under differential privacy" in capsys.readouterr().err


def test_what_was_not_learned_privately_has_no_ledger(file, tmp_path, capsys):
    path = tmp_path / "plain.fab"
    assert cli(["fit", str(file), "-o", str(path), "--engine", "independent", "-q"]) == 0
    assert fabrica.load(path).ledger is None and cli(["ledger", str(path)]) == 2
    assert "not learned under differential privacy" in capsys.readouterr().err


def test_of_a_person_one_row_counts(people):
    model = fabrica.fit(people, engine="mst", privacy=fabrica.Privacy(3.0, unit="person"))
    assert abs(model.facts["rows"] - ROWS / 3) < 200 and "one person, of whom 1 row counts" in str(model.ledger)
    three = fabrica.fit(people, engine="mst", privacy=fabrica.Privacy(3.0, unit="person", rows=3))
    assert abs(three.facts["rows"] - ROWS) < 500
    assert {str(e.sensitivity) for e in three.ledger.events} == {"3"}
    assert abs(len(set(three.sample(3_000)["person"].to_pylist())) - 950) < 150


def test_columns_of_which_nothing_is_known_are_told_with_what_helps():
    rows = range(2_000)
    table = {"name": [f"Ann {i}" for i in rows], "sex": ["f", "m"] * 1_000, "x": [str(i % 9) for i in rows]}
    said = {"sex": {"kind": "category", "levels": ["F", "M"]}, "x": "integer"}
    notes = fabrica.fit(table, engine="mst", privacy=3.0, schema=said).facts["notes"]
    told = [n for n in notes if "empty" in n or "levels that" in n]
    assert [("name" in n, "sex" in n) for n in told] == [(True, False), (False, True)]
    assert any("personal" in n for n in notes) and any("--unit" in n for n in notes)
    alone = fabrica.fit({"name": table["name"]}, engine="mst", privacy=3.0).facts["notes"]
    assert any("the twin is empty" in n for n in alone)


def test_of_people_with_several_rows_it_is_said_how_many_counted(people):
    table = {"who": [f"p{i // 3}" for i in range(3_000)], "x": [i % 9 for i in range(3_000)]}
    notes = fabrica.fit(table, engine="mst", privacy=Privacy(3.0, unit="who", rows=2)).facts["notes"]
    assert any("of each who 2 rows at most counted" in n for n in notes)
    assert not any("taken for another" in n for n in notes)


def test_whole_numbers_that_passed_through_a_float_are_whole_numbers(tmp_path):
    path = tmp_path / "homes.csv"
    path.write_text("rooms,homes\n" + "".join(f"{i % 40}.0,{i % 7}.0\n" for i in range(5_000)))
    model = fabrica.fit(path, engine="mst", privacy=3.0, schema={"homes": {"kind": "integer", "bounds": [0, 6]}})
    twin = model.sample(2_000)
    assert [c.kind for c in model.table.columns] == ["integer", "integer"]
    assert twin["rooms"].null_count == twin["homes"].null_count == 0 and len(set(twin["rooms"].to_pylist())) > 30


def test_numbers_with_few_digits_have_no_more(tmp_path):
    twin = fabrica.fit({"x": [round(i % 97 * 0.1, 1) for i in range(9_000)]}, engine="mst", privacy=3.0).sample(500)
    assert all(x == round(x, 1) for x in twin["x"].to_pylist() if x is not None)


def test_personal_data_is_made_afresh_where_it_is_declared(people):
    schema = {"person": {"personal": "email"}, "note": {"personal": "person"}}
    model = fabrica.fit(people, engine="mst", privacy=1.0, schema=schema)
    made = model.sample(200, seed=1)
    assert all("@" in mail for mail in made["person"].to_pylist()) and len(set(made["note"].to_pylist())) > 150
    assert not set(made["note"].to_pylist()) & set(people["note"].to_pylist())


def test_what_is_public_is_said(people):
    schema = {"age": {"kind": "integer", "bounds": [0, 120]}, "note": "text",
              "town": {"kind": "category", "levels": ["Rome", "Oslo", "Bern"]}}
    model = fabrica.fit(people, engine="mst", privacy=1.0, schema=schema)
    text = str(model.ledger)
    assert "levels of 1 of 6 columns, by the schema: town" in text and "bounds of 1 of 6 columns" in text
    assert model.sample(50)["note"].null_count == 50
    assert any("free text is not learned" in note for note in model.facts["notes"])


@pytest.mark.parametrize(("terms", "error", "words"), [
    ({"epsilon": 0}, SettingError, "above 0"), ({"epsilon": -1}, SettingError, "above 0"),
    ({"epsilon": float("inf")}, SettingError, "finite"), ({"epsilon": float("nan")}, SettingError, "finite"),
    ({"epsilon": 1, "delta": 0}, SettingError, "above 0"), ({"epsilon": 1, "delta": 0.5}, SettingError, "far below"),
    ({"epsilon": 1, "delta": 1e-3}, SettingError, "not far below one over the number of rows"),
    ({"epsilon": 1e-9}, SettingError, "so small that not even the rows can be counted"),
    ({"epsilon": 1, "unit": "who"}, UnknownName, "no column named 'who'"),
    ({"epsilon": 1, "unit": "note"}, SettingError, "another value in every row"),
    ({"epsilon": 1, "rows": 3}, SettingError, "needs a unit column"),
    ({"epsilon": 1, "unit": "person", "rows": 0}, SettingError, "whole number"),
    ({"delta": 1e-6}, SettingError, "needs epsilon"), ("much", SettingError, "finite number"),
])
def test_terms_that_cannot_be_are_refused(people, terms, error, words):
    with pytest.raises(error, match=words):
        fabrica.fit(people, engine="mst", privacy=terms)


def test_a_unit_with_gaps_is_refused(people):
    gaps = people.set_column(0, "person", pa.array([None if i == 5 else f"p{i // 3}" for i in range(ROWS)]))
    with pytest.raises(InputError, match="do not say whose"):
        fabrica.fit(gaps, engine="mst", privacy=fabrica.Privacy(1.0, unit="person"))


def test_what_was_read_off_a_table_is_refused_as_public(people):
    for read_off in ({"income": {"kind": "ordinal", "levels": ["low", "high"], "public": False}},
                     {"age": {"kind": "integer", "bounds": [18, 89], "public": False}}):
        with pytest.raises(SchemaError, match="read off a table"):
            fabrica.fit(people, engine="mst", privacy=1.0, schema=read_off)


def test_a_schema_that_was_guessed_is_not_public(people):
    table, _ = fabrica.inspect(people)
    with pytest.raises(SchemaError, match="guessed from a table"):
        fabrica.fit(people, engine="mst", privacy=1.0, schema=table)
    vouched = {c.name: {"kind": c.kind} for c in table.columns}
    made = fabrica.fit(people, engine="mst", privacy=1.0, schema=vouched)
    assert fabrica.fit(people, engine="mst", privacy=1.0, schema=fabrica.Schema((made.table,))).ledger is not None


def test_a_first_line_that_is_a_row_is_not_taken_for_names(tmp_path, capsys):
    """The first person of a file without a header would be its names."""
    path = tmp_path / "rows.csv"
    path.write_text("Ann Smith,f,?\n" + "".join(f"Person {i},{'fm'[i % 2]},{i}\n" for i in range(500)))
    assert cli(["fit", str(path), "-o", str(tmp_path / "x.fab"), "--epsilon", "1", "-q"]) == 2
    said = capsys.readouterr().err
    assert "looks like a row" in said and "Ann" not in said


def test_types_that_cells_decide_are_found_through_noise(tmp_path):
    """One odd cell among whole numbers changes the type that a guess finds, and here changes nothing."""
    import decimal

    for odd in (5, 5.5):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps({"n": i % 7, "t": "ab"[i % 2]}) + "\n" for i in range(2_000))
                        + json.dumps({"n": odd, "t": "a"}) + "\n")
        model = fabrica.fit(path, engine="mst", privacy=3.0)
        assert [(c.kind, c.storage) for c in model.table.columns] == [("integer", "string"), ("category", "string")]
        assert str(model.sample(5)["n"].type) == "int64"
    cells = [decimal.Decimal("1.25")] * 2_000 + [decimal.Decimal("123456789.12")]
    model = fabrica.fit({"x": cells}, engine="mst", privacy=3.0)
    assert model.table["x"].storage == "double" and "11" not in json.dumps(model.table.to_json())


def test_a_private_twin_is_written_in_no_hand_of_real_rows(tmp_path):
    """Whether a column stands in quotes is what its first rows say."""
    for first in ('"x"', "x"):
        path, out = tmp_path / "people.csv", tmp_path / "out"
        path.write_text(f"town;n\n{first};1\n" + "".join(f'"y";{i % 9}\n' for i in range(1_000)))
        asked = ["--epsilon", "3", "--engine", "mst", "-q", "--holdout", "0"]
        assert cli(["synth", str(path), "-o", str(out), *asked]) == 0
        head, row = (out / "data.csv").read_text().splitlines()[:2]
        assert head == "town,n" and '"' not in row


@pytest.mark.parametrize("engine", ["trees", "copula", "independent"])
def test_engines_that_look_at_rows_are_refused(people, engine):
    with pytest.raises(SettingError, match="cannot learn under an epsilon"):
        fabrica.fit(people, engine=engine, privacy=1.0)


def test_engines_that_look_through_noise_need_an_epsilon(people):
    with pytest.raises(SettingError, match="epsilon"):
        fabrica.fit(people, engine="aim")


def test_rules_are_refused(people):
    with pytest.raises(SettingError, match="rules"):
        fabrica.fit(people, engine="mst", privacy=1.0, rules=["age >= 18"])


def test_flags_without_an_epsilon_are_refused(file, tmp_path, capsys):
    assert cli(["fit", str(file), "-o", str(tmp_path / "x.fab"), "--unit-rows", "3", "-q"]) == 2
    assert "--epsilon" in capsys.readouterr().err
    assert cli(["fit", str(file), "-o", str(tmp_path / "x.fab"), "--account", "a.json", "-q"]) == 2
    assert "epsilon" in capsys.readouterr().err


# ---------------------------------------------------------------- accounts


def test_an_account_adds_up_and_refuses(people, tmp_path):
    path = tmp_path / "people.account.json"
    Account(Privacy(2.5, 1e-5)).save(path)
    for _ in range(2):
        fabrica.fit(people, engine="mst", privacy=1.0, account=path)
    account = Account.load(path)
    assert len(account.entries) == 2 and all(entry.over for entry in account.entries)
    assert 1.0 < account.ledger.epsilon() < 2.0  # two jobs of 1 cost less than 2 together
    with pytest.raises(BudgetSpent, match=r"mst of table: epsilon"):
        fabrica.fit(people, engine="mst", privacy=2.4, account=path)
    assert Account.load(path) == account  # what was refused has spent nothing
    assert Account.from_json(account.to_json()) == account


def test_jobs_side_by_side_and_jobs_that_died_never_spend_more_than_the_limit():
    """Whatever each turns out to be: all in zCDP, or less and half of delta for names."""
    def possible(terms):
        for purse in (Purse.of(terms), Purse.of(terms, names=True)):
            yield (Keys("x", 0, Fraction(1), 1 / (2 * purse.budget), max(purse.risk, Fraction(1, 10**18)), 0),)

    for limit, terms in ((Privacy(1.47, 1.1e-6), Privacy(1.0)), (Privacy(8.0, 1e-5), Privacy(1.0))):
        account = Account(limit)
        with pytest.raises(BudgetSpent):
            for _ in range(60):
                account = account.reserved(terms, "a job")
        for number in range(len(account.entries)):
            for events in possible(terms):
                assert account.settled(number, events).ledger.epsilon() <= limit.epsilon
        for events in zip(*[list(possible(terms)) for _ in account.entries], strict=True):
            after = account
            for number, one in enumerate(events):
                after = after.settled(number, one)
            assert after.ledger.epsilon() <= limit.epsilon


def test_what_is_refused_before_a_look_spends_nothing(people, tmp_path):
    path = tmp_path / "a.json"
    Account(Privacy(2.0, 1e-5)).save(path)
    for wrong in ({"engine": "trees"}, {"schema": {"age": {"kind": "integer", "bounds": [0, 9], "public": False}}},
                  {"schema": {"nobody": "integer"}}, {"privacy": {"epsilon": 1, "unit": "nobody"}}):
        with pytest.raises(FabricaError):
            fabrica.fit(people, account=path, **{"engine": "mst", "privacy": 1.0, **wrong})
    assert Account.load(path).entries == ()


def test_a_job_that_dies_has_spent_what_it_might_have(tmp_path):
    path = tmp_path / "a.json"
    Account(Privacy(2.0, 1e-5)).save(path)

    def dies(beside):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        spend(path, Privacy(1.0), "a job", dies, lambda done: done)
    account = Account.load(path)
    assert not account.entries[0].over and account.ledger.epsilon() > 0.8 and not path.with_name("a.json.lock").exists()
    assert "not known to have ended" in account.words()[0]


def test_accounts_of_another_unit_broken_or_busy_are_told(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    Account(Privacy(2.0, unit="person")).save(path)
    with pytest.raises(SettingError, match="kept for one person"):
        spend(path, Privacy(1.0), "a job", lambda beside: 1, lambda done: done)
    with pytest.raises(InputError, match="no such account"):
        Account.load(tmp_path / "none.json")
    plain = json.loads(path.read_text())
    entry = {"when": "x", "what": "y", "over": True, "events": [{}]}
    for broken in ("nothing", "{}", "[]", json.dumps({**plain, "entries": [entry]})):
        path.write_text(broken)
        with pytest.raises(FabricaError):
            Account.load(path)
    monkeypatch.setattr("fabrica.account.PATIENCE", 0.01)
    path.with_name("a.json.lock").touch()
    with pytest.raises(OutputError, match="another job"):
        spend(path, Privacy(1.0), "a job", lambda beside: 1, lambda done: done)


def test_the_command_opens_and_shows_an_account(file, tmp_path, capsys):
    path = str(tmp_path / "a.json")
    assert cli(["account", path, "--epsilon", "2"]) == 0
    assert cli(["account", path, "--epsilon", "9"]) == 2 and "must not be forgotten" in capsys.readouterr().err
    assert cli(["fit", str(file), "-o", str(tmp_path / "x.fab"), "--engine", "mst", "--epsilon", "1", "--account", path,
                "-q"]) == 0
    capsys.readouterr()
    assert cli(["account", path]) == 0
    said = capsys.readouterr().out
    assert "of epsilon 2 is spent at delta 1e-05" in said and "mst of people: epsilon 0.8" in said
    assert cli(["account", path, "--json"]) == 0 and json.loads(capsys.readouterr().out)["fabrica_account"] == 1


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS.values() if kind.fresh])
def test_every_kind_of_personal_data_can_be_declared(kind):
    cells = {"c": [f"Zyxwvut {i}" for i in range(2_000)], "y": ["a", "b"] * 1_000}
    twin = fabrica.fit(cells, schema={"c": {"personal": kind}}, privacy=5.0, engine="mst").sample(50)["c"].to_pylist()
    assert None not in twin and len(set(twin)) > 20 and not any("Zyx" in cell for cell in twin)
