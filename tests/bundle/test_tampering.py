"""Whatever is changed in a bundle is found, by the verifier in fabrica and by the one that stands alone."""

from __future__ import annotations

import json
import os
import shutil
import stat
import zipfile
from datetime import date, timedelta

import pytest
import results
import tampering

import fabrica
from fabrica.bundle import contents, standalone
from fabrica.bundle import verify as room
from fabrica.bundle.envelope import ATTESTATION, unsealed
from fabrica.bundle.keys import public_key
from fabrica.cli import commands
from fabrica.errors import FabricaError


def alone(bundle, key, capsys):
    """What the standalone verifier says: (whether it holds, its lines)."""
    code = standalone.main([str(bundle), "--key", str(key)])
    told = capsys.readouterr()
    assert code in (0, 1), told.err
    return code == 0, told.out.splitlines()


def both(bundle, key, capsys):
    """Both verifiers agree; gives whether it holds and the first sentence of each."""
    ours, (theirs, lines) = fabrica.verify(bundle, key), alone(bundle, key, capsys)
    assert ours.holds == theirs, (ours.problems, lines)
    return ours.holds, ours.lines[0], lines[0]


@pytest.mark.parametrize("kind", ["plain", "public"])
def test_an_untouched_bundle_holds(kind, keys, request, capsys):
    found = both(request.getfixturevalue(kind), keys[1], capsys)
    assert found[0] and found[1].startswith("holds") and found[2].startswith("HOLDS")


@pytest.mark.parametrize("act", tampering.ACTS)
def test_an_act_is_found(act, plain, keys, tmp_path, capsys):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    tampering.ACTS[act](bundle)
    holds, ours, theirs = both(bundle, keys[1], capsys)
    assert not holds
    for line in (ours, theirs):
        assert "\n" not in line and "Traceback" not in line and line.lower().startswith("does not hold: ")


def flipped(bundle, keys, capsys, cases):
    """How many of the cases were tried; fails at the first that a verifier does not find."""
    count = 0
    for label, name, act in cases:
        kept = (bundle / name).read_bytes()
        act(bundle)
        assert not both(bundle, keys[1], capsys)[0], label
        (bundle / name).write_bytes(kept)
        count += 1
    return count


def test_flipped_bytes_of_every_file_are_found(public, keys, tmp_path, capsys):
    bundle = shutil.copytree(public, tmp_path / "bundle")
    cases = [case for path in tampering.files(bundle) for case in
             list(tampering.flips(bundle, max(1, path.stat().st_size // 2), [path.relative_to(bundle).as_posix()]))[:2]]
    assert flipped(bundle, keys, capsys, cases) >= 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "public"])
def test_a_thousand_flipped_bytes_are_found(kind, keys, tmp_path, request, capsys):
    bundle = shutil.copytree(request.getfixturevalue(kind), tmp_path / "bundle")
    cases = [*tampering.flips(bundle, 1, [ATTESTATION]), *tampering.flips(bundle, 97)]
    assert flipped(bundle, keys, capsys, cases) + len(tampering.ACTS) >= 1_000


def test_a_careless_verifier_would_miss_some(plain, keys, tmp_path):
    """The twin that only checks the signature and the files that it names: our strictness is what finds the rest."""
    def careless(bundle):
        import base64
        import hashlib

        from cryptography.exceptions import InvalidSignature

        from fabrica.bundle.envelope import PAYLOAD, pae
        try:
            plain = json.loads((bundle / ATTESTATION).read_bytes())
            payload = base64.b64decode(plain["payload"])
            public_key(keys[1]).verify(base64.b64decode(plain["signatures"][0]["sig"]), pae(PAYLOAD, payload))
            return all(hashlib.sha256((bundle / one["name"]).read_bytes()).hexdigest() == one["digest"]["sha256"]
                       for one in json.loads(payload)["subject"])
        except (InvalidSignature, ValueError, LookupError, TypeError, OSError, RecursionError, AttributeError):
            return False

    missed = []
    for name, act in tampering.ACTS.items():
        bundle = shutil.copytree(plain, tmp_path / "bundle")
        act(bundle)
        missed += [name] if careless(bundle) else []
        shutil.rmtree(bundle)
    assert {"added file", "stray bits in base64", "another key's name", "an extra signature", "link in place of a file",
            "trailing bytes after the envelope"} <= set(missed)


# ---------------------------------------------------------------- keys, days, versions


def test_another_key_is_said(plain, keys, tmp_path, capsys):
    other = results.keys(tmp_path)[1]
    holds, ours, _ = both(plain, other, capsys)
    assert not holds and "another key" in ours


def test_two_signatures_need_two_keys(out, keys, tmp_path, capsys):
    private, public = results.keys(tmp_path)
    bundle = results.bundle(out, tmp_path / "bundle", [keys[0], private])
    assert fabrica.verify(bundle, [keys[1], public]).holds
    assert standalone.main([str(bundle), "--key", str(public), "--key", str(keys[1])]) == 0
    assert not both(bundle, public, capsys)[0] and not both(bundle, keys[1], capsys)[0]
    plain = json.loads((bundle / ATTESTATION).read_bytes())
    plain["signatures"] = [one for one in plain["signatures"] if one["keyid"] != standalone_name(public)]
    (bundle / ATTESTATION).write_bytes(tampering.canonical(plain))
    holds, ours, _ = both(bundle, keys[1], capsys)  # one signature was taken away
    assert not holds and "the statement names" in ours


def standalone_name(key):
    return next(iter(standalone.keys_in([str(key)])))


def test_an_expired_bundle_is_said(plain, keys):
    last = date.fromisoformat(fabrica.verify(plain, keys[1]).claim["expires"])
    assert fabrica.verify(plain, keys[1], today=last).holds
    after = fabrica.verify(plain, keys[1], today=last + timedelta(days=1))
    assert not after.holds and after.problems == (f"the release expired on {last.isoformat()}",)


def test_the_standalone_knows_the_day_too(plain, keys):
    said = standalone.statement((plain / ATTESTATION).read_bytes(), standalone.keys_in([str(keys[1])]))
    assert standalone.problems(standalone.files_in(plain), said, said["predicate"]["expires"]) == []
    assert "expired" in standalone.problems(standalone.files_in(plain), said, "2999-01-01")[0]


def test_a_bundle_of_a_later_version_is_said(plain, keys, tmp_path, capsys):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    tampering.resigned(bundle, keys, lambda said: said.update(predicateType="urn:fabrica:release:2"))
    holds, ours, theirs = both(bundle, keys[1], capsys)
    assert not holds and "another version" in ours and "another version" in theirs


@pytest.mark.parametrize("change", [lambda claim: claim.pop("policy"), lambda claim: claim.update(approvals=1),
                                    lambda claim: claim.pop("waivers"), lambda claim: claim.clear()])
def test_a_statement_that_says_too_little_is_said(change, plain, keys, tmp_path, capsys):
    bundle = shutil.copytree(plain, tmp_path / "bundle")

    def changed(said):
        signers = said["predicate"]["signers"]
        change(said["predicate"])
        said["predicate"].setdefault("signers", signers)

    tampering.resigned(bundle, keys, changed)
    assert not both(bundle, keys[1], capsys)[0]
    assert str(fabrica.verify(bundle, keys[1])).startswith("does not hold: ")


# ---------------------------------------------------------------- claims that are reckoned again


def better(plain):
    plain["tests"][2].update(high=0.5)


def uncounted(plain):
    plain["tests"][1].update(value=3.0)


def looser(plain):
    plain["policy"]["tiers"]["partner"]["signatures"] = 1


def smaller(plain):
    next(one for one in plain["findings"] if one["metric"] == "singling_out").update(high=0.01)


LIES = {
    "a row less": ("plain", "data/data.csv", lambda raw: raw[:raw.rstrip().rfind(b"\n") + 1], "rows, and"),
    "a column renamed": ("plain", "data/data.csv", lambda raw: raw.replace(b"age", b"agf", 1), "other columns"),
    "a cell changed": ("plain", "data/data.csv", lambda raw: raw.replace(b"high", b"low", 1), "not the file that"),
    "a bound beyond its threshold": ("plain", "evidence/gate.json", better, "INCONCLUSIVE follows"),
    "a failed test": ("plain", "evidence/gate.json", lambda plain: plain["tests"][0].update(verdict="FAIL"),
                      "another verdict"),
    "a rounded bound beyond its threshold": ("public", "evidence/gate.json", better, "follows"),
    "a test less": ("public", "evidence/gate.json", lambda plain: plain["tests"].pop(), "the test attempts"),
    "a smaller risk in the evidence": ("plain", "evidence/privacy.json", smaller, "test singling_out is another"),
    "another policy": ("plain", "evidence/gate.json", looser, "has no waiver"),
    "an attempt less": ("plain", "evidence/gate.json", lambda plain: plain.update(attempts=0),
                        "its test of them another number"),
    "other people": ("plain", "evidence/gate.json", lambda plain: plain["subject"]["learned"].update(rows=9_000),
                     "page one"),
    "a better likeness": ("public", "evidence/fidelity.json", lambda plain: plain.update(likeness="A"), "page one"),
    "a worse finding": ("plain", "evidence/fidelity.json", lambda plain: [
        one.update(value=0.99, high=1.0) for one in plain["findings"] if one["metric"] == "detector_auc"],
                        "another grade"),
    "another approver": ("plain", "approvals.json", lambda plain: plain["approvals"].pop(), "page one"),
    "a smaller epsilon": ("public", "evidence/dp.json", lambda plain: plain.update(epsilon=0.1), "add up to"),
    "an event less": ("public", "evidence/dp.json", lambda plain: plain["ledger"]["events"].pop(), "add up to"),
    "no ledger": ("public", "evidence/dp.json", lambda plain: plain.update(measured=False), "no ledger"),
    "a ledger that is none": ("public", "evidence/dp.json", lambda plain: plain.update(ledger=[]), "ledger"),
    "another manifest": ("plain", "manifest.json", lambda plain: plain["files"].pop(), "lists other files"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_of_the_producer_is_found(lie, keys, tmp_path, request):
    kind, name, change, words = LIES[lie]
    bundle = shutil.copytree(request.getfixturevalue(kind), tmp_path / "bundle")
    tampering.changed(bundle, keys, name, tampering.parsed(change) if name.endswith(".json") else change)
    found = fabrica.verify(bundle, keys[1])
    assert not found.holds and any(words in problem for problem in found.problems), found.problems


def test_a_public_profile_of_a_smaller_circle_without_a_reason_is_found(out, keys, tmp_path):
    bundle = results.bundle(out, tmp_path / "bundle", keys[0], profile="public", beyond_tier="a trial")
    assert fabrica.verify(bundle, keys[1]).holds
    tampering.resigned(bundle, keys, lambda said: said["predicate"].update(beyond_tier=""))
    assert "told to everybody, was judged at tier partner" in str(fabrica.verify(bundle, keys[1]))


def test_the_standalone_is_told_its_keys_as_the_command_is_and_helps(plain, out, keys, tmp_path, capsys):
    private, other = results.keys(tmp_path)
    bundle = results.bundle(out, tmp_path / "bundle", [keys[0], private])
    own, folder = str(keys[1]), str(bundle)
    for words in ([folder, "--key", own, "--key", str(other)], [f"--key={own}", folder, f"--key={other}"]):
        assert standalone.main(words) == 0, words
    assert standalone.main([str(plain), "--key", str(other)]) == 1
    for words, code, said in ((["--help"], 0, "python verify.py FOLDER --key"), ([folder, "--key"], 2, "--key"),
                              (["--key", own], 2, "folder"), ([folder], 2, "--key"), ([], 2, "folder, --key")):
        with pytest.raises(SystemExit) as left:
            standalone.main(words)
        assert left.value.code == code and said in "".join(capsys.readouterr())


def test_the_standalone_finds_a_gate_that_does_not_follow(plain, keys, tmp_path, capsys):
    for change in (better, lambda plain: plain["tests"][0].update(verdict="FAIL"), uncounted):
        bundle = shutil.copytree(plain, tmp_path / "bundle")
        tampering.changed(bundle, keys, "evidence/gate.json", tampering.parsed(change))
        holds, _, said = both(bundle, keys[1], capsys)
        assert not holds and ("test rare says PASS" in said or change is not uncounted)  # by its name, not by a code
        shutil.rmtree(bundle)


# ---------------------------------------------------------------- archives


def packed(bundle, path, around="", more=()):
    """The bundle as a zip; ``more``: entries (name or ZipInfo, bytes) beside it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in tampering.files(bundle):
            archive.write(file, around + file.relative_to(bundle).as_posix())
        for name, raw in more:
            archive.writestr(name, raw)
    return path


def test_an_archive_holds_as_its_folder_does(public, keys, tmp_path):
    assert fabrica.verify(packed(public, tmp_path / "a.zip"), keys[1]).holds
    assert fabrica.verify(packed(public, tmp_path / "b.zip", "bundle/"), keys[1]).holds
    with_folder = packed(public, tmp_path / "c.zip", "bundle/", [("bundle/", b""), ("bundle/data/", b"")])
    assert fabrica.verify(with_folder, keys[1]).holds


def a_link():
    entry = zipfile.ZipInfo("more.md")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


ENTRIES = {"escape": "../outside.md", "deep escape": "data/../../outside.md", "absolute": "/etc/passwd",
           "drive": "C:/x.md", "backslash": "..\\outside.md", "twin in capitals": "Limits.md", "control": "a\x1b[2J.md",
           "dot": "./more.md", "double slash": "data//more.md", "link": a_link(), "plain": "more.md",
           "empty folder": "more/", "trailing dot": "limits.md."}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_hostile_entry_is_found_and_nothing_leaves_the_archive(name, plain, keys, tmp_path):
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    archive = packed(plain, folder / "b.zip", more=[(ENTRIES[name], b"")])
    assert not fabrica.verify(archive, keys[1]).holds
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "deep", "b.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_an_archive_is_found(plain, keys, tmp_path):
    archive = packed(plain, tmp_path / "b.zip", more=[("limits.md", (plain / "limits.md").read_bytes())])
    assert not fabrica.verify(archive, keys[1]).holds


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_an_archive_that_is_damaged_is_found_or_reads_the_same(at, plain, keys, tmp_path):
    """Dates in an archive are not part of the bundle; all else is."""
    raw = bytearray(packed(plain, tmp_path / "a.zip").read_bytes())
    raw[int(at * len(raw))] ^= 0xFF
    (tmp_path / "b.zip").write_bytes(raw)
    found = fabrica.verify(tmp_path / "b.zip", keys[1])
    if found.holds:
        with contents.opened(tmp_path / "b.zip") as files:
            assert all(files.read(name) == (plain / name).read_bytes() for name in files.sizes)
    (tmp_path / "c.zip").write_bytes(raw[: int(at * len(raw))])
    assert not fabrica.verify(tmp_path / "c.zip", keys[1]).holds


def test_an_archive_that_grows_is_not_unpacked(plain, keys, tmp_path):
    """Ten megabytes of nothing in place of the rows: their size alone is enough to know."""
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    (bundle / "data" / "data.csv").write_bytes(bytes(10_000_000))
    archive = packed(bundle, tmp_path / "b.zip")
    assert archive.stat().st_size < 200_000
    with contents.opened(archive) as files:
        said = unsealed(files.read(ATTESTATION), [public_key(keys[1])])
        assert room._bytes(files, said) == (["data/data.csv: was changed after it was signed"], None)
        assert list(files.aside.iterdir()) == []


def test_no_bundle_is_an_error_and_not_a_verdict(keys, tmp_path, capsys):
    (tmp_path / "x.zip").write_bytes(b"no archive")
    (tmp_path / "empty").mkdir()
    for name, words in (("none", "no such bundle"), ("x.zip", "neither the folder"), ("empty", "an empty folder")):
        with pytest.raises(FabricaError, match=words):
            fabrica.verify(tmp_path / name, keys[1])
        assert commands._outcome(["verify", str(tmp_path / name), "--key", str(keys[1])]) == 2
        assert standalone.main([str(tmp_path / name), "--key", str(keys[1])]) == 2
        assert "is no folder of a bundle" in capsys.readouterr().err
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "notes.md").touch()  # something, but no bundle
    assert both(tmp_path / "more", keys[1], capsys) == (
        False, f"does not hold: {ATTESTATION}: the file is missing",
        f"DOES NOT HOLD: {ATTESTATION}: is missing, or far larger than it can be")


def test_how_the_standalone_is_called_wrongly(plain, keys, tmp_path, capsys):
    (tmp_path / "text.pem").write_text("hello")
    for key, said in ((keys[0], "signer.pem: is a private key"), (tmp_path, f"{tmp_path}: cannot be read"),
                      (tmp_path / "none.pem", "none.pem: cannot be read"),
                      (tmp_path / "text.pem", "text.pem: holds no public key")):
        assert standalone.main([str(plain), "--key", str(key)]) == 2
        told = capsys.readouterr()
        assert said in told.err and told.err.count("\n") == 1 and told.out == ""


def test_nothing_is_shown_that_nobody_vouches_for(plain, keys, tmp_path, capsys):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    assert "Ada Example" in str(fabrica.verify(bundle, keys[1]))
    assert "Ada Example" in "".join(alone(bundle, keys[1], capsys)[1])
    (bundle / "limits.md").write_text("no limits")
    found = fabrica.verify(bundle, keys[1])
    assert found.lines == ["does not hold: limits.md: was changed after it was signed"] and found.claim == {}
    assert alone(bundle, keys[1], capsys)[1] == ["DOES NOT HOLD: limits.md: was changed after it was signed"]
    late = fabrica.verify(plain, keys[1], today="2999-01-01")
    assert not late.holds and "Ada" not in str(late) and late.to_json()["claim"] == {}


def test_a_file_that_may_not_be_read_is_no_verdict(plain, keys, tmp_path, monkeypatch, capsys):
    def locked(*_, **__):
        raise PermissionError(13, "Permission denied", "limits.md")
    monkeypatch.setattr(contents.os, "open", locked)
    with pytest.raises(FabricaError, match=r"limits\.md: cannot be read"):
        fabrica.verify(plain, keys[1])
    monkeypatch.setattr(standalone, "files_in", locked)
    assert standalone.main([str(plain), "--key", str(keys[1])]) == 2
    assert capsys.readouterr().err == "cannot be checked: limits.md: cannot be read (Permission denied)\n"


def test_a_file_that_cannot_be_read_is_said(plain, keys, tmp_path):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    (bundle / "limits.md").unlink()
    os.mkfifo(bundle / "limits.md")  # reading it would wait for ever
    assert "link or a device" in fabrica.verify(bundle, keys[1]).problems[0]
