"""What few people hold is found in files however short it is, where it stands for itself; and nowhere else."""

from __future__ import annotations

import html
import json
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from fabrica.errors import InputError
from fabrica.gatehouse.beside import beside
from fabrica.gatehouse.rare import Rare

FEW = Rare(looked=9, words=("Oslo", "no", "Ouagadougou", "Rome", "engineer"), common=("Rome", "Bern", "head engineer"),
           numbers=(987_654.25, 1_234_567.0, 93.0))


def written(folder, name, content):
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder / name


@pytest.mark.parametrize(("name", "content", "many"), [
    ("schema.json", {"columns": [{"levels": ["Bern", "Oslo"]}]}, 1),  # a short word that is a level
    ("schema.json", {"town": "Oslo"}, 1), ("schema.json", {"by town": {"Oslo": 12}}, 1),  # a value, and a key
    ("schema.json", {"why": "no", "note": "Oslo, and no other", "Osloer": 1}, 0),  # none that stands for itself
    ("schema.json", {"levels": ["no"]}, 1),  # as a level tells a word that fabrica writes too
    ("schema.json", {"who": "a head engineer"}, 0),  # within what many hold
    ("schema.json", {"who": "a head engineer, an engineer"}, 1),  # and beside it
    ("schema.json", {"levels": ["Rome", "town"]}, 0),  # many hold it elsewhere, and the name of a column
    ("report.html", "<p>from Ouagadougou to Oslo</p>", 1),  # a long one, wherever it stands
    ("report.json", {"largest": 987654.25}, 1), ("report.html", "at most 1,234,567 a year", 1),
    ("report.json", {"largest": 1987654.25, "next": 21234567, "age": 93}, 0)])
def test_a_value_of_few_people_is_found_where_it_tells_of_them(tmp_path, name, content, many):
    found = beside([written(tmp_path, name, content)], FEW, ["people", "town"]).found
    assert found == ((f"{many} of them in {name}",) if many else ())


def test_the_arrays_and_levels_of_a_model_are_searched(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.fab", "w") as model:
        model.writestr("model.json", json.dumps({"state": {"levels": ["Bern", "no"]}}))
        model.writestr("arrays.safetensors", save({"knots": np.array([0.0, 93.0, 987_654.25])}))
    assert beside([tmp_path / "model.fab"], FEW, []).found == ("2 of them in model.fab",)


def test_what_was_not_looked_for_is_told(tmp_path):
    told = beside([written(tmp_path, "schema.json", {})], FEW, [])
    assert told.left == {"words that stand for something else too": 1, "moments, and numbers of fewer than 6 digits": 2,
                         "words that fabrica writes too, but as entries of lists": 1}
    assert told.looked == 5


@pytest.mark.parametrize("spelled", ["Müller-{}", "a<b & {}", 'says "{}"'])
def test_however_many_words_there_are_each_is_found_wherever_it_stands(tmp_path, spelled):
    words = tuple(spelled.format(f"{place:08x}") for place in range(0, 50_000 * 7919, 7919))
    told = words[::1_999]
    files = [written(tmp_path, "report.html", f"<p>{html.escape(' or '.join(told))}</p>"),
             written(tmp_path, "report.json", {"why": f"of {', '.join(told)}"})]
    found = beside(files, Rare(words=words, looked=len(words)), [])
    assert found.found == tuple(f"{len(told)} of them in {file.name}" for file in files)
    assert not found.left


def test_a_file_that_cannot_be_read_is_not_said_to_be_clean(tmp_path):
    with pytest.raises(InputError, match=r"report.json: cannot be searched"):
        beside([written(tmp_path, "report.json", "{")], FEW, [])


@pytest.mark.parametrize(("shown", "found"), [
    ("Sodium Chloride 0.9% Flush", 0), ("Sodium Chloride…", 0), ("Sodium Chloride 0.9…", 0),  # as a page shows it
    ("Sodium Chloride", 1), ("Sodium Chloride, once", 1)])
def test_what_many_hold_is_no_trace_where_a_page_cuts_it_and_what_few_hold_names_its_column(tmp_path, shown, found):
    """The careless twin knows a common level only as it stands in the table, with two blanks and to its end."""
    few = Rare(words=("Sodium Chloride",), common=("Sodium Chloride 0.9%  Flush",), looked=1,
               column={"Sodium Chloride": "drug"})
    file = written(tmp_path, "report.html", f"<p>{shown}</p>")
    assert beside([file], few, []).found == ("1 of them in report.html (of 'drug')",) * found
