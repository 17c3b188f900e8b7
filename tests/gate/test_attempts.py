"""Tries of a table are counted whatever it is called and wherever its twins lie."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from fabrica.attempts import LOG, Attempts, Try
from fabrica.errors import InputError, OutputError
from fabrica.fingerprint import Fingerprint


def rows(*ages, key="", **others):
    return Fingerprint.of(pa.table({"age": pa.array(ages), **others}).to_batches(max_chunksize=2), key)


PEOPLE, REST = rows(20, 30, 40, 50), rows(60, 70)


def tried(places, twin="a", tables=(PEOPLE,), holdout=REST, reading=""):
    return Try(places, tables, holdout, twin, reading).counted()


def test_another_twin_and_another_holdout_are_other_tries_and_the_same_is_none(tmp_path):
    log = [tmp_path / LOG]
    assert [tried(log, twin).number for twin in "aabcab"] == [1, 1, 2, 3, 1, 2]  # each keeps its own
    assert tried(log, "a", holdout=rows(60, 71)).number == 4
    assert tried(log, "a", tables=[rows(20, 30, 40, 51)]).number == 1  # another table
    assert len(json.loads(log[0].read_text())["tries"]) == 5


def test_a_try_keeps_its_number_whatever_the_clock_says(tmp_path):
    """The careless twin orders tries by the moments that are written beside them."""
    log = [tmp_path / LOG]
    assert [tried(log, twin).number for twin in "abcd"] == [1, 2, 3, 4]
    plain = json.loads(log[0].read_text())
    plain["tries"][-1]["when"] = "2001-01-01T00:00:00+00:00"
    log[0].write_text(json.dumps(plain))
    assert [tried(log, twin).number for twin in "dcba"] == [4, 3, 2, 1]


def test_to_ask_for_its_number_beforehand_counts_nothing(tmp_path):
    log = [tmp_path / LOG]
    assert Try(log, (PEOPLE,), REST, "a").seen() == Attempts(1, new=True) and not log[0].exists()
    assert tried(log, "a") == Attempts(1) and Try(log, (PEOPLE,), REST, "b").seen() == Attempts(2, new=True)
    assert Try(log, (PEOPLE,), REST, "a").seen() == Attempts(1)


def test_what_was_decided_about_a_twin_is_kept_with_its_try_and_is_no_other_one(tmp_path):
    (tmp_path / "file").write_text("")
    for log in ([tmp_path / LOG], [tmp_path / "file" / LOG, tmp_path / "out" / LOG]):
        tried(log, "a")
        this = Try(log, (PEOPLE,), REST, "b")
        this.counted()
        this.kept({"tier public": "FAIL"})
        assert this.kept({"tier partner": "PASS"}).before == {"tier public": "FAIL", "tier partner": "PASS"}
        assert this.kept({"tier public": "PASS"}).before["tier public"] == "FAIL"  # none is taken away by a better one
        assert this.counted().number == 2 and tried(log, "a").before == {} and tried(log, "c").number == 3


def test_a_twin_that_is_read_otherwise_is_another_try_and_what_was_decided_about_it_is_told_all_the_same(tmp_path):
    log = [tmp_path / LOG]
    one, other = (Try(log, (PEOPLE,), REST, "a", reading) for reading in ("", "unit patient_id"))
    one.kept({"tier public": "PASS"})
    assert other.seen() == Attempts(2, new=True, before={"tier public": "PASS"})
    other.kept({"tier public, unit patient_id": "FAIL"})
    one.kept({"tier public": "FAIL"})
    told = {"tier public": "FAIL", "tier public, unit patient_id": "FAIL"}
    assert one.seen() == Attempts(1, before=told) and other.seen() == Attempts(2, before=told)
    assert tried(log, "b").number == 3 and tried(log, "a", reading="schema 0a0a0a0a").number == 4


def test_whoever_divides_a_table_again_still_has_that_table(tmp_path):
    log, whole = [tmp_path / LOG], rows(20, 30, 40, 50, 60, 70)
    assert whole == PEOPLE + REST
    assert tried(log, "a", tables=[PEOPLE, PEOPLE + REST]).number == 1
    own, rest = rows(20, 30, 40, 60), rows(50, 70)
    assert tried(log, "b", tables=[own, own + rest], holdout=rest).number == 2
    assert tried(log, "c", tables=[whole]).number == 3
    assert tried(log, "d", tables=[own, own + rows(80)], holdout=rows(80)).number == 3  # of the same rows


def test_where_nothing_can_be_written_the_next_place_is_taken_and_both_are_counted(tmp_path):
    (tmp_path / "file").write_text("")
    closed, open_place = tmp_path / "file" / LOG, tmp_path / "out" / LOG
    assert tried([closed, open_place]) == Attempts(1, aside=True) == tried([closed, open_place])
    first = tmp_path / LOG
    assert tried([first, open_place], "b") == Attempts(2) and tried([first, open_place]) == Attempts(1, aside=True)
    with pytest.raises(OutputError):
        tried([closed])


def test_a_file_of_another_version_is_told_with_what_to_do(tmp_path):
    (tmp_path / LOG).write_text('{"fabrica_attempts": 1, "tries": []}')
    with pytest.raises(InputError, match="as another version of fabrica did; judge with that version, or move"):
        tried([tmp_path / LOG])


@pytest.mark.parametrize("content", ['{"fabrica_attempts": 2}', '{"fabrica_attempts": 2, "tries": [{}]}', "[]",
                                     '{"fabrica_attempts": 2, "tries": [{"data": "", "holdout": "", "tables": [], '
                                     '"reading": "", "number": 1, "decided": 1}]}'])
def test_a_file_that_holds_no_attempts_is_told(tmp_path, content):
    (tmp_path / LOG).write_text(content)
    with pytest.raises(InputError, match="is no file of attempts"):
        tried([tmp_path / LOG])


def test_a_fingerprint_tells_rows_apart_and_not_their_order_or_storage():
    assert rows(1, 2, 3) == rows(3, 1, 2) != rows(1, 2, 4)
    assert rows(1, 2, town=["a", "b"]) != rows(2, 1, town=["a", "b"])  # careless: column by column
    assert rows(1, None) != rows(1) and rows(1, None) != rows(1, 0)
    assert rows(1, town=pa.array(["a"]).dictionary_encode()) == rows(1, town=["a"])
    assert str(rows(1, key="00" * 16)) != str(rows(1, key="01" * 16))
    assert rows(1, town=["a"]) != Fingerprint.of([pa.record_batch({"age": ["a"], "town": pa.array([1])})])
