"""The docs are a tested room: what they show runs, what there is they tell."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import click
import pytest
import tables

import fabrica
from fabrica import catalog
from fabrica.cli import commands

HOUSE = Path(__file__).resolve().parents[2]
PAGES = [HOUSE / "README.md",
         *(page for part in ("docs", "docs/scenarios") for page in sorted((HOUSE / part).glob("*.md")))]
ALL = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
BLOCK = re.compile(r"^```(bash|python|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """A folder with what the examples take for granted: a table of people, its twin, a test set, a model."""
    import numpy as np
    import pandas as pd

    folder = tmp_path_factory.mktemp("ground")
    random = np.random.default_rng(7)
    age, sex = random.integers(17, 90, 900), random.choice(["f", "m"], 900)
    people = pd.DataFrame({
        "age": age, "sex": sex, "zip": random.choice(["01067", "20095", "80331"], 900),
        "hours": np.round(random.normal(38, 6, 900), 1),
        "income": np.where(random.random(900) < age / 100, "high", "low")})
    people.loc[random.random(900) < 0.1, "hours"] = None
    for name, rows in {"people": slice(0, 700), "test": slice(700, 800), "twin": slice(800, 900)}.items():
        people.iloc[rows].to_csv(folder / f"{name}.csv", index=False)
    fabrica.fit(folder / "people.csv", engine="independent").save(folder / "people.fab")
    return folder


def shell(text: str) -> None:
    """Each ``fabrica`` line of a block, in this process."""
    for line in text.strip().splitlines():
        words = shlex.split(line, comments=True)
        assert words[0] == "fabrica", line
        answers = (0, 1) if words[1] == "gate" else (0,)  # a shut gate is an answer
        assert commands._outcome(words[1:]) in answers, line


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_what_a_page_shows_runs(page, ground, tmp_path, monkeypatch, capsys):
    for file in ground.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "bash":
            shell(text)
        elif kind == "yaml" and text.startswith("# "):  # the first line names the file
            Path(text.splitlines()[0].removeprefix("# ")).write_text(text)
        elif kind == "yaml":
            Path("overrides.yaml").write_text("{zip: category, age: {kind: integer, bounds: [0, 120]}}")
        else:
            exec(compile(text, str(page), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_tables_are_as_the_code_has_them(page):
    text = page.read_text(encoding="utf-8")
    assert tables.filled(text) == text, "run `make docs`"


@pytest.mark.parametrize("page", [*PAGES, HOUSE / "CONTRIBUTING.md"], ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_command_and_option_is_told():
    text = (HOUSE / "docs" / "cli.md").read_text(encoding="utf-8")
    for name in commands.COMMANDS:
        assert f"## fabrica {name}\n" in text
        command = commands.fabrica_group.get_command(click.Context(commands.fabrica_group), name)
        for option in command.params:
            if isinstance(option, click.Option):
                assert max(option.opts, key=len) in text, f"{name} {option.opts}"


def test_the_issue_of_commands_is_complete():
    files = {p.stem for p in Path(commands.__file__).parent.glob("*.py")}
    helpers = {"__init__", "commands", "options", "require", "stop", "talk", "working"}
    assert files - helpers == set(commands.COMMANDS)


@pytest.mark.parametrize("family", list(catalog.FAMILIES))
def test_every_plugin_and_setting_is_told(family):
    for name in catalog.names(family):
        assert f"`{name}`" in ALL
        for setting in tables.settings(catalog.get(family, name)):
            assert f"`{setting['name']}`" in ALL


def test_every_error_and_every_name_of_the_sdk_is_told():
    for error in tables.error_classes():
        assert f"`{error.__name__}`" in ALL
    sdk = (HOUSE / "docs" / "sdk.md").read_text(encoding="utf-8")
    for name in fabrica.__all__:
        assert name in sdk, name


def test_a_forgotten_plugin_would_be_caught(monkeypatch):
    monkeypatch.setattr(catalog, "names", lambda family: ["forgotten"])
    with pytest.raises(AssertionError):
        test_every_plugin_and_setting_is_told("engines")


def test_the_readme_names_the_words_of_the_makefile():
    makefile = (HOUSE / "Makefile").read_text(encoding="utf-8")
    both = (HOUSE / "README.md").read_text(encoding="utf-8") + (HOUSE / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for word in re.findall(r"`?make ([a-z-]+)", both):
        assert re.search(rf"^{word}:", makefile, re.MULTILINE), word
    assert os.access(HOUSE / ".ci" / "run", os.X_OK)
