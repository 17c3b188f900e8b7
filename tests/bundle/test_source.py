"""The real table is named so that its owner can show it, and nobody else can guess it."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil

import pytest
import results

import fabrica


def source(bundle):
    return results.read(bundle, "provenance.json")["entity"]["fabrica:source"]


def test_the_source_is_named_by_a_digest_that_its_owner_can_show(plain, out):
    """As the docs say it: HMAC of the digests of the files, under the key in origin.json."""
    digest = hashlib.sha256((out.parent / "people.csv").read_bytes())
    key = json.loads((out / "origin.json").read_text())["key"]
    assert source(plain)["fabrica:hmac_sha256"] == hmac.new(bytes.fromhex(key), digest.digest(), "sha256").hexdigest()
    for text in results.texts(plain).values():  # neither a plain digest of the source nor the key
        assert digest.hexdigest() not in text and key not in text


def test_releases_of_a_folder_have_one_key_and_leave_nothing_in_it(plain, out, keys, tmp_path):
    before = results.names(out)
    assert source(results.bundle(out, tmp_path / "bundle", keys[0])) == source(plain)
    assert results.names(out) == before


def test_two_twins_have_different_digests_of_one_source(plain, keys, tmp_path):
    other = results.bundle(results.made(tmp_path / "again"), tmp_path / "bundle", keys[0])
    assert (tmp_path / "again/people.csv").exists() and source(other)["fabrica:hmac_sha256"] != source(
        plain)["fabrica:hmac_sha256"]


@pytest.mark.parametrize("change", [lambda plain: plain.update(digest=""), None])
def test_a_source_that_nobody_noted_is_said(change, out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    plain = json.loads((copy / "origin.json").read_text())
    if change is None:
        (copy / "origin.json").unlink()
    else:
        change(plain)
        (copy / "origin.json").write_text(json.dumps(plain))
    bundle = results.bundle(copy, tmp_path / "bundle", keys[0])
    assert "nobody noted" in source(bundle)["fabrica:digest"] and "fabrica:hmac_sha256" not in source(bundle)
    assert fabrica.verify(bundle, keys[1]).holds


def test_no_path_of_the_producer_is_told(plain, public, out, private_out):
    for bundle, folder in ((plain, out), (public, private_out)):
        assert [path for path, text in results.texts(bundle).items() if str(folder.parent) in text] == []
