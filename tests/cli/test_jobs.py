"""The commands on a small real table: what they write, say and answer, and what they leave behind when they fail."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fabrica.dataset import Dataset
from fabrica.folder import Folder

FILES = ["data.csv", "model.fab", "origin.json", "recipe.json", "report.html", "report.json", "schema.json"]
QUICK = ["--engine", "independent"]


def left(folder=Path()):
    """All that lies in a folder, hidden files too."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.fixture(scope="module")
def made(people, tmp_path_factory):
    """A finished ``synth``."""
    out = tmp_path_factory.mktemp("made") / "out"
    words = ["synth", str(people), "-o", str(out), *QUICK, "--target", "status", "--json"]
    done = subprocess.run([sys.executable, "-m", "fabrica", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_synth_writes_its_files_and_nothing_else(made):
    assert left(made[0]) == FILES and sorted(made[1]["files"]) == FILES


def test_synth_says_the_same_on_stdout_and_in_its_files(made):
    out, said = made
    assert json.loads((out / "report.json").read_text()) == said["report"]
    facts = said["report"]["facts"]
    assert facts["recipe"] == {"data": "people.csv", "engine": "independent", "seed": 7, "holdout": 0.2,
                               "target": "status"}
    assert facts["rows"]["synthetic"] == 1_200 == facts["rows"]["real"] + facts["rows"]["holdout"]
    assert 180 < facts["rows"]["holdout"] < 300
    assert {"fit", "sample"} <= set(facts["seconds"])
    assert "<html" in (out / "report.html").read_text()


def test_the_twin_is_in_the_hand_of_the_input(made, people):
    real, twin = people.read_text().splitlines(), (made[0] / "data.csv").read_text().splitlines()
    assert twin[0] == real[0] and len(twin) == len(real) and not set(twin[1:]) & set(real[1:])


def test_the_model_makes_the_twin_again(made, fabrica):
    code, _, err = fabrica("sample", made[0] / "model.fab", "-n", "1_200", "--seed", 7, "-o", "again.csv", "-q")
    assert (code, err) == (0, "")
    assert Path("again.csv").read_bytes() == (made[0] / "data.csv").read_bytes()


def test_the_recipe_makes_it_all_again(made, fabrica):
    words = ["synth", "--recipe", made[0] / "recipe.json", "-o", "again", "-q", "--workers", 3]
    assert fabrica(*words)[0] == 0
    for name in ("data.csv", "model.fab", "schema.json", "recipe.json"):
        assert (Path("again") / name).read_bytes() == (made[0] / name).read_bytes(), name


def test_a_recipe_is_repeated_from_elsewhere(fabrica, people, monkeypatch):
    Path("in").mkdir()
    head, *lines = people.read_text().splitlines(keepends=True)
    Path("in/t.csv").write_text("".join([head, *lines[:900]]))
    Path("in/r.csv").write_text("".join([head, *lines[900:]]))
    Path("in/s.yaml").write_text("age: integer")
    words = ["--holdout", "in/r.csv", "--schema", "in/s.yaml", "--rows", 60, "-q"]
    assert fabrica("synth", "in/t.csv", "-o", "o", *QUICK, *words)[0] == 0
    Path("far").mkdir()
    monkeypatch.chdir("far")
    code, _, err = fabrica("synth", "--recipe", "../o/recipe.json", "-o", "o", "-q")
    assert code == 0, err
    for name in ("data.csv", "recipe.json"):
        assert Path("o", name).read_bytes() == Path("../o", name).read_bytes()


def test_a_flag_changes_the_recipe(made, fabrica):
    assert fabrica("synth", "--recipe", made[0] / "recipe.json", "-o", "o", "--rows", 50, "--holdout", 0, "-q")[0] == 0
    changed = json.loads(Path("o/recipe.json").read_text())
    assert changed["rows"] == 50 and changed["holdout"] == 0 and changed["target"] == "status"
    assert Path("o/data.csv").read_text().count("\n") == 51


def test_the_schema_can_be_given_back(made, fabrica, people):
    code, out, _ = fabrica("inspect", people, "--schema", made[0] / "schema.json", "--json")
    assert code == 0
    said, kept = json.loads(out)["schema"], json.loads((made[0] / "schema.json").read_text())
    columns = [[(c["name"], c["kind"]) for c in schema["tables"][0]["columns"]] for schema in (said, kept)]
    assert columns[0] == columns[1]


def test_a_holdout_from_a_file(fabrica, frame):
    frame[:900].to_csv("own.csv", index=False)
    frame[900:].to_csv("rest.csv", index=False)
    words = ["synth", "own.csv", "-o", "o", *QUICK, "--holdout", "rest.csv", "--rows", 100, "--json", "-q"]
    code, out, _ = fabrica(*words)
    rows = json.loads(out)["report"]["facts"]["rows"]
    assert code == 0 and rows == {"real": 900, "synthetic": 100, "holdout": 300}


def test_a_holdout_that_is_learned_from_is_refused_before_anything_is_learned(fabrica, frame, people):
    frame[1_100:].to_csv("part.csv", index=False)
    made, judged = ["synth", people, "-o", "o", *QUICK], ["evaluate", "--real", people, "--synthetic", people]
    words = {"all": [*made, "--holdout", people], "part": [*made, "--holdout", "part.csv"],
             "judged": [*judged, "--holdout", "part.csv", "--metric", "shape"]}
    for name, some in words.items():
        code, _, err = fabrica(*some, "-q")
        assert code == 2 and "of the holdout stand among those learned from" in err and not Path("o").exists(), name


def test_a_table_of_which_nothing_may_be_told_gives_no_empty_twin(fabrica, frame):
    frame[:6].to_csv("six.csv", index=False)
    for words in (["--holdout", 0.5], ["--holdout", 0, "--k", 7]):
        code, _, err = fabrica("synth", "six.csv", "-o", "o", *QUICK, *words, "-q")
        assert code == 2 and "every cell of a twin would be missing" in err and not Path("o").exists()
    assert fabrica("synth", "six.csv", "-o", "o", *QUICK, "--holdout", 0, "-q")[0] == 0


def test_a_person_on_both_sides_is_refused(fabrica, frame):
    who = [f"p{number % 400}" for number in range(len(frame))]
    frame = frame.assign(who=who)
    frame[:800].to_csv("own.csv", index=False)
    frame[800:].to_csv("rest.csv", index=False)
    words = ["evaluate", "--real", "own.csv", "--synthetic", "own.csv", "--holdout", "rest.csv", "-q"]
    words += ["--metric", "shape"]
    code, _, err = fabrica(*words, "--unit", "who")
    assert code == 2 and "400 of 400 people of the holdout are learned from too" in err
    assert fabrica(*words)[0] == 0  # other rows of the same people, whom nobody has named


def test_an_old_folder_keeps_what_is_not_ours(fabrica, people):
    Path("o").mkdir()
    for name in ("mine.txt", "data.csv"):
        (Path("o") / name).write_text("old")
    assert fabrica("synth", people, "-o", "o", *QUICK, "--rows", 50, "-q")[0] == 0
    assert left(Path("o")) == sorted([*FILES, "mine.txt"])
    assert Path("o/mine.txt").read_text() == "old" and Path("o/data.csv").read_text() != "old"


@pytest.mark.parametrize("given", ["parts", "parts/*.csv", "one.csv.gz", "one.parquet", "one.jsonl", "one.tsv"])
def test_the_twin_has_the_format_of_the_input(fabrica, frame, given):
    Path("parts").mkdir()
    for i in range(2):
        frame.iloc[i * 300: i * 300 + 300].to_csv(f"parts/{i}.csv", index=False)
    frame.to_csv("one.csv.gz", index=False)
    frame.to_csv("one.tsv", index=False, sep="\t")
    frame.to_parquet("one.parquet")
    frame.to_json("one.jsonl", orient="records", lines=True)
    code, out, err = fabrica("synth", given, "-o", "o", *QUICK, "--holdout", 0, "--rows", 60, "-q", "--json")
    assert code == 0, err
    data = next(path for name, path in json.loads(out)["files"].items() if name.startswith("data."))
    assert data == "o/data" + (".csv" if "parts" in given else given[3:])
    assert Dataset.open(data).schema.names == list(frame.columns) and Dataset.open(data).count() == 60


def test_settings_reach_engine_and_codecs(fabrica, people):
    words = ["fit", people, "-o", "m.fab", "--set", "trees=1", "--set", "leaf=200", "--set", "k=50", "-q", "--json"]
    code, out, _ = fabrica(*words)
    assert code == 0 and json.loads(out)["file"] == "m.fab"


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl", ".tsv.gz"])
def test_sample_writes_any_format(fabrica, model, ending):
    assert fabrica("sample", model, "-n", "300", "-o", f"new/x{ending}", "-q")[0] == 0
    assert left() == ["new", f"new/x{ending}"]


def test_sample_does_not_depend_on_workers(fabrica, model):
    for workers in (1, 3):
        assert fabrica("sample", model, "-n", "150k", "-o", f"{workers}.parquet", "--workers", workers, "-q")[0] == 0
    assert pq.read_table("1.parquet").equals(pq.read_table("3.parquet"))


def test_sample_pours_to_stdout(fabrica, model, people):
    words = [sys.executable, "-m", "fabrica", "sample", str(model), "-n", "3"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == people.read_text().splitlines()[0] and done.stdout.count("\n") == 4


def test_rows_on_stdout_are_those_of_a_file(fabrica, model):
    words = [sys.executable, "-m", "fabrica", "sample", str(model), "-n", "70k"]
    done = subprocess.run(words, capture_output=True)
    assert fabrica("sample", model, "-n", "70k", "-o", "s.csv", "-q")[0] == 0
    assert done.stdout == Path("s.csv").read_bytes()


def test_rows_pour_as_they_are_made(model):
    """Nobody could wait for so many rows: the first come at once, and who stops reading ends it without complaint."""
    words = [sys.executable, "-m", "fabrica", "sample", str(model), "-n", "1e12", "-q"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
        first = job.stdout.readline()
        job.stdout.close()
        assert first and (job.stderr.read(), job.wait()) == (b"", 0)


def test_a_stopped_stream_says_that_it_is_a_part(model):
    words = [sys.executable, "-m", "fabrica", "sample", str(model), "-n", "1e12", "-q"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
        job.stdout.readline()
        job.send_signal(signal.SIGINT)
        _, err = job.communicate()
    assert job.returncode == 130 and b"holds a part of the rows" in err


def test_evaluate_prints_and_writes(fabrica, people, made):
    words = ["evaluate", "--real", people, "--synthetic", made[0] / "data.csv", "-o", "r", "--metric", "shape"]
    code, out, _ = fabrica(*words)
    assert code == 0 and "shape" in out.lower() and left() == ["r", "r/report.html", "r/report.json"]
    metrics = {f["metric"] for f in json.loads(Path("r/report.json").read_text())["findings"]}
    assert metrics == {"shape"}


@pytest.mark.parametrize(("threshold", "wanted"), [("shape<=100", 0), ("shape<=0.0001", 1)])
def test_a_threshold_decides_the_exit_code(fabrica, people, made, threshold, wanted):
    words = ["evaluate", "--real", people, "--synthetic", made[0] / "data.csv", "--metric", "shape", "--json", "-q"]
    code, out, _ = fabrica(*words, "--require", threshold)
    assert code == wanted and len(json.loads(out)["fell_short"]) == wanted


def test_inspect_shows_guesses_and_models(fabrica, people, model):
    code, out, _ = fabrica("inspect", people)
    assert code == 0 and all(word in out for word in ("bmi", "decimal", "why"))
    code, out, _ = fabrica("inspect", model)
    assert code == 0 and "independent" in out
    code, out, _ = fabrica("inspect", people, "--overrides")
    Path("s.json").write_text(out)
    assert fabrica("inspect", people, "--schema", "s.json")[0] == code == 0


def test_list_knows_what_there_is(fabrica):
    said = json.loads(fabrica("list", "--json")[1])
    assert {"independent", "trees"} <= {e["name"] for e in said["engines"]}
    leaf = next(s for e in said["engines"] for s in e.get("settings", []) if s["name"] == "leaf")
    assert leaf["type"] == "int" and leaf["help"] and leaf["low"] == 1


def test_quiet_says_nothing_on_stderr(fabrica, people):
    assert fabrica("fit", people, "-o", "m.fab", *QUICK, "--quiet")[2] == ""


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(("words", "said"), [
    (["synth", "gone.csv", "-o", "o"], "gone.csv"),
    (["fit", "gone.csv", "-o", "m.fab"], "gone.csv"),
    (["synth", "PEOPLE", "-o", "o", "--engine", "ctgn"], "there are: "),
    (["synth", "PEOPLE", "-o", "o", "--rows", "0"], "rows"),
    (["synth", "PEOPLE", "-o", "o", "--rows", "-3"], "rows"),
    (["synth", "PEOPLE", "-o", "o", "--holdout", "0.7"], "between 0 and 0.5"),
    (["synth", "PEOPLE", "-o", "o", "--holdout", "1e-9"], "holdout"),
    (["synth", "PEOPLE", "-o", "o", "--holdout", "gone.csv"], "gone.csv"),
    (["synth", "PEOPLE", "-o", "o", "--target", "incom"], "no column named 'incom'"),
    (["synth", "PEOPLE", "-o", "o", "--set", "lief=3"], "no setting named 'lief'"),
    (["synth", "PEOPLE", "-o", "o", "--set", "leaf=-1"], "between"),
    (["synth", "PEOPLE", "-o", "o", "--set", "leaf=many"], "must be a whole number"),
    (["synth", "PEOPLE", "-o", "o", "--set", "leaf"], "NAME=VALUE"),
    (["synth", "PEOPLE", "-o", "o", "--schema", "gone.yaml"], "gone.yaml"),
    (["synth", "PEOPLE", "-o", "file.txt"], "file.txt"),
    (["synth", "empty.csv", "-o", "o"], "empty.csv"),
    (["synth", "other.csv", "-o", "o", "--holdout", "PEOPLE", *QUICK], "columns"),
    (["fit", "PEOPLE", "-o", "file.txt/m.fab", *QUICK], "file.txt"),
    (["fit", "PEOPLE", "-o", "PEOPLE", *QUICK], "input itself"),
    (["sample", "MODEL", "-n", "10", "-o", "x.foo"], "x.foo"),
    (["sample", "MODEL", "-n", "10", "-o", "MODEL"], "input itself"),
    (["sample", "file.txt", "-n", "10", "-o", "x.csv"], "file.txt"),
    (["sample", "gone.fab", "-n", "10", "-o", "x.csv"], "gone.fab"),
    (["inspect", "gone.fab"], "gone.fab"),
    (["evaluate", "--real", "PEOPLE", "--synthetic", "other.csv"], "columns"),
    (["evaluate", "--real", "PEOPLE", "--synthetic", "PEOPLE", "--metric", "shap"], "no metric named"),
    (["evaluate", "--real", "PEOPLE", "--synthetic", "PEOPLE", "--target", "incom"], "no column named"),
], ids=lambda x: " ".join(x)[:60] if isinstance(x, list) else "")
def test_what_goes_wrong_is_one_line_and_leaves_nothing(fabrica, people, model, words, said):
    Path("file.txt").write_text("hello")
    Path("empty.csv").write_text("")
    Path("other.csv").write_text("a,b\n" + "1,2\n" * 20)
    before = left()
    names = {"PEOPLE": people, "MODEL": model}
    code, out, err = fabrica(*[names.get(word, word) for word in words], "-q")
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert said in err and "fault of ours" not in err
    assert left() == before and Path("file.txt").read_text() == "hello"


def test_the_input_is_not_replaced_by_the_twin(fabrica, people):
    Path("data.csv").write_bytes(people.read_bytes())
    code, _, err = fabrica("synth", "data.csv", "-o", ".", *QUICK, "-q")
    assert code == 2 and "input itself" in err and Path("data.csv").read_bytes() == people.read_bytes()


def test_a_stop_while_the_hidden_folder_is_made_leaves_nothing(tmp_path, monkeypatch):
    """Ctrl-C falls right behind the making of the folder, where no ``with`` cleans up yet."""
    made = Path.mkdir

    def stopped(path, *args, **more):
        made(path, *args, **more)
        if path.name.startswith(".fabrica-"):
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "mkdir", stopped)
    with pytest.raises(KeyboardInterrupt), Folder(tmp_path / "deep" / "out"):
        raise AssertionError("never reached")
    assert left(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_cleanly(people, tmp_path, number):
    big = tmp_path / "big.csv"
    head, *rows = people.read_text().splitlines(keepends=True)
    big.write_text(head + "".join(rows) * 100)
    words = [sys.executable, "-m", "fabrica", "synth", str(big), "-o", str(tmp_path / "deep" / "out"), "--workers", "2"]
    job = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(tmp_path.glob("deep/out/.fabrica-*")):  # it is at work
        assert job.poll() is None, job.communicate()
        time.sleep(0.02)
    job.send_signal(number)
    out, err = job.communicate()
    lines = [line for line in err.splitlines() if line.startswith("fabrica: ")]
    assert (job.returncode, out) == (130, "") and len(lines) == 1 and "stopped" in lines[0]
    assert "Traceback" not in err and left(tmp_path) == ["big.csv"]


def test_a_twin_is_written_in_the_hand_of_the_original(fabrica):
    rows = "".join(f'"Zoë{i % 3}";{i % 7},5\r\n' for i in range(120))
    Path("t.csv").write_bytes(f'"who";"pay"\r\n{rows}'.encode("cp1252"))
    code, out, _ = fabrica("synth", "t.csv", "-o", "o", "--rows", 50, *QUICK)
    assert code == 0 and "read as cp1252" in out
    lines = Path("o/data.csv").read_bytes().decode("cp1252").split("\r\n")
    assert lines[0] == '"who";"pay"' and len(lines) == 52
    assert all(re.fullmatch(r'"Zoë[012]";[0-6],5', line) for line in lines[1:-1])
