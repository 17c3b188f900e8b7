"""The commands release, verify and key."""

from __future__ import annotations

import json
from pathlib import Path

import results


def told(*words):
    from fabrica.cli import commands
    return commands._outcome(list(words))


def test_the_three_commands(out, tmp_path, capsys):
    key, bundle = str(tmp_path / "k.pem"), str(tmp_path / "bundle")
    assert told("key", key) == 0 and "fingerprint" in capsys.readouterr().out
    approvers = [word for one in results.APPROVERS for word in ("--approver", one)]
    assert told("release", str(out), "-o", bundle, "--key", key, *approvers, "--purpose", "tests") == 0
    assert "passed policy fabrica at tier partner" in capsys.readouterr().out
    public = str(tmp_path / "k.pub.pem")
    assert told("verify", bundle, "--key", public) == 0 and "holds" in capsys.readouterr().out
    assert told("verify", bundle, "--key", public, "--json") == 0
    assert json.loads(capsys.readouterr().out)["claim"]["purpose"] == "tests"
    (Path(bundle) / "limits.md").write_text("no limits")
    assert told("verify", bundle, "--key", public) == 1
    assert "limits.md: was changed" in capsys.readouterr().out
    assert told("verify", str(tmp_path / "none"), "--key", public) == 2
    assert told("verify", bundle, "--key", key) == 2 and "private key" in capsys.readouterr().err


def test_a_password_comes_by_the_environment(out, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SIGNER", "secret")
    key = str(tmp_path / "k.pem")
    assert told("key", key, "--password-env", "SIGNER") == 0 and b"ENCRYPTED" in Path(key).read_bytes()
    approvers = [word for one in results.APPROVERS for word in ("--approver", one)]
    words = ["release", str(out), "-o", str(tmp_path / "bundle"), "--key", key, *approvers]
    assert told(*words) == 2 and "--password-env" in capsys.readouterr().err
    assert told(*words, "--password-env", "NOBODY") == 2
    assert told(*words, "--password-env", "SIGNER") == 0
