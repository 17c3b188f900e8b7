"""A folder of results appears whole or not at all."""

from __future__ import annotations

import os

import pytest

from fabrica.errors import OutputError
from fabrica.folder import Folder


def test_all_files_appear_together(tmp_path):
    with Folder(tmp_path / "a" / "b") as folder:
        folder.path("x.txt").write_text("1")
        folder.path("y.txt").write_text("2")
        assert not (tmp_path / "a" / "b" / "x.txt").exists()
        assert {n: p.read_text() for n, p in folder.done().items()} == {"x.txt": "1", "y.txt": "2"}
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == ["x.txt", "y.txt"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_appears_when_it_fails(tmp_path, error):
    with pytest.raises(error), Folder(tmp_path / "a" / "b") as folder:
        folder.path("x.txt").write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_stood_there(tmp_path):
    (tmp_path / "x.txt").write_text("old")
    with pytest.raises(RuntimeError), Folder(tmp_path) as folder:
        folder.path("x.txt").write_text("half")
        raise RuntimeError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("x.txt", "old")]


def test_our_files_are_replaced_and_others_left_alone(tmp_path):
    (tmp_path / "x.txt").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    with Folder(tmp_path) as folder:
        folder.path("x.txt").write_text("new")
        folder.done()
    assert (tmp_path / "x.txt").read_text() == "new" and (tmp_path / "mine.txt").read_text() == "mine"


def test_an_input_is_never_replaced(tmp_path):
    source = tmp_path / "data.csv"
    source.write_text("a\n1\n")
    with pytest.raises(OutputError, match="input itself"), Folder(tmp_path, keep=[str(source)]) as folder:
        folder.path("data.csv")
    assert source.read_text() == "a\n1\n"


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="out"), Folder(tmp_path / "out"):
        pass


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"), Folder(tmp_path / "out"):
        pass
    tmp_path.chmod(0o700)
