"""From a table to its twin: what is found, what comes out, and that nothing real does."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

import fabrica
from fabrica.artefacts import traces
from fabrica.cli import commands
from fabrica.errors import UnknownName
from fabrica.inference import infer, verify
from fabrica.inference.found import sightings
from fabrica.schema import Table

R = np.random.default_rng(5)
GIVEN = ["Anna", "Peter", "Sabine", "Klaus", "Heike", "Jürgen", "Monika", "Uwe", "Petra", "Bernd", "Julia", "Tobias"]
FAMILY = [
    "Schmidt",
    "Krause",
    "Vogel",
    "Weber",
    "Schulz",
    "Becker",
    "Hoffmann",
    "Koch",
    "Richter",
    "Wolf",
    "Neumann",
    "Braun",
]
ROWS = 600


def people(rows: int = ROWS, each: int = 1) -> pa.Table:
    """``rows`` rows of people who have ``each`` of them."""
    who = np.arange(rows) // each
    given = [GIVEN[i % 12] for i in who]
    family = [FAMILY[i // 12 % 12] + "abcdefghij"[i // 144 % 10] for i in who]
    return pa.table(
        {
            "name": [f"{g} {f}" for g, f in zip(given, family, strict=True)],
            "email": [f"{g}.{f}{i}@mail.example.de".lower() for g, f, i in zip(given, family, who, strict=True)],
            "phone": [f"+49 30 {7_000_000 + 37 * i}" for i in who],
            "account_number": [f"{10**9 + 7_654_321 * int(i)}" for i in who],
            "city": [["Berlin", "Hamburg", "Köln"][i % 3] for i in who],
            "age": [str(18 + i % 70) for i in who],
            "amount": [f"{x:.2f}" for x in R.gamma(2, 40, rows)],
        }
    )


@pytest.fixture(scope="module")
def model() -> fabrica.TableModel:
    return fabrica.fit(people(), engine="independent")


def test_what_names_people_is_made_afresh_and_what_does_not_is_learned():
    table, notes = infer(people())
    kinds = {c.name: (c.personal, c.kind) for c in table.columns}
    assert kinds == {
        "name": ("person", "key"),
        "email": ("email", "key"),
        "phone": ("phone", "key"),
        "account_number": ("account", "key"),
        "city": ("city", "category"),
        "age": ("age", "integer"),
        "amount": ("", "decimal"),
    }
    assert any("personal data" in note for note in notes) and table["name"].notation["locale"] == "de_DE"


def test_no_real_value_comes_out(model, tmp_path):
    real = people()
    twin = model.sample(3 * ROWS, seed=1)
    path = model.save(tmp_path / "people.fab")
    (tmp_path / "said.txt").write_text("\n".join(model.words()))
    assert traces([tmp_path], {"a level that is kept": "Hamburg"})  # the search sees what is there
    for name in ("name", "email", "phone", "account_number"):
        assert not set(twin[name].to_pylist()) & set(real[name].to_pylist()), name
        assert len(set(twin[name].to_pylist())) == 3 * ROWS
        assert traces([path, tmp_path / "said.txt"], {v: v for v in real[name].to_pylist()}) == []
    assert set(twin["city"].to_pylist()) == {"Berlin", "Hamburg", "Köln"}


def test_a_model_file_gives_the_same_people(model, tmp_path):
    again = fabrica.TableModel.load(model.save(tmp_path / "people.fab"))
    assert again.sample(50, seed=4).equals(model.sample(50, seed=4))
    assert not again.sample(50, seed=5).equals(model.sample(50, seed=4))


def test_rows_of_a_twin_agree(model):
    for row in model.sample(200, seed=2).select(["name", "email"]).to_pylist():
        family = row["name"].split()[-1].lower().replace("ü", "ue").replace("ä", "ae").replace("ö", "oe")
        assert family in row["email"] and row["email"].endswith(("@example.com", "@example.org", "@example.net"))


def test_a_person_with_several_rows_stays_one_person():
    table, _ = infer(people(each=6))
    assert table["email"].refers and table["email"].notation["people"] == 100
    twin = fabrica.fit(people(each=6), engine="independent").sample(2_000, seed=1).to_pandas()
    assert twin["email"].nunique() == 100 == twin.groupby("email")["name"].nunique().sum()


def test_two_tables_of_one_seed_have_the_same_people():
    one = fabrica.fit(people().select(["name", "email"]), engine="independent").sample(100, seed=9)
    other = fabrica.fit(people().select(["email", "amount"]), engine="independent").sample(100, seed=9)
    assert one["email"].to_pylist() == other["email"].to_pylist()


def test_of_a_sender_and_a_receiver_each_has_a_name():
    both = pa.table(
        {
            "sender_name": people()["name"],
            "sender_email": people()["email"],
            "receiver_name": people()["name"].take(list(reversed(range(ROWS)))),
            "receiver_email": people()["email"].take(list(reversed(range(ROWS)))),
        }
    )
    twin = fabrica.fit(both, engine="independent").sample(100, seed=1).to_pandas()
    assert (twin.sender_name != twin.receiver_name).all()
    for side in ("sender", "receiver"):
        first = twin[f"{side}_name"].str[:2].str.lower().str.replace("ü", "u")
        assert (twin[f"{side}_email"].str[:1] == first.str[:1]).mean() == 1


def test_the_user_knows_better():
    table, _ = infer(
        people(),
        overrides={
            "city": {"personal": "city", "kind": "category"},
            "name": {"personal": "none"},
            "amount": {"personal": "account"},
        },
    )
    assert table["city"].personal == "city" and table["name"].personal == "none" and table["name"].kind == "text"
    assert table["amount"].personal == "account" and table["amount"].kind == "key"
    assert infer(people(), overrides={"name": "category"})[0]["name"].kind == "category"
    with pytest.raises(UnknownName, match="kind of personal data"):
        infer(people(), overrides={"name": {"personal": "soul"}})
    assert Table.from_json(table.to_json()) == table


def test_later_rows_count_too():
    """A real surname among the coined ones that only a late row holds moves all fakes to other words."""
    from fabrica.personal.fakes.coined import coined

    first = people()
    met = coined("de_DE", 0, np.array([17])).to_pylist()[0]
    late = first.slice(0, 1).set_column(0, "name", pa.array([f"Anna {met}"]))
    table, _ = infer(first, rows=ROWS + 1)
    assert table["name"].notation.get("window", 0) == 0
    table, _ = verify(table, [*first.to_batches(), *late.to_batches()])
    assert table["name"].notation["window"] == table["email"].notation["window"] > 0


def test_reserved_values_in_the_table_are_kept_away_from():
    """A table of tests holds example addresses itself."""
    cards = ["400000" + f"{n:09}" for n in range(0, 10**9, 2 * 10**6 + 1)]
    cards = [
        c + str(next(d for d in range(10) if fabrica.personal.detect.sums.valid("luhn")(c + str(d))))
        for c in cards
        if c[6] in "012345"
    ]
    model = fabrica.fit(pa.table({"card": cards, "x": list(range(len(cards)))}), engine="independent")
    assert model.table["card"].notation["lead"] in "6789"
    assert not set(model.sample(3000, seed=3)["card"].to_pylist()) & set(cards)


def test_inspect_tells_what_how_sure_and_what_will_be_done(tmp_path, capsys):
    path = tmp_path / "people.csv"
    people().to_pandas().to_csv(path, index=False)
    assert commands._outcome(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert "personal data found:" in text and "the form of e-mail addresses" in text and "made afresh" in text
    assert not any(value in text for value in people()["email"].to_pylist())
    assert "fabrica inspect" not in text and "are made afresh (by what they were recognised stands in the list" in text
    assert commands._outcome(["synth", str(path), "-o", str(tmp_path / "out"), "--engine", "independent"]) == 0
    assert "`fabrica inspect` of the table says by what they were recognised" in capsys.readouterr().out
    assert commands._outcome(["inspect", str(path), "--json"]) == 0
    told = {one["column"]: one for one in json.loads(capsys.readouterr().out)["personal"]}
    assert told["email"]["share"] == 1.0 and told["age"]["treatment"].startswith("kept") and "amount" not in told


def test_sightings_look_at_every_row():
    first = people()
    late = pa.table({n: (["none"] * ROWS if n == "email" else first[n]) for n in first.column_names})
    table, _ = infer(first)
    found = {s.column: s for s in sightings(table, [*first.to_batches(), *late.to_batches()])}
    assert found["email"].share == pytest.approx(0.5)


CANARIES = [
    "zaphod.beeblebrox@heartofgold.example",
    "+49 30 5550042",
    "089 1234 5678",
    "4556 7375 8689 9855",
    "Zaphod Beeblebroxx",
    "DE44 5001 0517 5407 3249 31",
    "10.77.42.99",
    "https://secret.example/zaphod",
    "Frau Trillianowa",
]


@pytest.mark.parametrize("canary", CANARIES)
def test_canaries_in_free_text_never_come_out_however_many_rows_hold_them(canary, tmp_path):
    words = ["please call back", "the box was open", "no answer until noon", "all is well again"]
    anna = canary.replace("Zaphod", "Anna")  # a listed given name before a family name that no list holds
    texts = [
        f"{words[i % 4]} {anna} and so on {'abc'[i % 3]}{i % 7}x" if i % 4 == 0 else f"{words[i % 4]} number {i}"
        for i in range(900)
    ]
    data = pa.table({"note": texts, "x": list(range(900))})
    model = fabrica.fit(data, engine="independent", schema={"note": "text"})
    path = model.save(tmp_path / "m.fab")
    twin = "\n".join(v for v in model.sample(3_000, seed=1)["note"].to_pylist() if v)
    parts = [
        p
        for p in anna.split()
        if (sum(map(str.isdigit, p)) >= 4 or p[:1].isupper() or "@" in p or "/" in p) and p != "Frau"
    ]
    for part in [anna, *parts]:
        assert f" {part} " not in twin.replace("\n", " "), part
    assert traces([path], {part: f'"{part}"' for part in [anna, *parts]}) == []
    assert "please call back" in twin  # other words stay


def test_a_careless_survey_would_let_a_canary_out(monkeypatch):
    """The check bites: without the scan the address is a word like any other."""
    import importlib

    tally = importlib.import_module("fabrica.codecs.text.tally")
    monkeypatch.setattr(tally, "scanned", lambda row, token, pool: np.zeros(len(token), np.int8))
    texts = [f"mail to {CANARIES[0]} at {i}" for i in range(300)]
    model = fabrica.fit(pa.table({"note": texts, "x": list(range(300))}), engine="independent", schema={"note": "text"})
    assert any(CANARIES[0] in v for v in model.sample(300, seed=1)["note"].to_pylist())


def test_sentences_that_tell_of_people_are_no_levels_however_often_they_come_again():
    said = ["Mrs. Krause complained about the delay", "Sabine asked for the last invoice", "paid in time, as always",
            "please write to klaus@mail.example.de instead", "came without an appointment again", "no answer by post"]
    plain = ["works for a private company", "works for the state itself", "has worked for himself always"]
    table = pa.table({"note": [said[i % 6] for i in range(ROWS)], "work": [plain[i % 3] for i in range(ROWS)]})
    found = infer(table)[0]
    assert (found["note"].kind, found["work"].kind) == ("text", "category")
    assert [s.column for s in sightings(found, table.to_batches())] == ["note"]
    twin = fabrica.fit(table, engine="independent").sample(2000, seed=1)
    assert set(twin["work"].to_pylist()) == set(plain)
    words = {word for text in twin["note"].to_pylist() for word in text.split()}
    assert not words & {"Krause", "Sabine", "klaus@mail.example.de"}
    assert {"complained", "invoice"} <= words


@pytest.mark.parametrize("name", ["employee_number", "customer_number", "student_number", "account_number"])
@pytest.mark.parametrize("first", [100_007, 10_007])
@pytest.mark.parametrize("gaps", [0, 1])
@pytest.mark.parametrize("text", [False, True])
def test_a_gap_decides_nothing_of_what_identifies(name, first, gaps, text):
    numbers = [None] * gaps + [first + 7 * i for i in range(gaps, ROWS)]
    cells = [n if n is None or not text else str(n) for n in numbers]
    found = infer(pa.table({name: pa.array(cells)}))[0][name]
    assert found.kind == "key" and found.personal in ("record", "account")


def test_a_number_of_a_person_stands_beside_one_name_and_one_address():
    data = people(1_200, each=6)
    numbers = pa.array([f"C{700_000 + 13 * (i // 6)}" for i in range(1_200)])
    twin = fabrica.fit(data.append_column("customer_id", numbers), engine="independent").sample(2_000, seed=3)
    held: dict[str, set] = {}
    for who, name, mail in zip(*(twin[n].to_pylist() for n in ("customer_id", "name", "email")), strict=True):
        held.setdefault(who, set()).add((name, mail))
    assert 150 < len(held) < 260 and all(len(one) == 1 for one in held.values())
    assert len({next(iter(one)) for one in held.values()}) == len(held)


@pytest.mark.parametrize(("name", "kind"), [
    ("patient_id", "record"), ("patient_no", "record"), ("nhs_number", "health_id"), ("national_id", "national_id"),
    ("passport_no", "passport")])
def test_identifiers_of_no_known_form_are_called_what_the_name_says(name, kind):
    cells = [f"{'ABCD'[i % 4]}{'-' * (i % 3)}{1_000 + 7 * i}" for i in range(ROWS)]
    assert infer(pa.table({name: cells}))[0][name].personal == kind
