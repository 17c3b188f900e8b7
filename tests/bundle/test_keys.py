"""Keys that sign and check."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import pytest
import results

import fabrica
from fabrica.bundle.envelope import ATTESTATION
from fabrica.bundle.keys import new_key
from fabrica.errors import FabricaError, OutputError


def test_keys_are_never_lost(tmp_path):
    private, public, name = new_key(tmp_path / "signer.pem")
    assert private.stat().st_mode & 0o077 == 0 and public.name == "signer.pub.pem"
    assert re.fullmatch("[0-9a-f]{64}", name)
    for target in ("signer.pem", "signer"):
        with pytest.raises(OutputError, match="is there already"):
            new_key(tmp_path / target)


def test_keys_that_cannot_sign(out, keys, tmp_path):
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec
    other = tmp_path / "ec.pem"
    other.write_bytes(ec.generate_private_key(ec.SECP256R1()).private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    (tmp_path / "text.pem").write_text("hello")
    locked, open_key, _ = new_key(tmp_path / "locked.pem", b"secret")
    for key, words in ((other, "another kind than Ed25519"), (keys[1], "is a public key"),
                       (tmp_path / "text.pem", "PEM"), (tmp_path / "none.pem", "cannot be read"),
                       (locked, "locked with a password.*--password-env")):
        results.refused(words, out, (key, None), tmp_path)
    results.refused("this password", out, (locked, None), tmp_path, password=b"wrong")
    bundle = results.bundle(out, tmp_path / "bundle", locked, password=b"secret")
    assert fabrica.verify(bundle, open_key).holds
    for key, words in ((keys[0], "is a private key"), (tmp_path / "text.pem", "PEM; ask whoever signed"),
                       (tmp_path / "none.pem", "no such file.*ask whoever signed"), ([], "anybody may have made")):
        with pytest.raises(FabricaError, match=words):
            fabrica.verify(bundle, key)


def test_openssl_knows_our_keys_and_signature(plain, keys, tmp_path):
    """A reader without fabrica and without Python."""
    import base64
    import subprocess

    from fabrica.bundle.envelope import PAYLOAD, pae
    if not shutil.which("openssl"):
        pytest.skip("no openssl here")
    envelope = json.loads((plain / ATTESTATION).read_bytes())
    (tmp_path / "signed").write_bytes(pae(PAYLOAD, base64.b64decode(envelope["payload"])))
    (tmp_path / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    done = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(keys[1]), "-rawin", "-in",
                           str(tmp_path / "signed"), "-sigfile", str(tmp_path / "sig")], capture_output=True, text=True)
    assert "Verified Successfully" in done.stdout, done.stderr
    der = subprocess.run(["openssl", "pkey", "-pubin", "-in", str(keys[1]), "-outform", "DER"], capture_output=True)
    assert hashlib.sha256(der.stdout).hexdigest() == envelope["signatures"][0]["keyid"]
