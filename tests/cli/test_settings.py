"""Settings as flags of their own: the same words for every engine."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("words", [["--leaf", "77", "--k=9"], ["--set", "leaf=77", "--set", "k=9"]])
def test_a_setting_is_a_flag(fabrica, people, words):
    code, out, _ = fabrica("fit", people, "-o", "m.fab", *words, "-q")
    assert code == 0 and "m.fab" in out


@pytest.mark.parametrize(("words", "said"), [
    (["--taget", "status"], "No such option"), (["--leef", "3"], "No such option"),
    (["--leaf", "many"], "must be a whole number"),
    (["--epochs", "3"], "no setting named 'epochs'"), (["--leaf"], "requires an argument"),
    (["--price", "nan"], "finite"),
])
def test_what_is_no_setting_is_said(fabrica, people, words, said):
    code, _, err = fabrica("fit", people, "-o", "m.fab", *words)
    assert code == 2 and said in err


def test_auto_chooses_among_those_it_is_told(fabrica, people):
    words = ["--engine", "auto", "--among", "copula,bayesnet", "--budget", "30"]
    code, out, _ = fabrica("synth", people, "-o", "out", *words)
    assert code == 0 and "auto took" in out and "against unseen rows" in out


def test_what_an_engine_lacks_is_listed(monkeypatch):
    from fabrica.cli import list as listing

    found = listing.find_spec
    monkeypatch.setattr(listing, "find_spec", lambda name: None if name == "torch" else found(name))
    told = {plugin["name"]: "\n".join(listing.lines(plugin, settings=False)) for plugin in listing.plugins("engines")}
    assert "fabrica[nets]" in told["gan"] and "not installed" not in told["trees"]
