"""The page that checks a bundle, in a real browser: what it finds is what the other verifiers find."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil

import pytest
import results
import tampering
from browser import ELEMENT

import fabrica
from fabrica.bundle import standalone

pytestmark = pytest.mark.browser

#: bundles as the page sees them: a Map of File objects, made from names and base64
TAKE = """
const entries = arguments[0].map(([name, raw]) => ["bundle/" + name,
  new File([Uint8Array.from(atob(raw), (c) => c.charCodeAt(0))], name.split("/").pop())]);
take(new Map(entries)); by("key").value = arguments[1]; by("result").replaceChildren(); by("go").click();
"""


def told(browser, bundle, key):
    """Give the page a bundle and a key; what it says."""
    files = [[path.relative_to(bundle).as_posix(), base64.b64encode(path.read_bytes()).decode()]
             for path in tampering.files(bundle)]
    browser.js(TAKE, files, key)
    for _ in range(200):
        text = browser.js("return by('go').disabled ? '' : by('result').innerText")
        if text:
            return text
        browser.js("return new Promise((done) => setTimeout(done, 20))")
    raise AssertionError("the page did not answer")


@pytest.fixture
def page(browser, public):
    browser.open(public / "verify.html")
    browser.console()
    return browser


def test_an_untouched_bundle_holds(page, public, plain, keys):
    for bundle, words in ((public, "epsilon 1.9"), (plain, "none is claimed")):
        text = told(page, bundle, keys[1].read_text())
        assert text.startswith("Holds: the signature, and every byte of"), text
        assert "passed policy fabrica at tier p" in text and words in text
        assert "approval recorded by the signer: privacy officer: Ada Example" in text
    assert page.console() == [] and all(one.startswith("file:") for one in page.requests())


@pytest.mark.parametrize("act", [act for act in tampering.ACTS if "link" not in act and "empty folder" not in act])
def test_an_act_is_found(act, page, plain, keys, tmp_path):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    tampering.ACTS[act](bundle)
    text = told(page, bundle, keys[1].read_text())
    assert text.startswith("This bundle does not hold."), text
    assert not fabrica.verify(bundle, keys[1]).holds


def test_a_gate_in_which_a_name_stands_twice_is_found(page, plain, keys, tmp_path):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    tampering.changed(bundle, keys, "evidence/gate.json", lambda raw: b'{"verdict": "PASS", ' + raw[1:])
    assert "gate.json: 'verdict' stands twice" in told(page, bundle, keys[1].read_text())
    assert "'verdict' stands twice" in str(fabrica.verify(bundle, keys[1]))
    assert "a name stands twice" in "".join(standalone.checked(bundle, [str(keys[1])])[0])


@pytest.mark.parametrize("change", [lambda tests: tests[1].update(value=3.0), lambda tests: tests[2].update(high=0.5),
                                    lambda tests: tests[2].update(verdict="FAIL")])
def test_a_gate_that_does_not_follow_is_found(change, page, plain, keys, tmp_path):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    tampering.changed(bundle, keys, "evidence/gate.json", tampering.parsed(lambda plain: change(plain["tests"])))
    assert told(page, bundle, keys[1].read_text()).startswith("This bundle does not hold.")


def test_nothing_is_shown_that_nobody_vouches_for(page, plain, keys, tmp_path):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    (bundle / "limits.md").write_text("no limits")
    text = told(page, bundle, keys[1].read_text())
    assert "limits.md: was changed" in text and "Ada" not in text and "passed policy" not in text


@pytest.mark.slow
def test_flipped_bytes_are_found(page, plain, keys, tmp_path):
    bundle = shutil.copytree(plain, tmp_path / "bundle")
    for label, name, act in [*tampering.flips(bundle, 41, [tampering.ATTESTATION]), *tampering.flips(bundle, 3001)]:
        kept = (bundle / name).read_bytes()
        act(bundle)
        assert told(page, bundle, keys[1].read_text()).startswith("This bundle does not hold."), label
        (bundle / name).write_bytes(kept)


def test_keys_that_do_not_fit_are_said(page, plain, keys, tmp_path):
    other = results.keys(tmp_path)
    assert "does not hold" in (said := told(page, plain, other[1].read_text())) and "another key" in said
    for key, words in (("", "give the public key first"), ("hello", "give the public"),
                       (keys[0].read_text(), "private key")):  # whose mistake that is the sender has no part in
        said = told(page, plain, key)
        assert said.startswith("This bundle cannot be checked.") and words in said


def test_two_signatures_need_two_keys(page, out, keys, tmp_path):
    private, public = results.keys(tmp_path)
    bundle = results.bundle(out, tmp_path / "bundle", [keys[0], private])
    assert told(page, bundle, keys[1].read_text() + public.read_text()).startswith("Holds")
    assert "does not hold" in told(page, bundle, keys[1].read_text())


def test_an_expired_bundle_and_one_without_a_pass(page, out, keys, tmp_path):
    copy = shutil.copytree(out, tmp_path / "out")
    results.failed(copy)
    bundle = results.bundle(copy, tmp_path / "bundle", keys[0], without_pass="<b>one day</b>")
    text = told(page, bundle, keys[1].read_text())
    assert text.startswith("Holds") and "released without a pass, because: <b>one day</b>" in text
    late = page.js("""const said = await statementOf(new Uint8Array(await files.get(ATTESTATION).arrayBuffer()),
      await keysOf(arguments[0])); const found = await check(files, arguments[0], "2999-01-01", () => 0);
      return found.problems""".replace("const said", "return (async () => { const said") + "})()", keys[1].read_text())
    assert len(late) == 1 and "expired on" in late[0]


def test_its_own_digest_is_that_of_the_standard(page):
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 100_003):
        raw = bytes((i * 131 + size) % 256 for i in range(size))
        found = page.js("""const sha = new Sha256(), raw = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0));
          for (let at = 0; at < raw.length; at += 997) sha.feed(raw.slice(at, at + 997));
          return sha.end()""", base64.b64encode(raw).decode())
        assert found == hashlib.sha256(raw).hexdigest(), size


def test_a_browser_without_ed25519_says_so(browser, public):
    script = ("crypto.subtle.generateKey = () => Promise.reject(new Error('NotSupportedError'));")
    added = browser.tools("Page.addScriptToEvaluateOnNewDocument", source=script)
    try:
        browser.open(public / "verify.html")
        browser.js("return new Promise((done) => setTimeout(done, 50))")
        assert "cannot check Ed25519" in browser.js("return by('cannot').innerText")
    finally:
        browser.tools("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def test_a_folder_can_be_chosen(browser, public, keys):
    browser.open(public / "verify.html")
    browser._ask(f"element/{browser.find('#folder')}/value", {"text": str(public)})
    browser._ask(f"element/{browser.find('#key-file')}/value", {"text": str(keys[1])})
    for _ in range(100):
        if browser.js("return by('key').value.includes('PUBLIC') && !by('go').disabled"):
            break
        browser.js("return new Promise((done) => setTimeout(done, 20))")
    browser.click("#go")
    for _ in range(200):
        text = browser.js("return by('go').disabled ? '' : by('result').innerText")
        if text:
            break
        browser.js("return new Promise((done) => setTimeout(done, 20))")
    assert text.startswith("Holds"), text


def test_the_card_needs_neither_script_nor_network(browser, plain):
    browser.open(plain / "datacard.html")
    assert "passed policy fabrica at tier partner" in browser.js("return document.body.innerText")
    assert browser.console() == []
    assert [one for one in browser.requests() if not one.startswith("file:")] == []
    assert ELEMENT and json.loads(json.dumps(browser.js("return document.scripts.length"))) == 0
