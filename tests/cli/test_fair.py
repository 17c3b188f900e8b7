"""``fabrica fair`` as its users meet it."""

from __future__ import annotations

import json

ASKED = ["--protected", "male", "--outcome", "status", "--favourable", "1"]
QUICK = ["--rows", "400", "--seeds", "1", "--points", "1"]


def test_a_frontier_is_a_table_a_picture_and_json(fabrica, model, people, tmp_path):
    code, out, _ = fabrica("fair", model, people, *ASKED, *QUICK, "-o", "fair", "-q")
    assert code == 0 and "dropped" in out and "not representative" in out
    assert sorted(path.name for path in (tmp_path / "fair").iterdir()) == ["frontier.json", "frontier.svg"]
    code, again, _ = fabrica("fair", model, people, *ASKED, *QUICK, "-o", "fair", "-q", "--json")
    plain = json.loads(again)
    stored = json.loads((tmp_path / "fair" / "frontier.json").read_text(encoding="utf-8"))
    assert code == 0 and {name: plain[name] for name in stored} == stored
    assert [point["parity"] for point in stored["points"]] == [0.0, 1.0]


def test_several_columns_and_factors(fabrica, model, people, tmp_path):
    code, out, _ = fabrica("fair", model, people, "-p", "male", "--given", "age,bmi", "--outcome", "status",
                           "--favourable", "1", *QUICK, "-o", "fair", "-q", "--json")
    assert code == 0 and json.loads(out)["question"]["legitimate"] == ["age", "bmi"]


def test_a_bad_question_is_one_line_and_nothing_is_written(fabrica, model, people, tmp_path):
    for words, said in ((["--points", "0,x"], "--points"), (["--points", "1.5"], "0 to 1"),
                        (["--given", "xage"], "xage"),
                        (["--favourable", "7"], "the model makes: 0, 1"), (["--rows", "0"], "at least 1"),
                        (["--protected", "male"], "named twice")):
        code, out, error = fabrica("fair", model, people, *ASKED, *QUICK, *words, "-o", "fair", "-q")
        assert code == 2 and said in error and len(error.splitlines()) == 1 and not out, words
        assert not (tmp_path / "fair").exists()


def test_the_inputs_are_never_replaced(fabrica, model, tmp_path):
    path = tmp_path / "frontier.json"
    path.write_text("[]", encoding="utf-8")
    code, _, error = fabrica("fair", model, path, *ASKED, *QUICK, "-o", ".", "-q")
    assert code == 2 and path.read_text(encoding="utf-8") == "[]" and len(error.splitlines()) == 1
